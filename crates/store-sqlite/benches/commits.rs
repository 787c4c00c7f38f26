//! How many durable changes a second, beside what the disk does in the same run.
//!
//! `cargo bench -p thirdboot-store-sqlite`; `THIRDBOOT_BENCH_DIR` names a folder on the disk to measure.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing to say")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use thirdboot_lifecycle::{
    BootId, Claim, Deadlines, Disk, Host, HostName, Identity, Permit, Purpose, Report, RunNumber, Said, SecretKind,
};
use thirdboot_store::{Actor, Clock, HostId, Limits, Store, Submission};
use thirdboot_store_sqlite::{OpenOptions, SqliteStore};
use tokio::task::JoinSet;

const HOSTS: usize = 1000;
const MEASURED: Duration = Duration::from_secs(3);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let folder = std::env::var_os("THIRDBOOT_BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).unwrap();
    println!("fdatasync of 4 KiB appended: {:.0}/s", fdatasync_rate(folder.path()));
    runtime.block_on(reports(folder.path()));
    for count in [10, 1000, 10_000, 100_000] {
        runtime.block_on(reads(folder.path(), count));
    }
}

fn fdatasync_rate(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("raw")).unwrap();
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < Duration::from_secs(2) {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

async fn open(path: &Path) -> Arc<SqliteStore> {
    let options = OpenOptions {
        db_path: path.join("thirdboot.db"),
        epoch_path: path.join("epoch"),
        clock: Arc::new(Clock::default()),
        deadlines: Deadlines::default(),
        limits: Limits::default(),
    };
    SqliteStore::open(options).await.unwrap().0
}

fn host(n: usize) -> Host {
    let [.., a, b, c] = n.to_be_bytes();
    serde_json::from_value(serde_json::json!({
        "name": format!("node-{n}"), "macs": [format!("52:54:00:{a:02x}:{b:02x}:{c:02x}")],
        "cluster": "sample", "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEm2DdRDc9C0E0i0dq2jLIjM3oq9JmzOWdO0uvmVVwe9 admin"],
        "network": {"vlans": [{"id": 1234, "addresses": ["10.8.0.5/24"], "mtu": 9000}]}
    }))
    .unwrap()
}

fn boot() -> BootId {
    "00000000-0000-4000-8000-000000000001".parse().unwrap()
}

async fn installing(store: &SqliteStore, id: HostId, host: &Host) {
    let now = store.now();
    let permit = Permit {
        purpose: Purpose::Install {
            disk: None,
            wipe: Vec::new(),
        },
        issued_at: now,
        expires_at: now + SignedDuration::from_hours(24),
        attempts: 3,
        power: None,
        voided: None,
    };
    let arm = Submission::Arm {
        permit,
        documents: Vec::new(),
        expected_version: 1,
        by: Actor::Server,
    };
    store.submit(id, arm).await.unwrap();
    let disk = Disk {
        path: "/dev/disk/by-id/a".into(),
        size_bytes: 1 << 40,
        ..Disk::default()
    };
    let claim = Claim {
        run: RunNumber(1),
        boot_id: boot(),
        identity: Identity {
            macs: host.macs.clone(),
            ..Identity::default()
        },
        disks: vec![disk.clone()],
        disk,
    };
    store.submit(id, Submission::Claim(Box::new(claim))).await.unwrap();
}

fn report(seq: u64) -> Submission {
    Submission::Report {
        by: SecretKind::Live,
        report: Box::new(Report {
            run: RunNumber(1),
            boot_id: boot(),
            seq,
            said: Said::Installing { percent: Some(42) },
            message: Some("writing the image".into()),
        }),
        log: None,
    }
}

/// Processor time of this process so far, in microseconds: what a busy machine does not blur.
fn processor_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    let ticks: u32 = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u32>().unwrap())
        .sum();
    // Linux counts in hundredths of a second, whatever its own tick is.
    f64::from(ticks) * 10_000.0
}

/// Durable reports of a fleet, by how many report at once.
async fn reports(folder: &Path) {
    let folder = folder.join("reports");
    std::fs::create_dir(&folder).unwrap();
    let store = open(&folder).await;
    let added = store
        .add_hosts((0..HOSTS).map(host).collect(), Actor::Server)
        .await
        .unwrap();
    let mut arming = JoinSet::new();
    for state in added.clone() {
        let store = Arc::clone(&store);
        arming.spawn(async move { installing(&store, state.id, &state.host).await });
    }
    arming.join_all().await;
    let seq = Arc::new(AtomicU64::new(0));
    for at_once in [1, 8, 64, 256, 1000] {
        let (before, busy, start) = (store.stored(), processor_us(), Instant::now());
        let mut all = JoinSet::new();
        for submitter in 0..at_once {
            let (store, seq, id) = (Arc::clone(&store), Arc::clone(&seq), added[submitter % HOSTS].id);
            all.spawn(async move {
                while start.elapsed() < MEASURED {
                    store
                        .submit(id, report(seq.fetch_add(1, Ordering::Relaxed)))
                        .await
                        .unwrap();
                }
            });
        }
        all.join_all().await;
        let (after, seconds) = (store.stored(), start.elapsed().as_secs_f64());
        let rate = |count: u64| f64::from(u32::try_from(count).unwrap()) / seconds;
        let busy = processor_us() - busy;
        let (changes, commits) = (
            rate(after.changes - before.changes),
            rate(after.commits - before.commits),
        );
        println!(
            "{at_once:>5} reporting at once: {changes:>6.0} durable reports/s, {commits:>5.0} commits/s, {:.1} a commit, {:.0} µs of processor time each",
            changes / commits,
            busy / (changes * seconds)
        );
    }
    store.close().await;
}

/// Reads of a host by name and by identifiers, by the size of the fleet.
async fn reads(folder: &Path, count: usize) {
    let folder = folder.join(format!("reads-{count}"));
    std::fs::create_dir(&folder).unwrap();
    let store = open(&folder).await;
    let start = Instant::now();
    store
        .add_hosts((0..count).map(host).collect(), Actor::Server)
        .await
        .unwrap();
    let added = start.elapsed();
    store.close().await;
    let start = Instant::now();
    let store = open(&folder).await;
    let opened = start.elapsed();
    let by_name = measure(&store, count, |store, n| async move {
        let name: HostName = format!("node-{n}").parse().unwrap();
        store.host(&name).await.unwrap().unwrap();
    })
    .await;
    let by_mac = measure(&store, count, |store, n| async move {
        let identity = Identity {
            macs: host(n).macs,
            ..Identity::default()
        };
        assert_eq!(store.hosts_with(&identity).await.unwrap().len(), 1);
    })
    .await;
    println!(
        "{count:>6} hosts: added in {added:.2?}, opened in {opened:.2?}, {by_name:.0} reads by name/s, {by_mac:.0} by card/s"
    );
    store.close().await;
}

async fn measure<F: Future<Output = ()> + Send + 'static>(
    store: &Arc<SqliteStore>,
    count: usize,
    read: impl Fn(Arc<SqliteStore>, usize) -> F + Copy + Send + 'static,
) -> f64 {
    let start = Instant::now();
    let mut all = JoinSet::new();
    for reader in 0..16_usize {
        let store = Arc::clone(store);
        all.spawn(async move {
            let mut done = 0_u32;
            let mut at = reader * 7919;
            while start.elapsed() < Duration::from_secs(2) {
                read(Arc::clone(&store), at % count).await;
                at += 104_729;
                done += 1;
            }
            done
        });
    }
    let done: u32 = all.join_all().await.iter().sum();
    f64::from(done) / start.elapsed().as_secs_f64()
}
