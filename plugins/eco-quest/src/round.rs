//! A round: which questions are open, what may be picked, and who has used up the tries. A new one begins
//! every few minutes, and what was remembered of the last is forgotten then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    live::{Sources, Values},
    missions::{Goal, MISSIONS, Mission, Pick, Reading, Topic},
    questions::{self, Question},
};

/// Looks at the campus that an answer may still be about: who reads a number needs a while to enter it.
const RECENT: usize = 10;
/// Tries a round to enter a number; of a choice there is one.
const READ_TRIES: u8 = 3;
/// Rooms and branches that are offered.
const OFFERED: usize = 4;
/// How near to the greatest counts as the greatest: CO₂ in ppm, and a part of a flow.
const SAME_PPM: f64 = 20.0;
const SAME_FLOW: f64 = 0.1;

/// What is remembered of the round that is open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Its number: time over the length of a round.
    pub number: i64,
    /// What may be picked, by mission: indexes into the campus' rooms and branches, in the order shown.
    offers: BTreeMap<String, Vec<usize>>,
    /// The places of those that were right at the last look.
    right: BTreeMap<String, Vec<usize>>,
    /// The newest readings, by mission.
    recent: BTreeMap<String, Vec<f64>>,
    /// Tries that were used up, by a hash of person, mission and round: no names are kept.
    tries: BTreeMap<u32, u8>,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is not.
    Wrong,
    /// The campus does not say it now.
    Unknown,
    /// The person has no try left in this round.
    Spent,
}

/// SplitMix64: well mixed bits of a number.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// So many different indexes below `n`, the same each time for the same seed.
fn draw(seed: u64, n: usize, count: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    all.sort_by_key(|&i| mix(seed ^ mix(i as u64)));
    all.truncate(count);
    all
}

/// FNV-1a over parts.
fn hash(parts: [&[u8]; 3]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash
}

/// The question of a topic in a round.
pub fn question(topic: Topic, number: i64) -> Option<&'static Question> {
    let pool: Vec<&Question> = questions::of(topic).collect();
    let place = (number + topic as i64).rem_euclid(pool.len().max(1) as i64);
    pool.get(place as usize).copied()
}

impl Round {
    /// Opens a round: draws what may be picked.
    pub fn open(number: i64, sources: &Sources, values: &Values) -> Self {
        let mut offers = BTreeMap::new();
        for (at, mission) in MISSIONS.iter().enumerate() {
            let Goal::Pick(pick) = mission.goal else { continue };
            let (n, seed) = (sources.count(pick), mix(number as u64).wrapping_add(at as u64));
            let offer = match pick {
                Pick::RiverClass => (0..n).collect(),
                // One that is left on, where there is one, so that there is something to find.
                Pick::EmptyRoom => {
                    let order = draw(seed, n, n);
                    let left_on = order.iter().copied().find(|&i| sources.left_on(i, values) == Some(true));
                    let others = order.iter().copied().filter(|i| Some(*i) != left_on);
                    let mut offer: Vec<usize> = left_on.into_iter().chain(others).take(OFFERED - 1).collect();
                    offer.sort_by_key(|&i| mix(seed ^ 1 ^ mix(i as u64)));
                    offer
                }
                Pick::StuffyRoom | Pick::ThirstyBranch => draw(seed, n, OFFERED),
            };
            offers.insert(mission.id.to_owned(), offer);
        }
        Self { number, offers, ..Self::default() }
    }

    /// Looks at the campus: answers may be about this look and, of numbers, about the ten newest.
    pub fn look(&mut self, sources: &Sources, values: &Values, kg_kwh: f64) {
        for mission in MISSIONS {
            match mission.goal {
                Goal::Read(reading) => {
                    let recent = self.recent.entry(mission.id.to_owned()).or_default();
                    recent.extend(sources.reading(reading, values, kg_kwh));
                    let old = recent.len().saturating_sub(RECENT);
                    recent.drain(..old);
                }
                Goal::Pick(pick) => {
                    let right = self.right_now(mission, pick, sources, values);
                    self.right.insert(mission.id.to_owned(), right.unwrap_or_default());
                }
                Goal::Quiz | Goal::Proposal => {}
            }
        }
    }

    /// What may be picked in a mission: indexes into the campus' rooms and branches.
    pub fn offer(&self, mission: &Mission) -> &[usize] {
        self.offers.get(mission.id).map_or(&[], Vec::as_slice)
    }

