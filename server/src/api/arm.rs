//! Arming: a person allows a machine to be wiped. What the run will be served is rendered, sealed and kept now, so that
//! every fetch of the run is byte-identical, whatever changes later.

use std::sync::Arc;

use axum::Json as Answered;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use thirdboot_api::ProblemType;
use thirdboot_api::control::{ArmBody, HostView};
use thirdboot_lifecycle::{DEFAULT_ATTEMPTS, DiskSelector, Permit, Power, Purpose, RunNumber, arm_refused};
use thirdboot_render::{Documents, live_keyfiles};
use thirdboot_store::{Actor, Document, DocumentKind, HostState, Submission, SubmitError};

use super::auth::Operator;
use super::beside::Beside;
use super::hosts::named;
use super::joinable::can_join;
use super::power;
use super::rendering::{self, Rendering};
use super::view::view;
use crate::App;
use crate::assets::Manifest;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::templates;

/// How long a permit may be claimed, in seconds: a minute to a week.
const TTLS_S: std::ops::RangeInclusive<u64> = 60..=7 * 24 * 60 * 60;
/// How often arming is tried again when the host was changed meanwhile.
const MAX_TRIES: u32 = 4;
/// Disks that may be wiped beside the one that is installed to.
const MAX_WIPE: usize = 64;

/// Arms a host: gives the right to wipe and install once, or to inspect.
///
/// Legal when there is no run, or the last one has ended.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/arm", tag = "hosts", operation_id = "arm_host", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    request_body = ArmBody,
    responses((status = 200, description = "The host with its new run", body = HostView)),
    extensions(("x-problems" = json!(["refused", "changed"]))),
)]
pub(super) async fn arm(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(body): Json<ArmBody>,
) -> Answer<Answered<HostView>> {
    let wanted = Wanted::read(&body, &name)?;
    for _ in 0..MAX_TRIES {
        let state = named(&app, &name).await?;
        if let Some(why) = arm_refused(&state.host, state.run.as_ref()) {
            return Err(Failure::new(ProblemType::Refused, why));
        }
        power::check(&app, &state.host, wanted.power, wanted.inspect)?;
        match arm_as_seen(&app, &state, &wanted, &by).await {
            // Somebody changed the host between look and commit: what was rendered may be wrong.
            Err(SubmitFailure::Outdated) => {}
            Err(SubmitFailure::Other(failure)) => return Err(failure),
            Ok(()) => {
                app.nudge.now();
                app.platforms.nudge.now();
                let state = named(&app, &name).await?;
                return Ok(Answered(view(&state, &app)));
            }
        }
    }
    Err(Failure::new(ProblemType::Changed, "the host keeps changing: try again"))
}

enum SubmitFailure {
    Outdated,
    Other(Failure),
}

impl<E: Into<Failure>> From<E> for SubmitFailure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// What the person wants, checked.
struct Wanted {
    ttl: SignedDuration,
    disk: Option<DiskSelector>,
    wipe: Vec<DiskSelector>,
    inspect: bool,
    power: Option<Power>,
}

impl Wanted {
    fn read(body: &ArmBody, name: &str) -> Result<Self, Failure> {
        if body.confirm != name {
            let detail = "repeat the host's name to confirm: its disk will be overwritten";
            return Err(Failure::field("confirm", detail));
        }
        if !TTLS_S.contains(&body.ttl_s) {
            let detail = format!("expected {} to {} seconds", TTLS_S.start(), TTLS_S.end());
            return Err(Failure::field("ttl_s", detail));
        }
        if body.inspect && (body.disk.is_some() || !body.wipe.is_empty()) {
            return Err(Failure::field(
                "inspect",
                "an inspection writes nothing: expected no disk and no wipe",
            ));
        }
        if body.wipe.len() > MAX_WIPE {
            return Err(Failure::field("wipe", format!("expected at most {MAX_WIPE} disks")));
        }
        let selector = |field: String, text: &String| {
            text.parse::<DiskSelector>()
                .map_err(|error| Failure::field(field, error.to_string()))
        };
        Ok(Self {
            ttl: SignedDuration::from_secs(body.ttl_s.try_into().unwrap_or(i64::MAX)),
            disk: body
                .disk
                .as_ref()
                .map(|disk| selector("disk".into(), disk))
                .transpose()?,
            wipe: body
                .wipe
                .iter()
                .enumerate()
                .map(|(at, disk)| selector(format!("wipe[{at}]"), disk))
                .collect::<Result<_, _>>()?,
            inspect: body.inspect,
            power: body.power.map(power::wanted),
        })
    }

