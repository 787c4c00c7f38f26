//! The provider's events: read page by page until something known comes.

use thirdboot_lifecycle::{MAX_SEEN_EVENTS, ProviderEvent, ProviderLook};

use super::client::{Client, Fault, clean};
use super::{Asked, wire};
use crate::secrets::redact;

/// Pages that one look reads at most: what happened before is passed over.
const MAX_PAGES: usize = 2;

/// Reads what may be new.
pub(super) async fn read(client: &Client, asked: &Asked<'_>, look: &mut ProviderLook) -> Result<(), Fault> {
    let is_new = |event: &ProviderEvent| asked.before.is_none_or(|before| before.events.is_new(event));
    for page in 1..=MAX_PAGES {
        let listed = client.events(asked.device(), page, MAX_SEEN_EVENTS).await?;
        let is_full = listed.len() >= MAX_SEEN_EVENTS;
        let events: Vec<ProviderEvent> = listed.iter().map(event).collect();
        let are_all_new = events.iter().all(is_new);
        look.events.extend(events);
        if !is_full || !are_all_new || asked.before.is_none() {
            break;
        }
    }
    Ok(())
}

fn event(listed: &wire::Event) -> ProviderEvent {
    let body = listed.interpolated.as_ref().or(listed.body.as_ref());
    let says = match body {
        Some(body) => format!("{}: {body}", listed.kind),
        None => listed.kind.clone(),
    };
    ProviderEvent {
        at: listed.created_at,
        id: listed.id.chars().take(64).collect(),
        // The URL that a machine boots from may stand in it.
        says: redact(&clean(&says)).into_owned(),
    }
}
