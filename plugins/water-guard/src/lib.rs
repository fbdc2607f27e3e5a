//! Watches the water of a campus: the balance of its meter tree and what each branch takes at night.
//!
//! - [`register`] makes volumes of readings, with what is not known about them; [`tree`] which meter is below which;
//!   [`balance`] the difference between a meter and those below it.
//! - [`guard`] decides: who loses water, which meter stands still or runs back.
//! - [`words`] and [`panel`] are what people see.
//!
//! Nothing here is commanded. What is remembered lies in the store: instances come and go.

pub mod balance;
pub mod guard;
pub mod panel;
pub mod register;
pub mod settings;
pub mod tree;
pub mod words;

use std::collections::BTreeMap;

use campanile_plugin::{
    Denial, Plugin, Point, Result, Sample, Settings, Time, Words, alarms,
    clock::{self, SECOND},
    networks::{self, NetworkKind},
    points::{self, Derived, Info, Shape},
    records, store, warn,
};
use guard::{Branch, Closed, Finding, Guard, Leak, Moment};
use panel::{Campus, Shown};
use register::{Dial, Owed, Register, Told};
use serde::{Deserialize, Serialize};
use tree::Pipe;

/// Below this path each branch has derived points of its own, as the manifest says.
const DERIVED_UNDER: &str = "net/water/";

/// A meter of the campus.
struct Meter {
    /// The path of its node.
    path: String,
    names: Words,
    serves: Vec<String>,
    /// Its register.
    point: Point,
    /// Litres of its unit.
    litres: f64,
    /// Its flow, where it says one, and L/s of the unit.
    flow: Option<(Point, f64)>,
}

/// What is remembered of the branches, by path: changed by what is found, and when a day or a night is over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Book {
    closed: Closed,
    branches: BTreeMap<String, Branch>,
}

/// The plugin.
pub struct WaterGuard {
    meters: Vec<Meter>,
    guard: Guard,
}

/// Litres of a unit of volume.
fn litres(unit: &str) -> Option<f64> {
    match unit {
        "m3" => Some(1_000.0),
        "L" | "l" | "dm3" => Some(1.0),
        _ => None,
    }
}

/// Litres a second of a unit of flow.
fn litres_s(unit: &str) -> Option<f64> {
    let (volume, time) = unit.split_once('/')?;
    let seconds = match time {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    Some(litres(volume)? / seconds)
}

/// The register among the points of a node, with litres of its unit.
fn register_of<'a>(points: &[&'a Info]) -> Option<(&'a Info, f64)> {
    points.iter().find_map(|info| match &info.shape {
        Shape::Number(unit) if info.accumulates => Some((*info, litres(unit)?)),
        _ => None,
    })
}

fn flow_of(points: &[&Info]) -> Option<(Point, f64)> {
    points.iter().find_map(|info| match &info.shape {
        Shape::Number(unit) if !info.accumulates => Some((info.point, litres_s(unit)?)),
        _ => None,
    })
}

