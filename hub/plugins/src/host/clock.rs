//! Time: the world's, and the wall's of the campus.

use wasmtime::Result;

use super::HostState;
use crate::bindings::clock::{Host, LocalTime};
use crate::grants::Grants;

impl Host for HostState {
    fn now(&mut self) -> Result<i64> {
        self.told("clock.now", 0, |turn, _| turn.now().0)
    }

    fn local(&mut self, at: i64) -> Result<LocalTime> {
        self.told("clock.local", 0, |_, grants| local(grants, at))
    }
}

fn local(grants: &Grants, at: i64) -> LocalTime {
    // What lies beyond the calendar is shown as its edge.
    let edge = if at < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let moment = jiff::Timestamp::from_microsecond(at).unwrap_or(edge);
    let offset = grants.zone.to_offset(moment);
    let local = offset.to_datetime(moment);
    LocalTime {
        year: local.year(),
        month: local.month().unsigned_abs(),
        day: local.day().unsigned_abs(),
        weekday: local.weekday().to_monday_one_offset().unsigned_abs(),
        hour: local.hour().unsigned_abs(),
        minute: local.minute().unsigned_abs(),
        second: local.second().unsigned_abs(),
        offset_s: offset.seconds(),
    }
}
