//! Who is where: the timetable of a nine-year school, without names.
//!
//! Gate from 7:00, lessons of 40 minutes from 8:20 to 15:10, a long sports break at 9:50, lunch in three shifts
//! from 11:15, after-school care to 17:30; boarders in the dormitory from the evening before a school day.

use campanile_model::SpaceUse;

use crate::calendar::{Day, Moment};
use crate::noise::unit;

/// Starts of the lessons, minutes after midnight; each lasts [`LESSON_MIN`].
const LESSONS: [f64; 6] = [500.0, 550.0, 625.0, 770.0, 820.0, 870.0];
/// Minutes of a lesson.
const LESSON_MIN: f64 = 40.0;

/// Persons that a space is made for, by use and floor area in m².
pub(crate) fn capacity(use_: SpaceUse, area_m2: f64) -> f64 {
    use SpaceUse as U;
    let per_person_m2 = match use_ {
        U::Classroom => return (area_m2 / 1.4).clamp(1.0, 45.0).floor(),
        U::Computer | U::Music | U::Art | U::Dance | U::Laboratory | U::Workshop | U::Activity => {
            return (area_m2 / 2.0).clamp(1.0, 48.0).floor();
        }
        U::Office => 8.0,
        U::Meeting | U::Counselling | U::Clinic | U::Broadcast => 6.0,
        U::Library => 4.0,
        U::Dining => 1.6,
        U::Hall => 1.5,
        U::Gym => 8.0,
        U::Kitchen => 15.0,
        U::Dormitory => return (area_m2 / 5.0).clamp(1.0, 8.0).floor(),
        U::Guard => return 2.0,
        U::Corridor | U::Lobby | U::Stair => 6.0,
        U::Toilet | U::Washroom | U::Changing => 5.0,
        _ => return 0.0,
    };
    (area_m2 / per_person_m2).floor().max(1.0)
}

/// The lesson that runs, or `None` in breaks and out of hours.
fn lesson(minute: f64) -> Option<usize> {
    LESSONS.iter().position(|&start| (start..start + LESSON_MIN).contains(&minute))
}

fn ramp(x: f64, from: f64, to: f64) -> f64 {
    ((x - from) / (to - from)).clamp(0.0, 1.0)
}

/// Whether people move about: breaks, arrival, lunch, leaving.
pub(crate) fn is_break(now: &Moment) -> bool {
    now.day == Day::School && (420.0..1080.0).contains(&now.minute) && lesson(now.minute).is_none()
}

/// How much of the school is at work, 0 to 1: for loads that have no room.
pub(crate) fn activity(now: &Moment) -> f64 {
    match now.day {
        Day::School => {
            0.08 + 0.92 * ramp(now.minute, 400.0, 480.0) * (1.0 - ramp(now.minute, 1020.0, 1110.0))
        }
        Day::Rest | Day::Vacation => 0.08,
    }
}

/// When somebody goes round and switches off what is left on, minutes after midnight.
const ROUNDS: [std::ops::Range<f64>; 2] = [1110.0..1140.0, 1320.0..1350.0];
/// The share of rooms that a round of an evening doesn't come to.
const MISSED: f64 = 0.05;
/// When a day of habits begins: nobody is at work over this hour.
const MORNING_MIN: f64 = 300.0;
/// Who left it on in the morning may not in the afternoon.
const NOON_MIN: f64 = 735.0;

/// Whether who goes last from a space now leaves on what is on, in a school where this share does.
pub(crate) fn leaves_on(share: f64, key: u64, now: &Moment, seed: u64) -> bool {
    let day = now.date - i64::from(now.minute < MORNING_MIN);
    let half = i64::from(!(MORNING_MIN..NOON_MIN).contains(&now.minute));
    let round = ROUNDS.iter().any(|round| round.contains(&now.minute));
    unit(seed, key ^ 5, 2 * day + half) < share && (!round || unit(seed, key ^ 6, day) < MISSED)
}

/// Persons in a space now: a whole number. `key` tells spaces of a use apart.
pub(crate) fn people(use_: SpaceUse, capacity: f64, key: u64, now: &Moment, seed: u64) -> f64 {
    let m = now.minute;
    let school = now.day == Day::School;
    if use_ == SpaceUse::Guard {
        return if (420.0..1080.0).contains(&m) && school { capacity } else { 1.0_f64.min(capacity) };
    }
    let quarter = now.date * 96 + (m / 15.0) as i64;
    let present = 0.93 + 0.07 * unit(seed, key ^ 1, quarter);
    (capacity * share(use_, key, now, seed) * present).round()
}

