//! What a scalar's text means: null, truth, number or plain text.

use std::borrow::Cow;

/// A scalar by its meaning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'t> {
    Null,
    Bool(bool),
    /// Wide enough for both of 64 bits, signed and unsigned.
    Int(i128),
    Float(f64),
    Text,
    /// A text said to be text: quoted, or tagged so.
    Quoted,
    /// `!!binary`, decoded.
    Binary(Vec<u8>),
    Timestamp,
    /// A tag of the writer's own: text that is neither number nor truth.
    Other(Cow<'t, str>),
}

impl Scalar<'_> {
    /// For messages: "a number", "a text" …
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text | Self::Quoted | Self::Other(_) => "a text",
            Self::Binary(_) => "binary data",
            Self::Timestamp => "a date",
        }
    }
}

/// Resolves a scalar by its text, style and tag. The error says why the tag does not fit the text.
pub(crate) fn resolve<'t>(value: &'t str, plain: bool, tag: Option<&'t str>) -> Result<Scalar<'t>, String> {
    let natural = || {
        if value.is_empty() {
            Scalar::Null
        } else {
            untagged(value)
        }
    };
    let Some(tag) = tag else {
        return Ok(if plain { natural() } else { Scalar::Quoted });
    };
    let found = natural();
    let fits = match tag {
        "!!str" => return Ok(Scalar::Quoted),
        "!!binary" => {
            let compact: Vec<u8> = value.bytes().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
            return data_encoding::BASE64
                .decode(&compact)
                .map(Scalar::Binary)
                .map_err(|_| "!!binary text must be base64".to_owned());
        }
        "!!null" => found == Scalar::Null,
        "!!bool" => matches!(found, Scalar::Bool(_)),
        "!!int" => matches!(found, Scalar::Int(_)),
        "!!float" => matches!(found, Scalar::Float(_) | Scalar::Int(_)),
        "!!timestamp" => found == Scalar::Timestamp,
        other => return Ok(Scalar::Other(Cow::Borrowed(other))),
    };
    if fits {
        Ok(found)
    } else {
        Err(format!("this is {}, but its tag says {tag}", found.describe()))
    }
}

fn untagged(value: &str) -> Scalar<'static> {
    match value {
        "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match value.as_bytes().first() {
        Some(b'.') => float(value).map_or(Scalar::Text, Scalar::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => number(value),
        _ => Scalar::Text,
    }
}

fn number(value: &str) -> Scalar<'static> {
    if is_date(value) {
        return Scalar::Timestamp;
    }
    let plain: Cow<'_, str> = if value.contains('_') {
        Cow::Owned(value.replace('_', ""))
    } else {
        Cow::Borrowed(value)
    };
    if let Some(int) = integer(&plain) {
        return Scalar::Int(int);
    }
    if looks_like_float(&plain)
        && let Some(float) = float(&plain)
    {
        return Scalar::Float(float);
    }
    Scalar::Text
}

/// An integer with an optional sign and base prefix; a leading zero means octal.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let bytes = digits.as_bytes();
    let (radix, digits) = match (bytes.first(), bytes.get(1)) {
        (Some(b'0'), Some(b'x' | b'X')) => (16, &digits[2..]),
        (Some(b'0'), Some(b'o' | b'O')) => (8, &digits[2..]),
        (Some(b'0'), Some(b'b' | b'B')) => (2, &digits[2..]),
        (Some(b'0'), Some(_)) => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| char::from(digit).is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits.trim_start_matches('0'), radix)
        .or_else(|error| {
            if digits.bytes().all(|digit| digit == b'0') {
                Ok(0)
            } else {
                Err(error)
            }
        })
        .ok()?;
    let value = if negative { -magnitude } else { magnitude };
    // What needs more than 64 bits is no integer, but may still be a float. Only unsigned text may use the 64th.
    let unsigned = !text.starts_with(['-', '+']);
    let most = if unsigned {
        i128::from(u64::MAX)
    } else {
        i128::from(i64::MAX)
    };
    (i128::from(i64::MIN)..=most).contains(&value).then_some(value)
}

/// `[-+]? ( .digits | digits [. digits*] ) [ e [-+]? digits ]`
fn looks_like_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fine = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa_fine && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// A finite float; out of range is no number.
fn float(text: &str) -> Option<f64> {
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E'))
    {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

/// `2001-12-14`, with or without a time of day behind it.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let day_len = rest.bytes().take_while(u8::is_ascii_digit).count();
    let Some((day, time)) = rest.split_at_checked(day_len) else {
        return false;
    };
    let within = |text: &str, most: u32| {
        (1..=2).contains(&text.len()) && text.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number))
    };
    year.len() == 4
        && year.bytes().all(|byte| byte.is_ascii_digit())
        && within(month, 12)
        && within(day, 31)
        && (time.is_empty() || (time.starts_with(['T', 't', ' ']) && time.contains(':')))
}
