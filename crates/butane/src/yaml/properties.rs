//! The scanner's anchors, aliases, tags and directives.

use super::YamlError;
use super::scanner::Scanner;
use super::token::TokenKind;

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

impl Scanner<'_> {
    /// `&name` or `*name`.
    pub(super) fn anchor(&mut self) -> Result<TokenKind, YamlError> {
        let alias = self.cursor.byte(0) == b'*';
        self.cursor.skip();
        let mut name = String::new();
        while is_name(self.cursor.byte(0)) {
            self.cursor.take(&mut name);
        }
        let ends = self.cursor.is_blank_or_end(0)
            || matches!(
                self.cursor.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return self.error("the name of an anchor or alias consists of letters, digits, `_` and `-`");
        }
        Ok(if alias {
            TokenKind::Alias(name)
        } else {
            TokenKind::Anchor(name)
        })
    }

    /// `!`, `!local`, `!!core`, `!handle!suffix` or `!<verbatim>`.
    pub(super) fn tag(&mut self) -> Result<TokenKind, YamlError> {
        let (handle, suffix) = if self.cursor.byte(1) == b'<' {
            self.cursor.skip_ascii(2);
            let suffix = self.uri("")?;
            if self.cursor.byte(0) != b'>' {
                return self.error("a `>` is missing at the end of this tag");
            }
            self.cursor.skip();
            (String::new(), suffix)
        } else {
            let handle = self.tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.uri("")?;
                (handle, suffix)
            } else {
                // Not a handle after all: what was read belongs to the suffix.
                let suffix = self.uri(&handle)?;
                if suffix.is_empty() {
                    (String::new(), "!".to_owned())
                } else {
                    ("!".to_owned(), suffix)
                }
            }
        };
        if !self.cursor.is_blank_or_end(0) {
            return self.error("a blank is missing after this tag");
        }
        Ok(TokenKind::Tag { handle, suffix })
    }

    fn tag_handle(&mut self, directive: bool) -> Result<String, YamlError> {
        if self.cursor.byte(0) != b'!' {
            return self.error("a tag begins with `!`");
        }
        let mut handle = String::new();
        self.cursor.take(&mut handle);
        while is_name(self.cursor.byte(0)) {
            self.cursor.take(&mut handle);
        }
        if self.cursor.byte(0) == b'!' {
            self.cursor.take(&mut handle);
        } else if directive && handle != "!" {
            return self.error("a tag handle ends with `!`");
        }
        Ok(handle)
    }

    /// The rest of a tag; `head` is what was read of it, with the `!` before it.
    fn uri(&mut self, head: &str) -> Result<String, YamlError> {
        let mut bytes = head.strip_prefix('!').unwrap_or(head).as_bytes().to_vec();
        let mut any = !head.is_empty();
        loop {
            match self.cursor.byte(0) {
                b'%' => {
                    let digit = |byte: u8| char::from(byte).to_digit(16);
                    let (Some(high), Some(low)) = (digit(self.cursor.byte(1)), digit(self.cursor.byte(2))) else {
                        return self.error("two hexadecimal digits must follow `%` in a tag");
                    };
                    bytes.extend(u8::try_from(high * 16 + low));
                    self.cursor.skip_ascii(3);
                }
                byte if is_name(byte) || b";/?:@&=+$.!~*'()[],".contains(&byte) => {
                    bytes.push(byte);
                    self.cursor.skip();
                }
                _ => break,
            }
            any = true;
        }
        if !any {
            return self.error("a tag needs a name");
        }
        String::from_utf8(bytes).or_else(|_| self.error("the escapes in this tag are not UTF-8"))
    }

    /// A `%` line. `None` for one that YAML says to ignore.
    pub(super) fn directive(&mut self) -> Result<Option<TokenKind>, YamlError> {
        self.cursor.skip();
        let mut name = String::new();
        while is_name(self.cursor.byte(0)) {
            self.cursor.take(&mut name);
        }
        if name.is_empty() || !self.cursor.is_blank_or_end(0) {
            return self.error("a directive needs a name");
        }
        self.skip_blanks();
        let kind = match name.as_str() {
            "YAML" => {
                let major = self.number()?;
                if self.cursor.byte(0) != b'.' {
                    return self.error("a version such as 1.1 must follow %YAML");
                }
                self.cursor.skip();
                TokenKind::VersionDirective {
                    major,
                    minor: self.number()?,
                }
            }
            "TAG" => {
                let handle = self.tag_handle(true)?;
                if !self.cursor.is_blank(0) {
                    return self.error("a blank is missing after the tag handle");
                }
                self.skip_blanks();
                let prefix = self.uri("")?;
                if prefix.is_empty() || !self.cursor.is_blank_or_end(0) {
                    return self.error("a tag prefix is missing");
                }
                TokenKind::TagDirective { handle, prefix }
            }
            _ => return self.error("YAML knows the directives %YAML and %TAG only"),
        };
        self.skip_blanks();
        if self.cursor.byte(0) == b'#' {
            while !self.cursor.at_end() && !self.cursor.is_break() {
                self.cursor.skip();
            }
        }
        if !self.cursor.at_end() && !self.cursor.is_break() {
            return self.error("only a comment may follow a directive");
        }
        self.cursor.skip_break();
        Ok(Some(kind))
    }

    fn skip_blanks(&mut self) {
        while self.cursor.is_blank(0) {
            self.cursor.skip();
        }
    }

    fn number(&mut self) -> Result<u32, YamlError> {
        let mut digits = String::new();
        while self.cursor.byte(0).is_ascii_digit() && digits.len() < 9 {
            self.cursor.take(&mut digits);
        }
        digits.parse().or_else(|_| self.error("a number is missing here"))
    }
}
