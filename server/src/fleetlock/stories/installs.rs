//! One budget: a new install of a machine that was ready takes its slot before its claim is granted.

use serde_json::json;
use thirdboot_lifecycle::{RunNumber, SlotState};
use thirdboot_store::Submission;

use super::fake::FakeNodes;
use super::site::refused;
use crate::secrets::Purpose;
use crate::testing::{BOOT_ID, Reply, TestApp};

impl TestApp {
    /// A ready host is armed again, and its live system is up.
    pub(super) async fn live_again(&self, name: &str, n: u8) {
        assert_eq!(self.arm(name).await.status, 200);
        self.script(n).await;
        let id = self.state(name).await.id;
        let report = json!({"run": 2, "boot_id": BOOT_ID, "seq": 1, "event": "live"});
        let reply = self
            .post("/v1/report", &self.secret(Purpose::Live, id, 2), &report)
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// A second install that claimed its disk goes on to a report.
    async fn goes_on(&self, name: &str, to: &str) {
        let state = self.state(name).await;
        let reached = state.run.unwrap().stage.as_str();
        let reports = [
            ("installed", Purpose::Live, 1, json!({})),
            ("first-boot", Purpose::Host, 2, json!({"deployment": "base"})),
            ("layered", Purpose::Host, 2, json!({"deployment": "new"})),
            ("layered-boot", Purpose::Host, 3, json!({"deployment": "new"})),
            ("network", Purpose::Host, 3, json!({"addresses": ["192.0.2.10/24"]})),
            ("ready", Purpose::Host, 3, json!({})),
        ];
        let done = reports
            .iter()
            .position(|report| report.0 == reached)
            .map_or(0, |at| at + 1);
        for (seq, (event, purpose, boot, facts)) in (2..).zip(reports).skip(done) {
            let boot_id = format!("3f2a0000-0000-4000-8000-0000000000{boot:02}");
            if event == "ready" && state.host.role.joins() {
                let (run, boot_id) = (RunNumber(2), boot_id.parse().unwrap());
                let join = Submission::JoinHandedOut { run, boot_id };
                self.app.store.submit(state.id, join).await.unwrap();
            }
            let report = json!({"run": 2, "boot_id": boot_id, "seq": seq, "event": event, "facts": facts});
            let secret = self.secret(purpose, state.id, 2);
            let reply = self.post("/v1/report", &secret, &report).await;
            assert_eq!(reply.status, 200, "{event}: {}", reply.text());
            if event == to {
                return;
            }
        }
    }

    pub(super) async fn claims(&self, name: &str, n: u8, run: u32) -> Reply {
        let id = self.state(name).await.id;
        self.post("/v1/claim", &self.secret(Purpose::Live, id, run), &Self::claim(n, run))
            .await
    }
}

#[tokio::test]
async fn a_first_install_needs_no_slot() {
    let site = TestApp::new().await;
    site.ready("a1", 1, json!({})).await;
    assert_eq!(site.pre_reboot("a1").await.status, 200);
    site.armed("a2", 2).await;
    site.script(2).await;
    let id = site.state("a2").await.id;
    site.tell(id, Purpose::Live, 1, "live", json!({})).await;
    assert_eq!(site.claims("a2", 2, 1).await.status, 200);
    assert_eq!(site.holders().await, ["a1"]);
}

#[tokio::test]
async fn a_new_install_waits_for_its_slot_and_says_what_for() {
    let site = TestApp::new().await;
    site.ready("a1", 1, json!({})).await;
    site.ready("a2", 2, json!({})).await;
    site.pre_reboot("a1").await;
    site.live_again("a2", 2).await;
    for _ in 0..2 {
        let waits = site.claims("a2", 2, 2).await;
        assert_eq!(waits.problem().0, 503);
        assert_eq!(waits.header("retry-after"), "15");
        let detail = "this new install would disrupt too much: the slot of runner is held by a1";
        assert_eq!(waits.json()["detail"], detail);
    }
    let shown = site.api_get("/api/v1/hosts/a2").await.json();
    assert_eq!(
        (&shown["run"]["stage"], &shown["diagnosis"]["cause"]),
        (&json!("live"), &json!("waiting-for-turn"))
    );
    let events = site.api_get("/api/v1/hosts/a2/events?limit=1000").await.text();
    assert_eq!(events.matches("\"claim-waits\"").count(), 1, "{events}");
    site.steady_state("a1").await;
    assert_eq!(site.claims("a2", 2, 2).await.status, 200);
    assert_eq!(refused(&site.pre_reboot("a1").await).1, "slots_held");
    // A power cut and another claim later it is the same slot.
    site.round().await;
    assert_eq!(site.claims("a2", 2, 2).await.status, 200);
    assert_eq!(site.holders().await, ["a2"]);
}

#[tokio::test]
async fn the_slot_is_given_back_when_the_new_system_is_ready_or_nothing_came_of_it() {
    let site = TestApp::new().await;
    site.ready("a1", 1, json!({})).await;
    site.live_again("a1", 1).await;
    assert_eq!(site.claims("a1", 1, 2).await.status, 200);
    site.round().await;
    assert_eq!(site.place("a1").await, SlotState::Granted);
    // The old system's word does not release it, whoever says it.
    assert_eq!(refused(&site.steady_state("a1").await).1, "node_not_ready");
    for (event, held) in [("first-boot", 1), ("layered-boot", 1), ("ready", 0)] {
        site.goes_on("a1", event).await;
        site.round().await;
        assert_eq!(site.holders().await.len(), held, "{event}");
    }

    site.ready("a2", 2, json!({})).await;
    site.live_again("a2", 2).await;
    let mut wrong = TestApp::claim(2, 2);
    wrong["disks"] = json!([]);
    site.post(
        "/v1/claim",
        &site.secret(Purpose::Live, site.state("a2").await.id, 2),
        &wrong,
    )
    .await;
    assert_eq!(
        site.holders().await,
        Vec::<String>::new(),
        "what is refused takes nothing"
    );
}

#[tokio::test]
async fn a_run_that_ends_before_its_claim_gives_back_what_it_took() {
    let site = TestApp::new().await;
    site.ready("a1", 1, json!({})).await;
    site.ready("a2", 2, json!({})).await;
    site.pre_reboot("a1").await;
    site.live_again("a2", 2).await;
    assert_eq!(site.claims("a2", 2, 2).await.problem().0, 503);
    // The slot is free, and the machine does not ask again before its run is cancelled.
    site.steady_state("a1").await;
    let run = thirdboot_lifecycle::RunNumber(2);
    let reason = thirdboot_lifecycle::LockReason::Reinstall { run };
    let state = site.state("a2").await;
    let question = super::super::asking::question(&site.app, &state, reason, None).await;
    let ask = thirdboot_store::LockChange::Ask(question.unwrap());
    site.app.store.change_lock(ask).await.unwrap();
    assert_eq!(site.holders().await, ["a2"]);
    site.api_post("/api/v1/hosts/a2/cancel", &json!({})).await;
    site.round().await;
    assert_eq!(site.holders().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_system_of_before_may_ask_until_the_new_run_claims() {
    let site = TestApp::new().await;
    site.ready("a1", 1, json!({})).await;
    let (base, body) = site.question("a1").await;
    let path = format!("{base}/v1/pre-reboot");
    site.api_post("/api/v1/hosts/a1/rotate-key", &json!({})).await;
    assert_eq!(
        site.fleetlock(&path, &body).await.status,
        200,
        "its config carries the old path"
    );
    assert_eq!(site.arm("a1").await.status, 200);
    assert_eq!(site.fleetlock(&path, &body).await.status, 200);
    site.script(1).await;
    let id = site.state("a1").await.id;
    let live = site
        .app
        .secrets
        .derive(Purpose::Live, id, thirdboot_lifecycle::RunNumber(2), 1);
    let report = json!({"run": 2, "boot_id": BOOT_ID, "seq": 1, "event": "live"});
    assert_eq!(site.post("/v1/report", live.expose(), &report).await.status, 200);
    let claimed = site.post("/v1/claim", live.expose(), &TestApp::claim(1, 2)).await;
    assert_eq!(claimed.status, 200, "{}", claimed.text());
    assert_eq!(
        refused(&site.fleetlock(&path, &body).await),
        (404, "unknown_client".into())
    );
    assert_eq!(
        site.holders().await,
        ["a1"],
        "the slot it held is now its new install's"
    );
}

/// All three are down then, which one slot cannot undo: one after the other is installed, and none waits for those that
/// wait.
#[tokio::test]
async fn servers_that_are_all_to_be_installed_again_take_turns() {
    let nodes = FakeNodes::of(&["s1", "s2", "s3"]);
    let site = TestApp::with_prod(&nodes).await;
    let servers = [("s1", 1_u8), ("s2", 2), ("s3", 3)];
    for (name, n) in servers {
        site.member(name, n, "server").await;
    }
    for (name, n) in servers {
        site.live_again(name, n).await;
    }
    assert_eq!(site.claims("s1", 1, 2).await.status, 200);
    for (name, n) in &servers[1..] {
        assert_eq!(site.claims(name, *n, 2).await.problem().0, 503);
    }
    for (before, (name, n)) in [("s1", servers[1]), ("s2", servers[2])] {
        site.goes_on(before, "ready").await;
        site.round().await;
        assert_eq!(site.claims(name, n, 2).await.status, 200, "{name} after {before}");
    }
}
