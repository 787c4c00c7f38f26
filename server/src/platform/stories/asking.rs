//! When a machine is asked after, and what is refused before that.

use super::*;

#[tokio::test]
async fn power_is_asked_for_only_while_it_is_of_use() {
    let rented = Rented::new().await;
    rented.armed(1, &[], json!({"power": "reboot"})).await;
    rented
        .provider
        .change(&device(1), |machine| "inactive".clone_into(&mut machine.state));
    rented.settle(1).await;
    assert_eq!(rented.machine(1).actions, ["power_on"]);

    rented.armed(2, &[], json!({"power": "reboot"})).await;
    rented
        .provider
        .change(&device(2), |machine| "powering_off".clone_into(&mut machine.state));
    rented.settle(2).await;
    assert_eq!(rented.machine(2).actions, Vec::<String>::new(), "it is on its way");
    rented.site.script(2).await;
    rented
        .provider
        .change(&device(2), |machine| "active".clone_into(&mut machine.state));
    rented.settle(2).await;
    assert_eq!(rented.machine(2).actions, Vec::<String>::new(), "it came by itself");

    rented.armed(3, &[], json!({"power": "reboot"})).await;
    rented
        .site
        .api_post("/api/v1/hosts/a3/hold", &json!({"reason": "a fan"}))
        .await;
    rented.settle(3).await;
    assert_eq!(rented.machine(3).actions, Vec::<String>::new(), "the brake is on");
    rented.site.api_post("/api/v1/hosts/a3/release", &json!({})).await;
    rented.settle(3).await;
    assert_eq!(rented.machine(3).actions, ["reboot"]);
    assert_eq!(rented.site.state("a3").await.run.unwrap().number, RunNumber(1));
    rented.is_well_behaved();
}

#[tokio::test]
async fn power_that_nobody_can_be_asked_for_is_refused_by_name() {
    let rented = Rented::new().await;
    rented.site.host("a1", 1).await;
    rented
        .site
        .host_with("a2", 2, json!({"platform": "equinix-metal"}))
        .await;
    rented.host(3, &[]).await;
    for (n, more, says) in [
        (1, json!({"power": "reboot"}), "platform metal has nobody to ask"),
        (2, json!({"power": "reboot"}), "set provider.device"),
        (3, json!({"power": "reinstall", "inspect": true}), "expected reboot"),
    ] {
        let reply = rented.arm(n, more).await;
        assert_eq!(
            reply.problem(),
            (422, "malformed".into(), "power".into()),
            "{}",
            reply.text()
        );
        assert!(reply.text().contains(says), "{}", reply.text());
    }
    std::fs::remove_file(rented.folder.path().join("token")).unwrap();
    let reply = rented.arm(3, json!({"power": "reboot"})).await;
    assert_eq!(reply.problem().2, "power");
    assert!(rented.site.state("a3").await.run.is_none());
}

#[tokio::test]
async fn a_machine_at_its_provider_is_one_host_only_and_only_where_there_is_one() {
    let rented = Rented::new().await;
    rented.host(1, &[]).await;
    let add = |name: &'static str, n: u8, more: Value| {
        let mut host = TestApp::described(name, n);
        for (key, value) in more.as_object().unwrap() {
            host[key] = value.clone();
        }
        host
    };
    for (more, status, kind, field) in [
        (
            json!({"platform": "equinix-metal", "provider": {"device": device(1).to_uppercase()}}),
            409,
            "already-taken",
            "provider.device",
        ),
        (
            json!({"platform": "equinix-metal", "network": {"uplink": {"method": "metadata"}}}),
            422,
            "malformed",
            "network.uplink.method",
        ),
        (
            json!({"platform": "metal", "provider": {"device": device(5)}}),
            422,
            "malformed",
            "provider",
        ),
        (
            json!({"platform": "equinix-metal", "provider": {"device": "../../projects/x"}}),
            422,
            "malformed",
            "provider.device",
        ),
        (
            json!({"platform": "equinix-metal", "provider": {"device": device(5), "metadta": true}}),
            422,
            "malformed",
            "provider.metadta",
        ),
    ] {
        let reply = rented.site.api_post("/api/v1/hosts", &add("b5", 5, more)).await;
        assert_eq!(reply.problem(), (status, kind.into(), field.into()), "{}", reply.text());
    }
    let shown = rented.site.api_get("/api/v1/hosts/a1").await.json();
    assert_eq!(shown["provider"], json!({"device": device(1), "metadata": false}));
}

