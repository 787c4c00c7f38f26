//! What handlers share.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use thirdboot_lifecycle::DiskBoot;
use thirdboot_render::{BaseUrl, Retry};
use thirdboot_store::Store;
use tokio::sync::Notify;

use crate::api::{LastCensus, TokenUses};
use crate::assets::Assets;
use crate::boot::{OpenDocuments, Repeats};
use crate::cluster::Watched;
use crate::fleetlock::{LockBook, Nodes};
use crate::follow::Followers;
use crate::metrics::Metrics;
use crate::people::People;
use crate::platform::Platforms;
use crate::reconciler::Nudge;
use crate::secrets::Secrets;
use crate::serve::Stopping;
use crate::templates::Workshop;

/// What handlers share.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// The one door.
    pub store: Arc<dyn Store>,
    /// Makes and opens secrets.
    pub secrets: Secrets,
    /// The mirror.
    pub assets: Assets,
    /// How the server was started.
    pub settings: Settings,
    /// Counts what happens.
    pub metrics: Arc<Metrics>,
    /// The fleet as it was counted last.
    pub census: LastCensus,
    /// Told when the server is about to stop.
    pub stopping: Stopping,
    /// Wakes the reconciler.
    pub nudge: Nudge,
    /// Providers that can be asked.
    pub platforms: Platforms,
    /// Who holds a reboot lock.
    pub(crate) locks: LockBook,
    /// Wakes the worker of reboot locks.
    pub(crate) look_at_locks: Arc<Notify>,
    /// The nodes of clusters.
    pub(crate) nodes: Arc<dyn Nodes>,
    /// Wakes those who wait for a host.
    pub followers: Followers,
    /// What was served a moment ago.
    pub repeats: Repeats,
    /// Live configs that were opened a moment ago.
    pub documents: OpenDocuments,
    /// What is known of users' templates.
    pub workshop: Workshop,
    /// When tokens were last used.
    pub token_uses: TokenUses,
    /// What was seen of clusters a moment ago.
    pub(crate) clusters: Watched,
    /// Has clusters looked at now.
    pub look_at_clusters: Notify,
    /// Passwords, and who guesses at them.
    pub people: People,
}

/// How the boot plane answers. Validated: what is in here can be used as it is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base of scripts, as hosts see it.
    pub boot_url: BaseUrl,
    /// Base of configs, claims and reports, as hosts see it.
    pub config_url: BaseUrl,
    /// Base of what iPXE, the initramfs and the installer fetch, none of which knows a CA of our own: that of configs,
    /// or that of scripts where configs go over HTTPS. What they fetch is checked by hash or signature.
    pub assets_url: BaseUrl,
    /// The CA that hosts pin for that of configs, as PEM; none where the operating system's will do, or over plain HTTP.
    pub ca_pem: Option<String>,
    /// Whether hosts that speak over plain HTTP are turned away.
    pub require_tls: bool,
    /// Where machines that are known by address may ask for an install from.
    pub address_sources: Vec<IpNet>,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// What an unknown machine gets: its disk, or a hold.
    pub unknown_boots_disk: bool,
    /// How an unknown machine boots its disk.
    pub unknown_disk_boot: DiskBoot,
    /// Versions that are kept in the mirror beside those that are needed.
    pub assets_keep: usize,
    /// How long a script retries.
    pub retry: Retry,
}

impl Settings {
    /// Whether a machine at this address may ask for an install without its key.
    pub fn is_address_source(&self, address: IpAddr) -> bool {
        contains(&self.address_sources, address)
    }

    /// Whether this is a proxy that tells the truth about who asks.
    pub fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        contains(&self.trusted_proxies, address)
    }
}

fn contains(nets: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    nets.iter().any(|net| net.contains(&address))
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
