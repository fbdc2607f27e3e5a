//! What each point shows: found from its Brick class, kind, unit and place, so that any campus works.

use std::collections::BTreeMap;

use campanile_model::{Campus, EntityKind, NetworkKind, Node, Point, PointId, PointKind, ValueType};

use crate::equip::{has, is_ac, is_light, words};
use crate::flows::{Load, counts, generates};
use crate::machine::Kind;
use crate::models::Models;
use crate::noise::key;

/// Where a meter's flow comes from.
#[derive(Clone, Debug)]
pub(crate) enum Feed {
    /// A node of the tree at an index of `Models::trees`.
    Node(usize, usize),
    /// Some sources together.
    Sources(Vec<usize>),
    /// A share of a room's lights.
    Lights(usize, f64),
    /// A share of a room's gas.
    Gas(usize, f64),
    /// A solar array, and the entity of the node that it feeds.
    Solar([f64; 3], Option<usize>),
    /// The power of a machine that is no load of its own.
    Machine(usize),
}

/// What a sensor of a room shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Air {
    Temperature,
    Humidity,
    Co2,
    Light,
    People,
    Presence,
    WindowsOpen,
    LightsOn,
    Sound,
    Dust,
}

/// What a sensor in the open shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Temperature,
    Humidity,
    WindSpeed,
    WindDirection,
    Pressure,
    Irradiance,
    Illuminance,
    RainRate,
    Sound,
    Dust,
    Co2,
}

/// What an air-conditioner's point shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcPart {
    On,
    Setpoint,
    Mode,
    Supply,
}

/// What a machine's point shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    On,
    Open,
    State,
    Setpoint,
    Frequency,
    Water,
    AirFlow,
}

/// What a point shows.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    /// ∫ of a feed: J or m³, in the point's unit by the factor.
    Total(Feed, f64),
    /// A feed now: W or m³/s.
    Now(Feed, f64),
    /// Amperes of a feed through so many phases.
    Current(Feed, f64),
    PowerFactor(Feed),
    /// A usual voltage, and the entity of the node where it stands.
    Voltage(f64, Option<usize>),
    Room(usize, Air),
    Ac(usize, usize, AcPart),
    Machine(usize, Part),
    Open(Open),
    /// Rain since ever, mm.
    Rain,
    /// A river's or pond's level, m above datum, in the point's unit.
    Level(String, f64),
    /// A drain's level: invert in m, diameter in mm, foul.
    Drain(f64, f64, bool, f64),
    Soil(usize),
    SoilTemperature,
    WaterTemperature,
    /// A transformer's winding by its load and rating in VA.
    Winding(Feed, f64),
    /// A switch of a node of electricity by its entity, with the rooms behind it unless it is for lighting alone.
    Circuit(usize, Vec<usize>),
    /// Whether the switch of such a node is closed.
    Breaker(usize),
    /// False but for some minutes, so many times a year.
    Rare(f64),
    /// True but for some minutes of a school day, with this chance a quarter of an hour.
    Closed(f64),
    Gate,
    /// Shows what another point is told.
    Echo(PointId),
    /// Keeps what it is told.
    Held,
    /// Wanders about a mean: mean and spread.
    Steady(f64, f64),
}

/// SI of a unit: W, J, m³, m³/s, Pa, m; 1 where the unit is no multiple of these.
pub(crate) fn si(unit: &str) -> f64 {
    match unit {
        "kW.h" => 3.6e6,
        "MW.h" => 3.6e9,
        "W.h" => 3600.0,
        "kJ" => 1e3,
        "MJ" => 1e6,
        "GJ" => 1e9,
        "kW" | "kV.A" | "kVA" | "kvar" => 1e3,
        "MW" | "MV.A" => 1e6,
        "L" | "l" => 1e-3,
        "m3/h" => 1.0 / 3600.0,
        "L/s" | "l/s" => 1e-3,
        "L/min" | "l/min" => 1e-3 / 60.0,
        "L/h" | "l/h" => 1e-3 / 3600.0,
        "kPa" => 1e3,
        "hPa" | "mbar" => 100.0,
        "MPa" => 1e6,
        "bar" => 1e5,
        "cm" => 0.01,
        "mm" => 0.001,
        _ => 1.0,
    }
}

