//! `thirdboot template …`, as people and scripts use it.

use serde_json::Value;

use crate::desk::Desk;

fn motd(says: &str) -> String {
    format!(
        "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      contents:\n        inline: \"{says}\"\n"
    )
}

impl Desk {
    /// A file with such a template.
    fn file(&self, name: &str, says: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, motd(says)).unwrap();
        path.display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_saved_compared_restored_and_deleted() {
    let desk = Desk::open().await;
    desk.types("host add agent-1 --mac 02:00:00:00:00:01 --label rack=r7")
        .await;
    let (one, two) = (
        desk.file("one.bu", "rack {{ host.labels.rack }}"),
        desk.file("two.bu", "welcome"),
    );
    let saved = desk
        .types(&format!("template save motd {one} --label rack=r7 --note first"))
        .await;
    assert_eq!(saved.code, 0, "{saved:?}");
    assert_eq!(
        saved.out,
        "motd: version 1 is saved; it renders for every selected host (1, of which 1 differ for it)\n"
    );
    // What is not said again stays.
    assert_eq!(desk.types(&format!("template save motd {two}")).await.code, 0);
    let listed = desk.types("template list --json").await;
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(
        (&listed[0]["version"], &listed[0]["select"]["labels"]["rack"]),
        (&Value::from(2), &Value::from("r7"))
    );
    assert!(desk.types("template list").await.out.contains("rack=r7"));
    let diff = desk.types("template diff motd").await;
    assert!(
        diff.out.contains("-        inline: \"rack {{ host.labels.rack }}\""),
        "{diff:?}"
    );
    assert_eq!(
        desk.types("template show motd --version 1").await.out,
        motd("rack {{ host.labels.rack }}")
    );
    assert!(desk.types("template versions motd").await.out.contains("first"));
    let late = desk.types(&format!("template save motd {one} --on-top-of 1")).await;
    assert_eq!(
        (late.code, late.err.contains("changed meanwhile")),
        (1, true),
        "{late:?}"
    );
    assert_eq!(
        desk.types("template delete motd").await.out,
        "motd: deleted; versions 1 to 2 stay readable\n"
    );
    assert_eq!(desk.types("template show motd").await.code, 1);
    assert_eq!(desk.types("template list").await.out, "no templates\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_its_place() {
    let desk = Desk::open().await;
    desk.types("host add agent-1 --mac 02:00:00:00:00:01").await;
    let bad = desk.file("bad.bu", "{{ host.nmae }}");
    let told = "motd, line 7 column 21, storage.files.0.contents.inline (host agent-1): undefined value: `host.nmae` is undefined";
    let validated = desk.types(&format!("template validate motd {bad}")).await;
    assert_eq!((validated.code, validated.out.trim_end()), (1, told));
    let refused = desk.types(&format!("template save motd {bad}")).await;
    assert_eq!(
        (refused.code, refused.err.trim_end()),
        (1, format!("thirdboot: text: {told}").as_str())
    );
    let missing = desk.types("template save motd /nowhere.bu").await;
    assert_eq!(
        (missing.code, missing.err.contains("/nowhere.bu")),
        (2, true),
        "{missing:?}"
    );
    assert_eq!(desk.types("template save motd").await.code, 2);
    let good = desk.file("good.bu", "x");
    assert_eq!(
        desk.types(&format!("template save motd {good} --role boss")).await.code,
        2
    );
    assert_eq!(desk.types(&format!("template validate motd {good}")).await.code, 0);
    let preview = desk
        .types(&format!("host preview agent-1 live --template {good}"))
        .await;
    assert_eq!(preview.code, 2, "{preview:?}");
    assert_eq!(desk.types("host diff agent-1").await.code, 1);
}
