//! Rows that this version did not write.

use thirdboot_store::{AccessRole, EventFilter, Store, StoreError, Submission, Token, UnknownMachine};

use super::{added, arm, change_behind_its_back, hold, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_is_named_and_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let (broken, sound) = (added(&store, 1).await.id, added(&store, 2).await.id);
    store.close().await;
    change_behind_its_back(
        folder.path(),
        r#"UPDATE hosts SET host = '{"name":"node-1","console_password_hash":["$6$secret"]}' WHERE id = 1"#,
    )
    .await;
    let (store, _) = open(folder.path()).await;
    let errors = [
        store.host_by_id(broken).await.unwrap_err().to_string(),
        store.submit(broken, hold("why")).await.unwrap_err().to_string(),
    ];
    for error in errors {
        assert!(
            error.starts_with("hosts row 1 is not what this version writes"),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }
    let (first, second) = tokio::join!(store.submit(broken, hold("a")), store.submit(sound, hold("b")));
    assert!(first.is_err());
    second.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_names_its_impossible_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let id = added(&store, 1).await.id;
    let token = Token {
        name: "ci".into(),
        role: AccessRole::Viewer,
        sha256: "aa".into(),
        created_at: store.now(),
    };
    store.add_token(token).await.unwrap();
    let machine = UnknownMachine {
        id: 0,
        identity: thirdboot_lifecycle::Identity::default(),
        said: Vec::new(),
        source: "192.0.2.1".into(),
        why: None,
        first_seen: store.now(),
        last_seen: store.now(),
        count: 1,
    };
    store.note_unknown(machine).await.unwrap();
    for statement in [
        "UPDATE tokens SET role = 'king'",
        "UPDATE unknown_machines SET identity = '{}x'",
        "UPDATE events SET entry = '[]'",
        "INSERT INTO runs (host_id, number, run) VALUES (1, 1, '{}')",
    ] {
        change_behind_its_back(folder.path(), statement).await;
    }
    let filter = EventFilter {
        host: None,
        after: 0,
        limit: 9,
    };
    let errors = [
        store.token("aa").await.unwrap_err(),
        store.unknown_machines().await.unwrap_err(),
        store.events(&filter).await.unwrap_err(),
        store.runs(id).await.unwrap_err(),
    ];
    let tables = errors.map(|error| match error {
        StoreError::Corrupt { table, .. } => table,
        other => panic!("an impossible row was answered with {other}"),
    });
    assert_eq!(tables, ["tokens", "unknown_machines", "events", "runs"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_behind_its_back_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let state = added(&store, 1).await;
    arm(&store, &state).await;
    change_behind_its_back(folder.path(), "UPDATE hosts SET version = 77").await;
    for submission in [hold("new memory"), Submission::Due] {
        let version = store.host_by_id(state.id).await.unwrap().unwrap().version;
        let first = store.submit(state.id, submission.clone()).await;
        if first.is_err() {
            // What it remembered is forgotten, and the next try sees the row as it is.
            store.submit(state.id, submission).await.unwrap();
        }
        assert_eq!(store.host_by_id(state.id).await.unwrap().unwrap().version, version + 1);
    }
}
