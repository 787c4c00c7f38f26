//! A run's two documents.

use sha2::{Digest as _, Sha256, Sha512};
use thirdboot_butane::ignition::{Config, Resource, Version, to_vec, validate};

use crate::{RenderError, RunFacts, installed::installed, live::live, overlay};

/// What a run's machine is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// The live system's config.
    pub live: Vec<u8>,
    /// The installed system's config, as it stands inside the live one.
    pub installed: Vec<u8>,
    /// Hex SHA-512 of `live`: stands in the pointer.
    pub live_sha512: String,
    /// Hex SHA-256 of `installed`: the host reports it, and a page compares it with today's.
    pub installed_sha256: String,
}

/// Renders both. The same facts give the same bytes.
///
/// # Errors
/// Values of the host that cannot be written, and documents that are not valid Ignition. An inspection's installed
/// config is rendered all the same: what cannot be installed is better known before the arming that means it.
pub fn documents(facts: &RunFacts<'_>) -> Result<Documents, RenderError> {
    let mut config = overlay::on_top(installed(facts)?, facts.overlay, facts.host).map_err(RenderError::Templates)?;
    over_itself(&mut config);
    refuse_remote(&config)?;
    let installed = bytes(&config, "installed")?;
    let live = bytes(&live(facts, &installed)?, "live")?;
    Ok(Documents {
        live_sha512: data_encoding::HEXLOWER.encode(&Sha512::digest(&live)),
        installed_sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(&installed)),
        live,
        installed,
    })
}

/// Ignition runs once more when the power is cut before its boot counts as complete: it would stop at the first file
/// that is there already. Whoever said something of a file is heeded. What is appended is appended again.
fn over_itself(config: &mut Config) {
    for file in &mut config.storage.files {
        if file.contents.source.is_some() && file.overwrite.is_none() {
            file.overwrite = Some(true);
        }
    }
}

/// Validated, in the order that its parts were composed in.
fn bytes(config: &Config, document: &'static str) -> Result<Vec<u8>, RenderError> {
    let invalid = |what: String| RenderError::Invalid { document, what };
    let version: Version = config
        .ignition
        .version
        .parse()
        .map_err(|error| invalid(format!("{error}")))?;
    let report = validate(config, version);
    if report.is_fatal() {
        let errors: Vec<String> = report.errors().map(ToString::to_string).collect();
        return Err(invalid(errors.join("\n")));
    }
    to_vec(config, false).map_err(|error| invalid(error.to_string()))
}

/// Nothing of the installed config may need a network before the root is up.
fn refuse_remote(config: &Config) -> Result<(), RenderError> {
    let further = &config.ignition.config;
    let files = config
        .storage
        .files
        .iter()
        .flat_map(|file| std::iter::once(&file.contents).chain(&file.append));
    let keys = config.storage.luks.iter().map(|luks| &luks.key_file);
    let resources = files
        .chain(keys)
        .chain(&further.merge)
        .chain([&further.replace])
        .chain(&config.ignition.security.tls.certificate_authorities);
    for Resource { source, .. } in resources {
        if let Some(url) = source
            && !url.is_empty()
            && !url.starts_with("data:")
        {
            return Err(RenderError::Remote { url: url.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
