//! The only clock. It never runs below the last time that was stored, whatever the machine's clock does.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Millisecond clock with a floor.
#[derive(Debug)]
pub struct Clock {
    source: Source,
    floor_ms: AtomicI64,
}

#[derive(Debug)]
enum Source {
    System,
    Manual(AtomicI64),
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            source: Source::System,
            floor_ms: AtomicI64::new(i64::MIN),
        }
    }
}

impl Clock {
    /// A clock for tests that stands still until it is moved.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self {
            source: Source::Manual(AtomicI64::new(start.as_millisecond())),
            floor_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// Now, to the millisecond, never before anything this clock said or was told.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let read_ms = match &self.source {
            Source::System => system_ms(),
            Source::Manual(ms) => ms.load(Ordering::Relaxed),
        };
        let before = self.floor_ms.fetch_max(read_ms, Ordering::Relaxed);
        from_ms(before.max(read_ms))
    }

    /// Never say less than `stored` from now on.
    pub fn not_before(&self, stored: Timestamp) {
        self.floor_ms.fetch_max(stored.as_millisecond(), Ordering::Relaxed);
    }

    /// Moves a manual clock, forwards or back as a wrong hardware clock would. The system's clock is not moved.
    pub fn jump(&self, by: SignedDuration) {
        if let Source::Manual(ms) = &self.source {
            let by_ms = i64::try_from(by.as_millis()).unwrap_or(0);
            ms.fetch_add(by_ms, Ordering::Relaxed);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that the ban points to")]
fn system_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_below_what_was_seen_or_stored() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let clock = Clock::manual(start);
        assert_eq!(clock.now(), start);
        clock.jump(SignedDuration::from_hours(-1));
        assert_eq!(clock.now(), start);
        let stored = start + SignedDuration::from_mins(1);
        clock.not_before(stored);
        assert_eq!(clock.now(), stored);
        clock.jump(SignedDuration::from_hours(2));
        assert_eq!(clock.now(), start + SignedDuration::from_hours(1));
    }
}
