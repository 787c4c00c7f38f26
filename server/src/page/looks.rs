//! One look for all who look at the same.
//!
//! Two hundred pages of the fleet may be open while a thousand hosts report, and each is told to look again and again.
//! Looked is once for all of them, and once a second at most. Nobody is shown less than what they were told of.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use thirdboot_api::Problem;
use thirdboot_store::{AccessRole, Store};

/// For so long a look is shared, and so far apart are two of them.
const PACE: Duration = Duration::from_secs(1);
/// So many different ones are remembered. More at once are not shared.
const MAX_PLACES: usize = 64;

/// What is looked at: whatever is shown may depend on the role, and on what was asked for.
type Key = (AccessRole, String);

/// Looks of the last second.
#[derive(Default)]
pub(super) struct Looks(Mutex<HashMap<Key, Arc<Place>>>);

/// Whoever looks holds it; the others wait for what they find.
type Place = tokio::sync::Mutex<Option<Found>>;

struct Found {
    begun: Instant,
    /// Every line of the log up to this number is seen in it.
    tip: u64,
    text: Result<Bytes, Problem>,
}

impl Found {
    fn is_over(&self) -> bool {
        self.begun.elapsed() >= PACE
    }
}

impl Looks {
    /// What somebody else found within this second if the line `seen` of the log is in it, else what `look` finds.
    pub(super) async fn shared(
        &self,
        store: &dyn Store,
        key: Key,
        seen: u64,
        look: impl AsyncFnOnce() -> Result<Bytes, Problem>,
    ) -> Result<Bytes, Problem> {
        let place = self.place(key);
        let mut place = place.lock().await;
        if let Some(last) = &*place {
            if last.tip >= seen && !last.is_over() {
                return last.text.clone();
            }
            tokio::time::sleep_until((last.begun + PACE).into()).await;
        }
        let begun = Instant::now();
        let tip = store.changed(0, Duration::ZERO).await;
        let text = look().await;
        *place = Some(Found {
            begun,
            tip,
            text: text.clone(),
        });
        text
    }

    fn place(&self, key: Key) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MAX_PLACES {
            places.retain(|_, place| {
                let found = place.try_lock();
                found.map_or(true, |found| found.as_ref().is_some_and(|found| !found.is_over()))
            });
        }
        if places.len() >= MAX_PLACES && !places.contains_key(&key) {
            return Arc::default();
        }
        Arc::clone(places.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use thirdboot_store::{Actor, Submission};

    use super::*;
    use crate::testing::TestApp;

    fn viewers(asked: &str) -> Key {
        (AccessRole::Viewer, asked.to_owned())
    }

    #[tokio::test]
    async fn many_who_look_at_the_same_cost_one_look() {
        let site = TestApp::new().await;
        let (looks, count) = (Looks::default(), AtomicUsize::new(0));
        let look = async || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from(number.to_string()))
        };
        let all = (0..50).map(|_| looks.shared(site.app.store.as_ref(), viewers("/"), 0, look));
        for found in futures_util::future::join_all(all).await {
            assert_eq!(found.unwrap(), "0");
        }
        let other = looks.shared(site.app.store.as_ref(), viewers("/?role=agent"), 0, look);
        assert_eq!(other.await.unwrap(), "1");
        let operators = (AccessRole::Operator, "/".to_owned());
        let other = looks.shared(site.app.store.as_ref(), operators, 0, look);
        assert_eq!(other.await.unwrap(), "2");
    }

    #[tokio::test]
    async fn who_was_told_of_something_sees_it() {
        let site = TestApp::new().await;
        let host = site.host("a1", 1).await.id;
        let store = site.app.store.as_ref();
        let (looks, count) = (Looks::default(), AtomicUsize::new(0));
        let look = async || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from(number.to_string()))
        };
        assert_eq!(looks.shared(store, viewers("/"), 0, look).await.unwrap(), "0");
        let hold = Submission::Hold {
            reason: "r".into(),
            by: Actor::Server,
        };
        store.submit(host, hold).await.unwrap();
        let told = store.changed(0, Duration::ZERO).await;
        assert_eq!(looks.shared(store, viewers("/"), told, look).await.unwrap(), "1");
    }

    #[tokio::test]
    async fn not_more_is_remembered_than_is_looked_at() {
        let site = TestApp::new().await;
        let looks = Looks::default();
        for number in 0..3 * MAX_PLACES {
            let key = viewers(&number.to_string());
            let look = async || Ok(Bytes::new());
            looks.shared(site.app.store.as_ref(), key, 0, look).await.unwrap();
        }
        assert!(looks.0.lock().unwrap().len() <= MAX_PLACES);
    }
}
