//! What a template may not say, whatever it is rendered to.

use thirdboot_butane::{
    Path, Report,
    ignition::{Config, Resource},
};

use super::{reserved, wiping};

/// Every rule that `config`, translated from one template, breaks; paths are those of the config.
pub(super) fn broken(config: &Config) -> Report {
    let mut report = Report::new();
    settings(config, &mut report);
    sources(config, &mut report);
    reserved::broken(config, &mut report);
    wiping::broken(config, &mut report);
    report
}

/// `$.storage.files.3.contents`.
pub(super) fn at(keys: &[&'static str]) -> Path {
    let mut path = Path::root();
    for key in keys {
        path.push(*key);
    }
    path
}

pub(super) fn refuse(report: &mut Report, path: Path, why: impl Into<String>) {
    report.merge(Report::error(path, why));
}

/// Ignition's own settings are Thirdboot's: a config inside the config would not be looked at by these rules.
fn settings(config: &Config, report: &mut Report) {
    let ignition = &config.ignition;
    let said = [
        ("config", !is_default(&ignition.config)),
        ("proxy", !is_default(&ignition.proxy)),
        ("security", !is_default(&ignition.security)),
        ("timeouts", !is_default(&ignition.timeouts)),
    ];
    for (key, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
        let why = "a template has no settings for Ignition itself: they are Thirdboot's";
        refuse(report, at(&["ignition", key]), why);
    }
    for (index, argument) in config.kernel_arguments.should_exist.iter().enumerate() {
        if ["ignition.", "coreos.", "rd.", "root=", "boot="]
            .iter()
            .any(|prefix| argument.starts_with(prefix))
        {
            let path = at(&["kernelArguments", "shouldExist"]).join(index);
            refuse(
                report,
                path,
                format!("the kernel argument {argument:?} decides how the machine boots: it is Thirdboot's"),
            );
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The second boot needs no network before its root is up.
fn sources(config: &Config, report: &mut Report) {
    let mut check = |resource: &Resource, path: Path| {
        let source = resource.source.as_deref().unwrap_or_default();
        if !source.is_empty() && !source.starts_with("data:") {
            let source: String = source.chars().take(120).collect();
            let why = format!("a remote source ({source}): the installed system's first boot must need no network");
            refuse(report, path.join("source"), why);
        }
    };
    for (index, file) in config.storage.files.iter().enumerate() {
        let here = at(&["storage", "files"]).join(index);
        check(&file.contents, here.join("contents"));
        for (nth, more) in file.append.iter().enumerate() {
            check(more, here.join("append").join(nth));
        }
    }
    for (index, luks) in config.storage.luks.iter().enumerate() {
        check(&luks.key_file, at(&["storage", "luks"]).join(index).join("keyFile"));
    }
}
