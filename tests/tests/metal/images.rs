//! Images that are not what their signature is for: the real installer refuses them, and the cause says so.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use thirdboot_tests::host::ignition::sha256;
use thirdboot_tests::metal::{Rig, os};

/// The stand-in's assets with one of them replaced, hash and all, as somebody who can write to the mirror would do it.
fn assets_with(role: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<tempfile::TempDir> {
    let assets = tempfile::tempdir()?;
    let folder = assets.path().join("x86_64").join(os::VERSION);
    fs::create_dir_all(&folder)?;
    symlink(os::VERSION, assets.path().join("x86_64/current"))?;
    let good = os::folder()?.join("assets/x86_64").join(os::VERSION);
    for entry in fs::read_dir(&good)? {
        let entry = entry?;
        symlink(entry.path(), folder.join(entry.file_name()))?;
    }
    let mut manifest: Value = serde_json::from_slice(&fs::read(good.join("manifest.json"))?)?;
    let entry = &mut manifest["files"][role];
    let name = entry["name"].as_str().with_context(|| format!("no {role}"))?.to_owned();
    let changed = change(fs::read(good.join(&name))?);
    *entry = json!({"name": name, "sha256": sha256(&changed), "size": changed.len()});
    replace(&folder.join(name), &changed)?;
    replace(&folder.join("manifest.json"), manifest.to_string().as_bytes())?;
    Ok(assets)
}

fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::remove_file(file)?;
    Ok(fs::write(file, bytes)?)
}

/// What the machine reports of an install that must fail.
async fn failure(story: &str, assets: &Path) -> Result<Value> {
    let rig = Rig::with_assets(story, assets).await?;
    let machine = rig.machine(1)?;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let powered = machine.power_on()?;
    let said = rig
        .watch(&powered, "the failure", async || {
            let events = rig.admin.events("m1").await?;
            Ok(events.into_iter().find(|event| event["event"] == "install-failed"))
        })
        .await;
    rig.off(powered).await?;
    let said = said?;
    assert!(
        said["message"].as_str().is_some_and(|m| m.contains("coreos-installer")),
        "{said}"
    );
    Ok(said)
}

/// The installer's own words, in the log that came with the report. It always takes the partition table away again: a
/// disk that is half an image must not boot.
fn says(said: &Value, words: &[&str]) {
    for word in words.iter().chain(&["Resetting partition table"]) {
        assert!(
            said["log"].as_str().is_some_and(|log| log.contains(word)),
            "no {word} in {said}"
        );
    }
}

/// Where the build keeps a file's signature.
fn signature_of(name: &str) -> Result<PathBuf> {
    let build = os::folder()?.join("www/prod/streams/stable/builds").join(os::VERSION);
    Ok(build.join("x86_64").join(format!("{name}.sig")))
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn an_image_with_another_ones_signature_is_not_installed_and_the_cause_says_so() -> Result<()> {
    let manifest = os::folder()?
        .join("assets/x86_64")
        .join(os::VERSION)
        .join("manifest.json");
    let manifest: Value = serde_json::from_slice(&fs::read(manifest)?)?;
    let kernel = manifest["files"]["kernel"]["name"].as_str().context("no kernel")?;
    let other = fs::read(signature_of(kernel)?)?;
    let assets = assets_with("image-signature", |_| other)?;
    let said = failure("image-signature", assets.path()).await?;
    says(&said, &["BAD signature", "GPG verification failure"]);
    Ok(())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn an_image_with_other_bytes_is_not_installed() -> Result<()> {
    let assets = assets_with("image", |mut image| {
        let at = image.len() / 2;
        image[at] ^= 1;
        image
    })?;
    let said = failure("image-bytes", assets.path()).await?;
    says(&said, &["decoding and writing image"]);
    Ok(())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn half_an_image_is_not_installed() -> Result<()> {
    let assets = assets_with("image", |mut image| {
        image.truncate(image.len() / 2);
        image
    })?;
    let said = failure("image-half", assets.path()).await?;
    says(
        &said,
        &["decoding and writing image", "premature EOF reading zstd frame"],
    );
    Ok(())
}