impl Plugin for WaterGuard {
    fn start(settings: &Settings) -> Result<Self> {
        let read = points::find("**")?;
        let by_point: BTreeMap<Point, &Info> = read.iter().map(|info| (info.point, info)).collect();
        let nodes = networks::nodes(NetworkKind::Water)?;
        let points_of = |node: &networks::Node| -> Vec<&Info> {
            node.meters.iter().filter_map(|point| by_point.get(point).copied()).collect()
        };
        let pipes: Vec<Pipe> = nodes
            .iter()
            .map(|node| Pipe {
                parent: node.parent.map(|parent| parent as usize),
                metered: register_of(&points_of(node)).is_some(),
            })
            .collect();
        let places = tree::meters(&pipes);
        let (mut meters, mut dials) = (Vec::with_capacity(places.len()), Vec::with_capacity(places.len()));
        for place in &places {
            let node = &nodes[place.node];
            let points = points_of(node);
            let Some((info, litres)) = register_of(&points) else { continue };
            meters.push(Meter {
                path: node.path.clone(),
                names: node.names.clone(),
                serves: node.serves.clone(),
                point: info.point,
                litres,
                flow: flow_of(&points),
            });
            dials.push(Dial {
                resolution_l: info.resolution.unwrap_or(1.0 / litres) * litres,
                rollover_l: info.rollover.map(|end| end * litres),
            });
        }
        let mut allowed_l_h = vec![None; meters.len()];
        for (id, l_h) in settings::allowances(settings)? {
            let of = |meter: &Meter| meter.path == id || meter.path.rsplit('/').next() == Some(&id);
            let Some(index) = meters.iter().position(of) else {
                return Err(format!(
                    "setting night_use: there is no water meter '{id}': write the id of a node of the \
                        water network, such as {}",
                    meters.first().map_or("net/water/inlet", |meter| &meter.path)
                ))?;
            };
            allowed_l_h[index] = Some(l_h);
        }
        let (rules, night_s) = (settings::rules(settings)?, settings::night_s(settings)?);
        Ok(Self { meters, guard: Guard { places, dials, allowed_l_h, rules, night_s } })
    }

    fn on_samples(&mut self, samples: &[Sample]) -> Result {
        let mut registers = self.registers()?;
        let mut backs: BTreeMap<usize, f64> = BTreeMap::new();
        for sample in samples {
            let index = self.meters.iter().position(|meter| meter.point == sample.point);
            let (Some(index), Some(value)) = (index, sample.number()) else { continue };
            let (meter, dial) = (&self.meters[index], &self.guard.dials[index]);
            match registers[index].read(dial, sample.time.div_euclid(SECOND), value * meter.litres) {
                Told::Back(litres) => *backs.entry(index).or_default() += litres,
                Told::Exchanged => warn!("{}: the register was exchanged or set anew", meter.path),
                Told::Passed | Told::Old => {}
            }
        }
        self.keep(&registers)?;
        if backs.is_empty() {
            return Ok(());
        }
        let mut book = self.book()?;
        let day = moment(clock::now()).day;
        let mut findings = Vec::new();
        for (index, litres) in backs {
            let branch = book.branches.entry(self.meters[index].path.clone()).or_default();
            branch.back_day = Some(day);
            findings.push(Finding::Back(index, litres));
        }
        self.tell(&findings, day);
        store::save("book", &book)
    }

    fn on_tick(&mut self, now: Time) -> Result {
        let moment = moment(now);
        let (registers, mut book) = (self.registers()?, self.book()?);
        let owed = self.owed(&registers, moment.now_s)?;
        let before = book.clone();
        let mut branches: Vec<Branch> =
            self.meters.iter().map(|meter| book.branches.remove(&meter.path).unwrap_or_default()).collect();
        let findings = self.guard.look(&registers, &owed, &mut branches, &mut book.closed, moment);

        self.tell(&findings, moment.day);
        let campus = Campus::of(self.guard.places.iter().zip(&branches));
        if book.closed.day != before.closed.day {
            self.keep_balance(&branches, moment.day - 1);
        }
        if book.closed != before.closed {
            self.publish(&branches, &campus);
        }
        self.show(&registers, &branches, &campus, now);
        book.branches.extend(self.meters.iter().map(|meter| meter.path.clone()).zip(branches));
        // It is long, and changes a few times a day.
        if book != before { store::save("book", &book) } else { Ok(()) }
    }
}

fn moment(now: Time) -> Moment {
    let local = clock::local(now);
    let now_s = now.div_euclid(SECOND);
    let passed_s = 3_600 * i64::from(local.hour) + 60 * i64::from(local.minute) + i64::from(local.second);
    let midnight_s = now_s - passed_s;
    Moment { now_s, day: (midnight_s + i64::from(local.offset_s)).div_euclid(86_400), midnight_s }
}

impl WaterGuard {
    fn registers(&self) -> Result<Vec<Register>> {
        let mut kept: BTreeMap<String, Register> = store::load("registers")?.unwrap_or_default();
        Ok(self.meters.iter().map(|meter| kept.remove(&meter.path).unwrap_or_default()).collect())
    }

