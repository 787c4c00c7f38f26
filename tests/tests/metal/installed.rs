//! An installed disk that does not come up.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use thirdboot_tests::metal::Rig;

/// A user of the fleet's own template that Ignition cannot give a file to: it passes every check before, and stops the
/// first boot of the installed system.
const BROKEN: &str = "variant: fcos
version: 1.4.0
storage:
  files:
    - path: /etc/motd
      user: {name: nobody-has-this-name}
      contents: {inline: hello}
";

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn an_installed_config_that_cannot_be_applied_is_named_by_the_diagnosis() -> Result<()> {
    let rig = Rig::for_story("installed-broken").await?;
    let machine = rig.machine(1)?;
    rig.admin.add(&Rig::description(&machine)).await?;
    let template = json!({"text": BROKEN, "note": "broken on purpose"});
    let (status, answer) = rig
        .admin
        .ask(Method::PUT, "/api/v1/templates/broken", Some(&template))
        .await?;
    assert!(status.is_success(), "{status} {answer}");
    rig.stalls_after_a_minute("installed").await?;
    rig.admin.arm("m1").await?;

    let powered = machine.power_on()?;
    rig.reach(&powered, "m1", "installed").await?;
    rig.hear(&powered, 0, "initramfs: FAILED: ignition-files.service")
        .await?;
    let stalled = rig
        .watch(&powered, "the diagnosis", async || {
            let host = rig.admin.host("m1").await?;
            Ok((host["run"]["stalled"] != json!(null) && host["run"]["stalled"] != json!(false)).then_some(host))
        })
        .await;
    rig.off(powered).await?;
    let diagnosis = stalled?["diagnosis"].to_string();
    assert!(diagnosis.contains("failed to apply"), "{diagnosis}");
    Ok(())
}
