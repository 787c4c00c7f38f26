//! What a fleet costs: requests a second, durable changes a second, memory and start, at 10 to 100,000 hosts.
//!
//! The server is the real binary in a process of its own; the load comes from here, in a closed loop over kept-alive
//! connections, and so shares the machine with it. Beside each figure stands what the same machine gives without the
//! work: an axum handler that answers the same bytes from memory, and fdatasync on the same disk.

mod child;
mod disk;
mod fleet;
mod load;
mod pages;
mod plain;
mod report;
mod watchers;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use child::Server;
use fleet::Fleet;
use load::{Load, Measured};
use pages::Person;
use report::{Costly, Row};
use watchers::Watchers;

/// Sizes of the fleet.
const SIZES: [u32; 4] = [10, 1_000, 10_000, 100_000];
/// Size of the fleet where only a part is measured.
const PART_AT: u32 = 100_000;
/// How long each figure is measured.
const MEASURE: Duration = Duration::from_secs(5);
/// How long it runs before.
const WARM_UP: Duration = Duration::from_secs(1);
/// Hosts that are watched, each by a long poll and a stream.
const WATCHED: usize = 500;
/// Measures without and with watchers.
const TURNS: usize = 3;
/// More reports than a host makes in one measure.
const SEQ_STEP: u64 = 1_000_000;
/// Reports beside pages are numbered from here: above all the others.
const PAGES_SEQ: u64 = 100 * SEQ_STEP;
/// Hosts that report where nobody looks on.
const REPORTERS: usize = 256;
/// Connections of a fetch load.
const FETCHERS: usize = 32;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let asked = Asked::from_arguments()?;
    let mut rows = Vec::new();
    for size in asked.sizes {
        rows.extend(runtime.block_on(measure(size, asked.only))?);
    }
    report::print(&rows);
    Ok(())
}

/// A part of all there is to be measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    /// What people look at, and what that costs those who boot.
    Pages,
    /// What open long polls and streams cost those who boot.
    Watchers,
}

/// What is to be measured.
struct Asked {
    sizes: Vec<u32>,
    only: Option<Only>,
}

impl Asked {
    /// `cargo bench -- 10 1000` measures these sizes only, `cargo bench -- pages` the pages at 100,000 hosts, `cargo bench
    /// -- watchers` what those cost who wait there.
    fn from_arguments() -> anyhow::Result<Self> {
        let (mut sizes, mut only) = (Vec::new(), None);
        for given in std::env::args().skip(1).filter(|argument| !argument.starts_with('-')) {
            match given.as_str() {
                "pages" => only = Some(Only::Pages),
                "watchers" => only = Some(Only::Watchers),
                size => sizes.push(
                    size.parse()
                        .with_context(|| format!("{size:?} is no number of hosts"))?,
                ),
            }
        }
        if sizes.is_empty() {
            sizes = only.map_or_else(|| SIZES.to_vec(), |_| vec![PART_AT]);
        }
        Ok(Self { sizes, only })
    }
}

async fn measure(size: u32, only: Option<Only>) -> anyhow::Result<Vec<Row>> {
    eprintln!("{size} hosts: filling");
    let folder = tempfile::tempdir()?;
    let fleet = Fleet::fill(folder.path(), size).await?;
    let server = Server::start(folder.path()).await?;
    let started = (server.start_time, server.memory()?);
    eprintln!("{size} hosts: measuring");
    if let Some(only) = only {
        let rows = match only {
            Only::Pages => paged(size, folder.path(), &fleet, &server).await?,
            Only::Watchers => watched(size, folder.path(), &fleet, &server).await?,
        };
        server.stop().await?;
        return Ok(rows);
    }
    let mut rows = vec![
        Row::start(size, started.0),
        Row::memory(size, "memory after the start", started.1),
    ];

    for (name, paths) in [("script", &fleet.scripts), ("live.ign", &fleet.live_configs)] {
        let sample = load::once(&server.boot, &paths[0]).await?;
        let plain = plain::serve(sample).await?;
        let beside = Load::get(&plain, &["/plain".to_owned()], FETCHERS)
            .run(WARM_UP, MEASURE)
            .await?;
        let ours = Load::get(&server.boot, paths, FETCHERS).run(WARM_UP, MEASURE).await?;
        rows.push(Row::fetches(size, name, &ours, &beside));
    }
    let syncs = disk::fdatasyncs_per_second(folder.path(), MEASURE)?;
    let reports = Load::reports(&server.boot, &fleet.some_reporters(REPORTERS), 0)
        .run(WARM_UP, MEASURE)
        .await?;
    rows.push(Row::changes(size, &reports, syncs));
    rows.push(Row::memory(
        size,
        "memory under load, highest",
        server.highest_memory()?,
    ));
    rows.extend(paged(size, folder.path(), &fleet, &server).await?);
    if fleet.quiet.len() >= WATCHED {
        rows.extend(watched(size, folder.path(), &fleet, &server).await?);
    } else {
        eprintln!("{size} hosts: too few to watch {WATCHED} that nothing happens to");
    }
    server.stop().await?;
    Ok(rows)
}

