//! Both planes over HTTPS, with the CA that the first start made.

use std::path::PathBuf;

use reqwest::{Certificate, Client};
use thirdboot::serve::ServeOptions;

use crate::desk::Desk;

/// Both planes speak HTTPS; the boot plane speaks plain HTTP as well.
fn over_https(options: &mut ServeOptions) {
    options.tls.boot_tls_listen = Some(([127, 0, 0, 1], 0).into());
    options.tls.control_tls = Some(true);
}

fn ca(desk: &Desk) -> PathBuf {
    desk.folder.path().join("data/tls/ca.pem")
}

/// Somebody who trusts one server's CA and nobody else.
fn client(desk: &Desk) -> Client {
    let pem = std::fs::read(ca(desk)).unwrap();
    let certificates = Certificate::from_pem_bundle(&pem).unwrap();
    Client::builder().tls_certs_only(certificates).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_boot_plane_serves_scripts_in_the_open_and_configs_over_https() {
    let desk = Desk::with(over_https).await;
    let (plain, tls) = (desk.server.boot_url(), desk.server.boot_tls_url().unwrap());
    assert!(plain.starts_with("http://") && tls.starts_with("https://"));
    let settings = &desk.server.app().settings;
    assert_eq!((settings.boot_url.as_str(), settings.config_url.as_str()), (plain, tls));
    assert_eq!(settings.assets_url, settings.boot_url, "iPXE fetches them");
    for url in [plain, tls] {
        let script = client(&desk).get(format!("{url}/boot.ipxe")).send().await.unwrap();
        let script = script.text().await.unwrap();
        assert!(script.contains(&format!("{plain}/ipxe?")), "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_pass_for_the_server() {
    let (one, other) = (Desk::with(over_https).await, Desk::with(over_https).await);
    let url = format!("{}/boot.ipxe", one.server.boot_tls_url().unwrap());
    assert!(client(&one).get(&url).send().await.is_ok());
    assert!(client(&other).get(&url).send().await.is_err());
    assert!(Client::new().get(&url).send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_speaks_no_tls_is_no_answer_and_harms_nobody() {
    let desk = Desk::with(over_https).await;
    let tls = desk.server.boot_tls_url().unwrap();
    assert!(Client::new().get(tls.replace("https", "http")).send().await.is_err());
    assert!(client(&desk).get(format!("{tls}/boot.ipxe")).send().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_trusts_the_ca_that_it_is_given() {
    let (desk, other) = (Desk::with(over_https).await, Desk::with(over_https).await);
    let types = async |ca: PathBuf| desk.types(&format!("host list --ca {}", ca.display())).await;
    assert_eq!(types(ca(&desk)).await.code, 0);
    let refused = types(ca(&other)).await;
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("certificate"), "{refused:?}");
    assert_eq!(desk.types("host list").await.code, 3);
    let token = types(desk.folder.path().join("data/admin-token")).await;
    assert_eq!(token.code, 2, "{token:?}");
    assert!(token.err.contains("--ca "), "{token:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_started_again_is_still_trusted() {
    let mut kept = None;
    let desk = Desk::with(|options| {
        over_https(options);
        kept = Some(options.clone());
    });
    let desk = desk.await;
    let trusting = client(&desk);
    desk.server.shutdown().await.unwrap();
    let again = thirdboot::serve::start(kept.unwrap()).await.unwrap();
    let url = format!("{}/boot.ipxe", again.boot_tls_url().unwrap());
    assert_eq!(trusting.get(url).send().await.unwrap().status(), 200);
    again.shutdown().await.unwrap();
}
