//! Two machines and a bond between them: two cables, and each kernel is the other's LACP partner.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use thirdboot_tests::metal::partner::free_port;
use thirdboot_tests::metal::{Card, Machine, Rig, Wire, cluster};

/// Two machines whose further cards are wired to each other, crosswise.
fn wired(rig: &Rig) -> Result<[Machine; 2]> {
    let mut machines = [rig.machine(1)?, rig.machine(2)?];
    for port in 1..=2 {
        let ends = [free_port()?, free_port()?];
        for (n, machine) in machines.iter_mut().enumerate() {
            machine.cards.push(Card {
                mac: format!("52:54:00:0{}:01:0{port}", n + 1),
                wire: Wire {
                    from: ends[n],
                    to: ends[1 - n],
                },
            });
        }
    }
    Ok(machines)
}

fn description(machine: &Machine, n: u8, vlan: u16) -> Value {
    let mut host = Rig::description(machine);
    host["network"] = json!({
        "uplink": {"method": "static", "addresses": [format!("198.51.100.1{n}/24")], "gateways": []},
        "bond": {"mode": "802.3ad", "lacp_rate": "fast", "ports": [machine.cards[0].mac, machine.cards[1].mac]},
        "vlans": [{"id": vlan, "addresses": [format!("192.168.123.{n}/24"), format!("fd00:123::{n}/64")]}],
    });
    host
}

/// A unit that asks the first machine over the VLAN, by IPv6, and says on the console what it hears.
const ASKS: &str = "variant: fcos
version: 1.4.0
systemd:
  units:
    - name: asks.service
      enabled: true
      contents: |
        [Unit]
        After=thirdboot-network.service
        [Service]
        ExecStart=/usr/bin/ping -i 2 fd00:123::1
        Restart=always
        RestartSec=2
        StandardOutput=journal+console
        [Install]
        WantedBy=multi-user.target
";

/// What it says then.
const HEARD: &str = "bytes from fd00:123::1";

/// When a host's run came to a stage.
async fn reached(rig: &Rig, host: &str, stage: &str) -> Result<jiff::Timestamp> {
    let events = rig.admin.events(host).await?;
    let found = events.iter().find(|event| event["stage"] == stage);
    let at = found.and_then(|event| event["at"].as_str());
    Ok(at.with_context(|| format!("{host} was never {stage}"))?.parse()?)
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn an_agent_joins_after_its_server_and_the_bond_holds_when_a_cable_is_out() -> Result<()> {
    let rig = Rig::for_story("pair").await?;
    let machines = wired(&rig)?;
    rig.offer_packages().await?;
    cluster::describe(&rig).await?;
    for (n, machine, role) in [(1, &machines[0], "server"), (2, &machines[1], "agent")] {
        let mut host = description(machine, n, cluster::VLAN);
        cluster::member(&mut host, role);
        rig.admin.add(&host).await?;
    }
    let template = json!({"text": ASKS, "select": {"hosts": ["m2"]}});
    let (status, answer) = rig
        .admin
        .ask(Method::PUT, "/api/v1/templates/asks", Some(&template))
        .await?;
    assert!(status.is_success(), "{status} {answer}");
    for machine in &machines {
        rig.admin.arm(&machine.name).await?;
    }

    let powered = [machines[0].power_on()?, machines[1].power_on()?];
    let story = async {
        // Whichever boot is dead ends both waits.
        tokio::try_join!(
            rig.reach(&powered[0], "m1", "ready"),
            rig.reach(&powered[1], "m2", "ready")
        )?;
        // Over the VLAN, by IPv6; it joined by IPv4.
        rig.hear(&powered[1], 0, HEARD).await?;
        powered[1].set_link("card0", false).await?;
        let out = rig.hear(&powered[1], 0, "link status definitely down").await?;
        rig.hear(&powered[1], out, HEARD).await
    }
    .await;
    for powered in powered {
        rig.off(powered).await?;
    }
    story?;
    let (server, agent) = (
        reached(&rig, "m1", "ready").await?,
        reached(&rig, "m2", "joining").await?,
    );
    assert!(
        server < agent,
        "the agent joined at {agent}, its server was ready at {server}"
    );
    Ok(())
}

/// The same network under another number: everything on the host is as asked, and its addresses lead nowhere.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_port_without_its_cable_is_named_and_so_is_a_vlan_of_another_number() -> Result<()> {
    let rig = Rig::for_story("pair-wrong").await?;
    let machines = wired(&rig)?;
    rig.offer_packages().await?;
    // The other end is off for now: no LACP.
    let backup = json!({"mode": "active-backup", "ports": [machines[0].cards[0].mac, machines[0].cards[1].mac]});
    let mut host = description(&machines[0], 1, 1234);
    host["network"]["bond"] = backup;
    rig.admin.add(&host).await?;
    rig.admin.arm("m1").await?;
    let first = machines[0].power_on()?;
    rig.reach(&first, "m1", "layered").await?;
    first.set_link("card0", false).await?;
    rig.watch(&first, "the port", async || {
        let differs = rig.admin.host("m1").await?["run"]["network_differs"].clone();
        let port = &machines[0].cards[0].mac;
        let named = json!([format!("port {port} is not in the bond: no link, or no such card")]);
        Ok((differs == named).then_some(()))
    })
    .await?;
    first.set_link("card0", true).await?;
    rig.reach(&first, "m1", "ready").await?;

    rig.stalls_after_a_minute("layered-boot").await?;
    let mut host = description(&machines[1], 2, 1235);
    host["network"]["bond"] =
        json!({"mode": "active-backup", "ports": [machines[1].cards[0].mac, machines[1].cards[1].mac]});
    rig.admin.add(&host).await?;
    rig.admin.arm("m2").await?;
    let second = machines[1].power_on()?;
    let told = rig
        .watch(&second, "the VLAN", async || {
            let host = rig.admin.host("m2").await?;
            let diagnosis = host["diagnosis"].to_string();
            Ok(diagnosis
                .contains("the switch does not carry this VLAN")
                .then_some(host))
        })
        .await;
    for powered in [first, second] {
        rig.off(powered).await?;
    }
    assert_eq!(told?["run"]["stage"], "layered-boot");
    Ok(())
}
