//! The state of everything on the campus, stepped together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_formats::Epw;
use campanile_model::{Campus, EntityKind, NetworkKind, SpaceUse, Timestamp, WaterKind};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Day, Moment};
use crate::equip;
use crate::flows::{FlowTree, Item, Load, Source, is_flow};
use crate::machine::{Around, Kind, Machine};
use crate::noise::{drift, unit};
use crate::occupancy::{activity, is_break, leaves_on, people};
use crate::overrides::Overrides;
use crate::room::Room;
use crate::settings::Settings;
use crate::sky::Sky;
use crate::{DevicesError, site};

/// Seconds of a step of the models; every state holds for so long.
pub(crate) const STEP_S: i64 = 60;
/// What a school kitchen burns and uses: gas a meal in m³, water a meal in m³ (school figures of practice, to be
/// checked against the current standard).
const GAS_M3_MEAL: f64 = 0.2;
const WATER_M3_MEAL: f64 = 0.010;
/// Hours over which a meal's gas is burnt and its water used.
const COOKING_H: f64 = 5.5;
const KITCHEN_H: f64 = 8.5;
/// Hot water as a share of what taps in dormitories and kitchens give.
const HOT_SHARE: f64 = 0.35;

/// Slow states of the ground and of the waters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Slow {
    /// Air temperature, running means over a day and over ten days, °C.
    pub day_c: f64,
    pub ten_days_c: f64,
    /// Rain on the way to drains (20 min) and to the river (12 h), mm.
    pub drains_mm: f64,
    pub river_mm: f64,
}

/// All models of a campus.
#[derive(Clone)]
pub(crate) struct Models {
    pub campus: Arc<Campus>,
    epw: Arc<Epw>,
    calendar: Calendar,
    pub seed: u64,
    comfort_c: [f64; 2],
    left_on: f64,
    tide_m: f64,
    rise_m_per_mm: f64,
    pub time: Timestamp,
    pub sky: Sky,
    pub now: Moment,
    pub activity: f64,
    pub slow: Slow,
    pub rooms: Vec<Room>,
    /// Of each entity the room that it is or stands in.
    pub room_of: Vec<Option<usize>>,
    pub machines: Vec<Machine>,
    pub machine_of: BTreeMap<usize, usize>,
    /// Of each entity that is an air-conditioner its room and number there.
    pub ac_of: BTreeMap<usize, (usize, usize)>,
    /// Moisture of the soil by entity, % of volume.
    pub soil: BTreeMap<usize, f64>,
    pub sources: Vec<Source>,
    pub trees: Vec<FlowTree>,
    /// Nodes of electricity that were told to be off, by entity.
    pub off: BTreeSet<usize>,
    /// Nodes of electricity without supply since the last step, by entity.
    pub dead: BTreeSet<usize>,
    pub overrides: Overrides,
    diners: f64,
    /// Persons, toilets and washrooms by building.
    crowd: Vec<[f64; 3]>,
    kitchen_m2: f64,
    /// Of each room its share of the gas: kitchens with ranges, else all kitchens by area.
    gas_share: Vec<f64>,
}

