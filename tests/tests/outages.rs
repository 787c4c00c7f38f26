//! A disk that is full, a database that is gone or that somebody else has locked: hosts are told to ask again, nothing that
//! was acknowledged is lost, and it all goes on by itself.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::{Answer, Event, Hardware, LiveSystem, Machine, Reporter};
use thirdboot_tests::server::Settings;
use thirdboot_tests::{Admin, TestServer};

/// Reports that are asked for at most before a full disk must have refused one.
const ENOUGH: usize = 2000;
/// How long a database is locked, or gone.
const A_MINUTE: Duration = Duration::from_secs(60);
/// Outer bound of a pull of some megabytes over loopback.
const PULL_LIMIT: Duration = Duration::from_secs(120);

/// A server whose data folder is a file system of its own, 16 MiB small. The tests run in a mount namespace of their own.
struct SmallSite {
    server: TestServer,
    admin: Admin,
    folder: TempDir,
}

impl SmallSite {
    async fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let (data_dir, assets_dir) = (folder.path().join("data"), folder.path().join("assets"));
        fs::create_dir(&data_dir)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m,mode=700", "thirdboot"])
            .arg(&data_dir)
            .status()?;
        ensure!(mounted.success(), "no tmpfs can be mounted: these tests need root");
        Images::sample().write(&assets_dir)?;
        let server = TestServer::start(Settings {
            data_dir,
            assets_dir,
            boot_listen: "127.0.0.1:0".to_owned(),
            control_listen: "127.0.0.1:0".to_owned(),
            log: "info".to_owned(),
            arguments: vec!["--address-source".to_owned(), "127.0.0.0/8".to_owned()],
        })
        .await?;
        let admin = Admin::new(&server.endpoints.control, &server.admin_token()?)?;
        Ok(Self { server, admin, folder })
    }

    async fn live(&self, n: u8, name: &str) -> Result<LiveSystem> {
        let machine = Machine::new(format!("{}/boot.ipxe", self.server.endpoints.boot), Hardware::number(n))?;
        let host = thirdboot_tests::site::host(name, "runner", &machine.hardware);
        self.admin.add(&host).await?;
        self.admin.arm(name).await?;
        machine.boot_live().await
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    async fn readyz(&self) -> Result<StatusCode> {
        Ok(self.admin.ask(Method::GET, "/readyz", None).await?.0)
    }
}

