//! Keeping a pace: token buckets for requests, and back-off after failed sign-ins.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most keys that are remembered: an attacker with many addresses does not grow the hub.
const MOST_KEYS: usize = 10_000;

/// An address as it is counted: a network hands out a whole /64 of IPv6 to one machine.
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut parts = v6.segments();
            parts[4..].fill(0);
            IpAddr::from(parts)
        }
        v4 => v4,
    }
}

/// Token buckets by key: `burst` at once, then `per_second`.
#[derive(Debug)]
pub struct Pace<K> {
    burst: f64,
    per_second: f64,
    buckets: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Eq + Hash + Clone> Pace<K> {
    /// A pace.
    pub fn new(burst: f64, per_second: f64) -> Self {
        Self { burst, per_second, buckets: Mutex::default() }
    }

    /// Takes one; or says how long to wait.
    pub fn take(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full_after = Duration::from_secs_f64(self.burst / self.per_second);
        make_room(&mut buckets, now, full_after, |(_, last)| *last);
        let (level, last) = buckets.entry(key.clone()).or_insert((self.burst, now));
        *level = (*level + now.duration_since(*last).as_secs_f64() * self.per_second).min(self.burst);
        *last = now;
        if *level >= 1.0 {
            *level -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - *level) / self.per_second))
    }
}

/// Forgets what is as good as new; then, under attack, the older half.
fn make_room<K: Eq + Hash + Clone, V>(
    map: &mut HashMap<K, V>,
    now: Instant,
    age: Duration,
    last: impl Fn(&V) -> Instant,
) {
    if map.len() < MOST_KEYS {
        return;
    }
    map.retain(|_, v| now.duration_since(last(v)) < age);
    if map.len() >= MOST_KEYS {
        let mut times: Vec<Instant> = map.values().map(&last).collect();
        times.sort();
        let middle = times[times.len() / 2];
        map.retain(|_, v| last(v) > middle);
    }
}

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;
/// Failures of one account from anywhere before all of them wait: somebody with many addresses guesses.
const FREE_ANYWHERE: u32 = 100;
/// The longest wait from one address.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The longest wait of an account from anywhere: short, since it also locks its owner out.
const LONGEST_ANYWHERE: Duration = Duration::from_secs(30);

/// Failed sign-ins, by account and address, and by account.
#[derive(Debug, Default)]
pub struct Failures(Mutex<HashMap<Attempted, (u32, Instant)>>);

/// An account, and from where; from anywhere where there is no address.
type Attempted = (String, Option<IpAddr>);

impl Failures {
    /// Takes an attempt as failed until [`Self::forget`] says otherwise, so that many at once do not slip through
    /// together; or says how long to wait. Unknown accounts are treated alike.
    pub fn attempt(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut all, now, LONGEST, |(_, last)| *last);
        let keys = [(Some(counted(address)), FREE, LONGEST), (None, FREE_ANYWHERE, LONGEST_ANYWHERE)];
        for (address, free, longest) in keys {
            if let Some((count, last)) = all.get(&(name.to_owned(), address)) {
                let wait = wait(*count, free, longest).saturating_sub(now.duration_since(*last));
                if !wait.is_zero() {
                    return Err(wait);
                }
            }
        }
        for (address, ..) in keys {
            let (count, last) = all.entry((name.to_owned(), address)).or_insert((0, now));
            // A quiet hour and all is forgotten.
            if now.duration_since(*last) > Duration::from_secs(3600) {
                *count = 0;
            }
            *count = count.saturating_add(1);
            *last = now;
        }
        Ok(())
    }

    /// The attempt was right.
    pub fn forget(&self, name: &str, address: IpAddr) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&(name.to_owned(), Some(counted(address))));
        if let Some((count, _)) = all.get_mut(&(name.to_owned(), None)) {
            *count = count.saturating_sub(1);
        }
    }
}

fn wait(failures: u32, free: u32, longest: Duration) -> Duration {
    match failures.checked_sub(free) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1 << beyond.min(12)).min(longest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let pace = Pace::new(2.0, 1.0);
        let now = Instant::now();
        assert!(pace.take(&"a", now).is_ok() && pace.take(&"a", now).is_ok());
        assert_eq!(pace.take(&"a", now), Err(Duration::from_secs(1)));
        assert!(pace.take(&"b", now).is_ok());
        assert!(pace.take(&"a", now + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn failures_make_wait_longer_and_longer_and_memory_is_bounded() {
        let failures = Failures::default();
        let (here, there) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let mut now = Instant::now();
        for _ in 0..FREE {
            assert!(failures.attempt("anna", here, now).is_ok());
        }
        assert_eq!(failures.attempt("anna", here, now), Err(Duration::from_secs(1)));
        assert!(failures.attempt("anna", there, now).is_ok(), "another address is not held up");
        assert!(failures.attempt("bert", here, now).is_ok(), "nor another account");
        now += Duration::from_secs(1);
        assert!(failures.attempt("anna", here, now).is_ok());
        assert_eq!(failures.attempt("anna", here, now), Err(Duration::from_secs(2)));
        failures.forget("anna", here);
        assert!(failures.attempt("anna", here, now).is_ok());
        for n in 0..3 * MOST_KEYS {
            let _ = failures.attempt(&n.to_string(), here, now + Duration::from_micros(n as u64));
        }
        assert!(failures.0.lock().unwrap().len() <= MOST_KEYS + 2);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let a: IpAddr = "2001:db8::1".parse().unwrap();
        let b: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        assert_eq!(counted(a), counted(b));
        assert_eq!(counted("::ffff:10.0.0.1".parse().unwrap()), "10.0.0.1".parse::<IpAddr>().unwrap());
    }
}
