//! `thirdboot_provision`: arms a host, and waits until it is really where it is to be.

mod disk;
mod schema;
mod stages;
mod wait;

use thirdboot_api::control::{ArmBody, RunView};
use thirdboot_api::{Client, StageName};
use thirdboot_terraform_plugin::{Call, Change, Diagnostics, Object, Path, Resource, Schema, Value, async_trait};

use crate::site::Site;
use crate::told::{missing, told};
use wait::{Ended, Wait};

/// A server that went away while a host was armed is looked for so often.
const LOOKS_WHEN_AWAY: u32 = 5;

/// The resource.
#[derive(Debug)]
pub(crate) struct Provision(pub(crate) Site);

#[async_trait]
impl Resource for Provision {
    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, config: &Object, found: &mut Diagnostics) {
        if config["run"].is_null() {
            return;
        }
        for name in ["triggers", "disk", "wipe", "permit_ttl"] {
            if !config[name].is_null() && !config[name].is_unknown() {
                found.add_error(
                    Path::attribute(name),
                    "A run that is waited for is armed elsewhere",
                    format!("With `run` nothing is armed here: `{name}` belongs to what arms it."),
                );
            }
        }
    }

    async fn plan(&self, call: &mut Call, change: &mut Change) -> Result<(), Diagnostics> {
        let work = Work::of(change);
        let before = |name: &str| change.prior.as_ref().map_or(Value::Null, |prior| prior[name].clone());
        let mut planned = vec![("id", change.planned["host"].clone())];
        match work {
            Work::Arm => {
                let (disk, wipes) = self.announced(call, change).await?;
                planned.extend([("disk", disk), ("wipes", wipes), ("run", Value::Unknown)]);
            }
            // Nothing is armed: what the run is to wipe was told when it was.
            Work::None | Work::Wait => {
                let run = match &change.config["run"] {
                    Value::Null => before("run"),
                    run => run.clone(),
                };
                planned.extend([("disk", before("disk")), ("wipes", before("wipes")), ("run", run)]);
            }
        }
        let stage = match work {
            Work::None => before("stage"),
            Work::Arm | Work::Wait => Value::Unknown,
        };
        planned.push(("stage", stage));
        let planned = planned.into_iter().map(|(name, value)| (name.to_owned(), value));
        change.planned.extend(planned);
        Ok(())
    }

    async fn create(&self, call: &mut Call, change: &Change) -> Result<Object, Diagnostics> {
        let client = self.0.client()?;
        let host = text(&change.planned, "host");
        let run = match Work::of(change) {
            Work::None | Work::Wait => change.planned["run"].as_u64().unwrap_or_default(),
            Work::Arm => match under_way(client, host).await? {
                // Armed by somebody, or by an apply that did not see its end: nothing more is allowed than was then.
                Some(run) => {
                    call.warn(
                        Path::attribute("host"),
                        format!("Run {run} of {host} was under way"),
                        "It was armed before: this apply waits for it and arms nothing.",
                    );
                    run
                }
                None => arm(client, change).await?,
            },
        };
        self.wait(call, client, change, run).await
    }

    async fn read(&self, _: &mut Call, state: &Object) -> Result<Option<Object>, Diagnostics> {
        let host = text(state, "host");
        let answer = self.0.client()?.host(host).await;
        let Some(view) = self
            .0
            .found(answer, &format!("The host {host} cannot be looked at"))
            .await?
        else {
            return Ok(None);
        };
        let mut state = state.clone();
        if let Some(run) = view
            .run
            .filter(|run| state["run"].as_u64() == Some(u64::from(run.number)))
        {
            state.insert("stage".to_owned(), run.stage.as_str().into());
        }
        Ok(Some(state))
    }

    async fn update(&self, call: &mut Call, prior: &Object, change: &Change) -> Result<Object, Diagnostics> {
        let client = self.0.client()?;
        match Work::of(change) {
            Work::None => Ok(change.planned.clone()),
            Work::Wait => {
                let run = change.planned["run"].as_u64().or(prior["run"].as_u64());
                self.wait(call, client, change, run.unwrap_or_default()).await
            }
            Work::Arm => {
                let run = arm(client, change).await?;
                self.wait(call, client, change, run).await
            }
        }
    }

    async fn delete(&self, _: &mut Call, _: &Object) -> Result<(), Diagnostics> {
        // The machine stays what it is, and a run that is under way goes on.
        Ok(())
    }

    async fn import(&self, _: &mut Call, id: &str) -> Result<Object, Diagnostics> {
        let host = id.trim();
        let answer = self.0.client()?.host(host).await;
        let found = self
            .0
            .found(answer, &format!("The host {host} cannot be imported"))
            .await?;
        let view = found.ok_or_else(|| missing(Path::root(), "host", host))?;
        let run = view.run.ok_or_else(|| {
            Diagnostics::error(
                Path::root(),
                format!("The host {host} was never provisioned"),
                "There is no run to import: let Terraform make the resource.",
            )
        })?;
        let mut state = schema::defaults();
        for (name, value) in [
            ("id", Value::from(host)),
            ("host", host.into()),
            ("run", u64::from(run.number).into()),
            ("stage", run.stage.as_str().into()),
            ("wipes", "nothing: it was imported".into()),
        ] {
            state.insert(name.to_owned(), value);
        }
        Ok(state)
    }
}

