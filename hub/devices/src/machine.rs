//! Machines: refrigerators, pumps, lifts, fans, hot cabinets, lamps, valves, tanks.

use serde::{Deserialize, Serialize};

use crate::calendar::{Day, Moment};
use crate::noise::unit;
use crate::occupancy::is_break;
use crate::sky::Sky;

/// What a machine is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Keeps cold: °C.
    Cold(f64),
    /// Keeps hot while the kitchen works: °C, and the power it can take, W.
    Hot(f64, f64),
    Pump(PumpUse),
    /// Between a lowest and a highest floor.
    Lift(f64, f64),
    Fan,
    HeatPump,
    /// A hot water tank.
    HotTank,
    Tank,
    /// A street lamp.
    Lamp,
    /// An irrigation valve of a bed.
    Valve(usize),
    Ups,
    Range,
    Inverter,
    /// A scale; true where the weight builds up over the day.
    Scale(bool),
}

/// What a pump does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PumpUse {
    Booster,
    Fire,
    Sump,
    Circulation,
}

/// A machine: what it is, and what it does now.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub entity: usize,
    pub key: u64,
    pub kind: Kind,
    pub room: Option<usize>,
    pub state: MachineState,
    /// Whether its circuit has no supply.
    pub dead: bool,
}

/// What a machine is told and what it does: all that its next step and its sensors follow from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct MachineState {
    pub told_on: Option<bool>,
    pub told_c: Option<f64>,
    pub on: bool,
    /// The door of a refrigerator or lift.
    pub open: bool,
    /// Temperature in °C, level in m, floor, or weight in kg: what its kind measures.
    pub measured: f64,
    pub power_w: f64,
    pub water_m3_s: f64,
    /// Of a pump's drive.
    pub frequency_hz: f64,
}

/// What a machine meets.
pub(crate) struct Around<'a> {
    pub sky: &'a Sky,
    pub now: &'a Moment,
    pub ambient_c: f64,
    /// How busy the school is, 0 to 1.
    pub activity: f64,
    /// Moisture of its bed, %.
    pub soil_pct: f64,
    pub seed: u64,
    /// Minutes since the epoch: numbers the draws.
    pub tick: i64,
}

impl Around<'_> {
    pub(crate) fn kitchen(&self) -> bool {
        self.now.day == Day::School && (300.0..810.0).contains(&self.now.minute)
    }
    fn cooking(&self) -> bool {
        self.now.day == Day::School && (330.0..740.0).contains(&self.now.minute)
    }
    fn dark(&self) -> bool {
        self.sky.sun_height < 0.0
    }
}

impl Machine {
    pub(crate) fn new(entity: usize, key: u64, kind: Kind, room: Option<usize>) -> Self {
        let measured = match kind {
            Kind::Cold(c) | Kind::Hot(c, _) => c,
            Kind::HotTank => 54.0,
            Kind::Tank => 2.2,
            Kind::Pump(_) => 0.4,
            Kind::Lift(low, high) => 1.0_f64.clamp(low, high),
            _ => 0.0,
        };
        let state = MachineState { measured, ..MachineState::default() };
        Self { entity, key, kind, room, state, dead: false }
    }

    /// Watts on average over the year, for where a counter stands at the start.
    pub(crate) fn mean_w(&self) -> f64 {
        match self.kind {
            Kind::Cold(_) => 160.0,
            Kind::Hot(_, w) => 0.12 * w,
            Kind::Pump(PumpUse::Booster) => 900.0,
            Kind::Pump(PumpUse::Circulation) => 350.0,
            Kind::Lift(..) => 500.0,
            Kind::Fan => 250.0,
            Kind::HeatPump => 3000.0,
            Kind::Lamp => 40.0,
            _ => 20.0,
        }
    }

    /// The temperature that it keeps, °C.
    pub(crate) fn setpoint_c(&self) -> f64 {
        self.state.told_c.unwrap_or(match self.kind {
            Kind::Cold(c) | Kind::Hot(c, _) => c,
            Kind::HotTank | Kind::HeatPump => 55.0,
            _ => 20.0,
        })
    }