impl Models {
    pub(crate) fn new(
        campus: Arc<Campus>,
        epw: Epw,
        settings: &Settings,
        seed: u64,
    ) -> Result<Self, DevicesError> {
        let calendar = Calendar::new(settings, &campus.timezone)?;
        let time = Timestamp(0);
        let sky = Sky::at(&epw, campus.plan.site.latitude_deg, campus.plan.site.longitude_deg, time);
        let mut rooms: Vec<Room> =
            site::rooms(&campus, settings).into_iter().map(|spec| Room::new(spec, &sky)).collect();
        let mut room_of = vec![None; campus.entities.len()];
        for (r, room) in rooms.iter().enumerate() {
            room_of[room.spec.entity] = Some(r);
        }
        // Parents come before children.
        for (i, entity) in campus.entities.iter().enumerate() {
            if let (None, EntityKind::Equipment, Some(p)) = (room_of[i], entity.kind, entity.parent) {
                room_of[i] = room_of[p];
            }
        }
        for network in &campus.networks {
            for node in &network.nodes {
                let place = node.place.as_ref().and_then(|p| campus.entity_index(p.as_str()));
                room_of[node.entity] = place.and_then(|p| room_of[p]);
            }
        }
        let soil = equip::beds(&campus);
        let (machines, ac_of) = equip::machines(&campus, &room_of, &soil, &mut rooms);
        let machine_of = machines.iter().enumerate().map(|(m, x)| (x.entity, m)).collect();
        let diners: f64 = 3.0
            * rooms.iter().filter(|r| r.spec.use_ == SpaceUse::Dining).map(|r| r.spec.capacity).sum::<f64>();
        let pupils: f64 =
            rooms.iter().filter(|r| r.spec.use_ == SpaceUse::Classroom).map(|r| r.spec.capacity).sum();
        let mut crowd = vec![[0.0; 3]; campus.plan.buildings.len()];
        for room in &rooms {
            match room.spec.use_ {
                SpaceUse::Toilet => crowd[room.spec.building][1] += 1.0,
                SpaceUse::Washroom => crowd[room.spec.building][2] += 1.0,
                _ => {}
            }
        }
        let kitchen_m2 = rooms
            .iter()
            .filter(|r| r.spec.use_ == SpaceUse::Kitchen)
            .map(|r| r.spec.area_m2)
            .sum::<f64>()
            .max(1.0);
        let ranges: Vec<f64> = (0..rooms.len())
            .map(|r| machines.iter().filter(|m| m.kind == Kind::Range && m.room == Some(r)).count() as f64)
            .collect();
        let all: f64 = ranges.iter().sum();
        let gas_share = rooms.iter().zip(&ranges).map(|(room, n)| match room.spec.use_ {
            _ if all > 0.0 => n / all,
            SpaceUse::Kitchen => room.spec.area_m2 / kitchen_m2,
            _ => 0.0,
        });
        let gas_share = gas_share.collect();
        let mut models = Self {
            comfort_c: [settings.heating_below_c.unwrap_or(13.0), settings.cooling_from_c.unwrap_or(28.0)],
            left_on: settings.left_on,
            tide_m: settings.river.tide_m,
            rise_m_per_mm: settings.river.rise_m_per_mm,
            now: calendar.at(time),
            calendar,
            epw: Arc::new(epw),
            seed,
            time,
            sky,
            activity: 0.0,
            slow: Slow::default(),
            rooms,
            room_of,
            machines,
            machine_of,
            ac_of,
            soil,
            sources: Vec::new(),
            trees: Vec::new(),
            off: BTreeSet::new(),
            dead: BTreeSet::new(),
            overrides: Overrides::default(),
            diners: if pupils > 0.0 { diners.min(pupils * 1.1) } else { diners },
            crowd,
            kitchen_m2,
            gas_share,
            campus,
        };
        models.sources = equip::sources(&models);
        models.connect(settings)?;
        Ok(models)
    }

    /// Hangs the sources on the networks, and the leak on its node.
    fn connect(&mut self, settings: &Settings) -> Result<(), DevicesError> {
        let campus = self.campus.clone();
        let mut leak = settings.leak.as_ref();
        for (index, network) in campus.networks.iter().enumerate().filter(|(_, n)| is_flow(n.kind)) {
            let mut tree = FlowTree::new(&campus, index, network, &mut self.sources);
            if let (NetworkKind::Water, Some(hidden)) = (network.kind, leak) {
                let path = |id: &str| format!("net/{}/{id}", network.id);
                let node =
                    network.nodes.iter().position(|n| n.id == hidden.node || path(&n.id) == hidden.node);
                if let Some(node) = node {
                    tree.leak(node, network.nodes[node].entity, hidden.flow_m3_s(), &mut self.sources);
                    leak = None;
                }
            }
            self.trees.push(tree);
        }
        match leak {
            Some(hidden) => Err(DevicesError::LeakNode(hidden.node.clone())),
            None => Ok(()),
        }
    }

