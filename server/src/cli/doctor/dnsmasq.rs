//! dnsmasq's configuration: whether it leads machines here.

use std::fs;
use std::path::Path;
use std::process::Command;

use thirdboot_render::BaseUrl;

use super::finding::Finding;

const CHECK: &str = "dnsmasq";

pub(super) fn look(file: &Path, boot: &BaseUrl) -> Vec<Finding> {
    let at = file.display();
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            return vec![Finding::broken(
                CHECK,
                format!("{at}: {error}"),
                "name its configuration file",
            )];
        }
    };
    let mut findings = vec![leads_here(&text, boot)];
    findings.extend(has_files(&text));
    findings.extend(is_read(Command::new("dnsmasq"), file));
    findings
}

/// The values of an option, which may stand there any number of times.
fn values<'a>(text: &'a str, option: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .filter_map(move |line| line.trim().strip_prefix(option)?.trim_start().strip_prefix('='))
        .map(str::trim)
}

fn leads_here(text: &str, boot: &BaseUrl) -> Finding {
    let first_script = format!("{boot}/boot.ipxe");
    let named: Vec<&str> = values(text, "dhcp-boot")
        .flat_map(|value| value.split(','))
        .filter(|part| part.contains("://"))
        .collect();
    if named.contains(&first_script.as_str()) {
        return Finding::well(CHECK, format!("it leads iPXE to {first_script}"));
    }
    let found = match named.first() {
        Some(url) => format!("it leads iPXE to {url}, and this server's first script is {first_script}"),
        None => format!("it leads nobody to {first_script}"),
    };
    Finding::broken(
        CHECK,
        found,
        format!("dhcp-boot=tag:ipxe,{first_script}: see deploy/dnsmasq.conf"),
    )
}

/// What firmware is told to fetch by TFTP must be there.
fn has_files(text: &str) -> Vec<Finding> {
    let Some(root) = values(text, "tftp-root").next() else {
        return Vec::new();
    };
    let root = Path::new(root.split(',').next().unwrap_or(root));
    let names = values(text, "dhcp-boot").filter_map(|value| value.split(',').find(|part| !part.contains(':')));
    let missing = names.map(|name| root.join(name)).filter(|path| !path.is_file());
    let told = missing.map(|path| {
        let found = format!("machines are sent to {}, which is not there", path.display());
        Finding::warn(
            CHECK,
            found,
            "install Debian's package ipxe, or take the line out if no such machine comes",
        )
    });
    told.collect()
}

/// Whether dnsmasq itself can read it; nothing where dnsmasq is on another machine.
fn is_read(mut dnsmasq: Command, file: &Path) -> Option<Finding> {
    let conf_file = format!("--conf-file={}", file.display());
    let told = dnsmasq.args(["--test", &conf_file]).output().ok()?;
    if told.status.success() {
        return None;
    }
    let said = String::from_utf8_lossy(&told.stderr).trim().to_owned();
    let mend = format!("mend the file until `dnsmasq --test {conf_file}` takes it");
    Some(Finding::broken(CHECK, said, mend))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    const SAMPLE: &str = include_str!("../../../../deploy/dnsmasq.conf");

    #[test]
    fn the_sample_leads_to_the_server_that_it_names_and_to_no_other() {
        let verdict = |url: &str| leads_here(SAMPLE, &BaseUrl::parse(url).unwrap());
        assert_eq!(verdict("http://192.0.2.1:8080").verdict, Verdict::Ok);
        let other = verdict("http://192.0.2.9:8080");
        assert_eq!(other.verdict, Verdict::Broken);
        assert!(other.found.contains("http://192.0.2.1:8080/boot.ipxe"), "{other:?}");
        assert_eq!(
            leads_here("# dhcp-boot=x\n", &BaseUrl::parse("http://a").unwrap()).verdict,
            Verdict::Broken
        );
    }

    #[test]
    fn files_that_machines_are_sent_to_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "tftp-root = {}\ndhcp-boot=tag:bios,undionly.kpxe\ndhcp-boot=tag:ipxe,http://a/boot.ipxe\n",
            folder.path().display()
        );
        assert_eq!(has_files(&text).len(), 1);
        fs::write(folder.path().join("undionly.kpxe"), "").unwrap();
        assert!(has_files(&text).is_empty());
    }

    #[test]
    fn what_dnsmasq_refuses_is_passed_on() {
        let mut refusing = Command::new("sh");
        refusing.args(["-c", "echo bad option at line 1 >&2; exit 1", "dnsmasq"]);
        let finding = is_read(refusing, Path::new("x")).unwrap();
        assert_eq!(
            (finding.verdict, finding.found.as_str()),
            (Verdict::Broken, "bad option at line 1")
        );
        assert!(is_read(Command::new("true"), Path::new("x")).is_none());
        assert!(is_read(Command::new("/nowhere/dnsmasq"), Path::new("x")).is_none());
    }
}
