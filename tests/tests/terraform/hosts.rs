//! A host's whole life: made, changed in place, replaced, imported, drifted, removed.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::json;
use thirdboot_tests::Site;
use thirdboot_tests::terraform::Folder;

use crate::{says, says_not};

const HOST: &str = r#"
resource "thirdboot_host" "a" {
  name     = "node-a"
  macs     = ["5254.00AA.BB01", "52:54:00:aa:bb:02"]
  role     = "runner"
  labels   = { rack = "7", row = "B" }
  packages = ["vim"]
  network = {
    bond  = { mtu = 9000 }
    vlans = [{ id = 1000, pool = { ipv4 = { prefix = "10.8.0.0/24" } } }, { id = 1001, addresses = ["10.9.0.5/24"], mtu = 9000 }]
    dns   = ["192.0.2.53"]
  }
  install = { console = ["ttyS1,115200n8"], disk_boot = "exit-1" }
}

output "pool_address" {
  value = thirdboot_host.a.vlan_addresses["1000"][0]
}
"#;

#[tokio::test]
async fn a_host_is_made_and_then_nothing_is_left_to_do() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(HOST)?;
    let plan = folder.plan().await?;
    says!(
        plan,
        "# thirdboot_host.a will be created",
        "boot_url = (sensitive value)",
        "1 to add"
    );
    let said = folder.apply().await?;
    says!(said, "Resources: 1 added", "pool_address = \"10.8.0.2/24\"");
    folder.plan_is_empty().await?;
    let host = site.admin.host("node-a").await?;
    ensure!(
        host["macs"] == json!(["52:54:00:aa:bb:01", "52:54:00:aa:bb:02"]),
        "{host}"
    );
    ensure!(
        host["network"]["bond"]["mode"] == "802.3ad" && host["install"]["disk_boot"] == "exit-1",
        "{host}"
    );
    let state = folder.shown("thirdboot_host.a").await?;
    ensure!(
        state["boot_url"].as_str() == Some(site.admin.boot_url("node-a").await?.as_str()),
        "{state}"
    );
    // The user's notation stays.
    ensure!(state["macs"][0] == "5254.00AA.BB01", "{state}");
    says!(folder.destroy().await?, "1 destroyed");
    ensure!(
        site.admin.ask(Method::GET, "/api/v1/hosts/node-a", None).await?.0 == 404,
        "it is still there"
    );
    Ok(())
}

#[tokio::test]
async fn a_change_is_made_in_place_and_only_a_name_replaces() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(HOST)?;
    folder.apply().await?;
    let before = folder.shown("thirdboot_host.a").await?;
    let changed = HOST
        .replace("rack = \"7\", row = \"B\"", "rack = \"8\"")
        .replace("packages = [\"vim\"]", "")
        .replace(", disk_boot = \"exit-1\"", "")
        .replace(
            "role     = \"runner\"",
            "role = \"agent\"\n  platform = \"equinix-metal\"\n  known_by = \"key\"\n  retired = true",
        );
    folder.write(&changed)?;
    let plan = folder.plan().await?;
    says!(plan, "will be updated in-place", "0 to add, 1 to change, 0 to destroy");
    says_not!(plan, "must be replaced");
    folder.apply().await?;
    folder.plan_is_empty().await?;
    let host = site.admin.host("node-a").await?;
    ensure!(
        host["labels"] == json!({"rack": "8"}) && host["packages"] == json!([]),
        "{host}"
    );
    ensure!(
        host["install"]["disk_boot"] == "exit" && host["retired"] == true,
        "{host}"
    );
    // A bond has what is usual on the new platform, and the pool's address stays the host's.
    ensure!(host["network"]["bond"]["lacp_rate"] == "fast", "{host}");
    let after = folder.shown("thirdboot_host.a").await?;
    ensure!(
        after["vlan_addresses"] == before["vlan_addresses"] && after["boot_url"] == before["boot_url"],
        "{after}"
    );
    folder.write(&changed.replace("node-a", "node-b").replace("  retired = true", ""))?;
    says!(
        folder.plan().await?,
        "must be replaced",
        "\"node-a\" -> \"node-b\" # forces replacement"
    );
    folder.apply().await?;
    folder.plan_is_empty().await?;
    ensure!(site.admin.host("node-b").await?["retired"] == false, "it is retired");
    ensure!(
        site.admin.ask(Method::GET, "/api/v1/hosts/node-a", None).await?.0 == 404,
        "the old one is still there"
    );
    Ok(())
}

#[tokio::test]
async fn a_vlan_that_goes_takes_nothing_of_its_neighbour() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(HOST)?;
    folder.apply().await?;
    let without = HOST
        .replace("{ id = 1000, pool = { ipv4 = { prefix = \"10.8.0.0/24\" } } }, ", "")
        .replace(
            "thirdboot_host.a.vlan_addresses[\"1000\"][0]",
            "thirdboot_host.a.vlan_addresses[\"1001\"][0]",
        );
    folder.write(&without)?;
    says!(folder.apply().await?, "1 changed", "pool_address = \"10.9.0.5/24\"");
    folder.plan_is_empty().await?;
    let vlans = site.admin.host("node-a").await?["network"]["vlans"].clone();
    ensure!(
        vlans.as_array().map(Vec::len) == Some(1) && vlans[0]["addresses"] == json!(["10.9.0.5/24"]),
        "{vlans}"
    );
    Ok(())
}

