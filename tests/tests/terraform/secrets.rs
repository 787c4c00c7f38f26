//! What is secret is in no plan, in no output, and what is write-only not even in the state.

use std::fs;

use anyhow::{Result, ensure};
use thirdboot_tests::Site;
use thirdboot_tests::terraform::Folder;

use crate::says_not;

const HASH: &str = "$6$rounds=5000$c2FsdA$Zm9vYmFyYmF6cXV4";

fn config(wo: &str) -> String {
    format!(
        "resource \"thirdboot_host\" \"a\" {{\n  name = \"a\"\n{wo}}}\n\
         resource \"thirdboot_token\" \"ci\" {{\n  name = \"ci\"\n  role = \"viewer\"\n}}\n\
         output \"token\" {{\n  value     = thirdboot_token.ci.token\n  sensitive = true\n}}\n"
    )
}

#[tokio::test]
async fn no_secret_is_shown_and_what_is_write_only_is_kept_nowhere() -> Result<()> {
    let site = Site::start().await?;
    let mut folder = Folder::of(&site).await?;
    // An ephemeral variable: what stands in a configuration's text stands in a saved plan, too.
    folder.set("TF_VAR_hash", HASH);
    let with = |version: u8| {
        let hash = "variable \"hash\" {\n  type      = string\n  ephemeral = true\n}\n";
        let set = "console_password_hash_wo = var.hash\n  console_password_hash_wo_version";
        format!("{hash}{}", config(&format!("  {set} = {version}\n")))
    };
    folder.write(&with(1))?;
    let admin = site.server.admin_token()?;
    let saved = folder.run(&["plan", "-no-color", "-out", "saved"]).await?.succeeded()?;
    let planned = folder.run(&["show", "-json", "saved"]).await?.succeeded()?;
    let said = folder.run(&["apply", "-no-color", "saved"]).await?.succeeded()?;
    folder.plan_is_empty().await?;
    folder.write(&with(2))?;
    let changed = folder.plan().await?;
    let done = folder.apply().await?;
    folder.plan_is_empty().await?;
    let shown = folder.run(&["show", "-no-color"]).await?.succeeded()?;
    for text in [&saved, &planned, &said, &changed, &done, &shown] {
        says_not!(text, HASH, "tb_boot_", "tb_api_", admin.as_str());
    }
    let state = fs::read_to_string(folder.path().join("terraform.tfstate"))?;
    says_not!(state, HASH, admin.as_str());
    ensure!(
        state.contains("tb_boot_") && state.contains("tb_api_"),
        "the state has no boot URL or no token"
    );
    ensure!(
        site.admin.host("a").await?["has_console_password"] == true,
        "no password was set"
    );
    folder.write(&config(""))?;
    folder.apply().await?;
    ensure!(
        site.admin.host("a").await?["has_console_password"] == false,
        "the password is still there"
    );
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_token_works_and_dies_with_its_resource() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(&config(""))?;
    folder.apply().await?;
    let token = folder.shown("thirdboot_token.ci").await?["token"].clone();
    let ci = thirdboot_tests::Admin::new(&site.server.endpoints.control, token.as_str().unwrap_or_default())?;
    ci.host("a").await?;
    folder.destroy().await?;
    let (status, _) = ci.ask(reqwest::Method::GET, "/api/v1/whoami", None).await?;
    ensure!(status == 401, "{status}");
    Ok(())
}
