//! A room: heat, air and light, with its air-conditioners.
//!
//! | quantity | model |
//! |---|---|
//! | temperature | two nodes (air with furniture, building mass) after the simple method of ISO 13790, stepped implicitly |
//! | CO₂, moisture | one well-mixed box, stepped exactly; 0.0043 L/s of CO₂ a person (Persily & de Jonge 2017, pupils at 1.4 met), 55 g/h of water |
//! | air change | closed 0.3 /h, people in and out 0.8 /h, open windows 3 to 5 /h; kitchens and laboratories mechanically |
//! | light | daylight factor 2 % with windows at 110 lm/W, lamps on top |
//! | air-conditioner | thermostat within its capacity of 180 W/m²; COP falls with the lift |

use std::sync::Arc;

use campanile_model::SpaceUse;
use serde::{Deserialize, Serialize};

use crate::site::RoomSpec;
use crate::sky::{Sky, moisture};
use crate::{calendar::Day, calendar::Moment};

/// CO₂ of a person, m³/s.
const CO2_M3_S: f64 = 4.3e-6;
/// CO₂ outdoors, ppm.
pub(crate) const CO2_OUTDOORS: f64 = 425.0;
/// Water of a person, kg/s.
const MOISTURE_KG_S: f64 = 55e-3 / 3600.0;
/// Heat of a person that warms the air, W.
const PERSON_W: f64 = 65.0;
/// Heat of the air, J/(m³K), with furniture counted as five times the air.
const AIR_J_M3K: f64 = 1206.0;
const FURNITURE: f64 = 5.0;
/// Building mass, J/(m²K of floor): the middle class of ISO 13790.
const MASS_J_M2K: f64 = 165_000.0;
/// From air to mass, W/(m²K of floor): 2.5 m² of surface a m², 3.45 W/(m²K).
const MASS_W_M2K: f64 = 8.6;
/// What an air-conditioner can do, W/m² of floor; a fan and its electronics, W.
const AC_W_M2: f64 = 180.0;
const AC_FAN: f64 = 0.03;
const AC_STANDBY_W: f64 = 3.0;

/// What an air-conditioner does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AcMode {
    Cool,
    Heat,
    Fan,
    Auto,
    Off,
}

/// An air-conditioner: what it is told and what it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ac {
    /// Whether its circuit has no supply.
    #[serde(skip)]
    pub dead: bool,
    pub told_on: Option<bool>,
    pub told_mode: Option<AcMode>,
    pub told_setpoint_c: Option<f64>,
    pub on: bool,
    pub mode: AcMode,
    pub setpoint_c: f64,
    /// Electric power, W.
    pub power_w: f64,
    /// Heat given to the room (cooling is negative), W.
    pub heat_w: f64,
}

impl Ac {
    pub(crate) fn new() -> Self {
        Self {
            dead: false,
            told_on: None,
            told_mode: None,
            told_setpoint_c: None,
            on: false,
            mode: AcMode::Cool,
            setpoint_c: 26.0,
            power_w: AC_STANDBY_W,
            heat_w: 0.0,
        }
    }

    /// Follows what it is told; what it isn't told, the people in the room decide, who set cooling to so many °C.
    pub(crate) fn decide(&mut self, wanted: Option<AcMode>, cooling_to_c: f64) {
        let mode = match (self.told_mode, self.told_on) {
            _ if self.dead => AcMode::Off,
            (Some(AcMode::Off), _) | (_, Some(false)) => AcMode::Off,
            (Some(mode), Some(true)) => mode,
            (None, Some(true)) => wanted.unwrap_or(AcMode::Auto),
            // A mode without a switch is a wish to run in that mode.
            (Some(mode), None) => mode,
            (None, None) => wanted.unwrap_or(AcMode::Off),
        };
        self.on = mode != AcMode::Off;
        if self.on {
            self.mode = mode;
        }
        let usual = if self.mode == AcMode::Heat { 20.0 } else { cooling_to_c };
        self.setpoint_c = self.told_setpoint_c.unwrap_or(usual);
    }
}