/// What people look at, alone; then what 1,000 hosts report, without and with open pages in turns.
async fn paged(size: u32, folder: &Path, fleet: &Fleet, server: &Server) -> anyhow::Result<Vec<Row>> {
    let person = Person::sign_in(&server.control, &folder.join("data")).await?;
    let mut rows = vec![Row::weight(size, person.first_page().await?)];
    let costly = async |load: Load| {
        let before = server.processor_time()?;
        let measured = load.run(WARM_UP, MEASURE).await?;
        let cost = server.processor_time()?.saturating_sub(before);
        anyhow::Ok(Costly { measured, cost })
    };
    let asked = async |path: &str| costly(Load::again(&server.control, person.request(path))).await;
    let bare = asked("/account").await?;
    let middle = format!("node-{:06}", size / 2);
    for (what, path) in [
        ("fleet, first page", "/".to_owned()),
        ("fleet, a page in the middle", format!("/?after=2.{middle}")),
        ("fleet, a search", format!("/?q={}", &middle[.."node-0000".len()])),
        ("fleet, a search that finds nothing", "/?q=nobody".to_owned()),
        ("fleet, by role and stage", "/?role=agent&stage=installing".to_owned()),
        ("fleet, what failed", "/?state=failed".to_owned()),
    ] {
        rows.push(Row::page(size, what, &asked(&path).await?, &bare));
    }
    let names: Vec<String> = fleet.reporters.iter().map(|reporter| reporter.name.clone()).collect();
    let mut seq = PAGES_SEQ;
    let (mut reports, mut looks) = (Vec::new(), 0);
    for turn in 0..2 * TURNS {
        let pages = match turn % 2 {
            1 => Some(person.open(pages::OPEN, &names).await?),
            _ => None,
        };
        reports.push(costly(Load::reports(&server.boot, &fleet.reporters, seq)).await?);
        seq += SEQ_STEP;
        if let Some(mut pages) = pages {
            looks += pages.looks();
            let open = pages.count_open();
            anyhow::ensure!(open == pages::OPEN, "only {open} pages were left");
        }
    }
    let seconds = TURNS as u64 * (WARM_UP + MEASURE).as_secs();
    let what = format!(
        "durable reports of {} hosts beside {} open pages ({} looks/s)",
        fleet.reporters.len(),
        pages::OPEN,
        u64::from(looks) / seconds
    );
    let rates: Vec<&Measured> = reports.iter().map(|turn| &turn.measured).collect();
    rows.push(Row::watched(size, &what, &rates));
    rows.push(Row::cost(
        size,
        "the server's processor time for each of them",
        &reports,
    ));
    Ok(rows)
}

/// The same loads without and with watchers, in turns: what one of them loses to noise the other does, too.
async fn watched(size: u32, folder: &Path, fleet: &Fleet, server: &Server) -> anyhow::Result<Vec<Row>> {
    let reporters = fleet.some_reporters(REPORTERS);
    let mut seq = SEQ_STEP;
    let (mut scripts, mut reports) = (Vec::new(), Vec::new());
    for turn in 0..2 * TURNS {
        let watchers = match turn % 2 {
            1 => Some(Watchers::open(&server.control, &folder.join("data"), &fleet.quiet).await?),
            _ => None,
        };
        let load = Load::get(&server.boot, &fleet.scripts, FETCHERS);
        scripts.push(load.run(WARM_UP, MEASURE).await?);
        let load = Load::reports(&server.boot, &reporters, seq);
        reports.push(load.run(WARM_UP, MEASURE).await?);
        seq += SEQ_STEP;
        if let Some(watchers) = watchers {
            let open = watchers.count_open()?;
            anyhow::ensure!(open == 2 * fleet.quiet.len(), "only {open} watchers were left");
        }
    }
    let (polls, streams) = (fleet.quiet.len(), fleet.quiet.len());
    let beside = format!("beside {polls} long polls and {streams} streams");
    Ok(vec![
        Row::watched(size, &format!("script {beside}"), &scripts.iter().collect::<Vec<_>>()),
        Row::watched(
            size,
            &format!("durable reports {beside}"),
            &reports.iter().collect::<Vec<_>>(),
        ),
    ])
}
