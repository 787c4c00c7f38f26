//! Pointer and live config of a run.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use thirdboot_lifecycle::{Fetch, Run, Stage};
use thirdboot_render::{PointerFacts, Secret, pointer, pointer_cpio};
use thirdboot_store::HostId;

use super::fetched::{Evidence, counted};
use super::{Transport, opened};
use crate::App;
use crate::observe;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::secrets::Purpose;

/// Ignition asks for this type by name.
const IGNITION_MEDIA_TYPE: &str = "application/vnd.coreos.ignition+json";

/// A run that a conf secret opens.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) host: HostId,
    pub(super) run: Run,
}

impl Ticket {
    /// Good while its run is the host's current one and not installed. Anything else is 404: a host gives up on that,
    /// which is right, since nothing will ever be served there again.
    pub(super) async fn check(app: &App, secret: &str) -> Result<Self, Failure> {
        let opened = app.secrets.open(Purpose::Conf, secret).ok_or_else(Failure::not_found)?;
        let state = app
            .store
            .host_by_id(opened.host)
            .await?
            .ok_or_else(Failure::not_found)?;
        observe::concerns(&state);
        let run = state.run.ok_or_else(Failure::not_found)?;
        let is_served = matches!(
            run.stage,
            Stage::Armed | Stage::Netbooting | Stage::Live | Stage::Installing
        );
        let is_its_secret = run.number == opened.run
            && run.key_generation == opened.generation
            && opened.fits_run_armed_at(run.permit.issued_at);
        if !is_its_secret || !is_served {
            return Err(Failure::not_found());
        }
        Ok(Self { host: state.id, run })
    }

    pub(super) fn evidence(&self, app: &App, what: Fetch) -> Evidence {
        Evidence {
            app: app.clone(),
            host: self.host,
            run: self.run.number,
            what,
            span: tracing::Span::current(),
        }
    }
}

pub(super) async fn cpio(State(app): State<App>, Path(secret): Path<String>) -> Answer {
    let (ticket, json) = pointer_of(&app, &secret).await?;
    let network = opened::network(&app, ticket.host, ticket.run.number).await?;
    let body = pointer_cpio(&json, &network).into();
    Ok(whole(
        body,
        "application/octet-stream",
        ticket.evidence(&app, Fetch::Pointer),
    ))
}

pub(super) async fn json(State(app): State<App>, Path(secret): Path<String>) -> Answer {
    let (ticket, json) = pointer_of(&app, &secret).await?;
    Ok(whole(
        json.into(),
        IGNITION_MEDIA_TYPE,
        ticket.evidence(&app, Fetch::Pointer),
    ))
}

pub(super) async fn live(State(app): State<App>, Path(secret): Path<String>, transport: Transport) -> Answer {
    transport.may_fetch_secrets(&app)?;
    let ticket = Ticket::check(&app, &secret).await?;
    let (bytes, _) = opened::live(&app, ticket.host, ticket.run.number).await?;
    Ok(whole(
        bytes,
        IGNITION_MEDIA_TYPE,
        ticket.evidence(&app, Fetch::LiveConfig),
    ))
}

async fn pointer_of(app: &App, secret: &str) -> Result<(Ticket, Vec<u8>), Failure> {
    let ticket = Ticket::check(app, secret).await?;
    let (_, live_sha512) = opened::live(app, ticket.host, ticket.run.number).await?;
    let conf = Secret::parse(secret).map_err(Failure::internal)?;
    let json = pointer(&PointerFacts {
        config_base: &app.settings.config_url,
        conf: &conf,
        live_sha512: &live_sha512,
        ca_pem: app.settings.ca_pem.as_deref(),
    });
    Ok((ticket, json))
}

