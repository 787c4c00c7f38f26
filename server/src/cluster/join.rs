//! A host asks to join: decided on what is stored and seen, stored if nobody was faster, and only then told.

use jiff::SignedDuration;
use thirdboot_api::boot::JoinAnswer;
use thirdboot_api::{Problem, ProblemType};
use thirdboot_lifecycle::{BootId, ClusterName, Decision, Holder, Member, Run, Seeker, decide_join};
use thirdboot_store::{ClusterError, ClusterState, HostState, Submission};

use super::material::{Way, has_binary, material};
use super::{open_tokens, place};
use crate::App;
use crate::assets::AssetError;
use crate::problem::Failure;

/// How often a decision is made anew when somebody else was faster. Fifty agents may ask at the same moment.
const MAX_TRIES: u32 = 100;
/// Asking again is written down this often.
const ASKED_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// The member that a host's current run makes it.
pub(crate) fn member(state: &HostState) -> Option<Member> {
    let run = state.run.as_ref()?;
    Some(Member {
        holder: holder(state, run),
        role: run.role,
        stage: run.stage,
    })
}

fn holder(state: &HostState, run: &Run) -> Holder {
    Holder {
        host: state.id.0,
        name: state.host.name.clone(),
        run: run.number,
    }
}

/// What this host is told, whose run is networked or joining.
pub(crate) async fn seat(
    app: &App,
    state: &HostState,
    run: &Run,
    boot_id: &BootId,
    name: &ClusterName,
    is_secure: bool,
) -> Result<JoinAnswer, Failure> {
    for _ in 0..MAX_TRIES {
        match attempt(app, state, run, name, is_secure).await? {
            Outcome::Told(answer) => {
                let submission = Submission::JoinHandedOut {
                    run: run.number,
                    boot_id: boot_id.clone(),
                };
                app.store.submit(state.id, submission).await?;
                // The right may have been moved since it was decided: then what was decided is void.
                let now = app.store.cluster(name).await?.ok_or_else(Failure::not_found)?;
                let asker = holder(state, run);
                if now.cluster.revoked.iter().any(|gone| gone.is(&asker)) {
                    let why = "the right to begin this cluster was moved: arm this host again";
                    return Err(Failure::new(ProblemType::Refused, why));
                }
                return Ok(*answer);
            }
            Outcome::Wait { why, retry_after_s } => {
                note_wait(app, state, run, &why).await?;
                return Err(Problem::new(ProblemType::NotYet, why).retry_after(retry_after_s).into());
            }
            Outcome::TooSlow => {}
        }
    }
    Err(Problem::new(ProblemType::NotYet, "many hosts join at this moment")
        .retry_after(1)
        .into())
}

enum Outcome {
    Told(Box<JoinAnswer>),
    Wait { why: String, retry_after_s: u64 },
    TooSlow,
}

impl Outcome {
    fn wait(why: impl Into<String>) -> Self {
        Self::Wait {
            why: why.into(),
            retry_after_s: thirdboot_lifecycle::RETRY_TURN_S,
        }
    }
}

