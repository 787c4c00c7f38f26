//! How fast simulated time passes.

use std::time::Duration;

/// However fast time passes, nothing is asked again sooner than this.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);

/// How fast simulated time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    speed: f64,
    stretch: f64,
}

impl Pace {
    /// `speed` simulated seconds pass in a second. Anything that is no positive number counts as 1.
    #[must_use]
    pub fn new(speed: f64) -> Self {
        let is_usable = speed.is_finite() && speed > 0.0;
        Self {
            speed: if is_usable { speed } else { 1.0 },
            stretch: 1.0,
        }
    }

    /// No two machines are equally fast: up to 15 % slower or faster, always the same for the same number.
    #[must_use]
    pub fn of_machine(self, number: u32) -> Self {
        // Knuth's multiplicative hash spreads neighbours.
        let spread = f64::from(number.wrapping_mul(2_654_435_761) >> 16) / 65_535.0;
        Self {
            stretch: 0.85 + 0.3 * spread,
            ..self
        }
    }

    /// How long `simulated` really takes.
    #[must_use]
    pub fn real(self, simulated: Duration) -> Duration {
        simulated.mul_f64(self.stretch / self.speed)
    }

    /// Lets `simulated` time pass.
    pub(crate) async fn pass(self, simulated: Duration) {
        tokio::time::sleep(self.real(simulated)).await;
    }

    /// A pause before something is asked again.
    pub(crate) async fn pause(self, simulated: Duration) {
        tokio::time::sleep(self.real(simulated).max(SHORTEST_PAUSE)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_differ_a_little_and_stay_the_same() {
        let pace = Pace::new(60.0);
        let minute = Duration::from_secs(60);
        assert_eq!(pace.real(minute), Duration::from_secs(1));
        for number in 0..1000 {
            let real = pace.of_machine(number).real(minute).as_millis();
            assert!((849..=1151).contains(&real), "{number}: {real}");
            assert_eq!(pace.of_machine(number), pace.of_machine(number));
        }
        assert_ne!(pace.of_machine(1), pace.of_machine(2));
    }

    #[test]
    fn a_senseless_speed_is_real_time() {
        for speed in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Pace::new(speed), Pace::new(1.0));
        }
    }
}
