//! A host's documents, rendered: for arming, for previews, and for what it would get today.

use std::sync::Arc;

use thirdboot_lifecycle::{Host, Permit, RunNumber};
use thirdboot_render::{AssetNames, Documents, Overlay, RenderError, RunFacts, Secret, Template, documents};
use thirdboot_store::{HostId, HostState};

use super::beside::Beside;
use crate::App;
use crate::assets::{AssetError, Manifest};
use crate::problem::Failure;
use crate::secrets::Purpose;
use crate::templates::InForce;

/// Everything of a run but its host.
pub(super) struct Rendering {
    pub(super) run: RunNumber,
    pub(super) permit: Permit,
    pub(super) conf: Secret,
    pub(super) names: AssetNames,
    live: Secret,
    host_secret: Secret,
    lock: Secret,
    templates: Vec<Arc<Template>>,
    beside: Beside,
}

impl Rendering {
    /// Of this run of the host, with these templates.
    pub(super) fn of(
        app: &App,
        state: &HostState,
        (run, permit): (RunNumber, Permit),
        manifest: &Manifest,
        templates: &[InForce],
        beside: Beside,
    ) -> Result<Self, Failure> {
        let secret = |purpose| secret(app, purpose, state.id, run, state.host.key_generation);
        Ok(Self {
            run,
            permit,
            conf: secret(Purpose::Conf)?,
            names: manifest.names().map_err(Failure::internal)?,
            live: secret(Purpose::Live)?,
            host_secret: secret(Purpose::Host)?,
            lock: secret(Purpose::Lock)?,
            templates: templates.iter().map(|one| Arc::clone(&one.template)).collect(),
            beside,
        })
    }

    /// Renders. Takes a moment: not on a thread that answers others.
    fn documents(&self, app: &App, host: &Host) -> Result<Documents, RenderError> {
        let templates: Vec<&Template> = self.templates.iter().map(|template| &**template).collect();
        documents(&RunFacts {
            host,
            run: self.run,
            permit: &self.permit,
            config_base: &app.settings.config_url,
            assets_base: &app.settings.assets_url,
            live: &self.live,
            host_secret: &self.host_secret,
            lock: &self.lock,
            conf: &self.conf,
            assets: &self.names,
            sources: &self.beside.sources,
            updates: &self.beside.updates,
            peers: &self.beside.peers,
            join_vlan: self.beside.join_vlan,
            ca_pem: app.settings.ca_pem.as_deref(),
            overlay: Overlay(&templates),
        })
    }

    /// Renders; on a thread of its own where users' templates have a say in how long it takes.
    pub(super) async fn render(self: Arc<Self>, app: &App, host: &Host) -> Result<Documents, Failure> {
        let rendered = if self.templates.is_empty() {
            self.documents(app, host)
        } else {
            let (app, host) = (app.clone(), host.clone());
            let task = tokio::task::spawn_blocking(move || self.documents(&app, &host));
            task.await.map_err(Failure::internal)?
        };
        rendered.map_err(|error| {
            let why = format!("this host's configs cannot be rendered: {error}");
            Failure::new(thirdboot_api::ProblemType::Refused, why)
        })
    }
}

/// A secret of a host or its run, as configs carry it.
pub(super) fn secret(
    app: &App,
    purpose: Purpose,
    host: HostId,
    run: RunNumber,
    generation: u16,
) -> Result<Secret, Failure> {
    let of_run = match purpose {
        Purpose::Boot | Purpose::Lock => RunNumber(0),
        Purpose::Conf | Purpose::Live | Purpose::Host | Purpose::Join => run,
    };
    let derived = app.secrets.derive(purpose, host, of_run, generation);
    Secret::parse(derived.expose()).map_err(Failure::internal)
}

/// What the mirror has for a host. Without it nothing can be installed: the person hears of it, not the machine at night.
pub(super) async fn manifest(app: &App, host: &Host) -> Result<Manifest, Failure> {
    let manifest = app.assets.manifest(host.arch, host.install.version.as_deref()).await;
    manifest.map_err(|error| match error {
        AssetError::Missing(_) | AssetError::Manifest { .. } => {
            Failure::new(thirdboot_api::ProblemType::Refused, error.to_string())
        }
        error => Failure::internal(error),
    })
}