    /// Moves to a time: its weather and its moment of the school's day.
    pub(crate) fn look(&mut self, time: Timestamp) {
        let site = &self.campus.plan.site;
        self.time = time;
        self.sky = Sky::at(&self.epw, site.latitude_deg, site.longitude_deg, time);
        self.overrides.weather.apply(&mut self.sky);
        self.now = self.calendar.at(time);
        self.activity = activity(&self.now);
    }

    /// Brings every state to where it would be at `time` had it run before: ten days of hours for what is slow,
    /// a day of five minutes for the rest. What is laid over the models holds for the last five minutes only.
    pub(crate) fn spin_up(&mut self, time: Timestamp) {
        let hours = 240;
        let mut held = std::mem::take(&mut self.overrides);
        self.look(time.plus_micros(-hours * 3_600_000_000));
        self.slow =
            Slow { day_c: self.sky.temperature_c, ten_days_c: self.sky.temperature_c, ..Slow::default() };
        for moisture in self.soil.values_mut() {
            *moisture = 24.0;
        }
        for hour in 0..hours - 24 {
            self.look(time.plus_micros((hour - hours) * 3_600_000_000));
            self.step_slow(3600.0);
        }
        for room in &mut self.rooms {
            room.state.mass_c = 0.5 * (self.slow.ten_days_c + 22.0);
            room.state.air_c = room.state.mass_c;
            (room.state.moisture, room.state.co2_ppm) = (self.sky.moisture, crate::room::CO2_OUTDOORS);
        }
        for step in 0..288 {
            if step == 287 {
                self.overrides = std::mem::take(&mut held);
            }
            self.look(time.plus_micros((step - 288) * 300_000_000));
            self.step_slow(300.0);
            self.step_fast(300.0);
        }
        self.look(time);
        self.flow();
    }

    /// Steps to `time`, [`STEP_S`] after the last.
    pub(crate) fn advance(&mut self, time: Timestamp) {
        let dt_s = STEP_S as f64;
        self.look(time);
        self.step_slow(dt_s);
        self.step_fast(dt_s);
        self.flow();
    }

    fn step_slow(&mut self, dt_s: f64) {
        let sky = &self.sky;
        let follow = |state: &mut f64, goal: f64, tau_s: f64| {
            *state = goal + (*state - goal) * libm::exp(-dt_s / tau_s);
        };
        follow(&mut self.slow.day_c, sky.temperature_c, 86_400.0);
        follow(&mut self.slow.ten_days_c, sky.temperature_c, 864_000.0);
        let rain_mm = sky.rain_mm_h * dt_s / 3600.0;
        for (store, tau_s) in [(&mut self.slow.drains_mm, 1200.0), (&mut self.slow.river_mm, 43_200.0)] {
            *store = (*store + rain_mm) * libm::exp(-dt_s / tau_s);
        }
        let evaporation = 0.0002 * sky.global_w_m2 * dt_s / 3600.0;
        for (&bed, moisture) in &mut self.soil {
            let watered =
                self.machines.iter().any(|m| m.state.on && matches!(m.kind, Kind::Valve(b) if b == bed));
            // A root zone of 400 mm: 1 mm of water is 0.25 % of volume; what is above field capacity drains in a day.
            *moisture += 0.25 * rain_mm + if watered { 6.0 * dt_s / 3600.0 } else { 0.0 };
            *moisture -= evaporation * ((*moisture - 8.0) / 20.0).clamp(0.0, 1.2);
            if *moisture > 32.0 {
                follow(moisture, 32.0, 86_400.0);
            }
            *moisture = moisture.clamp(5.0, 48.0);
        }
    }

