//! Liveness: tells a page that something happened, no oftener than a person can look.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use thirdboot_api::control::HostView;

use super::visitor::Visitor;
use crate::App;
use crate::follow::Following;

/// So far apart are two calls to look again, at least.
const PACE: Duration = Duration::from_secs(1);
/// Calls a second to all pages together: with more of them open, each looks less often. Who looks must not slow down who
/// boots.
const CALLS_PER_SECOND: u32 = 50;
/// A comment so often, so that proxies and browsers know that the silence is one.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After this a stream ends: the browser comes again, and its session is looked at anew.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);
/// Pages that hear of the same wait one of so many different times before they look.
const SLOTS: u32 = 16;
/// By this header a browser that comes again says what it was told of last.
const LAST_TOLD: &str = "last-event-id";

/// Tells of the fleet, or of the host that is asked for.
pub(super) async fn stream(visitor: Visitor) -> Response {
    let app = visitor.pages.app.clone();
    let host = match visitor.asked("host") {
        None => None,
        Some(name) => {
            let path = format!("/api/v1/hosts/{}", super::links::segment(name));
            // The API's own look: who may not see the host follows nothing.
            if let Err(problem) = visitor.get::<HostView>(&path).await {
                return visitor.trouble(&problem);
            }
            match name.parse() {
                Ok(name) => app.store.host(&name).await.ok().flatten().map(|state| state.id),
                Err(_) => None,
            }
        }
    };
    let following = app.followers.follow(app.store.as_ref(), host).await;
    // What happened since the page was made, or while nobody listened, is news, too.
    let tip = app.store.changed(0, Duration::ZERO).await;
    let missed = known(&visitor).filter(|known| tip > *known).map(|_| tip);
    let until = Instant::now() + MAX_AGE;
    let told = Told {
        app,
        following,
        missed,
        open: Open::one_more(&visitor.pages.open),
        until,
    };
    let calls = stream::unfold(told, |mut told| async move {
        let event = told.next().await?;
        Some((Ok::<_, Infallible>(event), told))
    });
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    let mut response = Sse::new(calls).keep_alive(keep_alive).into_response();
    let value = axum::http::HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", value);
    response
}

/// The line of the log up to which this browser knows everything: what it was told of last, or when its page was made.
fn known(visitor: &Visitor) -> Option<u64> {
    let told = visitor.headers.get(LAST_TOLD).and_then(|told| told.to_str().ok());
    let told = told.and_then(|told| told.parse().ok());
    told.or_else(|| visitor.asked("seen")?.parse().ok())
}

/// A page that is told.
struct Told {
    app: App,
    following: Following,
    /// It is behind this line from the beginning.
    missed: Option<u64>,
    open: Open,
    until: Instant,
}

impl Told {
    /// The next call to look again; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        if self.following.is_over() || Instant::now() >= self.until {
            return None;
        }
        let missed = self.missed.take();
        if missed.is_none() && !self.following.changed(self.until).await {
            return None;
        }
        // What happens meanwhile is told together.
        tokio::select! {
            () = tokio::time::sleep(self.open.pace()) => {}
            () = self.app.stopping.begun() => return None,
        }
        let seen = self.following.seen().max(missed.unwrap_or_default()).to_string();
        Some(Event::default().event("changed").id(&seen).data(&seen))
    }
}

/// One of the pages that are open.
struct Open {
    all: Arc<AtomicU32>,
    /// How many were open before it.
    number: u32,
}

impl Open {
    fn one_more(all: &Arc<AtomicU32>) -> Self {
        let number = all.fetch_add(1, Ordering::Relaxed);
        let all = Arc::clone(all);
        Self { all, number }
    }

    fn pace(&self) -> Duration {
        spread(pace(self.all.load(Ordering::Relaxed)), self.number)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}

fn pace(open: u32) -> Duration {
    PACE.max(Duration::from_secs(1) * open / CALLS_PER_SECOND)
}

/// Later than others by their number, so that not all of them look at one instant.
fn spread(pace: Duration, number: u32) -> Duration {
    pace + pace * (number % SLOTS) / SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pages_together_are_called_so_often_and_no_oftener() {
        for (open, seconds) in [(0, 1), (1, 1), (50, 1), (200, 4), (1000, 20)] {
            assert_eq!(pace(open), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn pages_look_one_after_another_within_a_pace() {
        let waits: Vec<u128> = (0..17).map(|number| spread(PACE, number).as_millis()).collect();
        assert_eq!(
            (waits[0], waits[1], waits[8], waits[15], waits[16]),
            (1000, 1062, 1500, 1937, 1000)
        );
    }

    #[test]
    fn a_page_that_is_closed_counts_no_more() {
        let all = Arc::default();
        let (one, other) = (Open::one_more(&all), Open::one_more(&all));
        assert_eq!(all.load(Ordering::Relaxed), 2);
        drop((one, other));
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }
}