    /// Steps by `dt_s` seconds.
    pub(crate) fn advance(&mut self, dt_s: f64, around: &Around<'_>) {
        self.run(dt_s, around);
        if self.dead {
            self.state.power_w = 0.0;
        }
    }

    fn run(&mut self, dt_s: f64, around: &Around<'_>) {
        let chance = unit(around.seed, self.key, around.tick);
        match self.kind {
            Kind::Cold(_) => self.keep_cold(self.setpoint_c(), dt_s, around, chance),
            Kind::Hot(_, full_w) => {
                self.decide(around.cooking());
                let goal = if self.state.on { self.setpoint_c() } else { around.ambient_c };
                self.follow(goal, dt_s, 900.0);
                let share = if self.state.on {
                    0.3 + 0.7 * ((goal - self.state.measured) / 30.0).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                self.state.power_w = full_w * share;
                self.state.water_m3_s = if self.state.on && chance < 0.4 { 0.15e-3 } else { 0.0 };
            }
            Kind::Pump(what) => self.pump(what, dt_s, around, chance),
            Kind::Lift(low, high) => {
                let busy = if is_break(around.now) { 0.7 } else { 0.25 } * around.activity;
                self.state.on = chance < busy && !self.dead;
                if !self.dead {
                    self.state.open = !self.state.on && chance < busy + 0.1 * around.activity;
                }
                if self.state.on {
                    let floors: Vec<f64> =
                        (low as i64..=high as i64).filter(|&f| f != 0).map(|f| f as f64).collect();
                    let pick = unit(around.seed, self.key ^ 7, around.tick) * floors.len() as f64;
                    self.state.measured = floors.get(pick as usize).copied().unwrap_or(1.0);
                }
                self.state.power_w = if self.state.on { 5500.0 } else { 180.0 };
            }
            Kind::Fan => {
                self.decide(around.kitchen() || is_break(around.now));
                self.state.power_w = if self.state.on { 750.0 } else { 0.0 };
            }
            Kind::HeatPump => {
                let wanted = around.now.day != Day::Vacation
                    && ((120.0..360.0).contains(&around.now.minute)
                        || (900.0..1290.0).contains(&around.now.minute));
                self.decide(true);
                self.state.on &= wanted;
                let cop = (3.2 + 0.05 * (around.sky.temperature_c - 7.0)).clamp(1.8, 5.0);
                self.state.power_w = if self.state.on { 45_000.0 / cop } else { 40.0 };
                self.follow(if self.state.on { 57.0 } else { 45.0 }, dt_s, 1200.0);
            }
            Kind::HotTank => {
                let draw = around.now.day == Day::School && (1230.0..1300.0).contains(&around.now.minute);
                let goal = self.setpoint_c() - if draw { 7.0 } else { 1.0 };
                self.follow(goal, dt_s, 5400.0);
            }
            Kind::Tank => {
                // The float valve lets in at 1.7 m and shuts at 2.4 m.
                if self.state.measured < 1.7 {
                    self.state.on = true;
                } else if self.state.measured > 2.4 {
                    self.state.on = false;
                }
                let change = if self.state.on { 0.5 } else { 0.0 } - 0.25 * around.activity;
                self.state.measured = (self.state.measured + change * dt_s / 3600.0).clamp(0.3, 2.6);
            }
            Kind::Lamp => {
                self.decide(around.dark());
                self.state.power_w = if self.state.on { 90.0 } else { 0.0 };
            }
            Kind::Valve(_) => {
                let early = (330.0..450.0).contains(&around.now.minute);
                let thirsty = around.soil_pct < if self.state.on { 27.0 } else { 18.0 };
                self.state.on = self.state.told_on.unwrap_or(early && thirsty && around.sky.rain_mm_h < 0.1);
                self.state.water_m3_s = if self.state.on { 0.25e-3 } else { 0.0 };
            }
            Kind::Ups => {
                self.state.on = true;
                self.state.power_w = 2100.0;
            }
            Kind::Range => self.state.on = around.cooking() && chance < 0.8,
            Kind::Inverter => self.state.on = around.sky.global_w_m2 > 5.0,
            Kind::Scale(builds_up) => {
                let minute = around.now.minute;
                let full = if around.now.day == Day::School {
                    12.0 + 30.0 * unit(around.seed, self.key, around.now.date)
                } else {
                    0.0
                };
                // Emptied at 18:30; a plain scale carries a delivery in the early morning.
                self.state.measured = match builds_up {
                    true if minute < 1110.0 => full * ((minute - 450.0) / 500.0).clamp(0.0, 1.0),
                    false if around.kitchen() && minute < 480.0 && chance < 0.5 => 60.0 * chance,
                    _ => 0.0,
                };
            }
        }
    }

    /// Runs as told, else as `wanted`, and never without supply.
    pub(crate) fn decide(&mut self, wanted: bool) {
        self.state.on = self.state.told_on.unwrap_or(wanted) && !self.dead;
    }

    fn follow(&mut self, goal: f64, dt_s: f64, tau_s: f64) {
        self.state.measured = goal + (self.state.measured - goal) * libm::exp(-dt_s / tau_s);
    }

    /// A thermostat of ±1 K; an opened door lets in warm air.
    fn keep_cold(&mut self, target: f64, dt_s: f64, around: &Around<'_>, chance: f64) {
        self.state.open = around.kitchen() && chance < 0.06;
        if self.dead {
            self.state.on = false;
        } else if self.state.measured > target + 1.0 {
            self.state.on = true;
        } else if self.state.measured < target - 1.0 {
            self.state.on = false;
        }
        let goal = match (self.state.open, self.state.on) {
            (true, _) => target + 0.3 * (around.ambient_c - target),
            (false, true) => target - 9.0,
            (false, false) => around.ambient_c,
        };
        // Insulation holds for some 8 hours; the compressor pulls down in half an hour.
        let tau_s = if self.state.open {
            1500.0
        } else if self.state.on {
            3600.0
        } else {
            30_000.0
        };
        self.follow(goal, dt_s, tau_s);
        self.state.power_w = if self.state.on { 420.0 } else { 15.0 };
    }

    fn pump(&mut self, what: PumpUse, dt_s: f64, around: &Around<'_>, chance: f64) {
        let (wanted, full_w) = match what {
            PumpUse::Booster => {
                // One pump carries the base, the others join when the school is busy.
                let duty = self.key.is_multiple_of(2);
                (around.activity > if duty { 0.05 } else { 0.6 } || duty && chance < 0.2, 4000.0)
            }
            // Run for five minutes every Monday morning, as rules for fire pumps ask.
            PumpUse::Fire => {
                (around.now.weekday == 1 && (600.0..605.0).contains(&around.now.minute), 37_000.0)
            }
            PumpUse::Circulation => (around.activity > 0.3 || around.now.minute > 1080.0, 750.0),
            PumpUse::Sump => {
                (if self.state.on { self.state.measured > 0.3 } else { self.state.measured > 1.0 }, 5500.0)
            }
        };
        self.decide(wanted);
        if what == PumpUse::Sump {
            let seeping = 0.03 + 0.06 * around.sky.rain_mm_h;
            let change = seeping - if self.state.on { 3.0 } else { 0.0 };
            self.state.measured = (self.state.measured + change * dt_s / 3600.0).clamp(0.1, 2.5);
        }
        self.state.frequency_hz = match (self.state.on, what) {
            (false, _) => 0.0,
            (true, PumpUse::Booster) => 32.0 + 14.0 * around.activity,
            (true, _) => 50.0,
        };
        // Power of a pump goes with the cube of its speed.
        let speed = self.state.frequency_hz / 50.0;
        self.state.power_w = if self.state.on { full_w * speed * speed * speed } else { 5.0 };
    }
}
