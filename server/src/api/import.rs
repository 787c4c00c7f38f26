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
        detail: problem.detail.clone().unwrap_or_else(|| problem.title.clone()),
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
mod tests {
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    const PATH: &str = "/api/v1/import";

    async fn names(site: &TestApp) -> Vec<Value> {
        let page = site.api_get("/api/v1/hosts").await.json();
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|host| host["name"].clone())
            .collect()
    }

    #[tokio::test]
    async fn an_inventory_creates_and_updates_and_says_so_before() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        site.host("a2", 2).await;
        let mut changed = TestApp::described("a2", 2);
        changed["labels"] = json!({"rack": "r7"});
        let hosts = json!([TestApp::described("a1", 1), changed, TestApp::described("a3", 3)]);
        let dry = site
            .api_post(PATH, &json!({"hosts": hosts, "dry_run": true}))
            .await
            .json();
        let done: Vec<_> = dry["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|host| host["action"].clone())
            .collect();
        assert_eq!(done, ["unchanged", "update", "create"]);
        assert_eq!(dry["hosts"][1]["changes"], json!(["labels"]));
        assert_eq!(names(&site).await, ["a1", "a2"]);

        let wet = site.api_post(PATH, &json!({"hosts": hosts})).await.json();
        assert_eq!((&wet["hosts"], &wet["dry_run"]), (&dry["hosts"], &json!(false)));
        assert_eq!(names(&site).await, ["a1", "a2", "a3"]);
        assert_eq!(site.api_get("/api/v1/hosts/a2").await.json()["labels"]["rack"], "r7");
        let again = site.api_post(PATH, &json!({"hosts": hosts})).await.json();
        assert!(
            again["hosts"]
                .as_array()
                .unwrap()
                .iter()
                .all(|host| host["action"] == "unchanged"),
            "{again}"
        );
    }

    #[tokio::test]
    async fn what_a_file_does_not_know_stays() {
        let site = TestApp::new().await;
        site.host_with(
            "a1",
            1,
            json!({"serial": "S1", "console_password_hash": "$6$salt$hashhashhash"}),
        )
        .await;
        site.armed("a2", 2).await;
        let run = site.state("a2").await.run;
        let mut a2 = TestApp::described("a2", 2);
        a2["packages"] = json!(["htop"]);
        let imported = site
            .api_post(PATH, &json!({"hosts": [TestApp::described("a1", 1), a2]}))
            .await;
        assert_eq!(imported.status, 200, "{}", imported.text());
        let a1 = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(
            (&a1["serial"], &a1["has_console_password"]),
            (&json!("S1"), &json!(true))
        );
        assert_eq!(site.state("a2").await.run, run);
    }

    #[tokio::test]
    async fn every_field_at_fault_is_named_and_nothing_is_done() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let mut wrong_mac = TestApp::described("b1", 4);
        wrong_mac["macs"] = json!(["zz"]);
        let hosts = json!([
            TestApp::described("b0", 3),
            wrong_mac,
            TestApp::described("b2", 3),
            TestApp::described("b3", 1),
            TestApp::described("B_4", 5),
        ]);
        let reply = site.api_post(PATH, &json!({"hosts": hosts})).await;
        assert_eq!(reply.problem(), (422, "malformed".into(), "hosts[1].macs[0]".into()));
        let problem = reply.json();
        let fields: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].clone())
            .collect();
        assert_eq!(
            fields,
            ["hosts[1].macs[0]", "hosts[2].macs", "hosts[3].macs", "hosts[4].name"]
        );
        assert_eq!(names(&site).await, ["a1"]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_named_by_its_place() {
        let site = TestApp::new().await;
        let reply = site
            .api_post(PATH, &json!({"hosts": [{"name": "a1"}, {"name": "a2", "mac": []}]}))
            .await;
        assert_eq!(reply.problem().2, "hosts[1].mac");
        assert_eq!(
            site.api_post(PATH, &json!({"hosts": [], "force": true}))
                .await
                .problem()
                .2,
            "force"
        );
        let many: Vec<Value> = (0..10_001).map(|n| json!({"name": format!("h{n}")})).collect();
        assert_eq!(site.api_post(PATH, &json!({"hosts": many})).await.problem().2, "hosts");
        assert_eq!(names(&site).await, Vec::<Value>::new());
    }

    #[tokio::test]
    async fn a_thousand_hosts_go_in_at_once() {
        let site = TestApp::new().await;
        let hosts: Vec<Value> = (0..1000_u32)
            .map(|n| json!({"name": format!("h{n}"), "macs": [format!("02:00:00:00:{:02x}:{:02x}", n / 256, n % 256)]}))
            .collect();
        assert_eq!(site.api_post(PATH, &json!({"hosts": hosts})).await.status, 200);
        assert_eq!(names(&site).await.len(), 100);
        assert!(site.api_get("/api/v1/hosts/h999").await.status == 200);
    }
}
