//! Numbers of any size, exactly.

use std::cmp::Ordering;

/// A number as Terraform has it: exact, of any size. Kept as decimal text without an exponent, in one form a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number(String);

impl Number {
    /// A number written as decimal, such as `-12.50`; none when it is not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(part) || digits.ends_with('.') {
            return None;
        }
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        let part = part.trim_end_matches('0');
        Some(Self(match (whole, part) {
            ("0", "") => "0".to_owned(),
            (whole, "") => format!("{sign}{whole}"),
            (whole, part) => format!("{sign}{whole}.{part}"),
        }))
    }

    /// The shortest decimal that is read as this float again; none when it is infinite or not a number.
    pub(crate) fn from_f64(float: f64) -> Option<Self> {
        // Without an exponent, however large.
        float.is_finite().then(|| Self::parse(&format!("{float}"))).flatten()
    }

    /// As decimal text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a float, if that is exactly this number.
    pub(crate) fn as_exact_f64(&self) -> Option<f64> {
        let float: f64 = self.0.parse().ok()?;
        (Self::from_f64(float).as_ref() == Some(self)).then_some(float)
    }

    fn parts(&self) -> (bool, &str, &str) {
        let (is_negative, digits) = match self.0.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, self.0.as_str()),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        (is_negative, whole, part)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.parts(), other.parts());
        let size = |(_, whole, part): (bool, &str, &str)| (whole.len(), whole.to_owned(), part.to_owned());
        match (a.0, b.0) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => size(a).cmp(&size(b)),
            (true, true) => size(b).cmp(&size(a)),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_form() {
        for (text, form) in [
            ("0", "0"),
            ("-0", "0"),
            ("007", "7"),
            ("1.500", "1.5"),
            ("-2.0", "-2"),
            ("0.10", "0.1"),
        ] {
            assert_eq!(Number::parse(text).unwrap().as_str(), form);
        }
        for text in ["", "-", "1e3", "1.", ".5", "+1", "0x1", "1.2.3", "NaN"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_in_order_whatever_their_length() {
        let mut numbers = ["10", "9", "-10", "-9", "0.5", "0.25", "123456789012345678901234567890"]
            .map(|text| Number::parse(text).unwrap());
        numbers.sort();
        let sorted: Vec<&str> = numbers.iter().map(Number::as_str).collect();
        assert_eq!(
            sorted,
            ["-10", "-9", "0.25", "0.5", "9", "10", "123456789012345678901234567890"]
        );
    }

    #[test]
    fn a_float_is_taken_where_it_is_exact() {
        assert_eq!(Number::parse("1.5").unwrap().as_exact_f64(), Some(1.5));
        assert_eq!(Number::parse("1.00000000000000000001").unwrap().as_exact_f64(), None);
        assert_eq!(
            Number::from_f64(1e30).unwrap().as_str(),
            "1000000000000000000000000000000"
        );
        assert_eq!(Number::from_f64(f64::NAN), None);
    }
}
