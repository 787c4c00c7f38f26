//! A position in checked text that counts lines and columns as it moves.

use super::token::Mark;

/// Reads UTF-8 text byte by byte. Past the end every byte reads as NUL, which checked text never contains.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
    mark: Mark,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            mark: Mark::default(),
        }
    }

    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// The byte `ahead` bytes from here.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The length in bytes of the line break `ahead` bytes from here; 0 if there is none.
    pub(super) fn break_len(&self, ahead: usize) -> usize {
        match self.rest().get(ahead..).unwrap_or_default() {
            [b'\r', b'\n', ..] | [0xC2, 0x85, ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            [0xE2, 0x80, 0xA8 | 0xA9, ..] => 3,
            _ => 0,
        }
    }

    pub(super) fn is_break(&self) -> bool {
        self.break_len(0) > 0
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// Blank, line break or the end of the text.
    pub(super) fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.at + ahead >= self.text.len() || self.break_len(ahead) > 0
    }

    pub(super) fn is_bom(&self) -> bool {
        self.rest().starts_with(&[0xEF, 0xBB, 0xBF])
    }

    /// `---` or `...` at the start of a line, followed by blank or end.
    pub(super) fn is_document_marker(&self, indicator: u8) -> bool {
        self.mark.column == 0 && (0..3).all(|ahead| self.byte(ahead) == indicator) && self.is_blank_or_end(3)
    }

    /// Steps over one character that is no line break.
    pub(super) fn skip(&mut self) {
        let width = self.width();
        self.at += width;
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Steps over `count` ASCII characters.
    pub(super) fn skip_ascii(&mut self, count: usize) {
        for _ in 0..count {
            self.skip();
        }
    }

    /// Steps over one line break, if there is one.
    pub(super) fn skip_break(&mut self) {
        let len = self.break_len(0);
        if len > 0 {
            self.mark.index += if self.byte(0) == b'\r' { len } else { 1 };
            self.at += len;
            self.mark.line += 1;
            self.mark.column = 0;
        }
    }

    /// Appends the character here to `out` and steps over it.
    pub(super) fn take(&mut self, out: &mut String) {
        let end = (self.at + self.width()).min(self.text.len());
        out.push_str(self.text.get(self.at..end).unwrap_or_default());
        self.skip();
    }

    /// Appends the line break here to `out` in its normal form and steps over it.
    pub(super) fn take_break(&mut self, out: &mut String) {
        match self.rest() {
            [b'\r' | b'\n' | 0xC2, ..] => out.push('\n'),
            [0xE2, 0x80, 0xA8, ..] => out.push('\u{2028}'),
            [0xE2, 0x80, 0xA9, ..] => out.push('\u{2029}'),
            _ => return,
        }
        self.skip_break();
    }

    /// Appends everything up to, not including, the next line break.
    pub(super) fn take_line(&mut self, out: &mut String) {
        let from = self.at;
        while !self.at_end() && !self.is_break() {
            self.skip();
        }
        out.push_str(self.text.get(from..self.at).unwrap_or_default());
    }

    fn width(&self) -> usize {
        match self.byte(0) {
            0xF0.. => 4,
            0xE0.. => 3,
            0xC0.. => 2,
            _ => 1,
        }
    }
}
