//! Pointer and live config of a run.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use thirdboot_lifecycle::{Fetch, Run, Stage};
use thirdboot_render::{PointerFacts, Secret, pointer, pointer_cpio};
use thirdboot_store::HostId;

use super::fetched::{Evidence, counted};
use super::opened;
use crate::App;
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
        let state = app.store.host_by_id(opened.host).await?.ok_or_else(Failure::not_found)?;
        let run = state.run.ok_or_else(Failure::not_found)?;
        let is_served = matches!(
            run.stage,
            Stage::Armed | Stage::Netbooting | Stage::Live | Stage::Installing
        );
        if run.number != opened.run || run.key_generation != opened.generation || !is_served {
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
        }
    }
}

pub(super) async fn cpio(State(app): State<App>, Path(secret): Path<String>) -> Answer {
    let (ticket, json) = pointer_of(&app, &secret).await?;
    let body = pointer_cpio(&json).into();
    Ok(whole(body, "application/octet-stream", ticket.evidence(&app, Fetch::Pointer)))
}

pub(super) async fn json(State(app): State<App>, Path(secret): Path<String>) -> Answer {
    let (ticket, json) = pointer_of(&app, &secret).await?;
    Ok(whole(json.into(), IGNITION_MEDIA_TYPE, ticket.evidence(&app, Fetch::Pointer)))
}

pub(super) async fn live(State(app): State<App>, Path(secret): Path<String>) -> Answer {
    let ticket = Ticket::check(&app, &secret).await?;
    let (bytes, _) = opened::live(&app, ticket.host, ticket.run.number).await?;
    Ok(whole(bytes, IGNITION_MEDIA_TYPE, ticket.evidence(&app, Fetch::LiveConfig)))
}

async fn pointer_of(app: &App, secret: &str) -> Result<(Ticket, Vec<u8>), Failure> {
    let ticket = Ticket::check(app, secret).await?;
    let (_, live_sha512) = opened::live(app, ticket.host, ticket.run.number).await?;
    let conf = Secret::parse(secret).map_err(Failure::internal)?;
    let json = pointer(&PointerFacts {
        config_base: &app.settings.config_url,
        conf: &conf,
        live_sha512: &live_sha512,
        ca_pem: None,
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
