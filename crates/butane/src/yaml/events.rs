//! saphyr's events as Butane's reader would send them: with its places, and without what YAML 1.1 refuses.

use saphyr_parser::{Event as Parsed, Marker, Parser, ScalarStyle, StrInput, Tag};

use super::{Place, YamlError};

/// Line breaks of YAML 1.1 that stay what they are.
const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];

/// One step through a document.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    pub(super) start: Place,
    /// The number of the anchor set or, by an alias, named here; 0 is none.
    pub(super) anchor: usize,
}

#[derive(Debug)]
pub(super) enum EventKind {
    Alias(String),
    Scalar {
        value: String,
        plain: bool,
        tag: Option<String>,
    },
    SequenceStart,
    MappingStart,
    End,
}

/// A collection whose end has not been seen.
struct Open {
    mapping: bool,
    flow: bool,
    column: usize,
    /// Whether a key comes next.
    key: bool,
}

/// The events of the first document.
pub(super) struct Events<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    line_starts: Vec<usize>,
    /// The place looked at last, and its byte.
    seen: (Place, usize),
    /// Where the last event ended or, for a collection, began.
    last: Place,
    open: Vec<Open>,
    done: bool,
}

impl<'t> Events<'t> {
    /// Reads up to the content of the first document; `None` if there is none. Lines must end in `\n`.
    pub(super) fn first_document(text: &'t str) -> Result<Option<Self>, YamlError> {
        check_head(text)?;
        let mut events = Self {
            parser: Parser::new_from_str(text),
            text,
            line_starts: [0]
                .into_iter()
                .chain(text.match_indices('\n').map(|(at, _)| at + 1))
                .collect(),
            seen: (Place::default(), 0),
            last: Place::default(),
            open: Vec::new(),
            done: false,
        };
        loop {
            match events.parsed()? {
                (Parsed::StreamEnd, ..) => return Ok(None),
                (Parsed::DocumentStart(_), _, end) => {
                    events.last = end;
                    return Ok(Some(events));
                }
                _ => {}
            }
        }
    }

