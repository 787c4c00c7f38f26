//! Tokens, kept answers and the audit.

use jiff::SignedDuration;

use super::Factory;
use super::world::{World, admin, host};
use crate::{
    Access, AccessRole, AnswerKey, AuditFilter, Deed, HostFilter, HostState, IDEMPOTENCY_KEY, KeptAnswer, Limits,
    Revocation, Store, StoreError, Submission, SubmitError, Token,
};

fn token<F: Factory>(world: &World<F>, name: &str, role: AccessRole) -> Token {
    Token {
        name: name.into(),
        role,
        sha256: format!("hash of {name}"),
        created_at: world.store.now(),
    }
}

fn answer<F: Factory>(world: &World<F>, key: &str) -> KeptAnswer {
    KeptAnswer {
        caller: "ci".into(),
        key: key.into(),
        request_sha256: "aa".into(),
        at: world.store.now(),
        sealed: b"sealed".to_vec(),
    }
}

/// And by whom they were made, and when they were used.
pub async fn tokens_are_listed_with_their_last_use(factory: impl Factory) {
    let mut world = World::new(factory).await;
    for (name, role) in [("root", AccessRole::Admin), ("ci", AccessRole::Viewer)] {
        let by = "admin".to_owned();
        world
            .store
            .create_token(token(&world, name, role), by, None)
            .await
            .unwrap();
    }
    let used = world.store.now();
    world.store.note_token_use("ci", used).await.unwrap();
    let earlier = used - SignedDuration::from_mins(5);
    world.store.note_token_use("ci", earlier).await.unwrap();
    world.store.note_token_use("nobody", used).await.unwrap();
    world.restart().await;
    let tokens = world.store.tokens().await.unwrap();
    let seen: Vec<_> = tokens
        .iter()
        .map(|token| (token.name.as_str(), token.last_used_at))
        .collect();
    assert_eq!(seen, [("ci", Some(used)), ("root", None)]);
    assert_eq!(
        (tokens[0].role, tokens[0].created_by.as_deref()),
        (AccessRole::Viewer, Some("admin"))
    );
}

/// Nobody could make another.
pub async fn the_last_admins_token_stays(factory: impl Factory) {
    let world = World::new(factory).await;
    for name in ["a", "b"] {
        world
            .store
            .add_token(token(&world, name, AccessRole::Admin))
            .await
            .unwrap();
    }
    world
        .store
        .add_token(token(&world, "v", AccessRole::Viewer))
        .await
        .unwrap();
    assert_eq!(world.store.revoke_token("a").await.unwrap(), Revocation::Revoked);
    assert_eq!(world.store.token("hash of a").await.unwrap(), None);
    assert_eq!(world.store.revoke_token("a").await.unwrap(), Revocation::Unknown);
    assert_eq!(world.store.revoke_token("b").await.unwrap(), Revocation::LastAdmin);
    assert_eq!(world.store.revoke_token("v").await.unwrap(), Revocation::Revoked);
    assert!(world.store.token("hash of b").await.unwrap().is_some());
}

fn is_used<T: std::fmt::Debug>(answer: &Result<T, StoreError>) -> bool {
    matches!(
        answer,
        Err(StoreError::Taken {
            field: IDEMPOTENCY_KEY,
            ..
        })
    )
}

/// What was made and how it was answered are there together, or neither.
pub async fn an_answer_is_kept_with_what_it_speaks_of(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let add = async |world: &World<_>, n: u8, key: &str| {
        let (answer, name) = (answer(world, key), host(n).name);
        let as_key = AnswerKey {
            caller: answer.caller.clone(),
            key: answer.key.clone(),
        };
        let render = move |added: &[HostState]| {
            assert_eq!(added[0].host.name, name);
            Ok(answer)
        };
        world
            .store
            .add_hosts_once(vec![host(n)], admin(), as_key, Box::new(render))
            .await
    };
    assert_eq!(add(&world, 1, "k1").await.unwrap()[0].host, host(1));
    // The same again: the key says more than the name that is taken.
    let again = add(&world, 1, "k1").await;
    assert!(is_used(&again), "{again:?}");
    let again = add(&world, 2, "k1").await;
    assert!(is_used(&again), "{again:?}");
    let taken = add(&world, 1, "k2").await;
    assert!(
        matches!(&taken, Err(StoreError::Taken { field: "name", .. })),
        "{taken:?}"
    );
    let by = || "ci".to_owned();
    let (first, second) = (
        token(&world, "a", AccessRole::Viewer),
        token(&world, "b", AccessRole::Viewer),
    );
    let kept = Some(answer(&world, "k3"));
    world
        .store
        .create_token(first.clone(), by(), kept.clone())
        .await
        .unwrap();
    for token in [first, second] {
        let again = world.store.create_token(token, by(), kept.clone()).await;
        assert!(is_used(&again), "{again:?}");
    }
    world.restart().await;
    assert_eq!(
        world.store.kept_answer("ci", "k1").await.unwrap(),
        Some(answer(&world, "k1"))
    );
    assert_eq!(world.store.kept_answer("ci", "k2").await.unwrap(), None);
    assert_eq!(world.store.kept_answer("other", "k1").await.unwrap(), None);
    let filter = HostFilter {
        limit: 10,
        ..HostFilter::default()
    };
    assert_eq!(world.store.hosts(&filter).await.unwrap().items.len(), 1);
    assert_eq!(world.store.tokens().await.unwrap().len(), 1);
}

