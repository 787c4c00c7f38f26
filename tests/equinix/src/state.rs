//! What the stand-in knows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::answer::Fault;

/// When the provider's time begins, in seconds since 1970: the end of 2026.
const BEGINNING: i64 = 1_795_000_000;

/// What somebody does to a machine at the provider's own page.
pub type Change = fn(&mut Device);

/// A machine.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// The provider's word.
    pub state: String,
    /// `custom_ipxe`, or another.
    pub operating_system: String,
    /// Where its script is.
    pub ipxe_script_url: String,
    /// Whether it boots from the network every time.
    pub always_pxe: bool,
    /// Whether its script was served since it was deployed.
    pub is_served: bool,
    /// Whether its network must not be changed.
    pub network_frozen: bool,
    /// Those of its ports; the API tells none where there are none.
    pub macs: Vec<String>,
    /// Its bond.
    pub port: Port,
    /// Actions that were taken.
    pub actions: Vec<String>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
}

/// A bond.
#[derive(Debug, Clone)]
pub struct Port {
    /// Its id.
    pub id: String,
    /// `layer3`, `hybrid-bonded`, `layer2-bonded` …
    pub network_type: String,
    /// Whether its ports act as one.
    pub is_bonded: bool,
    /// VLANs that it carries.
    pub vlans: BTreeSet<u16>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// For people.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// VLANs on their way to a port, or from it.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) port: String,
    pub(crate) state: &'static str,
    pub(crate) vlans: Vec<u16>,
    pub(crate) assigns: bool,
    pub(crate) errors: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) token: String,
    pub(crate) devices: BTreeMap<String, Device>,
    /// Those of the metro.
    pub(crate) vlans: BTreeSet<u16>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) halves_batches: bool,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) standing: Option<(String, Fault)>,
    /// Once a request ends so: which machine is changed, and how.
    pub(crate) meanwhile: Option<(String, String, Change)>,
    pub(crate) asked: Vec<String>,
    /// Told of every request.
    pub(crate) heard: Arc<Notify>,
    pub(crate) violations: Vec<String>,
    made: u32,
    /// The provider's clock: it moves on by a second with whatever happens.
    now: Timestamp,
}

impl Device {
    pub(crate) fn new(id: &str, boot_url: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: "active".to_owned(),
            operating_system: "custom_ipxe".to_owned(),
            ipxe_script_url: boot_url.to_owned(),
            always_pxe: false,
            is_served: true,
            network_frozen: false,
            macs: Vec::new(),
            port: Port {
                id: id.replacen(|_| true, "b", 1),
                network_type: "layer3".to_owned(),
                is_bonded: true,
                vlans: BTreeSet::new(),
            },
            actions: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn shown(&self) -> Value {
        let data = |mac: Option<&String>| json!({"bonded": self.port.is_bonded, "mac": mac});
        let ports = self.macs.iter().map(Some).chain(self.macs.is_empty().then_some(None));
        let mut ports: Vec<Value> = (0..)
            .zip(ports)
            .map(|(n, mac)| {
                let id = format!("{:x}{}", 0xe - n, &self.id[1..]);
                json!({"id": id, "name": format!("eth{n}"), "type": "NetworkPort", "data": data(mac)})
            })
            .collect();
        ports.push(json!({
            "id": self.port.id, "name": "bond0", "type": "NetworkBondPort", "network_type": self.port.network_type,
            "data": data(None), "virtual_networks": [],
        }));
        json!({
            "id": self.id, "state": self.state, "always_pxe": self.always_pxe, "hostname": "a-name",
            "ipxe_script_url": self.ipxe_script_url, "network_frozen": self.network_frozen,
            "operating_system": {"slug": self.operating_system}, "network_ports": ports,
        })
    }
}

impl Inner {
    pub(crate) fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            devices: BTreeMap::new(),
            vlans: BTreeSet::new(),
            batches: Vec::new(),
            halves_batches: false,
            faults: VecDeque::new(),
            standing: None,
            meanwhile: None,
            asked: Vec::new(),
            heard: Arc::default(),
            violations: Vec::new(),
            made: 0,
            now: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(BEGINNING),
        }
    }

    /// A new id.
    pub(crate) fn id(&mut self) -> String {
        self.made += 1;
        format!("5eed0000-0000-4000-8000-{:012x}", self.made)
    }

    /// Something happens now.
    pub(crate) fn notes(&mut self, id: &str, kind: &str, body: &str) {
        self.now += jiff::SignedDuration::from_secs(1);
        self.happens(id, kind, body, self.now);
    }

    pub(crate) fn happens(&mut self, id: &str, kind: &str, body: &str, at: Timestamp) {
        let event = Event {
            id: self.id(),
            kind: kind.to_owned(),
            body: body.to_owned(),
            at,
        };
        if let Some(device) = self.devices.get_mut(id) {
            device.events.push(event);
        }
    }

    pub(crate) fn boots(&mut self, id: &str) -> Option<String> {
        let device = self.devices.get_mut(id)?;
        if device.is_served && !device.always_pxe {
            return None;
        }
        device.is_served = true;
        "active".clone_into(&mut device.state);
        let url = device.ipxe_script_url.clone();
        self.notes(id, "provisioning.104.01", "Device connected to DHCP system");
        self.notes(id, "provisioning.109", "Installation finished, device is active");
        Some(url)
    }

    pub(crate) fn port(&mut self, id: &str) -> Option<&mut Device> {
        self.devices.values_mut().find(|device| device.port.id == id)
    }
}