    /// The places that are right now; none where that is not known. Of rooms the place after the last says
    /// "none".
    fn right_now(
        &self,
        mission: &Mission,
        pick: Pick,
        sources: &Sources,
        values: &Values,
    ) -> Option<Vec<usize>> {
        let offer = self.offer(mission);
        match pick {
            Pick::EmptyRoom => {
                let left_on: Option<Vec<bool>> = offer.iter().map(|&i| sources.left_on(i, values)).collect();
                let left_on = left_on?;
                let right: Vec<usize> = (0..left_on.len()).filter(|&place| left_on[place]).collect();
                Some(if right.is_empty() { vec![offer.len()] } else { right })
            }
            Pick::StuffyRoom | Pick::ThirstyBranch => {
                let amounts: Option<Vec<f64>> =
                    offer.iter().map(|&i| sources.amount(pick, i, values)).collect();
                let amounts = amounts?;
                let most = amounts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let same = if pick == Pick::StuffyRoom { most - SAME_PPM } else { most * (1.0 - SAME_FLOW) };
                Some((0..amounts.len()).filter(|&place| amounts[place] >= same).collect())
            }
            Pick::RiverClass => Some(vec![sources.river_class(values)?]),
        }
    }

    fn key(&self, mission: &Mission, person: &str) -> u32 {
        hash([person.as_bytes(), mission.id.as_bytes(), &self.number.to_le_bytes()])
    }

    /// How many tries a person has left in a mission.
    pub fn left(&self, mission: &Mission, person: &str) -> u8 {
        let most = if matches!(mission.goal, Goal::Read(_)) { READ_TRIES } else { 1 };
        most.saturating_sub(self.tries.get(&self.key(mission, person)).copied().unwrap_or(0))
    }

    /// Takes a try, all of them where the answer was right.
    fn judged(&mut self, mission: &Mission, person: &str, right: bool) -> Verdict {
        let used = self.tries.entry(self.key(mission, person)).or_default();
        *used = if right { u8::MAX } else { used.saturating_add(1) };
        if right { Verdict::Right } else { Verdict::Wrong }
    }

    /// Checks a number that was entered.
    pub fn check_number(
        &mut self,
        (mission, reading): (&Mission, Reading),
        person: &str,
        entered: f64,
        now: Option<f64>,
    ) -> Verdict {
        if self.left(mission, person) == 0 {
            return Verdict::Spent;
        }
        let Some(now) = now else { return Verdict::Unknown };
        let (part, beside) = reading.tolerance();
        let near = |true_value: f64| (entered - true_value).abs() <= beside + part * true_value.abs();
        let recent = self.recent.get(mission.id).into_iter().flatten().copied();
        let right = recent.chain([now]).any(near);
        self.judged(mission, person, right)
    }

    /// Checks what was picked, by its place.
    pub fn check_pick(
        &mut self,
        (mission, pick): (&Mission, Pick),
        person: &str,
        place: usize,
        sources: &Sources,
        values: &Values,
    ) -> Verdict {
        if self.left(mission, person) == 0 {
            return Verdict::Spent;
        }
        let Some(now) = self.right_now(mission, pick, sources, values) else { return Verdict::Unknown };
        let before = self.right.get(mission.id).is_some_and(|right| right.contains(&place));
        self.judged(mission, person, before || now.contains(&place))
    }

