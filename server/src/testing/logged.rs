//! Everything that was logged, for stories about what must not be.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, Once};

use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

thread_local! {
    /// Who listens on this thread.
    static LISTENER: RefCell<Option<Logged>> = const { RefCell::new(None) };
}

/// Everything that was logged.
#[derive(Clone, Default)]
pub(crate) struct Logged(Arc<Mutex<Vec<u8>>>);

/// Ends the listening.
pub(crate) struct Listening;

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENER.take();
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Logged {
    /// From now on and on this thread, at the most talkative level.
    pub(crate) fn start() -> (Self, Listening) {
        Self::install();
        let logged = Self::default();
        LISTENER.set(Some(logged.clone()));
        (logged, Listening)
    }

    /// One subscriber for the whole process. One for each thread would be asked once whether it wants a line, and what
    /// a thread without any had answered before would hold for all.
    fn install() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let lines = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(|| LISTENER.with_borrow(Clone::clone).unwrap_or_default())
                .with_filter(dynamic_filter_fn(|_, _| LISTENER.with_borrow(Option::is_some)));
            // Refused where another test's crate came first: then its lines are missed, and the story says so.
            let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines));
        });
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}
