//! Copies of a database that is in use, and their way back.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::Connection as _;
use thirdboot_lifecycle::Stage;
use thirdboot_store::{HostId, Store as _};

use super::{added, arm, change_behind_its_back, hold, intruder, log, open, options};
use crate::maintenance::{MaintenanceError, Sealed, backup, check, migrate, reseal, restore};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_of_one_moment_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let (a, b) = (added(&store, 1).await.id, added(&store, 2).await.id);
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                // Always first one and then the other.
                store.submit(a, hold("first")).await.unwrap();
                store.submit(b, hold("second")).await.unwrap();
                count += 1;
            }
            count
        })
    };
    for n in 0..5 {
        let copy = folder.path().join(format!("copy-{n}.db"));
        let written = backup(&options(folder.path()).db_path, &copy).await.unwrap();
        assert_eq!(written.hosts, 2);
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        let mut read = sqlx::SqliteConnection::connect(copy.to_str().unwrap()).await.unwrap();
        let (first, second): (i64, i64) =
            sqlx::query_as("SELECT (SELECT version FROM hosts WHERE id = 1), (SELECT version FROM hosts WHERE id = 2)")
                .fetch_one(&mut read)
                .await
                .unwrap();
        assert!((0..=1).contains(&(first - second)), "{first} and {second}");
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writing.await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_overwrites_nothing_and_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let db_path = options(folder.path()).db_path;
    let copy = folder.path().join("copy.db");
    backup(&db_path, &copy).await.unwrap();
    let refused = backup(&db_path, &copy).await.unwrap_err();
    assert!(matches!(refused, MaintenanceError::Exists(_)), "{refused}");
    assert!(
        backup(&folder.path().join("nothing"), &folder.path().join("b"))
            .await
            .is_err()
    );
    assert!(backup(&db_path, &folder.path().join("no/such/folder")).await.is_err());
    store.close().await;
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.contains(".part")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_takes_back_every_permit_even_of_the_latest_backup() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let state = added(&store, 1).await;
    arm(&store, &state).await;
    let copy = folder.path().join("copy.db");
    let at = options(folder.path());
    backup(&at.db_path, &copy).await.unwrap();
    let in_use = restore(at.clone(), &copy).await.unwrap_err().to_string();
    assert!(in_use.contains("another process uses this database"), "{in_use}");
    store.submit(state.id, hold("after the backup")).await.unwrap();
    store.close().await;

    // Nothing was given away between backup and restore, and still it is void.
    let restored = restore(at.clone(), &copy).await.unwrap();
    assert_eq!((restored.hosts, restored.voided_permits), (1, 1));
    let aside = restored.set_aside.unwrap();
    let (store, opened) = open(folder.path()).await;
    assert_eq!(opened.voided_permits, 0);
    let state = store.host_by_id(HostId(1)).await.unwrap().unwrap();
    assert_eq!((state.run.unwrap().stage, state.host.hold), (Stage::Failed, None));
    assert_eq!(added(&store, 2).await.id, HostId(2));
    store.close().await;

    // And back again: what was set aside is whole.
    let restored = restore(at, &aside).await.unwrap();
    assert_eq!(restored.hosts, 1);
    let (store, _) = open(folder.path()).await;
    let state = store.host_by_id(HostId(1)).await.unwrap().unwrap();
    assert_eq!(state.host.hold.unwrap().reason, "after the backup");
    assert_eq!(added(&store, 3).await.id, HostId(3), "a number is never used twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_backup_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    added(&store, 1).await;
    store.close().await;
    let at = options(folder.path());
    let before = (
        std::fs::read(&at.db_path).unwrap(),
        std::fs::read(&at.epoch_path).unwrap(),
    );
    let wrong = folder.path().join("wrong.db");
    std::fs::write(&wrong, "this is no database, however long the text may be".repeat(99)).unwrap();
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    for file in [&wrong, &empty, &folder.path().join("nothing")] {
        let refused = restore(at.clone(), file).await.unwrap_err().to_string();
        assert!(refused.contains("is no database of thirdboot"), "{refused}");
    }
    assert_eq!(std::fs::read(&at.db_path).unwrap(), before.0);
    assert_eq!(std::fs::read(&at.epoch_path).unwrap(), before.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_newer_version_is_refused_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    added(&store, 1).await;
    store.close().await;
    change_behind_its_back(
        folder.path(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)",
    )
    .await;
    let at = options(folder.path());
    let copy = folder.path().join("copy.db");
    let said = [
        crate::SqliteStore::open(at.clone()).await.unwrap_err().to_string(),
        check(&at).await.unwrap_err().to_string(),
        migrate(&at.db_path).await.unwrap_err().to_string(),
        backup(&at.db_path, &copy).await.unwrap_err().to_string(),
        restore(at.clone(), &at.db_path).await.unwrap_err().to_string(),
    ];
    for words in said {
        assert!(
            words.contains("written by a newer version of thirdboot: it has migration 9999"),
            "{words}"
        );
    }
    assert!(!copy.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_names_what_should_not_be() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    for n in 1..=3 {
        added(&store, n).await;
    }
    let at = options(folder.path());
    assert_eq!(check(&at).await.unwrap().problems, Vec::<String>::new());
    store.close().await;
    change_behind_its_back(
        folder.path(),
        r#"PRAGMA foreign_keys = OFF;
        UPDATE hosts SET host = '{"name":"node-1","macs":5}' WHERE id = 1;
        UPDATE hosts SET name = 'node-9', stage = 'ready' WHERE id = 2;
        DELETE FROM identifiers WHERE host_id = 3;
        INSERT INTO documents VALUES (3, 'live', 1, 'x', x'00');
        INSERT INTO reports VALUES (77, 1, 'b', 1, 0, 'nonsense');
        INSERT INTO tokens (name, role, sha256, created_at) VALUES ('ci', 'king', 'x', 0);
        UPDATE events SET entry = '[]' WHERE number = 1;
        UPDATE meta SET last_host = 1"#,
    )
    .await;
    let checked = check(&at).await.unwrap();
    for expected in [
        "reports belongs to no row of hosts",
        "meta says last_host 1",
        "hosts row 1 is not what this version writes",
        "host 2 is called node-2 and found as node-9",
        "node-2: its row and its run disagree",
        "node-3: the list of identifiers",
        "node-3: documents of a run that is served no more",
        "reports row 77/1/b/1",
        "tokens row ci",
        "events row 1",
    ] {
        assert!(
            checked.problems.iter().any(|problem| problem.contains(expected)),
            "{expected:?} is not in {:#?}",
            checked.problems
        );
    }
    assert!(
        checked.notices[0].contains("takes back every open permit"),
        "{checked:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_sealed_is_sealed_anew_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    super::upgrade::first_version(folder.path()).await;
    let db_path = options(folder.path()).db_path;
    let mut seen = Vec::new();
    let refused = reseal(&db_path, |sealed| match sealed {
        Sealed::Document { host, .. } if host.0 == 3 => Err("no".into()),
        _ => Ok(vec![1]),
    })
    .await;
    assert!(refused.is_err());
    let mut later = intruder(folder.path()).await;
    sqlx::query(
        "INSERT INTO documents (host_id, kind, run, sha512, sealed) \
         SELECT host_id, 'network', run, 'x', CAST('network' AS BLOB) FROM documents LIMIT 1",
    )
    .execute(&mut later)
    .await
    .unwrap();
    let count = reseal(&db_path, |sealed| {
        let Sealed::Document { host, kind, sealed, .. } = sealed else {
            return Err("the first version had no clusters".to_owned());
        };
        seen.push((host.0, kind.as_str().to_owned(), sealed.to_vec()));
        Ok([b"new ", sealed].concat())
    })
    .await
    .unwrap();
    // Two documents of each of the four stages that are served, and one network.
    assert_eq!((count, seen.len()), (9, 9));
    assert!(
        seen.iter().all(|(_, kind, sealed)| kind.as_bytes() == sealed),
        "{seen:?}"
    );
    let mut read = intruder(folder.path()).await;
    let renewed: Vec<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM documents")
        .fetch_all(&mut read)
        .await
        .unwrap();
    assert!(renewed.iter().all(|sealed| sealed.starts_with(b"new ")));
}

/// Whoever adds a column of bytes decides here what becomes of it when the master key is rotated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sealed_column_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let mut read = intruder(folder.path()).await;
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
         WHERE t.type = 'table' AND c.type = 'BLOB' AND t.name NOT LIKE 'host_words%' AND t.name <> '_sqlx_migrations' \
         ORDER BY 1",
    )
    .fetch_all(&mut read)
    .await
    .unwrap();
    let known = [
        "clusters.kubeconfig",
        "clusters.tokens",
        "documents.sealed",
        "installed_documents.sealed",
        "kept_answers.sealed",
    ];
    assert_eq!(columns, known, "seal it anew in maintenance/reseal.rs, or name it here");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_outlives_a_run_is_sealed_anew_too() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let id = added(&store, 1).await.id;
    store.close().await;
    let mut rows = intruder(folder.path()).await;
    for statement in [
        format!(
            "INSERT INTO installed_documents (host_id, run, sha512, sealed) VALUES ({}, 1, 'ab', x'01')",
            id.0
        ),
        "INSERT INTO kept_answers (caller, key, request_sha256, at, sealed) VALUES ('admin', 'k', 'ab', 0, x'02')"
            .to_owned(),
        "INSERT INTO clusters (name, version, cluster, tokens, kubeconfig) VALUES ('prod', 1, '{}', x'03', x'04')"
            .to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut rows)
            .await
            .unwrap();
    }
    let count = reseal(&options(folder.path()).db_path, |sealed| {
        Ok(match sealed {
            Sealed::Document { kind, sealed, .. } => [kind.as_str().as_bytes(), sealed].concat(),
            Sealed::Answer { caller, key, sealed } => [caller.as_bytes(), key.as_bytes(), sealed].concat(),
            Sealed::Cluster {
                name,
                is_kubeconfig,
                sealed,
            } => [name.as_str().as_bytes(), &[u8::from(is_kubeconfig)], sealed].concat(),
        })
    })
    .await
    .unwrap();
    assert_eq!(count, 4);
    let renewed: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT sealed FROM installed_documents UNION ALL SELECT sealed FROM kept_answers \
         UNION ALL SELECT tokens FROM clusters UNION ALL SELECT kubeconfig FROM clusters",
    )
    .fetch_all(&mut rows)
    .await
    .unwrap();
    let expected: [&[u8]; 4] = [b"installed\x01", b"admink\x02", b"prod\x00\x03", b"prod\x01\x04"];
    assert_eq!(renewed, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_stored_while_the_file_has_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let id = added(&store, 1).await.id;
    let (here, away) = (folder.path().join("thirdboot.db"), folder.path().join("away.db"));
    std::fs::rename(&here, &away).unwrap();
    let refused = store.submit(id, hold("lost")).await.unwrap_err().to_string();
    assert!(refused.contains("No such file"), "{refused}");
    std::fs::rename(&away, &here).unwrap();
    store.submit(id, hold("found")).await.unwrap();
    store.close().await;
    let (store, opened) = open(folder.path()).await;
    assert_eq!(opened.voided_permits, 0);
    assert_eq!(log(&store, id).await.len(), 2);
}
