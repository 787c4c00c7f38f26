//! Watching a fleet from the command line, as people and scripts do.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::desk::{Desk, Said, binary, spoken};

/// Hosts of an inventory, and what an import of it says.
async fn imported(desk: &Desk, name: &str, text: &str, flags: &str) -> Said {
    let file = desk.folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    desk.types(&format!("host import {} {flags}", file.display())).await
}

async fn names(desk: &Desk) -> Vec<String> {
    let listed: Value = serde_json::from_str(&desk.types("host list --json").await.out).unwrap();
    let name = |host: &Value| host["name"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_is_looked_at_before_it_is_taken() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner").await;
    let csv = "name,macs,role,labels.rack\na1,02:00:00:00:00:01,runner,r7\na2,02:00:00:00:00:02,runner,\n";
    let dry = imported(&desk, "rack.csv", csv, "--dry-run").await;
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(
        dry.out.contains("update") && dry.out.ends_with("1 to create, 1 to update, 0 unchanged\n"),
        "{dry:?}"
    );
    // Nobody is there to be asked.
    let unasked = imported(&desk, "rack.csv", csv, "").await;
    assert_eq!((unasked.code, names(&desk).await.len()), (2, 1), "{unasked:?}");
    assert!(unasked.err.contains("--yes"), "{unasked:?}");
    let done = imported(&desk, "rack.csv", csv, "--yes --json").await;
    let answer: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((done.code, &answer["hosts"][1]["action"]), (0, &"create".into()));
    let again = imported(&desk, "rack.csv", csv, "").await;
    assert_eq!(
        (again.code, again.out.as_str()),
        (0, "0 created, 0 updated, 2 unchanged\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_of_an_inventory_is_named_and_nothing_is_done() {
    let desk = Desk::open().await;
    let csv = "name,macs,role\na1,02:00:00:00:00:01,runner\na2,zz,runner\na3,02:00:00:00:00:01,runner\n";
    let wrong = imported(&desk, "rack.csv", csv, "--yes").await;
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(
        wrong.err.contains("line 3: macs[0]: ") && wrong.err.contains("line 4: macs: "),
        "{wrong:?}"
    );
    assert!(wrong.err.ends_with("2 mistakes: nothing was done\n"), "{wrong:?}");
    let yaml = imported(
        &desk,
        "rack.yaml",
        "- name: a1\n  rolle: runner\n- name: a2\n  role: boss\n",
        "--yes",
    )
    .await;
    assert_eq!(yaml.code, 2, "{yaml:?}");
    assert!(
        yaml.err.contains("host 1 (a1): rolle: ") && yaml.err.contains("host 2 (a2): role: "),
        "{yaml:?}"
    );
    assert_eq!(names(&desk).await, Vec::<String>::new());
    // What is there already stands against a file, too.
    desk.types("host add a9 --mac 02:00:00:00:00:01").await;
    let refused = imported(&desk, "rack.csv", "name,macs\na0,\na1,02:00:00:00:00:01\n", "--yes").await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("a9"), "{refused:?}");
    assert_eq!(names(&desk).await, ["a9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_is_changed_in_parts_and_in_an_editor() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner --label rack=r1 --label row=2")
        .await;
    let updated = desk
        .types("host update a1 --label rack=r9 --label row= --package htop")
        .await;
    assert_eq!(
        (updated.code, updated.out.as_str()),
        (0, "a1: changed labels, packages\n"),
        "{updated:?}"
    );
    let refused = desk.types("host update a1 --mac nonsense").await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.starts_with("thirdboot: macs[0]: "), "{refused:?}");
    let edit = async |script: &str| {
        let mut command = binary("host edit a1");
        desk.points(&mut command).env("VISUAL", format!("sed -i {script}"));
        spoken(command).await
    };
    let edited = edit("s/r9/r10/").await;
    assert_eq!(
        (edited.code, edited.out.as_str()),
        (0, "a1: changed labels\n"),
        "{edited:?}"
    );
    let renamed = edit("s/a1/b1/").await;
    assert_eq!(renamed.code, 2, "{renamed:?}");
    assert!(
        renamed.err.contains("expected a1") && renamed.err.contains("what you wrote is in"),
        "{renamed:?}"
    );
    assert_eq!(edit("s/x/x/").await.out, "a1: nothing changed\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_tells_how_the_run_ended() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner").await;
    let over = desk.types("host wait a1 --timeout 1s").await;
    assert_eq!(over.code, 4, "{over:?}");
    assert!(over.out.contains("a1: not armed yet, waiting for ready"), "{over:?}");
    assert_eq!(desk.types("host wait a1 --for redy").await.code, 2);
    assert_eq!(desk.types("host wait nobody").await.code, 1);
    desk.arms("a1").await;
    let (waited, ()) = tokio::join!(desk.types("host wait a1 --json"), async {
        desk.types("host wait a1 --for armed").await;
        desk.types("host cancel a1").await;
    });
    assert_eq!(waited.code, 1, "{waited:?}");
    let last: Value = serde_json::from_str(waited.out.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["outcome"], &last["stage"]),
        (&"cancelled".into(), &"armed".into())
    );
    let runs = desk.types("host runs a1").await;
    assert!(runs.out.contains("cancelled by admin"), "{runs:?}");
    assert_eq!(desk.types("host run a1 1 --json").await.code, 0);
    assert_eq!(desk.types("host run a1 2").await.code, 1);
    assert_eq!(desk.types("host boots a1").await.out, "no boots\n");
    assert_eq!(
        desk.types("host observed a1").await.out,
        "it has not said what it is yet\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_shown_and_followed() {
    let desk = Desk::open().await;
    desk.types("host add a1 --mac 02:00:00:00:00:01 --role runner").await;
    desk.types("host hold a1 --reason fan").await;
    let shown = desk.types("events --kind hold --since 1h").await;
    assert!(
        shown.out.contains("a1") && shown.out.contains("fan") && !shown.out.contains("added"),
        "{shown:?}"
    );
    assert_eq!(desk.types("events --refused").await.out, "nothing happened\n");
    let (followed, ()) = tokio::join!(desk.types("events --follow --after 1 --limit 2 --json"), async {
        desk.types("host release a1").await;
    });
    let events: Vec<Value> = followed
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (followed.code, &events[0]["event"], &events[1]["event"]),
        (0, &"hold".into(), &"release".into())
    );
    for wrong in [
        "--since yesterday",
        "--kind Hold",
        "--host nobody",
        "--limit 0",
        "--sinse 1h",
    ] {
        let refused = desk.types(&format!("events {wrong}")).await;
        assert!(
            [1, 2].contains(&refused.code) && !refused.err.is_empty(),
            "{wrong}: {refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_machine_is_adopted_or_dismissed() {
    let desk = Desk::open().await;
    for n in [7, 8] {
        desk.boots(&format!("/ipxe?mac=02:00:00:00:00:0{n}&product=Box")).await;
    }
    let listed = desk.types("unknown list --json").await;
    let machines: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    let id = |mac: &str| machines.iter().find(|machine| machine["macs"][0] == mac).unwrap()["id"].clone();
    let adopted = desk
        .types(&format!("unknown adopt {} a7 --role runner", id("02:00:00:00:00:07")))
        .await;
    assert_eq!(adopted.code, 0, "{adopted:?}");
    assert!(adopted.out.contains("held until"), "{adopted:?}");
    assert_eq!(
        desk.types(&format!("unknown dismiss {}", id("02:00:00:00:00:08")))
            .await
            .code,
        0
    );
    assert_eq!(desk.types("unknown list").await.out, "no unknown machines\n");
    assert_eq!(desk.types("unknown dismiss 99").await.code, 1);
    assert_eq!(names(&desk).await, ["a7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_are_set_and_brought_back() {
    let desk = Desk::open().await;
    let set = desk.types("settings deadlines set live --stall 20m --give-up 2h").await;
    assert_eq!(set.code, 0, "{set:?}");
    assert!(
        set.out
            .lines()
            .any(|line| line.split_whitespace().eq(["live", "20m", "2h", "yes"])),
        "{set:?}"
    );
    let wrong = desk.types("settings deadlines set live --stall 2h --give-up 1h").await;
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.err.contains("stages.live.give_up_s"), "{wrong:?}");
    assert_eq!(desk.types("settings deadlines set lvie --stall 2h").await.code, 1);
    assert_eq!(desk.types("settings deadlines alerts --not-back 5m").await.code, 0);
    desk.types("settings deadlines reset live").await;
    let back: Value = serde_json::from_str(&desk.types("settings deadlines show --json").await.out).unwrap();
    assert_eq!(
        (&back["set"], &back["alerts"]["not_back_s"]),
        (&serde_json::json!([]), &300.into())
    );
    let alerts = desk.types("alerts --exit-code").await;
    assert_eq!((alerts.code, alerts.out.as_str()), (0, "no alerts\n"));
    assert_eq!(desk.types("alerts --kind sad").await.code, 2);
}

/// The binary with a file of profiles in the desk's folder.
fn at_home(desk: &Desk, line: &str) -> Command {
    let mut command = binary(line);
    command.env("THIRDBOOT_PROFILES", desk.folder.path().join("profiles.toml"));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_kept_for_its_owner_alone() {
    let desk = Desk::open().await;
    let url = desk.server.control_url();
    let token = desk.folder.path().join("data/admin-token");
    let login = |flags: &str| at_home(&desk, &format!("login {flags}"));
    let wrong = desk.folder.path().join("wrong");
    std::fs::write(&wrong, "tb_api_wrong").unwrap();
    let refused = spoken(login(&format!("--endpoint {url} --token-file {}", wrong.display()))).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(spoken(at_home(&desk, "host list")).await.code, 2);

    let kept = spoken(login(&format!(
        "--profile lab --endpoint {url} --token-file {}",
        token.display()
    )))
    .await;
    assert_eq!(kept.code, 0, "{kept:?}");
    let file = desk.folder.path().join("profiles.toml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(spoken(at_home(&desk, "host list")).await.out, "no hosts\n");
    let listed = spoken(at_home(&desk, "profile list")).await;
    assert!(
        listed.out.contains("lab") && !listed.out.contains("tb_api"),
        "{listed:?}"
    );
    assert_eq!(spoken(at_home(&desk, "host list --profile lba")).await.code, 2);

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = spoken(at_home(&desk, "host list")).await;
    assert_eq!(open.code, 2);
    assert!(
        open.err.contains("chmod 600") && !open.err.contains("tb_api"),
        "{open:?}"
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(spoken(at_home(&desk, "profile remove lab")).await.code, 0);
    assert_eq!(spoken(at_home(&desk, "host list")).await.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_read_from_standard_input() {
    let desk = Desk::open().await;
    let url = desk.server.control_url().to_owned();
    let token = std::fs::File::open(desk.folder.path().join("data/admin-token")).unwrap();
    let mut command = at_home(&desk, &format!("login --endpoint {url}"));
    command.stdin(Stdio::from(token));
    let kept = spoken(command).await;
    assert_eq!(kept.code, 0, "{kept:?}");
    assert!(!kept.out.contains("tb_api"), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let said = spoken(binary(&format!("completions {shell}"))).await;
        assert_eq!(said.code, 0, "{said:?}");
        for word in ["import", "follow", "deadlines"] {
            assert!(said.out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(spoken(binary("completions tcsh")).await.code, 2);
}
