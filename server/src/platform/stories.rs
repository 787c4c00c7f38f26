//! A machine at its provider, from arming to installed, and everything that goes wrong on the way.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdboot_fake_equinix::{Device, FakeEquinix, Fault};
use thirdboot_lifecycle::{RunNumber, TroubleKind};

use super::job::pass;
use super::look::Came;
use super::look_at;
use crate::secrets::{Purpose, write_private};
use crate::testing::{Reply, TestApp};

const TOKEN: &str = "equinix-3f9c71d2";

/// What somebody does to a machine at the provider's own page.
type Change = fn(&mut Device);

/// A server with a token, and its provider.
struct Rented {
    site: TestApp,
    provider: FakeEquinix,
    folder: TempDir,
}

fn device(n: u8) -> String {
    format!("7a8b0000-0000-4000-8000-0000000000{n:02x}")
}

impl Rented {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let provider = FakeEquinix::start(TOKEN).await.unwrap();
        let file = folder.path().join("token");
        write_private(&file, format!("{TOKEN}\n").as_bytes()).unwrap();
        let site = TestApp::with(|options| {
            provider.url().clone_into(&mut options.platforms.equinix_url);
            options.platforms.equinix_token_file = Some(file);
        })
        .await;
        Self { site, provider, folder }
    }

    /// The server ends and starts again; the provider stays.
    async fn restarted(self) -> Self {
        let Self { site, provider, folder } = self;
        Self {
            site: site.restarted().await,
            provider,
            folder,
        }
    }

    fn described(n: u8, vlans: &[u16]) -> Value {
        let vlan = |(at, id): (usize, &u16)| json!({"id": id, "addresses": [format!("10.{n}.{at}.9/24")]});
        let vlans: Vec<_> = vlans.iter().enumerate().map(vlan).collect();
        let network = json!({"bond": {}, "vlans": vlans});
        json!({"platform": "equinix-metal", "provider": {"device": device(n)}, "network": network})
    }

    /// Host `a<n>`, rented, with these VLANs to carry.
    async fn host(&self, n: u8, vlans: &[u16]) {
        self.provider.add(&device(n), "http://old.example/script", vlans);
        self.site
            .host_with(&format!("a{n}"), n, Self::described(n, vlans))
            .await;
    }

    async fn arm(&self, n: u8, more: Value) -> Reply {
        let name = format!("a{n}");
        let mut body = json!({"confirm": name});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.site.api_post(&format!("/api/v1/hosts/{name}/arm"), &body).await
    }

    /// Host `a<n>`, rented and armed.
    async fn armed(&self, n: u8, vlans: &[u16], more: Value) {
        self.host(n, vlans).await;
        let reply = self.arm(n, more).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    async fn look(&self, n: u8) -> Came {
        let id = self.site.state(&format!("a{n}")).await.id;
        look_at(&self.site.app, id).await
    }

    /// Looks as often as each look leads to the next.
    async fn settle(&self, n: u8) -> Came {
        loop {
            let came = self.look(n).await;
            if came != Came::Step {
                return came;
            }
        }
    }

    /// The machine at its provider.
    fn machine(&self, n: u8) -> Device {
        self.provider.device(&device(n)).unwrap()
    }

    /// What the provider is said to say.
    async fn told(&self, n: u8) -> Value {
        let path = format!("/api/v1/hosts/a{n}/observed");
        self.site.api_get(&path).await.json()["provider"].clone()
    }

    /// What the log has of the provider.
    async fn logged(&self, n: u8) -> Vec<String> {
        let path = format!("/api/v1/hosts/a{n}/events?limit=500");
        let page = self.site.api_get(&path).await.json();
        let lines = page["items"].as_array().unwrap().iter();
        let lines = lines.filter(|line| line["event"] == "provider");
        lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// What is wrong, in a word, with the same in the host's alert and diagnosis.
    async fn trouble(&self, n: u8) -> Option<String> {
        let told = self.told(n).await;
        let shown = self.site.api_get(&format!("/api/v1/hosts/a{n}")).await.json();
        let Some(kind) = told["trouble"]["kind"].as_str() else {
            assert_eq!(shown["alerts"], json!([]));
            return None;
        };
        let advice = &told["trouble"]["advice"];
        assert!(advice.as_str().is_some_and(|advice| !advice.is_empty()));
        assert_eq!(
            (&shown["alerts"][0]["kind"], &shown["alerts"][0]["advice"]),
            (&json!("at-provider"), advice)
        );
        assert_eq!(
            (&shown["diagnosis"]["cause"], &shown["diagnosis"]["advice"]),
            (&json!("at-provider"), advice)
        );
        Some(kind.to_owned())
    }

    fn is_well_behaved(&self) {
        assert_eq!(self.provider.violations(), Vec::<String>::new());
    }
}

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
    assert_eq!(rented.look(1).await, Came::Trouble);
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
    assert_eq!(rented.look(1).await, Came::Trouble);
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
    assert_eq!(rented.look(9).await, Came::Trouble);
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
