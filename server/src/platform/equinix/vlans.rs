//! VLANs on a machine's bond, beside its untagged layer 3: hybrid bonded, as the provider calls it.
//!
//! Only what this server put there is ever taken off: what was there before, and whatever people put there, is theirs.
//! What is missing is found by what the port carries, and a batch under way is found by the port's list of them: a
//! restart in the middle asks for nothing twice. What this server is about to put there is kept before it is asked for:
//! an answer that is lost leaves no doubt whose it is.

use std::time::Duration;

use thirdboot_lifecycle::{PutVlans, TroubleKind};

use super::client::{Client, Fault, VlanState};
use super::wire::{BOND_PORT, Batch, BatchState, Device, FIRST_BOND, Port};

/// How long one look waits for a batch; the next one goes on.
const BATCH_LIMIT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 20 });
/// Time between two looks at a batch.
const BATCH_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 2 } else { 1000 });

/// What the port carries, in the order of the ids.
#[derive(Debug)]
pub(super) enum Carried {
    /// What is wanted.
    All(Vec<u16>),
    /// What is wanted, since this look.
    JustNow(Vec<u16>),
    /// A batch is still under way.
    NotYet(Vec<u16>),
    /// What is missing is asked for at the next look, once it is kept that this server puts it there.
    Begins(Vec<u16>),
}

/// What should be on the port, and what of it this server put there.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) wanted: &'a [u16],
    /// Whether what this server put there and is not wanted goes.
    pub(super) tidies: bool,
    /// Brought up to date before a batch that puts VLANs on, and once none is under way.
    pub(super) put: &'a mut PutVlans,
}

/// Puts on what is missing, takes off what is left over, and waits for it. A fault comes with what the port carries, as
/// far as that is known.
pub(super) async fn converge(
    client: &Client,
    device: &Device,
    wish: Wish<'_>,
) -> Result<Carried, (Option<Vec<u16>>, Fault)> {
    let Wish { wanted, tidies, put } = wish;
    let Some(port) = bond(device) else {
        return if wanted.is_empty() {
            Ok(Carried::All(Vec::new()))
        } else {
            Err((None, unfit("it has no port bond0")))
        };
    };
    let carried = client.assigned(&port.id).await.map_err(|fault| (None, fault))?;
    let missing = missing(wanted, &carried);
    let (change, ids) = if missing.is_empty() {
        let kept = keep_what_is_there(client, &port.id, put, &carried).await;
        kept.map_err(|fault| (Some(carried.clone()), fault))?;
        let is_over = |id: &u16| !wanted.contains(id) && carried.contains(id);
        let over: Vec<u16> = put.ids.iter().copied().filter(is_over).collect();
        if !tidies || over.is_empty() || device.network_frozen == Some(true) {
            return Ok(Carried::All(carried));
        }
        (VlanState::Unassigned, over)
    } else {
        if let Some(why) = why_unfit(device, port) {
            return Err((Some(carried), unfit(&why)));
        }
        if !missing.iter().all(|id| put.ids.contains(id)) {
            put.add(&missing);
            return Ok(Carried::Begins(carried));
        }
        (VlanState::Assigned, missing)
    };
    let done = batch(client, &port.id, &ids, change).await;
    let carried = match client.assigned(&port.id).await {
        Ok(carried) => carried,
        Err(fault) => return Err((Some(carried), fault)),
    };
    match done {
        Ok(BatchState::Queued | BatchState::InProgress) => Ok(Carried::NotYet(carried)),
        Ok(_) => {
            let is_there = |id: &u16| carried.contains(id) == (change == VlanState::Assigned);
            let undone: Vec<u16> = ids.into_iter().filter(|id| !is_there(id)).collect();
            if undone.is_empty() {
                put.keep_of(&carried);
                return Ok(Carried::JustNow(carried));
            }
            let says = match change {
                VlanState::Assigned => "does not carry",
                VlanState::Unassigned => "still carries",
            };
            let says = format!("its batch is completed, and bond0 {says} VLAN {}", list(&undone));
            Err((Some(carried), Fault::new(TroubleKind::VlansFailed, says)))
        }
        Err(fault) => {
            // A batch that has ended puts nothing on any more.
            if fault.kind == TroubleKind::VlansFailed {
                put.keep_of(&carried);
            }
            Err((Some(carried), fault))
        }
    }
}

/// What the bond carries.
pub(super) async fn carried(client: &Client, device: &Device) -> Result<Vec<u16>, Fault> {
    match bond(device) {
        Some(port) => client.assigned(&port.id).await,
        None => Ok(Vec::new()),
    }
}

fn bond(device: &Device) -> Option<&Port> {
    device
        .network_ports
        .iter()
        .find(|port| port.kind == BOND_PORT && port.name == FIRST_BOND)
}

fn missing(wanted: &[u16], carried: &[u16]) -> Vec<u16> {
    wanted.iter().copied().filter(|id| !carried.contains(id)).collect()
}

fn list(ids: &[u16]) -> String {
    ids.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// Converting a port cuts the machine off: a person does that.
fn why_unfit(device: &Device, port: &Port) -> Option<String> {
    if device.network_frozen == Some(true) {
        return Some("its network is frozen".to_owned());
    }
    if port.data.bonded == Some(false) {
        return Some("its ports are not bonded".to_owned());
    }
    let layer_2 = port.network_type.as_deref().filter(|kind| kind.starts_with("layer2"));
    layer_2.map(|kind| format!("its network is {kind}"))
}

fn unfit(why: &str) -> Fault {
    Fault::new(
        TroubleKind::PortUnfit,
        format!("{why}: it cannot carry VLANs beside layer 3"),
    )
}

/// Without what the port does not carry: nothing of that is on its way any more.
async fn keep_what_is_there(client: &Client, port: &str, put: &mut PutVlans, carried: &[u16]) -> Result<(), Fault> {
    let is_all = put.ids.iter().all(|id| carried.contains(id));
    if is_all || under_way(client, port).await?.is_some() {
        return Ok(());
    }
    // Read anew: a batch may have ended between the two.
    put.keep_of(&client.assigned(port).await?);
    Ok(())
}

fn is_under_way(batch: &Batch) -> bool {
    matches!(batch.state, BatchState::Queued | BatchState::InProgress)
}

async fn under_way(client: &Client, port: &str) -> Result<Option<Batch>, Fault> {
    Ok(client.batches(port).await?.into_iter().find(is_under_way))
}

/// Has them changed, and waits. Where a batch is under way already, that one is waited for: the next look sees what is
/// still to be done.
async fn batch(client: &Client, port: &str, vlans: &[u16], change: VlanState) -> Result<BatchState, Fault> {
    let under_way = under_way(client, port).await?;
    let is_ours = under_way.is_none();
    let mut batch = match under_way {
        Some(batch) => batch,
        None => client.assign(port, vlans, change).await?,
    };
    let deadline = tokio::time::Instant::now() + BATCH_LIMIT;
    while is_under_way(&batch) && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(BATCH_PAUSE).await;
        batch = client.batch(port, &batch.id).await?;
    }
    match batch.state {
        BatchState::Failed => {
            let why = batch.error_messages.unwrap_or_default().join("; ");
            let what = match change {
                VlanState::Assigned => "put on",
                VlanState::Unassigned => "taken off",
            };
            let says = format!("VLAN {} could not be {what} bond0: {why}", list(vlans));
            Err(Fault::new(TroubleKind::VlansFailed, says))
        }
        BatchState::Completed if !is_ours => Ok(BatchState::InProgress),
        state => Ok(state),
    }
}
