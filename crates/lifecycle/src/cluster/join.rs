//! Whose turn it is. One function decides; what it grants is kept with the cluster before anybody is told.

use jiff::Timestamp;

use super::{Cluster, Holder, Init, Slot};
use crate::{Role, Stage};

/// Agents that join at the same time.
pub const MAX_AGENTS_AT_ONCE: usize = 50;
/// Seconds after which asking again is worthwhile when it is somebody else's turn.
pub const RETRY_TURN_S: u64 = 15;
/// The same while the server looks at the cluster.
pub const RETRY_LOOKING_S: u64 = 5;

/// A host of the cluster, as its run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The host and its current run.
    pub holder: Holder,
    /// What that run made of it.
    pub role: Role,
    /// Where the run stands.
    pub stage: Stage,
}

impl Member {
    /// Whether its join is not over.
    fn is_on_its_way(&self) -> bool {
        matches!(self.stage, Stage::Networked | Stage::Joining)
    }
}

/// Who asks to join. Its run is networked or joining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeker {
    /// The host and its run.
    pub holder: Holder,
    /// As what.
    pub role: Role,
}

/// What was seen of a cluster from here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// Whether every server that is known was asked for `/cacerts` since the server started, and not long ago.
    pub has_looked: bool,
    /// Servers that answered with the CA that the cluster is known by, or with any while it is known by none. By their
    /// number.
    pub answering: Vec<u64>,
    /// Who answers although nothing is known to run there, in words: a known host by name, or an address of `tls_san`.
    pub others_answering: Vec<String>,
    /// The cluster's API.
    pub api: Api,
}

/// The cluster's API, as far as the one who asks is concerned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Api {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// It does not answer here.
    Unreachable,
    /// It answers.
    Reachable {
        /// Whether no Node object, no password and no etcd member of an earlier installation is left.
        is_clean: bool,
    },
}

/// What a host that asks to join is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Begin the cluster.
    Init(Box<Cluster>),
    /// Join it.
    Join {
        /// The servers to join by, the best one first: their numbers.
        by: Vec<u64>,
        /// The cluster with this join in it.
        next: Box<Cluster>,
    },
    /// Not yet.
    Wait {
        /// Whose turn it is and why, for people.
        why: String,
        /// When to ask again, in seconds.
        retry_after_s: u64,
    },
    /// Never, as this installation.
    Refuse {
        /// Why, for people.
        why: String,
    },
}

fn wait(why: impl Into<String>) -> Decision {
    Decision::Wait {
        why: why.into(),
        retry_after_s: RETRY_TURN_S,
    }
}

fn look(why: impl Into<String>) -> Decision {
    Decision::Wait {
        why: why.into(),
        retry_after_s: RETRY_LOOKING_S,
    }
}

/// The slots of those who are still joining.
#[must_use]
pub fn live_slots(cluster: &Cluster, members: &[Member]) -> Vec<Slot> {
    let is_live = |slot: &&Slot| {
        members
            .iter()
            .any(|member| member.holder.is(&slot.holder) && member.is_on_its_way())
    };
    cluster.slots.iter().filter(is_live).cloned().collect()
}

/// Decides. Nothing is granted before the cluster that comes back is stored, guarded by its version.
#[must_use]
pub fn decide_join(cluster: &Cluster, seeker: &Seeker, members: &[Member], sight: &Sight, now: Timestamp) -> Decision {
    let name = &cluster.spec.name;
    if cluster.revoked.iter().any(|revoked| revoked.is(&seeker.holder)) {
        return Decision::Refuse {
            why: format!(
                "the right to begin {name} was moved after this installation got its join: its disk may hold another cluster, install it again"
            ),
        };
    }
    if cluster.rotating {
        return wait(format!(
            "the tokens of {name} are being changed: finish with `thirdboot cluster rotate-token {name} --finish`"
        ));
    }
    match &cluster.init {
        Init::Granted { to, .. } if to.is(&seeker.holder) => begin(cluster, seeker, members, now),
        Init::Granted { to, .. } if to.host == seeker.holder.host => may_begin(cluster, seeker, members, sight, now),
        Init::Granted { to, .. } => wait(waits_for(cluster, to, members)),
        Init::Reserved { host, .. } if *host == seeker.holder.host => may_begin(cluster, seeker, members, sight, now),
        Init::Reserved { name: chosen, .. } => wait(format!(
            "{chosen} was chosen to begin {name} and has not asked yet: install it, or move the right with `thirdboot cluster move-init {name}`"
        )),
        Init::Open => may_begin(cluster, seeker, members, sight, now),
        Init::Done { by, .. } => {
            let is_beginner = by.as_ref().is_some_and(|by| by.is(&seeker.holder));
            if is_beginner {
                // It began the cluster and is not ready yet: the same answer as before.
                return begin(cluster, seeker, members, now);
            }
            join(cluster, seeker, members, sight, now)
        }
    }
}

