//! What a room's air-conditioners are to do, minute by minute.
//!
//! A room is conditioned while people are in it (and a few minutes on, longer while there are lessons), and before
//! lessons where it is usually used, by as much earlier as it has been seen to need. It is cooled from `cool_from_c` on,
//! to the floor, and heated from `heat_from_c` down, to the ceiling; the setpoint never passes floor or ceiling. While
//! electricity is dear the setpoint gives way a little. Where the air outdoors is cool enough, cooling makes a pause and
//! people open windows; if the room gets warm all the same, it goes on.

use serde::{Deserialize, Serialize};

use crate::options::Options;

/// Minutes since 1970.
pub type Minute = i64;

/// What air-conditioners are wanted to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Want {
    /// Nothing.
    #[default]
    Off,
    /// Cool.
    Cool,
    /// Heat.
    Heat,
}

/// What a room shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Air temperature, °C.
    pub temperature_c: Option<f64>,
    /// How many people are counted.
    pub people: Option<f64>,
    /// Whether somebody is seen.
    pub presence: Option<bool>,
    /// CO₂, ppm.
    pub co2_ppm: Option<f64>,
}

impl Reading {
    /// Whether people are in the room, as far as it shows: by count, else by presence, else by their breath.
    pub fn in_use(&self) -> bool {
        match (self.people, self.presence, self.co2_ppm) {
            (Some(people), _, _) => people >= 1.0,
            (None, Some(seen), _) => seen,
            (None, None, Some(ppm)) => ppm > BREATHED_PPM,
            (None, None, None) => false,
        }
    }
}

/// What holds for all rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Around {
    /// Now.
    pub now: Minute,
    /// Air temperature outdoors, °C.
    pub outside_c: Option<f64>,
    /// Whether there are lessons.
    pub lessons: bool,
    /// Minutes until they begin, today.
    pub until_lessons: Option<i64>,
    /// Minutes since they last began, today.
    pub since_lessons: Option<i64>,
    /// Whether electricity is dear.
    pub dear: bool,
}

/// What is remembered of a room.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Room {
    /// The last sign of people.
    pub seen: Minute,
    /// The most people that were counted; it fades.
    pub most: f64,
    /// What it is to do.
    pub want: Want,
    /// Since when.
    pub since: Minute,
    /// Its setpoint, °C.
    pub setpoint_c: f64,
    /// Until when its commands live in the field.
    pub until: Minute,
    /// When it began to cool or heat, and at how many °C.
    pub began: Option<(Minute, f64)>,
    /// How fast it has been seen to cool and to heat, K a minute; 0 where it was not yet seen.
    pub pull_k_min: [f64; 2],
    /// How often it was in use soon after lessons began, 0 to 1.
    pub used: f64,
    /// Until when outdoor air is not tried again.
    pub closed: Minute,
}

/// Outdoors there are some 425 ppm.
const BREATHED_PPM: f64 = 700.0;
/// Fewer people than this share of the most that were counted are passers-by.
const FEW: f64 = 0.1;
/// What of the most is kept from minute to minute: half of it after a month.
const FADE: f64 = 0.999_984;
/// Minutes that an empty room counts as in use out of lessons.
const EMPTY_MIN: i64 = 5;
/// It is cooled until it is so much below the floor, K: outdoor air has taken over.
const DONE_K: f64 = 0.7;
/// So much cooler has the air outdoors to be than the floor that windows may do, K.
const FREE_K: f64 = 4.0;
/// A room that got warm again within so many minutes is not tried again for the next.
const TRIAL_MIN: i64 = 20;
const CLOSED_MIN: i64 = 90;
/// A compressor rests and runs at least so many minutes.
const REST_MIN: i64 = 3;
const RUN_MIN: i64 = 5;
/// How fast rooms cool and heat before it was seen, K a minute: a wall unit in a classroom.
const PULL_K_MIN: f64 = 0.1;
/// What of a new speed, or of a day's use, is taken over.
const LEARN: f64 = 0.3;
const HABIT: f64 = 0.5;
/// Whether a room is used is judged so many minutes after lessons began.
const JUDGED_MIN: i64 = 30;
/// A speed is learnt from so many kelvin at least, and from no longer than so many minutes.
const PULLED_K: f64 = 1.0;
const PULLED_MIN: i64 = 20;

