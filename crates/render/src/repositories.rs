//! Package repositories as files: dnf's description, and the key beside it.

use thirdboot_butane::ignition::File;
use thirdboot_lifecycle::{Host, Repository};

use crate::RenderError;
use crate::files::{PUBLIC, file};

/// The files of the repositories that serve the host's role.
pub(crate) fn files(host: &Host, repositories: &[Repository]) -> Result<Vec<File>, RenderError> {
    let mut files = Vec::new();
    for repository in repositories.iter().filter(|repository| repository.serves(host.role)) {
        let (name, url) = (&repository.name, &repository.url);
        repository
            .check_key()
            .map_err(|error| RenderError::contradiction(format!("repository {name}"), error.to_string()))?;
        // A key that would be fetched could be missing, or another one, on the day that it is needed.
        let key = format!("/etc/pki/rpm-gpg/RPM-GPG-KEY-thirdboot-{name}");
        let text =
            format!("[thirdboot-{name}]\nname={name}\nbaseurl={url}\nenabled=1\ngpgcheck=1\ngpgkey=file://{key}\n");
        files.push(file(
            format!("/etc/yum.repos.d/thirdboot-{name}.repo"),
            PUBLIC,
            text.as_bytes(),
        ));
        let armored = format!("{}\n", repository.gpg_key.trim().replace('\r', ""));
        files.push(file(key, PUBLIC, armored.as_bytes()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use thirdboot_lifecycle::Role;

    use super::*;
    use crate::samples;

    #[test]
    fn a_repository_is_a_description_and_a_key() {
        let mut host = samples::host("node1");
        let repositories = [
            samples::repository("k3s", &[Role::Agent]),
            samples::repository("lab", &[]),
        ];
        let written: Vec<String> = files(&host, &repositories)
            .unwrap()
            .iter()
            .map(|file| {
                format!(
                    "# {} {:o}\n{}",
                    file.path,
                    file.mode.unwrap(),
                    samples::text(&file.contents)
                )
            })
            .collect();
        insta::assert_snapshot!(written.join("\n"));
        host.role = Role::Runner;
        let of_runner = files(&host, &repositories).unwrap();
        assert_eq!(of_runner.len(), 2);
        assert_eq!(of_runner[0].path, "/etc/yum.repos.d/thirdboot-lab.repo");
    }

    #[test]
    fn a_key_that_is_none_is_not_shipped() {
        let mut repository = samples::repository("k3s", &[]);
        repository.gpg_key.truncate(60);
        let error = files(&samples::host("node1"), &[repository]).unwrap_err();
        assert_eq!(error.field(), Some("repository k3s"));
    }
}
