//! Hosts that are searched for, changed by two people, and taken out of service.

use serde_json::Value;

use crate::desk::{Desk, binary, spoken};

async fn names(desk: &Desk, line: &str) -> Vec<String> {
    let listed = desk.types(&format!("host list --json {line}")).await;
    let hosts: Vec<Value> = serde_json::from_str(&listed.out).unwrap_or_else(|_| panic!("{listed:?}"));
    hosts
        .iter()
        .map(|host| host["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_what_is_searched_for() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner --label rack=7")
        .await;
    desk.types("host add a2 --mac 02:00:00:00:00:02 --role server --serial SER-9")
        .await;
    desk.types("host hold a1 --reason memory").await;
    for (line, expected) in [
        ("", vec!["a1", "a2"]),
        ("ser-9", vec!["a2"]),
        ("02-00-00-00-00-01 rack", vec!["a1"]),
        ("--role server", vec!["a2"]),
        ("--label rack=7 --held", vec!["a1"]),
        ("--held=false", vec!["a2"]),
        ("--stage none --limit 1", vec!["a1"]),
        ("--alert not-back", vec![]),
    ] {
        assert_eq!(names(&desk, line).await, expected, "{line}");
    }
    let counts = desk.types("host counts").await;
    assert!(
        counts.out.contains("hosts") && counts.out.contains("held"),
        "{counts:?}"
    );
    assert_eq!(desk.types("host list --alert fire").await.code, 2);
    assert_eq!(desk.types("host list --stage melting").await.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_identifier_is_taken_off() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner --serial S1")
        .await;
    let updated = desk.types("host update a1 --serial=").await;
    assert_eq!(updated.out, "a1: changed serial\n", "{updated:?}");
    let host: Value = serde_json::from_str(&desk.types("host show a1 --json").await.out).unwrap();
    assert_eq!(host["serial"], Value::Null);
    assert_eq!(desk.types("host update a1").await.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_edits_what_somebody_else_changed_meanwhile_hears_who_and_keeps_the_edit() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner").await;
    let etag = |host: &str| {
        serde_json::from_str::<Value>(host).unwrap()["etag"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let seen = etag(&desk.types("host show a1 --json").await.out);
    // The editor is slow: before it ends, somebody else updates the host.
    let mut edit = binary("host edit a1");
    let update = format!("{} host update a1 --package vim", env!("CARGO_BIN_EXE_thirdboot"));
    let script = desk.folder.path().join("editor");
    std::fs::write(
        &script,
        format!("{update}\nsed -i 's/^labels:.*/labels: {{rack: r9}}/' \"$1\"\n"),
    )
    .unwrap();
    desk.points(&mut edit).env("VISUAL", format!("sh {}", script.display()));
    let refused = spoken(edit).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    for part in [
        "changed meanwhile: packages",
        "last updated by admin",
        "what you wrote is in ",
    ] {
        assert!(refused.err.contains(part), "{part}: {refused:?}");
    }
    let kept = refused.err.split("what you wrote is in ").nth(1).unwrap();
    let kept = kept.lines().next().unwrap();
    assert!(std::fs::read_to_string(kept).unwrap().contains("rack: r9"));
    std::fs::remove_file(kept).unwrap();
    let mut late = binary("host update a1 --package jq --if-match");
    desk.points(late.arg(&seen));
    let late = spoken(late).await;
    assert!(late.code == 1 && late.err.contains("last updated by admin"), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_retired_and_deleted() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner --known-by key")
        .await;
    let url = desk.types("host boot-url a1").await;
    assert!(url.out.contains("/ipxe/tb_boot_"), "{url:?}");
    assert_eq!(desk.types("host rotate-key a1").await.code, 0);
    assert_ne!(desk.types("host boot-url a1").await.out, url.out);
    let early = desk.types("host delete a1 --yes").await;
    assert_eq!(early.code, 1, "{early:?}");
    assert_eq!(desk.types("host retire a1").await.code, 0);
    assert_eq!(names(&desk, "--retired").await, ["a1"]);
    assert_eq!(desk.types("host unretire a1").await.code, 0);
    desk.types("host retire a1").await;
    // Nobody is there to be asked.
    assert_eq!(desk.types("host delete a1").await.code, 2);
    let gone = desk.types("host delete a1 --yes").await;
    assert_eq!((gone.code, gone.out.as_str()), (0, "a1: deleted\n"));
    assert_eq!(names(&desk, "").await, Vec::<String>::new());
}
