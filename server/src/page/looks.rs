//! One look for all who look at the same.
//!
//! Two hundred pages of the fleet may be open while a thousand hosts report, and each is told to look again and again.
//! Looked is once for all of them, and once a second at most. Nobody is shown less than what they were told of.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use thirdboot_api::Problem;
use thirdboot_store::{AccessRole, Store};
use tokio::time::Instant;

/// For so long a look is shared, and so far apart are two of them.
const PACE: Duration = Duration::from_secs(1);
/// So many different ones are remembered. More at once are not shared.
const MAX_PLACES: usize = 64;

/// What is looked at: whatever is shown may depend on the role, and on what was asked for.
type Key = (AccessRole, String);

/// Looks of the last second.
pub(super) struct Looks {
    pace: Duration,
    places: Mutex<HashMap<Key, Arc<Place>>>,
}

impl Default for Looks {
    fn default() -> Self {
        Self::paced(PACE)
    }
}

/// Whoever looks holds it; the others wait for what they find.
type Place = tokio::sync::Mutex<Option<Found>>;

struct Found {
    /// It is shared from here on, however long it took: those who waited for it find it fresh.
    done: Instant,
    /// Every line of the log up to this number is seen in it.
    tip: u64,
    text: Result<Bytes, Problem>,
}

impl Looks {
    fn paced(pace: Duration) -> Self {
        let places = Mutex::default();
        Self { pace, places }
    }

    fn is_over(&self, found: &Found) -> bool {
        found.done.elapsed() >= self.pace
    }

    /// What somebody else found within this second if the line `seen` of the log is in it, else what `look` finds.
    pub(super) async fn shared(
        &self,
        store: &dyn Store,
        key: Key,
        seen: u64,
        look: impl AsyncFnOnce() -> Result<Bytes, Problem>,
    ) -> Result<Bytes, Problem> {
        // A browser says what it was told of. More than there is nobody was told of: for that nobody is kept waiting.
        let seen = seen.min(store.changed(0, Duration::ZERO).await);
        let place = self.place(key);
        let mut place = place.lock().await;
        if let Some(last) = &*place {
            if last.tip >= seen && !self.is_over(last) {
                return last.text.clone();
            }
            tokio::time::sleep_until(last.done + self.pace).await;
        }
        let tip = store.changed(0, Duration::ZERO).await;
        let text = look().await;
        *place = Some(Found {
            done: Instant::now(),
            tip,
            text: text.clone(),
        });
        text
    }

    fn place(&self, key: Key) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MAX_PLACES {
            places.retain(|_, place| {
                let found = place.try_lock();
                found.map_or(true, |found| found.as_ref().is_some_and(|found| !self.is_over(found)))
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

    /// Nothing is over while a test runs.
    const LONG: Duration = Duration::from_secs(3600);

    fn viewers(asked: &str) -> Key {
        (AccessRole::Viewer, asked.to_owned())
    }

    #[tokio::test]
    async fn many_who_look_at_the_same_cost_one_look() {
        let site = TestApp::new().await;
        let (looks, count) = (Looks::paced(LONG), AtomicUsize::new(0));
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
        let (looks, count) = (Looks::paced(Duration::from_millis(50)), AtomicUsize::new(0));
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
    async fn a_look_is_fresh_when_it_is_done_however_long_it_took() {
        let site = TestApp::new().await;
        let store = site.app.store.as_ref();
        let long = Duration::from_millis(400);
        let looks = Looks::paced(long);
        let begun = Instant::now();
        let slow = async || {
            tokio::time::sleep(long).await;
            Ok(Bytes::new())
        };
        looks.shared(store, viewers("/"), 0, slow).await.unwrap();
        let place = looks.place(viewers("/"));
        let found = place.lock().await;
        assert!(found.as_ref().unwrap().done >= begun + long, "counted from its begin");
    }

    #[tokio::test]
    async fn who_says_to_have_been_told_of_more_than_there_is_gets_what_there_is() {
        let site = TestApp::new().await;
        let (looks, count) = (Looks::paced(LONG), AtomicUsize::new(0));
        let look = async || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from(number.to_string()))
        };
        for _ in 0..3 {
            let found = looks.shared(site.app.store.as_ref(), viewers("/"), u64::MAX, look);
            assert_eq!(found.await.unwrap(), "0");
        }
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
        assert!(looks.places.lock().unwrap().len() <= MAX_PLACES);
    }
}