impl Room {
    /// Takes in what the room shows.
    pub fn look(&mut self, reading: &Reading, around: &Around, options: &Options) {
        let counted = reading.people.unwrap_or(0.0);
        self.most = counted.max(self.most * FADE);
        let passing = reading.people.is_some() && counted < FEW * self.most;
        if reading.in_use() && !passing {
            self.seen = around.now;
        }
        if let Some(since) = around.since_lessons.filter(|&since| since == JUDGED_MIN) {
            let was = f64::from(u8::from(around.now - self.seen <= since));
            self.used += HABIT * (was - self.used);
        }
        if let (Some((at, from_c)), Some(now_c), Some(i)) = (self.began, reading.temperature_c, self.index())
        {
            let pulled = if self.want == Want::Cool { from_c - now_c } else { now_c - from_c };
            let there = match self.want {
                Want::Cool => now_c <= options.cool_from_c,
                _ => now_c >= options.heat_from_c,
            };
            let minutes = around.now - at;
            if there || minutes >= PULLED_MIN {
                if pulled >= PULLED_K && minutes > 0 {
                    let speed = pulled / minutes as f64;
                    let pull = &mut self.pull_k_min[i];
                    *pull = if *pull > 0.0 { *pull + LEARN * (speed - *pull) } else { speed };
                }
                self.began = None;
            }
        }
    }

    fn index(&self) -> Option<usize> {
        match self.want {
            Want::Off => None,
            Want::Cool => Some(0),
            Want::Heat => Some(1),
        }
    }

    /// Whether it counts as in use.
    pub fn in_use(&self, around: &Around, options: &Options) -> bool {
        let held = if around.lessons { options.vacant_min } else { EMPTY_MIN.min(options.vacant_min) };
        around.now - self.seen <= held
    }

    /// What it should do; the first of what is done about it is [`Room::turn`], since not all may start at once.
    pub fn wish(&self, reading: &Reading, around: &Around, options: &Options) -> Want {
        let in_use = self.in_use(around, options);
        let Some(now_c) = reading.temperature_c else {
            // A silent sensor changes nothing while people are there.
            return if in_use { self.want } else { Want::Off };
        };
        if !in_use && !self.is_due(now_c, around, options) {
            return Want::Off;
        }
        let changed = around.now - self.since;
        let free = around.outside_c.is_some_and(|out| out <= options.cool_floor_c - FREE_K)
            && around.now >= self.closed
            && in_use;
        let windows = around.outside_c.is_some_and(|out| out < options.cool_floor_c);
        let windows_k = if windows { options.windows_k } else { 0.0 };
        match self.want {
            Want::Cool if changed < RUN_MIN => Want::Cool,
            Want::Cool if !free && now_c > options.cool_floor_c - DONE_K => Want::Cool,
            Want::Heat if changed < RUN_MIN || now_c < options.heat_ceiling_c + DONE_K => Want::Heat,
            Want::Off if changed < REST_MIN => Want::Off,
            _ if now_c > options.cool_from_c + windows_k => Want::Cool,
            _ if now_c < options.heat_from_c => Want::Heat,
            _ => Want::Off,
        }
    }

    /// Whether it is time to make an empty room ready for lessons.
    fn is_due(&self, now_c: f64, around: &Around, options: &Options) -> bool {
        let Some(until) = around.until_lessons.filter(|&until| until <= options.prestart_min) else {
            return false;
        };
        let speed = |i: usize| if self.pull_k_min[i] > 0.0 { self.pull_k_min[i] } else { PULL_K_MIN };
        let needed_min = if now_c > options.cool_from_c {
            (now_c - options.cool_floor_c) / speed(0)
        } else if now_c < options.heat_from_c {
            (options.heat_ceiling_c - now_c) / speed(1)
        } else {
            return false;
        };
        self.used >= HABIT && until as f64 <= needed_min
    }

    /// How far it is from where it should be, K: the farther, the sooner it may start.
    pub fn need_k(&self, reading: &Reading, options: &Options) -> f64 {
        let now_c = reading.temperature_c.unwrap_or(options.cool_floor_c);
        (now_c - options.cool_floor_c).max(options.heat_ceiling_c - now_c)
    }

    /// Does what is wanted from now on.
    pub fn turn(&mut self, want: Want, reading: &Reading, around: &Around) {
        if want == self.want {
            return;
        }
        // Windows did not do: leave them closed for a while.
        if self.want == Want::Off
            && want == Want::Cool
            && around.now - self.since <= TRIAL_MIN
            && self.since > 0
        {
            self.closed = around.now + CLOSED_MIN;
        }
        (self.want, self.since) = (want, around.now);
        self.began = match want {
            Want::Off => None,
            _ => reading.temperature_c.map(|now_c| (around.now, now_c)),
        };
    }

