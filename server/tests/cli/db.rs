//! `thirdboot db …` and `thirdboot rotate-key`, as an operator types them.

use tempfile::TempDir;

use crate::desk::{Desk, Said, binary, spoken};

/// A command on a desk's data folder, past its server.
async fn alone(folder: &TempDir, line: &str) -> Said {
    let mut command = binary(line);
    command
        .env("THIRDBOOT_DATA_DIR", folder.path().join("data"))
        .env_remove("THIRDBOOT_MASTER_KEY");
    spoken(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_copied_while_the_server_runs_and_put_back_when_it_does_not() {
    let desk = Desk::open().await;
    desk.types("host add agent-1 --mac 02:00:00:00:00:01").await;
    let copy = desk.folder.path().join("copy.db");
    let backed_up = alone(&desk.folder, &format!("db backup {}", copy.display())).await;
    assert_eq!(backed_up.code, 0, "{backed_up:?}");
    assert!(backed_up.out.contains("1 hosts"), "{backed_up:?}");
    desk.types("host add agent-2 --mac 02:00:00:00:00:02").await;
    let checked = alone(&desk.folder, "db check").await;
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(
        checked.out.contains("2 hosts") && checked.out.ends_with("sound\n"),
        "{checked:?}"
    );

    let checked = alone(&desk.folder, "db check --json").await;
    let answer: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!((&answer["sound"], &answer["hosts"]), (&true.into(), &2.into()));

    let restore = format!("db restore {}", copy.display());
    for refused in [
        alone(&desk.folder, &restore).await,
        alone(&desk.folder, "db migrate").await,
    ] {
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(
            refused.err.contains("another process uses this database"),
            "{refused:?}"
        );
    }
    let Desk { server, folder } = desk;
    server.shutdown().await.unwrap();
    let restored = alone(&folder, &restore).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(
        restored.out.contains("no permit was open") && restored.out.contains("before-restore"),
        "{restored:?}"
    );
    assert!(alone(&folder, "db check").await.out.contains("1 hosts"));
    assert!(alone(&folder, "db migrate").await.out.contains("already"));
    let again = alone(&folder, &format!("db backup {}", copy.display())).await;
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.err.contains("is there already"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_key_is_rotated_and_the_former_one_forgotten() {
    let desk = Desk::open().await;
    desk.types("host add agent-1 --mac 02:00:00:00:00:01 --known-by key")
        .await;
    let sha256 = "ab".repeat(32);
    let described = desk
        .types(&format!(
            "cluster add prod --k3s-version v1.34.1+k3s1 --binary x86_64={sha256}"
        ))
        .await;
    assert_eq!(described.code, 0, "{described:?}");
    let refused = alone(&desk.folder, "rotate-key").await;
    assert!(
        refused.code == 1 && refused.err.contains("another process"),
        "{refused:?}"
    );
    let key = desk.folder.path().join("data/master.key");
    let before = std::fs::read_to_string(&key).unwrap();
    let Desk { server, folder } = desk;
    server.shutdown().await.unwrap();

    let rotated = alone(&folder, "rotate-key").await;
    assert_eq!(rotated.code, 0, "{rotated:?}");
    assert!(rotated.out.contains("1 hosts hold secrets of it"), "{rotated:?}");
    assert!(
        rotated.out.contains("1 sealed anew"),
        "the cluster's tokens: {rotated:?}"
    );
    let text = std::fs::read_to_string(&key).unwrap();
    assert!(text.contains(&format!("former {} rotated ", before.trim())));

    let refused = alone(&folder, "rotate-key --forget-former").await;
    assert!(refused.code == 1 && refused.err.contains("agent-1"), "{refused:?}");
    let forgotten = alone(&folder, "rotate-key --forget-former --force --json").await;
    assert_eq!(forgotten.code, 0, "{forgotten:?}");
    let answer: serde_json::Value = serde_json::from_str(&forgotten.out).unwrap();
    assert_eq!(
        (&answer["forgotten"], &answer["holders"]),
        (&1.into(), &serde_json::json!(["agent-1"])),
        "{answer}"
    );
    let text = std::fs::read_to_string(&key).unwrap();
    assert_eq!(text.lines().count(), 1);
    for said in [rotated, refused, forgotten] {
        assert!(
            !said.out.contains(text.trim()) && !said.out.contains(before.trim()),
            "{said:?}"
        );
    }
    // The present key alone opens the cluster's tokens.
    let desk = Desk::on(folder, |_| {}).await;
    let changed = desk.types("cluster rotate-token prod").await;
    assert_eq!(changed.code, 0, "{changed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_data_folder_the_command_says_what_it_expects() {
    for line in ["db check", "rotate-key"] {
        let mut command = binary(line);
        command
            .env_remove("THIRDBOOT_DATA_DIR")
            .env_remove("THIRDBOOT_MASTER_KEY");
        let said = spoken(command).await;
        assert!(said.code == 2 && said.err.contains("--data-dir"), "{said:?}");
    }
    let said = spoken(binary("db check --data-dir /nowhere/at/all")).await;
    assert!(said.code == 2 && said.err.contains("no such folder"), "{said:?}");
}
