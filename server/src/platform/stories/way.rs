//! From arming to installed.

use super::*;

#[tokio::test]
async fn arming_brings_a_machine_to_its_network_boot_with_its_vlans() {
    let rented = Rented::new().await;
    let mut spec = Rented::described(1, &[1000, 1001]);
    spec["known_by"] = "key".into();
    rented
        .provider
        .add(&device(1), "http://old.example/script", &[1000, 1001]);
    rented.site.host_with("a1", 1, spec).await;
    assert_eq!(rented.look(1).await, Came::Quiet);
    assert!(
        rented.provider.asked().iter().all(|line| line.starts_with("GET ")),
        "nobody armed it"
    );

    assert_eq!(rented.arm(1, json!({"power": "reboot"})).await.status, 200);
    assert_eq!(rented.look(1).await, Came::Step);
    assert_eq!(rented.provider.count("POST"), 0, "whose VLANs they are is kept first");
    assert_eq!(rented.look(1).await, Came::Step);
    let machine = rented.machine(1);
    assert!(machine.always_pxe && machine.port.vlans.len() == 2);
    assert_eq!(
        machine.actions,
        Vec::<String>::new(),
        "VLANs come first, and the host is read again before its power"
    );
    assert_eq!(rented.settle(1).await, Came::Open);
    let machine = rented.machine(1);
    assert_eq!(machine.actions, ["reboot"]);
    let url = rented.site.api_get("/api/v1/hosts/a1/boot-url").await.json()["url"].clone();
    assert_eq!(machine.ipxe_script_url, url.as_str().unwrap());

    let rented = rented.restarted().await;
    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!(rented.machine(1).actions, ["reboot"], "once, whatever is started again");
    let told = rented.told(1).await;
    assert_eq!(
        (&told["netboot"], &told["vlans"], &told["powered_run"]),
        (&json!(true), &json!([1000, 1001]), &json!(1))
    );
    assert_eq!(rented.provider.count("POST /ports"), 1);
    assert_eq!(rented.trouble(1).await, None);
    rented.is_well_behaved();
    // Neither the token nor the URL that it boots from is in what is kept or told.
    let kept = format!(
        "{:?}{told}{:?}",
        rented.site.state("a1").await.observed,
        rented.logged(1).await
    );
    assert!(!kept.contains(TOKEN) && !kept.contains("tb_boot_"), "{kept}");
}

#[tokio::test]
async fn the_network_boot_ends_when_the_machine_is_installed_or_its_run_touched_nothing() {
    let rented = Rented::new().await;
    rented.provider.add(&device(1), "http://old.example/script", &[]);
    let host = rented.site.host_with("a1", 1, Rented::described(1, &[])).await.id;
    rented.arm(1, json!({})).await;
    rented.look(1).await;
    rented.site.script(1).await;
    rented.site.tell(host, Purpose::Live, 1, "live", json!({})).await;
    let claim = TestApp::claim(1, 1);
    let granted = rented
        .site
        .post("/v1/claim", &rented.site.secret(Purpose::Live, host, 1), &claim)
        .await;
    assert_eq!(granted.status, 200, "{}", granted.text());
    rented.look(1).await;
    assert!(
        rented.machine(1).always_pxe,
        "a power cut in mid-install must find the live system again"
    );
    rented.site.tell(host, Purpose::Live, 2, "installed", json!({})).await;
    rented.look(1).await;
    assert!(!rented.machine(1).always_pxe);
    assert_eq!(
        rented.machine(1).actions,
        Vec::<String>::new(),
        "nobody asked for power"
    );

    rented.armed(2, &[], json!({})).await;
    rented.look(2).await;
    assert!(rented.machine(2).always_pxe);
    rented.site.api_post("/api/v1/hosts/a2/cancel", &json!({})).await;
    rented.look(2).await;
    assert!(!rented.machine(2).always_pxe);
    rented.is_well_behaved();
}

#[tokio::test]
async fn what_the_provider_calls_active_moves_nothing() {
    let rented = Rented::new().await;
    rented.armed(1, &[], json!({"power": "reinstall"})).await;
    rented.settle(1).await;
    assert_eq!(rented.machine(1).actions, ["reinstall"]);
    // Left alone while it is on its way.
    rented.settle(1).await;
    assert_eq!(rented.machine(1).actions.len(), 1);
    assert!(rented.provider.boots(&device(1)).is_some());
    rented.look(1).await;
    assert_eq!(rented.told(1).await["state"], "active");
    let shown = rented.site.api_get("/api/v1/hosts/a1").await.json();
    assert_eq!(
        (&shown["run"]["stage"], &shown["diagnosis"]),
        (&json!("armed"), &json!(null))
    );
    let logged = rented.logged(1).await;
    assert!(
        logged.iter().any(|line| line.contains("device is active")),
        "{logged:?}"
    );
    rented.is_well_behaved();
}

#[tokio::test]
async fn events_are_told_once_whatever_is_started_again() {
    let rented = Rented::new().await;
    rented.host(1, &[]).await;
    let at = |n: i64| Timestamp::from_second(1_790_000_000 + n).unwrap();
    for n in 0..30 {
        rented
            .provider
            .happens(&device(1), "instance.note", &format!("note {n}"), at(n));
    }
    rented.look(1).await;
    let first = rented.logged(1).await;
    assert_eq!(first.len(), 20, "the latest of what happened before");
    assert!(
        first[0].contains("note 10") && first[19].contains("note 29"),
        "{first:?}"
    );

    rented.provider.happens(
        &device(1),
        "instance.note",
        "see tb_boot_abcdefgh\nand\u{7} more",
        at(40),
    );
    let rented = rented.restarted().await;
    rented.look(1).await;
    rented.look(1).await;
    let logged = rented.logged(1).await;
    assert_eq!(logged.len(), 21);
    assert!(
        logged[20].starts_with("instance.note: see tb_boot_[redacted] and more at "),
        "{}",
        logged[20]
    );
    // Another server's clock, or a late word.
    rented.provider.happens(&device(1), "instance.note", "late", at(35));
    rented.look(1).await;
    assert_eq!(rented.logged(1).await.len(), 22);
    rented.is_well_behaved();
}
