//! Two machines and a bond between them: two cables, and each kernel is the other's LACP partner.

use anyhow::Result;
use serde_json::{Value, json};
use thirdboot_tests::metal::partner::free_port;
use thirdboot_tests::metal::{Card, Machine, Rig, Wire};

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

fn description(machine: &Machine, n: u8) -> Value {
    let mut host = Rig::description(machine);
    host["network"] = json!({
        "uplink": {"method": "static", "addresses": [format!("198.51.100.1{n}/24")], "gateways": []},
        "bond": {"mode": "802.3ad", "lacp_rate": "fast", "ports": [machine.cards[0].mac, machine.cards[1].mac]},
        "vlans": [{"id": 1234, "addresses": [format!("192.168.123.{n}/24"), format!("fd00:123::{n}/64")]}],
    });
    host
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_port_without_its_cable_is_named_and_both_are_ready_once_it_is_back() -> Result<()> {
    let rig = Rig::for_story("pair").await?;
    let machines = wired(&rig)?;
    for (n, machine) in (1..).zip(&machines) {
        rig.admin.add(&description(machine, n)).await?;
        rig.admin.arm(&machine.name).await?;
    }
    let (first, second) = (machines[0].power_on()?, machines[1].power_on()?);
    rig.reach(&first, "m1", "layered").await?;
    first.set_link("card0", false).await?;
    let differs = rig
        .watch(&first, "what differs", async || {
            let differs = rig.admin.host("m1").await?["run"]["network_differs"].to_string();
            Ok(differs.contains(&machines[0].cards[0].mac).then_some(differs))
        })
        .await;
    first.set_link("card0", true).await?;
    let reached = (
        rig.reach(&first, "m1", "ready").await,
        rig.reach(&second, "m2", "ready").await,
    );
    let serials = (first.pull_the_plug().await?, second.pull_the_plug().await?);
    rig.keep(&[(&machines[0], &serials.0), (&machines[1], &serials.1)])
        .await?;
    for host in [reached.0?, reached.1?] {
        assert_eq!(host["run"]["network_differs"], json!([]));
    }
    differs.map(|_| ())
}
