//! The pace of a rehearsal against the wall's clock.

use std::time::{Duration, Instant};

/// Further behind than this, a clock gives up catching up: it goes slower than was asked for, and says so.
const PATIENCE: Duration = Duration::from_millis(250);
/// Over how long the pace is measured.
const WINDOW: Duration = Duration::from_secs(1);
/// The fastest pace that can be asked for by number; faster is as fast as possible.
pub const MAX_RATE: f64 = 3600.0;

/// How fast a rehearsal is to go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Not at all.
    Paused,
    /// So many seconds a second.
    Rate(f64),
    /// As fast as it can.
    Most,
}

impl Pace {
    /// A pace from a number: 0 is paused, more than [`MAX_RATE`] as fast as it can; nothing for what is no pace.
    pub fn of(rate: f64) -> Option<Self> {
        match rate {
            r if r.is_nan() || r < 0.0 => None,
            0.0 => Some(Self::Paused),
            r if r > MAX_RATE => Some(Self::Most),
            r => Some(Self::Rate(r)),
        }
    }
}

/// Keeps the pace. It never skips: a machine that is too slow makes the clock go slower.
#[derive(Debug)]
pub struct Clock {
    pace: Pace,
    /// Where wall and rehearsal were together.
    anchor: (Instant, f64),
    window: (Instant, f64),
    measured: f64,
    slowed: bool,
}

impl Clock {
    /// A clock that stands at a rehearsal's seconds.
    pub fn new(pace: Pace, wall: Instant, now_s: f64) -> Self {
        Self { pace, anchor: (wall, now_s), window: (wall, now_s), measured: 0.0, slowed: false }
    }

    /// The pace that is wanted.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// From now on another pace.
    pub fn set(&mut self, pace: Pace, wall: Instant, now_s: f64) {
        *self = Self { measured: self.measured, ..Self::new(pace, wall, now_s) };
    }

    /// How long to wait until the rehearsal may be at `next_s`; `None`: until another pace is set.
    pub fn wait(&mut self, wall: Instant, next_s: f64) -> Option<Duration> {
        match self.pace {
            Pace::Paused => None,
            Pace::Most => Some(Duration::ZERO),
            Pace::Rate(rate) => {
                let due = self.anchor.0 + Duration::from_secs_f64(((next_s - self.anchor.1) / rate).max(0.0));
                if wall > due + PATIENCE {
                    self.anchor = (wall, next_s);
                    self.slowed = true;
                }
                Some(due.saturating_duration_since(wall))
            }
        }
    }

    /// The rehearsal has come to `now_s`.
    pub fn passed(&mut self, wall: Instant, now_s: f64) {
        let since = wall.saturating_duration_since(self.window.0);
        if since >= WINDOW {
            self.measured = (now_s - self.window.1) / since.as_secs_f64();
            self.window = (wall, now_s);
            if let Pace::Rate(rate) = self.pace {
                self.slowed = self.measured < 0.95 * rate;
            }
        }
    }

    /// Seconds of the rehearsal a second, as measured; 0 where it is paused.
    pub fn measured(&self) -> f64 {
        if self.pace == Pace::Paused { 0.0 } else { self.measured }
    }

    /// Whether the machine can't keep the pace that is wanted.
    pub fn is_slowed(&self) -> bool {
        self.slowed && matches!(self.pace, Pace::Rate(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_paces() {
        assert_eq!(Pace::of(0.0), Some(Pace::Paused));
        assert_eq!(Pace::of(60.0), Some(Pace::Rate(60.0)));
        assert_eq!(Pace::of(1e6), Some(Pace::Most));
        assert_eq!(Pace::of(-1.0), None);
        assert_eq!(Pace::of(f64::NAN), None);
    }

    #[test]
    fn a_fast_machine_waits_and_a_slow_one_slows_the_clock() {
        let start = Instant::now();
        let after = |s: f64| start + Duration::from_secs_f64(s);
        let mut clock = Clock::new(Pace::Rate(10.0), start, 0.0);
        assert_eq!(clock.wait(start, 1.0), Some(Duration::from_millis(100)));
        // A barrier a tenth of a second: in step.
        for k in 1..=20 {
            clock.passed(after(0.1 * f64::from(k)), f64::from(k));
        }
        assert!((clock.measured() - 10.0).abs() < 0.2 && !clock.is_slowed(), "{}", clock.measured());
        // Then half a second a barrier: two a second, nothing skipped, and it is said.
        for k in 1..=6 {
            let wall = after(2.0 + 0.5 * f64::from(k));
            let next = 20.0 + f64::from(k);
            assert_eq!(clock.wait(wall, next), Some(Duration::ZERO));
            clock.passed(wall, next);
        }
        assert!((clock.measured() - 2.0).abs() < 0.1 && clock.is_slowed(), "{}", clock.measured());
        clock.set(Pace::Paused, after(6.0), 26.0);
        assert_eq!(clock.wait(after(7.0), 27.0), None);
        assert!(!clock.is_slowed());
    }
}
