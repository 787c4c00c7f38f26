//! Templates: checked while Terraform plans, saved as versions.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::json;
use thirdboot_tests::Site;
use thirdboot_tests::terraform::Folder;

use crate::says;

fn config(contents: &str) -> String {
    format!(
        r#"
resource "thirdboot_template" "motd" {{
  name   = "motd"
  select = {{ roles = ["runner", "agent"] }}
  text   = <<-EOT
    variant: fcos
    version: 1.5.0
    storage:
      files:
        - path: /etc/motd
          contents: {{inline: "{contents}"}}
  EOT
}}
"#
    )
}

#[tokio::test]
async fn a_template_is_saved_changed_and_taken_away() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(&config("hello"))?;
    folder.apply().await?;
    folder.plan_is_empty().await?;
    folder.write(&config("hello again"))?;
    says!(folder.apply().await?, "1 changed");
    folder.plan_is_empty().await?;
    let (_, template) = site.admin.ask(Method::GET, "/api/v1/templates/motd", None).await?;
    ensure!(template["version"] == 2, "{template}");
    let imported = Folder::of(&site).await?;
    imported.write(&config("hello again"))?;
    imported
        .run(&["import", "thirdboot_template.motd", "motd"])
        .await?
        .succeeded()?;
    imported.plan_is_empty().await?;
    folder.destroy().await?;
    ensure!(
        site.admin.ask(Method::GET, "/api/v1/templates/motd", None).await?.0 == 404,
        "it is still there"
    );
    Ok(())
}

#[tokio::test]
async fn what_no_host_can_get_is_refused_by_the_plan() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(&config("x").replace("storage:", "storrage:"))?;
    says!(
        folder.plan_fails().await?,
        "The template motd cannot be saved",
        "storrage",
        "on main.tf line 5"
    );
    Ok(())
}

#[tokio::test]
async fn what_one_host_cannot_get_is_told_by_the_plan() -> Result<()> {
    let site = Site::start().await?;
    let mut host = thirdboot_tests::site::host("a", "runner", &site.machine(1)?.hardware);
    host["labels"] = json!({"row": "B"});
    site.admin.add(&host).await?;
    let folder = Folder::of(&site).await?;
    folder.write(&config("{{ host.labels.rack }}"))?;
    says!(folder.plan().await?, "It does not render for a as that host is now");
    says!(folder.apply_fails().await?, "The template motd cannot be saved");
    site.admin
        .patch("/api/v1/hosts/a", &json!({"labels": {"rack": "7"}}))
        .await?;
    folder.apply().await?;
    folder.plan_is_empty().await
}
