//! The value of a point from its role and the state of the models.

use campanile_model::{Choice, Point, Value, ValueType};

use crate::calendar::Day;
use crate::models::Models;
use crate::noise::{bell, key, unit};
use crate::occupancy::is_break;
use crate::role::{AcPart, Air, Feed, Open, Part, Role};
use crate::room::{AcMode, CO2_OUTDOORS};
use crate::sky::humidity_pct;

/// Power factor of the loads of a school: lamps and converters with correction.
const POWER_FACTOR: f64 = 0.94;
const PHASE_V: f64 = 228.0;

/// W or m³/s through a feed.
pub(crate) fn through(models: &Models, feed: &Feed) -> f64 {
    match feed {
        Feed::Node(t, n) => models.trees[*t].flow[*n],
        Feed::Sources(list) => list.iter().map(|&s| models.sources[s].value).sum(),
        Feed::Lights(r, share) => models.rooms[*r].state.lights_w * share,
        Feed::Gas(r, share) => models.room_gas(*r) * share,
        // An inverter stops with the grid that it feeds.
        Feed::Solar(_, Some(node)) if models.dead.contains(node) => 0.0,
        Feed::Solar([peak, tilt, azimuth], _) => models.solar(*peak, *tilt, *azimuth),
        Feed::Machine(m) => models.machines[*m].state.power_w,
    }
}

/// A number and how much its sensor scatters (one standard deviation).
fn number(models: &Models, role: &Role, who: u64) -> (f64, f64) {
    match role {
        Role::Total(..) | Role::Rain => (0.0, 0.0),
        Role::Now(feed, si) => (through(models, feed) / si, 0.0),
        Role::Current(feed, phases) => (through(models, feed).abs() / (phases * PHASE_V * POWER_FACTOR), 0.0),
        Role::PowerFactor(feed) => {
            let (sign, load) = (through(models, feed).signum(), through(models, feed).abs());
            (sign * (POWER_FACTOR + 0.04 * (load / (load + 5000.0)) - 0.02), 0.002)
        }
        Role::Voltage(_, Some(node)) if models.dead.contains(node) => (0.0, 0.0),
        Role::Voltage(base, _) => {
            (base * (1.0 - 0.012 * models.activity + 0.008 * models.wander(who, 900.0)), 0.2)
        }
        Role::Room(r, air) => room(models, *r, *air),
        Role::Ac(r, ac, part) => {
            let ac = &models.rooms[*r].state.acs[*ac];
            match part {
                AcPart::Setpoint => (ac.setpoint_c, 0.0),
                AcPart::Supply => (
                    models.rooms[*r].state.air_c
                        + if ac.on { (ac.heat_w / 350.0).clamp(-14.0, 20.0) } else { 0.0 },
                    0.1,
                ),
                AcPart::On | AcPart::Mode => (f64::from(u8::from(ac.on)), 0.0),
            }
        }
        Role::Machine(m, part) => {
            let machine = &models.machines[*m];
            match part {
                Part::State => {
                    (machine.state.measured, if machine.state.measured.fract() == 0.0 { 0.0 } else { 0.03 })
                }
                Part::Setpoint => (machine.setpoint_c(), 0.0),
                Part::Frequency => (machine.state.frequency_hz, 0.0),
                Part::Water => (machine.state.water_m3_s * 1000.0, 0.0),
                Part::AirFlow => {
                    (if machine.state.on { 2400.0 + 60.0 * models.wander(who, 300.0) } else { 0.0 }, 0.0)
                }
                Part::On | Part::Open => (f64::from(u8::from(machine.state.on)), 0.0),
            }
        }
        Role::Open(what) => outdoors(models, *what, who),
        Role::Level(id, scale) => (models.water_level_m(id).unwrap_or(0.0) / scale, 0.003 / scale),
        Role::Drain(invert, diameter, foul, scale) => {
            ((invert + models.drain_depth_m(*diameter, *foul, who)) / scale, 0.003 / scale)
        }
        Role::Soil(entity) => {
            (models.soil.get(entity).copied().unwrap_or(24.0) + 2.0 * (unit(models.seed, who, 0) - 0.5), 0.1)
        }
        Role::SoilTemperature => (0.3 * models.slow.day_c + 0.7 * models.slow.ten_days_c, 0.05),
        Role::WaterTemperature => (models.slow.ten_days_c.max(1.0), 0.05),
        Role::Winding(feed, rating) => {
            let load = through(models, feed).abs() / rating;
            (0.6 * models.slow.day_c + 22.0 + 70.0 * load * load.min(1.2), 0.2)
        }
        Role::Steady(mean, spread) => (mean + spread * models.wander(who, 1800.0), 0.1 * spread),
        Role::Circuit(..)
        | Role::Breaker(_)
        | Role::Rare(_)
        | Role::Closed(_)
        | Role::Gate
        | Role::Echo(_)
        | Role::Held => (0.0, 0.0),
    }
}

