//! The provider's word on how much may be asked: one token has one limit, whatever machine it is used for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// A provider that names a longer pause is asked again after this one.
const MAX_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Where it names none.
const USUAL_PAUSE: Duration = Duration::from_secs(30);
/// Greater numbers of `X-RateLimit-Reset` are a time and no count of seconds.
const FIRST_TIME: u64 = 1_000_000_000;

/// Until when nothing is asked.
#[derive(Debug, Default)]
pub(super) struct Limit(Mutex<Option<Instant>>);

impl Limit {
    /// How long nothing may be asked any more.
    pub(super) fn pause(&self) -> Option<Duration> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until
            .map(|until| until.saturating_duration_since(Instant::now()))
            .filter(|left| !left.is_zero())
    }

    /// Notes what an answer says; gives the pause of one that was refused for its number.
    pub(super) fn note(&self, headers: &HeaderMap, is_refused: bool) -> Option<Duration> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let reset = number("x-ratelimit-reset").and_then(|reset| until(reset, date));
        let is_used_up = number("x-ratelimit-remaining") == Some(0);
        let pause = if is_refused {
            Some(
                number(RETRY_AFTER.as_str())
                    .map(Duration::from_secs)
                    .or(reset)
                    .unwrap_or(USUAL_PAUSE),
            )
        } else {
            reset.filter(|_| is_used_up)
        };
        let pause = pause.map(|pause| pause.min(MAX_PAUSE));
        if let Some(pause) = pause {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
        }
        pause.filter(|_| is_refused)
    }
}

/// How long until then: a count of seconds, or a time, which the answer's own date says the distance of.
fn until(reset: u64, date: Option<&str>) -> Option<Duration> {
    if reset < FIRST_TIME {
        return Some(Duration::from_secs(reset));
    }
    let date = rfc2822::parse(date?).ok()?.timestamp();
    let date = u64::try_from(date.as_second()).ok()?;
    Some(Duration::from_secs(reset.saturating_sub(date)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).try_into().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_refusal_pauses_as_long_as_it_says() {
        for (said, seconds) in [
            (&[("retry-after", "7")][..], 7),
            (&[("x-ratelimit-reset", "9")], 9),
            (&[("retry-after", "99999")], MAX_PAUSE.as_secs()),
            (&[("retry-after", "soon")], USUAL_PAUSE.as_secs()),
        ] {
            let limit = Limit::default();
            assert_eq!(limit.note(&headers(said), true), Some(Duration::from_secs(seconds)));
            assert!(limit.pause().is_some());
        }
    }

    #[test]
    fn the_last_request_that_is_left_is_not_asked_beyond() {
        let limit = Limit::default();
        assert_eq!(
            limit.note(
                &headers(&[("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "40")]),
                false
            ),
            None
        );
        assert_eq!(limit.pause(), None);
        limit.note(
            &headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "40")]),
            false,
        );
        assert!(limit.pause().is_some());
        let date = Some("Fri, 15 Jan 2027 08:00:00 GMT");
        for (reset, date) in [(30, None), (30, date), (1_800_000_030, date)] {
            assert_eq!(until(reset, date), Some(Duration::from_secs(30)));
        }
        assert_eq!(until(1_800_000_030, None), None);
    }
}