/// A room: what the plan says about it, and how it is now.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub spec: Arc<RoomSpec>,
    pub state: RoomState,
    /// Which of its loads hang on a circuit without supply.
    pub dead: Dead,
}

/// Loads of a room without supply.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dead {
    pub lights: bool,
    pub plugs: bool,
    pub special: bool,
}

/// How a room is: all that its next step and its sensors follow from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RoomState {
    pub acs: Vec<Ac>,
    pub told_lights: Option<bool>,
    pub told_supply: Option<bool>,
    pub people: f64,
    pub air_c: f64,
    pub mass_c: f64,
    pub moisture: f64,
    pub co2_ppm: f64,
    pub light_lx: f64,
    pub lights_on: bool,
    pub windows_open: bool,
    pub lights_w: f64,
    pub plugs_w: f64,
    /// Kitchen ranges, servers, machines, W.
    pub special_w: f64,
}

impl Room {
    pub(crate) fn new(spec: RoomSpec, sky: &Sky) -> Self {
        let state = RoomState {
            acs: Vec::new(),
            told_lights: None,
            told_supply: None,
            people: 0.0,
            air_c: sky.temperature_c,
            mass_c: sky.temperature_c,
            moisture: sky.moisture,
            co2_ppm: CO2_OUTDOORS,
            light_lx: 0.0,
            lights_on: false,
            windows_open: false,
            lights_w: 0.0,
            plugs_w: 0.0,
            special_w: 0.0,
        };
        Self { spec: Arc::new(spec), state, dead: Dead::default() }
    }

    /// Whether the sockets and lamps have power.
    pub(crate) fn supplied(&self, now: &Moment) -> bool {
        self.state.told_supply.unwrap_or(!(now.curfew && self.spec.use_ == SpaceUse::Dormitory))
    }

    /// What the people in the room would set the air-conditioner to; who goes last may leave it as it is.
    pub(crate) fn wish(&self, running: bool, left_on: bool, [heat_c, cool_c]: [f64; 2]) -> Option<AcMode> {
        if self.spec.use_ == SpaceUse::Server {
            return Some(AcMode::Cool);
        }
        // Who works alone in an office cools it; who fetches something from a classroom doesn't.
        let few = match self.spec.use_ {
            SpaceUse::Office | SpaceUse::Meeting | SpaceUse::Counselling | SpaceUse::Clinic => 1.0,
            _ => (0.1 * self.spec.capacity).max(1.0),
        };
        let there = self.state.people >= few;
        if !there {
            let runs = self.state.acs.iter().find(|ac| ac.on && ac.mode != AcMode::Fan);
            return runs.filter(|_| left_on).map(|ac| ac.mode);
        }
        match running {
            true if self.state.mass_c > self.spec.cooling_to_c - 0.5 => Some(AcMode::Cool),
            true if self.state.mass_c < 19.0 => Some(AcMode::Heat),
            _ if self.state.air_c > cool_c => Some(AcMode::Cool),
            _ if self.state.air_c < heat_c => Some(AcMode::Heat),
            _ => None,
        }
    }

