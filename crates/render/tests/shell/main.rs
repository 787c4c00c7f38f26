//! The shell that hosts run, run for real: bash, jq and curl against a small server, everything that would touch the
//! machine replaced by a stand-in on PATH.

#[cfg(test)]
mod boots;
#[cfg(test)]
mod disks;
#[cfg(test)]
mod failed;
#[cfg(test)]
mod join;
#[cfg(test)]
mod live;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod network;
#[cfg(test)]
mod precheck;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod reporter;
#[cfg(test)]
mod server;

#[test]
fn shellcheck_has_nothing_to_say() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ignition-templates/files");
    let scripts: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let output = std::process::Command::new("shellcheck")
        .arg("--external-sources")
        .args(scripts)
        .current_dir(folder)
        .output()
        .expect("shellcheck is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
