//! Whether everybody can use the pages: axe-core on each of them, and nothing wider than a phone.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::driver::{Browser, Script};
use crate::rack::Rack;

/// Every page with something on it, by a name for its picture.
pub(crate) const PAGES: [(&str, &str); 24] = [
    ("fleet", "/"),
    ("nothing-found", "/?q=nobody"),
    ("host-ready", "/hosts/web-01"),
    ("host-stalled", "/hosts/edge-01"),
    ("host-failed", "/hosts/build-01"),
    ("events", "/hosts/web-01/events"),
    ("script", "/hosts/web-01/config/script"),
    ("installed", "/hosts/web-01/config/installed"),
    ("live-config", "/hosts/web-01/config/live"),
    ("filtered", "/?role=runner&state=stalled"),
    ("difference", "/hosts/web-01/difference"),
    ("unknown", "/unknown"),
    ("clusters", "/clusters"),
    ("cluster", "/clusters/prod"),
    ("reboots", "/reboots"),
    ("templates", "/templates"),
    ("template", "/templates/motd"),
    ("template-version", "/templates/motd/versions/1"),
    ("template-difference", "/templates/motd/difference?to=2"),
    ("users", "/users"),
    ("template-new", "/templates/new"),
    ("assets", "/assets"),
    ("audit", "/audit"),
    ("account", "/account"),
];

/// What axe finds serious on the page that is shown.
async fn findings(browser: &Browser, axe: &str) -> Result<Vec<String>> {
    browser.run(axe).await?;
    let found = browser
        .run_to_end(
            "const done = arguments[arguments.length - 1];
             axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations
               .filter((one) => one.impact === 'serious' || one.impact === 'critical')
               .map((one) => one.id + ': ' + one.nodes.map((node) => node.html).join(' | '))));",
        )
        .await?;
    let found = found.as_array().context("axe gave no answer")?.clone();
    Ok(found.iter().map(|one| one.as_str().unwrap_or("?").to_owned()).collect())
}

async fn scheme(browser: &Browser, scheme: &str) -> Result<()> {
    let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
    browser.tools("Emulation.setEmulatedMedia", features).await.map(|_| ())
}

#[tokio::test]
async fn no_page_has_a_serious_finding() -> Result<()> {
    let axe = std::env::var("THIRDBOOT_AXE").context("THIRDBOOT_AXE names axe.min.js: tests/run browser sets it")?;
    let axe = std::fs::read_to_string(axe)?;
    let rack = Rack::lively().await?;
    let browser = rack.ann(Script::On).await?;
    let mut all = Vec::new();
    for colours in ["light", "dark"] {
        scheme(&browser, colours).await?;
        for (name, path) in PAGES {
            browser.go(path).await?;
            is_a_page(&browser, name).await?;
            let found = findings(&browser, &axe).await?;
            all.extend(found.into_iter().map(|one| format!("{name}, {colours}: {one}")));
        }
    }
    browser.go("/templates/new").await?;
    browser.fill("input[name=name]", "broken").await?;
    browser
        .fill("textarea", "variant: fcos\nversion: 1.5.0\nnonsense: true\n")
        .await?;
    browser.click("button[value=save]").await?;
    browser.until("#faults", "It was not saved").await?;
    all.extend(findings(&browser, &axe).await?);
    browser.click(".who button").await?;
    browser.until("h1", "Sign in").await?;
    all.extend(findings(&browser, &axe).await?);
    browser.close().await?;
    ensure!(all.is_empty(), "{}", all.join("\n"));
    Ok(())
}

#[tokio::test]
async fn nothing_is_wider_than_a_phone() -> Result<()> {
    let rack = Rack::lively().await?;
    let browser = rack.ann(Script::On).await?;
    let phone = json!({"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true});
    browser.tools("Emulation.setDeviceMetricsOverride", phone).await?;
    let mut wide = Vec::new();
    for (name, path) in PAGES {
        browser.go(path).await?;
        is_a_page(&browser, name).await?;
        let width = browser.run("return document.documentElement.scrollWidth").await?;
        if width.as_u64().is_none_or(|width| width > 390) {
            wide.push(format!("{name}: {width}"));
        }
    }
    browser.close().await?;
    ensure!(wide.is_empty(), "wider than 390 pixels: {wide:?}");
    Ok(())
}

/// What is not there has a page, too.
async fn is_a_page(browser: &Browser, name: &str) -> Result<()> {
    let text = browser.text("body").await?;
    ensure!(!text.contains("Nothing is there"), "{name} is no page");
    Ok(())
}
