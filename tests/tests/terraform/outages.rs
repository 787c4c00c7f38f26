//! A server that is down, or is none: whatever it would have said, nothing leaves the state.

use anyhow::{Result, ensure};
use thirdboot_tests::Site;
use thirdboot_tests::terraform::Folder;

use crate::says;

const HOSTS: &str = r#"
resource "thirdboot_host" "a" {
  name   = "a"
  labels = { rack = "7" }
}
resource "thirdboot_template" "motd" {
  name = "motd"
  text = "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      contents: {inline: hello}\n"
}
resource "thirdboot_token" "ci" {
  name = "ci"
  role = "viewer"
}
"#;

const ALL: [&str; 3] = ["thirdboot_host.a", "thirdboot_template.motd", "thirdboot_token.ci"];

#[tokio::test]
async fn a_server_that_is_down_takes_nothing_out_of_the_state() -> Result<()> {
    let mut site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(HOSTS)?;
    folder.apply().await?;
    site.server.kill().await?;
    for arguments in [
        &["plan", "-no-color"][..],
        &["apply", "-auto-approve", "-no-color"],
        &["apply", "-refresh-only", "-auto-approve", "-no-color"],
        &["destroy", "-auto-approve", "-no-color"],
        // Nothing is looked at before: the removal itself meets no server.
        &["destroy", "-refresh=false", "-auto-approve", "-no-color"],
    ] {
        let said = folder.run(arguments).await?.failed()?;
        says!(said, "cannot be reached", "the state stays as it was");
        ensure!(
            folder.state().await? == ALL,
            "{arguments:?}: {:?}",
            folder.state().await?
        );
    }
    folder.write(&HOSTS.replace("rack = \"7\"", "rack = \"8\""))?;
    says!(
        folder
            .run(&["apply", "-refresh=false", "-auto-approve", "-no-color"])
            .await?
            .failed()?,
        "The host a cannot be changed"
    );
    site.server.start_again().await?;
    says!(folder.apply().await?, "0 added, 1 changed, 0 destroyed");
    folder.plan_is_empty().await
}

#[tokio::test]
async fn nothing_is_made_twice_when_the_server_comes_back() -> Result<()> {
    let mut site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(HOSTS)?;
    site.server.kill().await?;
    let said = folder.apply_fails().await?;
    says!(said, "cannot be reached");
    ensure!(folder.state().await?.is_empty(), "something is in the state");
    site.server.start_again().await?;
    says!(folder.apply().await?, "3 added");
    folder.plan_is_empty().await
}

/// Every path of the boot plane that it does not know is 404 in the server's own words.
#[tokio::test]
async fn a_wrong_endpoint_that_answers_404_empties_no_state() -> Result<()> {
    let site = Site::start().await?;
    let mut folder = Folder::of(&site).await?;
    folder.write(HOSTS)?;
    folder.apply().await?;
    for endpoint in [
        site.server.endpoints.boot.clone(),
        format!("{}/wrong/path", site.server.endpoints.control),
    ] {
        folder.set("THIRDBOOT_ENDPOINT", &endpoint);
        folder
            .run(&["apply", "-refresh-only", "-auto-approve", "-no-color"])
            .await?
            .failed()?;
        ensure!(folder.state().await? == ALL, "{endpoint}: {:?}", folder.state().await?);
    }
    folder.set("THIRDBOOT_ENDPOINT", &site.server.endpoints.control);
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_removal_that_was_cut_short_is_finished_later() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(HOSTS)?;
    folder.apply().await?;
    // As far as a removal comes before a server dies: retired, and still there.
    site.admin.retire("a").await?;
    folder.destroy().await?;
    ensure!(folder.state().await?.is_empty(), "something is left");
    Ok(())
}
