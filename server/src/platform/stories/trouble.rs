//! What goes wrong at the provider, and what is told of it.

use super::*;

#[tokio::test]
async fn a_bad_minute_at_the_provider_is_ridden_out() {
    let rented = Rented::new().await;
    rented.armed(1, &[1000], json!({"power": "reboot"})).await;
    rented
        .provider
        .fail_next([Fault::Status(502), Fault::Slow { ms: 500 }, Fault::Status(503)]);
    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!(rented.machine(1).actions, ["reboot"]);
    assert_eq!(rented.trouble(1).await, None);
    rented.is_well_behaved();
}

#[tokio::test]
async fn whatever_goes_wrong_ends_in_a_clear_state_with_advice() {
    let stays = |fault: Fault| vec![fault; 8];
    let elsewhere = FakeEquinix::start("another").await.unwrap();
    for (faults, kind, says) in [
        (
            stays(Fault::Status(500)),
            TroubleKind::Unreachable,
            "was answered with 500",
        ),
        (
            stays(Fault::Slow { ms: 700 }),
            TroubleKind::Unreachable,
            "it takes too long",
        ),
        (stays(Fault::Garbage), TroubleKind::Unreachable, "cannot be read"),
        (
            stays(Fault::Redirect(elsewhere.url().to_owned())),
            TroubleKind::Unreachable,
            "302",
        ),
        (stays(Fault::Status(403)), TroubleKind::TokenRefused, "403"),
        (
            stays(Fault::Status(404)),
            TroubleKind::DeviceNotFound,
            "knows no device",
        ),
        (
            stays(Fault::Status(422)),
            TroubleKind::Refused,
            "422: something is broken",
        ),
    ] {
        let rented = Rented::new().await;
        rented.armed(1, &[], json!({"power": "reboot"})).await;
        rented.provider.fail_next(faults);
        assert_eq!(rented.look(1).await, Came::Trouble, "{says}");
        assert_eq!(rented.trouble(1).await.as_deref(), Some(kind.as_str()));
        let said = rented.told(1).await["trouble"]["says"].as_str().unwrap().to_owned();
        assert!(said.contains(says), "{said}");
        assert_eq!(rented.machine(1).actions, Vec::<String>::new());
        // And it is over by itself.
        let mut came = Came::Trouble;
        for _ in 0..9 {
            came = rented.look(1).await;
        }
        assert_eq!((came, rented.trouble(1).await), (Came::Open, None), "{says}");
        assert_eq!(rented.machine(1).actions, ["reboot"]);
        let logged = rented.logged(1).await.join("\n");
        assert!(
            logged.contains(kind.as_str()) && logged.contains("all is well again"),
            "{logged}"
        );
    }
    assert_eq!(elsewhere.asked(), Vec::<String>::new(), "the token goes nowhere else");
}

#[tokio::test]
async fn a_limit_is_kept_to() {
    let rented = Rented::new().await;
    rented.armed(1, &[], json!({})).await;
    rented.provider.fail_next([Fault::TooMany { after_s: 3600 }]);
    assert_eq!(rented.look(1).await, Came::Trouble);
    assert_eq!(rented.trouble(1).await.as_deref(), Some("rate-limited"));
    let asked = rented.provider.asked().len();
    rented.look(1).await;
    assert_eq!(
        rented.provider.asked().len(),
        asked,
        "nothing is asked until its time has come"
    );
}

#[tokio::test]
async fn a_token_that_is_replaced_is_used_without_a_restart() {
    let rented = Rented::new().await;
    rented.armed(1, &[], json!({})).await;
    rented.provider.take_only("equinix-the-next");
    assert_eq!(rented.look(1).await, Came::Trouble);
    assert_eq!(rented.trouble(1).await.as_deref(), Some("token-refused"));
    let file = rented.folder.path().join("token");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(rented.look(1).await, Came::Trouble);
    assert_eq!(rented.trouble(1).await.as_deref(), Some("no-token"));
    write_private(&file, b"equinix-the-next\n").unwrap();
    assert_eq!(rented.look(1).await, Came::Open);
    assert_eq!(rented.trouble(1).await, None);
    rented.is_well_behaved();
}

