//! The reference pages under docs/terraform, made of the schemas. `THIRDBOOT_WRITE_TERRAFORM=1 cargo test -p
//! thirdboot-terraform-provider reference` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use thirdboot_terraform_plugin::{Attribute, Presence, Provider as _, Schema, Type, Value};

use crate::Thirdboot;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/terraform");
const WRITE: &str = "THIRDBOOT_WRITE_TERRAFORM";

/// Of each page: what it is of, how it is written, and how one is imported.
const EXAMPLES: [(&str, &str, Option<&str>); 9] = [
    (
        "provider",
        "provider \"thirdboot\" {\n  endpoint = \"https://thirdboot.example.net:8081\"\n  ca_file  = \"/etc/thirdboot/ca.pem\"\n  # The token: THIRDBOOT_TOKEN, or the file that THIRDBOOT_TOKEN_FILE names.\n}",
        None,
    ),
    (
        "resource thirdboot_host",
        "resource \"thirdboot_host\" \"server\" {\n  name    = \"server-1\"\n  role    = \"server\"\n  cluster = thirdboot_cluster.prod.name\n  macs    = [\"52:54:00:aa:bb:01\", \"52:54:00:aa:bb:02\"]\n  labels  = { rack = \"7\" }\n\n  network = {\n    bond  = {}\n    vlans = [{ id = 1000, pool = { ipv4 = { prefix = \"10.8.0.0/24\" } } }]\n  }\n}",
        Some("by its name, or by a MAC, serial or UUID: `terraform import thirdboot_host.server server-1`"),
    ),
    (
        "resource thirdboot_cluster",
        "resource \"thirdboot_cluster\" \"prod\" {\n  name    = \"prod\"\n  vlan    = 1000\n  disable = [\"traefik\"]\n\n  k3s = {\n    version  = \"v1.34.1+k3s1\"\n    binaries = { x86_64 = { sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\" } }\n  }\n}",
        Some("by its name: `terraform import thirdboot_cluster.prod prod`"),
    ),
    (
        "resource thirdboot_template",
        "resource \"thirdboot_template\" \"motd\" {\n  name   = \"motd\"\n  select = { roles = [\"agent\"] }\n  text   = file(\"motd.bu\")\n}",
        Some("by its name: `terraform import thirdboot_template.motd motd`"),
    ),
    (
        "resource thirdboot_token",
        "resource \"thirdboot_token\" \"ci\" {\n  name = \"ci\"\n  role = \"operator\"\n}",
        Some("by its name, without the token itself: `terraform import thirdboot_token.ci ci`"),
    ),
    (
        "resource thirdboot_provision",
        "resource \"thirdboot_provision\" \"server\" {\n  host     = thirdboot_host.server.name\n  triggers = { generation = \"1\" }\n  timeout  = \"45m\"\n}",
        Some(
            "by its host's name, without being provisioned again: `terraform import thirdboot_provision.server server-1`",
        ),
    ),
    (
        "data thirdboot_host",
        "data \"thirdboot_host\" \"server\" {\n  name = \"server-1\"\n}",
        None,
    ),
    (
        "data thirdboot_hosts",
        "data \"thirdboot_hosts\" \"rack\" {\n  labels = { rack = \"7\" }\n}",
        None,
    ),
    (
        "data thirdboot_cluster",
        "data \"thirdboot_cluster\" \"prod\" {\n  name       = \"prod\"\n  depends_on = [thirdboot_provision.server]\n}",
        None,
    ),
];

#[test]
fn the_reference_is_what_the_schemas_say() {
    let pages = pages();
    for (file, page) in &pages {
        let path = Path::new(FOLDER).join(file);
        if std::env::var_os(WRITE).is_some() {
            fs::create_dir_all(FOLDER).unwrap();
            fs::write(&path, page).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == *page,
            "{} is not what the schemas say: set {WRITE}=1 and run this test",
            path.display()
        );
    }
    let mut files: Vec<PathBuf> = fs::read_dir(FOLDER).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.file_name().is_some_and(|name| name != "README.md"));
    assert_eq!(files.len(), pages.len(), "a page is of nothing: {files:?}");
}

fn pages() -> Vec<(String, String)> {
    let provider = Thirdboot::default();
    let mut schemas = vec![("provider".to_owned(), provider.schema())];
    let resources = provider.resources().into_iter();
    schemas.extend(resources.map(|(name, one)| (format!("resource {name}"), one.schema())));
    let sources = provider.data_sources().into_iter();
    schemas.extend(sources.map(|(name, one)| (format!("data {name}"), one.schema())));
    assert_eq!(schemas.len(), EXAMPLES.len(), "something has no example");
    let page = |(title, schema): (String, Schema)| {
        let (_, example, import) = EXAMPLES.iter().find(|(of, _, _)| *of == title).unwrap();
        (file(&title), written(&title, &schema, example, *import))
    };
    schemas.into_iter().map(page).collect()
}

fn file(title: &str) -> String {
    let name = title
        .replace("resource thirdboot_", "")
        .replace("data thirdboot_", "data-");
    format!("{name}.md")
}

fn written(title: &str, schema: &Schema, example: &str, import: Option<&str>) -> String {
    let mut page = format!("# {title}\n\n{}\n\n```terraform\n{example}\n```\n", schema.description);
    let (given, set): (Vec<&Attribute>, Vec<&Attribute>) = schema
        .attributes()
        .iter()
        .partition(|attribute| attribute.is_configurable());
    for (heading, attributes) in [("Arguments", given), ("Set by the provider", set)] {
        if !attributes.is_empty() {
            let _ = write!(page, "\n## {heading}\n\n");
            for attribute in attributes {
                line(&mut page, attribute, 0);
            }
        }
    }
    if let Some(import) = import {
        let _ = write!(page, "\n## Import\n\nImported {import}.\n");
    }
    page
}

fn line(page: &mut String, attribute: &Attribute, depth: usize) {
    let mut words = vec![attribute.ty.name()];
    if attribute.presence == Presence::Required {
        words.push("required".to_owned());
    }
    if let Some(default) = &attribute.default {
        words.push(format!("default {}", shown(default)));
    }
    if !attribute.words.is_empty() {
        words.push(format!("one of {}", attribute.words.join(", ")));
    }
    for (is_so, word) in [
        (attribute.replaces, "a change makes another one"),
        (attribute.sensitive && !attribute.write_only, "sensitive"),
        (attribute.write_only, "write-only"),
    ] {
        if is_so {
            words.push(word.to_owned());
        }
    }
    let indent = "  ".repeat(depth);
    let _ = writeln!(
        page,
        "{indent}- `{}` ({}): {}",
        attribute.name,
        words.join(", "),
        attribute.description
    );
    for inner in attribute.ty.objects().into_iter().flatten() {
        line(page, inner, depth + 1);
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::List(items) if items.is_empty() => "`[]`".to_owned(),
        value => format!("`{}`", value.to_json()),
    }
}

/// Every word of a closed set is named on the page: readers see what they may write.
#[test]
fn an_argument_of_words_names_them() {
    let roles = Thirdboot::default().resources()["thirdboot_host"].schema();
    let role = roles.attributes().iter().find(|one| one.name == "role").unwrap();
    assert!(matches!(role.ty, Type::String) && role.words.contains(&"runner".to_owned()));
}
