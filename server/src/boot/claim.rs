//! `POST /v1/claim`: "may I write this disk?"

use axum::Json as Answered;
use axum::extract::{Request, State};
use thirdboot_api::boot::{ClaimBody, DiskBody, GrantAnswer};
use thirdboot_api::{Problem, ProblemType};
use thirdboot_lifecycle::{Claim, Disk, Previous, RunNumber, SecretKind};
use thirdboot_store::{Answer as Stored, Submission, SubmitError};

use super::bearer::heard;
use super::facts;
use crate::App;
use crate::fleetlock::{before_claim, claim_was_refused};
use crate::metrics::OutcomeLabels;
use crate::observe;
use crate::problem::{Answer, Failure};

/// Seconds after which a claim that waits for its lock is worth asking again.
const CLAIM_RETRY_S: u64 = 15;

pub(super) async fn claim(State(app): State<App>, request: Request) -> Answer<Answered<GrantAnswer>> {
    let (speaker, body): (_, ClaimBody) = heard(&app, &[SecretKind::Live], request).await?;
    speaker.speaks_of(body.run)?;
    let claim = read(body)?;
    let disk = claim.disk.label();
    let run = claim.run;
    if let Some(why) = before_claim(&app, &speaker.state, &claim).await? {
        tracing::info!(%disk, %why, "claim waits for its reboot lock");
        app.metrics
            .claims
            .get_or_create(&OutcomeLabels { outcome: "waits" })
            .inc();
        let detail = format!("this new install would disrupt too much: {why}");
        let problem = Problem::new(ProblemType::NotYet, detail);
        return Err(problem.retry_after(CLAIM_RETRY_S).into());
    }
    let submission = Submission::Claim(Box::new(claim));
    let stored = app.store.submit(speaker.state.id, submission).await;
    let outcome = match &stored {
        Ok(_) => "granted",
        Err(SubmitError::ClaimRefused(_)) => "refused",
        Err(_) => "failed",
    };
    app.metrics.claims.get_or_create(&OutcomeLabels { outcome }).inc();
    match stored {
        Ok(Stored::Granted(grant)) => {
            observe::reached("installing");
            tracing::info!(%disk, attempt = grant.attempt, of = grant.of, "claim granted");
            Ok(Answered(GrantAnswer {
                granted: true,
                attempt: grant.attempt,
                of: grant.of,
            }))
        }
        Ok(other) => Err(Failure::internal(format!("a claim was answered with {other:?}"))),
        Err(error) => {
            if let SubmitError::ClaimRefused(why) = &error {
                tracing::warn!(%disk, %why, "claim refused");
                claim_was_refused(&app, &speaker.state, run).await?;
            }
            Err(error.into())
        }
    }
}

fn read(body: ClaimBody) -> Result<Claim, Failure> {
    // A claim that leaves out what could speak against it is no claim.
    if body.macs.is_empty() {
        return Err(Failure::field("macs", "expected the MAC of every network card"));
    }
    if body.disks.is_empty() {
        return Err(Failure::field("disks", "expected every disk of the machine"));
    }
    let disks = body
        .disks
        .into_iter()
        .enumerate()
        .map(|(at, disk)| read_disk(disk, &format!("disks[{at}]")))
        .collect::<Result<_, _>>()?;
    Ok(Claim {
        run: RunNumber(body.run),
        boot_id: facts::boot_id(&body.boot_id)?,
        identity: facts::identity(&body.macs, body.dmi.serial.as_deref(), body.dmi.uuid.as_deref(), "macs")?,
        disk: read_disk(body.disk, "disk")?,
        disks,
    })
}

fn read_disk(body: DiskBody, field: &str) -> Result<Disk, Failure> {
    if body.path.is_empty() {
        return Err(Failure::field(format!("{field}.path"), "expected the disk's path"));
    }
    let previous = body
        .previous
        .map(|previous| {
            let host = previous.host.parse();
            let host = host.map_err(|error| facts::field(&format!("{field}.previous.host"), &error))?;
            Ok::<_, Failure>(Previous {
                host,
                run: RunNumber(previous.run),
            })
        })
        .transpose()?;
    Ok(Disk {
        path: body.path,
        links: body.links,
        serial: stated(body.serial),
        wwn: stated(body.wwn),
        model: stated(body.model),
        size_bytes: body.size_bytes,
        holds: body.holds,
        previous,
        removable: body.removable,
        read_only: body.read_only,
    })
}

