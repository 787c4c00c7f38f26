//! Scripts, configs and assets: what is served, to whom, for how long, and what it uses up.

use anyhow::{Result, ensure};
use reqwest::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, DATE, RANGE};
use reqwest::{Method, StatusCode};
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::fetch::{self, Fetched};
use thirdboot_tests::host::{LiveSystem, Script};
use thirdboot_tests::{Machine, Site};

/// Every URL that an armed machine fetches, scripts included.
fn urls(site: &Site, machine: &Machine, script: &Script, live: &LiveSystem) -> Vec<String> {
    let boot = &site.server.endpoints.boot;
    let mut urls = vec![
        format!("{boot}/boot.ipxe"),
        format!("{boot}/ipxe?mac={}", machine.hardware.macs[0]),
        live.config_url.clone(),
    ];
    urls.extend(script.kernel.iter().map(|(url, _)| url.clone()));
    urls.extend(script.initrds.iter().map(|i| i.url.clone()));
    urls.extend(script.argument("coreos.live.rootfs_url").map(str::to_owned));
    let pointer = script.initrds.iter().find(|i| i.url.ends_with("pointer.cpio"));
    urls.extend(pointer.map(|i| i.url.replace(".cpio", ".ign")));
    urls
}

fn headers(answer: &Fetched) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| **name != DATE && *name != "x-request-id")
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    headers.sort();
    headers
}

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let (script, live) = (machine.power_on().await?, machine.boot_live().await?);
    for url in urls(&site, &machine, &script, &live) {
        let head = fetch::ask(machine.client(), Method::HEAD, &url).await?;
        let get = fetch::get(machine.client(), &url).await?;
        assert_eq!((head.status, headers(&head)), (get.status, headers(&get)), "{url}");
        assert!(head.body.is_empty(), "{url}");
        assert_eq!(get.header("content-length"), get.body.len().to_string(), "{url}");
    }
    Ok(())
}

#[tokio::test]
async fn a_head_counts_as_no_fetch() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let url = format!("{}/ipxe?mac={}", site.server.endpoints.boot, machine.hardware.macs[0]);
    fetch::ask(machine.client(), Method::HEAD, &url).await?;
    assert_eq!(site.admin.stage("r1").await?, "armed");
    fetch::get(machine.client(), &url).await?;
    assert_eq!(site.admin.stage("r1").await?, "netbooting");
    Ok(())
}

#[tokio::test]
async fn fetching_uses_nothing_up() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let (script, live) = (machine.power_on().await?, machine.boot_live().await?);
    for url in urls(&site, &machine, &script, &live) {
        let first = fetch::get(machine.client(), &url).await?;
        for _ in 0..5 {
            let again = fetch::get(machine.client(), &url).await?;
            assert_eq!((first.status, &first.body), (again.status, &again.body), "{url}");
        }
    }
    assert_eq!(live.claim_granted().await?, 1);
    Ok(())
}

#[tokio::test]
async fn every_document_has_its_type() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = machine.boot_live().await?;
    let ignition = "application/vnd.coreos.ignition+json";
    let pointer = live.config_url.replace("live.ign", "pointer.ign");
    for url in [&live.config_url, &pointer] {
        let answer = fetch::get(machine.client(), url).await?;
        assert_eq!(answer.header(CONTENT_TYPE.as_str()), ignition, "{url}");
    }
    assert_eq!(fetch::get(machine.client(), &pointer).await?.body, live.pointer);
    Ok(())
}

async fn range(machine: &Machine, url: &str, range: &str) -> Result<Fetched> {
    fetch::answer(machine.client().get(url).header(RANGE, range)).await
}

#[tokio::test]
async fn assets_can_be_fetched_in_ranges() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let script = machine.power_on().await?;
    let (url, whole) = (
        script.argument("coreos.live.rootfs_url").unwrap_or_default(),
        Images::sample().rootfs,
    );
    let end = whole.len();

    let offered = fetch::get(machine.client(), url).await?;
    assert_eq!(offered.header(ACCEPT_RANGES.as_str()), "bytes");
    assert!(offered.body == whole, "the rootfs as it was put there");
    for (asked, from, to) in [
        ("bytes=0-99".to_owned(), 0, 100),
        ("bytes=1000-".to_owned(), 1000, end),
        ("bytes=-50".to_owned(), end - 50, end),
        (format!("bytes=10-{}", end * 2), 10, end),
    ] {
        let part = range(&machine, url, &asked).await?;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{asked}");
        assert!(part.body == whole[from..to], "{asked}");
        let described = format!("bytes {from}-{}/{end}", to - 1);
        assert_eq!(part.header(CONTENT_RANGE.as_str()), described);
    }
    let beyond = range(&machine, url, &format!("bytes={end}-")).await?;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header(CONTENT_RANGE.as_str()), format!("bytes */{end}"));
    Ok(())
}

#[tokio::test]
async fn a_changed_asset_is_not_served() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let script = machine.power_on().await?;
    let url = script.argument("coreos.live.rootfs_url").unwrap_or_default();
    fetch::image(machine.client(), url).await?;
    let name = url.rsplit('/').next().unwrap_or_default();
    std::fs::write(site.path("assets/x86_64/current").join(name), b"something else")?;
    let answer = fetch::get(machine.client(), url).await?;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    Ok(())
}

async fn gone(machine: &Machine, urls: &[String]) -> Result<()> {
    for url in urls
        .iter()
        .filter(|u| u.contains("/ignition/") || u.contains("/assets/"))
    {
        let answer = fetch::get(machine.client(), url).await?;
        ensure!(answer.status == StatusCode::NOT_FOUND, "{url}: {}", answer.status);
    }
    Ok(())
}

#[tokio::test]
async fn configs_and_assets_are_gone_once_the_run_is_installed() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    let (script, mut live) = (machine.power_on().await?, machine.boot_live().await?);
    let urls = urls(&site, &machine, &script, &live);
    live.install(&mut machine).await?;
    gone(&machine, &urls).await
}

#[tokio::test]
async fn configs_and_assets_are_gone_once_the_run_is_cancelled() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let (script, live) = (machine.power_on().await?, machine.boot_live().await?);
    site.admin.cancel("r1").await?;
    gone(&machine, &urls(&site, &machine, &script, &live)).await
}

#[tokio::test]
async fn without_assets_an_armed_host_waits_and_is_not_turned_away() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let script = machine.power_on().await?;
    let url = script.argument("coreos.live.rootfs_url").unwrap_or_default();
    std::fs::rename(site.path("assets/x86_64"), site.path("assets/away"))?;
    let answer = fetch::get(machine.client(), url).await?;
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "404 would be final for Ignition"
    );
    Ok(())
}
