//! Pulls are the server's own work: whoever asked for one may go away.

use std::sync::Arc;

use tracing::Instrument as _;

use super::jobs::{Job, What};
use super::{pull, versions};
use crate::App;
use crate::metrics::OutcomeLabels;
use crate::problem::Failure;

/// The pull of this that is under way, or a new one.
pub(crate) fn start(app: &App, what: &What) -> Arc<Job> {
    let (job, is_new) = app.assets.jobs.join_or_add(what);
    if is_new {
        let span = tracing::info_span!(parent: None, "pull", pull = job.view().id);
        let task = tokio::spawn(run(app.clone(), Arc::clone(&job), what.clone()).instrument(span));
        job.runs_as(task.abort_handle());
    }
    job
}

async fn run(app: App, job: Arc<Job>, what: What) {
    let turn = Arc::clone(&app.assets.jobs.turn);
    let _turn = turn.lock().await;
    if !job.starts() {
        return;
    }
    // First: they may hold the room that this one needs.
    versions::tidy(&app).await;
    let done = work(&app, &job, &what).await;
    let outcome = match &done {
        Ok(_) => "done",
        Err(_) => "failed",
    };
    if let Err(why) = &done {
        tracing::error!(%why, "a pull failed; what hosts are served has not changed");
    }
    app.metrics.asset_pulls.get_or_create(&OutcomeLabels { outcome }).inc();
    app.metrics.asset_pulled_bytes.inc_by(job.received());
    job.ends(done);
}

/// What was pruned.
async fn work(app: &App, job: &Job, what: &What) -> Result<Vec<String>, String> {
    match what {
        What::Stream(request) => {
            let version = pull::pull(&app.assets, &app.assets.upstream, request, job).await;
            let version = version.map_err(|error| format!("{error:#}"))?;
            tracing::info!(stream = %request.stream, %version, "pulled");
            if let Ok(manifest) = app.assets.manifest(request.arch, Some(&version)).await {
                app.assets.check_ahead(&manifest);
            }
            match versions::prune(app, app.settings.assets_keep).await {
                Ok(gone) => Ok(gone),
                Err(failure) => {
                    warn_unpruned(&failure);
                    Ok(Vec::new())
                }
            }
        }
        What::File(new, url) => {
            job.found("", std::iter::once(new.name.as_str()));
            let progress = job.begins(&new.name);
            let added = app.assets.add_from_url(new, url, &progress, app.store.now()).await;
            added.map_err(|error| error.to_string())?;
            job.is_done(&new.name);
            tracing::info!(file = %new.name, "a file was added to the mirror");
            Ok(Vec::new())
        }
    }
}

fn warn_unpruned(failure: &Failure) {
    tracing::warn!(
        why = %failure.problem().title,
        "old versions stay in the mirror: who needs them cannot be told now"
    );
}