/// By itself, for what the store has no place to keep it with; and not for ever.
pub async fn a_kept_answer_ages_out(factory: impl Factory) {
    let world = World::new(factory).await;
    world.store.keep_answer(answer(&world, "old")).await.unwrap();
    assert!(is_used(&world.store.keep_answer(answer(&world, "old")).await));
    world.pass(SignedDuration::from_mins(1));
    world.store.keep_answer(answer(&world, "new")).await.unwrap();
    let limits = Limits {
        answer_age_s: 30,
        ..Limits::default()
    };
    assert_eq!(world.store.prune(&limits).await.unwrap().answers, 1);
    assert_eq!(world.store.kept_answer("ci", "old").await.unwrap(), None);
    assert!(world.store.kept_answer("ci", "new").await.unwrap().is_some());
}

/// The latest first, by whatever is known of it.
pub async fn the_audit_is_read_in_pages_and_ages_out(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let deed = |caller: &str, action: &str| Deed {
        caller: caller.into(),
        role: AccessRole::Operator,
        source: "192.0.2.7".into(),
        action: action.into(),
        target: format!("hosts/{caller}"),
        status: 200,
    };
    let began = world.store.now();
    for (caller, action) in [("a", "arm"), ("b", "arm"), ("a", "hold")] {
        world.store.audit(deed(caller, action)).await.unwrap();
        world.pass(SignedDuration::from_mins(1));
    }
    world.restart().await;
    let read = async |world: &World<_>, filter: AuditFilter| {
        let filter = AuditFilter { limit: 2, ..filter };
        world.store.audited(&filter).await.unwrap()
    };
    let page = read(&world, AuditFilter::default()).await;
    assert_eq!((page.items.len(), page.more), (2, true));
    assert_eq!(
        (&page.items[0].deed, page.items[1].at),
        (&deed("a", "hold"), began + SignedDuration::from_mins(1))
    );
    let before = Some(page.items[1].number);
    let rest = read(
        &world,
        AuditFilter {
            before,
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!((rest.items[0].deed.clone(), rest.more), (deed("a", "arm"), false));
    let text = |text: &str| Some(text.to_owned());
    for (filter, count) in [
        (
            AuditFilter {
                caller: text("a"),
                ..AuditFilter::default()
            },
            2,
        ),
        (
            AuditFilter {
                action: text("hold"),
                ..AuditFilter::default()
            },
            1,
        ),
        (
            AuditFilter {
                target: text("hosts/b"),
                ..AuditFilter::default()
            },
            1,
        ),
        (
            AuditFilter {
                caller: text("b"),
                action: text("hold"),
                ..AuditFilter::default()
            },
            0,
        ),
        (
            AuditFilter {
                since: Some(began + SignedDuration::from_mins(2)),
                ..AuditFilter::default()
            },
            1,
        ),
        (
            AuditFilter {
                until: Some(began + SignedDuration::from_mins(1)),
                ..AuditFilter::default()
            },
            1,
        ),
    ] {
        assert_eq!(read(&world, filter.clone()).await.items.len(), count, "{filter:?}");
    }
    let limits = Limits {
        audit_age_days: 1,
        ..Limits::default()
    };
    assert_eq!(world.store.prune(&limits).await.unwrap().audited, 0);
    world.pass(SignedDuration::from_hours(24) - SignedDuration::from_secs(90));
    assert_eq!(world.store.prune(&limits).await.unwrap().audited, 2);
    world.pass(SignedDuration::from_hours(48));
    assert_eq!(world.store.prune(&limits).await.unwrap().audited, 1);
    assert_eq!(world.store.prune(&limits).await.unwrap().audited, 0);
}

/// With its run, its log and its identifiers; its number is never used again.
pub async fn a_host_is_removed_when_it_is_retired(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, _) = world.armed(1).await;
    let submit = async |world: &World<_>, submission| world.store.submit(id, submission).await;
    let refused = |answer: &Result<_, SubmitError>| matches!(answer, Err(SubmitError::NotNow(_)));
    assert!(refused(&submit(&world, Submission::Remove).await));
    assert!(
        refused(&submit(&world, Submission::Retire { by: admin() }).await),
        "armed"
    );
    submit(&world, Submission::Cancel { by: admin() }).await.unwrap();
    assert!(refused(&submit(&world, Submission::Unretire { by: admin() }).await));
    submit(&world, Submission::RotateKey { by: admin() }).await.unwrap();
    submit(&world, Submission::Retire { by: admin() }).await.unwrap();
    assert!(refused(&submit(&world, Submission::Retire { by: admin() }).await));
    world.restart().await;
    let state = world.state(id).await;
    assert_eq!((state.host.retired, state.host.key_generation), (true, 1));
    submit(&world, Submission::Unretire { by: admin() }).await.unwrap();
    submit(&world, Submission::Retire { by: admin() }).await.unwrap();
    submit(&world, Submission::Remove).await.unwrap();
    assert!(matches!(
        submit(&world, Submission::Remove).await,
        Err(SubmitError::NoSuchHost)
    ));
    assert_eq!(world.store.host_by_id(id).await.unwrap(), None);
    assert_eq!(world.log(id).await, []);
    assert_eq!(world.store.runs(id).await.unwrap(), []);
    assert_ne!(world.add(1).await, id);
}
