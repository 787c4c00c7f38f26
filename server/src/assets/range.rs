//! Which part of a file was asked for (RFC 9110, section 14).

use axum::http::{HeaderMap, header};
use http_range_header::parse_range_header;

/// Which part of a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// `length` bytes from `start` on; at least one.
    From {
        /// Offset.
        start: u64,
        /// How many.
        length: u64,
    },
    /// None of it is there.
    Unsatisfiable,
}

/// Reads `Range` and `If-Range`. What cannot be read, and a range of another version of the file, is the whole file;
/// so are several ranges at once, which no host asks for.
pub(crate) fn part(headers: &HeaderMap, size: u64, etag: &str) -> Part {
    let Some(range) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return Part::Whole;
    };
    let is_of_this_version = headers
        .get(header::IF_RANGE)
        .is_none_or(|value| value.as_bytes() == etag.as_bytes());
    if !is_of_this_version {
        return Part::Whole;
    }
    let Ok(parsed) = parse_range_header(range) else {
        return Part::Whole;
    };
    match parsed.validate(size) {
        Ok(ranges) => match ranges.as_slice() {
            [only] => Part::From {
                start: *only.start(),
                length: only.end() - only.start() + 1,
            },
            _ => Part::Whole,
        },
        Err(_) => Part::Unsatisfiable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: &str) -> Part {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().unwrap());
        part(&headers, 1000, "\"e\"")
    }

    #[test]
    fn a_range_is_cut_to_the_file() {
        assert_eq!(of("bytes=0-99"), Part::From { start: 0, length: 100 });
        assert_eq!(
            of("bytes=900-"),
            Part::From {
                start: 900,
                length: 100
            }
        );
        assert_eq!(of("bytes=-1"), Part::From { start: 999, length: 1 });
        assert_eq!(of("bytes=990-5000"), Part::From { start: 990, length: 10 });
        assert_eq!(of("bytes=1000-"), Part::Unsatisfiable);
    }

    #[test]
    fn what_cannot_be_read_is_the_whole_file() {
        for range in ["lines=1-2", "bytes=x", "bytes=0-1,5-6"] {
            assert_eq!(of(range), Part::Whole, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_the_whole_file() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, "bytes=5-".parse().unwrap());
        headers.insert(header::IF_RANGE, "\"other\"".parse().unwrap());
        assert_eq!(part(&headers, 10, "\"e\""), Part::Whole);
        headers.insert(header::IF_RANGE, "\"e\"".parse().unwrap());
        assert_eq!(part(&headers, 10, "\"e\""), Part::From { start: 5, length: 5 });
    }
}
