//! Clusters, and the example that makes one: applied with simulated machines.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use thirdboot_tests::Site;
use thirdboot_tests::site::K3S;
use thirdboot_tests::terraform::{Folder, Simulated, all_ready, simulated, switched_on};

use crate::examples::{armed, example};
use crate::says;

fn cluster(more: &str) -> String {
    let sha256 = "ab".repeat(32);
    format!(
        "resource \"thirdboot_cluster\" \"c\" {{\n  name = \"c\"\n  \
         k3s = {{ version = \"v1.34.1+k3s1\", binaries = {{ x86_64 = {{ sha256 = \"{sha256}\" }} }} }}\n{more}}}\n"
    )
}

#[tokio::test]
async fn a_cluster_is_made_changed_in_place_and_removed() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(&cluster(
        "  vlan = 7\n  manifests = { \"a.yaml\" = \"apiVersion: v1\\nkind: ConfigMap\\n\" }\n",
    ))?;
    folder.apply().await?;
    folder.plan_is_empty().await?;
    folder.write(&cluster(
        "  vlan = 8\n  pod_cidrs = [\"10.60.0.0/16\"]\n  agent = { labels = { rack = \"7\" } }\n",
    ))?;
    says!(folder.apply().await?, "0 added, 1 changed, 0 destroyed");
    folder.plan_is_empty().await?;
    let shown = site.admin.cluster("c").await?;
    ensure!(
        shown["spec"]["vlan"] == 8 && shown["spec"]["manifests"] == json!({}),
        "{shown}"
    );
    let imported = Folder::of(&site).await?;
    imported.write(&cluster(
        "  vlan = 8\n  pod_cidrs = [\"10.60.0.0/16\"]\n  agent = { labels = { rack = \"7\" } }\n",
    ))?;
    imported
        .run(&["import", "thirdboot_cluster.c", "c"])
        .await?
        .succeeded()?;
    imported.plan_is_empty().await?;
    folder.write(&cluster("  pod_cidrs = [\"10.60.0.0/16\", \"10.61.0.0/16\"]\n"))?;
    says!(folder.apply_fails().await?, "The cluster c cannot be changed");
    folder.destroy().await?;
    Ok(())
}

#[tokio::test]
async fn a_cluster_without_a_kubeconfig_says_what_to_wait_for() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let data = "data \"thirdboot_cluster\" \"c\" {\n  name = thirdboot_cluster.c.name\n}\n";
    folder.write(&format!("{}{data}", cluster("")))?;
    says!(
        folder.apply_fails().await?,
        "has no kubeconfig yet",
        "depend on the thirdboot_provision"
    );
    Ok(())
}

/// Eight machines, as examples/generic has them.
pub(crate) fn machines() -> Vec<Simulated> {
    let node = |name: &str, n: u32| simulated(name, n).joining();
    vec![
        node("server-1", 1),
        node("server-2", 2),
        node("server-3", 3),
        node("agent-1", 4),
        node("agent-2", 5),
        node("agent-3", 6),
        simulated("runner-1", 7),
        simulated("runner-2", 8),
    ]
}

fn variables(site: &Site, machines: &[Simulated]) -> Result<Value> {
    let of = |role: &str| -> Value {
        let those = machines.iter().filter(|machine| machine.name().starts_with(role));
        those
            .map(|machine| (machine.name().to_owned(), json!(machine.macs())))
            .collect()
    };
    Ok(json!({
        "servers": of("server"), "agents": of("agent"), "runners": of("runner"), "insecure_join": true,
        "k3s": site.k3s(K3S)?,
    }))
}

#[tokio::test]
async fn the_example_of_generic_machines_makes_a_cluster_of_eight() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    example(&folder, "generic")?;
    let machines = machines();
    folder.write_file("terraform.tfvars.json", &variables(&site, &machines)?.to_string())?;
    let running = folder.start_apply()?;
    for machine in &machines {
        armed(&site, machine.name()).await?;
    }
    let fleet = switched_on(&machines, &site)?;
    let said = running.ended().await?.succeeded()?;
    says!(
        said,
        "Resources: 17 added, 0 changed, 0 destroyed",
        "kubeconfig = <sensitive>"
    );
    all_ready(fleet).await?;
    folder.plan_is_empty().await?;
    let kubeconfig = folder.run(&["output", "-raw", "kubeconfig"]).await?.succeeded()?;
    ensure!(kubeconfig.contains("server: "), "{kubeconfig}");
    let cluster = site.admin.cluster("sample").await?;
    let members = cluster["members"].as_array().context("no members")?;
    ensure!(
        members.len() == 6 && members.iter().all(|member| member["stage"] == "ready"),
        "{cluster}"
    );
    // What all servers share cannot change any more: the plan says so, at its line.
    let main = fs::read_to_string(folder.path().join("main.tf"))?;
    folder.write(&main.replace("[\"traefik\"]", "[\"servicelb\"]"))?;
    says!(
        folder.plan_fails().await?,
        "disable cannot change any more",
        "on main.tf line"
    );
    folder.write(&main)?;
    says!(folder.destroy().await?, "17 destroyed");
    Ok(())
}
