//! The scanner's scalars: plain, quoted and block.

use super::YamlError;
use super::scanner::Scanner;
use super::token::Mark;

/// What a block scalar does with the line breaks at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

/// Joins lines the way YAML folds them: one break becomes a space, further ones stay.
fn fold(value: &mut String, first_break: &mut String, more_breaks: &mut String) {
    if first_break.starts_with('\n') {
        if more_breaks.is_empty() {
            value.push(' ');
        }
    } else {
        value.push_str(first_break);
    }
    value.push_str(more_breaks);
    first_break.clear();
    more_breaks.clear();
}

impl Scanner<'_> {
    pub(super) fn plain_scalar(&mut self) -> Result<(String, Mark), YamlError> {
        let start = self.cursor.mark();
        let indent = self.parent_indent().map_or(0, |indent| indent + 1);
        let (mut value, mut blanks) = (String::new(), String::new());
        let (mut first_break, mut more_breaks) = (String::new(), String::new());
        let mut leading = false;
        let mut end = start;
        loop {
            if self.cursor.is_document_marker(b'-')
                || self.cursor.is_document_marker(b'.')
                || self.cursor.byte(0) == b'#'
            {
                break;
            }
            while !self.cursor.is_blank_or_end(0) {
                let here = self.cursor.byte(0);
                let ends_in_flow = self.in_flow()
                    && (matches!(here, b',' | b'[' | b']' | b'{' | b'}') || (here == b'?' && self.is_space_or_end(1)));
                if ends_in_flow || (here == b':' && self.cursor.is_blank_or_end(1)) {
                    break;
                }
                if leading {
                    fold(&mut value, &mut first_break, &mut more_breaks);
                    leading = false;
                } else {
                    value.push_str(&blanks);
                }
                blanks.clear();
                self.cursor.take(&mut value);
                end = self.cursor.mark();
            }
            if !self.cursor.is_blank(0) && !self.cursor.is_break() {
                break;
            }
            while self.cursor.is_blank(0) || self.cursor.is_break() {
                if self.cursor.is_blank(0) {
                    if leading && self.cursor.mark().column < indent && self.cursor.byte(0) == b'\t' {
                        return self.error("a tab stands where only spaces may indent");
                    }
                    if leading {
                        self.cursor.skip();
                    } else {
                        self.cursor.take(&mut blanks);
                    }
                } else if leading {
                    self.cursor.take_break(&mut more_breaks);
                } else {
                    blanks.clear();
                    self.cursor.take_break(&mut first_break);
                    leading = true;
                }
            }
            if !self.in_flow() && self.cursor.mark().column < indent {
                break;
            }
        }
        if leading {
            self.allow_simple_key(true);
        }
        Ok((value, end))
    }

    fn is_space_or_end(&self, ahead: usize) -> bool {
        self.cursor.byte(ahead) == b' ' || (self.cursor.is_blank_or_end(ahead) && !self.cursor.is_blank(ahead))
    }

    pub(super) fn quoted_scalar(&mut self) -> Result<String, YamlError> {
        let start = self.cursor.mark();
        let quote = self.cursor.byte(0);
        self.cursor.skip();
        let (mut value, mut blanks) = (String::new(), String::new());
        let (mut first_break, mut more_breaks) = (String::new(), String::new());
        loop {
            if self.cursor.is_document_marker(b'-') || self.cursor.is_document_marker(b'.') {
                return self.error("a quoted text runs into a document marker");
            }
            if self.cursor.at_end() {
                return Err(YamlError::at(start, "this quote is never closed"));
            }
            let mut leading = false;
            while !self.cursor.is_blank_or_end(0) {
                match self.cursor.byte(0) {
                    b'\'' if quote == b'\'' && self.cursor.byte(1) == b'\'' => {
                        value.push('\'');
                        self.cursor.skip_ascii(2);
                    }
                    here if here == quote => break,
                    b'\\' if quote == b'"' && self.cursor.break_len(1) > 0 => {
                        self.cursor.skip();
                        self.cursor.skip_break();
                        leading = true;
                        break;
                    }
                    b'\\' if quote == b'"' => self.escape(&mut value)?,
                    _ => self.cursor.take(&mut value),
                }
            }
            if self.cursor.byte(0) == quote && !leading {
                break;
            }
            while self.cursor.is_blank(0) || self.cursor.is_break() {
                if self.cursor.is_blank(0) {
                    if leading {
                        self.cursor.skip();
                    } else {
                        self.cursor.take(&mut blanks);
                    }
                } else if leading {
                    self.cursor.take_break(&mut more_breaks);
                } else {
                    blanks.clear();
                    self.cursor.take_break(&mut first_break);
                    leading = true;
                }
            }
            if leading {
                fold(&mut value, &mut first_break, &mut more_breaks);
            } else {
                value.push_str(&blanks);
            }
            blanks.clear();
        }
        self.cursor.skip();
        Ok(value)
    }

    fn escape(&mut self, value: &mut String) -> Result<(), YamlError> {
        let (plain, digits) = match self.cursor.byte(1) {
            b'0' => ('\0', 0),
            b'a' => ('\x07', 0),
            b'b' => ('\x08', 0),
            b't' | b'\t' => ('\t', 0),
            b'n' => ('\n', 0),
            b'v' => ('\x0B', 0),
            b'f' => ('\x0C', 0),
            b'r' => ('\r', 0),
            b'e' => ('\x1B', 0),
            b' ' => (' ', 0),
            b'"' => ('"', 0),
            b'\'' => ('\'', 0),
            b'\\' => ('\\', 0),
            b'N' => ('\u{85}', 0),
            b'_' => ('\u{A0}', 0),
            b'L' => ('\u{2028}', 0),
            b'P' => ('\u{2029}', 0),
            b'x' => ('\0', 2),
            b'u' => ('\0', 4),
            b'U' => ('\0', 8),
            _ => return self.error("YAML knows no such escape; use single quotes or a doubled backslash"),
        };
        self.cursor.skip_ascii(2);
        if digits == 0 {
            value.push(plain);
            return Ok(());
        }
        let mut code = 0_u32;
        for ahead in 0..digits {
            match char::from(self.cursor.byte(ahead)).to_digit(16) {
                Some(digit) => code = (code << 4) | digit,
                None => return self.error("hexadecimal digits are missing after the backslash"),
            }
        }
        match char::from_u32(code) {
            Some(c) => value.push(c),
            None => return self.error("this escape names no Unicode character"),
        }
        self.cursor.skip_ascii(digits);
        Ok(())
    }

    pub(super) fn block_scalar(&mut self) -> Result<String, YamlError> {
        let start = self.cursor.mark();
        let literal = self.cursor.byte(0) == b'|';
        self.cursor.skip();
        let (chomp, increment) = self.block_header()?;
        let mut indent = increment.map(|by| self.parent_indent().unwrap_or(0) + by);
        let (mut value, mut first_break) = (String::new(), String::new());
        let mut breaks = String::new();
        self.block_breaks(&mut indent, &mut breaks, start)?;
        let indent = indent.unwrap_or(1);
        let mut was_blank = false;
        while self.cursor.mark().column == indent && !self.cursor.at_end() {
            let is_blank = self.cursor.is_blank(0);
            if !literal && first_break.starts_with('\n') && !was_blank && !is_blank {
                if breaks.is_empty() {
                    value.push(' ');
                }
            } else {
                value.push_str(&first_break);
            }
            first_break.clear();
            value.push_str(&breaks);
            breaks.clear();
            was_blank = is_blank;
            self.cursor.take_line(&mut value);
            self.cursor.take_break(&mut first_break);
            self.block_breaks(&mut Some(indent), &mut breaks, start)?;
        }
        if chomp != Chomp::Strip {
            value.push_str(&first_break);
        }
        if chomp == Chomp::Keep {
            value.push_str(&breaks);
        }
        Ok(value)
    }

    /// The `+`, `-` and digit after `|` or `>`, and the rest of that line.
    fn block_header(&mut self) -> Result<(Chomp, Option<usize>), YamlError> {
        let (mut chomp, mut increment) = (Chomp::Clip, None);
        for _ in 0..2 {
            match self.cursor.byte(0) {
                sign @ (b'+' | b'-') if chomp == Chomp::Clip => {
                    chomp = if sign == b'+' { Chomp::Keep } else { Chomp::Strip };
                    self.cursor.skip();
                }
                digit @ b'0'..=b'9' if increment.is_none() => {
                    if digit == b'0' {
                        return self.error("a block text cannot be indented by 0");
                    }
                    increment = Some(usize::from(digit - b'0'));
                    self.cursor.skip();
                }
                _ => break,
            }
        }
        while self.cursor.is_blank(0) {
            self.cursor.skip();
        }
        if self.cursor.byte(0) == b'#' {
            while !self.cursor.at_end() && !self.cursor.is_break() {
                self.cursor.skip();
            }
        }
        if !self.cursor.at_end() && !self.cursor.is_break() {
            return self.error("only a comment may follow here; the text begins on the next line");
        }
        self.cursor.skip_break();
        Ok((chomp, increment))
    }

    /// Eats indentation and empty lines; finds out the indentation if it is not known yet.
    fn block_breaks(&mut self, indent: &mut Option<usize>, breaks: &mut String, start: Mark) -> Result<(), YamlError> {
        let mut widest = 0;
        loop {
            while indent.is_none_or(|indent| self.cursor.mark().column < indent) && self.cursor.byte(0) == b' ' {
                self.cursor.skip();
            }
            widest = widest.max(self.cursor.mark().column);
            if indent.is_none_or(|indent| self.cursor.mark().column < indent) && self.cursor.byte(0) == b'\t' {
                return Err(YamlError::at(
                    self.cursor.mark(),
                    &format!(
                        "a tab stands where the block text of line {} must be indented by spaces",
                        start.line + 1
                    ),
                ));
            }
            if !self.cursor.is_break() {
                break;
            }
            self.cursor.take_break(breaks);
        }
        if indent.is_none() {
            let least = self.parent_indent().map_or(0, |parent| parent + 1).max(1);
            *indent = Some(widest.max(least));
        }
        Ok(())
    }
}
