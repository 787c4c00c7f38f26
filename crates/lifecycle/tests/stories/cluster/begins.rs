//! Who may begin a cluster.

use thirdboot_lifecycle::*;

use super::*;

#[test]
fn the_first_server_that_asks_begins_and_the_others_wait_for_it() {
    let members = [
        server(1, Stage::Networked),
        server(2, Stage::Networked),
        member(3, Role::Agent, Stage::Networked),
    ];
    waits(ask(&cluster(), 3, &members, &quiet()), "no server has begun");
    let next = begins(ask(&cluster(), 1, &members, &quiet()));
    waits(ask(&next, 2, &members, &quiet()), "n1 begins prod");
    waits(ask(&next, 3, &members, &quiet()), "n1 begins prod");
    // Re-readable, and nothing changes by it.
    assert_eq!(begins(ask(&next, 1, &members, &quiet())), next);
}

#[test]
fn nobody_begins_before_everybody_known_was_asked() {
    let members = [server(1, Stage::Networked), server(2, Stage::Ready)];
    waits(ask(&cluster(), 1, &members, &Sight::default()), "looking whether");
    let sight = Sight {
        others_answering: vec!["n2".into()],
        ..quiet()
    };
    waits(ask(&cluster(), 1, &members, &sight), "n2 answers on port 6443");
}

#[test]
fn the_holder_hands_in_once_and_nobody_else_does() {
    let granted = begins(ask(&cluster(), 1, &[server(1, Stage::Networked)], &quiet()));
    assert!(hand_in(&cluster(), &holder(1, 1), CA, t0()).is_err());
    assert!(hand_in(&granted, &holder(2, 1), CA, t0()).is_err());
    assert!(hand_in(&granted, &holder(1, 2), CA, t0()).is_err());
    let done = hand_in(&granted, &holder(1, 1), CA, t0()).unwrap();
    assert_eq!(done.ca_sha256(), Some(CA));
    let again = hand_in(&done, &holder(1, 1), "other", t0()).unwrap_err();
    assert_eq!(again.to_string(), "it was handed in before");
}

#[test]
fn a_first_server_that_died_half_way_begins_again_after_its_next_install() {
    let granted = begins(ask(&cluster(), 1, &[server(1, Stage::Networked)], &quiet()));
    let failed = [server(1, Stage::Failed), server(2, Stage::Networked)];
    waits(
        ask(&granted, 2, &failed, &quiet()),
        "its run 1 is failed: arm it again, or move the right",
    );
    let again = Member {
        holder: holder(1, 2),
        ..server(1, Stage::Networked)
    };
    waits(
        ask(&granted, 2, &[again.clone(), failed[1].clone()], &quiet()),
        "being installed again",
    );
    waits(
        ask(&granted, 1, std::slice::from_ref(&again), &Sight::default()),
        "looking",
    );
    let next = begins(ask(&granted, 1, &[again], &quiet()));
    assert!(matches!(&next.init, Init::Granted { to, .. } if to.run == RunNumber(2)));
    assert!(
        hand_in(&next, &holder(1, 1), CA, t0()).is_err(),
        "the disk it speaks of is wiped"
    );
}

#[test]
fn a_first_server_that_is_installed_again_joins_its_own_cluster() {
    let again = Member {
        holder: holder(1, 2),
        ..server(1, Stage::Networked)
    };
    let (by, _) = joins(ask(&begun(), 1, &[again.clone(), server(2, Stage::Ready)], &quiet()));
    assert_eq!(by, [2]);
    waits(ask(&begun(), 1, &[again], &quiet()), "none of its servers is ready");
}

#[test]
fn an_admin_moves_the_right_and_the_old_holder_is_out() {
    let granted = begins(ask(&cluster(), 1, &[server(1, Stage::Networked)], &quiet()));
    let moved = move_init(&granted, 2, &"n2".parse().unwrap()).unwrap();
    let members = [server(1, Stage::Joining), server(2, Stage::Networked)];
    assert!(matches!(ask(&moved, 1, &members, &quiet()), Decision::Refuse { .. }));
    let late = hand_in(&moved, &holder(1, 1), CA, t0()).unwrap_err();
    assert!(late.to_string().contains("no init grant"), "{late}");
    let sight = Sight {
        others_answering: vec!["n1".into()],
        ..quiet()
    };
    waits(ask(&moved, 2, &members, &sight), "n1 answers");
    begins(ask(&moved, 2, &members, &quiet()));
    assert!(move_init(&moved, 2, &"n2".parse().unwrap()).is_err());
}

#[test]
fn a_restored_database_begins_nothing_by_itself() {
    let restored = cluster().after_restore();
    let members = [server(1, Stage::Networked)];
    waits(ask(&restored, 1, &members, &quiet()), "older copy");
    // What was begun is known to have begun.
    assert!(!begun().after_restore().in_doubt);
    let known = take_kubeconfig(&restored, CA, t0()).unwrap();
    assert_eq!((known.ca_sha256(), known.in_doubt), (Some(CA), false));
    let chosen = move_init(&restored, 1, &"n1".parse().unwrap()).unwrap();
    begins(ask(&chosen, 1, &members, &quiet()));
}

#[test]
fn a_grant_that_a_restored_database_remembers_is_kept_by_its_run_alone() {
    let granted = begins(ask(&cluster(), 1, &[server(1, Stage::Networked)], &quiet())).after_restore();
    begins(ask(&granted, 1, &[server(1, Stage::Joining)], &quiet()));
    let again = Member {
        holder: holder(1, 2),
        ..server(1, Stage::Networked)
    };
    waits(ask(&granted, 1, &[again], &quiet()), "older copy");
}

#[test]
fn a_kubeconfig_is_renewed_for_the_same_ca_only() {
    assert!(take_kubeconfig(&begun(), CA, t0()).is_ok());
    assert!(take_kubeconfig(&begun(), "other", t0()).is_err());
    let granted = begins(ask(&cluster(), 1, &[server(1, Stage::Networked)], &quiet()));
    assert!(
        take_kubeconfig(&granted, CA, t0()).is_err(),
        "its holder will hand in its own"
    );
}