    fn parsed(&mut self) -> Result<(Parsed<'t>, Place, Place), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, place(&span.start), place(&span.end))),
            Some(Err(error)) => Err(YamlError::at(place(error.marker()), error.info())),
            None => Ok((Parsed::StreamEnd, self.last, self.last)),
        }
    }

    /// The next step; `None` at the end of the document. What follows it is of no interest.
    pub(super) fn next(&mut self) -> Result<Option<Event>, YamlError> {
        if self.done {
            return Ok(None);
        }
        let (event, start, end) = self.parsed()?;
        let is_key = match self.open.last_mut() {
            Some(open) if open.mapping && !matches!(event, Parsed::MappingEnd) => {
                open.key = !open.key;
                !open.key
            }
            _ => false,
        };
        let event = match event {
            Parsed::Alias(anchor) => {
                let (from, to) = (self.seek(start), self.seek(end));
                let name = self.text.get(from..to).unwrap_or_default();
                let kind = EventKind::Alias(name.trim_start_matches('*').trim_end().to_owned());
                Event { kind, start, anchor }
            }
            Parsed::Scalar(value, style, anchor, tag) => {
                let bare = anchor == 0 && tag.is_none();
                let start = self.scalar(&value, style, (start, end), bare, is_key)?;
                let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
                let kind = EventKind::Scalar {
                    value: if quoted && value.contains(SEPARATORS) {
                        without_blanks_at_separators(&value)
                    } else {
                        value.into_owned()
                    },
                    plain: style == ScalarStyle::Plain,
                    tag: match tag {
                        Some(tag) if tag.handle.is_empty() && tag.suffix.is_empty() => {
                            return Err(YamlError::at(start, "a tag needs a name"));
                        }
                        tag => tag.and_then(|tag| full_tag(&tag)),
                    },
                };
                Event { kind, start, anchor }
            }
            Parsed::SequenceStart(anchor, tag) => {
                let bare = anchor == 0 && tag.is_none();
                let start = if bare { self.first_dash(start) } else { start };
                self.begin(false, start, end);
                let kind = EventKind::SequenceStart;
                Event { kind, start, anchor }
            }
            Parsed::MappingStart(anchor, _) => {
                self.begin(true, start, end);
                let kind = EventKind::MappingStart;
                Event { kind, start, anchor }
            }
            _ => {
                self.open.pop();
                let kind = EventKind::End;
                Event { kind, start, anchor: 0 }
            }
        };
        match &event.kind {
            EventKind::End => {}
            EventKind::MappingStart | EventKind::SequenceStart => self.last = event.start,
            EventKind::Scalar { value, plain: true, .. } if value.is_empty() => self.last = event.start,
            EventKind::Scalar { .. } | EventKind::Alias(_) => self.last = end,
        }
        self.done = self.open.is_empty();
        Ok(Some(event))
    }

    /// Checks a scalar and says where it begins.
    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        (start, end): (Place, Place),
        bare: bool,
        is_key: bool,
    ) -> Result<Place, YamlError> {
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let header = self.header(if bare { start } else { end });
                self.check_block(header, value)?;
                return Ok(if bare { header } else { start });
            }
            ScalarStyle::DoubleQuoted => self.check_escapes(start, end)?,
            ScalarStyle::Plain if bare && value.is_empty() => return self.nothing(start, is_key),
            ScalarStyle::Plain if value.contains(SEPARATORS) => {
                return Err(YamlError::at(start, "a line separator needs quotes around the text"));
            }
            ScalarStyle::Plain | ScalarStyle::SingleQuoted => {}
        }
        Ok(start)
    }

    fn begin(&mut self, mapping: bool, start: Place, end: Place) {
        let flow = self.open.last().is_some_and(|open| open.flow) || {
            let (word, first) = self.word(start);
            matches!(first, b'[' | b'{') && end > word
        };
        self.open.push(Open {
            mapping,
            flow,
            column: start.column,
            key: mapping,
        });
    }

    /// The byte at `place`. Looking forward only, this takes linear time altogether.
    fn seek(&mut self, place: Place) -> usize {
        let (mut here, mut at) = self.seen;
        if here.line != place.line || here.column > place.column {
            here = Place {
                line: place.line,
                column: 0,
            };
            at = self.line_starts.get(place.line).copied().unwrap_or(self.text.len());
        }
        for c in self.text.get(at..).unwrap_or_default().chars() {
            if here.column >= place.column || c == '\n' {
                break;
            }
            here.column += 1;
            at += c.len_utf8();
        }
        self.seen = (here, at);
        at
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The next word that is no comment, tag or anchor, and its first byte.
    fn word(&mut self, from: Place) -> (Place, u8) {
        let mut at = self.seek(from);
        let mut here = from;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            at += match self.byte(at) {
                b'\n' => {
                    here.line += 1;
                    here.column = 0;
                    1
                }
                b' ' | b'\t' => {
                    here.column += 1;
                    1
                }
                b'#' => rest.find('\n').unwrap_or(rest.len()),
                b'&' | b'!' => {
                    let property = rest.split([' ', '\t', '\n']).next().unwrap_or_default();
                    here.column += property.chars().count();
                    property.len()
                }
                first => {
                    self.seen = (here, at);
                    return (here, first);
                }
            };
        }
    }

    /// The `|` or `>` of the block text whose first line is at `content`.
    fn header(&mut self, content: Place) -> Place {
        let mut from = self.last;
        loop {
            let (word, first) = self.word(from);
            match first {
                _ if word >= content => return content,
                b'|' | b'>' => return word,
                // `-`, `?` or `:`.
                _ => from = word.right(),
            }
        }
    }

    /// Where Butane's reader sees the null that is not written at all.
    fn nothing(&mut self, start: Place, is_key: bool) -> Result<Place, YamlError> {
        let at = self.seek(start);
        let colon = self.byte(at) == b':';
        let after = if colon { start.right() } else { start };
        if is_key && colon {
            return match self.word(self.last) {
                (word, b'?') => Ok(word.right()),
                _ => Err(YamlError::at(start, "a key is missing before this `:`")),
            };
        }
        Ok(match self.open.last() {
            Some(Open { flow: true, .. }) => self.word(after).0,
            Some(Open { mapping: true, .. }) => after,
            Some(_) => match self.word(self.last) {
                (word, b'-') => word.right(),
                _ => start,
            },
            None => start,
        })
    }

    /// Where the first dash of the sequence at `start` is, if that stands no deeper than its key.
    fn first_dash(&self, start: Place) -> Place {
        if let Some(Open {
            mapping: true,
            flow: false,
            column: parent,
            ..
        }) = self.open.last()
        {
            let from = self.line_starts.get(start.line).copied().unwrap_or(0);
            let line = self.text.get(from..).unwrap_or_default();
            let column = line.len() - line.trim_start_matches(' ').len();
            if column <= *parent && column < start.column && self.byte(from + column) == b'-' {
                return Place {
                    line: start.line,
                    column,
                };
            }
        }
        start
    }

    /// The first line of a block text shows its indentation, so no tab may begin it unless a digit says it already.
    fn check_block(&mut self, header: Place, value: &str) -> Result<(), YamlError> {
        let at = self.seek(header);
        let header_text = self.text.get(at..).and_then(|rest| rest.split_whitespace().next());
        let says = header_text.is_some_and(|text| text.bytes().any(|byte| byte.is_ascii_digit()));
        if value.trim_start_matches('\n').starts_with('\t') && !says {
            return Err(YamlError::at(
                header,
                "this block text begins with a tab where only spaces may indent",
            ));
        }
        Ok(())
    }

    /// YAML 1.1 has no `\/`.
    fn check_escapes(&mut self, start: Place, end: Place) -> Result<(), YamlError> {
        let (from, to) = (self.seek(start), self.seek(end));
        let quoted = self.text.get(from + 1..to).unwrap_or_default();
        let mut escaped = false;
        for byte in quoted.bytes() {
            match byte {
                b'"' if !escaped => break,
                b'/' if escaped => return Err(YamlError::at(start, "`\\/` is no escape")),
                _ => escaped = byte == b'\\' && !escaped,
            }
        }
        Ok(())
    }
}

