//! `thirdboot_host`: a machine that the server knows.

mod network;
mod schema;
mod wire;

use thirdboot_api::control::{HostView, Role};
use thirdboot_api::{Client, ClientError, ProblemType};
use thirdboot_terraform_plugin::{
    Call, Change, Diagnostics, Object, Path, Resource, Schema, Value, async_trait, settle,
};

use crate::checks;
use crate::site::Site;
use crate::told::{missing, told, with_import_advice};

/// The resource.
#[derive(Debug)]
pub(crate) struct Host(pub(crate) Site);

#[async_trait]
impl Resource for Host {
    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, config: &Object, found: &mut Diagnostics) {
        let network = &config["network"];
        let has = |name: &str| network.get(name).as_object().is_some();
        if has("bond") && has("port") {
            found.add_error(
                Path::attribute("network").at("port"),
                "A bond or a port",
                "The uplink is carried by a bond or by one port: expected one of `bond` and `port`.",
            );
        }
        if config["role"].as_str() == Some(Role::Runner.as_str()) && config["cluster"].as_str().is_some() {
            found.add_error(
                Path::attribute("cluster"),
                "A runner joins no cluster",
                "Leave `cluster` out, or choose the role `server` or `agent`.",
            );
        }
        if !config["console_password_hash_wo_version"].is_null() && config["console_password_hash_wo"].is_null() {
            found.add_error(
                Path::attribute("console_password_hash_wo_version"),
                "A version of nothing",
                "Set `console_password_hash_wo`, too, or leave its version out.",
            );
        }
    }

    async fn plan(&self, _: &mut Call, change: &mut Change) -> Result<(), Diagnostics> {
        plan_presets(change);
        let has_password = match &change.config["console_password_hash_wo"] {
            Value::Unknown => Value::Unknown,
            hash => Value::Bool(!hash.is_null()),
        };
        change.planned.insert("has_console_password".to_owned(), has_password);
        change.planned.insert("id".to_owned(), change.planned["name"].clone());
        Ok(())
    }

    async fn create(&self, call: &mut Call, change: &Change) -> Result<Object, Diagnostics> {
        let client = self.0.client()?;
        let spec = wire::spec(&change.planned, &change.config)?;
        let summary = format!("The host {} cannot be added", spec.name);
        let key = uuid::Uuid::new_v4().to_string();
        let added = client.add_host_once(&spec, &key).await.map_err(|error| {
            let found = told(&error, Some(&self.schema()), &summary);
            with_import_advice(found, &error, "thirdboot_host", &spec.name)
        })?;
        let is_retired = change.planned["retired"] == Value::Bool(true);
        self.finish(call, client, change, &added, is_retired).await
    }

    async fn read(&self, call: &mut Call, state: &Object) -> Result<Option<Object>, Diagnostics> {
        let client = self.0.client()?;
        let name = name_of(state);
        let summary = format!("The host {name} cannot be looked at");
        let Some(view) = self.0.found(client.host(name).await, &summary).await? else {
            return Ok(None);
        };
        let schema = self.schema();
        let mut seen = wire::seen(&view, &schema)?;
        let boot_url = match client.boot_url(name).await {
            Ok(boot_url) => boot_url.url.into(),
            // A viewer plans without seeing secrets.
            Err(error) if error.is(ProblemType::Forbidden) => state["boot_url"].clone(),
            Err(error) => return Err(told(&error, None, &summary)),
        };
        seen.insert("boot_url".to_owned(), boot_url);
        call.private = view.etag.into_bytes();
        Ok(Some(wire::state(state, seen, &schema)))
    }

    async fn update(&self, call: &mut Call, prior: &Object, change: &Change) -> Result<Object, Diagnostics> {
        let client = self.0.client()?;
        let name = name_of(prior);
        let summary = format!("The host {name} cannot be changed");
        let told = |error: &ClientError| told(error, Some(&self.schema()), &summary);
        let patch = wire::patch(prior, &change.planned, &change.config);
        let view = match patch {
            None => client.host(name).await,
            // The version that was planned from: whoever changed the host since is not overwritten.
            Some(patch) => {
                let seen = String::from_utf8_lossy(&call.private).into_owned();
                client.update_host(name, &patch, &seen).await
            }
        };
        let view = view.map_err(|error| told(&error))?;
        let is_switched = prior["retired"] != change.planned["retired"];
        self.finish(call, client, change, &view, is_switched).await
    }

    async fn delete(&self, _: &mut Call, state: &Object) -> Result<(), Diagnostics> {
        let client = self.0.client()?;
        let name = name_of(state);
        let summary = format!("The host {name} cannot be removed");
        let Some(view) = self.0.found(client.host(name).await, &summary).await? else {
            return Ok(());
        };
        if !view.retired {
            let retired = client.retire(name).await;
            retired.map_err(|error| with_cancel_advice(told(&error, None, &summary), &error, name))?;
        }
        self.0
            .found(client.remove_host(name, None).await, &summary)
            .await
            .map(drop)
    }

    async fn import(&self, _: &mut Call, id: &str) -> Result<Object, Diagnostics> {
        let client = self.0.client()?;
        let id = id.trim();
        let summary = format!("The host {id} cannot be imported");
        let view = match self.0.found(client.host(id).await, &summary).await? {
            Some(view) => view,
            None => found_by_hardware(client, id, &summary).await?,
        };
        Ok(Object::from([
            ("id".to_owned(), view.name.as_str().into()),
            ("name".to_owned(), view.name.into()),
        ]))
    }
}

