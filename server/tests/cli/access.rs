//! Tokens and the audit from the command line.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::desk::{Desk, Said, binary, spoken};

/// Types a line with another token.
async fn types_with(desk: &Desk, token: &str, line: &str) -> Said {
    let mut command = binary(line);
    command
        .env("THIRDBOOT_ENDPOINT", desk.server.control_url())
        .env("THIRDBOOT_TOKEN", token);
    spoken(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_used_listed_and_revoked() {
    let desk = Desk::open().await;
    let made = desk.types("token create ci --role operator").await;
    assert_eq!(made.code, 0, "{made:?}");
    let token = made.out.trim();
    assert_eq!(types_with(&desk, token, "whoami").await.out, "ci, operator\n");
    let refused = types_with(&desk, token, "token list").await;
    assert_eq!(refused.code, 1, "{refused:?}");
    let listed = desk.types("token list").await;
    assert!(
        listed.out.contains("operator") && !listed.out.contains(token),
        "{listed:?}"
    );
    assert_eq!(desk.types("token create ci").await.code, 1);
    let revoked = desk.types("token revoke ci --json").await;
    assert_eq!(revoked.out, "{\n  \"revoked\": \"ci\"\n}\n");
    assert_eq!(types_with(&desk, token, "whoami").await.code, 1);
    let last = desk.types("token revoke admin").await;
    assert!(
        last.code == 1 && last.err.contains("last token of an admin"),
        "{last:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_a_file_is_printed_nowhere_and_overwrites_nothing() {
    let desk = Desk::open().await;
    let file = desk.folder.path().join("ci-token");
    let line = format!("token create ci --role viewer --out {}", file.display());
    let made = desk.types(&line).await;
    assert_eq!(made.code, 0, "{made:?}");
    let token = std::fs::read_to_string(&file).unwrap();
    assert!(
        !made.out.contains(token.trim()) && !made.err.contains(token.trim()),
        "{made:?}"
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(types_with(&desk, token.trim(), "whoami").await.out, "ci, viewer\n");
    assert_eq!(desk.types(&line).await.code, 2, "the file is there");
    // A name that is taken leaves no empty file.
    let other = desk.folder.path().join("other");
    let refused = desk.types(&format!("token create ci --out {}", other.display())).await;
    assert_eq!((refused.code, other.exists()), (1, false), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_who_did_what() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner").await;
    desk.types("host boot-url a1").await;
    let audit = desk.types("audit --json").await;
    let lines: Vec<Value> = serde_json::from_str(&audit.out).unwrap();
    let actions: Vec<_> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["get_boot_url", "create_host"]);
    let narrow = desk
        .types("audit --action create_host --by admin --since 1h --output wide")
        .await;
    assert!(
        narrow.out.contains("hosts/a1") && narrow.out.contains("127.0.0.1"),
        "{narrow:?}"
    );
    assert_eq!(desk.types("audit --limit 1").await.out.lines().count(), 2);
    assert_eq!(desk.types("audit --until 1h").await.out, "nothing was done\n");
    assert_eq!(desk.types("audit --since yesterday").await.code, 2);
}
