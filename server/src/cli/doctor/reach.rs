//! Ports and URLs: who listens, and what a host gets that asks there.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use reqwest::Client;
use thirdboot_api::innermost;
use thirdboot_render::BaseUrl;

use super::finding::Finding;
use crate::serve::{ServeOptions, Urls, host};

/// A host would not wait longer, either.
const LIMIT: Duration = Duration::from_secs(5);
/// Second line of the first script.
const FIRST_SCRIPT: &str = "# thirdboot: boot\n";
const PORT: &str = "port";
const URL: &str = "url";

pub(super) async fn look(options: &ServeOptions, urls: &Urls) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (boot, boot_is_open) = port("boot_listen", options.boot_listen);
    findings.push(boot);
    if let Some(address) = options.tls.boot_tls_listen {
        findings.push(port("boot_tls_listen", address).0);
    }
    findings.push(port("control_listen", options.control_listen).0);
    findings.extend(local_only(options, urls));
    if !boot_is_open {
        let mend = "start the server and run this again: what hosts see is not checked yet";
        findings.push(Finding::warn(URL, "no server listens on boot_listen", mend));
        return findings;
    }
    let own = fs::read_to_string(options.data_dir.join("tls/ca.pem")).ok();
    let ca = match options.ca_pem(&urls.config, own.as_deref()) {
        Ok(ca) => ca,
        Err(error) => {
            findings.push(Finding::broken(
                "certificate",
                format!("{error:#}"),
                "put a PEM file there",
            ));
            return findings;
        }
    };
    findings.push(first_script(urls, &urls.boot, None).await);
    if urls.config != urls.boot {
        findings.push(first_script(urls, &urls.config, ca.as_deref()).await);
    }
    findings
}

/// Whether somebody listens there; that nobody does, and nobody could, is found by trying.
fn port(name: &str, address: SocketAddr) -> (Finding, bool) {
    let Err(error) = TcpListener::bind(address) else {
        return (Finding::well(PORT, format!("{name} {address} is free")), false);
    };
    if error.kind() == ErrorKind::AddrInUse {
        return (Finding::well(PORT, format!("{name} {address} is in use")), true);
    }
    let mend = match error.kind() {
        ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE: deploy/thirdboot.service has it",
        ErrorKind::AddrNotAvailable => {
            "no interface of this machine has that address: take one of `ip address`, or 0.0.0.0"
        }
        _ => "take another address",
    };
    (
        Finding::broken(PORT, format!("{name} {address} cannot be had: {error}"), mend),
        false,
    )
}

/// What only this machine can reach.
fn local_only(options: &ServeOptions, urls: &Urls) -> Option<Finding> {
    let name = host(&urls.boot).ok()?;
    let is_local = |name: &str| {
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
        name == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    if is_local(&name) {
        let found = format!("hosts are sent to {}, which is this machine only", urls.boot);
        return Some(Finding::warn(URL, found, "set boot_url to the server as hosts see it"));
    }
    if options.boot_listen.ip().is_loopback() {
        let found = format!(
            "boot_listen {} is this machine only: no host reaches it by itself",
            options.boot_listen
        );
        return Some(Finding::warn(
            URL,
            found,
            "set boot_listen to an address of the boot network, unless a proxy passes it on",
        ));
    }
    None
}

async fn first_script(urls: &Urls, base: &BaseUrl, ca: Option<&str>) -> Finding {
    let url = format!("{base}/boot.ipxe");
    let text = match ask(&url, ca).await {
        Ok(text) => text,
        Err(why) => {
            let mend = if base.is_https() {
                "tls_names must hold the name that hosts ask for, and tls_ca the CA of whoever answers there: docs/operations.md, TLS"
            } else {
                "look at the name's address, at firewalls and at boot_listen"
            };
            return Finding::broken(URL, format!("{url}: {why}"), mend);
        }
    };
    if !text.contains(FIRST_SCRIPT) {
        return Finding::broken(
            URL,
            format!("{url} is answered by something else"),
            "find out who listens there",
        );
    }
    if !text.contains(&format!("{}/ipxe?", urls.boot)) {
        let found = format!("{url} sends hosts elsewhere than boot_url {}", urls.boot);
        return Finding::broken(URL, found, "start the server again: it runs with other settings");
    }
    Finding::well(URL, format!("{url} answers as it should"))
}

async fn ask(url: &str, ca: Option<&str>) -> Result<String, String> {
    let mut builder = Client::builder()
        .no_proxy()
        .timeout(LIMIT)
        .redirect(reqwest::redirect::Policy::none());
    if let Some(pem) = ca {
        let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes());
        builder = builder.tls_certs_only(certificates.map_err(|error| innermost(&error))?);
    }
    let client = builder.build().map_err(|error| innermost(&error))?;
    let answer = client.get(url).send().await.map_err(|error| innermost(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("answers {status}"));
    }
    answer.text().await.map_err(|error| innermost(&error))
}
