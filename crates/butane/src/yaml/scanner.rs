//! Text in, tokens out: indentation, simple keys and flow nesting, by libyaml's rules.

mod indicators;

use std::collections::{HashMap, VecDeque};

use super::YamlError;
use super::cursor::Cursor;
use super::token::{Mark, Token, TokenKind};

/// How deep flow collections and indentation may nest; Butane's parser draws the line at the same place.
pub(super) const MAX_DEPTH: usize = 10_000;
/// A key without `?` must see its `:` within this many characters, on the same line.
const SIMPLE_KEY_REACH: usize = 1024;

/// A place where a key without `?` may have begun.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    mark: Mark,
}

pub(super) struct Scanner<'t> {
    pub(super) cursor: Cursor<'t>,
    tokens: VecDeque<Token>,
    /// Tokens already handed out.
    taken: usize,
    done: bool,
    indent: Option<usize>,
    indents: Vec<Option<usize>>,
    flow_level: usize,
    simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
    /// Number of the token a possible key begins at, and where in `simple_keys` it stands.
    keys_by_token: HashMap<usize, usize>,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            cursor: Cursor::new(text),
            tokens: VecDeque::new(),
            taken: 0,
            done: false,
            indent: None,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            keys_by_token: HashMap::new(),
        }
    }

    /// The next token, without taking it.
    pub(super) fn peek(&mut self) -> Result<&Token, YamlError> {
        self.fill()?;
        self.tokens
            .front()
            .ok_or_else(|| YamlError::at(Mark::default(), "unexpected end of the document"))
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Result<Token, YamlError> {
        self.fill()?;
        self.taken += 1;
        self.tokens
            .pop_front()
            .ok_or_else(|| YamlError::at(Mark::default(), "unexpected end of the document"))
    }

    pub(super) fn error<T>(&self, message: &str) -> Result<T, YamlError> {
        Err(YamlError::at(self.cursor.mark(), message))
    }

    pub(super) fn in_flow(&self) -> bool {
        self.flow_level > 0
    }

    pub(super) fn parent_indent(&self) -> Option<usize> {
        self.indent
    }

    pub(super) fn allow_simple_key(&mut self, allowed: bool) {
        self.simple_key_allowed = allowed;
    }

    /// Scans until the first token can no longer turn out to be the start of a key.
    fn fill(&mut self) -> Result<(), YamlError> {
        while !self.done {
            if !self.tokens.is_empty() {
                let Some(&slot) = self.keys_by_token.get(&self.taken) else {
                    break;
                };
                if !self.still_possible(slot)? {
                    break;
                }
            }
            self.fetch()?;
        }
        Ok(())
    }

    /// Whether the key noted in `slot` may still find its `:`.
    fn still_possible(&mut self, slot: usize) -> Result<bool, YamlError> {
        let here = self.cursor.mark();
        let Some(key) = self.simple_keys.get_mut(slot) else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < here.line || key.mark.index + SIMPLE_KEY_REACH < here.index {
            if key.required {
                return Err(YamlError::at(key.mark, "this looks like a key, but no `:` follows it"));
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn save_simple_key(&mut self) -> Result<(), YamlError> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let mark = self.cursor.mark();
        let token = self.taken + self.tokens.len();
        let required = self.flow_level == 0 && self.indent == Some(mark.column);
        self.remove_simple_key()?;
        let slot = self.simple_keys.len().saturating_sub(1);
        if let Some(key) = self.simple_keys.last_mut() {
            *key = SimpleKey {
                possible: true,
                required,
                token,
                mark,
            };
            self.keys_by_token.insert(token, slot);
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result<(), YamlError> {
        if let Some(key) = self.simple_keys.last_mut()
            && key.possible
        {
            if key.required {
                return Err(YamlError::at(key.mark, "this looks like a key, but no `:` follows it"));
            }
            key.possible = false;
            self.keys_by_token.remove(&key.token);
        }
        Ok(())
    }

    fn push(&mut self, kind: TokenKind, start: Mark) {
        self.tokens.push_back(Token {
            kind,
            start,
            end: self.cursor.mark(),
        });
    }

    /// Opens a block collection if `column` lies right of the current one; `before` is the token it goes in front of.
    fn roll_indent(
        &mut self,
        column: usize,
        before: Option<usize>,
        kind: TokenKind,
        mark: Mark,
    ) -> Result<(), YamlError> {
        if self.in_flow() || self.indent.is_some_and(|indent| indent >= column) {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = Some(column);
        if self.indents.len() > MAX_DEPTH {
            return Err(YamlError::at(mark, "nested too deeply"));
        }
        let token = Token {
            kind,
            start: mark,
            end: mark,
        };
        match before {
            Some(number) => self
                .tokens
                .insert(number.saturating_sub(self.taken).min(self.tokens.len()), token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    /// Closes block collections that begin right of `column` (all of them for `None`).
    fn unroll_indent(&mut self, column: Option<usize>) {
        if self.in_flow() {
            return;
        }
        let mark = self.cursor.mark();
        while self.indent > column {
            self.tokens.push_back(Token {
                kind: TokenKind::BlockEnd,
                start: mark,
                end: mark,
            });
            self.indent = self.indents.pop().flatten();
        }
    }

    fn fetch(&mut self) -> Result<(), YamlError> {
        self.skip_to_token();
        let start = self.cursor.mark();
        self.unroll_indent(Some(start.column));
        if self.cursor.at_end() {
            self.unroll_indent(None);
            self.remove_simple_key()?;
            self.simple_key_allowed = false;
            self.done = true;
            self.push(TokenKind::StreamEnd, start);
            return Ok(());
        }
        if start.column == 0 && self.cursor.byte(0) == b'%' {
            self.unroll_indent(None);
            self.remove_simple_key()?;
            self.simple_key_allowed = false;
            return match self.directive()? {
                Some(kind) => {
                    self.push(kind, start);
                    Ok(())
                }
                None => Ok(()),
            };
        }
        if self.cursor.is_document_marker(b'-') {
            return self.document_marker(TokenKind::DocumentStart);
        }
        if self.cursor.is_document_marker(b'.') {
            return self.document_marker(TokenKind::DocumentEnd);
        }
        let then_blank = self.cursor.is_blank_or_end(1);
        match self.cursor.byte(0) {
            b'[' => self.flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.flow_start(TokenKind::FlowMappingStart),
            b']' => self.flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.flow_end(TokenKind::FlowMappingEnd),
            b',' => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.cursor.skip();
                self.push(TokenKind::FlowEntry, start);
                Ok(())
            }
            b'-' if then_blank => self.block_entry(),
            b'?' if self.in_flow() || then_blank => self.key(),
            b':' if self.in_flow() || then_blank => self.value(),
            b'*' | b'&' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let kind = self.anchor()?;
                self.push(kind, start);
                Ok(())
            }
            b'!' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let kind = self.tag()?;
                self.push(kind, start);
                Ok(())
            }
            b'|' | b'>' if !self.in_flow() => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                let value = self.block_scalar()?;
                self.push(TokenKind::Scalar { value, plain: false }, start);
                Ok(())
            }
            b'\'' | b'"' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let value = self.quoted_scalar()?;
                self.push(TokenKind::Scalar { value, plain: false }, start);
                Ok(())
            }
            first => self.plain(first, start),
        }
    }

    fn plain(&mut self, first: u8, start: Mark) -> Result<(), YamlError> {
        let fine = match first {
            b'-' => !self.cursor.is_blank(1),
            b'?' | b':' => !self.in_flow() && !self.cursor.is_blank_or_end(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
            | b'`' => false,
            _ => !self.cursor.is_blank_or_end(0),
        };
        if !fine {
            return self.error("this character cannot begin a value; quote the text if it is meant literally");
        }
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let (value, end) = self.plain_scalar()?;
        self.tokens.push_back(Token {
            kind: TokenKind::Scalar { value, plain: true },
            start,
            end,
        });
        Ok(())
    }
    /// Skips blanks, comments and line breaks. Tabs may separate, but not where indentation counts.
    fn skip_to_token(&mut self) {
        loop {
            if self.cursor.mark().column == 0 && self.cursor.is_bom() {
                self.cursor.skip();
            }
            while self.cursor.byte(0) == b' '
                || ((self.in_flow() || !self.simple_key_allowed) && self.cursor.byte(0) == b'\t')
            {
                self.cursor.skip();
            }
            if self.cursor.byte(0) == b'#' {
                while !self.cursor.at_end() && !self.cursor.is_break() {
                    self.cursor.skip();
                }
            }
            if !self.cursor.is_break() {
                return;
            }
            self.cursor.skip_break();
            if !self.in_flow() {
                self.simple_key_allowed = true;
            }
        }
    }
}
