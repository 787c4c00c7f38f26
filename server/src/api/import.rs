//! A whole inventory at once: looked at first, then taken whole or not at all.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use thirdboot_api::control::{HostSpec, ImportAction, ImportAnswer, ImportBody, ImportedHost};
use thirdboot_api::{FieldError, Problem, ProblemType};
use thirdboot_lifecycle::Host;
use thirdboot_store::{Actor, PutHost, Store, SubmitError};

use super::auth::Operator;
use super::describe::{described, placed};
use super::fitting::Clusters;
use super::once::{Made, Once};
use crate::App;
use crate::boot::LargeJson;
use crate::problem::{Answer, Failure};
use crate::templates::check_hosts;

/// Hosts of one inventory: they share a transaction, and others wait for it.
const MAX_HOSTS: usize = 10_000;
/// Errors that one answer names.
const MAX_ERRORS: usize = 100;

/// Adds and updates hosts, all or none.
///
/// A host whose name is known is described anew; a console password, serial or UUID that is left out stays. Every field at
/// fault is named in `errors`.
#[utoipa::path(
    post, path = "/api/v1/import", tag = "hosts", operation_id = "import_hosts", security(("token" = ["operator"])),
    request_body = ImportBody,
    responses((status = 200, description = "What was done, or would be", body = ImportAnswer)),
    extensions(("x-problems" = json!(["already-taken", "changed", "refused"])), ("x-idempotent" = json!(true))),
)]
pub(super) async fn import(
    State(app): State<App>,
    Operator(by): Operator,
    once: Once,
    LargeJson(body): LargeJson<ImportBody>,
) -> Answer<Made> {
    let (keep, made) = once.answered(&app, &by, "import_hosts", &body).await?;
    if let Some(made) = made {
        return Ok(made);
    }
    let done = imported(&app, by, body).await;
    let done = done.and_then(|answer| Made::said(StatusCode::OK, &answer));
    keep.after(&app, done).await
}

async fn imported(app: &App, by: Actor, body: ImportBody) -> Result<ImportAnswer, Failure> {
    if body.hosts.len() > MAX_HOSTS {
        return Err(Failure::field(
            "hosts",
            format!("{} of them, expected at most {MAX_HOSTS}", body.hosts.len()),
        ));
    }
    let clusters = Clusters::of(app).await?;
    let plan = plan(app.store.as_ref(), &clusters, &body.hosts).await?;
    plan.check(app).await?;
    if !body.dry_run && !plan.puts.is_empty() {
        let count = plan.puts.len();
        let (puts, places): (Vec<_>, Vec<_>) = plan.puts.into_iter().unzip();
        let hosts: Vec<Host> = puts.iter().map(|put| host_of(put).clone()).collect();
        app.store.put_hosts(puts, by.clone()).await.map_err(|error| {
            let place = places.get(error.at).copied().unwrap_or_default();
            let failure = match (error.why, hosts.get(error.at)) {
                (SubmitError::Store(error), Some(host)) => placed(error, host),
                (why, _) => why.into(),
            };
            at_host(place, &failure)
        })?;
        tracing::info!(hosts = count, %by, "inventory imported");
    }
    Ok(ImportAnswer {
        dry_run: body.dry_run,
        hosts: plan.hosts,
    })
}

struct Plan {
    /// What is to be written, with its place in the request.
    puts: Vec<(PutHost, usize)>,
    hosts: Vec<ImportedHost>,
}

/// Looks at everything before anything is refused: a person corrects a file once.
async fn plan(store: &dyn Store, clusters: &Clusters, specs: &[HostSpec]) -> Result<Plan, Failure> {
    let mut errors = Vec::new();
    let mut owners: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut plan = Plan {
        puts: Vec::new(),
        hosts: Vec::new(),
    };
    for (at, spec) in specs.iter().enumerate() {
        let host = match described(spec).and_then(|host| clusters.take(&host).map(|()| host)) {
            Ok(host) => host,
            Err(failure) => {
                errors.push(field_error(at, &failure));
                continue;
            }
        };
        for key in keys(&host) {
            let field = key.0;
            if let Some(first) = owners.insert(key, at) {
                let detail = format!("the same as of hosts[{first}] ({})", specs[first].name);
                errors.push(FieldError {
                    field: format!("hosts[{at}].{field}"),
                    detail,
                });
            }
        }
        plan.add(store, at, host).await?;
        taken_elsewhere(store, specs, at, &plan, &mut errors).await?;
    }
    if errors.is_empty() {
        return Ok(plan);
    }
    Err(refused(errors))
}

/// The host as it is to be.
fn host_of(put: &PutHost) -> &Host {
    match put {
        PutHost::Add(host) | PutHost::Update { host, .. } => host,
    }
}

/// What must be a host's own.
fn keys(host: &Host) -> Vec<(&'static str, String)> {
    let mut keys = vec![("name", host.name.to_string())];
    keys.extend(host.macs.iter().map(|mac| ("macs", mac.to_string())));
    keys.extend(host.serial.iter().map(|serial| ("serial", serial.to_string())));
    keys.extend(host.uuid.iter().map(|uuid| ("uuid", uuid.to_string())));
    keys
}

