//! From a checked document to an Ignition config.

mod boot_device;
mod grub;
mod local;
mod luks;
mod mount_units;
mod nodes;
mod origins;
mod partitions;
mod platform;
mod resource;
mod trees;

use crate::dataurl::Gzip;
use crate::ignition::{self, Version};
use crate::path::{Path, Segment};
use crate::report::{Kind, Report};
use crate::schema::Config;
use crate::{Options, path::place};

pub(crate) use origins::Origins;

/// What translating gives.
pub(crate) struct Translated {
    pub(crate) config: ignition::Config,
    /// Where in the document each part of the config comes from.
    pub(crate) origins: Origins,
    /// Findings, with paths in the document.
    pub(crate) report: Report,
}

/// Translates a document of version 1.`minor`.
pub(crate) fn translate(config: &Config, minor: u8, target: Version, options: &Options) -> Translated {
    let mut translator = Translator {
        minor,
        options,
        yaml: Path::root(),
        json: Path::root(),
        config: ignition::Config::default(),
        origins: Origins::default(),
        report: Report::new(),
        result_report: Report::new(),
        gzip: Gzip::new(),
    };
    translator.document(config, target);
    let Translator {
        config,
        origins,
        mut report,
        result_report,
        ..
    } = translator;
    report.merge(origins.trace_back(result_report));
    Translated {
        config,
        origins,
        report,
    }
}

struct Translator<'o> {
    minor: u8,
    options: &'o Options,
    /// Where in the document we are …
    yaml: Path,
    /// … and where in the result.
    json: Path,
    config: ignition::Config,
    origins: Origins,
    /// Findings in the document.
    report: Report,
    /// Findings in the result, to be traced back.
    result_report: Report,
    gzip: Gzip,
}

impl Translator<'_> {
    fn document(&mut self, config: &Config, target: Version) {
        self.origins.add(place!["ignition", "version"], place!["version"]);
        self.config.ignition.version = target.to_string();
        self.ignition(&config.ignition);
        self.config.kernel_arguments = ignition::KernelArguments {
            should_exist: config.kernel_arguments.should_exist.clone(),
            should_not_exist: config.kernel_arguments.should_not_exist.clone(),
        };
        self.passwd(&config.passwd);
        self.storage(&config.storage);
        self.systemd(&config.systemd);
        self.mount_units(&config.storage);
        self.trees(&config.storage.trees);
        if self.report.is_fatal() {
            return;
        }
        self.boot_device(&config.boot_device);
        self.check_partitions();
        self.grub(&config.grub);
    }

    /// Goes one step down in the document and in the result.
    fn at<T>(&mut self, yaml: impl Into<Segment>, json: impl Into<Segment>, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.yaml.push(yaml);
        self.json.push(json);
        let value = inside(self);
        self.yaml.pop();
        self.json.pop();
        value
    }

    /// Translates every item of a list.
    fn each<F, T>(
        &mut self,
        yaml: &'static str,
        json: &'static str,
        list: &[F],
        inside: impl Fn(&mut Self, &F) -> T,
    ) -> Vec<T> {
        self.at(yaml, json, |translator| {
            list.iter()
                .enumerate()
                .map(|(index, item)| translator.at(index, index, |translator| inside(translator, item)))
                .collect()
        })
    }

    fn error(&mut self, key: &'static str, message: impl Into<String>) {
        let path = self.yaml.join(key);
        self.report.push(Kind::Error, path, message);
    }

    /// Puts the translated document on top of something generated.
    fn merge_onto(&mut self, generated: &ignition::Config, generated_origins: &Origins) {
        let (merged, transcript) = ignition::merge_transcribed(generated, &self.config);
        self.origins = Origins::merged(generated_origins, &self.origins, transcript);
        self.config = merged;
    }
}
