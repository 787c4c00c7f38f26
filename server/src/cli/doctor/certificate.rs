//! Certificates, as they stand in files: what they are for and when they end. What is spoken is [`super::reach`]'s.

use std::fs;

use jiff::{SignedDuration, Timestamp};

use super::finding::Finding;
use super::now;
use crate::serve::{ServeOptions, Urls, host};
use crate::tls::{Certificate, read_pem};

/// A CA is told of this long before it ends: every host has to be given the next one.
const CA_NOTICE_DAYS: i64 = 365;
/// A certificate that others renew is told of this long before it ends: it should have been renewed by then.
const NOTICE_DAYS: i64 = 14;
const CHECK: &str = "certificate";

pub(super) fn look(options: &ServeOptions, urls: &Urls) -> Vec<Finding> {
    let mut findings = Vec::new();
    if urls.boot.is_https() {
        let found = format!(
            "scripts go over HTTPS ({}): only an iPXE that trusts the certificate reads them",
            urls.boot
        );
        let mend = "set boot_url to the plain listener, unless your iPXE was built with TRUST= for this CA";
        findings.push(Finding::warn(CHECK, found, mend));
    }
    if !urls.config.is_https() {
        let found = format!("configs and their secrets go over plain HTTP ({})", urls.config);
        findings.push(Finding::warn(
            CHECK,
            found,
            "set boot_tls_listen: docs/operations.md, TLS",
        ));
    }
    let (file, is_own) = match &options.tls.tls_cert {
        Some(file) => (file.clone(), false),
        None => (options.data_dir.join("tls/ca.pem"), true),
    };
    let at = file.display().to_string();
    match fs::read(&file)
        .map_err(anyhow::Error::from)
        .and_then(|pem| read_pem(&pem))
    {
        Err(_) if is_own && !file.exists() => findings.push(Finding::well(CHECK, "the first start makes a CA")),
        Err(error) => findings.push(Finding::broken(
            CHECK,
            format!("{at}: {error:#}"),
            "put a PEM file there",
        )),
        Ok(certificates) => match certificates.first() {
            None => findings.push(Finding::broken(
                CHECK,
                format!("{at} holds no certificate"),
                "put a PEM file there",
            )),
            Some(ca) if is_own => findings.push(ends(&at, ca, now(), CA_NOTICE_DAYS)),
            Some(leaf) => {
                findings.push(ends(&at, leaf, now(), NOTICE_DAYS));
                findings.extend(is_for(&at, leaf, urls));
            }
        },
    }
    findings
}

fn ends(at: &str, certificate: &Certificate, now: Timestamp, notice_days: i64) -> Finding {
    let mend = "docs/operations.md, TLS, says how it is replaced";
    let ends = certificate.ends;
    if ends <= now {
        return Finding::broken(CHECK, format!("{at} ended at {ends}"), mend);
    }
    if ends - SignedDuration::from_hours(24 * notice_days) <= now {
        return Finding::warn(CHECK, format!("{at} ends at {ends}"), mend);
    }
    Finding::well(CHECK, format!("{at} ends at {ends}"))
}

fn is_for(at: &str, leaf: &Certificate, urls: &Urls) -> Option<Finding> {
    let name = host(&urls.config).ok()?;
    let name = name.trim_matches(['[', ']']);
    let covers = |pattern: &String| match (pattern.strip_prefix("*."), name.split_once('.')) {
        (Some(rest), Some((_, domain))) => rest.eq_ignore_ascii_case(domain),
        _ => pattern.eq_ignore_ascii_case(name),
    };
    if !urls.config.is_https() || leaf.names.iter().any(covers) {
        return None;
    }
    let found = format!("{at} is for {}, and hosts ask for {name}", leaf.names.join(" "));
    Some(Finding::broken(
        CHECK,
        found,
        "set config_url to a name that it is for, or get another certificate",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;
    use thirdboot_render::BaseUrl;

    fn made(name: &str) -> Certificate {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        read_pem(made.cert.pem().as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn an_end_is_told_in_time() {
        let certificate = made("a");
        let before = |days: i64| certificate.ends - SignedDuration::from_hours(24 * days);
        for (days, verdict) in [(20, Verdict::Ok), (13, Verdict::Warn), (-1, Verdict::Broken)] {
            assert_eq!(
                ends("x", &certificate, before(days), NOTICE_DAYS).verdict,
                verdict,
                "{days}"
            );
        }
    }

    #[test]
    fn a_certificate_must_be_for_the_name_that_hosts_ask_for() {
        let urls = |config: &str| Urls {
            boot: BaseUrl::parse("http://a").unwrap(),
            config: BaseUrl::parse(config).unwrap(),
        };
        let is_told = |name: &str, config: &str| is_for("x", &made(name), &urls(config)).is_some();
        assert!(!is_told("boot.example.net", "https://Boot.example.net:8443"));
        assert!(!is_told("*.example.net", "https://boot.example.net"));
        assert!(!is_told("192.0.2.1", "https://192.0.2.1"));
        assert!(is_told("*.example.net", "https://a.boot.example.net"));
        assert!(is_told("other.example.net", "https://boot.example.net"));
        assert!(!is_told("other.example.net", "http://boot.example.net"));
    }
}
