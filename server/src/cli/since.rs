//! A time on the command line: itself, or how long ago it was.

use jiff::{SignedDuration, Timestamp};

use super::now;
use super::ttl::Ttl;

/// A time (RFC 3339), or how long ago, such as 90s, 45m, 24h or 7d.
#[derive(Debug, Clone, Copy)]
pub(super) enum Since {
    Time(Timestamp),
    Ago(Ttl),
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = text.parse() {
            return Ok(Self::Time(time));
        }
        let ago = text.parse().map(Self::Ago);
        ago.map_err(|_| "expected a time such as 2026-09-01T12:00:00Z, or how long ago, such as 45m".to_owned())
    }
}

impl Since {
    /// As the server takes it.
    pub(super) fn time(self) -> Timestamp {
        match self {
            Self::Time(time) => time,
            Self::Ago(ago) => before(now(), ago.seconds),
        }
    }
}

fn before(now: Timestamp, seconds: u64) -> Timestamp {
    let ago = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    now.saturating_sub(ago).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_time_or_how_long_ago() {
        assert!(matches!("2026-09-01T12:00:00Z".parse(), Ok(Since::Time(_))));
        assert!(matches!("45m".parse(), Ok(Since::Ago(ago)) if ago.seconds == 2700));
        assert!("yesterday".parse::<Since>().unwrap_err().contains("such as 45m"));
        let noon: Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
        assert_eq!(before(noon, 3600).to_string(), "2026-09-01T11:00:00Z");
        assert_eq!(before(noon, u64::MAX), Timestamp::MIN);
    }
}
