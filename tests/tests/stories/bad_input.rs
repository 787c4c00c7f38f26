//! Whatever is sent: the protocol's status, nothing changed, nothing leaked.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use thirdboot_tests::host::{LiveSystem, fetch};
use thirdboot_tests::{Machine, Site, secrets};

/// What is sent wrongly.
struct Wrong {
    why: &'static str,
    method: Method,
    path: String,
    bearer: Option<String>,
    body: Vec<u8>,
    /// Statuses that the protocol allows here.
    expected: &'static [u16],
}

fn wrong(why: &'static str, path: &str, bearer: &str, body: impl Into<Vec<u8>>, expected: &'static [u16]) -> Wrong {
    Wrong {
        why,
        method: Method::POST,
        path: path.to_owned(),
        bearer: Some(bearer.to_owned()),
        body: body.into(),
        expected,
    }
}

/// A live system that was heard: what was fetched before has left its mark by then.
async fn speaking(machine: &Machine) -> Result<LiveSystem> {
    let mut live = machine.boot_live().await?;
    live.reporter.tell(live.event()).await?;
    Ok(live)
}

fn report(live: &LiveSystem) -> Value {
    json!({"run": 1, "boot_id": live.reporter.boot_id, "seq": 1000, "at": "2026-11-22T10:00:00Z",
        "event": "note"})
}

fn with(mut value: Value, field: &str, to: impl Into<Value>) -> Value {
    value[field] = to.into();
    value
}

fn without(mut value: Value, field: &str) -> Value {
    value.as_object_mut().map(|o| o.remove(field));
    value
}

/// Sends each one and holds the answer, the host and the log against the promises.
async fn all_are_refused(site: &Site, machine: &Machine, rows: Vec<Wrong>) -> Result<()> {
    let before = site.admin.host("r1").await?;
    for row in rows {
        let url = format!("{}{}", site.server.endpoints.boot, row.path);
        let mut request = machine.client().request(row.method, &url).body(row.body);
        request = request.header("content-type", "application/json");
        if let Some(bearer) = &row.bearer {
            request = request.bearer_auth(bearer);
        }
        let answer = fetch::answer(request).await.context(row.why)?;
        let (status, text) = (answer.status.as_u16(), answer.text());
        ensure!(row.expected.contains(&status), "{}: {status} {text}", row.why);
        let kind = answer.header("content-type");
        ensure!(kind == "application/problem+json", "{}: {kind} {text}", row.why);
        let problem: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
        ensure!(problem["status"] == status, "{}: {problem}", row.why);
        for field in ["type", "title", "detail"] {
            ensure!(problem[field].is_string(), "{}: no {field} in {problem}", row.why);
        }
        ensure!(secrets::found_in(&text).is_empty(), "{}: leaks in {text}", row.why);
    }
    let after = site.admin.host("r1").await?;
    let fields = before.as_object().context("no host")?;
    let changed = fields.iter().find(|(field, value)| after[*field] != **value);
    if let Some((field, value)) = changed {
        bail!("the host's {field} changed from {value} to {}", after[field]);
    }
    let leaked = secrets::found_in(&site.server.log()?);
    ensure!(leaked.is_empty(), "in the server's log: {leaked:?}");
    Ok(())
}