    fn keep(&self, registers: &[Register]) -> Result {
        let by_path: BTreeMap<&str, &Register> =
            self.meters.iter().map(|meter| meter.path.as_str()).zip(registers).collect();
        store::save("registers", &by_path)
    }

    fn book(&self) -> Result<Book> {
        Ok(store::load("book")?.unwrap_or_default())
    }

    /// What the registers should have counted since they have last moved, by the flows of the meters.
    fn owed(&self, registers: &[Register], now_s: i64) -> Result<Vec<Owed>> {
        let mut kept: BTreeMap<String, Owed> = store::load("owed")?.unwrap_or_default();
        let mut owed: Vec<Owed> =
            self.meters.iter().map(|meter| kept.remove(&meter.path).unwrap_or_default()).collect();
        let flows: Vec<(usize, Point, f64)> = self
            .meters
            .iter()
            .enumerate()
            .filter_map(|(index, meter)| meter.flow.map(|(point, l_s)| (index, point, l_s)))
            .collect();
        let handles: Vec<Point> = flows.iter().map(|flow| flow.1).collect();
        for ((index, _, l_s), sample) in flows.iter().zip(points::read(&handles)?) {
            if let Some(flow) = sample.and_then(|sample| sample.number()) {
                owed[*index].look(&registers[*index], flow * l_s, now_s);
            }
        }
        let by_path: BTreeMap<&str, &Owed> =
            self.meters.iter().map(|meter| meter.path.as_str()).zip(&owed).collect();
        store::save("owed", &by_path)?;
        Ok(owed)
    }

    /// Raises and clears alarms, and keeps leaks as records.
    fn tell(&self, findings: &[Finding], day: i64) {
        for finding in findings {
            let answer = match finding {
                Finding::Leak(i, leak, night, new) => {
                    let meter = &self.meters[*i];
                    if *new {
                        keep_leak(meter, leak, day, "found");
                    }
                    alarms::raise("leak", &meter.path, &words::leak(&meter.names, leak, night))
                }
                Finding::Mended(i, leak) => {
                    keep_leak(&self.meters[*i], leak, day, "mended");
                    alarms::clear("leak", &self.meters[*i].path)
                }
                Finding::Stuck(i, litres) => {
                    let meter = &self.meters[*i];
                    alarms::raise("meter-stuck", &meter.path, &words::stuck(&meter.names, *litres))
                }
                Finding::Moves(i) => alarms::clear("meter-stuck", &self.meters[*i].path),
                Finding::Back(i, litres) => {
                    let meter = &self.meters[*i];
                    alarms::raise("meter-back", &meter.path, &words::back(&meter.names, *litres))
                }
                Finding::Forward(i) => alarms::clear("meter-back", &self.meters[*i].path),
            };
            refused("an alarm", answer);
        }
    }

    /// Keeps the water balance of a day: a record a meter.
    fn keep_balance(&self, branches: &[Branch], day: i64) {
        for ((meter, place), branch) in self.meters.iter().zip(&self.guard.places).zip(branches) {
            let Some(balance) = branch.days.back().filter(|balance| balance.day == day) else { continue };
            let night = branch.nights.back().filter(|night| night.day == day);
            let body = BalanceRecord {
                date: date(day),
                meter: meter.path.clone(),
                level: place.level,
                use_m3: balance.through_l / 1_000.0,
                below_m3: balance.below_l / 1_000.0,
                difference_m3: balance.own_l / 1_000.0,
                uncertainty_m3: 2.0 * balance.spread_l / 1_000.0,
                night_l_h: night.map_or(0.0, |night| night.l_h),
                allowed_l_h: night.map_or(0.0, |night| night.limit_l_h),
                state: words::state(branch).0.en,
            };
            kept(records::keep("water-balance", &body));
        }
    }