#[tokio::test]
async fn a_host_is_imported_by_its_name_or_its_hardware() -> Result<()> {
    let site = Site::start().await?;
    let described = json!({
        "name": "old", "macs": ["52:54:00:aa:bb:09"], "role": "runner", "labels": {"rack": "7"}, "serial": "SER-1",
        "network": {"vlans": [{"id": 7, "addresses": ["10.0.0.2/24"]}]}, "install": {"console": ["ttyS0"]}
    });
    site.admin.add(&described).await?;
    let config = r#"
resource "thirdboot_host" "old" {
  name    = "old"
  macs    = ["52:54:00:aa:bb:09"]
  role    = "runner"
  labels  = { rack = "7" }
  network = { vlans = [{ id = 7, addresses = ["10.0.0.2/24"] }] }
  install = { console = ["ttyS0"] }
}
"#;
    for id in ["old", "52-54-00-AA-BB-09", "SER-1"] {
        let folder = Folder::of(&site).await?;
        folder.write(config)?;
        says!(
            folder.run(&["import", "thirdboot_host.old", id]).await?.succeeded()?,
            "Import successful"
        );
        folder.plan_is_empty().await?;
    }
    let folder = Folder::of(&site).await?;
    folder.write(&format!(
        "{config}\nimport {{\n  to = thirdboot_host.old\n  id = \"old\"\n}}\n"
    ))?;
    says!(folder.plan().await?, "1 to import, 0 to add, 0 to change, 0 to destroy");
    folder.apply().await?;
    folder.plan_is_empty().await?;
    let nothing = folder.run(&["import", "thirdboot_host.old", "moon"]).await?;
    ensure!(nothing.code == Some(1), "{}", nothing.text);
    Ok(())
}

#[tokio::test]
async fn what_somebody_else_changed_is_shown_and_put_right() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(HOST)?;
    folder.apply().await?;
    let changed = json!({"labels": {"rack": "99"}, "packages": ["emacs"], "time_servers": ["ntp.example.net"]});
    site.admin.patch("/api/v1/hosts/node-a", &changed).await?;
    let plan = folder.plan().await?;
    says!(plan, "\"99\" -> \"7\"", "\"emacs\" -> \"vim\"", "\"ntp.example.net\"");
    folder.apply().await?;
    folder.plan_is_empty().await?;
    let host = site.admin.host("node-a").await?;
    ensure!(
        host["labels"]["rack"] == "7" && host["time_servers"] == json!([]),
        "{host}"
    );
    // And one that is gone is made again.
    site.admin.retire_and_remove("node-a").await?;
    says!(folder.plan().await?, "# thirdboot_host.a will be created");
    folder.apply().await?;
    folder.plan_is_empty().await
}

#[tokio::test]
async fn nobodys_change_between_plan_and_apply_is_overwritten() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(HOST)?;
    folder.apply().await?;
    folder.write(&HOST.replace("rack = \"7\"", "rack = \"8\""))?;
    folder.run(&["plan", "-no-color", "-out", "saved"]).await?.succeeded()?;
    site.admin
        .patch("/api/v1/hosts/node-a", &json!({"labels": {"rack": "99"}}))
        .await?;
    let said = folder.run(&["apply", "-no-color", "saved"]).await?.failed()?;
    says!(said, "Somebody changed it since the plan was made", "plan again");
    ensure!(
        site.admin.host("node-a").await?["labels"]["rack"] == "99",
        "it was overwritten"
    );
    folder.apply().await?;
    ensure!(
        site.admin.host("node-a").await?["labels"]["rack"] == "8",
        "it was not changed"
    );
    Ok(())
}

#[tokio::test]
async fn hosts_are_looked_up_by_name_and_by_label() -> Result<()> {
    let site = Site::start().await?;
    for (n, name, rack) in [(1, "a1", "7"), (2, "a2", "7"), (3, "a3", "8")] {
        let mut host = thirdboot_tests::site::host(name, "runner", &site.machine(n)?.hardware);
        host["labels"] = json!({"rack": rack});
        site.admin.add(&host).await?;
    }
    site.admin.arm("a1").await?;
    let folder = Folder::of(&site).await?;
    folder.write(
        r#"
data "thirdboot_hosts" "rack" {
  labels = { rack = "7" }
  role   = "runner"
}
data "thirdboot_host" "one" { name = "a1" }
output "names" { value = join(",", [for host in data.thirdboot_hosts.rack.hosts : host.name]) }
output "stage" { value = "${data.thirdboot_host.one.stage} in run ${data.thirdboot_host.one.run}" }
"#,
    )?;
    says!(folder.apply().await?, "names = \"a1,a2\"", "stage = \"armed in run 1\"");
    folder.write("data \"thirdboot_host\" \"none\" {\n  name = \"moon\"\n}\n")?;
    says!(folder.plan_fails().await?, "There is no host moon", "main.tf line 2");
    Ok(())
}