/// Looks points up while roles are found.
pub(crate) struct Finder<'a> {
    campus: &'a Campus,
    models: &'a Models,
    /// Of each entity that is a node of a flow tree, and of each meter, its tree and node.
    node_of_entity: BTreeMap<usize, (usize, usize)>,
    node_of_meter: BTreeMap<PointId, (usize, usize)>,
    lights_in: Vec<f64>,
}

/// The roles of all points.
pub(crate) fn roles(models: &Models) -> Vec<Role> {
    let campus = &*models.campus;
    let (mut node_of_entity, mut node_of_meter) = (BTreeMap::new(), BTreeMap::new());
    for (t, tree) in models.trees.iter().enumerate() {
        for (n, node) in campus.networks[tree.network].nodes.iter().enumerate() {
            node_of_entity.insert(node.entity, (t, n));
            if let Some(meter) = node.meter {
                node_of_meter.insert(meter, (t, n));
            }
        }
    }
    let mut lights_in = vec![0.0; models.rooms.len()];
    for (i, entity) in campus.entities.iter().enumerate() {
        if let (true, Some(r)) = (is_light(entity), models.room_of[i]) {
            lights_in[r] += 1.0;
        }
    }
    let finder = Finder { campus, models, node_of_entity, node_of_meter, lights_in };
    let mut roles: Vec<Role> = campus.points.iter().map(|p| finder.role(p)).collect();
    // A readback that no model moves shows what the command is told.
    for point in &campus.points {
        let readback = point.command.as_ref().and_then(|c| c.readback.as_ref());
        let Some(id) = readback.and_then(|p| campus.point_id(p.as_str())) else { continue };
        let loose = matches!(
            roles[id.index()],
            Role::Rare(_) | Role::Closed(_) | Role::Breaker(_) | Role::Steady(..) | Role::Held
        );
        if id != point.id && loose && campus.point(id).value_type == point.value_type {
            roles[id.index()] = Role::Echo(point.id);
        }
    }
    roles
}

