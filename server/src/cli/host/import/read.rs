//! An inventory becomes descriptions, or every mistake in it is named by its place.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use thirdboot_api::control::HostSpec;

use super::{Format, csv};

/// Hosts, and where each stands in the file.
#[derive(Debug)]
pub(super) struct Inventory {
    pub(super) hosts: Vec<HostSpec>,
    pub(super) places: Vec<String>,
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The line, or the host.
    pub(super) place: String,
    pub(super) field: String,
    pub(super) why: String,
}

/// One host as it was written, not yet looked at.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) place: String,
    pub(super) value: Value,
}

/// A list, or a list by the name of `hosts`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Bare(Vec<Value>),
    Named { hosts: Vec<Value> },
}

/// The inventory of a file, or of standard input.
pub(super) fn inventory(file: &Path, format: Option<Format>) -> Result<Inventory, Vec<Mistake>> {
    let name = file.display().to_string();
    let mistake = |field: &str, why: String| {
        vec![Mistake {
            place: name.clone(),
            field: field.to_owned(),
            why,
        }]
    };
    let Some(format) = format.or_else(|| by_ending(file)) else {
        let expected = "expected a file that ends in .yaml, .yml, .json or .csv, or --format";
        return Err(mistake("format", expected.to_owned()));
    };
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| mistake("file", error.to_string()))?;
    let rows = match format {
        Format::Csv => csv::rows(&text)?,
        Format::Json => listed(serde_json::from_str(&text)).map_err(|why| mistake("file", why))?,
        Format::Yaml => listed(serde_saphyr::from_str(&text)).map_err(|why| mistake("file", why))?,
    };
    described(rows)
}

fn by_ending(file: &Path) -> Option<Format> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "yaml" | "yml" => Some(Format::Yaml),
        "json" => Some(Format::Json),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}

fn listed<E: std::fmt::Display>(read: Result<Value, E>) -> Result<Vec<Row>, String> {
    let value = read.map_err(|error| error.to_string())?;
    let listed: Listed =
        serde_json::from_value(value).map_err(|_| "expected a list of hosts, or hosts: with one".to_owned())?;
    let (Listed::Bare(hosts) | Listed::Named { hosts }) = listed;
    let row = |(at, value): (usize, Value)| {
        let name = value
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(String::new, |name| format!(" ({name})"));
        let place = format!("host {}{name}", at + 1);
        Row { place, value }
    };
    Ok(hosts.into_iter().enumerate().map(row).collect())
}

/// Every row is looked at before any is refused.
fn described(rows: Vec<Row>) -> Result<Inventory, Vec<Mistake>> {
    let mut inventory = Inventory {
        hosts: Vec::new(),
        places: Vec::new(),
    };
    let mut mistakes = Vec::new();
    for Row { place, value } in rows {
        match serde_path_to_error::deserialize(value) {
            Ok(host) => {
                inventory.hosts.push(host);
                inventory.places.push(place);
            }
            Err(error) => {
                let path = error.path().to_string();
                mistakes.push(Mistake {
                    place,
                    field: if path == "." { "host".to_owned() } else { path },
                    why: error.inner().to_string(),
                });
            }
        }
    }
    if mistakes.is_empty() {
        Ok(inventory)
    } else {
        Err(mistakes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Inventory, Vec<Mistake>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        inventory(&file, None)
    }

    const YAML: &str = "- name: a1\n  macs: [52:54:00:00:00:01]\n  role: runner\n  labels: {rack: r7}\n- name: a2\n  install: {disk: \"007\"}\n";

    #[test]
    fn yaml_json_and_csv_say_the_same() {
        let yaml = read("hosts.yaml", YAML).unwrap();
        let json = read(
            "hosts.JSON",
            r#"{"hosts":[{"name":"a1","macs":["52:54:00:00:00:01"],"role":"runner","labels":{"rack":"r7"}},
            {"name":"a2","install":{"disk":"007"}}]}"#,
        )
        .unwrap();
        let csv = read(
            "hosts.csv",
            "name,macs,role,labels.rack,install.disk\na1,52:54:00:00:00:01,runner,r7,\na2,,,,007\n",
        )
        .unwrap();
        assert_eq!(yaml.hosts, json.hosts);
        assert_eq!(yaml.hosts, csv.hosts);
        assert_eq!(
            (yaml.places[1].as_str(), csv.places[1].as_str()),
            ("host 2 (a2)", "line 3")
        );
    }

    #[test]
    fn every_mistake_is_named_by_its_place() {
        let mistakes = read(
            "hosts.yml",
            "- name: a1\n  rolle: agent\n- name: a2\n  macs: 7\n- name: a3\n",
        )
        .unwrap_err();
        let told: Vec<_> = mistakes.iter().map(|m| (m.place.as_str(), m.field.as_str())).collect();
        assert_eq!(told, [("host 1 (a1)", "rolle"), ("host 2 (a2)", "macs")]);
        assert!(mistakes[0].why.contains("unknown field `rolle`"), "{mistakes:?}");
    }

    #[test]
    fn a_file_that_is_none_says_why() {
        for (name, text, says) in [
            ("hosts.yaml", "name: [", "line"),
            ("hosts.yaml", "name: a1", "expected a list of hosts"),
            ("hosts.json", "[{]", "line 1"),
            ("hosts.txt", "", "ends in .yaml"),
        ] {
            let mistakes = read(name, text).unwrap_err();
            assert!(mistakes[0].why.contains(says), "{mistakes:?}");
        }
        assert_eq!(
            inventory(Path::new("/nowhere/hosts.csv"), None).unwrap_err()[0].field,
            "file"
        );
    }
}
