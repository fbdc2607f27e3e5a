//! How long a call in the living campus may take. It is counted in time of a processor: that a machine is busy is no fault
//! of a plugin's, and its threads give way to the hub's own.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// So many times as long as it may have a processor may a call take by the clock: it holds a thread.
const MOST_BY_CLOCK: u32 = 20;
/// The processor's time of a thread is asked for so often at most: asking costs a quarter of a short call.
const FRESH: Duration = Duration::from_millis(2);

thread_local! {
    /// When this thread's time was asked for last, and what it was.
    static LOOKED: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// The end of a call.
pub(crate) struct Deadline {
    began: Instant,
    /// The time of the thread at the beginning, or a moment before.
    had: Duration,
    may: Duration,
}

impl Deadline {
    /// Of a call that begins now, on this thread.
    pub(crate) fn begin(call_ms: u32) -> Self {
        let (began, may) = (Instant::now(), Duration::from_millis(call_ms.into()));
        // What others had since the last look is charged to this one: little, and less where little is allowed.
        let fresh = FRESH.min(may / 8);
        let known = LOOKED.get().filter(|(at, _)| began.duration_since(*at) < fresh);
        let had = known.map_or_else(|| look(began), |(_, had)| had);
        Self { began, had, may }
    }

    /// After how many milliseconds at the soonest it is over; none: it is.
    pub(crate) fn left_ms(&self) -> Option<u64> {
        let now = Instant::now();
        if now.duration_since(self.began) >= self.may * MOST_BY_CLOCK {
            return None;
        }
        let left = self.may.checked_sub(look(now).saturating_sub(self.had))?;
        (!left.is_zero()).then(|| left.as_millis() as u64 + 1)
    }
}

fn look(now: Instant) -> Duration {
    let had = thread_time(now);
    LOOKED.set(Some((now, had)));
    had
}

/// How long this thread has had a processor.
#[cfg(unix)]
fn thread_time(_: Instant) -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Elsewhere the clock counts.
#[cfg(not(unix))]
fn thread_time(now: Instant) -> Duration {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    now.duration_since(*FIRST.get_or_init(Instant::now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_charged_what_it_had_of_a_processor() {
        let waits = Deadline::begin(20);
        std::thread::sleep(Duration::from_millis(40));
        assert!(
            waits.left_ms().is_some_and(|left| left >= 15),
            "waiting costs nothing: {:?}",
            waits.left_ms()
        );
        let works = Deadline::begin(20);
        let began = Instant::now();
        // On a machine that does other things as well it takes longer by the clock.
        while works.left_ms().is_some() {
            std::hint::black_box(0);
        }
        assert!(began.elapsed() >= Duration::from_millis(17), "{:?}", began.elapsed());
    }

    #[test]
    fn a_call_that_only_waits_is_over_in_the_end() {
        let waits = Deadline::begin(1);
        std::thread::sleep(Duration::from_millis(25));
        assert_eq!(waits.left_ms(), None);
    }
}
