//! What takes time in clusters: each cluster's is a task of its own, so that one that is slow holds up no other. There is
//! one task a cluster at most; what is wanted of it meanwhile is done after it.

use std::collections::{BTreeSet, HashMap};

use thirdboot_lifecycle::ClusterName;
use tokio::task::{Id, JoinSet};

use super::drains::in_cluster;
use crate::App;

/// What is under way.
#[derive(Default)]
pub(super) struct Errands {
    tasks: JoinSet<()>,
    busy: HashMap<Id, ClusterName>,
    owed: BTreeSet<ClusterName>,
}

impl Errands {
    /// Goes on with the drains of this cluster, and with `sweeps` looks for nodes that were left cordoned.
    pub(super) fn start(&mut self, app: &App, cluster: &ClusterName, sweeps: bool) {
        if self.busy.values().any(|busy| busy == cluster) {
            // A drain is looked at again soon anyway.
            if sweeps {
                self.owed.insert(cluster.clone());
            }
            return;
        }
        let (app, name) = (app.clone(), cluster.clone());
        let task = self.tasks.spawn(async move {
            if let Err(error) = in_cluster(&app, &name, sweeps).await {
                tracing::warn!(%error, cluster = %name, "cannot look at a cluster's reboot locks; trying again later");
            }
        });
        self.busy.insert(task.id(), cluster.clone());
    }

    /// Waits until one has ended, and begins what was wanted of that cluster meanwhile. None when nothing is under way.
    pub(super) async fn ended(&mut self, app: &App) -> Option<()> {
        let ended = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "an errand in a cluster broke off");
                error.id()
            }
        };
        if let Some(cluster) = self.busy.remove(&ended)
            && self.owed.remove(&cluster)
        {
            self.start(app, &cluster, true);
        }
        Some(())
    }
}