impl Host {
    /// What comes after the description is on the server: in or out of service, and the boot URL.
    async fn finish(
        &self,
        call: &mut Call,
        client: &Client,
        change: &Change,
        view: &HostView,
        switch: bool,
    ) -> Result<Object, Diagnostics> {
        let schema = self.schema();
        let mut seen = wire::seen(view, &schema)?;
        let mut there = settle(&change.planned, &seen);
        there.insert("retired".to_owned(), view.retired.into());
        call.private = view.etag.clone().into_bytes();
        call.keep(there);
        if switch {
            let name = &view.name;
            let (switched, what) = match change.planned["retired"] {
                Value::Bool(true) => (client.retire(name).await, "retired"),
                _ => (client.unretire(name).await, "taken into service"),
            };
            let summary = format!("The host {name} cannot be {what}");
            switched.map_err(|error| with_cancel_advice(told(&error, Some(&schema), &summary), &error, name))?;
        }
        if change.planned["boot_url"].is_unknown() {
            let summary = format!("The boot URL of {} cannot be read", view.name);
            let boot_url = client.boot_url(&view.name).await;
            let boot_url = boot_url.map_err(|error| told(&error, None, &summary))?;
            seen.insert("boot_url".to_owned(), boot_url.url.into());
        }
        Ok(settle(&change.planned, &seen))
    }
}

/// What the server presets follows what it is preset from.
fn plan_presets(change: &mut Change) {
    let Some(prior) = &change.prior else { return };
    let is_changed = |name: &str| prior.get(name) != change.planned.get(name);
    let (cards, platform, network) = (is_changed("macs"), is_changed("platform"), is_changed("network"));
    let said = change.config["network"].get("bond").clone();
    if let Some(Value::Object(network)) = change.planned.get_mut("network")
        && let Some(Value::Object(bond)) = network.get_mut("bond")
    {
        for (name, value) in bond {
            let is_preset = said.get(name).is_null() && name != "mtu";
            if is_preset && (platform || (cards && name == "ports")) {
                *value = Value::Unknown;
            }
        }
    }
    if network {
        change.planned.insert("vlan_addresses".to_owned(), Value::Unknown);
    }
}

fn name_of(state: &Object) -> &str {
    state.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// A host that has this MAC, serial or UUID.
async fn found_by_hardware(client: &Client, id: &str, summary: &str) -> Result<HostView, Diagnostics> {
    let query = thirdboot_api::HostQuery {
        search: Some(id.to_owned()),
        ..thirdboot_api::HostQuery::default()
    };
    let has_it = |host: &HostView| {
        host.macs.iter().any(|mac| checks::same_mac(mac, id))
            || host.serial.as_deref() == Some(id)
            || host.uuid.as_deref().is_some_and(|uuid| uuid.eq_ignore_ascii_case(id))
    };
    let hosts = client.all_hosts(&query, None).await;
    let hosts = hosts.map_err(|error| told(&error, None, summary))?;
    let found = hosts.into_iter().find(has_it);
    found.ok_or_else(|| {
        let mut none = missing(Path::root(), "host", id);
        for one in &mut none.0 {
            one.detail
                .push_str(" Expected a host's name, or a MAC, serial or UUID of one.");
        }
        none
    })
}

/// A run under way is somebody's: it is never ended on the side.
fn with_cancel_advice(mut found: Diagnostics, error: &ClientError, name: &str) -> Diagnostics {
    if error.is(ProblemType::Refused) {
        for one in &mut found.0 {
            let advice = format!("\n\nWait until its run has ended, or end it yourself: thirdboot host cancel {name}");
            one.detail.push_str(&advice);
        }
    }
    found
}
