//! Where the demo shows itself: redrawn in place on a terminal, a line a change anywhere else.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{execute, queue, terminal};

use super::frame::{Size, frame};
use super::scene::Scene;
use crate::cli::table::{progress, why};

/// What a terminal has when it does not say.
const DEFAULT_SIZE: (u16, u16) = (120, 40);

/// Where the demo shows itself.
#[derive(Debug)]
pub(super) enum Screen {
    /// A terminal; dropping it gives it back as it was.
    Terminal(Alternate),
    /// Anything else: what was said of each host last.
    Lines(BTreeMap<String, String>),
    /// Nowhere: a program waits for the end.
    Nowhere,
}

/// The terminal's second screen, without a cursor.
#[derive(Debug)]
pub(super) struct Alternate;

impl Drop for Alternate {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    }
}

impl Screen {
    pub(super) fn open(scene: &Scene, is_json: bool) -> io::Result<Self> {
        if is_json {
            return Ok(Self::Nowhere);
        }
        if !io::stdout().is_terminal() {
            let hosts = scene.parts.len();
            writeln!(
                io::stdout(),
                "{hosts} simulated hosts are armed; the server listens at {}",
                scene.control_url
            )?;
            return Ok(Self::Lines(BTreeMap::new()));
        }
        // Made first: its drop undoes a half-done switch, too.
        let alternate = Alternate;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(Self::Terminal(alternate))
    }

    pub(super) fn show(&mut self, scene: &Scene) -> io::Result<()> {
        match self {
            Self::Terminal(_) => redraw(scene),
            Self::Lines(said) => say_changes(said, scene),
            Self::Nowhere => Ok(()),
        }
    }
}

fn redraw(scene: &Scene) -> io::Result<()> {
    let (columns, rows) = terminal::size().unwrap_or(DEFAULT_SIZE);
    let has_colours = std::env::var_os("NO_COLOR").is_none();
    let size = Size {
        columns,
        rows,
        has_colours,
    };
    // In one piece: a frame that arrives in parts flickers.
    let mut drawn = Vec::new();
    queue!(drawn, MoveTo(0, 0))?;
    for (at, line) in frame(scene, size).lines().take(usize::from(rows)).enumerate() {
        if at > 0 {
            drawn.extend(b"\r\n");
        }
        drawn.extend(line.as_bytes());
        queue!(drawn, Clear(ClearType::UntilNewLine))?;
    }
    queue!(drawn, Clear(ClearType::FromCursorDown))?;
    let mut out = io::stdout().lock();
    out.write_all(&drawn)?;
    out.flush()
}

fn say_changes(said: &mut BTreeMap<String, String>, scene: &Scene) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for part in &scene.parts {
        let Some(view) = scene.view(part) else {
            continue;
        };
        let stage = view
            .run
            .as_ref()
            .map_or_else(String::new, |run| format!("{} {}", run.stage, run.stalled));
        if said.insert(part.name.clone(), stage.clone()) == Some(stage) {
            continue;
        }
        let why = match why(view) {
            why if why.is_empty() => why,
            why => format!(": {why}"),
        };
        writeln!(
            out,
            "{:>6.1} s  {:<10} {}{why}",
            scene.elapsed.as_secs_f32(),
            part.name,
            progress(view)
        )?;
    }
    if let Some(notice) = &scene.notice
        && said.insert("notice".to_owned(), notice.clone()).as_ref() != Some(notice)
    {
        writeln!(out, "{:>6.1} s  {notice}", scene.elapsed.as_secs_f32())?;
    }
    out.flush()
}
