//! Paths with what they ask for.

/// The path with a query; what is empty is left out.
pub(super) fn with(path: &str, query: &[(&str, &str)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    let mut is_empty = true;
    for (key, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        text.append_pair(key, value);
        is_empty = false;
    }
    if is_empty {
        return path.to_owned();
    }
    format!("{path}?{}", text.finish())
}

/// One segment of a path.
pub(super) fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push('%');
            segment.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
        }
    }
    // A dot segment would be taken out of the path.
    if segment.bytes().all(|byte| byte == b'.') {
        segment.replace('.', "%2E")
    } else {
        segment
    }
}

/// Where to go on after a sign-in: a path of our own, whatever was asked for.
pub(super) fn own(next: &str) -> &str {
    let is_own =
        next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && next.bytes().all(|b| b > b' ');
    if is_own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_what_was_asked_for() {
        assert_eq!(with("/", &[("q", "a b"), ("stage", "")]), "/?q=a+b");
        assert_eq!(with("/", &[("stage", "")]), "/");
        assert_eq!(segment("a/b c"), "a%2Fb%20c");
        assert_eq!(segment(".."), "%2E%2E");
    }

    #[test]
    fn after_a_sign_in_nobody_is_sent_elsewhere() {
        assert_eq!(own("/hosts/a1?x=1"), "/hosts/a1?x=1");
        for next in [
            "",
            "hosts",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
        ] {
            assert_eq!(own(next), "/", "{next:?}");
        }
    }
}
