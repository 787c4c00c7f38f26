//! Tokens in, events out: the grammar, as a state machine that needs no recursion.

mod flow;

use super::YamlError;
use super::scanner::Scanner;
use super::token::{Mark, Token, TokenKind};

/// One step through a document.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    pub(super) start: Mark,
}

#[derive(Debug)]
pub(super) enum EventKind {
    Alias(String),
    Scalar {
        value: String,
        plain: bool,
        anchor: Option<String>,
        tag: Option<String>,
    },
    SequenceStart {
        anchor: Option<String>,
    },
    MappingStart {
        anchor: Option<String>,
    },
    End,
    DocumentEnd,
}

#[derive(Clone, Copy)]
enum State {
    DocumentEnd,
    DocumentContent,
    BlockNode,
    BlockSequenceFirst,
    BlockSequence,
    IndentlessSequence,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequence,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
}

pub(super) struct Parser<'t> {
    scanner: Scanner<'t>,
    state: State,
    states: Vec<State>,
    marks: Vec<Mark>,
    handles: Vec<(String, String)>,
}

impl<'t> Parser<'t> {
    /// Reads up to the content of the first document; `None` if there is none.
    pub(super) fn first_document(text: &'t str) -> Result<Option<Self>, YamlError> {
        let mut parser = Self {
            scanner: Scanner::new(text),
            state: State::BlockNode,
            states: vec![State::DocumentEnd],
            marks: Vec::new(),
            handles: Vec::new(),
        };
        let directives = parser.directives()?;
        if parser.peek_is(&TokenKind::StreamEnd)? && !directives {
            return Ok(None);
        }
        if parser.peek_is(&TokenKind::DocumentStart)? {
            parser.scanner.next()?;
            parser.state = State::DocumentContent;
        } else if directives {
            return parser.fail("`---` must follow the directives");
        }
        parser.handles.extend([
            ("!".to_owned(), "!".to_owned()),
            ("!!".to_owned(), super::CORE_PREFIX.to_owned()),
        ]);
        Ok(Some(parser))
    }

    fn directives(&mut self) -> Result<bool, YamlError> {
        let (mut any, mut version_seen) = (false, false);
        loop {
            let start = self.scanner.peek()?.start;
            match &self.scanner.peek()?.kind {
                TokenKind::VersionDirective { major, minor } => {
                    if version_seen || (*major, *minor) != (1, 1) {
                        return Err(YamlError::at(
                            start,
                            "only one %YAML directive may stand here, and it must say 1.1",
                        ));
                    }
                    version_seen = true;
                }
                TokenKind::TagDirective { handle, prefix } => {
                    if self.handles.iter().any(|(known, _)| known == handle) {
                        return Err(YamlError::at(start, "this tag handle is defined twice"));
                    }
                    self.handles.push((handle.clone(), prefix.clone()));
                }
                _ => return Ok(any),
            }
            self.scanner.next()?;
            any = true;
        }
    }

    fn peek_is(&mut self, kind: &TokenKind) -> Result<bool, YamlError> {
        Ok(self.scanner.peek()?.kind == *kind)
    }

    fn fail<T>(&mut self, message: &str) -> Result<T, YamlError> {
        let mark = self.scanner.peek()?.start;
        Err(YamlError::at(mark, message))
    }