#[tokio::test]
async fn a_batch_that_is_half_done_is_told_and_done_again() {
    let rented = Rented::new().await;
    rented.armed(1, &[1000, 1001, 1002], json!({"power": "reboot"})).await;
    rented.provider.half_do_batches(true);
    assert_eq!(rented.settle(1).await, Came::Trouble);
    assert_eq!(rented.trouble(1).await.as_deref(), Some("vlans-failed"));
    let told = rented.told(1).await;
    assert_eq!(told["vlans"], json!([1000]));
    let says = told["trouble"]["says"].as_str().unwrap();
    assert!(says.contains("VLAN 1001 could not be assigned"), "{says}");
    assert_eq!(
        rented.machine(1).actions,
        Vec::<String>::new(),
        "no machine starts without its VLANs"
    );
    // Once more, and the same: it is told once.
    let logged = rented.logged(1).await;
    rented.site.wait(1);
    assert_eq!(rented.settle(1).await, Came::Trouble);
    assert_eq!(rented.told(1).await["trouble"]["since"], told["trouble"]["since"]);
    assert_eq!(rented.logged(1).await, logged);
    rented.provider.half_do_batches(false);
    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!(rented.told(1).await["vlans"], json!([1000, 1001, 1002]));
    assert_eq!(rented.trouble(1).await, None);
    assert_eq!(rented.machine(1).actions, ["reboot"]);
    rented.is_well_behaved();
}

#[tokio::test]
async fn a_batch_under_way_is_waited_for_after_a_restart() {
    let rented = Rented::new().await;
    rented.armed(1, &[1000], json!({})).await;
    // Nobody can look at the batch: it is queued, and stays so.
    rented.provider.fail_at("000000000001", Some(Fault::Status(500)));
    assert_eq!(rented.settle(1).await, Came::Trouble);
    let rented = rented.restarted().await;
    rented.provider.fail_at("", None);
    assert_eq!(rented.settle(1).await, Came::Open);
    assert!(rented.machine(1).port.vlans.contains(&1000));
    assert_eq!(rented.provider.count("POST /ports"), 1);
    rented.is_well_behaved();
}

#[tokio::test]
async fn ports_that_cannot_carry_vlans_and_vlans_that_are_not_there_are_named() {
    let rented = Rented::new().await;
    let unfit: [(Change, &str); 3] = [
        (
            |machine| "layer2-bonded".clone_into(&mut machine.port.network_type),
            "its network is layer2-bonded",
        ),
        (|machine| machine.port.is_bonded = false, "its ports are not bonded"),
        (|machine| machine.network_frozen = true, "its network is frozen"),
    ];
    for (n, (change, says)) in (1..).zip(unfit) {
        rented.armed(n, &[1000], json!({})).await;
        rented.provider.change(&device(n), change);
        assert_eq!(rented.look(n).await, Came::Trouble);
        assert_eq!(rented.trouble(n).await.as_deref(), Some("port-unfit"));
        let told = rented.told(n).await;
        assert!(told["trouble"]["says"].as_str().unwrap().contains(says), "{told}");
    }
    rented.provider.add(&device(9), "http://old.example/script", &[]);
    rented.site.host_with("a9", 9, Rented::described(9, &[3999])).await;
    rented.arm(9, json!({})).await;
    assert_eq!(rented.settle(9).await, Came::Trouble);
    assert_eq!(rented.trouble(9).await.as_deref(), Some("vlans-failed"));
    let told = rented.told(9).await;
    assert!(
        told["trouble"]["says"]
            .as_str()
            .unwrap()
            .contains("VLAN 3999 was not found"),
        "{told}"
    );
    rented.is_well_behaved();
}