    /// Steps by `dt_s` seconds with `people` in it, of whom the last leaves on what is on or doesn't; `kettle_w` is what
    /// a boarder plugs in against the rules.
    pub(crate) fn advance(
        &mut self,
        dt_s: f64,
        sky: &Sky,
        now: &Moment,
        people: f64,
        left_on: bool,
        kettle_w: f64,
        comfort_c: [f64; 2],
    ) {
        if people > 0.0 && self.state.people <= 0.0 {
            self.come_in();
        }
        self.state.people = people;
        self.light_and_loads(sky, now, left_on, kettle_w);
        let running = self.state.acs.iter().any(|ac| ac.on);
        let wish = self.wish(running, left_on, comfort_c);
        for ac in &mut self.state.acs {
            ac.decide(wish, self.spec.cooling_to_c);
        }
        let running = self.state.acs.iter().any(|ac| ac.on && ac.mode != AcMode::Fan);
        let per_hour = self.air_changes(sky, running);
        let flow_s = per_hour / 3600.0;
        self.heat(dt_s, sky, flow_s);
        let volume = self.spec.volume_m3;
        let co2_limit = CO2_OUTDOORS + 1e6 * self.state.people * CO2_M3_S / (flow_s * volume);
        self.state.co2_ppm = co2_limit + (self.state.co2_ppm - co2_limit) * libm::exp(-flow_s * dt_s);
        // A cooling coil dries air towards saturation at 12 °C.
        let cooling: f64 = self.state.acs.iter().map(|ac| (-ac.heat_w).max(0.0)).sum();
        let coil = moisture(12.0, 100.0, sky.pressure_pa);
        let drying_s = if self.state.moisture > coil {
            5.0 / 3600.0 * cooling / (AC_W_M2 * self.spec.area_m2)
        } else {
            0.0
        };
        let rate = flow_s + drying_s;
        let gain = self.state.people * MOISTURE_KG_S / (1.2 * volume);
        let limit = (flow_s * sky.moisture + drying_s * coil + gain) / rate;
        self.state.moisture = limit + (self.state.moisture - limit) * libm::exp(-rate * dt_s);
    }

    /// Who comes in has a switch at the wall and a remote control: what was told to be off is theirs again, until it is
    /// told anew.
    fn come_in(&mut self) {
        if self.state.told_lights == Some(false) {
            self.state.told_lights = None;
        }
        for ac in self.state.acs.iter_mut().filter(|ac| ac.told_on == Some(false)) {
            (ac.told_on, ac.told_mode, ac.told_setpoint_c) = (None, None, None);
        }
    }

    fn air_changes(&mut self, sky: &Sky, running: bool) -> f64 {
        use SpaceUse as U;
        let mild = (13.0..31.0).contains(&sky.temperature_c) && sky.rain_mm_h < 2.0;
        // Most classes air when it gets stuffy, some don't notice; who has opened leaves it open for a while.
        let bears = if self.spec.key.is_multiple_of(8) { 2600.0 } else { 1250.0 };
        let stuffy = self.state.co2_ppm > if self.state.windows_open { 0.7 * bears } else { bears };
        let windows = !self.spec.windows.is_empty();
        self.state.windows_open = windows && self.state.people > 0.0 && (mild && !running || stuffy);
        let mechanical = match self.spec.use_ {
            U::Kitchen if self.state.people > 0.0 => 12.0,
            U::Laboratory | U::ChemicalStore | U::Preparation if self.state.people > 0.0 => 3.0,
            U::Toilet | U::Washroom => 4.0,
            U::Dining | U::Hall | U::Gym if self.state.people > 0.0 => 2.0,
            U::Corridor | U::Lobby | U::Stair => 4.0,
            _ => 0.0,
        };
        let leaks = if self.state.people > 0.0 { 0.8 } else { 0.3 };
        let open = if self.state.windows_open { 2.5 + (0.8 * sky.wind_m_s).min(3.0) } else { 0.0 };
        leaks + mechanical + open
    }

