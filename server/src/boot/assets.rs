//! `GET /assets/{conf secret}/{file}`: the files of a run's version, each fetch that host's evidence.

use axum::extract::State;
use thirdboot_lifecycle::Fetch;

use super::ignition::Ticket;
use super::mirror::unreadable;
use super::opened;
use super::sending::{Wanted, send};
use crate::App;
use crate::assets::AssetRole;
use crate::path::Path;
use crate::problem::{Answer, Failure};

pub(super) async fn asset(
    State(app): State<App>,
    Path((secret, name)): Path<(String, String)>,
    wanted: Wanted,
) -> Answer {
    let ticket = Ticket::check(&app, &secret).await?;
    let manifest = opened::assets(&app, ticket.host, ticket.run.number).await?;
    // Only what the run's manifest names is ever opened: nothing else of the path reaches the file system.
    let (role, file) = manifest.named(&name).ok_or_else(Failure::not_found)?;
    let verified = app.assets.open(&manifest, file).await.map_err(unreadable)?;
    let evidence = ticket.evidence(&app, fetch(role));
    Ok(send(verified, wanted, Some(evidence), &app.metrics).await)
}

fn fetch(role: AssetRole) -> Fetch {
    match role {
        AssetRole::Kernel => Fetch::Kernel,
        AssetRole::Initramfs => Fetch::Initramfs,
        AssetRole::Rootfs => Fetch::Rootfs,
        AssetRole::Image => Fetch::Image,
        AssetRole::ImageSignature => Fetch::ImageSignature,
    }
}

#[cfg(test)]
mod tests {
    use thirdboot_lifecycle::Fetch;

    use crate::secrets::Purpose;
    use crate::testing::{TestApp, VERSION, sample_bytes};

    async fn site() -> (TestApp, String) {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let base = format!("/assets/{}", site.secret(Purpose::Conf, host, 1));
        (site, base)
    }

    #[tokio::test]
    async fn a_file_is_served_whole_and_noted_as_evidence() {
        let (site, base) = site().await;
        let whole = site.get(&format!("{base}/rootfs.img")).await;
        assert_eq!(whole.body, sample_bytes("rootfs.img"));
        assert_eq!(
            (whole.header("accept-ranges"), whole.header("content-length")),
            ("bytes", "10000")
        );
        site.until("a1", |run| run.evidence.fetched.contains_key(&Fetch::Rootfs))
            .await;
    }

    #[tokio::test]
    async fn a_head_has_the_length_and_counts_for_nothing() {
        let (site, base) = site().await;
        let head = site.head(&format!("{base}/rootfs.img")).await;
        assert_eq!(
            (head.status.as_u16(), head.header("content-length"), head.body.len()),
            (200, "10000", 0)
        );
        assert!(site.evidence("a1").await.fetched.is_empty());
    }

    #[tokio::test]
    async fn a_part_is_evidence_only_when_it_reaches_the_end() {
        let (site, base) = site().await;
        let path = format!("{base}/rootfs.img");
        let bytes = sample_bytes("rootfs.img");
        let middle = site.get_with(&path, &[("range", "bytes=100-199")]).await;
        assert_eq!(
            (middle.status.as_u16(), middle.header("content-range")),
            (206, "bytes 100-199/10000")
        );
        assert_eq!(middle.body, bytes[100..200]);
        assert!(site.evidence("a1").await.fetched.is_empty());
        let end = site.get_with(&path, &[("range", "bytes=9000-")]).await;
        assert_eq!((end.status.as_u16(), end.body.as_slice()), (206, &bytes[9000..]));
        site.until("a1", |run| run.evidence.fetched.contains_key(&Fetch::Rootfs))
            .await;
        let beyond = site.get_with(&path, &[("range", "bytes=10000-")]).await;
        assert_eq!(
            (beyond.status.as_u16(), beyond.header("content-range")),
            (416, "bytes */10000")
        );
    }

    #[tokio::test]
    async fn only_what_the_runs_manifest_names_is_served() {
        let (site, base) = site().await;
        std::fs::write(site.path("assets/x86_64").join(VERSION).join("private"), "x").unwrap();
        for name in [
            "private",
            "manifest.json",
            "..%2fmanifest.json",
            "%2e%2e%2f%2e%2e%2fdata%2fmaster.key",
            "%ff",
            "kernel%00",
        ] {
            assert_eq!(site.get(&format!("{base}/{name}")).await.problem().0, 404, "{name}");
        }
        assert_eq!(site.get(&format!("{base}/../../data/master.key")).await.status, 404);
    }

    #[tokio::test]
    async fn a_damaged_file_is_503_and_not_one_wrong_byte() {
        let (site, base) = site().await;
        let file = site.path("assets/x86_64").join(VERSION).join("kernel");
        let good = std::fs::read(&file).unwrap();
        let mut bad = good.clone();
        bad[3] ^= 1;
        std::fs::write(&file, &bad).unwrap();
        let (status, _, _) = site.get(&format!("{base}/kernel")).await.problem();
        assert_eq!(status, 503);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(
            site.get(&format!("{base}/kernel")).await.problem().0,
            503,
            "a mirror that is being filled"
        );
        std::fs::write(&file, &good).unwrap();
        assert_eq!(site.get(&format!("{base}/kernel")).await.body, good);
    }
}
