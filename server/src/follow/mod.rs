//! Those who wait for something to happen to a host, or to any.
//!
//! However many wait, one task looks at the log: a commit wakes it, not them. It asks once whose lines came in, and wakes
//! those who wait for these hosts. So a thousand open long polls on hosts that are quiet cost nothing while others
//! report, and the task itself sleeps while nobody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thirdboot_store::{HostId, Store};
use tokio::sync::{Notify, watch};

/// Pause between two looks at the log: what happens meanwhile is told together.
const PACE: Duration = Duration::from_millis(50);
/// How long a look waits for a commit before it sees whether anybody still waits.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause after the store did not answer.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Wakes those who wait. Dropped or closed, it lets all of them go.
pub struct Followers(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    somebody_came: Notify,
    /// The last line that was looked at.
    any_host: watch::Sender<u64>,
    closed: watch::Sender<bool>,
}

#[derive(Default)]
struct Waiting {
    /// Lines up to this were told. Reset by whoever comes first.
    told: u64,
    count: usize,
    hosts: HashMap<HostId, watch::Sender<u64>>,
}

/// Somebody who waits. What is read after this was made is either read or waited for.
pub struct Following {
    shared: Arc<Shared>,
    host: Option<HostId>,
    news: watch::Receiver<u64>,
    closed: watch::Receiver<bool>,
}

impl Followers {
    /// Follows this store's log from a task of its own.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            somebody_came: Notify::new(),
            any_host: watch::Sender::new(0),
            closed: watch::Sender::new(false),
        });
        tokio::spawn(look(store, Arc::clone(&shared)));
        Self(shared)
    }

    /// Waits for what happens to this host, or to any, from now on. `store` is the one that is followed.
    pub async fn follow(&self, store: &dyn Store, host: Option<HostId>) -> Following {
        let tip = store.changed(0, Duration::ZERO).await;
        let mut waiting = self.0.lock();
        if waiting.count == 0 {
            waiting.told = tip;
        }
        waiting.count += 1;
        let news = match host {
            Some(host) => waiting.hosts.entry(host).or_default().subscribe(),
            None => self.0.any_host.subscribe(),
        };
        drop(waiting);
        self.0.somebody_came.notify_one();
        Following {
            shared: Arc::clone(&self.0),
            host,
            news,
            closed: self.0.closed.subscribe(),
        }
    }

    /// Lets everybody go: the server stops.
    pub fn close(&self) {
        self.0.closed.send_replace(true);
        self.0.somebody_came.notify_one();
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From where to look, if anybody waits.
    fn to_look_from(&self) -> Option<u64> {
        let waiting = self.lock();
        (waiting.count > 0).then_some(waiting.told)
    }

    fn tell(&self, to: u64, hosts: &[HostId]) {
        let mut waiting = self.lock();
        waiting.told = waiting.told.max(to);
        for sender in hosts.iter().filter_map(|host| waiting.hosts.get(host)) {
            sender.send_replace(to);
        }
        drop(waiting);
        self.any_host.send_replace(to);
    }
}

async fn look(store: Arc<dyn Store>, shared: Arc<Shared>) {
    let mut closed = shared.closed.subscribe();
    loop {
        let Some(from) = shared.to_look_from() else {
            if *closed.borrow() {
                return;
            }
            shared.somebody_came.notified().await;
            continue;
        };
        let to = tokio::select! {
            to = store.changed(from, PATIENCE) => to,
            _ = closed.wait_for(|closed| *closed) => return,
        };
        if to <= from {
            // A store that ended answers at once.
            tokio::time::sleep(PACE).await;
            continue;
        }
        match store.hosts_changed(from, to).await {
            Ok(hosts) => shared.tell(to, &hosts),
            Err(error) => {
                tracing::warn!(%error, "the log cannot be followed; trying again");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
        tokio::time::sleep(PACE).await;
    }
}

impl Following {
    /// Waits until something happened since the last call, or since this was made. False when the time is over or the
    /// server stops.
    pub async fn changed(&mut self, until: Instant) -> bool {
        let news = &mut self.news;
        tokio::select! {
            changed = news.changed() => changed.is_ok(),
            _ = self.closed.wait_for(|closed| *closed) => false,
            () = tokio::time::sleep_until(until.into()) => false,
        }
    }

    /// The line of the log that was told of last. What happened up to it is then no news any more.
    pub fn seen(&mut self) -> u64 {
        *self.news.borrow_and_update()
    }

    /// Whether the server stops.
    pub fn is_over(&self) -> bool {
        *self.closed.borrow()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut waiting = self.shared.lock();
        waiting.count = waiting.count.saturating_sub(1);
        // This receiver is one of those counted.
        if let Some(host) = self.host
            && waiting
                .hosts
                .get(&host)
                .is_some_and(|sender| sender.receiver_count() <= 1)
        {
            waiting.hosts.remove(&host);
        }
    }
}

#[cfg(test)]
mod tests {
    use thirdboot_store::{Actor, Submission};

    use super::*;
    use crate::testing::TestApp;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn hold() -> Submission {
        Submission::Hold {
            reason: "r".into(),
            by: Actor::Server,
        }
    }

    #[tokio::test]
    async fn who_waits_for_a_host_is_woken_by_that_host_only() {
        let site = TestApp::new().await;
        let (first, second) = (site.host("a1", 1).await.id, site.host("a2", 2).await.id);
        let store = site.app.store.as_ref();
        let mut of_first = site.app.followers.follow(store, Some(first)).await;
        let mut of_second = site.app.followers.follow(store, Some(second)).await;
        let mut of_any = site.app.followers.follow(store, None).await;
        store.submit(second, hold()).await.unwrap();
        assert!(of_second.changed(soon()).await);
        assert!(of_any.changed(soon()).await);
        assert!(!of_first.changed(Instant::now()).await);
        store.submit(first, hold()).await.unwrap();
        assert!(of_first.changed(soon()).await);
    }

    #[tokio::test]
    async fn what_happens_after_the_first_came_is_told_and_nobody_is_remembered_who_left() {
        let site = TestApp::new().await;
        let host = site.host("a1", 1).await.id;
        let store = site.app.store.as_ref();
        for _ in 0..3 {
            let mut following = site.app.followers.follow(store, Some(host)).await;
            store.submit(host, hold()).await.unwrap();
            assert!(following.changed(soon()).await);
        }
        let waiting = site.app.followers.0.lock();
        assert_eq!((waiting.count, waiting.hosts.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_server_that_stops_lets_everybody_go() {
        let site = TestApp::new().await;
        let mut following = site.app.followers.follow(site.app.store.as_ref(), None).await;
        site.app.followers.close();
        assert!(!following.changed(soon()).await && following.is_over());
    }
}
