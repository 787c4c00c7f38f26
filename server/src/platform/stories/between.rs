//! What changes between a look and the power that follows it.

use super::*;

impl Rented {
    /// Host `a<n>`, known by its key, armed with power and held until everything but that is as it should be.
    async fn one_look_before_power(&self, n: u8, power: &str) {
        self.provider.add(&device(n), "http://old.example/script", &[1000]);
        let mut host = Self::described(n, &[1000]);
        host["known_by"] = "key".into();
        self.site.host_with(&format!("a{n}"), n, host).await;
        assert_eq!(self.arm(n, json!({"power": power})).await.status, 200);
        let hold = json!({"reason": "a fan"});
        self.site.api_post(&format!("/api/v1/hosts/a{n}/hold"), &hold).await;
        assert_eq!(self.settle(n).await, Came::Open);
        self.site
            .api_post(&format!("/api/v1/hosts/a{n}/release"), &json!({}))
            .await;
    }
}

/// Whatever was found to be in place is found again right before the machine starts, or is put in place first.
#[tokio::test]
async fn no_machine_starts_without_what_somebody_took_away_since_the_look() {
    let rented = Rented::new().await;
    let changes: [Change; 3] = [
        |machine| machine.always_pxe = false,
        |machine| "http://mine.example/script".clone_into(&mut machine.ipxe_script_url),
        |machine| machine.port.vlans.clear(),
    ];
    for (n, change) in (1..).zip(changes) {
        rented.one_look_before_power(n, "reboot").await;
        // The last thing that a look reads.
        rented.provider.meanwhile("/events", &device(n), change);
        assert_eq!(rented.look(n).await, Came::Open);
        assert_eq!(rented.machine(n).actions, Vec::<String>::new(), "change {n}");
        assert_eq!(rented.settle(n).await, Came::Open);
        let machine = rented.machine(n);
        assert_eq!(machine.actions, ["reboot"]);
        let url = rented.site.api_get(&format!("/api/v1/hosts/a{n}/boot-url")).await;
        assert_eq!(
            (
                machine.always_pxe,
                json!(machine.ipxe_script_url),
                machine.port.vlans.len()
            ),
            (true, url.json()["url"].clone(), 1)
        );
        assert_eq!(rented.trouble(n).await, None);
    }
    rented.is_well_behaved();
}

/// The provider itself refuses what its machine's state does not allow: nothing was done, and it is decided on anew.
#[tokio::test]
async fn a_state_that_changed_as_power_was_asked_for_is_told_and_looked_at_anew() {
    let rented = Rented::new().await;
    for (n, power, state) in [
        (1, "reboot", "deprovisioning"),
        (2, "reboot", "inactive"),
        (3, "reinstall", "reinstalling"),
    ] {
        rented.one_look_before_power(n, power).await;
        let change: Change = match n {
            1 => |machine| "deprovisioning".clone_into(&mut machine.state),
            2 => |machine| "inactive".clone_into(&mut machine.state),
            _ => |machine| "reinstalling".clone_into(&mut machine.state),
        };
        rented.provider.meanwhile("/actions", &device(n), change);
        assert_eq!(rented.look(n).await, Came::Trouble, "{state}");
        assert_eq!(rented.trouble(n).await.as_deref(), Some("refused"));
        let says = rented.told(n).await["trouble"]["says"].as_str().unwrap().to_owned();
        assert!(says.contains(&format!("while the device is {state}")), "{says}");
        assert_eq!(rented.machine(n).actions, Vec::<String>::new());
        let then: &[&str] = if state == "inactive" { &["power_on"] } else { &[] };
        assert_eq!(rented.settle(n).await, Came::Open);
        assert_eq!(rented.machine(n).actions, then, "left alone while it is on its way");
        assert_eq!(rented.trouble(n).await, None);
    }
    rented.is_well_behaved();
}

/// What was read of the first machine is nobody's any more, and the second one gets all it needs before it starts.
#[tokio::test]
async fn a_host_that_names_another_machine_meanwhile_has_that_one_powered() {
    let rented = Rented::new().await;
    rented.one_look_before_power(1, "reinstall").await;
    rented.provider.add(&device(2), "http://old.example/script", &[1000]);
    rented.provider.happens(
        &device(1),
        "instance.note",
        "of the first",
        Timestamp::from_second(1_799_000_000).unwrap(),
    );
    rented.provider.fail_at("/events", Some(Fault::Slow { ms: 60_000 }));
    let heard = rented.provider.count("GET /devices");
    let names = async {
        rented.provider.heard("GET /devices", heard + 2).await;
        rented.is_now(1, &json!({"provider": {"device": device(2)}})).await;
        rented.provider.fail_at("", None);
    };
    let (came, ()) = tokio::join!(rented.look(1), names);
    assert_eq!(came, Came::Open);
    assert_eq!(rented.provider.count("POST /devices"), 0);
    assert_eq!(rented.logged(1).await.len(), 0, "what was said of another machine");

    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!(rented.machine(1).actions, Vec::<String>::new());
    let second = rented.machine(2);
    assert_eq!(second.actions, ["reinstall"]);
    assert!(second.always_pxe && second.port.vlans.contains(&1000));
    rented.is_well_behaved();
}
