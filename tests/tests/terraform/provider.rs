//! The provider's own block, and the binary when a person starts it.

use anyhow::{Context, Result, ensure};
use thirdboot_tests::Site;
use thirdboot_tests::server::binary;
use thirdboot_tests::terraform::Folder;
use tokio::process::Command;

use crate::{says, says_not};

#[tokio::test]
async fn a_block_names_the_server_and_its_faults_are_told_there() -> Result<()> {
    let site = Site::start().await?;
    let mut folder = Folder::new().await?;
    folder.set("TF_VAR_token", &site.server.admin_token()?);
    let config = |endpoint: &str, ca: &str| {
        format!(
            "variable \"token\" {{\n  sensitive = true\n}}\n\
             provider \"thirdboot\" {{\n  endpoint = \"{endpoint}\"\n  token    = var.token\n{ca}}}\n\
             resource \"thirdboot_host\" \"a\" {{\n  name = \"a\"\n}}\n"
        )
    };
    folder.write(&config(&site.server.endpoints.control, ""))?;
    folder.apply().await?;
    folder.write(&config("localhost:8081", ""))?;
    says!(folder.plan_fails().await?, "on main.tf line 5", "is no URL of a server");
    folder.write(&config(
        &site.server.endpoints.control,
        "  ca_file = \"/nowhere.pem\"\n",
    ))?;
    says!(
        folder.plan_fails().await?,
        "on main.tf line 7",
        "/nowhere.pem cannot be read"
    );
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_comes_from_a_resource_is_waited_for() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(&format!(
        "resource \"terraform_data\" \"server\" {{\n  input = \"{}\"\n}}\n\
         provider \"thirdboot\" {{\n  endpoint = terraform_data.server.output\n}}\n\
         resource \"thirdboot_host\" \"a\" {{\n  name = \"a\"\n}}\n",
        site.server.endpoints.control
    ))?;
    says!(folder.apply().await?, "2 added");
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_server_with_its_own_ca_is_trusted_by_that_ca_alone() -> Result<()> {
    let arguments = ["--address-source", "127.0.0.0/8", "--control-tls", "true"];
    let site = Site::with(&thirdboot_tests::assets::Images::sample(), &arguments).await?;
    let mut folder = Folder::of(&site).await?;
    folder.write("resource \"thirdboot_host\" \"a\" {\n  name = \"a\"\n}\n")?;
    says!(folder.apply_fails().await?, "cannot be reached");
    let ca = site.server.settings.data_dir.join("tls/ca.pem");
    folder.set("THIRDBOOT_CA", ca.to_str().context("no UTF-8")?);
    folder.apply().await?;
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_person_who_starts_it_is_told_what_it_is() -> Result<()> {
    let provider = binary::path().await?.with_file_name("terraform-provider-thirdboot");
    let done = Command::new(provider).output().await?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure!(done.status.code() == Some(1), "{said}");
    says!(said, "this is a provider for Terraform");
    says_not!(said, "panicked");
    Ok(())
}
