//! The grammar of lists in brackets and mappings in braces.

use super::{Event, EventKind, Parser, State, empty};
use crate::yaml::YamlError;
use crate::yaml::token::TokenKind;

impl Parser<'_> {
    pub(super) fn flow_sequence(&mut self, first: bool) -> Result<Event, YamlError> {
        if self.scanner.peek()?.kind == TokenKind::FlowSequenceEnd {
            return self.close();
        }
        if !first {
            if self.scanner.peek()?.kind != TokenKind::FlowEntry {
                return self.fail_inside("this list in brackets");
            }
            self.scanner.next()?;
        }
        match self.scanner.peek()?.kind {
            TokenKind::Key => {
                let start = self.scanner.next()?.start;
                self.state = State::FlowPairKey;
                Ok(Event {
                    kind: EventKind::MappingStart { anchor: None },
                    start,
                })
            }
            TokenKind::FlowSequenceEnd => self.close(),
            _ => {
                self.states.push(State::FlowSequence);
                self.node(false, false)
            }
        }
    }

    pub(super) fn flow_pair_key(&mut self) -> Result<Event, YamlError> {
        let token = self.scanner.peek()?;
        if matches!(
            token.kind,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
        ) {
            let mark = token.start;
            self.state = State::FlowPairValue;
            return Ok(empty(mark));
        }
        self.states.push(State::FlowPairValue);
        self.node(false, false)
    }

    pub(super) fn flow_pair_value(&mut self) -> Result<Event, YamlError> {
        if self.scanner.peek()?.kind == TokenKind::Value {
            self.scanner.next()?;
            if !matches!(
                self.scanner.peek()?.kind,
                TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
            ) {
                self.states.push(State::FlowPairEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowPairEnd;
        let start = self.scanner.peek()?.start;
        Ok(empty(start))
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> Result<Event, YamlError> {
        if self.scanner.peek()?.kind == TokenKind::FlowMappingEnd {
            return self.close();
        }
        if !first {
            if self.scanner.peek()?.kind != TokenKind::FlowEntry {
                return self.fail_inside("this mapping in braces");
            }
            self.scanner.next()?;
        }
        match self.scanner.peek()?.kind {
            TokenKind::Key => {
                self.scanner.next()?;
                let token = self.scanner.peek()?;
                if matches!(
                    token.kind,
                    TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd
                ) {
                    let mark = token.start;
                    self.state = State::FlowMappingValue;
                    return Ok(empty(mark));
                }
                self.states.push(State::FlowMappingValue);
                self.node(false, false)
            }
            TokenKind::FlowMappingEnd => self.close(),
            _ => {
                self.states.push(State::FlowMappingEmptyValue);
                self.node(false, false)
            }
        }
    }

    pub(super) fn flow_mapping_value(&mut self, none: bool) -> Result<Event, YamlError> {
        if !none && self.scanner.peek()?.kind == TokenKind::Value {
            self.scanner.next()?;
            if !matches!(
                self.scanner.peek()?.kind,
                TokenKind::FlowEntry | TokenKind::FlowMappingEnd
            ) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMappingKey;
        let start = self.scanner.peek()?.start;
        Ok(empty(start))
    }
}