/// Why others wait for the one who begins.
fn waits_for(cluster: &Cluster, to: &Holder, members: &[Member]) -> String {
    let cluster = &cluster.spec.name;
    let way_out = format!("or move the right with `thirdboot cluster move-init {cluster}`");
    let member = members.iter().find(|member| member.holder.host == to.host);
    match member {
        Some(member) if member.holder.run == to.run => match member.stage {
            Stage::Networked | Stage::Joining => {
                format!("{} begins {cluster}: the others join once it is ready", to.name)
            }
            Stage::Ready => format!(
                "{} began {cluster} and has not handed in its CA and kubeconfig: hand them in with `thirdboot cluster kubeconfig {cluster} --set FILE`, {way_out}",
                to.name
            ),
            stage => format!(
                "{} may begin {cluster}, and its run {} is {stage}: arm it again, {way_out}",
                to.name, to.run
            ),
        },
        Some(member) => format!(
            "{} begins {cluster}, and is being installed again (run {} is {})",
            to.name, member.holder.run, member.stage
        ),
        None => format!(
            "{} may begin {cluster} and is none of its hosts any more: {way_out}",
            to.name
        ),
    }
}

/// Allows a server to begin, if nothing speaks against it.
fn may_begin(cluster: &Cluster, seeker: &Seeker, members: &[Member], sight: &Sight, now: Timestamp) -> Decision {
    let name = &cluster.spec.name;
    if seeker.role != Role::Server {
        return wait(format!("no server has begun {name} yet: agents join once one is ready"));
    }
    if cluster.in_doubt {
        return wait(format!(
            "the database is an older copy or a foreign one, and {name} may have begun since: hand in its kubeconfig with `thirdboot cluster kubeconfig {name} --set FILE`, or, if it never began, choose who begins it with `thirdboot cluster move-init {name}`"
        ));
    }
    if !sight.has_looked {
        return look(format!("looking whether a server of {name} answers already"));
    }
    let running: Vec<&str> = sight.others_answering.iter().map(String::as_str).collect();
    if !running.is_empty() {
        return wait(format!(
            "{name} was not begun as far as this database knows, and yet {} on port 6443: hand in its kubeconfig with `thirdboot cluster kubeconfig {name} --set FILE`, or switch that off",
            answers(&running)
        ));
    }
    begin(cluster, seeker, members, now)
}

fn answers(who: &[&str]) -> String {
    let verb = if who.len() == 1 { "answers" } else { "answer" };
    format!("{} {verb}", who.join(", "))
}

fn begin(cluster: &Cluster, seeker: &Seeker, members: &[Member], now: Timestamp) -> Decision {
    let mut next = with_slot(cluster, seeker, members, now);
    if !matches!(next.init, Init::Done { .. }) && !is_granted_to(&next, &seeker.holder) {
        next.init = Init::Granted {
            to: seeker.holder.clone(),
            at: now,
        };
    }
    Decision::Init(Box::new(next))
}

fn is_granted_to(cluster: &Cluster, holder: &Holder) -> bool {
    matches!(&cluster.init, Init::Granted { to, .. } if to.is(holder))
}

