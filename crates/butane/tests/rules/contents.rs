//! Data URLs, compression, hashes and sources.

use crate::{accepts, findings, json};

fn source(minor: u8, contents: &str) -> (String, Option<String>) {
    let body = format!("storage:\n  files:\n    - path: /a\n      contents: {contents}\n");
    let contents = &json(minor, &body)["storage"]["files"][0]["contents"];
    (
        contents["source"].as_str().unwrap().to_owned(),
        contents["compression"].as_str().map(str::to_owned),
    )
}

#[test]
fn the_shortest_of_three_encodings_is_taken() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(source(7, "{inline: abc}"), ("data:,abc".to_owned(), some("")));
    assert_eq!(
        source(7, "{inline: \"a-_.!~*'()Z9\"}"),
        ("data:,a-_.!~*'()Z9".to_owned(), some(""))
    );
    assert_eq!(
        source(7, "{inline: \"a b/c\"}"),
        ("data:,a%20b%2Fc".to_owned(), some(""))
    );
    // Base64 must be strictly shorter.
    let same_length = ("data:,%2F%2F%2F%2F%2F".to_owned(), some(""));
    assert_eq!(source(7, "{inline: \"/////\"}"), same_length);
    assert_eq!(
        source(7, "{inline: \"//////\"}"),
        ("data:;base64,Ly8vLy8v".to_owned(), some(""))
    );
    let (zipped, compression) = source(7, &format!("{{inline: \"{}\"}}", "a".repeat(200)));
    assert!(zipped.starts_with("data:;base64,H4sI"), "{zipped}");
    assert_eq!(compression, some("gzip"));
    assert_eq!(source(7, "{inline: \"\"}"), ("data:,".to_owned(), some("")));
}

#[test]
fn version_1_0_escapes_and_says_no_compression() {
    assert_eq!(
        source(0, "{inline: \"/////\"}"),
        ("data:,%2F%2F%2F%2F%2F".to_owned(), None)
    );
}

#[test]
fn a_users_compression_means_compressed_already() {
    let (url, compression) = source(7, &format!("{{compression: gzip, inline: \"{}\"}}", "a".repeat(200)));
    assert!(url.starts_with("data:,aaa"), "{url}");
    assert_eq!(compression.as_deref(), Some("gzip"));
    assert_eq!(source(7, "{compression: \"\", inline: a}").1.as_deref(), Some(""));
    assert!(!accepts(
        7,
        "storage: {files: [{path: /a, contents: {compression: xz, inline: a}}]}\n"
    ));
}

#[test]
fn binary_data_keeps_its_bytes() {
    assert_eq!(source(7, "{inline: !!binary aAH/}").0, "data:,h%01%FF");
    assert!(!accepts(
        7,
        "storage: {files: [{path: /a, contents: {inline: !!binary \"*\"}}]}\n"
    ));
}

#[test]
fn only_one_source() {
    let body = "storage:\n  files:\n    - path: /a\n      contents:\n        inline: a\n        source: \"data:,b\"\n";
    assert_eq!(findings(7, body), ["error 8:17"]);
    // Version 1.0 blames the inline content.
    assert_eq!(findings(0, body), ["error 7:17"]);
}

#[test]
fn sources_are_urls_that_ignition_can_fetch() {
    let fine = |minor: u8, url: &str| {
        accepts(
            minor,
            &format!("storage: {{files: [{{path: /a, contents: {{source: {url:?}}}}}]}}\n"),
        )
    };
    for url in [
        "http://h/a",
        "HTTPS://h:8080/a?b=c#d",
        "https://u:p@h/",
        "tftp://h/a",
        "gs://b/o",
        "s3://b/k",
        "s3://b/k?versionId=1",
        "http://[::1]:80/a",
        "http://[fe80::1%25eth0]/",
        "data:,x",
        "data:text/plain;charset=utf-8;base64,eA==",
        "data:text/plain;name=\"a;b\",x",
        "arn:aws:s3:::bucket/key",
        "arn:aws:s3:us-west-2:123456789012:accesspoint/test/object",
        "",
    ] {
        assert!(fine(7, url), "{url}");
    }
    for url in [
        "ftp://h/a",
        "h/a",
        "://a",
        " http://a",
        "http://a b/",
        "http://[::1",
        "http://[::x]/",
        "http://h:a/",
        "http://h/%zz",
        "http://a%20b/",
        "s3://b/k?versionId=",
        "s3://b/k?versionId",
        "data:x",
        "DATA:,x",
        "data:,a b",
        "data:,%4",
        "data:;base64,e",
        "data:;base64,eA=%3D",
        "data:;a=,x",
        "arn:aws:s3:::bucket",
        "arn:aws:s3:r:a:accesspoint/x",
        "arn:aws:ec2:::b/k",
    ] {
        assert!(!fine(7, url), "{url}");
    }
    assert!(!fine(4, "arn:aws:s3:::bucket/key"));
    assert!(fine(5, "arn:aws:s3:::bucket/key"));
}

