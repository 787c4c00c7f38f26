//! Scripts: what a machine gets is decided anew at every boot.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::extract::{RawQuery, State};
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Response};
use thirdboot_lifecycle::{
    Asker, EventKind, Host, HostName, Identified, KnownBy, Run, Script, decide, identify, row_for,
};
use thirdboot_render::{InstallFacts, ScriptFacts, Secret, boot_script, script};
use thirdboot_store::{HostId, HostState, Submission, SubmitError, UnknownMachine};

use super::asking::{Asking, Source};
use super::opened;
use super::repeats::Repeat;
use crate::App;
use crate::metrics::KindLabels;
use crate::observe;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::secrets::Purpose;

/// How often a decision is made again because the host moved on between decision and commit.
const MAX_DECISIONS: u32 = 4;

/// The first script: gathers what iPXE knows and chains.
pub(super) async fn boot(State(app): State<App>) -> Response {
    text(boot_script(&app.settings.boot_url, None, app.settings.retry))
}

/// A machine that says who it is.
pub(super) async fn by_address(
    State(app): State<App>,
    source: Source,
    method: Method,
    RawQuery(query): RawQuery,
) -> Answer {
    answer(&app, None, &Asking::read(&query.unwrap_or_default()), source.0, method).await
}

/// A machine that came with its host's boot secret.
pub(super) async fn by_key(
    State(app): State<App>,
    Path(secret): Path<String>,
    source: Source,
    method: Method,
    RawQuery(query): RawQuery,
) -> Answer {
    let asking = Asking::read(&query.unwrap_or_default());
    answer(&app, Some(&secret), &asking, source.0, method).await
}

fn text(script: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], script).into_response()
}

async fn answer(app: &App, key: Option<&str>, asking: &Asking, source: IpAddr, method: Method) -> Answer {
    let is_counted = method == Method::GET;
    for _ in 0..MAX_DECISIONS {
        let asked = Asked::look_up(app, key, asking).await?;
        let (decision, host) = asked.decide(app, asking, source, is_counted).await;
        if let Some(found) = host {
            observe::concerns_host(found.host, found.run);
        }
        if let (Some(host), true) = (host, is_counted)
            && !recorded(app, host.id, host.run, decision).await?
        {
            continue;
        }
        if is_counted {
            let kind = match decision {
                Script::Install(_) => "install",
                Script::Local => "local",
                Script::Hold(_) => "hold",
            };
            app.metrics.scripts.get_or_create(&KindLabels { kind }).inc();
        }
        return asked.render(app, key, decision, host).await.map(text);
    }
    Err(Failure::unavailable(
        "the host changes faster than it can be answered",
        "a script was decided in vain",
    ))
}

/// Who may be asking: the host of the key, and every host that has one of the identifiers.
struct Asked {
    by_key: Option<HostState>,
    hosts: Vec<Host>,
    runs: Vec<(HostId, Option<Run>)>,
}

/// The host that was identified.
#[derive(Clone, Copy)]
struct Found<'a> {
    id: HostId,
    host: &'a Host,
    run: Option<&'a Run>,
}

impl Asked {
    async fn look_up(app: &App, key: Option<&str>, asking: &Asking) -> Result<Self, Failure> {
        let by_key = match key {
            None => None,
            Some(text) => Some(host_of_key(app, text).await?),
        };
        let matches = if asking.identity.is_empty() {
            Vec::new()
        } else {
            app.store.hosts_with(&asking.identity).await?
        };
        let (hosts, runs) = matches
            .into_iter()
            .map(|state| (state.host, (state.id, state.run)))
            .unzip();
        Ok(Self { by_key, hosts, runs })
    }

    async fn decide(
        &self,
        app: &App,
        asking: &Asking,
        source: IpAddr,
        is_counted: bool,
    ) -> (Script, Option<Found<'_>>) {
        let by_key = self.by_key.as_ref().map(|state| &state.host);
        let identified = identify(&asking.identity, by_key, &self.hosts);
        let found = match &identified {
            Identified::Host(host) => self.found(host),
            Identified::Conflict { .. } | Identified::Unknown => None,
        };
        let may_install = by_key.is_some()
            || found
                .is_some_and(|found| found.host.known_by == KnownBy::Address && app.settings.is_address_source(source));
        let asker = Asker {
            may_install,
            unknown_boots_disk: app.settings.unknown_boots_disk,
        };
        let decision = decide(&identified, found.and_then(|found| found.run), asker, app.store.now());
        if is_counted && let Identified::Conflict { hosts, why } = &identified {
            self.note_conflict(app, hosts, why, source).await;
        }
        if is_counted && let Some(why) = strange(&identified, found, decision) {
            note_stranger(app, asking, source, why).await;
        }
        (decision, found)
    }

    /// Remembered for an alert of each host concerned. A conflict that cannot be noted keeps no machine from its script.
    async fn note_conflict(&self, app: &App, hosts: &[HostName], why: &str, source: IpAddr) {
        let by_key = self.by_key.iter().map(|state| (state.id, &state.host.name));
        let others = self
            .runs
            .iter()
            .map(|(id, _)| *id)
            .zip(self.hosts.iter().map(|host| &host.name));
        let concerned: BTreeSet<HostId> = by_key
            .chain(others)
            .filter(|(_, name)| hosts.contains(name))
            .map(|(id, _)| id)
            .collect();
        for host in concerned {
            let repeat = Repeat::Conflict(host);
            if app.repeats.is_repeat(&repeat) {
                continue;
            }
            app.repeats.note(repeat);
            let conflict = Submission::Conflict {
                why: why.to_owned(),
                source: source.to_string(),
            };
            if let Err(error) = app.store.submit(host, conflict).await {
                tracing::warn!(%error, "a conflict of identifiers cannot be noted");
            }
        }
    }

