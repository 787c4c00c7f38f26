//! URLs that Ignition can fetch, judged by the rules of Go's URL parser, which Ignition uses.

use std::net::Ipv6Addr;

/// The parts of a URL that matter here.
pub(super) struct Url<'t> {
    pub(super) scheme: String,
    /// What follows the scheme, when no slash does.
    opaque: Option<&'t str>,
    query: &'t str,
}

impl Url<'_> {
    /// The first value of a query parameter, `Some("")` if it has none.
    fn query_value(&self, name: &str) -> Option<String> {
        self.query
            .split('&')
            .filter(|part| !part.contains(';'))
            .find_map(|part| {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                let key = unescape(&key.replace('+', " "))?;
                let value = unescape(&value.replace('+', " "))?;
                (key == name.as_bytes()).then(|| String::from_utf8_lossy(&value).into_owned())
            })
    }
}

/// What keeps Ignition from fetching `text`, if anything.
pub(super) fn check(text: &str, minor: u8) -> Option<&'static str> {
    const SCHEMES: &str = "the URL must begin with http, https, tftp, gs, s3 or data";
    const SCHEMES_SINCE_3_4: &str = "the URL must begin with http, https, tftp, gs, s3, arn or data";
    let Some(url) = parse(text) else {
        return Some("this is not a URL");
    };
    match url.scheme.as_str() {
        "http" | "https" | "tftp" | "gs" => None,
        "s3" => check_object_version(&url),
        "arn" if minor >= 4 => check_arn(&url),
        "data" => super::super::dataurl::check(text).err(),
        _ if minor >= 4 => Some(SCHEMES_SINCE_3_4),
        _ => Some(SCHEMES),
    }
}

fn check_object_version(url: &Url<'_>) -> Option<&'static str> {
    url.query_value("versionId")?
        .is_empty()
        .then_some("versionId must not be empty")
}

fn check_arn(url: &Url<'_>) -> Option<&'static str> {
    const FORM: &str = "an object's ARN has the form arn:aws:s3:::bucket/key";
    let opaque = url.opaque.unwrap_or_default();
    // partition:service:region:account:resource
    let parts: Vec<&str> = opaque.splitn(5, ':').collect();
    let [_, "s3", _, _, resource] = parts[..] else {
        return Some(FORM);
    };
    let slashes = opaque.matches('/').count();
    if slashes == 0 || (resource.starts_with("accesspoint/") && slashes < 2) {
        return Some(FORM);
    }
    check_object_version(url)
}

/// Splits a URL; `None` if it is none.
pub(super) fn parse(text: &str) -> Option<Url<'_>> {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    unescape(fragment)?;
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7F) {
        return None;
    }
    let (scheme, rest) = split_scheme(text)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let scheme = scheme.to_ascii_lowercase();
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            return Some(Url {
                scheme,
                opaque: Some(rest),
                query,
            });
        }
        if rest.split('/').next().is_some_and(|first| first.contains(':')) {
            return None;
        }
    }
    let path = match rest.strip_prefix("//") {
        Some(rest) if !scheme.is_empty() || !rest.starts_with('/') => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            check_authority(authority)?;
            path
        }
        _ => rest,
    };
    unescape(path)?;
    Some(Url {
        scheme,
        opaque: None,
        query,
    })
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

fn check_authority(authority: &str) -> Option<()> {
    let host = match authority.rsplit_once('@') {
        Some((user, host)) => {
            let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
            if !user.bytes().all(fine) {
                return None;
            }
            unescape(user)?;
            host
        }
        None => authority,
    };
    if let Some(bracketed) = host.strip_prefix('[') {
        let (address, port) = bracketed.rsplit_once(']')?;
        let (address, zone) = address.split_once("%25").unwrap_or((address, ""));
        address.parse::<Ipv6Addr>().ok()?;
        unescape(zone)?;
        return check_port(port);
    }
    if let Some(at) = host.rfind(':') {
        check_port(&host[at..])?;
    }
    check_host(host)
}

fn check_port(port: &str) -> Option<()> {
    let digits = if port.is_empty() { port } else { port.strip_prefix(':')? };
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())
}

/// A host may hold escapes of bytes outside ASCII only, and none of the characters that separate or confuse.
fn check_host(host: &str) -> Option<()> {
    let mut bytes = host.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
            if high < 8 && (high, low) != (2, 5) {
                return None;
            }
        } else if byte < 0x80 && !byte.is_ascii_alphanumeric() && !b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte) {
            return None;
        }
    }
    Some(())
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Resolves percent escapes; `None` if one is broken.
pub(crate) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            out.push(hex(bytes.next()?)? * 16 + hex(bytes.next()?)?);
        } else {
            out.push(byte);
        }
    }
    Some(out)
}