/// What a change makes necessary.
enum Work {
    /// Nothing on the server.
    None,
    /// Wait for a run that is there.
    Wait,
    /// Arm, and wait for that run.
    Arm,
}

impl Work {
    fn of(change: &Change) -> Self {
        let is_armed_elsewhere = !change.config["run"].is_null();
        let Some(prior) = &change.prior else {
            return if is_armed_elsewhere { Self::Wait } else { Self::Arm };
        };
        let is_same = |name: &str| prior[name] == change.planned[name];
        let stage = StageName::from(text(prior, "stage"));
        let is_there = stages::is_reached(&stage, text(&change.planned, "wait_for"));
        if is_armed_elsewhere {
            let is_same_run = prior["run"] == change.config["run"];
            return if is_same_run && is_there {
                Self::None
            } else {
                Self::Wait
            };
        }
        let is_over = matches!(stage, StageName::Failed | StageName::Cancelled);
        match (is_same("triggers"), is_there) {
            (false, _) => Self::Arm,
            // It failed after an earlier apply left it.
            (true, false) if is_over => Self::Arm,
            (true, false) => Self::Wait,
            (true, true) => Self::None,
        }
    }
}

impl Provision {
    /// Says what will be wiped, as far as is known: the disk that the permit will name, and a sentence. Terraform plans once
    /// more while it applies, and takes no other answer then: what may still change is unknown.
    async fn announced(&self, call: &mut Call, change: &Change) -> Result<(Value, Value), Diagnostics> {
        let said = &change.config["disk"];
        let Some(host) = change.planned["host"].as_str() else {
            let disk = if said.is_null() { Value::Unknown } else { said.clone() };
            return Ok((disk, Value::Unknown));
        };
        let view = match self.0.client_if_known() {
            None => None,
            Some(client) => {
                let summary = format!("The host {host} cannot be looked at");
                self.0.found(client.host(host).await, &summary).await?
            }
        };
        let described = view.as_ref().and_then(|view| view.install.disk.as_deref());
        let disk = said.as_str().or(described.filter(|_| said.is_null()));
        let wipes = disk::wipes(disk, &change.config["wipe"], view.is_some(), host);
        call.warn(
            Path::attribute("host"),
            format!("{host} will be wiped and installed"),
            format!("Wiped is {wipes}."),
        );
        Ok(match disk {
            Some(disk) if change.config["wipe"].is_wholly_known() => (disk.into(), wipes.into()),
            Some(disk) => (disk.into(), Value::Unknown),
            None => (Value::Unknown, Value::Unknown),
        })
    }