impl Finder<'_> {
    fn role(&self, point: &Point) -> Role {
        let text = words(&[&point.quantity, point.path.leaf(), &point.brick]);
        let is = |any: &[&str]| has(&text, any);
        let told = matches!(point.kind, PointKind::Setpoint | PointKind::Command);
        match point.value_type {
            ValueType::Text => Role::Held,
            ValueType::Choice => match self.models.ac_of.get(&point.entity) {
                Some(&(r, ac)) if is(&["mode"]) => Role::Ac(r, ac, AcPart::Mode),
                _ => Role::Held,
            },
            ValueType::Bool => self.bool_role(point, told, &is),
            ValueType::Number if told => self.setpoint(point, &is),
            ValueType::Number => self.number(point, &is),
        }
    }

    fn setpoint(&self, point: &Point, is: &dyn Fn(&[&str]) -> bool) -> Role {
        if let (true, Some(&(r, ac))) = (point.unit == "Cel", self.models.ac_of.get(&point.entity)) {
            return Role::Ac(r, ac, AcPart::Setpoint);
        }
        match self.models.machine_of.get(&point.entity) {
            Some(&m) if point.unit == "Cel" && is(&["setpoint"]) => Role::Machine(m, Part::Setpoint),
            _ => Role::Held,
        }
    }

    fn bool_role(&self, point: &Point, told: bool, is: &dyn Fn(&[&str]) -> bool) -> Role {
        let entity = &self.campus.entities[point.entity];
        if is(&["fault", "alarm", "smoke", "detected", "leak", "overload", "tamper", "call", "lost", "wet"]) {
            return Role::Rare(if is(&["fault"]) { 0.1 } else { 0.03 });
        }
        if let Some(&(r, ac)) = self.models.ac_of.get(&point.entity) {
            return Role::Ac(r, ac, AcPart::On);
        }
        if let Some(&m) = self.models.machine_of.get(&point.entity) {
            let part = if is(&["open"]) && !is(&["valve"]) { Part::Open } else { Part::On };
            return Role::Machine(m, part);
        }
        let room = self.room(point.entity);
        if let Some(&(t, n)) = self.node_of_entity.get(&point.entity)
            && told
            && is(&["circuit", "relay", "switch", "on", "breaker"])
        {
            return self.circuit(t, n);
        }
        match room {
            Some(r) if is_light(entity) || is(&["light", "lighting", "lights on"]) => {
                Role::Room(r, Air::LightsOn)
            }
            Some(r) if is(&["presence", "occupancy", "motion", "occupied"]) => Role::Room(r, Air::Presence),
            Some(r) if is(&["cabinet", "fridge", "freezer"]) => match self.cold_in(r) {
                Some(m) => Role::Machine(m, Part::Open),
                None => Role::Rare(50.0),
            },
            _ if told && is(&["gate", "gate open"]) => Role::Gate,
            _ if told => Role::Held,
            Some(r) if is(&["window"]) => Role::Room(r, Air::WindowsOpen),
            _ if self.electric(point.entity) && is(&["breaker"]) && is(&["closed", "shut"]) => {
                Role::Breaker(point.entity)
            }
            _ if is(&["closed", "shut"]) => Role::Closed(if is(&["fire door"]) {
                0.0005
            } else if is(&["breaker"]) {
                0.0
            } else {
                0.12
            }),
            _ if is(&["running", "online", "ok", "healthy", "available"]) => Role::Closed(0.0),
            _ => Role::Rare(4.0),
        }
    }

    /// Whether an entity is a node of electricity.
    fn electric(&self, entity: usize) -> bool {
        let tree = self.node_of_entity.get(&entity).map(|&(t, _)| &self.models.trees[t]);
        tree.is_some_and(|tree| self.campus.networks[tree.network].kind == NetworkKind::Electricity)
    }

    /// The switch of a circuit.
    fn circuit(&self, t: usize, n: usize) -> Role {
        let node = &self.campus.networks[self.models.trees[t].network].nodes[n];
        let behind = |entity: usize| {
            let path = &self.campus.entities[entity].path;
            !node.id.contains("light") && node.serves.iter().any(|s| path.is_within(s))
        };
        let rooms = (0..self.models.rooms.len()).filter(|&r| behind(self.models.rooms[r].spec.entity));
        Role::Circuit(node.entity, rooms.collect())
    }

    fn room(&self, entity: usize) -> Option<usize> {
        if let Some(r) = self.models.room_of[entity] {
            return Some(r);
        }
        // A window or door belongs to the first room of its storey that its id names, else to none.
        let opening = &self.campus.entities[entity];
        if !matches!(opening.kind, EntityKind::Window | EntityKind::Door | EntityKind::Hatch) {
            return None;
        }
        let siblings = self.campus.children_of(opening.parent?);
        let id = words(&[opening.path.leaf()]);
        siblings.iter().map(|&s| s as usize).find_map(|s| {
            let r = self.models.room_of[s]?;
            has(&id, &[self.campus.entities[s].path.leaf()]).then_some(r)
        })
    }

    fn cold_in(&self, room: usize) -> Option<usize> {
        self.models.machines.iter().position(|m| m.room == Some(room) && matches!(m.kind, Kind::Cold(_)))
    }

    /// What a meter at an entity measures of a kind of network.
    fn feed(&self, point: &Point, kind: NetworkKind) -> Option<Feed> {
        let node = self.node_of_meter.get(&point.id).or_else(|| self.node_of_entity.get(&point.entity));
        if let Some(&(t, n)) = node
            && (self.campus.networks[self.models.trees[t].network].kind == kind
                || kind == NetworkKind::Water
                    && self.campus.networks[self.models.trees[t].network].kind == NetworkKind::Heat)
        {
            return Some(Feed::Node(t, n));
        }
        let entity = &self.campus.entities[point.entity];
        if kind == NetworkKind::Electricity {
            if let Some(array) = self.array(point.entity) {
                return Some(array);
            }
            if let (true, Some(r)) = (is_light(entity), self.models.room_of[point.entity]) {
                return Some(Feed::Lights(r, 1.0 / self.lights_in[r].max(1.0)));
            }
        }
        let matching = |within: &campanile_model::Path| -> Vec<usize> {
            let sources = self.models.sources.iter().enumerate();
            let list = sources.filter(|(_, s)| {
                s.kind == kind
                    && !matches!(s.load, Load::Solar(_) | Load::Leak(_) | Load::Unknown(_))
                    && counts(point.submeter.as_deref(), s.item)
                    && (entity.kind == EntityKind::Site
                        || self.campus.entities[s.entity].path.is_within(within))
            });
            list.map(|(i, _)| i).collect()
        };
        let found = matching(&entity.path);
        if !found.is_empty() {
            return Some(Feed::Sources(found));
        }
        if let Some(&m) = self.models.machine_of.get(&point.entity) {
            if kind == NetworkKind::Gas
                && let Some(r) = self.models.machines[m].room
            {
                let ranges =
                    self.models.machines.iter().filter(|x| x.kind == Kind::Range && x.room == Some(r));
                return Some(Feed::Gas(r, 1.0 / ranges.count().max(1) as f64));
            }
            return Some(Feed::Machine(m));
        }
        // A meter on the wall of a room is the room's; an air-conditioner without a room takes nothing.
        let parent = entity.parent.filter(|_| entity.kind == EntityKind::Equipment && !is_ac(entity))?;
        let found = matching(&self.campus.entities[parent].path);
        (!found.is_empty()).then_some(Feed::Sources(found))
    }

    /// The solar array of a roof or its inverter's share of it.
    fn array(&self, entity: usize) -> Option<Feed> {
        let inverter = self.models.machine_of.get(&entity).map(|&m| self.models.machines[m].kind)
            == Some(Kind::Inverter);
        let roof = if inverter { self.campus.entities[entity].parent? } else { entity };
        let path = &self.campus.entities[roof].path;
        let array = self.campus.plan.buildings.iter().find_map(|b| {
            b.roofs
                .iter()
                .find(|r| format!("{}/{}", b.id, r.id) == path.as_str())
                .and_then(|r| r.solar.as_ref())
        })?;
        let share = if inverter {
            let all =
                self.models.machines.iter().filter(|m| {
                    m.kind == Kind::Inverter && self.campus.entities[m.entity].parent == Some(roof)
                });
            1.0 / all.count().max(1) as f64
        } else {
            1.0
        };
        let nodes = self.campus.networks.iter().flat_map(|n| &n.nodes);
        let names = |n: &&Node| generates(n) && n.serves.iter().chain(&n.place).any(|p| p == path);
        let node = nodes.into_iter().find(names).map(|n| n.entity);
        Some(Feed::Solar([array.peak_w * share, array.tilt_deg, array.azimuth_deg], node))
    }

    fn number(&self, point: &Point, is: &dyn Fn(&[&str]) -> bool) -> Role {
        let room = self.room(point.entity);
        let machine = self.models.machine_of.get(&point.entity).copied();
        let unit = point.unit.as_str();
        let gas = is(&["gas"]) || point.submeter.as_deref().is_some_and(|s| s.starts_with("03"));
        let fluid = if gas { NetworkKind::Gas } else { NetworkKind::Water };
        let part = |part| machine.map(|m| Role::Machine(m, part));
        let found = match unit {
            "kW.h" | "MW.h" | "W.h" | "kJ" | "MJ" | "GJ" | "J" => {
                self.feed(point, NetworkKind::Electricity).map(|f| Role::Total(f, si(unit)))
            }
            "W" | "kW" | "MW" | "kV.A" | "V.A" => self.feed(point, NetworkKind::Electricity).map(|f| Role::Now(f, si(unit))),
            "kvar" | "var" => self.feed(point, NetworkKind::Electricity).map(|f| Role::Now(f, 2.5 * si(unit))),
            "A" => self.feed(point, NetworkKind::Electricity).map(|f| {
                let single = matches!(&f, Feed::Node(t, n) if self.campus.networks[self.models.trees[*t].network].nodes[*n].kind == "circuit");
                Role::Current(f, if single { 1.0 } else { 3.0 })
            }),
            "V" if is(&["battery"]) => Some(Role::Steady(26.4, 0.3)),
            "V" if is(&["dc"]) => Some(Role::Steady(620.0, 15.0)),
            "V" => {
                let usual = if point.range.is_some_and(|r| r[0] > 300.0) { 395.0 } else { 228.0 };
                Some(Role::Voltage(usual, self.electric(point.entity).then_some(point.entity)))
            }
            "Hz" => part(Part::Frequency).or(Some(Role::Steady(50.0, 0.02))),
            "1" if is(&["power factor"]) => self.feed(point, NetworkKind::Electricity).map(Role::PowerFactor),
            "m3" | "L" | "l" => self.feed(point, fluid).map(|f| Role::Total(f, si(unit))),
            _ if is(&["air flow", "airflow"]) => part(Part::AirFlow),
            "m3/h" | "m3/s" | "L/s" | "l/s" | "L/min" | "l/min" | "L/h" => match machine {
                Some(m) if matches!(self.models.machines[m].kind, Kind::Hot(..)) => Some(Role::Machine(m, Part::Water)),
                _ => self.feed(point, fluid).map(|f| Role::Now(f, si(unit))),
            },
            "Cel" => self.temperature(point, room, machine, is),
            "%" if is(&["soil"]) => Some(Role::Soil(point.entity)),
            "%" if is(&["humidity"]) => Some(match room {
                Some(r) if !is(&["outside"]) => Role::Room(r, Air::Humidity),
                _ => Role::Open(Open::Humidity),
            }),
            "%" if is(&["gas"]) => Some(Role::Steady(0.3, 0.3)),
            "%" if is(&["battery"]) => Some(Role::Steady(96.0, 2.0)),
            "[ppm]" | "ppm" if is(&["co2"]) => Some(room.map_or(Role::Open(Open::Co2), |r| Role::Room(r, Air::Co2))),
            "[ppm]" | "ppm" => Some(Role::Steady(1.0, 0.6)),
            "lx" => Some(room.map_or(Role::Open(Open::Illuminance), |r| Role::Room(r, Air::Light))),
            _ if unit.starts_with("dB") || is(&["noise", "sound"]) => {
                Some(room.map_or(Role::Open(Open::Sound), |r| Role::Room(r, Air::Sound)))
            }
            "ug/m3" => Some(room.map_or(Role::Open(Open::Dust), |r| Role::Room(r, Air::Dust))),
            "mg/m3" => Some(Role::Steady(0.04, 0.02)),
            "m/s" if is(&["wind"]) => Some(Role::Open(Open::WindSpeed)),
            "deg" => Some(Role::Open(Open::WindDirection)),
            "W/m2" => Some(Role::Open(Open::Irradiance)),
            "mm/h" => Some(Role::Open(Open::RainRate)),
            "mm" if is(&["rain", "precipitation"]) => Some(Role::Rain),
            "Pa" | "hPa" | "kPa" | "MPa" | "bar" => Some(self.pressure(point, machine, is)),
            "m" | "cm" | "mm" => Some(self.level(point, room, machine)),
            "kg" | "g" | "t" => part(Part::State),
            _ if is(&["people", "occupancy", "persons", "count"]) => room.map(|r| Role::Room(r, Air::People)),
            _ if is(&["floor"]) => part(Part::State),
            _ if is(&["ph"]) => Some(Role::Steady(7.4, 0.15)),
            _ if is(&["chlorine"]) => Some(Role::Steady(0.35, 0.06)),
            _ if is(&["turbidity"]) => Some(if room.is_some() { Role::Steady(0.25, 0.08) } else { Role::Steady(18.0, 6.0) }),
            _ if is(&["oxygen"]) => Some(Role::Steady(6.8, 0.8)),
            _ => None,
        };
        found.unwrap_or_else(|| steady(point))
    }

    fn temperature(
        &self,
        point: &Point,
        room: Option<usize>,
        machine: Option<usize>,
        is: &dyn Fn(&[&str]) -> bool,
    ) -> Option<Role> {
        if is(&["winding"]) {
            let feed = self.feed(point, NetworkKind::Electricity)?;
            let rating_va = match &feed {
                Feed::Node(t, n) => self.campus.networks[self.models.trees[*t].network].nodes[*n].rating,
                _ => None,
            };
            return Some(Role::Winding(feed, rating_va.unwrap_or(630.0) * 1000.0));
        }
        if is(&["compost"]) || point.range.is_some_and(|r| r[1] >= 85.0) && is(&["soil"]) {
            return Some(Role::Steady(48.0, 4.0));
        }
        if is(&["soil"]) {
            return Some(Role::SoilTemperature);
        }
        if let Some(&(r, ac)) = self.models.ac_of.get(&point.entity) {
            return Some(if is(&["supply", "discharge", "leaving"]) {
                Role::Ac(r, ac, AcPart::Supply)
            } else {
                Role::Room(r, Air::Temperature)
            });
        }
        if let Some(m) = machine {
            return Some(match self.models.machines[m].kind {
                Kind::Inverter => Role::Steady(42.0, 8.0),
                Kind::Cold(_) | Kind::Hot(..) | Kind::HeatPump | Kind::HotTank => {
                    Role::Machine(m, Part::State)
                }
                _ => room.map_or(Role::Open(Open::Temperature), |r| Role::Room(r, Air::Temperature)),
            });
        }
        if is(&["hot water", "hot"])
            || self.node_of_entity.get(&point.entity).is_some_and(|&(t, _)| {
                self.campus.networks[self.models.trees[t].network].kind == NetworkKind::Heat
            })
        {
            return Some(Role::Steady(53.0, 2.0));
        }
        if is(&["water"]) {
            return Some(Role::WaterTemperature);
        }
        Some(match room {
            Some(r) if is(&["freezer", "fridge", "refrigerator"]) => {
                let usual = if is(&["freezer"]) { -18.0 } else { 4.0 };
                self.cold_in(r).map_or(Role::Steady(usual, 0.8), |m| Role::Machine(m, Part::State))
            }
            Some(r) if !is(&["outside"]) => Role::Room(r, Air::Temperature),
            _ => Role::Open(Open::Temperature),
        })
    }

    /// The mean in Pa, then in the point's unit.
    fn pressure(&self, point: &Point, machine: Option<usize>, is: &dyn Fn(&[&str]) -> bool) -> Role {
        let scale = si(&point.unit);
        let path = words(&[&point.path.as_str().replace('/', " ")]);
        let (mean, spread) = if is(&["gas"]) {
            (3000.0, 60.0)
        } else if has(&path, &["fire", "sprinkler", "hydrant"]) {
            (650e3, 6e3)
        } else if is(&["water"]) || machine.is_some() {
            (340e3, 15e3)
        } else if is(&["differential", "filter"]) {
            (60.0, 8.0)
        } else {
            return Role::Open(Open::Pressure);
        };
        Role::Steady(mean / scale, spread / scale)
    }

    fn level(&self, point: &Point, room: Option<usize>, machine: Option<usize>) -> Role {
        let entity = &self.campus.entities[point.entity];
        let scale = si(&point.unit);
        if entity.kind == EntityKind::Water {
            return Role::Level(entity.path.leaf().to_owned(), scale);
        }
        if let (true, Some(m)) = (scale == 1.0, machine)
            && matches!(self.models.machines[m].kind, Kind::Tank | Kind::Pump(_))
            && entity.kind != EntityKind::Node
        {
            return Role::Machine(m, Part::State);
        }
        // A closed storage tank is full while the mains have pressure.
        if machine.is_some_and(|m| self.models.machines[m].kind == Kind::HotTank) {
            return Role::Steady(1.8 / scale, 0.02 / scale);
        }
        for network in &self.campus.networks {
            if let Some(node) = network.nodes.iter().find(|n| n.entity == point.entity) {
                let invert_m = node.invert_mm.map_or(0.0, |mm| f64::from(mm) / 1000.0);
                let foul = has(
                    &words(&[&network.id, &node.kind]),
                    &["foul", "sewage", "septic", "septic tank", "grease", "grease trap"],
                );
                let pipe = node.pipe.as_ref().map_or(600.0, |p| p.diameter_mm);
                return Role::Drain(invert_m, pipe, foul, scale);
            }
        }
        let sump = self
            .models
            .machines
            .iter()
            .position(|m| room.is_some() && m.room == room && matches!(m.kind, Kind::Pump(_)));
        match sump {
            Some(m) if scale == 1.0 => Role::Machine(m, Part::State),
            _ => match steady(point) {
                Role::Steady(mean, _) if point.range.is_none() => Role::Steady(mean / scale, 0.05 / scale),
                // A rain tank, a gauge on a wall: a third full.
                _ => {
                    let [low, high] = point.range.unwrap_or([0.0, 3.0]);
                    Role::Steady(low + 0.33 * (high - low), 0.02 * (high - low))
                }
            },
        }
    }
}

/// A point nobody knows more about: the same place in its range for good, with a little wander.
fn steady(point: &Point) -> Role {
    let [low, high] = point.range.unwrap_or([0.0, 100.0]);
    let place = 0.2 + 0.3 * ((key(point.path.as_str()) % 1000) as f64 / 1000.0);
    Role::Steady(low + place * (high - low), 0.01 * (high - low))
}
