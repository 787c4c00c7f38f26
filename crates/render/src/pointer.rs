//! The pointer config: tiny, rides as an initrd, and names the live config by URL and hash.

use serde_json::json;

use crate::{BaseUrl, Secret, files};

/// What the pointer says.
#[derive(Debug, Clone, Copy)]
pub struct PointerFacts<'a> {
    /// Base of the live config's URL.
    pub config_base: &'a BaseUrl,
    /// The run's secret in the path.
    pub conf: &'a Secret,
    /// Hex SHA-512 of the live config.
    pub live_sha512: &'a str,
    /// The CA to pin, as PEM.
    pub ca_pem: Option<&'a str>,
}

/// The pointer config as JSON.
#[must_use]
pub fn pointer(facts: &PointerFacts<'_>) -> Vec<u8> {
    let (base, conf) = (facts.config_base, facts.conf.as_str());
    let mut ignition = json!({
        "version": "3.3.0",
        "config": {"merge": [{
            "source": format!("{base}/ignition/{conf}/live.ign"),
            "verification": {"hash": format!("sha512-{}", facts.live_sha512)},
        }]},
        // A child follows its parent's timeouts. 0 is "without end": a server that restarts strands nobody.
        "timeouts": {"httpResponseHeaders": 30, "httpTotal": 0},
    });
    if let Some(pem) = facts.ca_pem {
        ignition["security"] =
            json!({"tls": {"certificateAuthorities": [{"source": files::data_url(pem.as_bytes())}]}});
    }
    json!({"ignition": ignition}).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn pointer_with(ca_pem: Option<&str>) -> String {
        let base = BaseUrl::parse("https://boot.example.net:8443").unwrap();
        let json = pointer(&PointerFacts {
            config_base: &base,
            conf: &samples::secret("conf"),
            live_sha512: &"ab".repeat(64),
            ca_pem,
        });
        let report = thirdboot_butane::ignition::validate_slice(&json);
        assert!(report.is_empty(), "{report}");
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn it_names_the_live_config_by_url_and_hash() {
        insta::assert_snapshot!(pointer_with(None));
    }

    #[test]
    fn it_brings_the_ca_that_the_url_needs() {
        insta::assert_snapshot!(pointer_with(Some("-----BEGIN CERTIFICATE-----\n")));
    }
}