fn with_slot(cluster: &Cluster, seeker: &Seeker, members: &[Member], now: Timestamp) -> Cluster {
    let mut slots = live_slots(cluster, members);
    if !slots.iter().any(|slot| slot.holder.is(&seeker.holder)) {
        slots.push(Slot {
            holder: seeker.holder.clone(),
            role: seeker.role,
            since: now,
        });
    }
    Cluster {
        slots,
        ..cluster.clone()
    }
}

fn join(cluster: &Cluster, seeker: &Seeker, members: &[Member], sight: &Sight, now: Timestamp) -> Decision {
    let name = &cluster.spec.name;
    let by = servers(seeker, members, sight);
    if by.is_empty() {
        return wait(no_server(cluster, members));
    }
    let slots = live_slots(cluster, members);
    if !slots.iter().any(|slot| slot.holder.is(&seeker.holder)) {
        let joining = |role: Role| slots.iter().filter(move |slot| slot.role == role);
        if seeker.role == Role::Server
            && let Some(other) = joining(Role::Server).next()
        {
            return wait(format!(
                "{} joins {name} at the moment: servers join one at a time, since etcd takes one new member at a time",
                other.holder.name
            ));
        }
        if seeker.role == Role::Agent && joining(Role::Agent).count() >= MAX_AGENTS_AT_ONCE {
            return wait(format!(
                "{MAX_AGENTS_AT_ONCE} agents join {name} at the moment: the next ones follow"
            ));
        }
        match sight.api {
            Api::Unknown => return look(format!("looking whether the API of {name} answers")),
            Api::Reachable { is_clean: false } => {
                return look(format!(
                    "removing what an earlier installation of {} left in {name}: Node object, node password, etcd member",
                    seeker.holder.name
                ));
            }
            // What cannot be seen from here cannot be removed from here: the node's own word has to do.
            Api::Unreachable | Api::Reachable { is_clean: true } => {}
        }
    }
    Decision::Join {
        by,
        next: Box::new(with_slot(cluster, seeker, members, now)),
    }
}

/// The servers to join by: those that answer first, then those that were ready when they last spoke.
fn servers(seeker: &Seeker, members: &[Member], sight: &Sight) -> Vec<u64> {
    let is_other = |host: u64| host != seeker.holder.host;
    let answers = |host: &u64| sight.answering.contains(host);
    let (mut ready, answering): (Vec<&Member>, Vec<u64>) = (
        members
            .iter()
            .filter(|member| {
                member.role == Role::Server && member.stage == Stage::Ready && is_other(member.holder.host)
            })
            .collect(),
        sight.answering.iter().copied().filter(|host| is_other(*host)).collect(),
    );
    ready.sort_by(|a, b| {
        let key = |member: &Member| (!answers(&member.holder.host), member.holder.name.clone());
        key(a).cmp(&key(b))
    });
    let mut by: Vec<u64> = ready.iter().map(|member| member.holder.host).collect();
    // A server that is being joined through must not be on its way itself; one that this database lost sight of may do.
    let is_on_its_way = |host: &u64| {
        members
            .iter()
            .any(|member| member.holder.host == *host && !member.stage.is_end())
    };
    by.extend(
        answering
            .into_iter()
            .filter(|host| !ready.iter().any(|member| member.holder.host == *host))
            .filter(|host| !is_on_its_way(host)),
    );
    by
}

/// Why there is nobody to join by.
fn no_server(cluster: &Cluster, members: &[Member]) -> String {
    let name = &cluster.spec.name;
    let on_its_way = members
        .iter()
        .find(|member| member.role == Role::Server && member.is_on_its_way() && has_slot(cluster, member));
    match on_its_way {
        Some(member) => format!(
            "{} is about to be ready in {name}: the others join by it",
            member.holder.name
        ),
        None => format!(
            "{name} was begun, and none of its servers is ready: bring one back, or, if the cluster is lost for good, begin it anew with `thirdboot cluster move-init {name}`"
        ),
    }
}

fn has_slot(cluster: &Cluster, member: &Member) -> bool {
    cluster.slots.iter().any(|slot| slot.holder.is(&member.holder))
}
