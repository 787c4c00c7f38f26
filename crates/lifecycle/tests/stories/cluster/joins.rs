//! Whose turn it is to join.

use thirdboot_lifecycle::*;

use super::*;

fn clean() -> Sight {
    Sight {
        api: Api::Reachable { is_clean: true },
        ..quiet()
    }
}

#[test]
fn nobody_joins_before_a_server_is_ready() {
    let members = [
        server(1, Stage::Joining),
        server(2, Stage::Networked),
        member(3, Role::Agent, Stage::Networked),
    ];
    for host in [2, 3] {
        waits(ask(&begun(), host, &members, &clean()), "n1 is about to be ready");
    }
}

#[test]
fn servers_join_one_at_a_time() {
    let mut members = [
        server(1, Stage::Ready),
        server(2, Stage::Networked),
        server(3, Stage::Networked),
    ];
    let (by, next) = joins(ask(&begun(), 2, &members, &clean()));
    assert_eq!(by, [1]);
    waits(ask(&next, 3, &members, &clean()), "n2 joins prod at the moment");
    assert_eq!(joins(ask(&next, 2, &members, &clean())).1, next, "re-readable");
    for over in [Stage::Ready, Stage::Failed, Stage::Cancelled] {
        members[1].stage = over;
        joins(ask(&next, 3, &members, &clean()));
    }
}

#[test]
fn a_run_that_was_replaced_holds_nobody_up() {
    let members = [
        server(1, Stage::Ready),
        server(2, Stage::Networked),
        server(3, Stage::Networked),
    ];
    let (_, next) = joins(ask(&begun(), 2, &members, &clean()));
    let mut later = members;
    later[1].holder.run = RunNumber(2);
    later[1].stage = Stage::Armed;
    let (_, next) = joins(ask(&next, 3, &later, &clean()));
    assert_eq!(next.slots.len(), 1);
}

#[test]
fn fifty_agents_join_at_once_beside_a_server() {
    let agents = (10..70).map(|host| member(host, Role::Agent, Stage::Networked));
    let members: Vec<Member> = [server(1, Stage::Ready), server(2, Stage::Networked)]
        .into_iter()
        .chain(agents)
        .collect();
    let (_, mut cluster) = joins(ask(&begun(), 2, &members, &clean()));
    for host in 10..60 {
        cluster = joins(ask(&cluster, host, &members, &clean())).1;
    }
    waits(
        ask(&cluster, 60, &members, &clean()),
        "50 agents join prod at the moment",
    );
    let mut one_is_ready = members;
    one_is_ready[5].stage = Stage::Ready;
    joins(ask(&cluster, 60, &one_is_ready, &clean()));
}

#[test]
fn a_server_that_answers_is_joined_by_before_one_that_does_not() {
    let members = [
        server(1, Stage::Ready),
        server(2, Stage::Ready),
        server(3, Stage::Networked),
    ];
    let sight = Sight {
        answering: vec![2],
        ..clean()
    };
    assert_eq!(joins(ask(&begun(), 3, &members, &sight)).0, [2, 1]);
    assert_eq!(joins(ask(&begun(), 3, &members, &clean())).0, [1, 2]);
}

#[test]
fn what_an_earlier_installation_left_goes_first() {
    let members = [server(1, Stage::Ready), server(2, Stage::Networked)];
    let sight = |api| Sight { api, ..quiet() };
    waits(ask(&begun(), 2, &members, &sight(Api::Unknown)), "looking");
    waits(
        ask(&begun(), 2, &members, &sight(Api::Reachable { is_clean: false })),
        "removing what an earlier",
    );
    joins(ask(&begun(), 2, &members, &sight(Api::Unreachable)));
    // Once its join was handed out nothing is removed any more: the node may be there.
    let (_, next) = joins(ask(&begun(), 2, &members, &clean()));
    joins(ask(&next, 2, &members, &sight(Api::Reachable { is_clean: false })));
}

#[test]
fn nobody_joins_while_tokens_are_changed() {
    let cluster = Cluster {
        rotating: true,
        ..begun()
    };
    let members = [server(1, Stage::Ready), server(2, Stage::Networked)];
    waits(ask(&cluster, 2, &members, &clean()), "--finish");
}