    async fn wait(&self, call: &mut Call, client: &Client, change: &Change, run: u64) -> Result<Object, Diagnostics> {
        let host = text(&change.planned, "host");
        let at = |stage: &StageName| {
            let mut there = change.planned.clone();
            if there["wipes"].is_unknown() {
                let disk = there["disk"].as_str();
                there.insert("wipes".to_owned(), disk::wipes(disk, &there["wipe"], true, host).into());
            }
            for (name, value) in [
                ("id", Value::from(host)),
                ("run", run.into()),
                ("stage", stage.as_str().into()),
            ] {
                there.insert(name.to_owned(), value);
            }
            there
        };
        call.keep(at(&StageName::Armed));
        let wait = Wait::of(&change.planned, host, run)?;
        match wait.run(client, &mut call.stop).await {
            Ended::Reached(stage) => Ok(at(&stage)),
            Ended::Stopped(stage) => {
                call.warn(
                    Path::attribute("host"),
                    format!("The wait for {host} was interrupted"),
                    format!(
                        "Run {run} of {host} is {stage} and goes on. The next apply waits for it again, and arms nothing."
                    ),
                );
                Ok(at(&stage))
            }
            Ended::Failed(stage, found) => {
                if let Some(stage) = stage {
                    call.keep(at(&stage));
                }
                Err(found)
            }
        }
    }
}

/// A host's last run, if it has any.
async fn last_run(client: &Client, host: &str) -> Result<Option<RunView>, Diagnostics> {
    let view = client.host(host).await;
    let view = view.map_err(|error| told(&error, None, &format!("The host {host} cannot be provisioned")))?;
    Ok(view.run)
}

/// The number of a host's run that is under way and installs.
async fn under_way(client: &Client, host: &str) -> Result<Option<u64>, Diagnostics> {
    let run = last_run(client, host).await?;
    let run = run.filter(|run| !run.stage.is_end() && !run.inspect);
    Ok(run.map(|run| u64::from(run.number)))
}

/// Allows the machine to be wiped, once. The answer is the run's number. When the answer was lost, the host itself is asked
/// whether it was armed.
async fn arm(client: &Client, change: &Change) -> Result<u64, Diagnostics> {
    let planned = &change.planned;
    let host = text(planned, "host");
    let wipe = planned["wipe"].as_list().unwrap_or_default().iter();
    let body = ArmBody {
        ttl_s: wait::seconds(planned, "permit_ttl")?,
        disk: planned["disk"].as_str().map(str::to_owned),
        wipe: wipe.filter_map(|disk| disk.as_str().map(str::to_owned)).collect(),
        ..ArmBody::confirming(host)
    };
    let before = last_run(client, host).await?.map_or(0, |run| run.number);
    let mut error = match client.arm(host, &body).await {
        Ok(view) => return number(view.run),
        Err(error) => error,
    };
    for _ in 0..LOOKS_WHEN_AWAY {
        if !error.is_passing() {
            break;
        }
        tokio::time::sleep(wait::PAUSE_WHEN_AWAY).await;
        match client.host(host).await {
            Ok(view) if view.run.as_ref().is_some_and(|run| run.number > before) => return number(view.run),
            Ok(_) => match client.arm(host, &body).await {
                Ok(view) => return number(view.run),
                Err(again) => error = again,
            },
            Err(again) => error = again,
        }
    }
    let mut found = told(
        &error,
        Some(&schema::schema()),
        &format!("The host {host} cannot be provisioned"),
    );
    for one in found.0.iter_mut().filter(|one| one.path.is_root()) {
        one.path = Path::attribute("host");
    }
    Err(found)
}

fn number(run: Option<RunView>) -> Result<u64, Diagnostics> {
    run.map(|run| u64::from(run.number)).ok_or_else(|| {
        Diagnostics::error(
            Path::attribute("host"),
            "The server's answer cannot be read",
            "The host was armed and has no run.",
        )
    })
}

fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}