fn share(use_: SpaceUse, key: u64, now: &Moment, seed: u64) -> f64 {
    use SpaceUse as U;
    let m = now.minute;
    let school = now.day == Day::School;
    // A weekly timetable: the same lesson on the same weekday is always in the same place.
    let slot = |n: usize| unit(seed, key, i64::from(now.weekday) * 16 + n as i64);
    match use_ {
        U::Classroom if school => match lesson(m) {
            Some(n) => {
                if slot(n) < 0.18 {
                    0.0
                } else {
                    0.97
                }
            }
            None => class_between_lessons(m, key, slot(14)),
        },
        U::Laboratory | U::Computer | U::Music | U::Art | U::Dance | U::Workshop | U::Activity | U::Gym
            if school =>
        {
            match lesson(m) {
                Some(n) if slot(n) < 0.5 => 0.9,
                Some(_) => 0.0,
                None if (930.0..1035.0).contains(&m) && slot(15) < 0.4 => 0.5,
                None => 0.0,
            }
        }
        U::Library if school => match lesson(m) {
            Some(n) => 0.1 + 0.4 * slot(n),
            None if (675.0..770.0).contains(&m) => 0.4,
            None => 0.25 * ramp(m, 460.0, 480.0) * (1.0 - ramp(m, 1020.0, 1050.0)),
        },
        U::Hall if school => lesson(m).map_or(0.0, |n| if slot(n) < 0.08 { 0.8 } else { 0.0 }),
        U::Office | U::Meeting | U::Counselling | U::Clinic | U::Broadcast | U::Preparation => {
            let hours = ramp(m, 450.0, 480.0) * (1.0 - ramp(m, 1000.0, 1050.0));
            let base = match now.day {
                Day::School => 0.75,
                Day::Vacation if now.weekday <= 5 => 0.08,
                _ => 0.0,
            };
            base * hours * if (690.0..750.0).contains(&m) { 0.4 } else { 1.0 }
        }
        U::Dining if school => match m {
            _ if (675.0..750.0).contains(&m) => {
                // Three shifts of 25 minutes; at each change the hall empties and fills.
                let into = (m - 675.0) % 25.0;
                0.95 * ramp(into, 0.0, 5.0) * (1.0 - 0.7 * ramp(into, 19.0, 25.0))
            }
            _ if (390.0..430.0).contains(&m) => 0.2,
            _ if (1050.0..1100.0).contains(&m) => 0.25,
            _ => 0.0,
        },
        U::Kitchen if school => match m {
            _ if (300.0..810.0).contains(&m) => 0.9,
            _ if (930.0..1110.0).contains(&m) => 0.4,
            _ => 0.0,
        },
        U::Dormitory => {
            let night = now.tomorrow == Day::School && m >= 1080.0 || school && m < 430.0;
            if !night {
                return 0.0;
            }
            match m {
                _ if m < 390.0 => 1.0,
                _ if m < 430.0 => 1.0 - ramp(m, 390.0, 430.0),
                _ if m < 1110.0 => 0.6,
                _ if m < 1230.0 => 0.1,
                _ => 1.0,
            }
        }
        U::Corridor | U::Lobby | U::Stair | U::Toilet if school => match is_break(now) {
            true => 0.3,
            false if lesson(m).is_some() => 0.02,
            false => 0.0,
        },
        U::Washroom if school && ((390.0..430.0).contains(&m) || (1230.0..1290.0).contains(&m)) => 0.6,
        _ => 0.0,
    }
}

/// A classroom between lessons: arrival, sports break, lunch shift, after-school care, evening study.
fn class_between_lessons(m: f64, key: u64, chance: f64) -> f64 {
    match m {
        _ if m < 420.0 => 0.0,
        _ if m < 500.0 => 0.97 * ramp(m, 420.0, 470.0),
        _ if (590.0..620.0).contains(&m) => 0.05,
        _ if (675.0..750.0).contains(&m) => {
            let shift = ((m - 675.0) / 25.0) as u64;
            if shift == key % 3 { 0.0 } else { 0.85 }
        }
        _ if m < 910.0 => 0.6,
        _ if m < 940.0 => 0.7,
        _ if m < 1050.0 => {
            if chance < 0.6 {
                0.6
            } else {
                0.05
            }
        }
        _ if m < 1080.0 => 0.5 * (1.0 - ramp(m, 1050.0, 1080.0)),
        // Evening study of the boarders, in some of the rooms.
        _ if (1110.0..1230.0).contains(&m) && chance > 0.85 => 0.6,
        _ => 0.0,
    }
}
