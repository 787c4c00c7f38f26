//! What people wait for: the first page of a list and of a search among 100,000 hosts, and hosts added one by one.
//!
//! Beside the reads stands what a request costs that asks the store for its token and nothing else; beside the creates,
//! fdatasync on the same disk.

#[path = "../serving/disk.rs"]
mod disk;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use reqwest::Client;
use serde_json::json;
use thirdboot::serve::{self, Running, ServeOptions};
use thirdboot_lifecycle::Host;
use thirdboot_store::Actor;

/// Hosts that are there before anything is measured, unless a number is given.
const HOSTS: u32 = 100_000;
/// Hosts that are filled in at once.
const AT_ONCE: u32 = 5_000;
/// How often each question is asked.
const ASKED: usize = 50;
/// How long hosts are added, and by how many at once.
const ADDING: Duration = Duration::from_secs(5);
const ADDERS: u32 = 64;
/// What is asked for.
const QUESTIONS: [(&str, &str); 10] = [
    ("nothing but the token", "whoami"),
    ("list, first page", "hosts"),
    ("search: in every name", "hosts?q=node-"),
    ("search: one serial", "hosts?q=ser-099999"),
    ("search: a MAC with dots", "hosts?q=5254.0001.869e"),
    ("search: nowhere", "hosts?q=zzzz"),
    ("label and role", "hosts?label=rack%3D7&role=agent"),
    ("cluster that has none", "hosts?cluster=nowhere"),
    ("stage that has none", "hosts?stage=failed"),
    ("counts by stage", "host-counts"),
];

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let hosts = given.map_or(Ok(HOSTS), |number| number.parse().context("expected a number of hosts"))?;
    let folder = tempfile::tempdir()?;
    let (data, assets) = (folder.path().join("data"), folder.path().join("assets"));
    let server = serve::start(ServeOptions::on_loopback(data, assets)).await?;
    eprintln!("filling in {hosts} hosts");
    fill(&server, hosts).await?;
    let client = Client::new();
    println!("| asked for, among {hosts} hosts | median | slowest of {ASKED} |\n|---|---:|---:|");
    for (what, path) in QUESTIONS {
        let (median, slowest) = times(&client, &server, path).await?;
        println!("| {what} | {:.1} ms | {:.1} ms |", ms(median), ms(slowest));
    }
    let syncs = disk::fdatasyncs_per_second(folder.path(), ADDING)?;
    let added = add(&client, &server).await?;
    println!("\nadded over HTTP by {ADDERS} at once: {added:.0}/s; fdatasync: {syncs:.0}/s");
    server.shutdown().await
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn described(n: u32) -> serde_json::Value {
    let [_, a, b, c] = n.to_be_bytes();
    let role = ["agent", "server", "runner"][n as usize % 3];
    json!({
        "name": format!("node-{n:06}"), "macs": [format!("52:54:00:{a:02x}:{b:02x}:{c:02x}")],
        "serial": format!("SER-{n:06}"), "role": role,
        "labels": {"rack": (n % 40).to_string(), "row": (n % 7).to_string()},
        "network": {"vlans": [{"id": 1000, "addresses": [format!("10.{a}.{b}.{c}/8")]}]},
        "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPJyZaraVOOlFs4QMLzv1hJHdrDtkG1UqHbJfFJJ8Bmz admin@sample"],
    })
}

async fn fill(server: &Running, hosts: u32) -> anyhow::Result<()> {
    for first in (1..=hosts).step_by(AT_ONCE as usize) {
        let some: Result<Vec<Host>, _> = (first..(first + AT_ONCE).min(hosts + 1))
            .map(|n| serde_json::from_value(described(n)))
            .collect();
        server.app().store.add_hosts(some?, Actor::Server).await?;
    }
    Ok(())
}

async fn times(client: &Client, server: &Running, path: &str) -> anyhow::Result<(Duration, Duration)> {
    let url = format!("{}/api/v1/{path}", server.control_url());
    let mut times = Vec::with_capacity(ASKED);
    for _ in 0..ASKED {
        let begin = Instant::now();
        let answer = client.get(&url).bearer_auth(server.admin_token()).send().await?;
        ensure!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.bytes().await?;
        times.push(begin.elapsed());
    }
    times.sort();
    Ok((times[ASKED / 2], times[ASKED - 1]))
}

/// Hosts added a second, each by a request of its own.
async fn add(client: &Client, server: &Running) -> anyhow::Result<f64> {
    let url = format!("{}/api/v1/hosts", server.control_url());
    let begin = Instant::now();
    let adders = (0..ADDERS).map(|adder| {
        let (client, url, token) = (client.clone(), url.clone(), server.admin_token().to_owned());
        tokio::spawn(async move {
            let mut added = 0_u32;
            while begin.elapsed() < ADDING {
                let n = 1_000_000 + adder * 100_000 + added;
                let answer = client.post(&url).bearer_auth(&token).json(&described(n)).send().await?;
                ensure!(answer.status() == 201, "{}: {}", answer.status(), answer.text().await?);
                added += 1;
            }
            Ok(added)
        })
    });
    let mut added = 0;
    for adder in adders.collect::<Vec<_>>() {
        added += adder.await??;
    }
    Ok(f64::from(added) / begin.elapsed().as_secs_f64())
}
