//! What templates go on top of, for checking: the installed config with made-up secrets.

use thirdboot_butane::ignition::Config;
use thirdboot_lifecycle::{GroupSettings, Host, PackageSources, Permit, Purpose, RunNumber};

use super::{Fault, Overlay, merge::on_top};
use crate::{AssetNames, BaseUrl, FileName, RenderError, RunFacts, Secret, installed::installed};

/// The installed config of a host without templates. Good for checking templates of every host of the same role: what
/// else differs between them lies where no template may write.
#[derive(Debug, Clone)]
pub struct CheckBase(Config);

impl CheckBase {
    /// Renders it for a host.
    ///
    /// # Errors
    /// When the host itself cannot be rendered.
    pub fn of(host: &Host) -> Result<Self, RenderError> {
        let bad = |error: &dyn std::fmt::Display| RenderError::contradiction("host", error.to_string());
        let secret =
            |purpose: &str| Secret::parse(&format!("tb_{purpose}_aaaaaaaaaaaaaaaa")).map_err(|error| bad(&error));
        let [live, host_secret, lock, conf] = [secret("live")?, secret("host")?, secret("lock")?, secret("conf")?];
        let base = BaseUrl::parse("http://192.0.2.1").map_err(|error| bad(&error))?;
        let file = FileName::parse("none").map_err(|error| bad(&error))?;
        let permit = Permit {
            purpose: Purpose::Inspect,
            issued_at: jiff::Timestamp::UNIX_EPOCH,
            expires_at: jiff::Timestamp::UNIX_EPOCH,
            attempts: 1,
            power: None,
            voided: None,
        };
        let facts = RunFacts {
            host,
            run: RunNumber(1),
            permit: &permit,
            config_base: &base,
            assets_base: &base,
            live: &live,
            host_secret: &host_secret,
            lock: &lock,
            conf: &conf,
            assets: &AssetNames {
                version: "1".to_owned(),
                kernel: file.clone(),
                initramfs: file.clone(),
                rootfs: file,
                image: None,
            },
            sources: &PackageSources::default(),
            updates: &GroupSettings::default(),
            peers: &[],
            join_vlan: None,
            ca_pem: None,
            overlay: Overlay::NONE,
        };
        Ok(Self(installed(&facts)?))
    }

    /// Whether the templates can go on top of it for this host.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn check(&self, overlay: Overlay<'_>, host: &Host) -> Result<(), Vec<Fault>> {
        on_top(self.0.clone(), overlay, host).map(drop)
    }
}
