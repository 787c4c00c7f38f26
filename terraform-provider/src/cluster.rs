//! `thirdboot_cluster`: what all k3s nodes of a cluster share.

use serde_json::Value as Json;
use thirdboot_api::control::{Arch, ClusterSpec, ClusterView, FlannelBackend, InitState};
use thirdboot_terraform_plugin::{
    Attribute, Call, Change, Diagnostics, Object, Path, Resource, Schema, Type, Value, async_trait, between, reconcile,
    settle,
};

use crate::checks;
use crate::site::Site;
use crate::told::{told, with_import_advice};

/// The resource.
#[derive(Debug)]
pub(crate) struct Cluster(pub(crate) Site);

/// What every server shares from the cluster's first moment on.
const FIXED_ONCE_BEGUN: [&str; 4] = ["pod_cidrs", "service_cidrs", "disable", "flannel_backend"];

fn schema() -> Schema {
    const FIRST_VLAN: u64 = 2;
    const LAST_VLAN: u64 = 4094;
    let binary = vec![
        Attribute::required(
            "sha256",
            Type::String,
            "In lower-case hex, from the release's `sha256sum-<arch>.txt`.",
        )
        .checked(checks::sha256),
        Attribute::optional(
            "url",
            Type::String,
            "Where nodes fetch it; from the server's assets when left out.",
        ),
    ];
    let k3s = vec![
        Attribute::required(
            "version",
            Type::String,
            "As its releases are called, such as `v1.34.1+k3s1`.",
        ),
        Attribute::required(
            "binaries",
            Type::Object(binary).map(),
            "By architecture: `x86_64` or `aarch64`. Without one no host of that architecture can be provisioned.",
        ),
    ];
    let node = || {
        Type::Object(vec![
            Attribute::optional("labels", Type::String.map(), "Labels of its Node object."),
            Attribute::optional(
                "taints",
                Type::String.list(),
                "Taints of its Node object, as `key=value:Effect` or `key:Effect`.",
            ),
        ])
    };
    let prefixes = |text: &str| Value::List(vec![text.into()]);
    Schema::new(
        "A k3s cluster. Its hosts join by themselves as they are provisioned; the first server begins it. Tokens and \
         kubeconfig stay on the server: the data source `thirdboot_cluster` reads the kubeconfig.",
        vec![
            Attribute::required("name", Type::String, "Unique among clusters: an RFC 1123 label.")
                .checked(checks::name)
                .replaces(),
            Attribute::required("k3s", Type::Object(k3s), "What its nodes run. Hosts that joined keep what they have."),
            Attribute::optional(
                "pod_cidrs",
                Type::String.list(),
                "Addresses of pods: one prefix, or one of each family. Cannot change once the cluster was begun.",
            )
            .default(prefixes("10.42.0.0/16"))
            .checked(checks::prefix)
            .same(checks::same_address),
            Attribute::optional(
                "service_cidrs",
                Type::String.list(),
                "Addresses of services, of the same families in the same order. Cannot change once the cluster was begun.",
            )
            .default(prefixes("10.43.0.0/16"))
            .checked(checks::prefix)
            .same(checks::same_address),
            Attribute::optional("vlan", Type::Number, "The VLAN that nodes talk over; their uplink when left out.")
                .checked(between(FIRST_VLAN, LAST_VLAN)),
            Attribute::optional(
                "tls_san",
                Type::String.list(),
                "Further names and addresses in the API server's certificate.",
            ),
            Attribute::optional(
                "disable",
                Type::String.list(),
                "Packaged components that are left out, such as `traefik`. Cannot change once the cluster was begun.",
            ),
            Attribute::optional(
                "flannel_backend",
                Type::String,
                "How flannel carries pods' traffic between nodes. Cannot change once the cluster was begun.",
            )
            .default(FlannelBackend::default().as_str())
            .one_of(FlannelBackend::ALL),
            Attribute::optional("selinux", Type::Bool, "Whether containers are confined by SELinux.").default(true),
            Attribute::optional("server", node(), "What every server's node carries."),
            Attribute::optional("agent", node(), "What every agent's node carries."),
            Attribute::optional(
                "insecure_join",
                Type::Bool,
                "Whether tokens may be handed out over plain HTTP: for a boot network that nobody else can listen to.",
            )
            .default(false),
            Attribute::optional(
                "manifests",
                Type::String.map(),
                "Kubernetes objects that k3s applies by itself, by file name.",
            ),
            Attribute::computed("id", Type::String, "Its name.").keeps(),
        ],
    )
}

#[async_trait]
impl Resource for Cluster {
    fn schema(&self) -> Schema {
        schema()
    }

    fn validate(&self, config: &Object, found: &mut Diagnostics) {
        let binaries = config["k3s"].get("binaries");
        for key in binaries.as_object().into_iter().flat_map(Object::keys) {
            if key.parse::<Arch>().is_err() {
                let architectures: Vec<&str> = Arch::ALL.iter().map(|arch| arch.as_str()).collect();
                found.add_error(
                    Path::attribute("k3s").at("binaries").key(key),
                    "No such architecture",
                    format!("{key:?}: expected one of {}", architectures.join(", ")),
                );
            }
        }
    }

