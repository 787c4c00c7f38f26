//! Liveness: tells a page that something happened, no oftener than a person can look.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use thirdboot_api::control::HostView;

use super::visitor::Visitor;
use crate::App;
use crate::follow::Following;

/// So far apart are two calls to look again.
const PACE: Duration = Duration::from_secs(1);
/// A comment so often, so that proxies and browsers know that the silence is one.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After this a stream ends: the browser comes again, and its session is looked at anew.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

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
    let until = Instant::now() + MAX_AGE;
    let calls = stream::unfold((app, following, until), |(app, mut following, until)| async move {
        next(&app, &mut following, until)
            .await
            .map(|event| (Ok::<_, Infallible>(event), (app, following, until)))
    });
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    let mut response = Sse::new(calls).keep_alive(keep_alive).into_response();
    let value = axum::http::HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", value);
    response
}

/// The next call to look again; none when the stream ends.
async fn next(app: &App, following: &mut Following, until: Instant) -> Option<Event> {
    if following.is_over() || Instant::now() >= until {
        return None;
    }
    if !following.changed(until).await {
        return None;
    }
    // What happens meanwhile is told together.
    tokio::select! {
        () = tokio::time::sleep(PACE) => {}
        () = app.stopping.begun() => return None,
    }
    Some(Event::default().event("changed").data(following.seen().to_string()))
}
