//! The command line against a running server, as scripts use it: what it prints, and how it ends.

#[cfg(test)]
mod access;
#[cfg(test)]
mod config;
#[cfg(test)]
mod db;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod hosts;
#[cfg(test)]
mod https;
#[cfg(test)]
mod observe;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod watching;

use desk::{Desk, binary, spoken};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_added_shown_listed_held_and_released() {
    let desk = Desk::open().await;
    let added = desk
        .types("host add agent-1 --mac 02-00-00-00-00-01 --role runner --label rack=r7 --json")
        .await;
    assert_eq!(added.code, 0, "{added:?}");
    let host: Value = serde_json::from_str(&added.out).unwrap();
    assert_eq!(host["macs"], serde_json::json!(["02:00:00:00:00:01"]));

    let held = desk.types("host hold agent-1 --reason memory").await;
    assert_eq!((held.code, held.out.as_str()), (0, "agent-1: held: memory\n"));
    let listed = desk.types("host list").await;
    assert!(listed.out.contains("held: memory"), "{listed:?}");
    assert_eq!(desk.types("host release agent-1").await.code, 0);
    let shown = desk.types("host show agent-1").await;
    assert!(
        shown.out.contains("rack=r7") && !shown.out.contains("memory"),
        "{shown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_field_and_what_was_expected() {
    let desk = Desk::open().await;
    let refused = desk.types("host add agent-1 --mac nonsense").await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.starts_with("thirdboot: macs[0]: "), "{refused:?}");
    assert_eq!(refused.out, "");
    assert_eq!(desk.types("host show nobody").await.code, 1);
    assert_eq!(desk.types("host cancel nobody").await.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn arming_wants_the_name_twice() {
    let desk = Desk::open().await;
    desk.types("host add agent-1 --mac 02:00:00:00:00:01").await;
    let other = desk.types("host arm agent-1 --confirm agent-2").await;
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.err.contains("expected the host's name, agent-1"), "{other:?}");
    assert_eq!(desk.types("host arm agent-1").await.code, 2);
    assert_eq!(
        desk.types("host arm agent-1 --confirm agent-1 --ttl soon").await.code,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_is_read_from_a_file() {
    let desk = Desk::open().await;
    let file = desk.folder.path().join("host.json");
    std::fs::write(
        &file,
        r#"{"name":"agent-9","network":{"vlans":[]},"macs":["02:00:00:00:00:09"]}"#,
    )
    .unwrap();
    assert_eq!(desk.types(&format!("host add --file {}", file.display())).await.code, 0);
    std::fs::write(&file, "{\"name\":\"agent-8\",\n\"disc\":1}").unwrap();
    let refused = desk.types(&format!("host add --file {}", file.display())).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.err.contains("unknown field `disc`") && refused.err.contains("line 2"),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_or_a_token_the_exit_code_says_so() {
    let desk = Desk::open().await;
    let without = spoken(binary("host list")).await;
    assert_eq!(without.code, 2, "{without:?}");
    assert!(without.err.contains("THIRDBOOT_TOKEN_FILE"), "{without:?}");

    let mut wrong = binary("host list");
    wrong
        .env("THIRDBOOT_ENDPOINT", desk.server.control_url())
        .env("THIRDBOOT_TOKEN", "tb_api_nonsense");
    let wrong = spoken(wrong).await;
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(!wrong.err.contains("tb_api_nonsense"), "{wrong:?}");

    let url = desk.server.control_url().to_owned();
    desk.server.shutdown().await.unwrap();
    let mut nobody = binary("host list");
    nobody.env("THIRDBOOT_ENDPOINT", url).env("THIRDBOOT_TOKEN", "t");
    assert_eq!(spoken(nobody).await.code, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn help_shows_no_token() {
    let mut help = binary("host list --help");
    help.env("THIRDBOOT_TOKEN", "tb_api_sesame");
    let help = spoken(help).await;
    assert_eq!(help.code, 0);
    assert!(
        !help.out.contains("sesame") && !help.out.contains("--token <"),
        "{help:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_butane_document_is_translated_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bu");
    std::fs::write(&file, "variant: fcos\nversion: 1.4.0\n").unwrap();
    let translated = spoken(binary(&format!("butane {}", file.display()))).await;
    assert_eq!(
        (translated.code, translated.out.as_str()),
        (0, "{\"ignition\":{\"version\":\"3.3.0\"}}\n")
    );
    std::fs::write(&file, "variant: fcos\nversion: 1.4.0\nstorage: 3\n").unwrap();
    let refused = spoken(binary(&format!("butane --strict {}", file.display()))).await;
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
    assert!(!refused.err.is_empty());
}