    fn permit(&self, state: &HostState, now: Timestamp) -> Permit {
        let purpose = if self.inspect {
            Purpose::Inspect
        } else {
            Purpose::Install {
                disk: self.disk.clone().or_else(|| state.host.install.disk.clone()),
                wipe: self.wipe.clone(),
            }
        };
        Permit {
            purpose,
            issued_at: now,
            expires_at: now.saturating_add(self.ttl).unwrap_or(Timestamp::MAX),
            attempts: DEFAULT_ATTEMPTS,
            power: self.power,
            voided: None,
        }
    }
}

async fn arm_as_seen(app: &App, state: &HostState, wanted: &Wanted, by: &Actor) -> Result<(), SubmitFailure> {
    let host = &state.host;
    // The version is not removed from the mirror before the run is known to need it.
    let _needed = app.assets.used().await;
    can_join(app, state).await?;
    let manifest = rendering::manifest(app, host).await?;
    app.assets.check_ahead(&manifest);
    let permit = wanted.permit(state, app.store.now());
    let run = next_run(state);
    let beside = Beside::of(app, state).await?;
    let templates = templates::of_host(app, host).await?;
    let rendering = Rendering::of(app, state, (run, permit.clone()), &manifest, &templates, beside)?;
    let rendered = Arc::new(rendering).render(app, host).await?;
    let submission = Submission::Arm {
        permit,
        documents: sealed(app, state, run, &rendered, &manifest)?,
        expected_version: state.version,
        by: by.clone(),
    };
    match app.store.submit(state.id, submission).await {
        Ok(_) => {
            tracing::info!(host = %host.name, %run, %by, inspect = wanted.inspect, "armed");
            Ok(())
        }
        Err(SubmitError::Outdated { .. }) => Err(SubmitFailure::Outdated),
        Err(error) => Err(error.into()),
    }
}

/// The run that arming would begin.
pub(super) fn next_run(state: &HostState) -> RunNumber {
    state.run.as_ref().map_or(RunNumber(1), |run| run.number.next())
}

/// The permit that arming without any wishes would issue.
pub(super) fn usual_permit(state: &HostState, now: Timestamp) -> Permit {
    let ttl = SignedDuration::from_secs(thirdboot_api::control::DEFAULT_TTL_S.try_into().unwrap_or(i64::MAX));
    let wanted = Wanted {
        ttl,
        disk: None,
        wipe: Vec::new(),
        inspect: false,
        power: None,
    };
    wanted.permit(state, now)
}

fn sealed(
    app: &App,
    state: &HostState,
    run: RunNumber,
    rendered: &Documents,
    manifest: &Manifest,
) -> Result<Vec<Document>, Failure> {
    let assets = serde_json::to_vec(manifest).map_err(Failure::internal)?;
    let seal = |kind: DocumentKind, sha512: String, plain: &[u8]| {
        let sealed = app
            .secrets
            .seal(state.id, run, kind, plain)
            .map_err(Failure::internal)?;
        Ok::<_, Failure>(Document { kind, sha512, sealed })
    };
    let network = live_keyfiles(&state.host).map_err(Failure::internal)?;
    let network = serde_json::to_vec(&network).map_err(Failure::internal)?;
    Ok(vec![
        seal(DocumentKind::Live, rendered.live_sha512.clone(), &rendered.live)?,
        seal(DocumentKind::Assets, sha512(&assets), &assets)?,
        seal(DocumentKind::Network, sha512(&network), &network)?,
        seal(
            DocumentKind::Installed,
            sha512(&rendered.installed),
            &rendered.installed,
        )?,
    ])
}

