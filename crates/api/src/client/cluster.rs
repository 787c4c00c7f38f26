//! Clusters, over the API.

use reqwest::Method;

use super::{ANSWER_LIMIT_S, Client, ClientError};
use crate::control::{ClusterSpec, ClusterView, Kubeconfig, MoveInitBody, Page, RotateTokenBody, RotationView};

impl Client {
    /// Adds a cluster.
    ///
    /// # Errors
    /// When it is malformed, its name is taken, the token is no admin's, or nothing answers.
    pub async fn add_cluster(&self, cluster: &ClusterSpec) -> Result<ClusterView, ClientError> {
        self.post(&["clusters"], cluster).await
    }

    /// A cluster.
    ///
    /// # Errors
    /// When there is none of this name, or nothing answers.
    pub async fn cluster(&self, name: &str) -> Result<ClusterView, ClientError> {
        self.get(&["clusters", name], &[]).await
    }

    /// Every cluster, by name.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn clusters(&self) -> Result<Vec<ClusterView>, ClientError> {
        let page: Page<ClusterView> = self.get(&["clusters"], &[]).await?;
        Ok(page.items)
    }

    /// Replaces a cluster's description, made from the one with this etag.
    ///
    /// # Errors
    /// When it was changed meanwhile, cannot change any more, or nothing answers.
    pub async fn update_cluster(&self, cluster: &ClusterSpec, etag: &str) -> Result<ClusterView, ClientError> {
        let url = self.url(&["clusters", &cluster.name], &[])?;
        self.ask_on_top(Method::PUT, &url, Some(cluster), Some(etag), ANSWER_LIMIT_S)
            .await
    }

    /// Removes a cluster that no host belongs to.
    ///
    /// # Errors
    /// When hosts do, it was changed meanwhile, or nothing answers.
    pub async fn delete_cluster(&self, name: &str, etag: &str) -> Result<(), ClientError> {
        self.remove(&["clusters", name], Some(etag)).await
    }

    /// A cluster's kubeconfig. A secret.
    ///
    /// # Errors
    /// When none was handed in, the token is no admin's, or nothing answers.
    pub async fn kubeconfig(&self, name: &str) -> Result<Kubeconfig, ClientError> {
        self.get(&["clusters", name, "kubeconfig"], &[]).await
    }

    /// Hands in the kubeconfig of a cluster that runs.
    ///
    /// # Errors
    /// When it is none, or of another cluster, or nothing answers.
    pub async fn set_kubeconfig(&self, name: &str, kubeconfig: &Kubeconfig) -> Result<ClusterView, ClientError> {
        let url = self.url(&["clusters", name, "kubeconfig"], &[])?;
        self.ask(Method::PUT, &url, Some(kubeconfig)).await
    }

    /// Gives the right to begin a cluster to another server.
    ///
    /// # Errors
    /// When the name is not repeated, the host is no server of it, or nothing answers.
    pub async fn move_init(&self, name: &str, to: &str) -> Result<ClusterView, ClientError> {
        let body = MoveInitBody {
            to: to.to_owned(),
            confirm: name.to_owned(),
        };
        self.post(&["clusters", name, "move-init"], &body).await
    }

    /// Changes a cluster's tokens.
    ///
    /// # Errors
    /// When a server is beginning the cluster, or nothing answers.
    pub async fn rotate_token(&self, name: &str, body: &RotateTokenBody) -> Result<RotationView, ClientError> {
        self.post(&["clusters", name, "rotate-token"], body).await
    }
}