    fn light_and_loads(&mut self, sky: &Sky, now: &Moment, left_on: bool, kettle_w: f64) {
        use SpaceUse as U;
        let s = &self.spec;
        let daylight = if s.windows.is_empty() { 0.0 } else { 0.02 * 110.0 * sky.global_w_m2 };
        let awake = s.use_ != U::Dormitory || !now.curfew;
        let supplied = self.supplied(now);
        let auto = match self.state.people > 0.0 {
            true => awake && daylight < 450.0,
            false => left_on && self.state.lights_on,
        };
        self.state.lights_on = supplied && !self.dead.lights && self.state.told_lights.unwrap_or(auto);
        let (lamp_w_m2, lamp_lx) = match s.use_ {
            U::Corridor | U::Stair | U::Lobby | U::Toilet | U::Store => (4.0, 110.0),
            U::Dormitory => (5.0, 150.0),
            U::Gym | U::Hall => (9.0, 350.0),
            _ => (8.0, 340.0),
        };
        self.state.light_lx = daylight + if self.state.lights_on { lamp_lx } else { 0.0 };
        self.state.lights_w = if self.state.lights_on { lamp_w_m2 * s.area_m2 } else { 0.0 };
        let full = self.state.people / s.capacity.max(1.0);
        let busy = if full > 0.3 { 1.0 } else { 0.0 };
        let plugs = match s.use_ {
            U::Classroom => 260.0 * busy,
            U::Computer => 110.0 * self.state.people,
            U::Office | U::Meeting | U::Library | U::Broadcast => 110.0 * self.state.people.min(s.capacity),
            U::Laboratory | U::Workshop | U::Art | U::Music => 600.0 * busy,
            U::Dormitory => 18.0 * self.state.people + kettle_w,
            U::Guard => 250.0,
            _ => 0.0,
        };
        self.state.plugs_w = if supplied && !self.dead.plugs { plugs + 0.3 * s.area_m2 } else { 0.0 };
        self.state.special_w = match s.use_ {
            U::Server => 3500.0,
            U::Kitchen => s.area_m2 * if self.state.people > 0.0 { 110.0 } else { 4.0 },
            U::Dining => s.area_m2 * 6.0 * full,
            _ => 0.0,
        };
        if now.day == Day::Vacation && s.use_ == U::Kitchen {
            self.state.special_w = s.area_m2 * 1.0;
        }
        if self.dead.special {
            self.state.special_w = 0.0;
        }
    }

    fn heat(&mut self, dt_s: f64, sky: &Sky, flow_s: f64) {
        let s = &self.spec;
        let outside_c = if s.cellar { 17.0 + 0.15 * (sky.temperature_c - 17.0) } else { sky.temperature_c };
        let solar: f64 = s.windows.iter().map(|&[area, azimuth]| area * sky.on_plane(90.0, azimuth)).sum();
        let capacity = AIR_J_M3K * FURNITURE * s.volume_m3;
        let through = s.light_w_k + AIR_J_M3K * s.volume_m3 * flow_s;
        let to_mass = MASS_W_M2K * s.area_m2;
        // Ranges of a kitchen give most of their heat to the hood.
        let special = if s.use_ == SpaceUse::Kitchen { 0.15 } else { 1.0 } * self.state.special_w;
        let gains =
            PERSON_W * self.state.people + self.state.lights_w + self.state.plugs_w + special + 0.3 * solar;
        let stiff = capacity / dt_s + through + to_mass;
        let free =
            (capacity / dt_s * self.state.air_c + through * outside_c + to_mass * self.state.mass_c + gains)
                / stiff;
        let count = self.state.acs.len().max(1) as f64;
        let each_w = (AC_W_M2 * s.area_m2).max(1500.0) / count;
        let mut air = free;
        for ac in &mut self.state.acs {
            let needed = (ac.setpoint_c - free) * stiff / count;
            ac.heat_w = match (ac.on, ac.mode) {
                (true, AcMode::Cool) => needed.clamp(-each_w, 0.0),
                (true, AcMode::Heat) => needed.clamp(0.0, each_w),
                (true, AcMode::Auto) => needed.clamp(-each_w, each_w),
                _ => 0.0,
            };
            let cop = if ac.heat_w < 0.0 {
                (3.4 - 0.06 * (outside_c - 35.0)).clamp(2.0, 5.5)
            } else {
                (3.0 + 0.06 * (outside_c - 7.0)).clamp(1.8, 4.5)
            };
            ac.power_w = AC_STANDBY_W + ac.heat_w.abs() / cop + if ac.on { AC_FAN * each_w } else { 0.0 };
            if ac.dead {
                ac.power_w = 0.0;
            }
            air += ac.heat_w / stiff;
        }
        self.state.air_c = air;
        let mass = MASS_J_M2K * s.area_m2;
        self.state.mass_c =
            (mass / dt_s * self.state.mass_c + to_mass * air + s.opaque_w_k * outside_c + 0.7 * solar)
                / (mass / dt_s + to_mass + s.opaque_w_k);
    }
}