/// Tools print an empty string for what a disk does not have; two such disks are not the same disk.
fn stated(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::secrets::Purpose;
    use crate::testing::TestApp;

    #[tokio::test]
    async fn an_armed_host_may_write_and_after_a_power_cut_again() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let live = site.secret(Purpose::Live, host, 1);
        let first = site.post("/v1/claim", &live, &TestApp::claim(1, 1)).await;
        assert_eq!(
            (first.status.as_u16(), first.json()),
            (200, json!({"granted": true, "attempt": 1, "of": 3}))
        );
        let mut again = TestApp::claim(1, 1);
        again["boot_id"] = "3f2a0000-0000-4000-8000-00000000b009".into();
        assert_eq!(site.post("/v1/claim", &live, &again).await.json()["attempt"], 2);
    }

    #[tokio::test]
    async fn whoever_is_not_allowed_is_told_why_and_nothing_changes() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let live = site.secret(Purpose::Live, host, 1);
        let with = |change: &dyn Fn(&mut Value)| {
            let mut claim = TestApp::claim(1, 1);
            change(&mut claim);
            claim
        };
        let foreign = with(&|claim| {
            claim["disk"]["holds"] = json!(["ceph-bluestore"]);
            claim["disks"] = json!([claim["disk"].clone()]);
        });
        let other_machine = with(&|claim| claim["macs"] = json!(["52:54:00:00:00:99"]));
        for (claim, says) in [(foreign, "holds ceph-bluestore"), (other_machine, "not the machine")] {
            let reply = site.post("/v1/claim", &live, &claim).await;
            assert_eq!(reply.problem(), (409, "claim-refused".into(), String::new()));
            assert!(
                reply.json()["detail"].as_str().unwrap().contains(says),
                "{}",
                reply.text()
            );
        }
        site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": "wait"})).await;
        let reply = site.post("/v1/claim", &live, &TestApp::claim(1, 1)).await;
        assert!(
            reply.json()["detail"].as_str().unwrap().contains("on hold: wait"),
            "{}",
            reply.text()
        );
        assert!(site.evidence("a1").await.claimed.is_none());
    }

    #[tokio::test]
    async fn a_permit_that_was_cancelled_or_expired_grants_nothing() {
        let site = TestApp::new().await;
        let first = site.armed("a1", 1).await.id;
        site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
        let reply = site
            .post(
                "/v1/claim",
                &site.secret(Purpose::Live, first, 1),
                &TestApp::claim(1, 1),
            )
            .await;
        assert_eq!(reply.problem().0, 409);
        let second = site.armed("a2", 2).await.id;
        site.wait(24 * 60);
        let reply = site
            .post(
                "/v1/claim",
                &site.secret(Purpose::Live, second, 1),
                &TestApp::claim(2, 1),
            )
            .await;
        assert!(
            reply.json()["detail"].as_str().unwrap().contains("expired"),
            "{}",
            reply.text()
        );
    }

    #[tokio::test]
    async fn a_disk_that_carries_this_runs_install_is_to_be_booted() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let live = site.secret(Purpose::Live, host, 1);
        site.post("/v1/claim", &live, &TestApp::claim(1, 1)).await;
        let mut claim = TestApp::claim(1, 1);
        claim["disk"]["previous"] = json!({"host": "a1", "run": 1});
        claim["disks"] = json!([claim["disk"].clone()]);
        let reply = site.post("/v1/claim", &live, &claim).await;
        assert_eq!(reply.problem(), (409, "already-installed".into(), String::new()));
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: local host=a1");
    }

    #[tokio::test]
    async fn secrets_of_others_are_401_and_malformed_claims_name_their_field() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let live = site.secret(Purpose::Live, host, 1);
        for wrong in [
            "",
            "x",
            &site.secret(Purpose::Host, host, 1),
            &site.secret(Purpose::Conf, host, 1),
        ] {
            assert_eq!(
                site.post("/v1/claim", wrong, &TestApp::claim(1, 1)).await.problem().0,
                401,
                "{wrong}"
            );
        }
        for (path, value, field) in [
            ("run", json!(2), "run"),
            ("run", json!("1"), "run"),
            ("boot_id", json!("x"), "boot_id"),
            ("macs", json!(["52:54:00:00:00:01", "zz"]), "macs[1]"),
            ("macs", json!([]), "macs"),
            ("disks", json!([]), "disks"),
            ("disk", json!({"path": ""}), "disk.path"),
            (
                "disk",
                json!({"path": "/d", "previous": {"host": "A!", "run": 1}}),
                "disk.previous.host",
            ),
            ("disks", json!([{"path": "/d", "size": 1}]), "disks[0].size"),
            ("dmi", json!({"vendor": "x"}), "dmi.vendor"),
            ("colour", json!("red"), "colour"),
        ] {
            let mut claim = TestApp::claim(1, 1);
            claim[path] = value;
            let (status, _, at) = site.post("/v1/claim", &live, &claim).await.problem();
            assert_eq!((status, at.as_str()), (422, field));
        }
    }
}
