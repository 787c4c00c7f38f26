//! When tokens were last used. Every request uses one: it is written down at most once a minute for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use thirdboot_store::Store;

/// Time between two notes of one token's use.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// When tokens were last used, by their names.
#[derive(Debug, Default)]
pub struct TokenUses(Mutex<HashMap<String, Use>>);

#[derive(Debug, Clone, Copy)]
struct Use {
    last: Timestamp,
    noted: Timestamp,
}

impl TokenUses {
    /// It is being used. Nobody waits for the note; the one of the next minute makes up for one that is lost.
    pub(super) fn used(&self, store: &Arc<dyn Store>, name: &str) {
        let now = store.now();
        if !self.is_worth_noting(name, now) {
            return;
        }
        let (store, name) = (Arc::clone(store), name.to_owned());
        tokio::spawn(async move {
            if let Err(error) = store.note_token_use(&name, now).await {
                tracing::debug!(token = name, %error, "the use of a token was not noted");
            }
        });
    }

    fn is_worth_noting(&self, name: &str, now: Timestamp) -> bool {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(name) {
            Some(known) if now.duration_since(known.noted) < NOTED_EVERY => {
                known.last = now;
                false
            }
            _ => {
                uses.insert(name.to_owned(), Use { last: now, noted: now });
                true
            }
        }
    }

    /// When it was last used since the start.
    pub(super) fn last(&self, name: &str) -> Option<Timestamp> {
        let uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses.get(name).map(|known| known.last)
    }

    /// It is gone: another one may get its name.
    pub(super) fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_token_is_noted_once_a_minute() {
        let uses = TokenUses::default();
        let at = |s: i64| Timestamp::from_second(1_800_000_000 + s).unwrap();
        let noted: Vec<i64> = (0..180).filter(|s| uses.is_worth_noting("ci", at(*s))).collect();
        assert_eq!(noted, [0, 60, 120]);
        assert_eq!(uses.last("ci"), Some(at(179)));
        uses.forget("ci");
        assert_eq!(uses.last("ci"), None);
    }
}
