//! Who is asking: machines that nobody knows, that two hosts claim, that show a wrong key.

use anyhow::Result;
use reqwest::StatusCode;
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::{Verdict, fetch};
use thirdboot_tests::{Site, site};

fn held(reason: &str) -> Verdict {
    Verdict::Hold {
        reason: reason.to_owned(),
    }
}

#[tokio::test]
async fn an_unknown_machine_is_held_and_listed_with_all_it_said() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.machine(9)?;
    assert_eq!(machine.power_on().await?.verdict, held("unknown"));
    let listed = site.admin.unknown_machines().await?;
    assert_eq!(listed.len(), 1);
    let said = listed[0].to_string().to_lowercase();
    for word in [
        "52:54:00:00:09:01",
        "sn-0009",
        &machine.hardware.uuid.to_string(),
        "rack/1u",
    ] {
        assert!(said.contains(word), "no {word} in {said}");
    }
    Ok(())
}

#[tokio::test]
async fn asking_again_makes_no_second_unknown_machine() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.machine(9)?;
    for _ in 0..5 {
        machine.power_on().await?;
    }
    assert_eq!(site.admin.unknown_machines().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn unknown_machines_boot_their_disk_where_configured() -> Result<()> {
    let site = Site::with(&Images::sample(), &["--unknown", "local"]).await?;
    let verdict = site.machine(9)?.power_on().await?.verdict;
    assert_eq!(verdict, Verdict::Local { host: None });
    Ok(())
}

#[tokio::test]
async fn a_host_without_a_run_boots_its_disk() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.host(1, "r1", "runner").await?;
    let verdict = machine.power_on().await?.verdict;
    assert_eq!(
        verdict,
        Verdict::Local {
            host: Some("r1".to_owned())
        }
    );
    Ok(())
}

#[tokio::test]
async fn a_nic_that_moved_installs_nothing() -> Result<()> {
    let site = Site::start().await?;
    let first = site.armed(1, "r1", "runner").await?;
    let mut second = site.armed(2, "r2", "runner").await?;
    // Both have said what they are.
    for machine in [&first, &second] {
        let mut live = machine.boot_live().await?;
        live.reporter.tell(live.event()).await?;
    }
    second.hardware.macs[0] = first.hardware.macs[0].clone();
    assert_eq!(second.power_on().await?.verdict, held("conflict"));
    Ok(())
}

#[tokio::test]
async fn placeholder_serials_tell_nothing_of_a_machine() -> Result<()> {
    let site = Site::start().await?;
    let mut first = site.machine(1)?;
    let mut second = site.machine(2)?;
    for machine in [&mut first, &mut second] {
        machine.hardware.serial = "To be filled by O.E.M.".to_owned();
        machine.hardware.uuid = uuid::Uuid::nil();
    }
    for (name, machine) in [("r1", &first), ("r2", &second)] {
        site.admin.add(&site::host(name, "runner", &machine.hardware)).await?;
        site.admin.arm(name).await?;
    }
    for (name, machine) in [("r1", &first), ("r2", &second)] {
        let verdict = machine.power_on().await?.verdict;
        assert_eq!(
            verdict,
            Verdict::Install {
                host: name.to_owned(),
                run: 1
            }
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_gets_404_and_no_script() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.machine(1)?;
    for key in ["tb_boot_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "tb_boot_", "x", "%00"] {
        let url = format!("{}/ipxe/{key}?mac=52:54:00:00:01:01", site.server.endpoints.boot);
        let answer = fetch::get(machine.client(), &url).await?;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{key}");
        assert!(!answer.text().contains("#!ipxe"), "{key}");
    }
    Ok(())
}

#[tokio::test]
async fn macs_are_read_in_any_usual_notation() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    for mac in [
        "52:54:00:00:01:01",
        "52-54-00-00-01-01",
        "525400000101",
        "5254.0000.0101",
    ] {
        for mac in [mac.to_owned(), mac.to_uppercase()] {
            let url = format!("{}/ipxe?mac={mac}", site.server.endpoints.boot);
            let text = fetch::get(machine.client(), &url).await?.text();
            assert!(text.contains("# thirdboot: install host=r1 run=1"), "{mac}: {text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_address_outside_the_configured_ones_is_never_installed() -> Result<()> {
    let site = Site::with(&Images::sample(), &["--address-source", "192.0.2.0/24"]).await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let verdict = machine.power_on().await?.verdict;
    assert!(!matches!(verdict, Verdict::Install { .. }), "{verdict:?}");
    Ok(())
}

#[tokio::test]
async fn a_key_with_another_hosts_card_installs_neither() -> Result<()> {
    let site = Site::start().await?;
    let first = site.armed(1, "r1", "runner").await?;
    let mut second = site.armed(2, "r2", "runner").await?;
    let key = site.admin.boot_url("r2").await?;
    second.firmware_url = format!("{key}?mac=${{net0/mac}}&uuid=${{uuid}}&serial=${{serial}}");
    second.hardware.macs = first.hardware.macs;
    assert_eq!(second.power_on().await?.verdict, held("conflict"));
    Ok(())
}