    fn step_fast(&mut self, dt_s: f64) {
        self.energise();
        let (seed, now) = (self.seed, self.now);
        for building in &mut self.crowd {
            building[0] = 0.0;
        }
        for (r, room) in self.rooms.iter_mut().enumerate() {
            let usual = || people(room.spec.use_, room.spec.capacity, room.spec.key, &now, seed);
            let n = self.overrides.people.get(&r).copied().unwrap_or_else(usual);
            self.crowd[room.spec.building][0] += n;
            // Now and then a boarder boils water against the rules, for a quarter of an hour in the evening.
            let kettle = room.spec.use_ == SpaceUse::Dormitory
                && unit(seed, room.spec.key ^ 3, now.date) < 0.02
                && (1235.0..1250.0).contains(&now.minute)
                && n > 0.0;
            let left_on = leaves_on(self.left_on, room.spec.key, &now, seed);
            let kettle_w = if kettle { 1500.0 } else { 0.0 };
            room.advance(dt_s, &self.sky, &now, n, left_on, kettle_w, self.comfort_c);
        }
        let around = |machine: &Machine, rooms: &[Room], soil: &BTreeMap<usize, f64>| {
            let ambient_c =
                machine.room.and_then(|r| rooms.get(r)).map_or(self.sky.temperature_c, |r| r.state.air_c);
            let soil_pct = match machine.kind {
                Kind::Valve(bed) => soil.get(&bed).copied().unwrap_or(30.0),
                _ => 30.0,
            };
            (ambient_c, soil_pct)
        };
        for machine in &mut self.machines {
            let (ambient_c, soil_pct) = around(machine, &self.rooms, &self.soil);
            let around = Around {
                sky: &self.sky,
                now: &now,
                ambient_c,
                activity: self.activity,
                soil_pct,
                seed,
                tick: self.time.0.div_euclid(60_000_000),
            };
            machine.advance(dt_s, &around);
        }
    }

    /// What every source takes now, and with it the flow through every node.
    pub(crate) fn flow(&mut self) {
        let mut sources = std::mem::take(&mut self.sources);
        for source in &mut sources {
            source.value = self.load(source);
        }
        self.sources = sources;
        self.sum();
    }

    /// The flow through every node from what the sources take.
    pub(crate) fn sum(&mut self) {
        for tree in &mut self.trees {
            tree.flow = tree.sum(|s| self.sources[s].value);
        }
    }

    fn load(&self, source: &Source) -> f64 {
        match source.load {
            _ if source.dead => 0.0,
            Load::RoomLights(r) => {
                // Signs and emergency lamps of ways out never go off.
                let always =
                    if source.item == Item::Corridor { 0.25 * self.rooms[r].spec.area_m2 } else { 0.0 };
                self.rooms[r].state.lights_w + always
            }
            Load::RoomPlugs(r) => self.rooms[r].state.plugs_w,
            Load::RoomSpecial(r) => self.rooms[r].state.special_w,
            Load::RoomAc(r, ac) => self.rooms[r].state.acs[ac].power_w,
            Load::RoomWater(r) => self.room_water(r),
            Load::RoomHotWater(r) => HOT_SHARE * self.room_water(r),
            Load::RoomGas(r) => self.room_gas(r),
            Load::Machine(m) => self.machines[m].state.power_w,
            Load::MachineWater(m) => self.machines[m].state.water_m3_s,
            Load::Unknown(full) => full * self.activity * (0.9 + 0.2 * self.flicker(source.entity as u64)),
            Load::Leak(flow) => flow,
            Load::Solar([peak_w, tilt, azimuth]) => self.solar(peak_w, tilt, azimuth),
        }
    }

    /// A draw in `[0, 1)` that is new every minute.
    fn flicker(&self, who: u64) -> f64 {
        unit(self.seed, who ^ 0x5bd1, self.time.0.div_euclid(60_000_000))
    }

    /// AC power of an array: a tenth is lost in wiring, dirt and inverter, 0.4 %/K of the cell's heating.
    pub(crate) fn solar(&self, peak_w: f64, tilt_deg: f64, azimuth_deg: f64) -> f64 {
        let irradiance = self.sky.on_plane(tilt_deg, azimuth_deg);
        let cell_c = self.sky.temperature_c + 0.03 * irradiance;
        (peak_w * irradiance / 1000.0 * 0.88 * (1.0 - 0.004 * (cell_c - 25.0))).max(0.0)
    }