    fn fail_inside<T>(&mut self, what: &str) -> Result<T, YamlError> {
        let began = self.marks.last().map_or(1, |mark| mark.line + 1);
        self.fail(&format!("{what} (begun on line {began}) does not go on like this"))
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::DocumentEnd);
    }

    /// The next step.
    pub(super) fn next(&mut self) -> Result<Event, YamlError> {
        match self.state {
            State::DocumentEnd => self.document_end(),
            State::DocumentContent => self.document_content(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirst => self.open(Self::block_sequence),
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingFirst => self.open(Self::block_mapping_key),
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => self.open(|parser| parser.flow_sequence(true)),
            State::FlowSequence => self.flow_sequence(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.state = State::FlowSequence;
                let start = self.scanner.peek()?.start;
                Ok(Event {
                    kind: EventKind::End,
                    start,
                })
            }
            State::FlowMappingFirst => self.open(|parser| parser.flow_mapping_key(true)),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
        }
    }

    /// Takes the token that opened a collection, then its first entry.
    fn open(&mut self, first: impl FnOnce(&mut Self) -> Result<Event, YamlError>) -> Result<Event, YamlError> {
        let token = self.scanner.next()?;
        self.marks.push(token.start);
        first(self)
    }

    fn document_content(&mut self) -> Result<Event, YamlError> {
        let token = self.scanner.peek()?;
        if matches!(
            token.kind,
            TokenKind::VersionDirective { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        ) {
            let mark = token.start;
            self.pop();
            return Ok(empty(mark));
        }
        self.node(true, false)
    }

    /// Whatever follows the first document is of no interest.
    fn document_end(&mut self) -> Result<Event, YamlError> {
        let start = self.scanner.peek()?.start;
        Ok(Event {
            kind: EventKind::DocumentEnd,
            start,
        })
    }

    fn node(&mut self, block: bool, indentless: bool) -> Result<Event, YamlError> {
        let start = self.scanner.peek()?.start;
        let (mut anchor, mut tag) = (None, None);
        loop {
            match &self.scanner.peek()?.kind {
                TokenKind::Anchor(_) if anchor.is_none() => {}
                TokenKind::Tag { .. } if tag.is_none() => {}
                _ => break,
            }
            let token = self.scanner.next()?;
            if let TokenKind::Anchor(name) = token.kind {
                anchor = Some(name);
            } else {
                tag = Some(self.resolve_tag(&token)?);
            }
        }
        let propertied = anchor.is_some() || tag.is_some();
        let tag = tag.filter(|tag| !tag.is_empty() && tag != "!");
        let state = match self.scanner.peek()?.kind {
            TokenKind::Alias(_) if !propertied => {
                self.pop();
                return match self.scanner.next()?.kind {
                    TokenKind::Alias(name) => Ok(Event {
                        kind: EventKind::Alias(name),
                        start,
                    }),
                    _ => self.fail("an alias is missing here"),
                };
            }
            TokenKind::Scalar { .. } => {
                self.pop();
                return match self.scanner.next()?.kind {
                    TokenKind::Scalar { value, plain } => Ok(Event {
                        kind: EventKind::Scalar {
                            value,
                            plain,
                            anchor,
                            tag,
                        },
                        start,
                    }),
                    _ => self.fail("a text is missing here"),
                };
            }
            TokenKind::BlockEntry if indentless => State::IndentlessSequence,
            TokenKind::FlowSequenceStart => State::FlowSequenceFirst,
            TokenKind::FlowMappingStart => State::FlowMappingFirst,
            TokenKind::BlockSequenceStart if block => State::BlockSequenceFirst,
            TokenKind::BlockMappingStart if block => State::BlockMappingFirst,
            _ if propertied => {
                self.pop();
                return Ok(Event {
                    kind: EventKind::Scalar {
                        value: String::new(),
                        plain: true,
                        anchor,
                        tag,
                    },
                    start,
                });
            }
            _ => return self.fail("a value is missing here"),
        };
        self.state = state;
        let kind = match state {
            State::FlowMappingFirst | State::BlockMappingFirst => EventKind::MappingStart { anchor },
            _ => EventKind::SequenceStart { anchor },
        };
        Ok(Event { kind, start })
    }

    fn resolve_tag(&self, token: &Token) -> Result<String, YamlError> {
        let TokenKind::Tag { handle, suffix } = &token.kind else {
            return Ok(String::new());
        };
        if handle.is_empty() {
            return Ok(suffix.clone());
        }
        match self.handles.iter().find(|(known, _)| known == handle) {
            Some((_, prefix)) => Ok(format!("{prefix}{suffix}")),
            None => Err(YamlError::at(
                token.start,
                &format!("the tag handle {handle} is not defined"),
            )),
        }
    }

    fn block_sequence(&mut self) -> Result<Event, YamlError> {
        match self.scanner.peek()?.kind {
            TokenKind::BlockEntry => {
                let end = self.scanner.next()?.end;
                if matches!(self.scanner.peek()?.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    self.state = State::BlockSequence;
                    return Ok(empty(end));
                }
                self.states.push(State::BlockSequence);
                self.node(true, false)
            }
            TokenKind::BlockEnd => self.close(),
            _ => self.fail_inside("this list"),
        }
    }

    fn indentless_sequence(&mut self) -> Result<Event, YamlError> {
        if self.scanner.peek()?.kind == TokenKind::BlockEntry {
            let end = self.scanner.next()?.end;
            if matches!(
                self.scanner.peek()?.kind,
                TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
            ) {
                self.state = State::IndentlessSequence;
                return Ok(empty(end));
            }
            self.states.push(State::IndentlessSequence);
            return self.node(true, false);
        }
        self.pop();
        let start = self.scanner.peek()?.start;
        Ok(Event {
            kind: EventKind::End,
            start,
        })
    }

    fn close(&mut self) -> Result<Event, YamlError> {
        let token = self.scanner.next()?;
        self.marks.pop();
        self.pop();
        Ok(Event {
            kind: EventKind::End,
            start: token.start,
        })
    }

    fn block_mapping_key(&mut self) -> Result<Event, YamlError> {
        match self.scanner.peek()?.kind {
            TokenKind::Key => {
                let end = self.scanner.next()?.end;
                if matches!(
                    self.scanner.peek()?.kind,
                    TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
                ) {
                    self.state = State::BlockMappingValue;
                    return Ok(empty(end));
                }
                self.states.push(State::BlockMappingValue);
                self.node(true, true)
            }
            TokenKind::BlockEnd => self.close(),
            _ => self.fail_inside("this mapping"),
        }
    }

    fn block_mapping_value(&mut self) -> Result<Event, YamlError> {
        if self.scanner.peek()?.kind == TokenKind::Value {
            let end = self.scanner.next()?.end;
            if matches!(
                self.scanner.peek()?.kind,
                TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
            ) {
                self.state = State::BlockMappingKey;
                return Ok(empty(end));
            }
            self.states.push(State::BlockMappingKey);
            return self.node(true, true);
        }
        self.state = State::BlockMappingKey;
        let start = self.scanner.peek()?.start;
        Ok(empty(start))
    }
}

/// A value that is not there reads as null.
fn empty(start: Mark) -> Event {
    Event {
        kind: EventKind::Scalar {
            value: String::new(),
            plain: true,
            anchor: None,
            tag: None,
        },
        start,
    }
}