    /// Gives the derived points their values.
    fn publish(&self, branches: &[Branch], campus: &Campus) {
        let plain = |id: &str, value: f64| Derived::good(id, value);
        let mut values = vec![plain("leak-flow", campus.leaks_l_h)];
        if campus.intake_l > 0.0 {
            values.push(plain("intake-day", campus.intake_l / 1_000.0));
            values.push(plain("unmeasured-day", campus.unmeasured_l / 1_000.0));
        }
        for (meter, branch) in
            self.meters.iter().zip(branches).filter(|(m, _)| m.path.starts_with(DERIVED_UNDER))
        {
            if let Some(night) = branch.nights.back() {
                values.push(Derived::for_entity("night-flow", &meter.path, night.l_h));
            }
            if let Some(day) = branch.days.back() {
                values.push(Derived::for_entity("own-day", &meter.path, day.own_l / 1_000.0));
            }
        }
        refused("derived points", points::publish(&values));
    }

    fn show(&self, registers: &[Register], branches: &[Branch], campus: &Campus, now: Time) {
        let shown: Vec<Shown<'_>> = (0..self.meters.len())
            .map(|i| Shown {
                path: &self.meters[i].path,
                names: &self.meters[i].names,
                place: &self.guard.places[i],
                serves: &self.meters[i].serves,
                branch: &branches[i],
                register: &registers[i],
                dial: &self.guard.dials[i],
            })
            .collect();
        refused("the panel", panel::panel(&shown, campus, now).show("water"));
    }
}

/// The water balance of a meter over a day, as the record `water-balance`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct BalanceRecord {
    date: String,
    meter: String,
    level: u32,
    use_m3: f64,
    below_m3: f64,
    difference_m3: f64,
    uncertainty_m3: f64,
    night_l_h: f64,
    allowed_l_h: f64,
    state: String,
}

/// A leak that was found or mended, as the record `leak`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct LeakRecord {
    date: String,
    meter: String,
    what: &'static str,
    since: String,
    flow_l_h: f64,
    /// What it has lost at most since then, m³.
    lost_m3: f64,
}

fn keep_leak(meter: &Meter, leak: &Leak, day: i64, what: &'static str) {
    let days = (day - leak.since + 1) as f64;
    let body = LeakRecord {
        date: date(day),
        meter: meter.path.clone(),
        what,
        since: date(leak.since),
        flow_l_h: leak.l_h,
        lost_m3: 24.0 * days * leak.l_h / 1_000.0,
    };
    kept(records::keep("leak", &body));
}

/// `2026-09-01` of days since 1970 (Howard Hinnant's algorithm for civil days).
fn date(day: i64) -> String {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    format!("{:04}-{m:02}-{d:02}", yoe + 400 * era + i64::from(m <= 2))
}

fn kept(answer: Result) {
    if let Err(failure) = answer {
        warn!("a record was not kept: {}", failure.into_message());
    }
}

/// One refusal is not to keep the rest from being done.
fn refused(what: &str, answer: Result<(), Denial>) {
    if let Err(denial) = answer {
        warn!("{what} was refused: {denial}");
    }
}

// Its exports have names that only a linker for WebAssembly takes.
#[cfg(target_family = "wasm")]
campanile_plugin::export_rule!(WaterGuard);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_volume_and_flow_are_litres() {
        for (unit, one) in [("m3", Some(1_000.0)), ("L", Some(1.0)), ("kW.h", None)] {
            assert_eq!(litres(unit), one, "{unit}");
        }
        for (unit, one) in
            [("L/s", Some(1.0)), ("m3/h", Some(1.0 / 3.6)), ("L/min", Some(1.0 / 60.0)), ("kPa", None)]
        {
            assert_eq!(litres_s(unit), one, "{unit}");
        }
    }

    #[test]
    fn days_have_dates() {
        for (day, text) in
            [(0, "1970-01-01"), (19_782, "2024-02-29"), (20_697, "2026-09-01"), (-1, "1969-12-31")]
        {
            assert_eq!(date(day), text);
        }
    }
}
