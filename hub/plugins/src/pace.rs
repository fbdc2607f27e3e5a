//! How fast a plugin may do what costs others: buckets that fill with the time of the world, so that a rehearsal is the
//! same every time.

use campanile_model::Timestamp;
use serde::{Deserialize, Serialize};

/// So many at once, and so many a second after that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// At once.
    pub burst: f64,
    /// A second.
    pub per_s: f64,
}

/// What is left of a pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// What has been taken and not yet filled up.
    taken: f64,
    /// When that was so.
    at: Timestamp,
}

impl Bucket {
    /// Takes so many at a moment.
    ///
    /// # Errors
    /// The seconds until there are so many; then nothing is taken.
    pub fn take(&mut self, pace: Pace, count: usize, now: Timestamp) -> Result<(), f64> {
        let passed_s = (now.0.saturating_sub(self.at.0)).max(0) as f64 / 1e6;
        let taken = (self.taken - passed_s * pace.per_s).max(0.0);
        let after = taken + count as f64;
        if after > pace.burst {
            return Err((after - pace.burst) / pace.per_s);
        }
        *self = Self { taken: after, at: now };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_with_the_time_of_the_world() {
        let pace = Pace { burst: 3.0, per_s: 0.5 };
        let at = |s: i64| Timestamp(s * Timestamp::SECOND);
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(pace, 3, at(100)), Ok(()));
        assert_eq!(bucket.take(pace, 1, at(100)), Err(2.0));
        assert_eq!(bucket.take(pace, 1, at(101)), Err(1.0));
        assert_eq!(bucket.take(pace, 1, at(102)), Ok(()));
        // A clock that is set back fills nothing and empties nothing.
        assert_eq!(bucket.take(pace, 1, at(50)), Err(2.0));
        assert!(bucket.take(pace, 4, at(10_000)).is_err(), "more than ever there is");
    }
}
