//! More of what people do, with JavaScript and without: brakes, templates from version to version, secrets, people.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use thirdboot_tests::wait;

use crate::driver::Script;
use crate::rack::{PASSWORD, Rack};

/// Both ways of looking at a page.
const BOTH: [Script; 2] = [Script::On, Script::Off];
/// A file is there within this.
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_host_is_held_released_inspected_and_retired() -> Result<()> {
    let rack = Rack::start().await?;
    for (script, name, n) in [(Script::On, "web-01", 1), (Script::Off, "web-02", 2)] {
        rack.host(n, name, json!({})).await?;
        let browser = rack.ann(script).await?;
        browser.go(&format!("/hosts/{name}")).await?;
        let act = async |action: &str, says: &str| {
            browser.click(&format!("#{action} summary")).await?;
            browser.click(&format!("#{action} button")).await?;
            browser.until(".notice", says).await
        };
        browser.click("#hold summary").await?;
        browser
            .fill("#hold input[name=reason]", "fan 3 is to be replaced")
            .await?;
        browser.click("#hold button").await?;
        browser.until(".notice", "On hold").await?;
        browser.until("#why", "fan 3 is to be replaced").await?;
        browser.click("form[action$='/release'] button").await?;
        browser.until(".notice", "Released").await?;
        act("inspect", "Armed for an inspection").await?;
        browser.until("#run", "inspection").await?;
        act("cancel", "The run is cancelled").await?;
        act("retire", "Retired").await?;
        browser.until("#head .mark", "retired").await?;
        browser.click("form[action$='/unretire'] button").await?;
        browser.until(".notice", "In service again").await?;
        let host = rack.site.admin.host(name).await?;
        ensure!(host["retired"] == false && host["hold"].is_null(), "{host}");
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_changed_in_a_template_is_seen_from_the_list() -> Result<()> {
    let rack = Rack::start().await?;
    rack.template("motd", "Look before you type.\\n").await?;
    for (script, says) in [(Script::On, "This is the first."), (Script::Off, "This is the second.")] {
        let browser = rack.ann(script).await?;
        browser.go("/templates").await?;
        browser.until("tbody", "every host").await?;
        browser.click("tbody a").await?;
        let text = browser.value("textarea").await?;
        let line = text
            .lines()
            .find(|line| line.contains("inline"))
            .context("no such line")?;
        let text = text.replace(line, &format!("        inline: \"{says}\""));
        browser.fill("textarea", &text).await?;
        browser.fill("input[name=note]", "in other words").await?;
        browser.click("button[value=save]").await?;
        browser.until(".notice", "Saved").await?;
        browser.until("section[aria-label=Versions]", "in other words").await?;
        browser.click("a[href*='difference']").await?;
        browser.until(".diff .add", says).await?;
        browser.until(".diff .del", "inline").await?;
        browser.go("/templates/motd/versions/1").await?;
        browser.until("pre", "Look before you type.").await?;
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_kubeconfig_comes_as_a_file_and_the_reading_is_in_the_audit() -> Result<()> {
    let mut rack = Rack::start().await?;
    rack.site.cluster("prod").await?;
    rack.host(1, "cp-01", json!({"role": "server", "cluster": "prod"}))
        .await?;
    rack.site.admin.arm("cp-01").await?;
    rack.power_on_member(1, "cp-01", None);
    rack.until("cp-01", |host| host["run"]["stage"] == "ready").await?;
    for (read, script) in (1..).zip(BOTH) {
        let browser = rack.ann(script).await?;
        let folder = tempfile::tempdir()?;
        let there = json!({"behavior": "allow", "downloadPath": folder.path()});
        browser.tools("Browser.setDownloadBehavior", there).await?;
        browser.go("/clusters").await?;
        browser.click("tbody a").await?;
        browser.click("section[aria-label=Kubeconfig] button").await?;
        let file = folder.path().join("prod.kubeconfig");
        let text = wait::until(
            "the kubeconfig",
            LIMIT,
            async || Ok(std::fs::read_to_string(&file).ok()),
        )
        .await?;
        ensure!(text.contains("server:"), "{text}");
        browser.go("/audit?action=get_kubeconfig").await?;
        let lines = browser.until("tbody", "clusters/prod/kubeconfig").await?;
        let lines = lines.matches("clusters/prod/kubeconfig").count();
        ensure!(lines == read, "{lines} readings are in the audit, {read} were done");
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn somebody_is_added_and_chooses_a_password_by_their_link() -> Result<()> {
    let rack = Rack::start().await?;
    for (script, name) in [(Script::On, "bob"), (Script::Off, "eve")] {
        let ann = rack.ann(script).await?;
        ann.go("/users").await?;
        ann.fill("input[name=name]", "not a name").await?;
        ann.click("form.stack button").await?;
        ann.until(".wrong", "expected").await?;
        ensure!(ann.value("input[name=name]").await? == "not a name");
        ann.fill("input[name=name]", name).await?;
        ann.click("form.stack button").await?;
        let link = ann.until("#link code", "/set-up/").await?;
        let path = link
            .split_once("/set-up/")
            .map(|(_, secret)| format!("/set-up/{secret}"));
        let path = path.context("no link")?;

        let other = rack.browser(script).await?;
        other.go(&path).await?;
        other.until("h1", "Your password").await?;
        other.fill("input[name=password]", PASSWORD).await?;
        other.fill("input[name=again]", PASSWORD).await?;
        other.click("button.primary").await?;
        other.until(".notice", "Your password is set").await?;
        other.until(".who", name).await?;
        other.go("/users").await?;
        other.until("main", "role admin").await?;

        let row = format!("#user-{name}");
        ann.go("/users").await?;
        ann.click(&format!("{row} details.wipes summary")).await?;
        ann.click(&format!("{row} button.danger")).await?;
        ann.until(".notice", "Removed").await?;
        other.go("/").await?;
        other.until("h1", "Sign in").await?;
        other.close().await?;
        ann.close().await?;
    }
    Ok(())
}
