//! Ignition's own settings, users, groups and units.

use std::mem;

use super::Translator;
use crate::ignition::{
    Dropin, Ignition, IgnitionConfig, Passwd, PasswdGroup, PasswdUser, Proxy, Security, Timeouts, Tls, Unit,
};
use crate::schema;
use crate::text::lossy;

impl Translator<'_> {
    pub(super) fn ignition(&mut self, from: &schema::Ignition) {
        let version = mem::take(&mut self.config.ignition.version);
        self.config.ignition = self.at("ignition", "ignition", |this| Ignition {
            version,
            config: this.at("config", "config", |this| IgnitionConfig {
                merge: this.each("merge", "merge", &from.config.merge, Self::reference),
                replace: this.at("replace", "replace", |this| this.reference(&from.config.replace)),
            }),
            proxy: Proxy {
                http_proxy: from.proxy.http_proxy.clone(),
                https_proxy: from.proxy.https_proxy.clone(),
                no_proxy: from.proxy.no_proxy.clone(),
            },
            security: this.at("security", "security", |this| Security {
                tls: this.at("tls", "tls", |this| Tls {
                    certificate_authorities: this.each(
                        "certificate_authorities",
                        "certificateAuthorities",
                        &from.security.tls.certificate_authorities,
                        Self::reference,
                    ),
                }),
            }),
            timeouts: Timeouts {
                http_response_headers: from.timeouts.http_response_headers,
                http_total: from.timeouts.http_total,
            },
        });
    }

    pub(super) fn passwd(&mut self, from: &schema::Passwd) {
        let groups = from
            .groups
            .iter()
            .map(|from| PasswdGroup {
                gid: from.gid,
                name: from.name.clone(),
                password_hash: from.password_hash.clone(),
                should_exist: from.should_exist,
                system: from.system,
            })
            .collect();
        let users = self.at("passwd", "passwd", |this| {
            this.each("users", "users", &from.users, Self::user)
        });
        self.config.passwd = Passwd { groups, users };
    }

    fn user(&mut self, from: &schema::PasswdUser) -> PasswdUser {
        let mut ssh_authorized_keys = from.ssh_authorized_keys.clone();
        self.local_keys(&from.ssh_authorized_keys_local, &mut ssh_authorized_keys);
        PasswdUser {
            gecos: from.gecos.clone(),
            groups: from.groups.clone(),
            home_dir: from.home_dir.clone(),
            name: from.name.clone(),
            no_create_home: from.no_create_home,
            no_log_init: from.no_log_init,
            no_user_group: from.no_user_group,
            password_hash: from.password_hash.clone(),
            primary_group: from.primary_group.clone(),
            shell: from.shell.clone(),
            should_exist: from.should_exist,
            ssh_authorized_keys,
            system: from.system,
            uid: from.uid,
        }
    }

    fn local_keys(&mut self, files: &[String], keys: &mut Vec<String>) {
        const KEY: &str = "ssh_authorized_keys_local";
        if files.is_empty() {
            return;
        }
        if self.options.files_dir.is_none() {
            self.error(KEY, super::local::NO_FILES_DIR);
            return;
        }
        for (index, file) in files.iter().enumerate() {
            let yaml = self.yaml.join(KEY).join(index);
            let text = match self.read_local(file) {
                Ok(content) => lossy(&content),
                Err(message) => {
                    self.report.push(crate::report::Kind::Error, yaml, message);
                    continue;
                }
            };
            for line in text.replace("\r\n", "\n").split('\n') {
                if !line.is_empty() {
                    self.origins
                        .add(self.json.join("sshAuthorizedKeys").join(keys.len()), yaml.clone());
                    keys.push(line.to_owned());
                }
            }
        }
    }

    pub(super) fn systemd(&mut self, from: &schema::Systemd) {
        self.config.systemd.units = self.at("systemd", "systemd", |this| {
            this.each("units", "units", &from.units, Self::unit)
        });
    }

    fn unit(&mut self, from: &schema::Unit) -> Unit {
        Unit {
            contents: self.unit_text(from.contents.as_ref(), from.contents_local.as_ref()),
            dropins: self.each("dropins", "dropins", &from.dropins, |this, from| Dropin {
                contents: this.unit_text(from.contents.as_ref(), from.contents_local.as_ref()),
                name: from.name.clone(),
            }),
            enabled: from.enabled,
            mask: from.mask,
            name: from.name.clone(),
        }
    }

    fn unit_text(&mut self, contents: Option<&String>, local: Option<&String>) -> Option<String> {
        const KEY: &str = "contents_local";
        let Some(local) = local.filter(|local| !local.is_empty()) else {
            return contents.cloned();
        };
        match self.read_local(local) {
            Ok(content) => {
                self.origins.add(self.json.join("contents"), self.yaml.join(KEY));
                Some(lossy(&content))
            }
            Err(message) => {
                self.error(KEY, message);
                None
            }
        }
    }
}
