//! What the server renders, applied by the real Ignition. Needs root: `tests/run ignition`.

use anyhow::Result;
use thirdboot_tests::ignition;

/// The shapes that the server emits, by hand: shows that the harness sees what Ignition makes.
const SHAPES: &str = r#"{"ignition":{"version":"3.3.0"},
"passwd":{"users":[{"name":"core","sshAuthorizedKeys":["ssh-ed25519 AAAA t"]}]},
"storage":{"directories":[{"path":"/etc/thirdboot","mode":448}],
 "files":[{"path":"/etc/hostname","mode":420,"contents":{"source":"data:,a1%0A"}},
  {"path":"/etc/thirdboot/reporter.env","mode":384,"contents":{"source":"data:,A%3D1"}}]},
"systemd":{"units":[{"name":"r.service","enabled":true,"contents":
 "[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"},
 {"name":"zincati.service","enabled":false},
 {"name":"coreos-installer.service","dropins":[{"name":"10-x.conf","contents":"[Unit]\nOnFailure=r.service\n"}]},
 {"name":"failed@.service","contents":"[Service]\nExecStart=/bin/true\n"}]}}"#;

#[tokio::test]
async fn the_harness_sees_files_users_and_units() -> Result<()> {
    ignition::validate("shapes.ign", SHAPES.as_bytes()).await?;
    let tree = ignition::apply(SHAPES.as_bytes()).await?;
    let environment = tree.file("/etc/thirdboot/reporter.env")?;
    assert_eq!((environment.mode, environment.owner), (0o600, (0, 0)));
    assert_eq!(environment.text, "A=1");
    assert_eq!(tree.user("core")?[4], "CoreOS Admin");
    assert!(tree.groups("core")?.contains("wheel"));
    let keys = tree.file("/home/core/.ssh/authorized_keys.d/ignition")?;
    assert_eq!(keys.text.trim(), "ssh-ed25519 AAAA t");
    assert!(tree.presets()?.contains("enable r.service"));
    assert!(tree.enable_units()?.contains("multi-user.target.wants/r.service"));
    Ok(())
}

#[tokio::test]
async fn the_harness_notices_what_ignition_refuses() -> Result<()> {
    let wrong = SHAPES.replace("\"mode\":384", "\"mode\":\"0600\"");
    assert!(ignition::validate("wrong.ign", wrong.as_bytes()).await.is_err());
    assert!(ignition::apply(wrong.as_bytes()).await.is_err());
    Ok(())
}