/// A small answer that is in memory.
fn whole(bytes: Bytes, media_type: &'static str, evidence: Evidence) -> Response {
    if bytes.is_empty() {
        // Ignition takes an empty 200 for an empty config and boots an unconfigured machine.
        return Failure::internal("an empty document").into_response();
    }
    let length = bytes.len().try_into().unwrap_or(u64::MAX);
    let body = counted(Body::from(bytes), length, evidence);
    ([(header::CONTENT_TYPE, media_type)], body).into_response()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use serde_json::json;
    use sha2::{Digest as _, Sha512};
    use thirdboot_lifecycle::Fetch;

    use crate::secrets::Purpose;
    use crate::testing::TestApp;

    #[tokio::test]
    async fn the_pointer_names_the_live_config_by_url_and_hash() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let conf = site.secret(Purpose::Conf, host, 1);
        let pointer = site.get(&format!("/ignition/{conf}/pointer.ign")).await;
        assert_eq!(pointer.header("content-type"), "application/vnd.coreos.ignition+json");
        let child = &pointer.json()["ignition"]["config"]["replace"];
        let child = if child.is_null() {
            pointer.json()["ignition"]["config"]["merge"][0].clone()
        } else {
            child.clone()
        };
        assert_eq!(child["source"], format!("http://config.test/ignition/{conf}/live.ign"));
        let live = site.get(&format!("/ignition/{conf}/live.ign")).await;
        let hash = format!("sha512-{}", HEXLOWER.encode(&Sha512::digest(&live.body)));
        assert_eq!(child["verification"]["hash"], hash);
        assert_eq!(site.get(&format!("/ignition/{conf}/live.ign")).await.body, live.body);
        let cpio = site.get(&format!("/ignition/{conf}/pointer.cpio")).await;
        assert!(cpio.body.starts_with(b"070701") && cpio.body.windows(10).any(|name| name == b"config.ign"));
    }

    #[tokio::test]
    async fn the_live_config_is_the_same_after_the_host_changed_and_the_server_started_again() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let path = format!("/ignition/{}/live.ign", site.secret(Purpose::Conf, host, 1));
        let first = site.get(&path).await.body;
        let site = site.restarted().await;
        assert_eq!(site.get(&path).await.body, first);
    }

    #[tokio::test]
    async fn a_whole_fetch_is_evidence_and_a_head_is_none() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let path = format!("/ignition/{}/live.ign", site.secret(Purpose::Conf, host, 1));
        let head = site.head(&path).await;
        assert!(head.body.is_empty() && head.header("content-length") != "0");
        assert!(!site.evidence("a1").await.fetched.contains_key(&Fetch::LiveConfig));
        site.get(&path).await;
        site.until("a1", |run| run.evidence.fetched.contains_key(&Fetch::LiveConfig))
            .await;
    }

    #[tokio::test]
    async fn a_conf_secret_dies_with_its_runs_install() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let conf = site.secret(Purpose::Conf, host, 1);
        let paths = [
            "ignition/{}/pointer.cpio",
            "ignition/{}/pointer.ign",
            "ignition/{}/live.ign",
            "assets/{}/kernel",
        ];
        let ask = async |secret: &str| {
            let mut statuses = Vec::new();
            for path in paths {
                statuses.push(
                    site.get(&format!("/{}", path.replace("{}", secret)))
                        .await
                        .status
                        .as_u16(),
                );
            }
            statuses
        };
        assert_eq!(ask(&conf).await, [200; 4]);
        for wrong in [
            &site.secret(Purpose::Conf, host, 2),
            &site.secret(Purpose::Live, host, 1),
            "x",
        ] {
            assert_eq!(ask(wrong).await, [404; 4], "{wrong}");
        }
        site.post("/v1/claim", &site.secret(Purpose::Live, host, 1), &TestApp::claim(1, 1))
            .await;
        assert_eq!(ask(&conf).await, [200; 4], "a power cut may come after the claim");
        site.tell(host, Purpose::Live, 1, "installed", json!({})).await;
        assert_eq!(ask(&conf).await, [404; 4]);
    }

    #[tokio::test]
    async fn a_cancelled_run_is_served_no_more() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let path = format!("/ignition/{}/live.ign", site.secret(Purpose::Conf, host, 1));
        site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
        assert_eq!(site.get(&path).await.problem().0, 404);
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_503() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let path = format!("/ignition/{}/live.ign", site.secret(Purpose::Conf, host, 1));
        site.app.store.close().await;
        assert_eq!(site.get(&path).await.problem().0, 503);
    }
}
