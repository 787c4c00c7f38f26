//! How often somebody may guess. Counted before the guess, so that many at once gain nothing.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use lru::LruCache;

/// Guesses at one name from one place.
const PER_NAME: u32 = 5;
/// Guesses from one place, whatever the name.
const PER_SOURCE: u32 = 30;
/// For so long a guess counts.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Places and names that are remembered.
const REMEMBERED: usize = 8192;

/// Whose guesses are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Name(String, IpAddr),
    Source(IpAddr),
}

/// Guesses since then.
#[derive(Debug, Clone, Copy)]
struct Guessed {
    count: u32,
    since: Timestamp,
}

/// Counts guesses.
#[derive(Debug)]
pub(super) struct Attempts(Mutex<LruCache<Key, Guessed>>);

impl Default for Attempts {
    fn default() -> Self {
        let remembered = NonZeroUsize::new(REMEMBERED).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(remembered)))
    }
}

impl Attempts {
    /// Takes a guess, or says after how many seconds there is one.
    pub(super) fn take(&self, name: &str, source: IpAddr, now: Timestamp) -> Result<(), u64> {
        let source = network(source);
        let mut guessed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = [
            (Key::Name(name.to_owned(), source), PER_NAME),
            (Key::Source(source), PER_SOURCE),
        ];
        for (key, limit) in &limits {
            if let Some(before) = guessed.get(key).filter(|before| before.counts(now))
                && before.count >= *limit
            {
                return Err(before.over_in_s(now));
            }
        }
        for (key, _) in limits {
            let before = guessed.get(&key).copied().filter(|before| before.counts(now));
            let mut guess = before.unwrap_or(Guessed { count: 0, since: now });
            guess.count += 1;
            guessed.put(key, guess);
        }
        Ok(())
    }

    /// It was no guess: who knows the password may mistype it again.
    pub(super) fn was_right(&self, name: &str, source: IpAddr) {
        let source = network(source);
        let mut guessed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guessed.pop(&Key::Name(name.to_owned(), source));
        if let Some(of_source) = guessed.get_mut(&Key::Source(source)) {
            of_source.count = of_source.count.saturating_sub(1);
        }
    }
}

impl Guessed {
    fn counts(&self, now: Timestamp) -> bool {
        now.duration_since(self.since) < WINDOW
    }

    fn over_in_s(&self, now: Timestamp) -> u64 {
        let left = WINDOW - now.duration_since(self.since);
        u64::try_from(left.as_secs()).unwrap_or_default().max(1)
    }
}

/// One place: an address, or the network that one customer of a provider has in IPv6.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn from(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_is_guessed_at_five_times_in_five_minutes() {
        let attempts = Attempts::default();
        for second in 0..5 {
            assert_eq!(attempts.take("ann", from("192.0.2.1"), at(second)), Ok(()));
        }
        assert_eq!(attempts.take("ann", from("192.0.2.1"), at(5)), Err(295));
        assert_eq!(
            attempts.take("ann", from("192.0.2.2"), at(5)),
            Ok(()),
            "elsewhere she may"
        );
        assert_eq!(attempts.take("ann", from("192.0.2.1"), at(300)), Ok(()));
    }

    #[test]
    fn many_names_from_one_place_are_guesses_too() {
        let attempts = Attempts::default();
        let name = |n: u32| format!("user-{n}");
        for n in 0..30 {
            let address = from(&format!("2001:db8::{n:x}"));
            assert_eq!(attempts.take(&name(n), address, at(0)), Ok(()));
        }
        assert!(attempts.take(&name(31), from("2001:db8::ffff"), at(0)).is_err());
        assert!(attempts.take(&name(31), from("2001:db8:0:1::1"), at(0)).is_ok());
    }

    #[test]
    fn who_was_right_starts_anew() {
        let attempts = Attempts::default();
        for _ in 0..40 {
            assert_eq!(attempts.take("ann", from("192.0.2.1"), at(0)), Ok(()));
            attempts.was_right("ann", from("192.0.2.1"));
        }
    }
}