    fn room_water(&self, r: usize) -> f64 {
        let room = &self.rooms[r];
        let [people, toilets, washrooms] = self.crowd[room.spec.building];
        let m = self.now.minute;
        let washing = (380.0..425.0).contains(&m) || (1230.0..1285.0).contains(&m);
        let asleep = !(360.0..1310.0).contains(&m);
        let litres_min = match room.spec.use_ {
            SpaceUse::Toilet => {
                let each = if is_break(&self.now) {
                    0.08
                } else if asleep {
                    0.002
                } else {
                    0.015
                };
                people * each / toilets.max(1.0)
            }
            SpaceUse::Washroom if washing => people * 0.4 / washrooms.max(1.0),
            SpaceUse::Dormitory if washing && washrooms == 0.0 => room.state.people * 0.4,
            SpaceUse::Dormitory => room.state.people * if asleep { 0.002 } else { 0.02 },
            SpaceUse::Laboratory | SpaceUse::Art => 0.05 * room.state.people,
            SpaceUse::Kitchen if room.state.people > 0.0 => {
                let share = room.spec.area_m2 / self.kitchen_m2;
                self.diners * WATER_M3_MEAL * 1000.0 / (KITCHEN_H * 60.0) * share
            }
            _ => 0.0,
        };
        litres_min / 60_000.0 * (0.5 + self.flicker(room.spec.key))
    }

    /// What the ranges of a room burn, m³/s.
    pub(crate) fn room_gas(&self, r: usize) -> f64 {
        let cooking = self.now.day == Day::School && (330.0..660.0).contains(&self.now.minute);
        if !cooking {
            return 0.0;
        }
        let (share, room) = (self.gas_share[r], &self.rooms[r]);
        self.diners * GAS_M3_MEAL / (COOKING_H * 3600.0)
            * share
            * (0.7 + 0.6 * self.flicker(room.spec.key ^ 9))
    }

    /// The level of a river or pond of the plan, m above datum.
    pub(crate) fn water_level_m(&self, id: &str) -> Option<f64> {
        let water = self.campus.plan.outside.waters.iter().find(|w| w.id == id)?;
        let usual = f64::from(water.level_mm) / 1000.0;
        Some(match water.kind {
            WaterKind::River => usual + self.tide_m() + self.rise_m_per_mm * self.slow.river_mm,
            WaterKind::Pond => {
                usual + (0.001 * self.slow.river_mm).min(0.25) + 0.01 * self.wander(77, 86_400.0)
            }
        })
    }

    /// Principal lunar and solar tides: periods 12.4206 h and 12 h, S2 at 0.4 of M2 (about spring to neap).
    fn tide_m(&self) -> f64 {
        let hours = self.time.as_secs_f64() / 3600.0;
        let wave = |period_h: f64| libm::cos(std::f64::consts::TAU * hours / period_h);
        self.tide_m * (wave(12.4206) + 0.4 * wave(12.0))
    }

    /// Depth of water at a node of a drain with a pipe of this diameter, m.
    pub(crate) fn drain_depth_m(&self, diameter_mm: f64, foul: bool, who: u64) -> f64 {
        let diameter = diameter_mm / 1000.0;
        if foul {
            return diameter * (0.08 + 0.25 * self.activity) + 0.003 * self.wander(who, 600.0);
        }
        // 12 mm on their way in 20 min is some 36 mm/h, when a pipe of a return period of a few years runs full.
        let fill = libm::sqrt(self.slow.drains_mm / 12.0);
        diameter * (0.05 + 0.95 * fill.min(1.2))
    }

    /// A slow wander of about ±1.
    pub(crate) fn wander(&self, who: u64, period_s: f64) -> f64 {
        drift(self.seed, who, self.time.as_secs_f64(), period_s) / 1.5
    }
}