/// Directives are checked here, as saphyr does not hand them on.
fn check_head(text: &str) -> Result<(), YamlError> {
    let mut version_seen = false;
    for (line, content) in text.lines().enumerate() {
        let error = |message: &str| Err(YamlError::at(Place { line, column: 0 }, message));
        let ends = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t']);
        if let Some(directive) = content.strip_prefix('%') {
            let mut words = directive.split('#').next().unwrap_or_default().split_ascii_whitespace();
            match words.next() {
                Some("TAG") => {}
                Some("YAML") if !version_seen && words.next() == Some("1.1") => version_seen = true,
                Some("YAML") => return error("only one %YAML directive may stand here, and it must say 1.1"),
                _ => return error("YAML knows the directives %YAML and %TAG only"),
            }
        } else if content.strip_prefix("...").is_some_and(ends) {
            return error("a document does not begin with its end");
        } else if !matches!(content.trim_start_matches(' ').bytes().next(), None | Some(b'#')) {
            break;
        }
    }
    Ok(())
}

fn place(marker: &Marker) -> Place {
    Place {
        line: marker.line().saturating_sub(1),
        column: marker.col(),
    }
}

/// The whole tag. A lone `!` is as good as none.
fn full_tag(tag: &Tag) -> Option<String> {
    let full = format!("{}{}", tag.handle, tag.suffix);
    Some(full).filter(|full| !full.is_empty() && full != "!")
}

/// Line separators break lines, and folding drops the blanks around a break.
fn without_blanks_at_separators(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut after_separator = false;
    for c in value.chars() {
        if SEPARATORS.contains(&c) {
            out.truncate(out.trim_end_matches([' ', '\t']).len());
            after_separator = true;
        } else if after_separator && matches!(c, ' ' | '\t') {
            continue;
        } else {
            after_separator = false;
        }
        out.push(c);
    }
    out
}
