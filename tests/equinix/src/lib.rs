//! A stand-in for Equinix Metal's API, written from its documentation: the provider closed in June 2026.
//!
//! It is strict. What the API does not know (a path, a key of a body, a token elsewhere than in its header) is refused,
//! and kept as a violation that a test asserts to be none. It keeps no order of its own: a batch moves on by one step
//! each time it is looked at, and a machine does what its test has it do.

mod answer;
mod batches;
mod devices;
mod routes;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use jiff::Timestamp;

pub use answer::Fault;
use state::Inner;
pub use state::{Change, Device, Event, Port};

/// The API, listening on loopback. Dropping it ends it.
#[derive(Debug)]
pub struct FakeEquinix {
    url: String,
    shared: Shared,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Mutex<Inner>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeEquinix {
    /// Listens, and takes this token.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(token: &str) -> std::io::Result<Self> {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/metal/v1", socket.local_addr()?);
        let shared = Shared(Arc::new(Mutex::new(Inner::new(token))));
        let router: Router = routes::router(shared.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(socket, router).await;
        });
        Ok(Self { url, shared, task })
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes another token from now on.
    pub fn take_only(&self, token: &str) {
        token.clone_into(&mut self.shared.lock().token);
    }

    /// A machine with a bond of two ports, powered on, whose script is served from `boot_url`; and VLANs in its metro.
    pub fn add(&self, id: &str, boot_url: &str, vlans: &[u16]) {
        let mut inner = self.shared.lock();
        inner.vlans.extend(vlans);
        inner.devices.insert(id.to_owned(), Device::new(id, boot_url));
    }

    /// Changes a machine as its owner could at the provider's own page.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut Device)) {
        if let Some(device) = self.shared.lock().devices.get_mut(id) {
            change(device);
        }
    }

    /// A machine as it is now.
    pub fn device(&self, id: &str) -> Option<Device> {
        self.shared.lock().devices.get(id).cloned()
    }

    /// The provider notes something about a machine.
    pub fn happens(&self, id: &str, kind: &str, body: &str, at: Timestamp) {
        self.shared.lock().happens(id, kind, body, at);
    }

    /// The next requests are answered so, one each, whatever they ask.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.lock().faults.extend(faults);
    }

    /// Each request whose method and path end so is answered with this fault, until somebody says otherwise.
    pub fn fail_at(&self, line_end: &str, fault: Option<Fault>) {
        self.shared.lock().standing = fault.map(|fault| (line_end.to_owned(), fault));
    }

    /// Somebody changes this machine right before the next request whose method and path end so is carried out.
    pub fn meanwhile(&self, line_end: &str, id: &str, change: Change) {
        self.shared.lock().meanwhile = Some((line_end.to_owned(), id.to_owned(), change));
    }

    /// Of the next batches only the first VLAN is put on: they fail.
    pub fn half_do_batches(&self, is_so: bool) {
        self.shared.lock().halves_batches = is_so;
    }

    /// What was asked: method and path.
    pub fn asked(&self) -> Vec<String> {
        self.shared.lock().asked.clone()
    }

    /// How often a request that begins so was made.
    pub fn count(&self, begins: &str) -> usize {
        self.asked().iter().filter(|line| line.starts_with(begins)).count()
    }

    /// Waits until a request that begins so was made so often; it need not be answered yet.
    pub async fn heard(&self, begins: &str, times: usize) {
        let heard = Arc::clone(&self.shared.lock().heard);
        loop {
            let next = heard.notified();
            if self.count(begins) >= times {
                return;
            }
            next.await;
        }
    }

    /// Batches that are under way come to their end, though nobody looks at them.
    pub fn end_batches(&self) {
        batches::end(&mut self.shared.lock());
    }

    /// What was asked that the API does not know.
    pub fn violations(&self) -> Vec<String> {
        self.shared.lock().violations.clone()
    }

    /// The machine starts: the URL that it boots from, or none where it boots its disk. As soon as the script was
    /// served the provider calls it active, and turns its network boot off unless it is to stay.
    pub fn boots(&self, id: &str) -> Option<String> {
        self.shared.lock().boots(id)
    }
}

impl Drop for FakeEquinix {
    fn drop(&mut self) {
        self.task.abort();
    }
}
