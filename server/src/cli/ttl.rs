//! A permit's time on the command line: `90s`, `45m`, `24h`, `7d`.

/// A number of seconds that can be written with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttl {
    /// In seconds.
    pub(super) seconds: u64,
}

impl std::str::FromStr for Ttl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} is no time: expected a number and s, m, h or d, such as 24h");
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
        let (number, unit) = text.split_at(unit_at);
        let unit_s: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return Err(expected()),
        };
        let number: u64 = number.parse().map_err(|_| expected())?;
        let seconds = number
            .checked_mul(unit_s)
            .filter(|seconds| *seconds > 0)
            .ok_or_else(expected)?;
        Ok(Self { seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("45m", 2700), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(text.parse(), Ok(Ttl { seconds }));
        }
        for bad in [
            "",
            "24",
            "h",
            "-1h",
            "1.5h",
            "0s",
            "24 h",
            "1w",
            "99999999999999999999d",
        ] {
            assert!(bad.parse::<Ttl>().is_err(), "{bad:?}");
        }
    }
}
