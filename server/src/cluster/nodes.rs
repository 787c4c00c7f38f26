//! The few calls of the Kubernetes API: nodes are listed and removed, and their passwords with them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Secret};
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client, Config};
use thirdboot_api::innermost;
use thirdboot_lifecycle::{BootId, NodeWord};

use super::{Access, drain};

/// An API that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// Where k3s keeps the password that a node must show again.
const PASSWORDS: &str = "kube-system";

/// A cluster's API, by one of its servers.
#[derive(Clone)]
pub(super) struct Nodes(pub(super) Client);

/// Why the API did not answer, for people. No certificate, key or token is in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The client cannot be made.
    #[error("the kubeconfig cannot be used: {0}")]
    Setup(String),
    /// Nothing in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// Refused, or no connection.
    #[error("{0}")]
    Api(String),
}

/// What is known of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeFacts {
    /// The kernel's id of the boot that its kubelet runs in.
    pub(super) boot_id: Option<String>,
    /// Ready, or why not.
    pub(super) ready: Result<(), String>,
    /// Whether it was cordoned from here.
    pub(super) is_cordoned_by_us: bool,
}

impl NodeFacts {
    /// What it says of a run that was seen in these boots: a node of an earlier installation is none of it.
    pub(super) fn word(&self, boots: &[&BootId]) -> NodeWord {
        let is_ours = self
            .boot_id
            .as_deref()
            .is_some_and(|id| boots.iter().any(|boot| boot.to_string() == id));
        match &self.ready {
            _ if !is_ours => NodeWord::Missing,
            Ok(()) => NodeWord::Ready,
            Err(why) => NodeWord::NotReady { why: why.clone() },
        }
    }
}

impl Nodes {
    /// Asks the server at this address, whose certificate must be of the cluster's CA.
    pub(super) fn at(address: IpAddr, port: u16, access: &Access) -> Result<Self, Trouble> {
        let setup = |why: String| Trouble::Setup(why);
        let url = format!("https://{}", SocketAddr::new(address, port));
        let mut config = Config::new(url.parse().map_err(|_| setup(format!("{url} is no URL")))?);
        config.root_cert = Some(access.ca_ders());
        config.auth_info = access.auth_info();
        config.connect_timeout = Some(PATIENCE);
        config.read_timeout = Some(PATIENCE);
        config.write_timeout = Some(PATIENCE);
        config.default_retry = false;
        // Its own words could repeat what it could not read.
        let client =
            Client::try_from(config).map_err(|_| setup("its certificate and key make no client".to_owned()))?;
        Ok(Self(client))
    }

    pub(super) async fn within<T>(asked: impl Future<Output = kube::Result<T>>) -> Result<T, Trouble> {
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => answer.map_err(|error| Trouble::Api(in_words(&error))),
            Err(_) => Err(Trouble::Silent),
        }
    }

    /// Every node, by name.
    pub(super) async fn list(&self) -> Result<BTreeMap<String, NodeFacts>, Trouble> {
        let api: Api<Node> = Api::all(self.0.clone());
        let nodes = Self::within(api.list(&ListParams::default())).await?;
        Ok(nodes
            .into_iter()
            .filter_map(|node| Some((node.metadata.name.clone()?, facts(&node))))
            .collect())
    }

    /// Removes a Node object. k3s takes its etcd member out before the object is gone: a finalizer of k3s' own holds it.
    /// Returns whether it is gone.
    pub(super) async fn remove_node(&self, name: &str) -> Result<bool, Trouble> {
        let api: Api<Node> = Api::all(self.0.clone());
        Self::within(async { or_absent(api.delete(name, &DeleteParams::default()).await.map(drop)) }).await?;
        Ok(Self::within(api.get_opt(name)).await?.is_none())
    }

    /// Removes the password that a new installation cannot know. Returns whether it is gone.
    pub(super) async fn remove_password(&self, node: &str) -> Result<bool, Trouble> {
        let api: Api<Secret> = Api::namespaced(self.0.clone(), PASSWORDS);
        let name = format!("{node}.node-password.k3s");
        Self::within(async { or_absent(api.delete(&name, &DeleteParams::default()).await.map(drop)) }).await?;
        Ok(Self::within(api.get_opt(&name)).await?.is_none())
    }
}

/// What is not there need not be removed.
pub(super) fn or_absent(removed: kube::Result<()>) -> kube::Result<()> {
    match removed {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other,
    }
}

fn facts(node: &Node) -> NodeFacts {
    let status = node.status.as_ref();
    let condition = status
        .and_then(|status| status.conditions.as_ref())
        .and_then(|conditions| conditions.iter().find(|condition| condition.type_ == "Ready"));
    let ready = match condition {
        Some(condition) if condition.status == "True" => Ok(()),
        Some(condition) => Err(cut(condition
            .message
            .as_deref()
            .or(condition.reason.as_deref())
            .unwrap_or("its kubelet gives no reason"))),
        None => Err("its kubelet has not said anything yet".to_owned()),
    };
    NodeFacts {
        boot_id: status
            .and_then(|status| status.node_info.as_ref())
            .map(|info| info.boot_id.to_ascii_lowercase()),
        ready,
        is_cordoned_by_us: drain::is_ours(node),
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// An API's refusal says it itself.
fn in_words(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return cut(&format!("{} ({})", status.message, status.code));
    }
    cut(&innermost(error))
}