#[tokio::test]
async fn malformed_reports_change_nothing() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = speaking(&machine).await?;
    let key = &live.reporter.identity.secret;
    let bad = |why, body: Value| wrong(why, "/v1/report", key, body.to_string(), &[422]);
    let good = || report(&live);
    let rows = vec![
        wrong("not JSON", "/v1/report", key, "{\"run\": 1,", &[422]),
        wrong("nothing", "/v1/report", key, "", &[422]),
        wrong("not UTF-8", "/v1/report", key, [0xff, 0xfe, b'{'], &[422]),
        bad("an array", json!([good()])),
        bad("a run that is text", with(good(), "run", "1")),
        bad("a negative number", with(good(), "seq", -1)),
        bad("a fractional number", with(good(), "seq", 1.5)),
        bad("a boot_id that is none", with(good(), "boot_id", "yesterday")),
        bad("an empty boot_id", with(good(), "boot_id", "")),
        bad("an unknown event", with(good(), "event", "wiped")),
        bad("a time that is none", with(good(), "at", "noon")),
        bad(
            "more than all",
            with(with(good(), "event", "installing"), "percent", 101),
        ),
        bad("an unknown field", with(good(), "surprise", true)),
        bad("no run", without(good(), "run")),
        bad("no boot_id", without(good(), "boot_id")),
        bad("no seq", without(good(), "seq")),
        bad("no event", without(good(), "event")),
        bad("facts that are a list", with(good(), "facts", json!([1]))),
        wrong(
            "a log above 64 KiB",
            "/v1/report",
            key,
            with(good(), "log", "x".repeat((64 << 10) + 1)).to_string(),
            &[413, 422],
        ),
        wrong(
            "a body above 1 MiB",
            "/v1/report",
            key,
            with(good(), "message", "x".repeat(1 << 20)).to_string(),
            &[413],
        ),
        wrong(
            "a run that is not this one",
            "/v1/report",
            key,
            with(good(), "run", 2).to_string(),
            &[409, 422],
        ),
        wrong("a deep nest", "/v1/report", key, "[".repeat(100_000), &[422]),
    ];
    all_are_refused(&site, &machine, rows).await
}

#[tokio::test]
async fn malformed_claims_change_nothing() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = speaking(&machine).await?;
    let key = &live.reporter.identity.secret;
    let bad = |why, body: Value| wrong(why, "/v1/claim", key, body.to_string(), &[422]);
    let good = || machine.hardware.claim(1, live.reporter.boot_id);
    let disk = |field: &str, to: Value| {
        let mut claim = good();
        claim["disk"][field] = to;
        claim
    };
    let rows = vec![
        wrong("not JSON", "/v1/claim", key, "granted=true", &[422]),
        bad("no disk", without(good(), "disk")),
        bad("no MACs", without(good(), "macs")),
        bad("a MAC that is none", with(good(), "macs", json!(["52:54:00"]))),
        bad("MACs that are text", with(good(), "macs", "52:54:00:00:01:01")),
        bad("an unknown field", with(good(), "granted", true)),
        bad("a size that is text", disk("size_bytes", json!("480 GB"))),
        bad("a negative size", disk("size_bytes", json!(-1))),
        bad("an unknown field of a disk", disk("wipe", json!(true))),
        bad("a boot_id that is none", with(good(), "boot_id", 7)),
        wrong(
            "a body above 1 MiB",
            "/v1/claim",
            key,
            disk("model", json!("x".repeat(1 << 20))).to_string(),
            &[413],
        ),
        wrong(
            "a run that is not this one",
            "/v1/claim",
            key,
            with(good(), "run", 2).to_string(),
            &[409, 422],
        ),
    ];
    all_are_refused(&site, &machine, rows).await?;
    assert_eq!(live.claim_granted().await?, 1);
    Ok(())
}

#[tokio::test]
async fn wrong_secrets_change_nothing() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let other = site.armed(2, "r2", "runner").await?.boot_live().await?;
    let live = speaking(&machine).await?;
    let right = live.reporter.identity.secret.clone();
    let conf = live
        .config_url
        .split('/')
        .find(|s| s.starts_with("tb_conf_"))
        .context("no conf")?;
    let cut = &right[..right.len() - 1];
    let mut rows = Vec::new();
    for path in ["/v1/report", "/v1/claim", "/v1/join", "/v1/cluster"] {
        let body = match path {
            "/v1/report" => report(&live),
            "/v1/claim" => machine.hardware.claim(1, live.reporter.boot_id),
            _ => json!({"run": 1, "boot_id": live.reporter.boot_id}),
        }
        .to_string();
        for (why, bearer) in [
            ("a secret that never was", "tb_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("a secret cut short", cut),
            ("a secret for configs", conf),
            ("something else", "hunter2"),
            ("nothing", ""),
        ] {
            rows.push(wrong(why, path, bearer, body.clone(), &[401]));
        }
        rows.push(Wrong {
            bearer: None,
            ..wrong("no secret", path, "", body.clone(), &[401])
        });
    }
    let stranger = &other.reporter.identity.secret;
    let theirs = with(report(&live), "run", 9).to_string();
    rows.push(wrong(
        "another host's secret",
        "/v1/report",
        stranger,
        theirs,
        &[401, 409, 422],
    ));
    let join = json!({"run": 1, "boot_id": live.reporter.boot_id}).to_string();
    rows.push(wrong(
        "the live secret for a join",
        "/v1/join",
        &right,
        join,
        &[401, 409, 422],
    ));
    all_are_refused(&site, &machine, rows).await
}

