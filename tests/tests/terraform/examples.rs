//! The examples: well-formed, and applied with simulated machines where they can be.

use std::fs;
use std::path::Path;

use anyhow::Result;
use thirdboot_tests::terraform::{Folder, simulated, switched_on};
use thirdboot_tests::{Site, wait};

use crate::says;

pub(crate) const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../terraform-provider/examples");
const LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

/// An example's files, without its own word of which provider it needs.
pub(crate) fn example(folder: &Folder, name: &str) -> Result<()> {
    fs::remove_file(folder.path().join("versions.tf"))?;
    for file in fs::read_dir(Path::new(EXAMPLES).join(name))? {
        let file = file?;
        fs::copy(file.path(), folder.path().join(file.file_name()))?;
    }
    Ok(())
}

#[tokio::test]
async fn the_example_of_an_ipxe_url_waits_for_the_server_it_made() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    example(&folder, "ipxe-url")?;
    let running = folder.start_apply()?;
    let mut fleets = Vec::new();
    for (name, n) in [("runner-1", 1), ("runner-2", 2)] {
        armed(&site, name).await?;
        // What the provider does: a server that boots this URL.
        let boot_url = site.admin.boot_url(name).await?;
        fleets.push(switched_on(&[simulated(name, n).booting(&boot_url)], &site)?);
    }
    says!(running.ended().await?.succeeded()?, "8 added");
    folder.plan_is_empty().await
}

#[tokio::test]
async fn every_example_is_well_formed() -> Result<()> {
    let folder = Folder::new().await?;
    folder
        .run(&["fmt", "-check", "-recursive", "-diff", EXAMPLES])
        .await?
        .succeeded()?;
    for name in ["generic", "ipxe-url"] {
        let folder = Folder::new().await?;
        example(&folder, name)?;
        folder.run(&["validate", "-no-color"]).await?.succeeded()?;
    }
    Ok(())
}

pub(crate) async fn armed(site: &Site, name: &str) -> Result<()> {
    wait::until(name, LIMIT, async || {
        let host = site.admin.host(name).await.unwrap_or_default();
        Ok((!host["run"].is_null()).then_some(()))
    })
    .await
}