    fn found<'a>(&'a self, host: &'a Host) -> Option<Found<'a>> {
        if let Some(state) = self.by_key.as_ref().filter(|state| state.host.name == host.name) {
            return Some(Found {
                id: state.id,
                host,
                run: state.run.as_ref(),
            });
        }
        let at = self.hosts.iter().position(|known| known.name == host.name)?;
        let (id, run) = self.runs.get(at)?;
        Some(Found {
            id: *id,
            host,
            run: run.as_ref(),
        })
    }

    async fn render(&self, app: &App, key: Option<&str>, decision: Script, found: Option<Found<'_>>) -> Answer<String> {
        let key = key.map(Secret::parse).transpose().map_err(Failure::internal)?;
        let facts = ScriptFacts {
            boot_base: &app.settings.boot_url,
            key: key.as_ref(),
            host: found.map(|found| found.host),
            install: None,
            unknown_disk_boot: app.settings.unknown_disk_boot,
            retry: app.settings.retry,
        };
        let (Script::Install(number), Some(found)) = (decision, found) else {
            return script(decision, &facts).map_err(Failure::internal);
        };
        let generation = found.run.map_or(found.host.key_generation, |run| run.key_generation);
        let conf = app.secrets.derive(Purpose::Conf, found.id, number, generation);
        let conf = Secret::parse(conf.expose()).map_err(Failure::internal)?;
        let assets = opened::assets(app, found.id, number)
            .await?
            .names()
            .map_err(Failure::internal)?;
        let install = InstallFacts {
            assets_base: &app.settings.assets_url,
            conf: &conf,
            assets: &assets,
        };
        let facts = ScriptFacts {
            install: Some(install),
            ..facts
        };
        script(decision, &facts).map_err(Failure::internal)
    }
}

async fn host_of_key(app: &App, text: &str) -> Result<HostState, Failure> {
    let opened = app.secrets.open(Purpose::Boot, text).ok_or_else(Failure::not_found)?;
    let state = app.store.host_by_id(opened.host).await?;
    state
        .filter(|state| state.host.key_generation == opened.generation)
        .ok_or_else(Failure::not_found)
}

/// Writes what is about to be served; false when the host moved on meanwhile and has to be looked at again.
async fn recorded(app: &App, host: HostId, run: Option<&Run>, decision: Script) -> Result<bool, Failure> {
    let (Some(run), Script::Install(_) | Script::Local) = (run, decision) else {
        return Ok(true);
    };
    let (kind, repeat) = match decision {
        Script::Install(number) => (EventKind::InstallScript, Repeat::InstallScript(host, number)),
        Script::Local | Script::Hold(_) => (EventKind::LocalScript, Repeat::LocalScript(host, run.number)),
    };
    // A disk boot that says nothing about the run (it never was installed) is no evidence.
    if row_for(run.stage, kind).is_none() || app.repeats.is_repeat(&repeat) {
        return Ok(true);
    }
    match app.store.submit(host, Submission::Script { script: decision }).await {
        Ok(_) => {
            app.repeats.note(repeat);
            Ok(true)
        }
        Err(SubmitError::Refused(_) | SubmitError::NoSuchHost | SubmitError::NotNow(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What an admin should know of whoever asks; nothing for a host that is as it should be.
fn strange(identified: &Identified<'_>, found: Option<Found<'_>>, decision: Script) -> Option<Strange> {
    match (identified, found) {
        (Identified::Conflict { why, .. }, _) => Some(Strange::Conflict(why.clone())),
        (Identified::Unknown, _) => Some(Strange::Unknown),
        (Identified::Host(_), Some(found)) if decision == Script::Hold(thirdboot_lifecycle::HoldReason::Unknown) => {
            let why = match found.host.known_by {
                KnownBy::Key => "is known by its key and did not come with it",
                KnownBy::Address => "is known by address and asked from outside of the configured sources",
            };
            Some(Strange::Conflict(format!(
                "{} {why}: no install is given",
                found.host.name
            )))
        }
        (Identified::Host(_), _) => None,
    }
}

enum Strange {
    Unknown,
    Conflict(String),
}

/// Listed for an admin, and logged once a minute. A list that cannot be written keeps no machine from its script.
async fn note_stranger(app: &App, asking: &Asking, source: IpAddr, strange: Strange) {
    let source = source.to_string();
    let repeat = Repeat::stranger(&asking.identity, &source);
    if app.repeats.is_repeat(&repeat) {
        return;
    }
    app.repeats.note(repeat);
    let why = match strange {
        Strange::Unknown => None,
        Strange::Conflict(why) => Some(why),
    };
    if let Some(why) = &why {
        tracing::warn!(%source, %why, "a machine is held: its identifiers disagree, or it may not ask this way");
    } else {
        tracing::info!(%source, macs = ?asking.identity.macs, "an unknown machine asked for a script");
    }
    let now = app.store.now();
    let machine = UnknownMachine {
        id: 0,
        identity: asking.identity.clone(),
        said: asking.said.clone(),
        source,
        why,
        first_seen: now,
        last_seen: now,
        count: 1,
    };
    if let Err(error) = app.store.note_unknown(machine).await {
        tracing::warn!(%error, "an unknown machine cannot be noted");
    }
}

#[cfg(test)]
mod tests;
