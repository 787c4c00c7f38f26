//! What people do, with JavaScript and without.

use anyhow::{Result, ensure};
use serde_json::json;
use thirdboot_simulator::Fault;

use crate::driver::Script;
use crate::rack::{PASSWORD, Rack};

/// Both ways of looking at a page.
const BOTH: [Script; 2] = [Script::On, Script::Off];

#[tokio::test]
async fn somebody_signs_in_and_out_by_keyboard_alone() -> Result<()> {
    let rack = Rack::start().await?;
    for script in BOTH {
        let browser = rack.browser(script).await?;
        browser.go("/templates").await?;
        browser.press("ann\t").await?;
        browser.press("wrong password\n").await?;
        browser.until(".panel.bad", "do not belong together").await?;
        ensure!(browser.value("input[name=name]").await? == "ann");
        browser.press(format!("{PASSWORD}\n")).await?;
        browser.until("h1", "Templates").await?;
        browser.tab_to("Sign out").await?;
        browser.press("\n").await?;
        browser.until("h1", "Sign in").await?;
        browser.go("/").await?;
        browser.until("h1", "Sign in").await?;
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_first_admin_follows_the_set_up_link() -> Result<()> {
    for script in BOTH {
        let site = thirdboot_tests::Site::start().await?;
        let link = std::fs::read_to_string(site.path("data/set-up-link"))?;
        let path = link
            .trim()
            .split_once("/set-up/")
            .map(|(_, secret)| format!("/set-up/{secret}"));
        let browser = crate::driver::Browser::open(&site.server.endpoints.control, script).await?;
        browser.go(&path.unwrap_or_default()).await?;
        browser.fill("input[name=name]", "ann").await?;
        browser.fill("input[name=password]", PASSWORD).await?;
        browser.fill("input[name=again]", PASSWORD).await?;
        browser.click("button.primary").await?;
        browser.until(".notice", "You are the first admin").await?;
        browser.until(".empty", "No host yet").await?;
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_host_goes_from_armed_to_ready_before_ones_eyes() -> Result<()> {
    let mut rack = Rack::start().await?;
    rack.host(1, "web-01", json!({})).await?;
    rack.site.admin.arm("web-01").await?;
    let (host, fleet) = (rack.ann(Script::On).await?, rack.ann(Script::On).await?);
    host.go("/hosts/web-01").await?;
    for browser in [&host, &fleet] {
        // A page that is loaded anew forgets this.
        browser.run("window.isTheSame = true").await?;
        browser.until("[data-liveness]", "live").await?;
    }
    host.until("#head .mark", "armed").await?;
    rack.power_on(1, "web-01", None);
    host.until("#head", "ready").await?;
    host.until("#log", "layered-boot").await?;
    fleet.until("table.fleet .mark", "ready").await?;
    for browser in [&host, &fleet] {
        ensure!(
            browser.run("return window.isTheSame === true").await? == true,
            "the page was loaded anew"
        );
    }
    host.close().await?;
    fleet.close().await
}

#[tokio::test]
async fn without_javascript_a_page_is_as_of_when_it_was_loaded() -> Result<()> {
    let mut rack = Rack::start().await?;
    rack.host(1, "web-01", json!({})).await?;
    rack.site.admin.arm("web-01").await?;
    let browser = rack.ann(Script::Off).await?;
    browser.go("/hosts/web-01").await?;
    ensure!(browser.text("[data-liveness]").await?.is_empty(), "the script ran");
    rack.power_on(1, "web-01", None);
    rack.until("web-01", |host| host["run"]["stage"] == "ready").await?;
    ensure!(browser.text("#head .mark").await? == "armed");
    browser.go("/hosts/web-01").await?;
    browser.until("#head .mark", "ready").await?;
    browser.close().await
}

#[tokio::test]
async fn a_stalled_host_says_why() -> Result<()> {
    let mut rack = Rack::start().await?;
    rack.late_after("netbooting", 10).await?;
    rack.host(1, "edge-01", json!({})).await?;
    rack.site.admin.arm("edge-01").await?;
    rack.power_on(1, "edge-01", Some(Fault::RootfsNotFetched));
    rack.until("edge-01", |host| host["run"]["stalled"] == true).await?;
    let says = rack.site.admin.host("edge-01").await?["diagnosis"]["advice"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for script in BOTH {
        let browser = rack.ann(script).await?;
        browser.until("table.fleet .mark.warn", "stalled").await?;
        browser.click("table.fleet tbody a").await?;
        let shown = browser.until("#diagnosis", "Why it is there").await?;
        ensure!(!says.is_empty() && shown.contains(&says), "{shown}");
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn arming_takes_the_right_name() -> Result<()> {
    let rack = Rack::start().await?;
    for (script, name, n) in [(Script::On, "web-01", 1), (Script::Off, "web-02", 2)] {
        rack.host(n, name, json!({"install": {"disk": "S3R14L"}})).await?;
        let browser = rack.ann(script).await?;
        browser.go(&format!("/hosts/{name}")).await?;
        browser.click("#arm summary").await?;
        browser.until("#arm", "What will be wiped: S3R14L").await?;
        browser.fill("#arm input[name=confirm]", "web-99").await?;
        browser.fill("#arm input[name=hours]", "2").await?;
        browser.click("#arm button").await?;
        browser.until("#arm .wrong", "repeat the host's name").await?;
        ensure!(browser.value("#arm input[name=confirm]").await? == "web-99");
        ensure!(browser.value("#arm input[name=hours]").await? == "2");
        ensure!(
            rack.site.admin.host(name).await?["run"].is_null(),
            "armed by the wrong name"
        );
        browser.fill("#arm input[name=confirm]", name).await?;
        browser.click("#arm button").await?;
        browser.until(".notice", "Armed").await?;
        browser.until("#head .mark", "armed").await?;
        browser.click("#cancel summary").await?;
        browser.click("#cancel button").await?;
        browser.until("#head .mark", "cancelled").await?;
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_broken_template_is_mended_where_it_is_wrong() -> Result<()> {
    let rack = Rack::start().await?;
    rack.host(1, "web-01", json!({"labels": {"site": "north"}})).await?;
    for (script, name) in [(Script::On, "motd"), (Script::Off, "issue")] {
        let browser = rack.ann(script).await?;
        browser.go("/templates/new").await?;
        browser.fill("input[name=name]", name).await?;
        let text = |label: &str| {
            format!(
                "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/{name}\n      contents:\n        \
                 inline: \"{{{{ host.labels.{label} }}}}\"\n"
            )
        };
        browser.fill("textarea", &text("rack")).await?;
        browser.click("button[value=save]").await?;
        browser.until("#faults", "line 7 column").await?;
        browser.until(".source .fault", "host.labels.rack").await?;
        ensure!(
            browser.value("textarea").await?.contains("host.labels.rack"),
            "what was typed is gone"
        );
        browser.fill("textarea", &text("site")).await?;
        browser.click("button[value=save]").await?;
        browser.until(".notice", "Saved").await?;
        ensure!(browser.path().await?.starts_with(&format!("/templates/{name}")));
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_machine_is_adopted() -> Result<()> {
    let mut rack = Rack::start().await?;
    for (script, name, n) in [(Script::On, "found-01", 901), (Script::Off, "found-02", 902)] {
        rack.power_on(n, "stranger", None);
        let browser = rack.ann(script).await?;
        wait_for_stranger(&rack).await?;
        browser.go("/unknown").await?;
        browser.click("tbody a").await?;
        browser.fill("input[name=name]", "Not A Name").await?;
        browser.click("form.stack button").await?;
        browser.until(".wrong", "expected").await?;
        ensure!(browser.value("input[name=name]").await? == "Not A Name");
        browser.fill("input[name=name]", name).await?;
        browser.click("form.stack button").await?;
        browser.until(".notice", "Adopted").await?;
        browser.until("h1", name).await?;
        browser.close().await?;
    }
    Ok(())
}

async fn wait_for_stranger(rack: &Rack) -> Result<()> {
    let limit = std::time::Duration::from_secs(30);
    thirdboot_tests::wait::until("a stranger", limit, async || {
        Ok((!rack.site.admin.unknown_machines().await?.is_empty()).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_host_is_found_by_what_is_typed() -> Result<()> {
    let rack = Rack::start().await?;
    for n in 1..=3 {
        rack.host(n, &format!("web-0{n}"), json!({"labels": {"rack": n.to_string()}}))
            .await?;
    }
    for script in BOTH {
        let browser = rack.ann(script).await?;
        browser.fill("input[type=search]", "rack=2\n").await?;
        browser.until("table.fleet", "web-02").await?;
        ensure!(
            browser.path().await?.contains("q=rack%3D2"),
            "{}",
            browser.path().await?
        );
        ensure!(!browser.text("table.fleet").await?.contains("web-01"));
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_slot_of_who_does_not_come_back_is_released() -> Result<()> {
    for script in BOTH {
        let mut rack = Rack::start().await?;
        for (n, name) in [(1, "web-01"), (2, "web-02")] {
            rack.host(n, name, json!({})).await?;
            rack.site.admin.arm(name).await?;
            rack.power_on_for_good_bye(n, name);
        }
        rack.until_locks(1, 1).await?;
        let browser = rack.ann(script).await?;
        browser.go("/reboots").await?;
        browser.until("#groups .mark", "1 of 1 slot taken").await?;
        let holder = browser.text("#groups tbody tr:nth-child(1) th").await?;
        let waits = browser.text("#groups tbody tr:nth-child(2)").await?;
        let why = format!("the slot of runner is held by {holder}");
        ensure!(waits.contains("waiting") && waits.contains(&why), "{waits}");
        browser.click("#groups summary").await?;
        browser.fill("#groups input[name=reason]", "its board is dead").await?;
        browser.click("#groups button").await?;
        browser.until(".notice", "The slot is free again").await?;
        let events = rack.site.admin.events(&holder).await?;
        ensure!(
            events
                .iter()
                .any(|event| event.to_string().contains("its board is dead")),
            "{events:?}"
        );
        browser.close().await?;
    }
    Ok(())
}
