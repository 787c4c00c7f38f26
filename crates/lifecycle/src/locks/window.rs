//! When hosts of a group may reboot.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::InvalidGroupSettings;
use crate::text::checked_text;

/// A window's length in minutes: shorter than ten and no host gets its turn, longer than a day and it has no end.
const LENGTHS: std::ops::RangeInclusive<u16> = 10..=1440;

/// A part of the week, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RebootWindow {
    /// The days on which it begins.
    pub days: Vec<Day>,
    /// When it begins, in UTC.
    pub start: StartTime,
    /// How long it is.
    pub length_minutes: u16,
}

impl RebootWindow {
    pub(super) fn check(&self) -> Result<(), InvalidGroupSettings> {
        let refuse = |field, why: String| Err(InvalidGroupSettings { field, why });
        let mut days = self.days.clone();
        days.sort_unstable();
        days.dedup();
        if days.is_empty() || days.len() != self.days.len() {
            return refuse("window.days", "expected days of the week, each once".to_owned());
        }
        if !LENGTHS.contains(&self.length_minutes) {
            let (least, most) = (LENGTHS.start(), LENGTHS.end());
            let why = format!("{} minutes: expected {least} to {most}", self.length_minutes);
            return refuse("window.length_minutes", why);
        }
        Ok(())
    }

    /// Whether it is open at this time.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        let length = SignedDuration::from_mins(i64::from(self.length_minutes));
        let now = Offset::UTC.to_datetime(now);
        let Ok(days) = now.date().yesterday().map(|yesterday| [now.date(), yesterday]) else {
            return false;
        };
        // It is a day long at most: one that is open began today or yesterday.
        days.into_iter().any(|date| {
            let (hour, minute) = self.start.hour_and_minute();
            let open_for = now.duration_since(date.at(hour, minute, 0, 0));
            self.days.contains(&Day::from(date.weekday())) && !open_for.is_negative() && open_for < length
        })
    }

    /// The days in words that systemd and Zincati both know, such as `Sat,Sun`.
    #[must_use]
    pub fn day_names(&self) -> Vec<&'static str> {
        self.days.iter().map(|day| day.as_str()).collect()
    }
}

impl fmt::Display for RebootWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.day_names().join(",");
        write!(f, "{days} {} UTC, {} min", self.start, self.length_minutes)
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "days of the week")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

impl Day {
    /// As systemd and Zincati write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "Mon",
            Self::Tue => "Tue",
            Self::Wed => "Wed",
            Self::Thu => "Thu",
            Self::Fri => "Fri",
            Self::Sat => "Sat",
            Self::Sun => "Sun",
        }
    }
}

/// A time of the day as `HH:MM`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StartTime(Box<str>);

/// No time of the day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no time of the day: expected HH:MM, such as 03:30")]
pub struct InvalidStart {
    given: String,
}

impl FromStr for StartTime {
    type Err = InvalidStart;

    fn from_str(text: &str) -> Result<Self, InvalidStart> {
        let number = |text: &str, below: u8| {
            let is_number = text.len() == 2 && text.bytes().all(|c| c.is_ascii_digit());
            is_number && text.parse::<u8>().is_ok_and(|number| number < below)
        };
        match text.split_once(':') {
            Some((hour, minute)) if number(hour, 24) && number(minute, 60) => Ok(Self(text.into())),
            _ => Err(InvalidStart {
                given: text.chars().take(80).collect(),
            }),
        }
    }
}

checked_text!(StartTime, InvalidStart);

impl StartTime {
    fn hour_and_minute(&self) -> (i8, i8) {
        // What does not parse is no `StartTime`.
        let number = |text: &str| text.parse().unwrap_or_default();
        let (hour, minute) = self.0.split_once(':').unwrap_or_default();
        (number(hour), number(minute))
    }
}
