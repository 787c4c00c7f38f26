//! Parts of a config as they are shown: with their secrets to whoever may see them and asked, else with a mark instead.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use thirdboot_api::control::PartView;
use thirdboot_render::Part;

use crate::secrets::redact;

/// Instead of what has no form of its own.
const MARK: &str = "[redacted]";
/// Settings that are secrets whatever they hold.
const SECRET_SETTINGS: [&str; 1] = ["passwordHash"];
/// A file of the live config that is a config itself, compressed files with secrets inside.
const INSTALLED: &str = "/etc/thirdboot/installed.ign";

/// A part as it is shown.
pub(super) fn shown(part: &Part, with_secrets: bool) -> PartView {
    let mut settings = part.settings.clone();
    if !with_secrets {
        hide(&mut settings);
    }
    let mut view = PartView {
        kind: part.kind.to_owned(),
        name: part.name.clone(),
        settings,
        ..PartView::default()
    };
    let Some(content) = &part.content else {
        return view;
    };
    view.size_bytes = Some(u64::try_from(content.len()).unwrap_or(u64::MAX));
    let text = std::str::from_utf8(content).ok().filter(|text| !text.contains('\0'));
    let is_nested = part.name == INSTALLED;
    view.text = text.filter(|_| with_secrets || !is_nested).map(|text| {
        if with_secrets {
            text.to_owned()
        } else {
            without_secrets(text).into_owned()
        }
    });
    let is_whole = text.is_none() || text == view.text.as_deref();
    view.sha256 = (is_whole || is_nested).then(|| HEXLOWER.encode(&Sha256::digest(content)));
    view
}

fn hide(settings: &mut Map<String, Value>) {
    for (key, value) in settings.iter_mut() {
        if SECRET_SETTINGS.contains(&key.as_str()) {
            *value = MARK.into();
        } else {
            hide_in(value);
        }
    }
}

fn hide_in(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_secrets(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(hide_in),
        Value::Object(map) => hide(map),
        _ => {}
    }
}

/// Without what can be recognised: secrets of this service, password hashes, private keys.
pub(super) fn without_secrets(text: &str) -> Cow<'_, str> {
    let text = redact(text);
    if !text.contains('$') && !text.contains("PRIVATE KEY-----") {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut in_key = false;
    for line in text.split_inclusive('\n') {
        let begins = line.contains("-----BEGIN") && line.contains("PRIVATE KEY-----");
        let ends = line.contains("-----END") && line.contains("PRIVATE KEY-----");
        if begins {
            clean.push_str("[redacted private key]\n");
        }
        if !in_key && !begins {
            clean.push_str(&without_hashes(line));
        }
        in_key = (in_key || begins) && !ends;
    }
    Cow::Owned(clean)
}

/// crypt(5) hashes: `$y$…`, `$6$…`, `$2b$…`, `$argon2id$…` and their kin.
fn without_hashes(line: &str) -> Cow<'_, str> {
    const KINDS: [&str; 10] = [
        "$y$", "$gy$", "$7$", "$6$", "$5$", "$1$", "$2a$", "$2b$", "$2y$", "$argon2",
    ];
    if !KINDS.iter().any(|kind| line.contains(kind)) {
        return Cow::Borrowed(line);
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "$./=,+-".contains(c);
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = KINDS.iter().filter_map(|kind| rest.find(kind)).min() {
        clean.push_str(&rest[..at]);
        let hash = &rest[at..];
        let len = hash.find(|c| !is_part(c)).unwrap_or(hash.len());
        // `$1$2` of a shell is no hash.
        clean.push_str(if len >= 13 { MARK } else { &hash[..len] });
        rest = &hash[len..];
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_recognised_is_taken_out() {
        let secret = format!("tb_live_{}", "a".repeat(52));
        let text = format!(
            "a={secret}\ncore:$y$j9T$abcdef$0123456789:1\necho $1$2\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\nz\n"
        );
        assert_eq!(
            without_secrets(&text),
            "a=tb_live_[redacted]\ncore:[redacted]:1\necho $1$2\n[redacted private key]\nz\n"
        );
        let plain = "nothing to see\n";
        assert!(matches!(without_secrets(plain), Cow::Borrowed(_)));
    }
}
