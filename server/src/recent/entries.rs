//! What is remembered, and when it must be forgotten.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use thirdboot_lifecycle::Identity;
use thirdboot_store::{HostId, HostState};

/// Hosts that are remembered: some 16 MiB.
const MAX_HOSTS: usize = 8192;
/// Identities that are remembered, those of strangers among them.
const MAX_IDENTITIES: usize = 8192;

/// What is remembered.
pub(super) struct Entries(Mutex<Inner>);

struct Inner {
    hosts: LruCache<HostId, Arc<HostState>>,
    owners: LruCache<Key, Owners>,
    /// Moves whenever a change begins or ends.
    moment: Moment,
    /// Hosts that are being changed, and by how many.
    changing: HashMap<HostId, u32>,
    /// Changes under way that may move an identifier from one host to another.
    moving_identifiers: u32,
    is_closed: bool,
}

/// A point between changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moment {
    hosts: u64,
    identifiers: u64,
}

/// Who owns an identity, as long as no identifier has moved since.
struct Owners {
    ids: Vec<HostId>,
    identifiers: u64,
}

#[derive(PartialEq, Eq)]
struct Key(Identity);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.0.macs, &self.0.serial, &self.0.uuid).hash(state);
    }
}

impl Default for Entries {
    fn default() -> Self {
        let at_most = |count: usize| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(Inner {
            hosts: LruCache::new(at_most(MAX_HOSTS)),
            owners: LruCache::new(at_most(MAX_IDENTITIES)),
            moment: Moment::default(),
            changing: HashMap::new(),
            moving_identifiers: 0,
            is_closed: false,
        }))
    }
}

/// A change that is under way. It ends when this is dropped.
pub(super) struct Change {
    entries: Arc<Entries>,
    host: Option<HostId>,
    moves_identifiers: bool,
}

impl Drop for Change {
    fn drop(&mut self) {
        let mut inner = self.entries.lock();
        inner.moment.hosts += 1;
        if let Some(host) = self.host {
            let left = inner.changing.get(&host).map_or(0, |count| count.saturating_sub(1));
            if left == 0 {
                inner.changing.remove(&host);
            } else {
                inner.changing.insert(host, left);
            }
        }
        if self.moves_identifiers {
            inner.moment.identifiers += 1;
            inner.moving_identifiers = inner.moving_identifiers.saturating_sub(1);
        }
    }
}

impl Entries {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A change begins: what it may touch is forgotten, and not remembered again before it ends.
    pub(super) fn begin(entries: &Arc<Self>, host: Option<HostId>, moves_identifiers: bool) -> Change {
        let mut inner = entries.lock();
        inner.moment.hosts += 1;
        if let Some(host) = host {
            inner.hosts.pop(&host);
            *inner.changing.entry(host).or_default() += 1;
        }
        if moves_identifiers {
            inner.moment.identifiers += 1;
            inner.moving_identifiers += 1;
        }
        Change {
            entries: Arc::clone(entries),
            host,
            moves_identifiers,
        }
    }

    /// Now: a read that begins here may be remembered as long as it is still this moment.
    pub(super) fn moment(&self) -> Moment {
        self.lock().moment
    }

    /// A host, if it is remembered.
    pub(super) fn host(&self, id: HostId) -> Option<Arc<HostState>> {
        self.lock().hosts.get(&id).cloned()
    }

    /// Every host that owns one of these identifiers, if all of that is remembered.
    pub(super) fn owners(&self, identity: &Identity) -> Option<Vec<Arc<HostState>>> {
        let mut inner = self.lock();
        let Inner {
            hosts,
            owners,
            moment,
            moving_identifiers,
            ..
        } = &mut *inner;
        let known = owners.get(&Key(identity.clone()))?;
        if *moving_identifiers > 0 || known.identifiers != moment.identifiers {
            return None;
        }
        known.ids.iter().map(|id| hosts.get(id).cloned()).collect()
    }

    /// Remembers hosts that were read since `seen`, unless a change may have overtaken the read.
    pub(super) fn keep_hosts(&self, seen: Moment, states: &[HostState]) {
        let mut inner = self.lock();
        if inner.is_closed || inner.moment.hosts != seen.hosts {
            return;
        }
        for state in states {
            if !inner.changing.contains_key(&state.id) {
                inner.hosts.put(state.id, Arc::new(state.clone()));
            }
        }
    }

    /// The same for whose an identity is.
    pub(super) fn keep_owners(&self, seen: Moment, identity: &Identity, states: &[HostState]) {
        let mut inner = self.lock();
        if inner.is_closed || inner.moving_identifiers > 0 || inner.moment.identifiers != seen.identifiers {
            return;
        }
        let owners = Owners {
            ids: states.iter().map(|state| state.id).collect(),
            identifiers: seen.identifiers,
        };
        inner.owners.put(Key(identity.clone()), owners);
    }

    /// Forgets everything: a store that is away must not look as if it were there.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.is_closed = true;
        inner.hosts.clear();
        inner.owners.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(id: u64) -> HostState {
        HostState {
            id: HostId(id),
            version: 1,
            host: serde_json::from_str(&format!(r#"{{"name":"h{id}"}}"#)).unwrap(),
            run: None,
            observed: None,
        }
    }

    #[test]
    fn a_read_that_a_change_overtook_is_not_remembered() {
        let entries = Arc::new(Entries::default());
        let seen = entries.moment();
        drop(Entries::begin(&entries, Some(HostId(1)), false));
        entries.keep_hosts(seen, &[state(1)]);
        assert!(entries.host(HostId(1)).is_none());
        entries.keep_hosts(entries.moment(), &[state(1)]);
        assert!(entries.host(HostId(1)).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_a_host_that_is_being_changed() {
        let entries = Arc::new(Entries::default());
        entries.keep_hosts(entries.moment(), &[state(1), state(2)]);
        let (first, second) = (
            Entries::begin(&entries, Some(HostId(1)), false),
            Entries::begin(&entries, Some(HostId(1)), false),
        );
        assert!(entries.host(HostId(1)).is_none() && entries.host(HostId(2)).is_some());
        drop(first);
        entries.keep_hosts(entries.moment(), &[state(1)]);
        assert!(entries.host(HostId(1)).is_none());
        drop(second);
        entries.keep_hosts(entries.moment(), &[state(1)]);
        assert!(entries.host(HostId(1)).is_some());
    }

    #[test]
    fn owners_are_forgotten_when_an_identifier_may_have_moved() {
        let entries = Arc::new(Entries::default());
        let identity = Identity::default();
        let keep = || {
            entries.keep_hosts(entries.moment(), &[state(1)]);
            entries.keep_owners(entries.moment(), &identity, &[state(1)]);
        };
        keep();
        assert_eq!(entries.owners(&identity).unwrap().len(), 1);
        let moving = Entries::begin(&entries, Some(HostId(2)), true);
        assert!(entries.owners(&identity).is_none());
        keep();
        assert!(entries.owners(&identity).is_none());
        drop(moving);
        assert!(entries.owners(&identity).is_none());
        keep();
        assert!(entries.owners(&identity).is_some());
        drop(Entries::begin(&entries, Some(HostId(1)), false));
        assert!(entries.owners(&identity).is_none(), "the host itself changed");
    }
}
