//! `thirdboot demo`: the real server on loopback with an embedded database, and a fleet of simulated hosts that live by
//! the boot protocol alone, over real HTTP. Some fail or stall on purpose.

mod cast;
mod frame;
mod play;
mod scene;
mod screen;
mod site;
mod verdict;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::serve::logging;

/// How the demo is played.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// End by itself: a line a host, exit 0 when every host came to the end that was meant for it.
    #[arg(long)]
    once: bool,
    /// With --once: nothing but the ends that the hosts came to, as JSON.
    #[arg(long, requires = "once")]
    json: bool,
    /// How many hosts; the faults come one after another, so that 28 show them all.
    #[arg(long, value_name = "HOSTS", default_value_t = 28, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hosts: u32,
    /// How many simulated seconds pass in a second, from 1 to 200.
    #[arg(long, value_name = "FACTOR", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    speed: u16,
}

/// Plays it. The server's folder is a temporary one and goes with the demo.
pub(super) async fn run(options: DemoOptions) -> Result<(), Failure> {
    if std::env::var_os("RUST_LOG").is_some() {
        logging::for_people();
    }
    let folder = tempfile::Builder::new()
        .prefix("thirdboot-demo-")
        .tempdir()
        .map_err(anyhow::Error::from)?;
    let mut site = site::Site::start(folder.path(), options.speed).await?;
    let played = tokio::select! {
        played = play::play(&mut site, &options) => played,
        asked = asked_to_end() => asked.map(|()| play::Ending::Interrupted).map_err(Failure::from),
    };
    site.stop().await?;
    folder.close().map_err(anyhow::Error::from)?;
    if matches!(played, Ok(play::Ending::Interrupted)) && !options.json {
        println!("the demo's server has stopped, and its folder is gone");
    }
    match played? {
        play::Ending::AsMeant => Ok(()),
        play::Ending::Interrupted if !options.once => Ok(()),
        play::Ending::Interrupted | play::Ending::Missed => Err(Failure::Told),
    }
}

/// Ctrl-C, or SIGTERM.
async fn asked_to_end() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