#[test]
fn hashes_are_checked_for_form_only() {
    let fine = |minor: u8, hash: &str| {
        accepts(
            minor,
            &format!(
                "storage: {{files: [{{path: /a, contents: {{source: \"data:,x\", verification: {{hash: {hash}}}}}}}]}}\n"
            ),
        )
    };
    let (long, short) = ("z".repeat(128), "z".repeat(64));
    assert!(fine(7, &format!("sha512-{long}")));
    assert!(fine(7, &format!("sha256-{short}")));
    assert!(fine(0, &format!("sha512-{long}")));
    assert!(!fine(0, &format!("sha256-{short}")));
    assert!(!fine(7, &format!("sha512-{short}")));
    assert!(!fine(7, &format!("md5-{short}")));
    assert!(!fine(7, &short));
    assert!(!accepts(
        7,
        &format!("storage: {{files: [{{path: /a, contents: {{verification: {{hash: sha512-{long}}}}}}}]}}\n")
    ));
}

#[test]
fn headers_need_http_and_a_name() {
    let fine = |source: &str, headers: &str| {
        accepts(
            7,
            &format!("storage: {{files: [{{path: /a, contents: {{{source} http_headers: {headers}}}}}]}}\n"),
        )
    };
    assert!(fine("source: \"http://h/\",", "[{name: A, value: b}]"));
    assert!(!fine("source: \"tftp://h/\",", "[{name: A, value: b}]"));
    assert!(!fine("", "[{name: A, value: b}]"));
    assert!(!fine("source: \"http://h/\",", "[{value: b}]"));
    assert!(!fine("source: \"http://h/\",", "[{name: A}, {name: A}]"));
}

#[test]
fn further_configs() {
    let merge = |minor: u8, item: &str| findings(minor, &format!("ignition:\n  config:\n    merge:\n      - {item}\n"));
    assert_eq!(merge(7, "{source: \"https://a/\"}"), [""; 0]);
    assert_eq!(merge(7, "{}"), ["error 6:9"]);
    assert_eq!(merge(0, "{}"), [""; 0]);
    assert_eq!(merge(7, "{inline: '{\"ignition\":{\"version\":\"3.6.0\"}}'}"), [""; 0]);
    assert_eq!(merge(7, "{inline: ''}"), ["error 1:1", "error 6:18"]);
    // Another version is not looked into, none is an error.
    assert_eq!(
        merge(7, "{inline: '{\"ignition\":{\"version\":\"3.5.0\"}}'}"),
        ["warning 6:9"]
    );
    assert_eq!(merge(7, "{inline: '{\"ignition\":{}}'}"), ["error 4:3"]);
    let version = json(0, "ignition: {config: {merge: [{}]}}\n");
    assert_eq!(
        version["ignition"]["config"]["merge"][0],
        serde_json::json!({"source": null})
    );
    assert_eq!(
        findings(
            7,
            "ignition: {config: {merge: [{source: \"https://a/\"}, {source: \"https://a/\"}]}}\n"
        ),
        ["error 3:53"]
    );
}

#[test]
fn proxies() {
    let proxy = |text: &str| findings(7, &format!("ignition:\n  proxy: {{{text}}}\n"));
    assert_eq!(proxy("http_proxy: \"http://p\", https_proxy: \"https://p\""), [""; 0]);
    assert_eq!(proxy("https_proxy: \"http://p\""), ["warning 4:24"]);
    assert_eq!(proxy("http_proxy: \"ftp://p\""), ["error 4:23"]);
    assert_eq!(proxy("no_proxy: [a, a]"), ["error 4:25"]);
}
