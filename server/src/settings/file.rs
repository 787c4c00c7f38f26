//! The TOML file: flat keys, each the name of an option. Every mistake is told at once, by file, line and key.

use std::fmt;
use std::fs;
use std::path::Path;

use clap::Command;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{is_list, settings, suggest, value};

/// A key of the file whose value was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The option's id.
    pub(super) key: String,
    /// Line of the key, from 1.
    pub(super) line: usize,
    /// Its values, as a command line would have them.
    pub(super) values: Vec<String>,
}

/// What is wrong with a file: a line each, `file:line: key: why`.
#[derive(Debug, PartialEq, Eq)]
pub struct FileErrors(Vec<String>);

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for FileErrors {}

/// Reads and checks a file.
pub(super) fn read(file: &Path, known: &Command) -> Result<Vec<Entry>, FileErrors> {
    let text = fs::read_to_string(file).map_err(|error| FileErrors(vec![format!("{}: {error}", file.display())]))?;
    parse(file, &text, known)
}

pub(super) fn parse(file: &Path, text: &str, known: &Command) -> Result<Vec<Entry>, FileErrors> {
    let at = |offset: usize| format!("{}:{}", file.display(), line_of(text, offset));
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        FileErrors(vec![format!("{}: {}", at(offset), error.message().trim())])
    })?;
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for (key, found) in table.get_ref() {
        let offset = key.span().start;
        match entry(key.get_ref(), found, known) {
            Ok(values) => entries.push(Entry {
                key: key.get_ref().to_string(),
                line: line_of(text, offset),
                values,
            }),
            Err(why) => errors.push((offset, format!("{}: {}: {why}", at(offset), key.get_ref()))),
        }
    }
    if errors.is_empty() {
        return Ok(entries);
    }
    errors.sort_unstable();
    Err(FileErrors(errors.into_iter().map(|(_, error)| error).collect()))
}

fn entry(key: &str, found: &Spanned<DeValue<'_>>, known: &Command) -> Result<Vec<String>, String> {
    let arg = settings(known).find(|arg| *arg.get_id() == *key);
    if let DeValue::Table(table) = found.get_ref() {
        let inner = table.keys().next().map_or("", |inner| inner.get_ref());
        let flat = format!("{key}_{inner}");
        return Err(match settings(known).find(|arg| *arg.get_id() == *flat) {
            Some(_) => format!("settings stand at the top, without sections: write {flat} = …"),
            None => "settings stand at the top, without sections".to_owned(),
        });
    }
    let Some(arg) = arg else {
        return Err(suggest::for_key(key, settings(known)));
    };
    let values = match found.get_ref() {
        DeValue::Array(items) if is_list(arg) => items
            .iter()
            .map(|item| scalar(item.get_ref()))
            .collect::<Result<Vec<_>, _>>()?,
        DeValue::Array(_) => return Err("expected one value, not a list".to_owned()),
        single => vec![scalar(single)?],
    };
    value::check(arg, &values)?;
    Ok(values)
}

fn scalar(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(is) => Ok(is.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            Err("expected text in quotes, a number, true or false".to_owned())
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use crate::settings::check;

    #[test]
    fn every_mistake_is_told_at_once_by_file_line_and_key() {
        let text = "data_dir = '/a'\nboot_lisen = '0.0.0.0:80'\nboot_retries = 'many'\nunknown = 'lokal'\n\
                    boot-url = 'http://a'\nboot_url = 'boot.example.net'\naddress_sources = ['10.0.0.0']\n\
                    data_dirs = ['/x']\ntrusted_proxies = 1979-05-27\n\n[boot]\nlisten = '1'\n\n[colour]\n";
        insta::assert_snapshot!(check(text).unwrap_err());
    }

    #[test]
    fn what_is_no_toml_is_refused_by_its_line() {
        let error = check("data_dir = '/a'\nboot_listen = 0.0.0.0:80\n")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("thirdboot.toml:2: "), "{error}");
        let error = check("data_dir = '/a'\ndata_dir = '/b'\n").unwrap_err().to_string();
        assert!(error.starts_with("thirdboot.toml:2: "), "{error}");
    }

    #[test]
    fn secrets_have_no_place_in_it() {
        for key in ["master_key", "token", "admin_token"] {
            let error = check(&format!("{key} = 'x'")).unwrap_err().to_string();
            assert!(error.contains("secrets never stand in this file"), "{error}");
            assert!(!error.contains("'x'"), "{error}");
        }
    }

    #[test]
    fn one_value_may_stand_for_a_list_of_one() {
        assert_eq!(
            check("trusted_proxies = '10.0.0.0/8'").unwrap()[0].values,
            ["10.0.0.0/8"]
        );
        let error = check("boot_retries = [1, 2]").unwrap_err().to_string();
        assert!(error.contains("expected one value, not a list"), "{error}");
    }
}
