//! Power whose answer is lost: asked for once, looked for afterwards.

use super::*;

impl Rented {
    /// How often power was asked for.
    fn asked_for_power(&self) -> usize {
        self.provider.count("POST /devices")
    }

    /// Arms `a<n>` with power and looks at it while requests for power are answered so.
    async fn powered_into(&self, n: u8, power: &str, fault: Fault) -> Came {
        self.armed(n, &[], json!({"power": power})).await;
        self.provider.fail_at("/actions", Some(fault));
        let came = self.settle(n).await;
        self.provider.fail_at("", None);
        came
    }
}

/// What leaves it open whether the machine was powered, all but the first without having done it.
fn unclear() -> [Fault; 4] {
    [Fault::Lost, Fault::Status(502), Fault::Slow { ms: 700 }, Fault::Garbage]
}

/// What says that nothing was done.
fn clear() -> [Fault; 4] {
    [
        Fault::Status(422),
        Fault::Status(403),
        Fault::TooMany { after_s: 0 },
        Fault::Redirect("http://127.0.0.1:9/".to_owned()),
    ]
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_found_to_be_carried_out_and_not_made_again() {
    for power in ["reboot", "reinstall"] {
        let rented = Rented::new().await;
        assert_eq!(rented.powered_into(1, power, Fault::Lost).await, Came::Trouble);
        assert_eq!(rented.trouble(1).await.as_deref(), Some("power-uncertain"));
        let rented = rented.restarted().await;
        assert_eq!(rented.settle(1).await, Came::Open);
        assert_eq!(rented.trouble(1).await, None);
        assert_eq!(rented.told(1).await["powered_run"], 1);
        rented.settle(1).await;
        assert_eq!(rented.machine(1).actions, [power]);
        assert_eq!(rented.asked_for_power(), 1);
        rented.is_well_behaved();
    }
}

#[tokio::test]
async fn a_request_that_left_no_sign_is_not_made_again_and_a_person_is_told() {
    for fault in unclear().into_iter().skip(1) {
        let rented = Rented::new().await;
        assert_eq!(
            rented.powered_into(1, "reinstall", fault.clone()).await,
            Came::Trouble,
            "{fault:?}"
        );
        let rented = rented.restarted().await;
        for _ in 0..3 {
            assert_eq!(rented.settle(1).await, Came::Trouble);
        }
        assert_eq!(rented.trouble(1).await.as_deref(), Some("power-uncertain"), "{fault:?}");
        assert_eq!(rented.asked_for_power(), 1);
        // What is told of other things is no sign.
        rented
            .provider
            .happens(&device(1), "instance.note", "a reboot was asked for", later());
        assert_eq!(rented.settle(1).await, Came::Trouble);
        // Somebody does it by hand.
        rented
            .provider
            .happens(&device(1), "instance.reboot", "by hand", later());
        assert_eq!(rented.settle(1).await, Came::Open);
        assert_eq!((rented.trouble(1).await, rented.asked_for_power()), (None, 1));
    }
}

fn later() -> Timestamp {
    Timestamp::from_second(1_799_000_000).unwrap()
}

#[tokio::test]
async fn arming_again_asks_again() {
    let rented = Rented::new().await;
    rented.powered_into(1, "reboot", Fault::Status(503)).await;
    rented.site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
    assert_eq!(rented.settle(1).await, Came::Quiet);
    assert_eq!(rented.trouble(1).await, None);
    assert_eq!(rented.arm(1, json!({"power": "reboot"})).await.status, 200);
    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!(rented.machine(1).actions, ["reboot"]);
    assert_eq!(rented.told(1).await["powered_run"], 2);
}

#[tokio::test]
async fn a_machine_that_came_all_the_same_ends_the_doubt() {
    let rented = Rented::new().await;
    rented.powered_into(1, "reboot", Fault::Status(503)).await;
    rented.site.script(1).await;
    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!((rented.trouble(1).await, rented.asked_for_power()), (None, 1));
}

/// Whatever two looks meet, and a restart after them: never twice, and once where it was told that nothing was done.
#[tokio::test]
async fn no_machine_is_powered_twice_in_a_run() {
    let mut rented = Rented::new().await;
    let faults: Vec<Fault> = unclear().into_iter().chain(clear()).collect();
    let mut meant = Vec::new();
    let mut n = 0;
    for first in &faults {
        for second in &faults {
            n += 1;
            let power = if n % 2 == 0 { "reboot" } else { "reinstall" };
            rented.powered_into(n, power, first.clone()).await;
            rented.provider.fail_at("/actions", Some(second.clone()));
            rented.settle(n).await;
            rented.provider.fail_at("", None);
            let is_open = |fault: &Fault| unclear().contains(fault) && *fault != Fault::Lost;
            // The first doubt is the last request; whatever was refused before it was nothing.
            let is_lost = is_open(first) || !unclear().contains(first) && is_open(second);
            meant.push((n, usize::from(!is_lost), format!("{first:?}, then {second:?}")));
        }
    }
    rented = rented.restarted().await;
    for (n, times, how) in meant {
        rented.settle(n).await;
        rented.settle(n).await;
        assert_eq!(rented.machine(n).actions.len(), times, "{how}");
    }
    rented.is_well_behaved();
}

#[tokio::test]
async fn a_hold_during_a_look_is_heeded() {
    let rented = Rented::new().await;
    rented.armed(1, &[], json!({"power": "reboot"})).await;
    // The look's last question is not answered before the brake is on.
    rented.provider.fail_at("/events", Some(Fault::Slow { ms: 60_000 }));
    let holds = async {
        rented.provider.heard("GET /devices", 2).await;
        let reply = rented
            .site
            .api_post("/api/v1/hosts/a1/hold", &json!({"reason": "a fan"}))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        rented.provider.fail_at("", None);
    };
    let (came, ()) = tokio::join!(rented.look(1), holds);
    assert_eq!((came, rented.trouble(1).await), (Came::Open, None));
    assert_eq!(rented.asked_for_power(), 0);
    rented.site.api_post("/api/v1/hosts/a1/release", &json!({})).await;
    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!(rented.machine(1).actions, ["reboot"]);
    assert_eq!(rented.asked_for_power(), 1);
}

#[tokio::test]
async fn a_request_that_is_refused_over_and_over_is_one_trouble() {
    let rented = Rented::new().await;
    rented.powered_into(1, "reboot", Fault::Status(422)).await;
    let first = rented.told(1).await["trouble"].clone();
    let logged = rented.logged(1).await;
    rented.provider.fail_at("/actions", Some(Fault::Status(422)));
    for _ in 0..2 {
        rented.site.wait(1);
        assert_eq!(rented.look(1).await, Came::Trouble);
        assert_eq!(rented.told(1).await["trouble"], first, "since then, and the same");
    }
    assert_eq!(rented.asked_for_power(), 3);
    assert_eq!(rented.logged(1).await, logged);
    let lines = |words: &str| logged.iter().filter(|line| line.starts_with(words)).count();
    assert_eq!(
        (
            lines("the provider is being asked"),
            lines("the provider did not take"),
            lines("trouble at the provider")
        ),
        (1, 1, 1),
        "{logged:#?}"
    );
    // Nothing is asked of a machine that is on its way: nothing is refused then.
    rented
        .provider
        .change(&device(1), |machine| "powering_off".clone_into(&mut machine.state));
    assert_eq!((rented.look(1).await, rented.trouble(1).await), (Came::Open, None));
    rented
        .provider
        .change(&device(1), |machine| "active".clone_into(&mut machine.state));
    rented.provider.fail_at("", None);
    assert_eq!(rented.settle(1).await, Came::Open);
    assert_eq!(rented.trouble(1).await, None);
    assert_eq!(rented.machine(1).actions, ["reboot"]);
}
