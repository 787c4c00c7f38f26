//! Pictures of every page, light and dark, wide and narrow: `tests/run browser --screenshots`.

use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use serde_json::json;

use crate::driver::{Browser, Script};
use crate::rack::Rack;
use crate::reach::PAGES;

#[tokio::test]
#[ignore = "makes pictures for people; tests/run browser --screenshots"]
async fn pictures_of_every_page() -> Result<()> {
    let folder = std::env::var("THIRDBOOT_SCREENSHOTS").context("THIRDBOOT_SCREENSHOTS names a folder")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let rack = Rack::lively().await?;
    let browser = rack.ann(Script::On).await?;
    browser
        .tools("Emulation.setScrollbarsHidden", json!({"hidden": true}))
        .await?;
    let stranger = rack
        .site
        .admin
        .unknown_machines()
        .await?
        .first()
        .map(|machine| format!("/unknown/{}", machine["id"]));
    let stranger = stranger.context("the stranger was not seen")?;
    for (colours, width) in [("light", 1280), ("light", 390), ("dark", 1280), ("dark", 390)] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": colours}]});
        browser.tools("Emulation.setEmulatedMedia", features).await?;
        let pages = PAGES.iter().copied().chain([("machine", stranger.as_str())]);
        for (name, path) in pages {
            let size = json!({"width": width, "height": 480, "deviceScaleFactor": 1, "mobile": width < 500});
            browser.tools("Emulation.setDeviceMetricsOverride", size).await?;
            browser.go(path).await?;
            picture(&browser, &folder.join(format!("{name}-{colours}-{width}.png"))).await?;
        }
        browser.go("/hosts/spare-01").await?;
        browser.click("#arm summary").await?;
        picture(&browser, &folder.join(format!("host-arm-{colours}-{width}.png"))).await?;
        browser.go("/reboots").await?;
        browser.click("#groups summary").await?;
        picture(&browser, &folder.join(format!("release-{colours}-{width}.png"))).await?;
        browser.go("/templates/new").await?;
        browser.fill("input[name=name]", "motd").await?;
        let text = "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      contents:\n        \
                    inline: \"{{ host.labels.floor }}\"\n";
        browser.fill("textarea", text).await?;
        browser.click("button[value=save]").await?;
        browser.until("#faults", "It was not saved").await?;
        picture(&browser, &folder.join(format!("template-broken-{colours}-{width}.png"))).await?;
    }
    browser.click(".who button").await?;
    browser.until("h1", "Sign in").await?;
    picture(&browser, &folder.join("sign-in-dark-390.png")).await?;
    browser.close().await
}

/// The whole page, as long as it is.
async fn picture(browser: &Browser, file: &Path) -> Result<()> {
    let shot = json!({"format": "png", "captureBeyondViewport": true, "optimizeForSpeed": false});
    let size = browser.tools("Page.getLayoutMetrics", json!({})).await?;
    let (width, height) = (&size["cssContentSize"]["width"], &size["cssContentSize"]["height"]);
    let mut shot = shot;
    shot["clip"] = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
    let taken = browser.tools("Page.captureScreenshot", shot).await?;
    let data = taken["data"].as_str().context("no picture")?;
    std::fs::write(file, BASE64.decode(data.as_bytes())?)?;
    Ok(())
}