impl Drop for SmallSite {
    fn drop(&mut self) {
        // With the namespace it would go anyway; the folder can be removed like this.
        // Where it is depends on how far a story came.
        for name in ["data", "away"] {
            let _ = Command::new("umount")
                .arg("--lazy")
                .arg(self.folder.path().join(name))
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// Writes until nothing fits any more.
fn fill(path: &Path) -> Result<()> {
    let mut file: File = OpenOptions::new().create(true).append(true).open(path)?;
    let block = [0x5a; 4096];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&[0x5a]).is_ok() {}
    Ok(())
}

/// Reports until one is not acknowledged; gives the numbers that were.
async fn until_refused(reporter: &mut Reporter) -> Result<Vec<u64>> {
    let mut acknowledged = Vec::new();
    for _ in 0..ENOUGH {
        if reporter.unsent() == 0 {
            reporter.queue(Event::new("note").with("message", "x".repeat(1500)));
        }
        let number = reporter.first_unsent().context("nothing to send")?;
        match reporter.send_one().await? {
            Some(Answer::Recorded(_)) => acknowledged.push(number),
            Some(other) => anyhow::bail!("a report is dropped: {other:?}"),
            None => return Ok(acknowledged),
        }
    }
    anyhow::bail!("{ENOUGH} reports were acknowledged although nothing fits")
}

async fn stored(site: &SmallSite, name: &str, reporter: &Reporter) -> Result<Vec<u64>> {
    let boot = reporter.boot_id.to_string();
    let events = site.admin.events(name).await?;
    let of_boot = events.iter().filter(|event| event["boot_id"] == boot);
    Ok(of_boot.filter_map(|event| event["seq"].as_u64()).collect())
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_outlived() -> Result<()> {
    let mut site = SmallSite::start().await?;
    let mut live = site.live(1, "r1").await?;
    let claimer = site.live(2, "r2").await?;
    live.reporter.tell(live.event()).await?;
    fill(&site.data("filler"))?;
    let mut acknowledged = until_refused(&mut live.reporter).await?;

    let refused = claimer.claim().await?.status;
    ensure!(
        refused == StatusCode::SERVICE_UNAVAILABLE,
        "a claim on a full disk: {refused}"
    );
    let (status, problem) = site
        .admin
        .ask(Method::POST, "/api/v1/hosts/r1/hold", Some(&json!({"reason": "disk"})))
        .await?;
    ensure!(status == StatusCode::SERVICE_UNAVAILABLE, "{status} {problem}");
    ensure!(site.readyz().await? == StatusCode::SERVICE_UNAVAILABLE);
    // Who only reads is answered.
    ensure!(site.admin.host("r1").await?["run"]["stage"] == "live");

    fs::remove_file(site.data("filler"))?;
    ensure!(site.readyz().await? == StatusCode::OK);
    let number = live.reporter.first_unsent().context("the refused report waits")?;
    let answer = live.reporter.send_one().await?;
    ensure!(matches!(answer, Some(Answer::Recorded(_))), "{answer:?}");
    acknowledged.push(number);
    ensure!(claimer.claim_granted().await? == 1);
    for restarted in [false, true] {
        if restarted {
            site.server.kill().await?;
            site.server.start_again().await?;
        }
        let stored = stored(&site, "r1", &live.reporter).await?;
        for number in &acknowledged {
            let count = stored.iter().filter(|known| *known == number).count();
            ensure!(count == 1, "report {number} is there {count} times: {stored:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_database_that_somebody_locks_is_outlived() -> Result<()> {
    let mut site = SmallSite::start().await?;
    let mut live = site.live(1, "r1").await?;
    let claimer = site.live(2, "r2").await?;
    live.reporter.tell(live.event()).await?;
    let script = "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\n\
                  c.execute('BEGIN IMMEDIATE')\nprint('locked',flush=True)\nsys.stdin.read()";
    let mut other = tokio::process::Command::new("python3")
        .args(["-c", script])
        .arg(site.data("thirdboot.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut said = tokio::io::BufReader::new(other.stdout.take().context("no output")?);
    let mut word = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut said, &mut word).await?;
    ensure!(word == "locked\n", "{word:?}");

    refused_for_a_minute(&site, &mut live, &claimer).await?;
    drop(other.stdin.take());
    other.wait().await?;
    goes_on(&mut site, &mut live, &claimer).await
}

#[tokio::test]
async fn a_database_whose_mount_is_gone_is_outlived() -> Result<()> {
    let mut site = SmallSite::start().await?;
    let mut live = site.live(1, "r1").await?;
    let claimer = site.live(2, "r2").await?;
    live.reporter.tell(live.event()).await?;
    let (here, away) = (site.folder.path().join("data"), site.folder.path().join("away"));
    fs::create_dir(&away)?;
    moved(&here, &away)?;
    ensure!(!site.data("thirdboot.db").exists() && away.join("thirdboot.db").exists());
    refused_for_a_minute(&site, &mut live, &claimer).await?;
    ensure!(
        fs::read_dir(&here)?.next().is_none(),
        "something was begun where the mount was"
    );
    moved(&away, &here)?;
    goes_on(&mut site, &mut live, &claimer).await
}

fn moved(from: &Path, to: &Path) -> Result<()> {
    let moved = Command::new("mount").arg("--move").args([from, to]).status()?;
    ensure!(moved.success(), "{} cannot be moved", from.display());
    Ok(())
}

/// For as long as that: nothing is acknowledged and nothing granted, and who only reads is answered.
async fn refused_for_a_minute(site: &SmallSite, live: &mut LiveSystem, claimer: &LiveSystem) -> Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < A_MINUTE {
        let acknowledged = until_refused(&mut live.reporter).await?;
        ensure!(acknowledged.is_empty(), "acknowledged and not stored: {acknowledged:?}");
        let refused = claimer.claim().await?.status;
        ensure!(refused == StatusCode::SERVICE_UNAVAILABLE, "a claim: {refused}");
        ensure!(site.readyz().await? == StatusCode::SERVICE_UNAVAILABLE);
        ensure!(site.admin.host("r1").await?["run"]["stage"] == "live", "readers go on");
        // As hosts do: nobody asks all the time.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// By itself; and what was acknowledged is there, once, also for the next process.
async fn goes_on(site: &mut SmallSite, live: &mut LiveSystem, claimer: &LiveSystem) -> Result<()> {
    ensure!(site.readyz().await? == StatusCode::OK);
    let answer = live.reporter.send_one().await?;
    ensure!(matches!(answer, Some(Answer::Recorded(_))), "{answer:?}");
    ensure!(claimer.claim_granted().await? == 1);
    for restarted in [false, true] {
        if restarted {
            site.server.kill().await?;
            site.server.start_again().await?;
        }
        let stored = stored(site, "r1", &live.reporter).await?;
        ensure!(stored.len() == 2, "{stored:?}");
        ensure!(site.admin.host("r2").await?["run"]["stage"] == "installing");
    }
    Ok(())
}

#[tokio::test]
async fn a_pull_that_fills_the_disk_is_taken_back() -> Result<()> {
    let site = SmallSite::start().await?;
    // Larger than the file system of the data folder, into which the files go here.
    let big = vec![7_u8; 32 << 20];
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/big", socket.local_addr()?);
    let hash = thirdboot_tests::host::ignition::sha256(&big);
    let router = axum::Router::new().route("/big", axum::routing::get(async move || big));
    tokio::spawn(async move { axum::serve(socket, router).await });
    let _ = fs::remove_dir_all(site.folder.path().join("assets"));
    std::os::unix::fs::symlink(site.data("assets"), site.folder.path().join("assets"))?;
    fs::create_dir(site.data("assets"))?;

    let body = json!({"url": url, "sha256": hash});
    let (_, begun) = site
        .admin
        .ask(Method::POST, "/api/v1/assets/files", Some(&body))
        .await?;
    let path = format!("/api/v1/assets/pulls/{}", begun["id"]);
    let pull = thirdboot_tests::wait::until("the pull", PULL_LIMIT, async || {
        let (_, pull) = site.admin.ask(Method::GET, &path, None).await?;
        let is_under_way = pull["state"] == "waiting" || pull["state"] == "running";
        Ok((!is_under_way).then_some(pull))
    })
    .await?;
    let why = pull["failed"].as_str().context("it did not fail")?;
    ensure!(why.contains("no room left"), "{pull}");
    let left: Vec<_> = fs::read_dir(site.data("assets/files"))?.collect();
    ensure!(left.is_empty(), "{left:?}");
    // The database has its room back.
    ensure!(site.readyz().await? == StatusCode::OK);
    let (status, _) = site.admin.ask(Method::GET, "/api/v1/assets", None).await?;
    ensure!(status == StatusCode::OK);
    Ok(())
}