fn room(models: &Models, r: usize, air: Air) -> (f64, f64) {
    let room = &models.rooms[r];
    match air {
        Air::Temperature => (room.state.air_c, 0.05),
        Air::Humidity => (humidity_pct(room.state.air_c, room.state.moisture, models.sky.pressure_pa), 0.4),
        Air::Co2 => (room.state.co2_ppm, 6.0),
        Air::Light => (room.state.light_lx, 0.01 * room.state.light_lx),
        Air::People => (room.state.people, 0.0),
        Air::Sound => {
            let talk = if room.state.people < 1.0 {
                0.0
            } else if is_break(&models.now) {
                34.0
            } else {
                24.0
            };
            (36.0 + talk * (room.state.people / room.spec.capacity.max(1.0)).min(1.0).sqrt(), 1.2)
        }
        Air::Dust => (0.55 * dust(models) + 6.0 * f64::from(u8::from(room.state.people > 0.0)), 1.0),
        Air::Presence | Air::WindowsOpen | Air::LightsOn => (0.0, 0.0),
    }
}

/// PM2.5 outdoors: about the mean of Shanghai, washed out by rain, blown away by wind.
fn dust(models: &Models) -> f64 {
    let base = (30.0 + 18.0 * models.wander(5, 43_200.0)).max(5.0);
    (base / (1.0 + 0.15 * models.slow.river_mm) / (0.7 + 0.1 * models.sky.wind_m_s)).max(3.0)
}

fn outdoors(models: &Models, what: Open, who: u64) -> (f64, f64) {
    let sky = &models.sky;
    match what {
        Open::Temperature => (sky.temperature_c, 0.05),
        Open::Humidity => (sky.humidity_pct, 0.4),
        Open::WindSpeed => ((sky.wind_m_s * (1.0 + 0.25 * models.wander(who, 120.0))).max(0.0), 0.2),
        Open::WindDirection => ((sky.wind_deg + 15.0 * models.wander(who, 300.0)).rem_euclid(360.0), 0.0),
        // The point's unit is a matter of the caller: hPa is what weather stations send.
        Open::Pressure => (sky.pressure_pa, 5.0),
        Open::Irradiance => (sky.global_w_m2, 0.005 * sky.global_w_m2),
        Open::Illuminance => (110.0 * sky.global_w_m2, 1.1 * sky.global_w_m2),
        Open::RainRate => (sky.rain_mm_h, 0.0),
        Open::Sound => (44.0 + 16.0 * models.activity + if is_break(&models.now) { 8.0 } else { 0.0 }, 1.2),
        Open::Dust => (dust(models), 1.0),
        Open::Co2 => (CO2_OUTDOORS, 3.0),
    }
}

/// Whether something that is usually shut is shut now; it stands open for a quarter of an hour at times.
fn closed(models: &Models, who: u64, chance: f64) -> bool {
    let quarter = models.time.0.div_euclid(900_000_000);
    models.activity < 0.2 || unit(models.seed, who, quarter) >= chance
}

/// Whether a rare thing happens now: it lasts five minutes.
fn rare(models: &Models, who: u64, per_year: f64) -> bool {
    let slice = models.time.0.div_euclid(300_000_000);
    unit(models.seed, who ^ 0xfa17, slice) < per_year / (365.0 * 288.0)
}

fn truth(models: &Models, role: &Role, who: u64) -> bool {
    match role {
        Role::Room(r, air) => {
            let room = &models.rooms[*r];
            match air {
                Air::Presence => room.state.people > 0.0,
                Air::LightsOn => room.state.lights_on,
                // Not every window of a room that is aired stands open.
                Air::WindowsOpen => room.state.windows_open && !who.is_multiple_of(3),
                _ => false,
            }
        }
        Role::Ac(r, ac, _) => models.rooms[*r].state.acs[*ac].on,
        Role::Machine(m, Part::Open) => models.machines[*m].state.open,
        Role::Machine(m, _) => models.machines[*m].state.on,
        Role::Circuit(node, rooms) => {
            !models.is_off(*node) && rooms.first().is_none_or(|&r| models.rooms[r].supplied(&models.now))
        }
        Role::Breaker(node) => !models.is_off(*node),
        Role::Rare(per_year) => rare(models, who, *per_year),
        Role::Closed(chance) => closed(models, who, *chance),
        Role::Gate => {
            let m = models.now.minute;
            models.now.day == Day::School && ((410.0..480.0).contains(&m) || (925.0..1085.0).contains(&m))
        }
        _ => false,
    }
}