    /// The setpoint for what it does, °C.
    pub fn setpoint(&self, around: &Around, options: &Options) -> f64 {
        let shift = if around.dear { options.peak_shift_k } else { 0.0 };
        match self.want {
            Want::Heat => options.heat_ceiling_c - shift,
            _ => options.cool_floor_c + shift,
        }
    }
}

/// Which of the rooms that wish to start may do so now: people's before empty ones, then the farthest off; each with
/// whether people are in it and how far off it is, K.
pub fn admitted(mut waiting: Vec<(usize, bool, f64)>, most: usize) -> Vec<usize> {
    waiting.sort_by(|a, b| b.1.cmp(&a.1).then(b.2.total_cmp(&a.2)).then(a.0.cmp(&b.0)));
    waiting.truncate(most);
    waiting.into_iter().map(|(room, ..)| room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A room, minute by minute.
    struct Story {
        room: Room,
        options: Options,
        around: Around,
    }

    impl Story {
        fn new() -> Self {
            let around =
                Around { now: 30_000_000, lessons: true, outside_c: Some(32.0), ..Around::default() };
            Self { room: Room::default(), options: Options::default(), around }
        }

        /// A minute in which the room is so warm and so many are there; what it does then.
        fn minute(&mut self, temperature_c: f64, people: f64) -> Want {
            self.around.now += 1;
            let reading =
                Reading { temperature_c: Some(temperature_c), people: Some(people), ..Reading::default() };
            self.room.look(&reading, &self.around, &self.options);
            let want = self.room.wish(&reading, &self.around, &self.options);
            self.room.turn(want, &reading, &self.around);
            want
        }

        fn minutes(&mut self, count: usize, temperature_c: f64, people: f64) -> Vec<Want> {
            (0..count).map(|_| self.minute(temperature_c, people)).collect()
        }
    }

    #[test]
    fn a_room_is_cooled_while_people_are_in_it_and_warm() {
        let mut story = Story::new();
        assert_eq!(story.minute(30.0, 0.0), Want::Off, "empty");
        assert_eq!(story.minute(26.4, 40.0), Want::Off, "not yet warm");
        assert_eq!(story.minute(26.6, 40.0), Want::Cool);
        assert_eq!(
            story.minutes(60, 26.0, 40.0).last(),
            Some(&Want::Cool),
            "a thermostat holds it at the floor"
        );
        // The class has left: it is over when the room has been empty for so long, and no sooner.
        let after = story.minutes(12, 26.0, 0.0);
        assert_eq!(after.iter().filter(|&&want| want == Want::Cool).count(), 6);
    }

    #[test]
    fn windows_come_first_while_it_is_cooler_outdoors() {
        let mut story = Story::new();
        for (outside_c, room_c, want) in
            [(25.0, 27.9, Want::Off), (25.0, 28.1, Want::Cool), (27.0, 27.9, Want::Cool)]
        {
            story.room = Room::default();
            story.around.outside_c = Some(outside_c);
            assert_eq!(story.minute(room_c, 40.0), want, "{outside_c} °C outdoors, {room_c} °C in the room");
        }
    }

    #[test]
    fn out_of_lessons_an_empty_room_is_given_up_sooner() {
        let mut story = Story::new();
        story.around.lessons = false;
        story.minutes(20, 27.0, 40.0);
        let after = story.minutes(12, 26.0, 0.0);
        assert_eq!(after.iter().filter(|&&want| want == Want::Cool).count(), 5);
    }

    #[test]
    fn who_passes_through_a_hall_is_no_use_of_it() {
        let mut story = Story::new();
        story.minutes(20, 28.0, 300.0);
        story.minutes(15, 27.0, 5.0);
        assert_eq!(story.minute(28.0, 5.0), Want::Off);
        // The same five are a use of an office.
        let mut office = Story::new();
        assert_eq!(office.minute(28.0, 5.0), Want::Cool);
    }

    #[test]
    fn the_setpoint_never_passes_floor_or_ceiling_and_gives_way_while_electricity_is_dear() {
        let mut story = Story::new();
        story.minute(29.0, 30.0);
        for (dear, cooled_c) in [(false, 26.0), (true, 26.3)] {
            story.around.dear = dear;
            assert_eq!(story.room.setpoint(&story.around, &story.options), cooled_c);
        }
        story.room.want = Want::Heat;
        for (dear, heated_c) in [(false, 20.0), (true, 19.7)] {
            story.around.dear = dear;
            assert_eq!(story.room.setpoint(&story.around, &story.options), heated_c);
        }
    }

    #[test]
    fn winter_heats_a_cold_room_in_use_and_lets_a_mild_one_be() {
        let mut story = Story::new();
        story.around.outside_c = Some(3.0);
        assert_eq!(story.minute(12.0, 30.0), Want::Off);
        assert_eq!(story.minute(9.5, 30.0), Want::Heat);
        assert_eq!(story.minutes(30, 20.0, 30.0).last(), Some(&Want::Heat));
        assert_eq!(story.minutes(10, 21.0, 30.0).last(), Some(&Want::Off), "the class keeps itself warm");
    }

    #[test]
    fn cool_air_outdoors_is_tried_and_given_up_where_it_does_not_do() {
        let mut story = Story::new();
        story.minutes(10, 26.6, 40.0);
        story.around.outside_c = Some(21.5);
        assert_eq!(story.minute(26.0, 40.0), Want::Off, "windows may do");
        assert_eq!(story.minutes(5, 27.5, 40.0).last(), Some(&Want::Off), "they do");
        assert_eq!(story.minute(28.1, 40.0), Want::Cool, "they do no more");
        assert_eq!(story.minutes(60, 26.0, 40.0).last(), Some(&Want::Cool), "not tried again so soon");
        assert_eq!(story.minutes(60, 26.0, 40.0).contains(&Want::Off), true, "but later");
    }

    #[test]
    fn a_room_is_made_ready_for_lessons_as_early_as_it_was_seen_to_need() {
        let mut story = Story::new();
        // Cooled from 30 to 26.5 °C in 14 minutes: a quarter of a kelvin a minute.
        story.minute(30.0, 40.0);
        for minute in 1..=14 {
            story.minute(30.0 - 0.25 * f64::from(minute), 40.0);
        }
        assert!((story.room.pull_k_min[0] - 0.25).abs() < 1e-9, "{:?}", story.room.pull_k_min);
        // It was used when lessons began.
        story.around.since_lessons = Some(JUDGED_MIN);
        story.minute(26.0, 40.0);
        story.around.since_lessons = None;
        assert!(story.room.used >= HABIT);
        // The next morning it has 30 °C: 4 K take 16 minutes.
        story.minutes(30, 28.0, 0.0);
        story.around.lessons = false;
        let began = (0..=20).rev().find(|&until| {
            story.around.until_lessons = Some(until);
            story.minute(30.0, 0.0) == Want::Cool
        });
        assert_eq!(began, Some(16));
    }

    #[test]
    fn a_room_that_nobody_uses_is_not_made_ready() {
        let mut story = Story::new();
        story.around.until_lessons = Some(1);
        assert_eq!(story.minute(33.0, 0.0), Want::Off);
    }

    #[test]
    fn a_silent_sensor_changes_nothing_while_people_are_there() {
        let mut story = Story::new();
        story.minutes(3, 28.0, 40.0);
        story.around.now += 1;
        let silent = Reading { people: Some(40.0), ..Reading::default() };
        story.room.look(&silent, &story.around, &story.options);
        assert_eq!(story.room.wish(&silent, &story.around, &story.options), Want::Cool);
        story.around.now += 30;
        assert_eq!(story.room.wish(&silent, &story.around, &story.options), Want::Off);
    }

    #[test]
    fn breath_is_a_sign_of_people_where_there_is_no_other() {
        let co2 = |ppm| Reading { co2_ppm: Some(ppm), ..Reading::default() };
        assert!(co2(900.0).in_use() && !co2(450.0).in_use() && !Reading::default().in_use());
        let seen = Reading { presence: Some(false), ..co2(2000.0) };
        assert!(!seen.in_use(), "who looks is believed before who smells");
    }

    #[test]
    fn compressors_do_not_all_start_at_once() {
        let waiting = vec![(0, false, 9.0), (1, true, 1.0), (2, true, 3.0), (3, false, 4.0)];
        assert_eq!(admitted(waiting, 3), [2, 1, 0], "people first, then the farthest off");
    }

    #[test]
    fn a_compressor_rests_and_runs_for_some_minutes() {
        let mut story = Story::new();
        let wants: Vec<Want> =
            (0..60).map(|i| story.minute(if i % 2 == 0 { 27.0 } else { 25.0 }, 40.0)).collect();
        let mut runs = wants.chunk_by(|a, b| a == b).map(<[Want]>::len).collect::<Vec<_>>();
        // The first and the last are cut off by the story.
        runs.pop();
        assert!(runs.iter().skip(1).all(|&run| run >= 3), "{runs:?}");
    }
}
