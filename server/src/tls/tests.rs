//! Certificates through their lives, and what a client makes of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::{SignedDuration, Timestamp};
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{RootCertStore, client::WebPkiServerVerifier};
use tempfile::TempDir;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn names() -> Vec<String> {
    vec!["boot.example.net".into(), "192.0.2.1".into(), "2001:db8::1".into()]
}

/// A server with its own CA.
fn own() -> (Tls, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (open(&TlsOptions::default(), &folder, now()).unwrap(), folder)
}

fn open(options: &TlsOptions, folder: &TempDir, now: Timestamp) -> anyhow::Result<Tls> {
    Tls::open(options, folder.path(), names(), now)
}

fn ca_of(tls: &Tls) -> String {
    tls.own_ca_pem().unwrap().to_owned()
}

/// Whether somebody who trusts `ca` and nobody else takes the server for `name`, so many days from now.
fn is_trusted(tls: &Tls, ca: &str, name: &str, days: i64) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(read_pem(ca.as_bytes()).unwrap().remove(0).der).unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider())
        .build()
        .unwrap();
    let held = tls.current.held().key;
    let at = (now() + SignedDuration::from_hours(24 * days)).as_second();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.try_into().unwrap()));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier
        .verify_server_cert(&held.cert[0], &held.cert[1..], &name, &[], at)
        .is_ok()
}

#[test]
fn the_first_start_makes_a_ca_whose_key_is_its_owners_and_later_starts_keep_it() {
    let (first, folder) = own();
    let key = folder.path().join("tls/ca.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path().join("tls")).unwrap().count(), 2);
    let second = open(&TlsOptions::default(), &folder, now()).unwrap();
    assert_eq!(ca_of(&first), ca_of(&second));
    assert!(is_trusted(&second, &ca_of(&first), "boot.example.net", 0));
}

#[test]
fn its_certificate_is_for_its_names_and_addresses_and_nobody_elses() {
    let (tls, _folder) = own();
    let ca = ca_of(&tls);
    for name in names() {
        assert!(is_trusted(&tls, &ca, &name, 0), "{name}");
    }
    assert!(!is_trusted(&tls, &ca, "other.example.net", 0));
    assert!(
        is_trusted(&tls, &ca, "192.0.2.1", -690),
        "a machine whose clock battery is empty"
    );
    assert!(!is_trusted(&tls, &ca, "192.0.2.1", 91));
}

#[test]
fn another_servers_ca_vouches_for_nothing_here() {
    let ((one, _a), (other, _b)) = (own(), own());
    assert!(!is_trusted(&one, &ca_of(&other), "boot.example.net", 0));
}

#[test]
fn a_certificate_is_made_anew_before_it_ends() {
    let (tls, _folder) = own();
    let in_days = |days: i64| now() + SignedDuration::from_hours(24 * days);
    let first = tls.current.held().key.cert[0].clone();
    tls.look(in_days(59));
    assert_eq!(tls.current.held().key.cert[0], first);
    tls.look(in_days(61));
    assert_ne!(tls.current.held().key.cert[0], first);
    assert!(is_trusted(&tls, &ca_of(&tls), "boot.example.net", 145));
}

#[test]
fn a_ca_that_lost_its_key_or_shows_it_is_refused() {
    let (_tls, folder) = own();
    let key = folder.path().join("tls/ca.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let error = open(&TlsOptions::default(), &folder, now()).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
    fs::remove_file(&key).unwrap();
    let error = open(&TlsOptions::default(), &folder, now()).unwrap_err().to_string();
    assert!(error.contains("restore it"), "{error}");
    assert!(!key.exists(), "no other CA is made behind the hosts' backs");
    let (_other, other_folder) = own();
    fs::copy(other_folder.path().join("tls/ca.key"), &key).unwrap();
    let error = open(&TlsOptions::default(), &folder, now()).unwrap_err().to_string();
    assert!(error.contains("do not belong together"), "{error}");
}

#[test]
fn a_first_start_that_was_cut_off_is_completed() {
    let (_tls, folder) = own();
    fs::remove_file(folder.path().join("tls/ca.pem")).unwrap();
    let tls = open(&TlsOptions::default(), &folder, now()).unwrap();
    assert!(is_trusted(&tls, &ca_of(&tls), "boot.example.net", 0));
}

/// Certificate and key of a CA that is not the server's.
fn write_given(folder: &TempDir, name: &str) -> (String, TlsOptions) {
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let options = TlsOptions {
        tls_cert: Some(cert),
        tls_key: Some(key),
        ..TlsOptions::default()
    };
    (made.cert.pem(), options)
}

#[test]
fn given_certificates_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let (first, options) = write_given(&folder, "one.example.net");
    let tls = open(&options, &folder, now()).unwrap();
    assert!(tls.own_ca_pem().is_none() && !folder.path().join("tls").exists());
    assert!(is_trusted(&tls, &first, "one.example.net", 0));
    let (second, _) = write_given(&folder, "two.example.net");
    tls.look(now());
    assert!(is_trusted(&tls, &second, "two.example.net", 0));
    assert!(!is_trusted(&tls, &first, "one.example.net", 0));
}

#[test]
fn a_change_that_is_half_done_leaves_the_certificate_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let (first, options) = write_given(&folder, "one.example.net");
    let tls = open(&options, &folder, now()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (second, _) = write_given(&other, "two.example.net");
    for file in ["cert.pem", "key.pem"] {
        assert!(is_trusted(&tls, &first, "one.example.net", 0), "before {file}");
        fs::copy(other.path().join(file), folder.path().join(file)).unwrap();
        tls.look(now());
    }
    assert!(is_trusted(&tls, &second, "two.example.net", 0));
}

#[test]
fn given_files_that_are_wrong_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_, options) = write_given(&folder, "one.example.net");
    let (cert, key) = (options.tls_cert.clone().unwrap(), options.tls_key.clone().unwrap());
    let refused = |says: &str| {
        let error = format!("{:#}", open(&options, &folder, now()).unwrap_err());
        assert!(error.contains(says), "{error}");
    };
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    refused("key.pem can be read by everybody (mode 644)");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let other = tempfile::tempdir().unwrap();
    write_given(&other, "two.example.net");
    fs::copy(other.path().join("cert.pem"), &cert).unwrap();
    refused("cert.pem and tls_key");
    fs::write(&cert, "no PEM\n").unwrap();
    refused("cert.pem holds no certificate");
    fs::remove_file(&cert).unwrap();
    refused("cert.pem: No such file");
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let refused = |change: &dyn Fn(&mut TlsOptions), says: &str| {
        let mut options = TlsOptions::default();
        change(&mut options);
        let error = options.validate().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    refused(&|options| options.tls_cert = Some("c".into()), "tls_key is missing");
    refused(&|options| options.tls_key = Some("k".into()), "tls_cert is missing");
    refused(&|options| options.require_tls = true, "needs boot_tls_listen");
    let both = |options: &mut TlsOptions| {
        (options.tls_cert, options.tls_key) = (Some("c".into()), Some("k".into()));
        options.tls_names = vec!["n".into()];
    };
    refused(&both, "tls_names is for the own CA");
}