/// A mistyped id names somebody else's machine: it is neither changed nor started, whatever was armed.
#[tokio::test]
async fn a_machine_with_none_of_the_hosts_macs_is_left_alone() {
    let rented = Rented::new().await;
    let other: Change = |machine| machine.macs = vec!["52:54:00:99:99:01".to_owned(), "52:54:00:99:99:02".to_owned()];
    let its: Change = |machine| machine.macs[1] = "52:54:00:00:00:01".to_owned();
    rented.host(1, &[1000]).await;
    rented.provider.change(&device(1), other);
    rented.arm(1, json!({"power": "reinstall"})).await;
    let before = rented.machine(1);
    assert_eq!(rented.settle(1).await, Came::Trouble);
    assert_eq!(rented.trouble(1).await.as_deref(), Some("other-machine"));
    let says = rented.told(1).await["trouble"]["says"].as_str().unwrap().to_owned();
    assert_eq!(
        says,
        "its ports are 52:54:00:99:99:01, 52:54:00:99:99:02, and none of them is the host's"
    );
    let after = rented.machine(1);
    assert_eq!(
        (after.actions.len(), after.always_pxe, after.port.vlans),
        (0, before.always_pxe, before.port.vlans)
    );
    rented.provider.change(&device(1), its);
    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!(rented.machine(1).actions, ["reinstall"]);
    assert_eq!(rented.trouble(1).await, None);
    rented.is_well_behaved();
}

#[tokio::test]
async fn a_machine_is_looked_at_when_it_is_due_or_when_something_is_wanted_of_it() {
    let rented = Rented::new().await;
    rented.host(1, &[]).await;
    rented.site.host("other", 2).await;
    let (app, mut due) = (&rented.site.app, HashMap::new());
    pass(app, &mut due, false).await;
    let asked = rented.provider.asked().len();
    assert!(
        asked > 0 && due.len() == 1,
        "nobody is asked about a machine that stands at no provider"
    );
    pass(app, &mut due, false).await;
    pass(app, &mut due, true).await;
    assert_eq!(
        rented.provider.asked().len(),
        asked,
        "nothing is due, and nothing is wanted"
    );
    rented.arm(1, json!({})).await;
    pass(app, &mut due, true).await;
    assert!(rented.machine(1).always_pxe);
    rented.site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
    rented.site.api_post("/api/v1/hosts/a1/retire", &json!({})).await;
    pass(app, &mut due, true).await;
    assert!(due.is_empty(), "what is out of service is nobody's to ask for");
}

/// A pass looks at a few. A nudge is for all of them, and trouble that lasts keeps nobody waiting.
#[tokio::test]
async fn one_nudge_is_enough_for_all_that_were_armed() {
    let rented = Rented::new().await;
    let app = &rented.site.app;
    let mut due = HashMap::new();
    for n in 1..=7 {
        rented.host(n, &[]).await;
        while pass(app, &mut due, false).await.is_some() {}
    }
    for n in 1..=7 {
        assert_eq!(rented.arm(n, json!({"power": "reboot"})).await.status, 200);
    }
    let mut again = pass(app, &mut due, true).await;
    while again.is_some_and(|then| then <= Instant::now()) {
        again = pass(app, &mut due, false).await;
    }
    for n in 1..=7 {
        assert!(rented.machine(n).always_pxe, "a{n} was not looked at");
    }
    rented.is_well_behaved();
}