    /// Checks the answer to a question.
    pub fn check_quiz(
        &mut self,
        mission: &Mission,
        person: &str,
        question: &Question,
        answer: usize,
    ) -> Verdict {
        if self.left(mission, person) == 0 {
            return Verdict::Spent;
        }
        self.judged(mission, person, answer == question.right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        live::tests::{campus, values},
        missions::by_id,
    };

    const POWER: Reading = Reading::GridKw;

    #[test]
    fn a_number_is_right_if_the_campus_showed_it_lately() {
        let (sources, mission) = (campus(), by_id("power-now").unwrap());
        let mut round = Round::open(7, &sources, &values(&[]));
        round.look(&sources, &values(&[(1, 100.0), (2, 50.0)]), 0.5);
        let now = Some(200.0);
        for (person, entered, verdict) in [
            ("7-2/river", 200.0, Verdict::Right),
            ("7-2/otter", 157.0, Verdict::Right),
            ("7-2/heron", 141.0, Verdict::Wrong),
            ("7-2/reed", 175.0, Verdict::Wrong),
            ("7-2/moss", f64::NAN, Verdict::Wrong),
        ] {
            assert_eq!(
                round.check_number((mission, POWER), person, entered, now),
                verdict,
                "{person} {entered}"
            );
        }
        assert_eq!(round.check_number((mission, POWER), "7-2/fern", 200.0, None), Verdict::Unknown);
        assert_eq!(round.left(mission, "7-2/fern"), 3, "what can't be known costs no try");
    }

    #[test]
    fn who_guesses_runs_out_of_tries_until_the_next_round() {
        let (sources, mission) = (campus(), by_id("power-now").unwrap());
        let mut round = Round::open(7, &sources, &values(&[]));
        let guess =
            |round: &mut Round, person: &str| round.check_number((mission, POWER), person, 1.0, Some(90.0));
        let verdicts: Vec<Verdict> = (0..4).map(|_| guess(&mut round, "7-2/kingfisher")).collect();
        assert_eq!(verdicts, [Verdict::Wrong, Verdict::Wrong, Verdict::Wrong, Verdict::Spent]);
        assert_eq!(
            guess(&mut round, "7-1/kingfisher"),
            Verdict::Wrong,
            "another class' kingfisher is another person"
        );
        let mut next = Round::open(8, &sources, &values(&[]));
        assert_eq!(guess(&mut next, "7-2/kingfisher"), Verdict::Wrong);
        // Nothing of who has answered is kept but hashes, and they go with the round.
        let kept = format!("{round:?}");
        assert!(!kept.contains("kingfisher"), "{kept}");
    }

    #[test]
    fn a_room_that_was_left_on_is_among_those_to_find() {
        let (sources, mission) = (campus(), by_id("empty-room").unwrap());
        let quiet = [(20, 1.0), (30, 1.0), (40, 1.0), (21, 1.0), (31, 1.0), (41, 1.0)];
        let mut given = values(&quiet);
        given.insert(40, 0.0);
        for number in 0..20 {
            let mut round = Round::open(number, &sources, &given);
            let place = round.offer(mission).iter().position(|&i| i == 2).unwrap();
            let pick = (mission, Pick::EmptyRoom);
            assert_eq!(round.check_pick(pick, "a", place, &sources, &given), Verdict::Right);
            assert_eq!(round.check_pick(pick, "b", (place + 1) % 3, &sources, &given), Verdict::Wrong);
            assert_eq!(round.check_pick(pick, "c", 3, &sources, &given), Verdict::Wrong, "it is not none");
            assert_eq!(round.check_pick(pick, "c", place, &sources, &given), Verdict::Spent, "one try");
        }
        let mut round = Round::open(3, &sources, &values(&quiet));
        assert_eq!(
            round.check_pick((mission, Pick::EmptyRoom), "a", 3, &sources, &values(&quiet)),
            Verdict::Right
        );
        assert_eq!(
            round.check_pick((mission, Pick::EmptyRoom), "b", 3, &sources, &values(&[])),
            Verdict::Unknown
        );
    }

    /// Someone comes in while a pupil is about to answer: what was right a minute ago still counts.
    #[test]
    fn what_was_right_at_the_last_look_counts() {
        let (sources, mission) = (campus(), by_id("thirsty-branch").unwrap());
        let (before, now) = (values(&[(6, 2.0), (7, 3.6)]), values(&[(6, 0.5), (7, 3.6)]));
        let mut round = Round::open(1, &sources, &before);
        round.look(&sources, &before, 0.5);
        let place = |round: &Round, branch| round.offer(mission).iter().position(|&i| i == branch).unwrap();
        let (a, b) = (place(&round, 0), place(&round, 1));
        let pick = (mission, Pick::ThirstyBranch);
        assert_eq!(round.check_pick(pick, "x", a, &sources, &now), Verdict::Right);
        assert_eq!(round.check_pick(pick, "y", b, &sources, &now), Verdict::Right);
        round.look(&sources, &now, 0.5);
        assert_eq!(round.check_pick(pick, "z", a, &sources, &now), Verdict::Wrong);
    }

    #[test]
    fn every_question_comes_up_and_the_round_decides_which() {
        for topic in Topic::ALL {
            let n = questions::of(topic).count();
            let seen: std::collections::BTreeSet<&str> =
                (-3..n as i64).filter_map(|number| Some(question(topic, number)?.question.1)).collect();
            assert_eq!(seen.len(), n, "{topic:?}");
        }
        let question = question(Topic::Energy, 4).unwrap();
        let (sources, mission) = (campus(), by_id("energy-quiz").unwrap());
        let mut round = Round::open(4, &sources, &values(&[]));
        assert_eq!(round.check_quiz(mission, "a", question, question.right), Verdict::Right);
        assert_eq!(round.check_quiz(mission, "b", question, (question.right + 1) % 4), Verdict::Wrong);
        assert_eq!(round.check_quiz(mission, "b", question, question.right), Verdict::Spent);
    }
}
