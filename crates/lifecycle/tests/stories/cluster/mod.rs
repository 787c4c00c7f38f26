//! A cluster is begun once, and joined in turn.

mod begins;
mod joins;
mod never_twice;

use serde_json::json;
use thirdboot_lifecycle::*;

use crate::story::t0;

pub(crate) const CA: &str = "caca";

pub(crate) fn cluster() -> Cluster {
    let spec = json!({"name": "prod", "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": "ab".repeat(32)}}}});
    Cluster::new(serde_json::from_value(spec).unwrap())
}

pub(crate) fn holder(host: u64, run: u32) -> Holder {
    Holder {
        host,
        name: format!("n{host}").parse().unwrap(),
        run: RunNumber(run),
    }
}

pub(crate) fn member(host: u64, role: Role, stage: Stage) -> Member {
    Member {
        holder: holder(host, 1),
        role,
        stage,
    }
}

pub(crate) fn server(host: u64, stage: Stage) -> Member {
    member(host, Role::Server, stage)
}

/// Everybody was asked, nobody answers, and the API is out of reach: a VLAN that cannot be reached from here.
pub(crate) fn quiet() -> Sight {
    Sight {
        has_looked: true,
        api: Api::Unreachable,
        ..Sight::default()
    }
}

pub(crate) fn ask(cluster: &Cluster, host: u64, members: &[Member], sight: &Sight) -> Decision {
    let member = members.iter().find(|member| member.holder.host == host).unwrap();
    let seeker = Seeker {
        holder: member.holder.clone(),
        role: member.role,
    };
    decide_join(cluster, &seeker, members, sight, t0())
}

#[track_caller]
pub(crate) fn waits(decision: Decision, why: &str) {
    let Decision::Wait { why: said, .. } = decision else {
        panic!("{decision:?}")
    };
    assert!(said.contains(why), "{said}");
}

#[track_caller]
pub(crate) fn begins(decision: Decision) -> Cluster {
    let Decision::Init(next) = decision else {
        panic!("{decision:?}")
    };
    *next
}

#[track_caller]
pub(crate) fn joins(decision: Decision) -> (Vec<u64>, Cluster) {
    let Decision::Join { by, next } = decision else {
        panic!("{decision:?}")
    };
    (by, *next)
}

/// Begun by host 1, which is ready.
pub(crate) fn begun() -> Cluster {
    let members = [server(1, Stage::Networked)];
    let granted = begins(ask(&cluster(), 1, &members, &quiet()));
    hand_in(&granted, &holder(1, 1), CA, t0()).unwrap()
}
