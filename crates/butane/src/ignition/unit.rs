//! Unit files, read as Ignition reads them: into sections and options, without knowing what they mean.

/// The longest line systemd reads without cutting it.
const LINE_MAX: usize = 2048;
/// How far Ignition reads ahead; it looks for long lines only in what it has read.
const READ_AHEAD: usize = 4096;

/// What a unit file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UnitFile {
    /// Whether a section `[Install]` has an option.
    pub(super) has_install: bool,
}

/// Reads a unit file; the error says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<UnitFile, &'static str> {
    let mut reader = Reader {
        text,
        at: 0,
        buffered_to: 0,
    };
    let mut file = UnitFile::default();
    let mut section: Option<&str> = None;
    loop {
        reader.check_line()?;
        let Some(c) = reader.char() else { return Ok(file) };
        match c {
            '[' => {
                reader.check_line()?;
                let name = reader.until(']').ok_or("a section's name has no closing bracket")?;
                reader.check_line()?;
                if !reader.line().0.trim().is_empty() {
                    return Err("something follows a section's name on its line");
                }
                section = Some(name);
            }
            '#' | ';' => loop {
                // A comment goes on behind a backslash.
                let (line, end) = reader.line();
                let line = line.strip_suffix(' ').unwrap_or(line);
                if end || !line.ends_with('\\') {
                    break;
                }
            },
            _ if section.is_none() || c.is_whitespace() => {}
            _ => {
                reader.back(c);
                reader.check_line()?;
                reader.option_name()?;
                reader.value()?;
                file.has_install |= section == Some("Install");
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    buffered_to: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fill(&mut self) {
        self.buffered_to = (self.at + READ_AHEAD).min(self.text.len());
    }

    /// Fails if the line here is known to be too long.
    fn check_line(&self) -> Result<(), &'static str> {
        let ahead = self.text.as_bytes().get(self.at..self.buffered_to).unwrap_or_default();
        match ahead.get(..LINE_MAX) {
            Some(line) if !line.iter().any(|byte| matches!(byte, b'\r' | b'\n')) => {
                Err("a line is longer than the 2048 bytes that systemd reads")
            }
            _ => Ok(()),
        }
    }

    fn char(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        if self.at + c.len_utf8() > self.buffered_to {
            self.fill();
        }
        self.at += c.len_utf8();
        Some(c)
    }

    fn back(&mut self, c: char) {
        self.at -= c.len_utf8();
    }

    /// What stands before the next `delimiter`, which is stepped over.
    fn until(&mut self, delimiter: char) -> Option<&'t str> {
        let rest = self.rest();
        let found = rest.find(delimiter);
        let len = found.map_or(rest.len(), |at| at + delimiter.len_utf8());
        // Whole buffers are read and forgotten until the delimiter turns up.
        let end = self.at + len;
        while self.buffered_to < end || (found.is_none() && self.buffered_to < self.text.len()) {
            if self.buffered_to - self.at.min(self.buffered_to) >= READ_AHEAD {
                self.at = self.buffered_to;
            }
            self.fill();
        }
        self.at = end;
        found.and_then(|at| rest.get(..at))
    }

    /// The rest of this line, and whether the text ends with it.
    fn line(&mut self) -> (&'t str, bool) {
        let rest = self.rest();
        match self.until('\n') {
            Some(line) => (line, false),
            None => (rest.strip_suffix('\r').unwrap_or(rest), true),
        }
    }

    fn option_name(&mut self) -> Result<(), &'static str> {
        loop {
            match self.char() {
                Some('=') => return Ok(()),
                Some('\r' | '\n') | None => return Err("a line inside a section has no `=`"),
                Some(_) => {}
            }
        }
    }

    /// A value, over as many lines as end with a backslash.
    fn value(&mut self) -> Result<(), &'static str> {
        loop {
            self.check_line()?;
            let (line, end) = self.line();
            if end || line.trim().is_empty() || !line.ends_with('\\') {
                return Ok(());
            }
        }
    }
}