    async fn plan(&self, _: &mut Call, change: &mut Change) -> Result<(), Diagnostics> {
        change.planned.insert("id".to_owned(), change.planned["name"].clone());
        let (Some(prior), Some(client)) = (&change.prior, self.0.client_if_known()) else {
            return Ok(());
        };
        let changed = FIXED_ONCE_BEGUN
            .into_iter()
            .filter(|name| prior[*name] != change.planned[*name]);
        let changed: Vec<&str> = changed.collect();
        if changed.is_empty() {
            return Ok(());
        }
        let name = name_of(prior);
        let view = client.cluster(name).await;
        let view = view.map_err(|error| told(&error, None, &format!("The cluster {name} cannot be looked at")))?;
        if matches!(view.init.state, InitState::Open | InitState::Reserved) {
            return Ok(());
        }
        let mut found = Diagnostics::default();
        for field in changed {
            found.add_error(
                Path::attribute(field),
                format!("{field} cannot change any more"),
                "Every server shares it, and a server may have begun the cluster with it. Another value needs another \
                 cluster.",
            );
        }
        Err(found)
    }

    async fn create(&self, call: &mut Call, change: &Change) -> Result<Object, Diagnostics> {
        let spec = spec(&change.planned)?;
        let name = &spec.name;
        let view = self.0.client()?.add_cluster(&spec).await.map_err(|error| {
            let found = told(&error, Some(&schema()), &format!("The cluster {name} cannot be added"));
            with_import_advice(found, &error, "thirdboot_cluster", name)
        })?;
        call.private = view.etag.clone().into_bytes();
        Ok(settle(&change.planned, &seen(&view)?))
    }

    async fn read(&self, call: &mut Call, state: &Object) -> Result<Option<Object>, Diagnostics> {
        let name = name_of(state);
        let answer = self.0.client()?.cluster(name).await;
        let Some(view) = self
            .0
            .found(answer, &format!("The cluster {name} cannot be looked at"))
            .await?
        else {
            return Ok(None);
        };
        call.private = view.etag.clone().into_bytes();
        Ok(Some(reconcile(&schema(), state, seen(&view)?)))
    }

    async fn update(&self, call: &mut Call, prior: &Object, change: &Change) -> Result<Object, Diagnostics> {
        let name = name_of(prior);
        let etag = String::from_utf8_lossy(&call.private).into_owned();
        let changed = self.0.client()?.update_cluster(&spec(&change.planned)?, &etag).await;
        let view = changed.map_err(|error| {
            told(
                &error,
                Some(&schema()),
                &format!("The cluster {name} cannot be changed"),
            )
        })?;
        call.private = view.etag.clone().into_bytes();
        Ok(settle(&change.planned, &seen(&view)?))
    }

    async fn delete(&self, _: &mut Call, state: &Object) -> Result<(), Diagnostics> {
        let client = self.0.client()?;
        let name = name_of(state);
        let summary = format!("The cluster {name} cannot be removed");
        // What its hosts do leaves the etag as it is; what its admin does is asked about here, for the state's may be old.
        let Some(view) = self.0.found(client.cluster(name).await, &summary).await? else {
            return Ok(());
        };
        let removed = client.delete_cluster(name, &view.etag).await;
        self.0.found(removed, &summary).await.map(drop)
    }

    async fn import(&self, _: &mut Call, id: &str) -> Result<Object, Diagnostics> {
        Ok(Object::from([("name".to_owned(), id.trim().into())]))
    }
}

fn name_of(state: &Object) -> &str {
    state.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn spec(planned: &Object) -> Result<ClusterSpec, Diagnostics> {
    let mut json = Value::Object(planned.clone()).to_json();
    if let Json::Object(fields) = &mut json {
        fields.remove("id");
    }
    serde_json::from_value(json).map_err(|error| {
        Diagnostics::error(
            Path::root(),
            "The provider has a fault",
            format!("Its schema of a cluster does not fit the API's: {error}"),
        )
    })
}

fn seen(view: &ClusterView) -> Result<Object, Diagnostics> {
    let unreadable = |why: String| Diagnostics::error(Path::root(), "The server's answer cannot be read", why);
    let json = serde_json::to_value(&view.spec).map_err(|error| unreadable(error.to_string()))?;
    let value = Value::from_json(&json, &schema().ty).map_err(|error| unreadable(error.to_string()))?;
    let mut seen = value.as_object().cloned().unwrap_or_default();
    seen.insert("id".to_owned(), view.spec.name.as_str().into());
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_attribute_of_the_description_is_the_apis() {
        let whole = json!({
            "name": "c", "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": "00", "url": "https://x"}}},
            "pod_cidrs": ["10.1.0.0/16"], "service_cidrs": ["10.2.0.0/16"], "vlan": 7, "tls_san": ["k8s"], "disable": ["traefik"],
            "flannel_backend": "host-gw", "selinux": false, "server": {"labels": {"a": "b"}, "taints": ["a:NoSchedule"]},
            "agent": {"labels": {}, "taints": []}, "insecure_join": true, "manifests": {"a.yaml": "kind: X"}
        });
        let planned = Value::from_json(&whole, &schema().ty).unwrap();
        let spec = spec(planned.as_object().unwrap()).unwrap();
        assert_eq!(serde_json::to_value(&spec).unwrap(), whole);
    }
}