async fn attempt(
    app: &App,
    state: &HostState,
    run: &Run,
    name: &ClusterName,
    is_secure: bool,
) -> Result<Outcome, Failure> {
    let Some(kept) = app.store.cluster(name).await? else {
        return Ok(Outcome::wait(format!(
            "there is no cluster {name}: describe it with `thirdboot cluster add {name}`"
        )));
    };
    let spec = &kept.cluster.spec;
    if !is_secure && !spec.insecure_join {
        return Ok(Outcome::wait(format!(
            "tokens of {name} are not handed out over plain HTTP: serve the boot plane over HTTPS, or allow it for this cluster (insecure_join)"
        )));
    }
    let here = match place(spec, &state.host, run) {
        Ok(place) => place,
        // Its network was fixed when it was installed.
        Err(why) => return Err(Failure::new(ProblemType::Refused, why)),
    };
    if let Some(why) = lacks_binary(app, &kept, state).await? {
        return Ok(Outcome::wait(why));
    }
    let hosts = app.store.hosts_of(name).await?;
    let members: Vec<Member> = hosts.iter().filter_map(member).collect();
    let seeker = Seeker {
        holder: holder(state, run),
        role: run.role,
    };
    let sight = app.clusters.sight(name, &seeker.holder);
    let (next, way) = match decide_join(&kept.cluster, &seeker, &members, &sight, app.store.now()) {
        Decision::Wait { why, retry_after_s } => {
            app.look_at_clusters.notify_one();
            return Ok(Outcome::Wait { why, retry_after_s });
        }
        Decision::Refuse { why } => return Err(Failure::new(ProblemType::Refused, why)),
        Decision::Init(next) => (next, Way::First),
        Decision::Join { by, next } => match address_of(&kept, &hosts, &by) {
            Some(address) => (next, Way::By(address)),
            None => return Ok(Outcome::wait(format!("no server of {name} has an address to join by"))),
        },
    };
    let tokens = open_tokens(&app.secrets, name, &kept.tokens)?;
    let begins = next.init != kept.cluster.init;
    if *next != kept.cluster {
        let changed = ClusterState {
            cluster: *next.clone(),
            ..kept
        };
        match app.store.save_cluster(changed, begins).await {
            Ok(_) => {}
            Err(ClusterError::Outdated { .. }) => return Ok(Outcome::TooSlow),
            Err(error) => return Err(error.into()),
        }
        if begins {
            tracing::info!(cluster = %name, host = %state.host.name, run = %run.number, "may begin the cluster");
        }
    }
    let answer = material(app, state, run, &next, &tokens, &here, way);
    Ok(Outcome::Told(Box::new(answer)))
}

/// The first of these servers that has an address.
fn address_of(kept: &ClusterState, hosts: &[HostState], by: &[u64]) -> Option<std::net::IpAddr> {
    by.iter().find_map(|number| {
        let host = hosts.iter().find(|host| host.id.0 == *number)?;
        let there = place(&kept.cluster.spec, &host.host, host.run.as_ref()?).ok()?;
        there.node_ips.first().copied()
    })
}

/// Why the binary cannot be had, if so: better said here than by a download that fails.
async fn lacks_binary(app: &App, kept: &ClusterState, state: &HostState) -> Result<Option<String>, Failure> {
    let spec = &kept.cluster.spec;
    if let Err(why) = has_binary(spec, &state.host) {
        return Ok(Some(why));
    }
    let Some(binary) = spec
        .k3s
        .binaries
        .get(&state.host.arch)
        .filter(|binary| binary.url.is_none())
    else {
        return Ok(None);
    };
    match app.assets.k3s(state.host.arch, &spec.k3s.version, &binary.sha256).await {
        Ok(_) => Ok(None),
        Err(AssetError::Checking) => Ok(Some("the k3s binary is being checked".to_owned())),
        Err(AssetError::Io { .. }) => Ok(Some(format!(
            "no file in the assets has the sha256 of {}'s k3s binary for {}: add it with `thirdboot assets add URL --sha256 {}`",
            spec.name,
            state.host.arch.as_str(),
            binary.sha256
        ))),
        Err(error) => Ok(Some(format!("the k3s binary cannot be served: {error}"))),
    }
}

/// Written down when it is something new, and once a minute.
async fn note_wait(app: &App, state: &HostState, run: &Run, why: &str) -> Result<(), Failure> {
    let known = run
        .evidence
        .join_wait
        .as_ref()
        .is_some_and(|wait| wait.why == why && app.store.now().duration_since(wait.asked_at) < ASKED_EVERY);
    if known {
        return Ok(());
    }
    let submission = Submission::JoinWaits {
        run: run.number,
        why: why.to_owned(),
    };
    app.store.submit(state.id, submission).await?;
    Ok(())
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Store(error) => error.into(),
            ClusterError::NoSuchCluster => Self::new(ProblemType::NotFound, "there is no such cluster"),
            ClusterError::Outdated { .. } => Self::new(ProblemType::Changed, error.to_string()),
            ClusterError::InUse(_) => Self::new(ProblemType::Refused, error.to_string()),
        }
    }
}