/// Identifiers that belong to a host which is not described here, or keeps them in what is.
async fn taken_elsewhere(
    store: &dyn Store,
    specs: &[HostSpec],
    at: usize,
    plan: &Plan,
    errors: &mut Vec<FieldError>,
) -> Result<(), Failure> {
    let Some((put, place)) = plan.puts.last() else {
        return Ok(());
    };
    let host = host_of(put);
    if *place != at {
        return Ok(());
    }
    let identity = thirdboot_lifecycle::Identity {
        macs: host.macs.clone(),
        serial: host.serial.clone(),
        uuid: host.uuid.clone(),
    };
    if identity.is_empty() {
        return Ok(());
    }
    let others = store.hosts_with(&identity).await?;
    for other in others.iter().filter(|other| other.host.name != host.name) {
        // What that host gives away in the same inventory is decided when it is written.
        if specs.iter().any(|spec| spec.name == other.host.name.as_str()) {
            continue;
        }
        let theirs = keys(&other.host);
        for (field, value) in keys(host).into_iter().filter(|key| theirs.contains(key)) {
            let detail = format!("{value} belongs to {} already", other.host.name);
            errors.push(FieldError {
                field: format!("hosts[{at}].{field}"),
                detail,
            });
        }
    }
    Ok(())
}

impl Plan {
    /// Refuses hosts that their templates cannot be rendered for.
    async fn check(&self, app: &App) -> Result<(), Failure> {
        let described = self.puts.iter().map(|(put, _)| host_of(put).clone());
        let unfit = check_hosts(app, described.collect()).await?;
        let errors: Vec<FieldError> = unfit
            .into_iter()
            .map(|unfit| {
                let place = self.puts.get(unfit.at).map_or(0, |(_, place)| *place);
                FieldError {
                    field: format!("hosts[{place}].{}", unfit.field),
                    detail: unfit.detail,
                }
            })
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(refused(errors))
    }

    async fn add(&mut self, store: &dyn Store, at: usize, mut host: Host) -> Result<(), Failure> {
        let name = host.name.to_string();
        let Some(known) = store.host(&host.name).await? else {
            self.puts.push((PutHost::Add(Box::new(host)), at));
            self.say(name, ImportAction::Create, Vec::new());
            return Ok(());
        };
        // What the file need not know stays.
        let before = &known.host;
        host.serial = host.serial.or_else(|| before.serial.clone());
        host.uuid = host.uuid.or_else(|| before.uuid.clone());
        host.console_password_hash = host
            .console_password_hash
            .or_else(|| before.console_password_hash.clone());
        host.hold.clone_from(&before.hold);
        (host.adopted, host.retired, host.key_generation) = (before.adopted, before.retired, before.key_generation);
        let changes = changes(before, &host);
        if changes.is_empty() {
            self.say(name, ImportAction::Unchanged, changes);
            return Ok(());
        }
        let put = PutHost::Update {
            id: known.id,
            expected_version: known.version,
            host: Box::new(host),
        };
        self.puts.push((put, at));
        self.say(name, ImportAction::Update, changes);
        Ok(())
    }

    fn say(&mut self, name: String, action: ImportAction, changes: Vec<String>) {
        self.hosts.push(ImportedHost { name, action, changes });
    }
}

/// The fields that differ.
fn changes(before: &Host, after: &Host) -> Vec<String> {
    let fields = |host: &Host| serde_json::to_value(host).unwrap_or_default();
    let (before, after) = (fields(before), fields(after));
    let names = after.as_object().into_iter().flat_map(serde_json::Map::keys);
    names.filter(|name| before[*name] != after[*name]).cloned().collect()
}

fn field_error(at: usize, failure: &Failure) -> FieldError {
    let problem = failure.problem();
    let field = problem.field.as_deref().unwrap_or("name");
    FieldError {
        field: format!("hosts[{at}].{field}"),
        detail: problem.says().to_owned(),
    }
}

fn refused(mut errors: Vec<FieldError>) -> Failure {
    let count = errors.len();
    let first = errors.first().map(|error| (error.field.clone(), error.detail.clone()));
    errors.truncate(MAX_ERRORS);
    let (field, detail) = first.unwrap_or_default();
    let detail = match count {
        1 => detail,
        _ => format!("{detail} ({count} fields are at fault, see errors; nothing was done)"),
    };
    let mut problem = Problem::new(ProblemType::Malformed, detail).at(field);
    problem.errors = errors;
    problem.into()
}

/// A failure of one host, named by its place.
fn at_host(at: usize, failure: &Failure) -> Failure {
    let mut problem = failure.problem().clone();
    let field = problem.field.take();
    problem.field = Some(match field {
        Some(field) => format!("hosts[{at}].{field}"),
        None => format!("hosts[{at}]"),
    });
    problem.into()
}

#[cfg(test)]
mod tests;