fn sha512(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&<sha2::Sha512 as sha2::Digest>::digest(bytes))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use thirdboot_lifecycle::Purpose as Allowed;

    use crate::secrets::Purpose;
    use crate::testing::TestApp;

    #[tokio::test]
    async fn arming_begins_a_run_with_a_permit_that_ends() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let body = json!({"confirm": "a1", "ttl_s": 3600, "disk": "S3R14L", "wipe": ["/dev/disk/by-id/old"]});
        let armed = site.api_post("/api/v1/hosts/a1/arm", &body).await.json();
        assert_eq!(
            (&armed["run"]["number"], &armed["run"]["stage"]),
            (&json!(1), &json!("armed"))
        );
        let permit = site.state("a1").await.run.unwrap().permit;
        assert_eq!(permit.expires_at.duration_since(permit.issued_at).as_secs(), 3600);
        let Allowed::Install { disk, wipe } = permit.purpose else {
            panic!("inspects")
        };
        assert_eq!(
            (disk.unwrap().as_str(), wipe[0].as_str()),
            ("S3R14L", "/dev/disk/by-id/old")
        );
    }

    #[tokio::test]
    async fn the_hosts_own_disk_counts_when_none_is_given() {
        let site = TestApp::new().await;
        site.host_with("a1", 1, json!({"install": {"disk": "OWN"}})).await;
        site.arm("a1").await;
        let Allowed::Install { disk, .. } = site.state("a1").await.run.unwrap().permit.purpose else {
            panic!("inspects")
        };
        assert_eq!(disk.unwrap().as_str(), "OWN");
    }

    #[tokio::test]
    async fn an_inspection_never_grants_a_claim() {
        let site = TestApp::new().await;
        let host = site.host("a1", 1).await.id;
        let armed = site
            .api_post("/api/v1/hosts/a1/arm", &json!({"confirm": "a1", "inspect": true}))
            .await
            .json();
        assert_eq!(armed["run"]["inspect"], true);
        let reply = site
            .post("/v1/claim", &site.secret(Purpose::Live, host, 1), &TestApp::claim(1, 1))
            .await;
        assert_eq!(reply.problem().1, "claim-refused");
    }

    #[tokio::test]
    async fn a_slip_of_the_hand_arms_nothing() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let cases: [(Value, &str); 7] = [
            (json!({}), "confirm"),
            (json!({"confirm": "a2"}), "confirm"),
            (json!({"confirm": "a1", "ttl_s": 59}), "ttl_s"),
            (json!({"confirm": "a1", "ttl_s": 8 * 24 * 3600}), "ttl_s"),
            (json!({"confirm": "a1", "disk": "/dev/sda"}), "disk"),
            (json!({"confirm": "a1", "wipe": ["ok", "a b"]}), "wipe[1]"),
            (json!({"confirm": "a1", "force": true}), "force"),
        ];
        for (body, field) in cases {
            let (status, _, at) = site.api_post("/api/v1/hosts/a1/arm", &body).await.problem();
            assert_eq!((status, at.as_str()), (422, field), "{body}");
        }
        assert!(site.state("a1").await.run.is_none());
    }

    #[tokio::test]
    async fn a_run_under_way_is_not_replaced() {
        let site = TestApp::new().await;
        site.armed("a1", 1).await;
        let reply = site.arm("a1").await;
        assert_eq!(reply.problem(), (409, "refused".into(), String::new()));
        assert!(
            reply.json()["detail"].as_str().unwrap().contains("cancel it first"),
            "{}",
            reply.text()
        );
        site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
        assert_eq!(site.arm("a1").await.json()["run"]["number"], 2);
    }

    #[tokio::test]
    async fn without_a_mirror_nothing_is_armed() {
        let site = TestApp::new().await;
        site.host_with("a1", 1, json!({"arch": "aarch64"})).await;
        site.host_with("a2", 2, json!({"install": {"version": "1.2.3"}})).await;
        for name in ["a1", "a2"] {
            let reply = site.arm(name).await;
            assert_eq!(reply.problem().0, 409);
            assert!(
                reply.json()["detail"].as_str().unwrap().contains("no assets at"),
                "{}",
                reply.text()
            );
        }
    }

    #[tokio::test]
    async fn what_is_kept_of_a_run_is_sealed() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let path = format!("/ignition/{}/live.ign", site.secret(Purpose::Conf, host, 1));
        let live = site.get(&path).await.body;
        let some_of_it = &live[live.len() / 2..][..64];
        for file in std::fs::read_dir(site.path("data")).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_dir() {
                continue;
            }
            let bytes = std::fs::read(file.path()).unwrap();
            assert!(!bytes.windows(64).any(|window| window == some_of_it));
        }
    }
}
