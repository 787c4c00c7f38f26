//! Several templates, on top of the installed config.

use super::*;

#[test]
fn templates_are_merged_in_their_order_onto_the_installed_config() {
    let run = Run::new(samples::install());
    let (first, second) = (
        template(&file("/etc/a", "first")),
        template(&format!(
            "{}    - path: /etc/b\n      contents: {{inline: '{{{{ host.name }}}}'}}\n",
            file("/etc/a", "second")
        )),
    );
    let host = rack();
    let merged = |templates: &[&Template]| {
        let facts = crate::RunFacts {
            overlay: Overlay(templates),
            ..run.facts(&host)
        };
        from_slice(&documents(&facts).unwrap().installed).unwrap().0
    };
    let config = merged(&[&first, &second]);
    assert_eq!(content(&config, "/etc/a"), "second");
    assert_eq!(content(&config, "/etc/b"), "node1");
    assert_eq!(content(&config, "/etc/hostname"), "node1\n");
    // The newer version of the two counts.
    assert_eq!(config.ignition.version, "3.4.0");
    assert_eq!(content(&merged(&[&second, &first]), "/etc/a"), "first");
    assert_eq!(merged(&[]).ignition.version, "3.3.0");
}

#[test]
fn the_live_config_has_nothing_of_a_template() {
    let run = Run::new(samples::install());
    let (host, mine) = (rack(), template(&file("/etc/mine", "x")));
    let templates = [&mine];
    let live = |overlay| {
        let facts = crate::RunFacts {
            overlay,
            ..run.facts(&host)
        };
        let (mut live, _) = from_slice(&documents(&facts).unwrap().live).unwrap();
        live.storage
            .files
            .retain(|file| file.path != "/etc/thirdboot/installed.ign");
        live
    };
    assert_eq!(live(Overlay(&templates)), live(Overlay::NONE));
}

#[test]
fn two_templates_that_cannot_stand_together_are_refused() {
    let run = Run::new(samples::install());
    let host = rack();
    let told = |one: &str, other: &str| {
        let (one, mut other) = (template(one), template(other));
        other.name = "u".to_owned();
        let templates = [&one, &other];
        let facts = crate::RunFacts {
            overlay: Overlay(&templates),
            ..run.facts(&host)
        };
        documents(&facts).unwrap_err().to_string()
    };
    let link = "storage:\n  links:\n    - path: /etc/a\n      target: /opt/a\n";
    let through = told(link, &file("/etc/a/b", "x"));
    assert!(
        through.starts_with("t + u: merged: error at $.storage.files."),
        "{through}"
    );
    assert!(
        through.ends_with("this path leads through a link that the config declares"),
        "{through}"
    );
    let nested = told(&file("/etc/a", "x"), &file("/etc/a/b", "x"));
    assert_eq!(nested, "t + u: /etc/a/b lies below the file /etc/a");
}
