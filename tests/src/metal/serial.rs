//! A machine's serial port: kept in a file, with the time of every line, and waited on.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use jiff::Timestamp;
use tokio::io::AsyncReadExt as _;
use tokio::process::ChildStdout;
use tokio::sync::Notify;

/// Words after which nothing good follows.
const ENDS: [&str; 8] = [
    "No bootable",
    "Kernel panic",
    "Initramfs unpacking failed",
    "Boot Failed",
    "Operating System not found",
    "you need to load the kernel first",
    "initramfs: FAILED",
    "You are in emergency mode",
];

/// Whether a word is one of these, or the beginning of one that says more.
pub fn is_end(word: &str) -> bool {
    ENDS.iter().any(|end| word.contains(end))
}

/// One line, without colours.
#[derive(Clone, Debug)]
pub struct Line {
    /// When its end was seen.
    pub at: Timestamp,
    /// What it says.
    pub text: String,
}

/// What the serial port has said.
#[derive(Debug, Default)]
struct Said {
    lines: Vec<Line>,
    /// The line that has no end yet.
    rest: String,
    closed: bool,
}

/// A port that is listened to.
#[derive(Clone, Debug, Default)]
pub struct Serial {
    said: Arc<Mutex<Said>>,
    more: Arc<Notify>,
}

impl Serial {
    /// Follows a port until it closes, writing it to a file as it comes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn follow(mut port: ChildStdout, file: &Path) -> Result<Self> {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(file)
            .with_context(|| file.display().to_string())?;
        let serial = Self::default();
        let (said, more) = (Arc::clone(&serial.said), Arc::clone(&serial.more));
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = port.read(&mut buffer).await {
                let _ = file.write_all(&buffer[..length]);
                lock(&said).hear(&String::from_utf8_lossy(&buffer[..length]));
                more.notify_waiters();
            }
            lock(&said).closed = true;
            more.notify_waiters();
        });
        Ok(serial)
    }

    /// Every whole line up to now.
    pub fn lines(&self) -> Vec<Line> {
        lock(&self.said).lines.clone()
    }

    /// How many lines there are: a place to wait from.
    pub fn now(&self) -> usize {
        lock(&self.said).lines.len()
    }

    /// The first line at or after a place that holds a word.
    pub fn find(&self, from: usize, word: &str) -> Option<(usize, Line)> {
        let said = lock(&self.said);
        let lines = said.lines.iter().enumerate().skip(from);
        let found = lines.into_iter().find(|(_, line)| line.text.contains(word));
        found.map(|(at, line)| (at, line.clone()))
    }

    /// The line after which this boot leads nowhere, if one was said at or after a place.
    pub fn end(&self, from: usize) -> Option<String> {
        ENDS.iter()
            .find_map(|end| self.find(from, end).map(|(_, line)| line.text))
    }

    /// Whether the machine is off.
    pub fn closed(&self) -> bool {
        lock(&self.said).closed
    }

    /// The last lines, for errors.
    pub fn tail(&self) -> String {
        let lines = self.lines();
        let last = lines.iter().skip(lines.len().saturating_sub(40));
        let mut text = String::new();
        for line in last {
            let _ = writeln!(text, "    {}", line.text);
        }
        text
    }
}

impl Said {
    fn hear(&mut self, text: &str) {
        self.rest.push_str(text);
        while let Some(end) = self.rest.find('\n') {
            let line: String = self.rest.drain(..=end).collect();
            self.lines.push(Line {
                at: now(),
                text: plain(&line),
            });
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own clock; the server has one of its own"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Without escape sequences and carriage returns.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line.trim_end().chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => {
                // CSI … letter; what else firmware sends is short.
                if rest.next() == Some('[') {
                    for c in rest.by_ref() {
                        if c.is_ascii_alphabetic() {
                            break;
                        }
                    }
                }
            }
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

fn lock(said: &Mutex<Said>) -> std::sync::MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_and_without_colours() {
        let mut said = Said::default();
        said.hear("\u{1b}[0;32m  OK  \u{1b}[0m] Started\r\nhalf ");
        said.hear("a line\n");
        let lines: Vec<_> = said.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(lines, ["  OK  ] Started", "half a line"]);
    }
}
