use super::*;

fn asked() -> Network {
    serde_json::from_str(
        r#"{"bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"],"mtu":9000},
            "vlans":[{"id":1234,"mtu":9000,"addresses":["10.8.0.5/24","fd00::5/64"],"routes":[{"to":"10.9.0.0/16","via":"10.8.0.1"}]}]}"#,
    )
    .unwrap()
}

fn seen() -> NetworkFacts {
    serde_json::from_str(
        r#"{"bond":{"name":"bond0","mode":"802.3ad"},"mtu":9000,
            "ports":[{"mac":"52:54:00:00:00:01","link":true,"partner":"02:00:00:00:00:01"},{"mac":"52:54:00:00:00:02","link":true,"partner":"02:00:00:00:00:01"}],
            "vlans":[{"id":1234,"parent":"bond0","up":true,"mtu":9000}],
            "addresses":[{"interface":"bond0.1234","address":"10.8.0.5/24"},{"address":"fd00::5/64"}],
            "routes":[{"to":"10.9.0.0/16","via":"10.8.0.1"}],
            "peer":{"address":"10.8.0.9","interface":"bond0.1234","reached":true,"full_size":true,"mtu":9000}}"#,
    )
    .unwrap()
}

#[test]
fn what_was_asked_is_proof() {
    assert_eq!(differences(&asked(), &seen()), Vec::<String>::new());
    assert_eq!(
        differences(&Network::default(), &NetworkFacts::default()),
        Vec::<String>::new()
    );
}

#[test]
fn each_difference_is_named() {
    let mut wrong = seen();
    wrong.bond = Some(BondFact {
        name: None,
        mode: Some("balance-rr".into()),
    });
    wrong.mtu = Some(1500);
    wrong.ports[0].link = Some(false);
    wrong.ports[1].partner = Some("00:00:00:00:00:00".into());
    wrong.vlans[0].mtu = Some(1500);
    wrong.vlans[0].parent = Some("eth0".into());
    wrong.addresses.remove(1);
    wrong.routes = None;
    wrong.peer = Some(PeerFact {
        address: "10.8.0.9".parse().ok(),
        reached: Some(true),
        full_size: Some(false),
        mtu: Some(9000),
        ..PeerFact::default()
    });
    insta::assert_snapshot!(differences(&asked(), &wrong).join("\n"));
}

#[test]
fn a_wrong_vlan_id_says_which_was_found() {
    let mut wrong = seen();
    wrong.vlans[0].id = 1243;
    assert_eq!(
        differences(&asked(), &wrong)[0],
        "VLAN 1234 is missing, found VLAN 1243 instead"
    );
}

#[test]
fn what_is_not_reported_is_not_proven() {
    let silent: NetworkFacts = serde_json::from_str(
        r#"{"bond":{"name":"bond0"},"ports":[{"mac":"52:54:00:00:00:01"}],"vlans":[{"id":1234}]}"#,
    )
    .unwrap();
    insta::assert_snapshot!(differences(&asked(), &silent).join("\n"));
}

#[test]
fn ports_at_different_switches_are_no_bond() {
    let mut wrong = seen();
    wrong.ports[1].partner = Some("02:00:00:00:00:02".into());
    assert_eq!(
        differences(&asked(), &wrong),
        [
            "the ports have different LACP partners (02:00:00:00:00:01, 02:00:00:00:00:02): only one of them carries traffic"
        ]
    );
}

#[test]
fn a_silent_peer_while_the_host_is_right_means_that_it_is_cut_off() {
    let mut cut = seen();
    cut.peer = serde_json::from_str(r#"{"address":"10.8.0.9","interface":"bond0.1234","reached":false}"#).unwrap();
    let found = differences(&asked(), &cut);
    assert_eq!(found, ["no answer from 10.8.0.9 over bond0.1234"]);
    assert!(is_cut_off(&found, &cut));
    cut.vlans[0].up = Some(false);
    assert!(
        !is_cut_off(&differences(&asked(), &cut), &cut),
        "the host itself is wrong, too"
    );
    assert!(!is_cut_off(&[], &seen()));
}

#[test]
fn a_peer_may_be_said_in_a_word() {
    let peer = |json: &str| serde_json::from_str::<PeerFact>(json).unwrap();
    assert_eq!(peer("false").reached, Some(false));
    assert_eq!(peer(r#""10.8.0.9 answers""#).says.as_deref(), Some("10.8.0.9 answers"));
    let whole = seen().peer.unwrap();
    assert_eq!(peer(&serde_json::to_string(&whole).unwrap()), whole);
}