#[tokio::test]
async fn wrong_methods_and_paths_change_nothing() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = speaking(&machine).await?;
    let key = live.reporter.identity.secret.clone();
    let here = |url: &str| url.replace(&site.server.endpoints.boot, "");
    let config = here(&live.config_url);
    let never = "tb_conf_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let request = |why, method: Method, path: &str, expected| Wrong {
        method,
        ..wrong(why, path, &key, "", expected)
    };
    let rows = vec![
        request("reading a report", Method::GET, "/v1/report", &[405]),
        request("reading a claim", Method::GET, "/v1/claim", &[405]),
        request("putting a report", Method::PUT, "/v1/report", &[405]),
        request("posting to a script", Method::POST, "/boot.ipxe", &[405]),
        request("posting to a script", Method::POST, "/ipxe", &[405]),
        request("posting to a config", Method::POST, &config, &[405]),
        request("deleting a config", Method::DELETE, &config, &[405]),
        request("no such page", Method::GET, "/", &[404]),
        request("the control plane", Method::GET, "/api/v1/hosts", &[404]),
        request("no such version", Method::POST, "/v2/report", &[404]),
        request(
            "no such config",
            Method::GET,
            &config.replace("live.ign", "dead.ign"),
            &[404],
        ),
        request(
            "no such secret",
            Method::GET,
            &format!("/ignition/{never}/live.ign"),
            &[404],
        ),
        request(
            "no such secret",
            Method::GET,
            &format!("/assets/{never}/kernel"),
            &[404],
        ),
        request(
            "no such asset",
            Method::GET,
            &config
                .replace("/ignition/", "/assets/")
                .replace("live.ign", "kernel.bak"),
            &[404],
        ),
        request(
            "a way out",
            Method::GET,
            &config
                .replace("/ignition/", "/assets/")
                .replace("live.ign", "..%2f..%2f..%2fdata%2fadmin-token"),
            &[400, 404],
        ),
        request(
            "the manifest",
            Method::GET,
            &config
                .replace("/ignition/", "/assets/")
                .replace("live.ign", "manifest.json"),
            &[404],
        ),
    ];
    all_are_refused(&site, &machine, rows).await
}

#[tokio::test]
async fn a_script_comes_whatever_is_asked() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let before = site.admin.host("r1").await?;
    for query in [
        "",
        "?",
        "?mac=",
        "?mac=zz:zz:zz:zz:zz:zz",
        "?mac=52:54:00:00:01",
        "?mac=52:54:00:00:01:01:01",
        "?mac=%0a%23!ipxe",
        "?mac=00:00:00:00:00:00",
        "?mac=ff:ff:ff:ff:ff:ff",
        "?mac=%ff%fe",
        "?uuid=not-one&serial=%00",
        "?serial=${net0/mac}",
        "?serial=%0aboot",
        &format!("?serial={}", "x".repeat(6000)),
        "?mac=de:ad:00:00:00:01&mac=de:ad:00:00:00:02",
        "?unheard=of&mac=de:ad:00:00:00:01",
    ] {
        let url = format!("{}/ipxe{query}", site.server.endpoints.boot);
        let answer = fetch::get(machine.client(), &url).await?;
        let text = answer.text();
        assert_eq!(answer.status, StatusCode::OK, "{query}: {text}");
        assert!(text.starts_with("#!ipxe\n# thirdboot: hold reason="), "{query}: {text}");
        assert!(
            !text.contains("\nboot\n") && !text.contains("${net0/mac}\n"),
            "{query}: {text}"
        );
    }
    assert_eq!(site.admin.host("r1").await?, before);
    Ok(())
}
