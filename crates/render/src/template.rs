//! Templates cannot be broken out of: the YAML is parsed first, then each string in it is rendered.

use minijinja::{Environment, Value};
use thirdboot_butane::{Document, Entry, Options, Report, ignition::Config};

use crate::{RenderError, engine};

/// What rendering one string may cost; a loop over a host's list needs a few hundred.
const FUEL: u64 = 20_000;

/// The scripts that hosts run, for `script('…')`. Embedded, and never rendered themselves.
pub(crate) const SCRIPTS: [(&str, &str); 18] = [
    ("back.sh", include_str!("../../../ignition-templates/files/back.sh")),
    ("boot.sh", include_str!("../../../ignition-templates/files/boot.sh")),
    ("disks.sh", include_str!("../../../ignition-templates/files/disks.sh")),
    ("failed.sh", include_str!("../../../ignition-templates/files/failed.sh")),
    (
        "inspect.sh",
        include_str!("../../../ignition-templates/files/inspect.sh"),
    ),
    (
        "installed.sh",
        include_str!("../../../ignition-templates/files/installed.sh"),
    ),
    ("join.sh", include_str!("../../../ignition-templates/files/join.sh")),
    ("layer.sh", include_str!("../../../ignition-templates/files/layer.sh")),
    ("lib.sh", include_str!("../../../ignition-templates/files/lib.sh")),
    ("live.sh", include_str!("../../../ignition-templates/files/live.sh")),
    (
        "metadata.sh",
        include_str!("../../../ignition-templates/files/metadata.sh"),
    ),
    (
        "network.sh",
        include_str!("../../../ignition-templates/files/network.sh"),
    ),
    (
        "precheck.sh",
        include_str!("../../../ignition-templates/files/precheck.sh"),
    ),
    (
        "progress.sh",
        include_str!("../../../ignition-templates/files/progress.sh"),
    ),
    (
        "provider.sh",
        include_str!("../../../ignition-templates/files/provider.sh"),
    ),
    ("reboot.sh", include_str!("../../../ignition-templates/files/reboot.sh")),
    ("report.sh", include_str!("../../../ignition-templates/files/report.sh")),
    ("runner.sh", include_str!("../../../ignition-templates/files/runner.sh")),
];

/// A Butane document with templates in its strings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fragment {
    /// For errors.
    pub(crate) name: &'static str,
    /// Its YAML.
    pub(crate) text: &'static str,
}

/// Renders a fragment's strings with `facts` and translates it.
pub(crate) fn render(fragment: Fragment, facts: &Value) -> Result<Config, RenderError> {
    let refuse = |report: &Report| error(fragment.name, report);
    let environment = environment().map_err(|error| RenderError::Fragment {
        fragment: fragment.name.to_owned(),
        line: None,
        field: None,
        what: error.to_string(),
    })?;
    let mut document = Document::parse(fragment.text.as_bytes()).map_err(|report| refuse(&report))?;
    document
        .map_strings(|text, _| render_string(&environment, text, facts))
        .map_err(|report| refuse(&report))?;
    let options = Options {
        strict: true,
        ..Options::default()
    };
    let (config, _) = document.translate_config(&options).map_err(|report| refuse(&report))?;
    Ok(config)
}

/// With fuel that ends every loop, and our scripts.
fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = engine::environment()?;
    environment.set_fuel(Some(FUEL));
    environment.add_function("script", |name: &str| {
        let script = SCRIPTS.iter().find(|(known, _)| *known == name);
        script.map(|(_, text)| *text).ok_or_else(|| {
            minijinja::Error::new(
                minijinja::ErrorKind::InvalidOperation,
                format!("there is no script {name:?}"),
            )
        })
    });
    Ok(environment)
}

fn render_string(environment: &Environment<'_>, text: &str, facts: &Value) -> Result<String, String> {
    if !["{{", "{%", "{#"].iter().any(|opening| text.contains(opening)) {
        return Ok(text.to_owned());
    }
    environment.render_str(text, facts).map_err(|error| {
        let line = error.line().filter(|line| *line > 1);
        let place = line
            .map(|line| format!(" (line {line} of the string)"))
            .unwrap_or_default();
        match error.detail() {
            Some(detail) => format!("{}: {detail}{place}", error.kind()),
            None => format!("{}{place}", error.kind()),
        }
    })
}

/// The first error, or with none the first finding.
fn error(fragment: &str, report: &Report) -> RenderError {
    let entry: Option<&Entry> = report.errors().next().or(report.entries.first());
    RenderError::Fragment {
        fragment: fragment.to_owned(),
        line: entry.map(|entry| entry.line).filter(|line| *line > 0),
        field: entry
            .filter(|entry| !entry.path.is_root())
            .map(|entry| entry.path.to_string()),
        what: entry.map_or_else(|| report.to_string(), |entry| entry.message.clone()),
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn hostname(inline: &str) -> Fragment {
        let text = format!(
            "variant: fcos\nversion: 1.4.0\nstorage:\n  files:\n    - path: /etc/hostname\n      mode: 0644\n      contents:\n        inline: {inline}\n"
        );
        Fragment {
            name: "test.bu",
            text: text.leak(),
        }
    }

    fn content(config: &Config) -> String {
        crate::samples::text(&config.storage.files[0].contents)
    }

    #[test]
    fn a_value_cannot_change_the_structure() {
        let evil = "x\n    - path: /etc/shadow\n{{ 7 * 7 }}: [\"";
        let config = render(hostname("'{{ name }}'"), &context! { name => evil }).unwrap();
        assert_eq!(content(&config), evil);
        assert_eq!(config.storage.files.len(), 1);
    }

    #[test]
    fn a_value_that_looks_like_a_number_stays_text() {
        let config = render(hostname("\"{{ name }}\""), &context! { name => "0644" }).unwrap();
        assert_eq!(content(&config), "0644");
    }

    #[test]
    fn errors_name_fragment_line_and_field() {
        let errors: Vec<String> = [
            "'{{ missing }}'",
            "'{{ name'",
            "'{% for n in range(100000) %}{{ n }}{% endfor %}'",
            "'{% include \"x\" %}'",
            "['a']",
            "\"{{ script('x.sh') }}\"",
        ]
        .map(|inline| {
            render(hostname(inline), &context! { name => "a" })
                .unwrap_err()
                .to_string()
        })
        .to_vec();
        insta::assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn scripts_are_embedded_verbatim() {
        for (name, text) in SCRIPTS {
            let config = render(hostname(&format!("\"{{{{ script('{name}') }}}}\"")), &context! {}).unwrap();
            assert_eq!(content(&config), text, "{name}");
        }
    }
}
