//! The scanner's indicators: what opens, closes and separates.

use super::{MAX_DEPTH, Scanner, SimpleKey};
use crate::yaml::YamlError;
use crate::yaml::token::{Token, TokenKind};

impl Scanner<'_> {
    pub(super) fn document_marker(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.unroll_indent(None);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.mark();
        self.cursor.skip_ascii(3);
        self.push(kind, start);
        Ok(())
    }

    pub(super) fn flow_start(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey::default());
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return self.error("nested too deeply");
        }
        self.simple_key_allowed = true;
        let start = self.cursor.mark();
        self.cursor.skip();
        self.push(kind, start);
        Ok(())
    }

    pub(super) fn flow_end(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.simple_keys.pop() {
                self.keys_by_token.remove(&key.token);
            }
        }
        self.simple_key_allowed = false;
        let start = self.cursor.mark();
        self.cursor.skip();
        self.push(kind, start);
        Ok(())
    }

    pub(super) fn block_entry(&mut self) -> Result<(), YamlError> {
        let start = self.cursor.mark();
        if !self.in_flow() {
            if !self.simple_key_allowed {
                return self.error("a list item may not begin here");
            }
            self.roll_indent(start.column, None, TokenKind::BlockSequenceStart, start)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.cursor.skip();
        self.push(TokenKind::BlockEntry, start);
        Ok(())
    }

    pub(super) fn key(&mut self) -> Result<(), YamlError> {
        let start = self.cursor.mark();
        if !self.in_flow() {
            if !self.simple_key_allowed {
                return self.error("a key may not begin here");
            }
            self.roll_indent(start.column, None, TokenKind::BlockMappingStart, start)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = !self.in_flow();
        self.cursor.skip();
        self.push(TokenKind::Key, start);
        Ok(())
    }

    pub(super) fn value(&mut self) -> Result<(), YamlError> {
        let start = self.cursor.mark();
        let slot = self.simple_keys.len().saturating_sub(1);
        if self.still_possible(slot)? {
            let key = self.simple_keys.get(slot).copied().unwrap_or_default();
            let at = key.token.saturating_sub(self.taken).min(self.tokens.len());
            self.tokens.insert(
                at,
                Token {
                    kind: TokenKind::Key,
                    start: key.mark,
                    end: key.mark,
                },
            );
            self.roll_indent(key.mark.column, Some(key.token), TokenKind::BlockMappingStart, key.mark)?;
            if let Some(key) = self.simple_keys.get_mut(slot) {
                key.possible = false;
            }
            self.keys_by_token.remove(&key.token);
            self.simple_key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.simple_key_allowed {
                    return self.error("a `: ` may not stand here; quote the text if it is meant literally");
                }
                self.roll_indent(start.column, None, TokenKind::BlockMappingStart, start)?;
            }
            self.simple_key_allowed = !self.in_flow();
        }
        self.cursor.skip();
        self.push(TokenKind::Value, start);
        Ok(())
    }
}