/// What a choice's id means to an air-conditioner.
pub(crate) fn mode_of(choice: &Choice) -> AcMode {
    match choice.id.as_str() {
        "off" | "stop" => AcMode::Off,
        "heat" | "heating" | "warm" => AcMode::Heat,
        "fan" | "fan-only" | "vent" => AcMode::Fan,
        "auto" | "automatic" => AcMode::Auto,
        _ => AcMode::Cool,
    }
}

/// Whether people have taken over what a device was once told.
fn by_hand(models: &Models, role: &Role) -> bool {
    match role {
        Role::Room(r, Air::LightsOn) => models.rooms[*r].state.told_lights.is_none(),
        Role::Ac(r, ac, part) => {
            let ac = &models.rooms[*r].state.acs[*ac];
            match part {
                AcPart::On => ac.told_on.is_none(),
                AcPart::Setpoint => ac.told_setpoint_c.is_none(),
                AcPart::Mode => ac.told_mode.is_none(),
                AcPart::Supply => false,
            }
        }
        _ => false,
    }
}

/// The value of a point now, rounded to its resolution and kept in its range. `told` is what it was last told.
pub(crate) fn value(models: &Models, role: &Role, point: &Point, told: Option<&Value>, draw: i64) -> Value {
    let who = key(point.path.as_str());
    // A commanded point shows what it was told, until people have switched it by hand; what the device makes of it, its
    // readback shows.
    let told = told.filter(|_| !by_hand(models, role));
    match (told, &point.command) {
        (Some(Value::Number(x)), Some(_)) => return Value::Number(fit(*x, point)),
        (Some(told), Some(_)) => return told.clone(),
        _ => {}
    }
    let usual = || told.cloned().or_else(|| point.command.as_ref().map(|c| c.safe.clone()));
    match point.value_type {
        ValueType::Bool => match role {
            Role::Held => usual().unwrap_or(Value::Bool(false)),
            Role::Gate => told.cloned().unwrap_or_else(|| Value::Bool(truth(models, role, who))),
            _ => Value::Bool(truth(models, role, who)),
        },
        ValueType::Choice => match role {
            Role::Ac(r, ac, _) => {
                let ac = &models.rooms[*r].state.acs[*ac];
                let mode = if ac.on { ac.mode } else { ac.told_mode.unwrap_or(AcMode::Off) };
                let place = point.choices.iter().position(|c| mode_of(c) == mode);
                place.map_or_else(|| usual().unwrap_or(Value::Choice(0)), |i| Value::Choice(i as u16))
            }
            _ => usual().unwrap_or(Value::Choice(0)),
        },
        ValueType::Text => usual().unwrap_or_else(|| Value::Text("ok".into())),
        ValueType::Number => {
            if let Role::Held | Role::Machine(_, Part::Setpoint) = role
                && let Some(Value::Number(x)) = usual()
            {
                return Value::Number(x);
            }
            let (mut x, sigma) = number(models, role, who);
            if let Role::Open(Open::Pressure) = role {
                x /= crate::role::si(&point.unit);
            }
            if sigma > 0.0 {
                x += sigma * bell(models.seed, who, draw);
            }
            Value::Number(fit(x, point))
        }
    }
}

/// Rounds to the resolution and keeps to the range.
pub(crate) fn fit(x: f64, point: &Point) -> f64 {
    let x = match point.resolution {
        Some(step) if step > 0.0 => steps(x / step, step, f64::round),
        _ => x,
    };
    // Adding 0 turns a negative zero, which prints as `-0`, into zero.
    point.range.map_or(x, |[low, high]| x.clamp(low, high)) + 0.0
}

/// A whole number of steps: divided where the step is a part of one (0.1, 0.01), so that the decimal is the nearest.
pub(crate) fn steps(count: f64, step: f64, whole: fn(f64) -> f64) -> f64 {
    let per_one = (1.0 / step).round();
    let n = whole(count);
    if step < 1.0 && (per_one * step - 1.0).abs() < 1e-9 { n / per_one } else { n * step }
}
