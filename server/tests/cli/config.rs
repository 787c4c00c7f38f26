//! `thirdboot config` and the settings file, as an admin meets them.

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Said, binary, spoken};

/// Types a line in a folder that holds a settings file.
async fn types(line: &str, file: &str, variables: &[(&str, &str)]) -> (Said, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tb.toml"), file).unwrap();
    let mut command = binary(line);
    command.current_dir(folder.path()).envs(variables.iter().copied());
    (spoken(command).await, folder)
}

#[tokio::test]
async fn the_sample_is_a_file_that_can_be_used() {
    let sample = spoken(binary("config sample")).await;
    assert_eq!(sample.code, 0, "{sample:?}");
    let (said, _folder) = types("config check --config tb.toml", &sample.out, &[]).await;
    assert_eq!(said.code, 0, "{said:?}");
}

#[tokio::test]
async fn a_check_prints_every_setting_and_where_it_comes_from() {
    let file = "data_dir = '/var/lib/tb'\nboot_retries = 7\n";
    let variables = [("THIRDBOOT_UNKNOWN", "local"), ("THIRDBOOT_CONFIG", "tb.toml")];
    let (said, _folder) = types("config check --json --boot-listen 127.0.0.1:80", file, &variables).await;
    assert_eq!(said.code, 0, "{said:?}");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    for (key, value, from) in [
        ("data_dir", "/var/lib/tb", "tb.toml:1"),
        ("boot_retries", "7", "tb.toml:2"),
        ("unknown", "local", "THIRDBOOT_UNKNOWN"),
        ("boot_listen", "127.0.0.1:80", "--boot-listen"),
        ("control_listen", "127.0.0.1:8081", "default"),
    ] {
        assert_eq!(
            (&told[key]["values"][0], &told[key]["from"]),
            (&value.into(), &from.into())
        );
    }
}

#[tokio::test]
async fn a_typing_mistake_stops_check_and_server_alike_and_names_its_line() {
    let file = "data_dir = 'data'\n\nboot_lisen = '0.0.0.0:80'\n";
    for line in ["config check --config tb.toml", "serve --config tb.toml"] {
        let (said, folder) = types(line, file, &[]).await;
        assert_eq!(said.code, 2, "{said:?}");
        let told = "thirdboot: tb.toml:3: boot_lisen: no such setting: did you mean boot_listen?\n";
        assert_eq!((said.err.as_str(), said.out.as_str()), (told, ""));
        assert!(!folder.path().join("data").exists());
    }
}

#[tokio::test]
async fn settings_that_do_not_go_together_are_refused_before_anything_is_made() {
    let file = "data_dir = 'data'\nboot_listen = '0.0.0.0:8080'\n";
    for line in ["config check --config tb.toml", "serve --config tb.toml"] {
        let (said, folder) = types(line, file, &[]).await;
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.starts_with("thirdboot: boot_url is missing"), "{said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
        assert!(!folder.path().join("data").exists());
    }
}

#[tokio::test]
async fn a_variable_that_is_all_but_a_setting_is_told() {
    let variables = [("THIRDBOOT_BOOT_URI", "http://a")];
    let (said, _folder) = types("config check --config tb.toml", "data_dir = 'x'\n", &variables).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("did you mean THIRDBOOT_BOOT_URL?"), "{said:?}");
}
