//! Layers of the campus: comfort, air, energy, water, safety, green, alarms. Each colours rooms, puts signs on equipment,
//! draws what flows, and opens the pane that goes with it.

use bevy::prelude::*;
use campanile_protocol::plugins::Tone;
use campanile_protocol::{AlarmPriority, EntityKind, Quality, Value};
use serde::{Deserialize, Serialize};

use crate::app::Rig;
use crate::flows::{Counted, Flowing, What, energy, water_flows};
use crate::flows_ui::unit_of;
use crate::locale::Texts;
use crate::place::Pane;
use crate::scene3d::Scene3d;
use crate::sight::lift_m;
use crate::state::{Index, State};
use crate::ui::View;
use crate::units::{number_text, value_text};
use crate::views::{bounds_of, project, slice_for};

/// A layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lens {
    /// Temperature, and what makes it.
    Comfort,
    /// CO₂, fans, open windows.
    Air,
    /// Electricity: meters, sun, what flows.
    Energy,
    /// Water: branches, tanks, pumps, floors that are wet.
    Water,
    /// Detectors, doors, exits, barriers.
    Safety,
    /// Soil and irrigation.
    Green,
    /// Alarms in force, by room.
    Alarms,
}

/// What a sign looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Cold air.
    Cold,
    /// An open window.
    Window,
    /// A fan.
    Fan,
    /// Gas.
    Gas,
    /// Electricity.
    Bolt,
    /// Sun.
    Sun,
    /// Water.
    Drop,
    /// A tank with its level.
    Tank,
    /// A pump.
    Pump,
    /// Waves: a river, a wet floor.
    Waves,
    /// Smoke or heat.
    Flame,
    /// A hand that calls.
    Call,
    /// A door.
    Door,
    /// The way out.
    Exit,
    /// A barrier against water.
    Barrier,
    /// A lift.
    Lift,
    /// Where people come together.
    Assembly,
    /// Plants.
    Leaf,
    /// A valve.
    Valve,
}

/// When a sign is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notable {
    /// A number speaks for itself.
    Number,
    /// True is usual use: on, open, running.
    Use,
    /// True is an alarm.
    Alarm,
    /// False is out of order: it says that something is closed.
    Open,
}

/// A kind of sign: the points of a quantity.
struct Sign {
    quantity: &'static str,
    icon: Icon,
    notable: Notable,
    /// What it is called in legends.
    key: &'static str,
}

const fn sign(quantity: &'static str, icon: Icon, notable: Notable, key: &'static str) -> Sign {
    Sign { quantity, icon, notable, key }
}

const COMFORT: &[Sign] = &[
    sign("ac-on", Icon::Cold, Notable::Use, "sign-ac"),
    sign("window-open", Icon::Window, Notable::Use, "sign-window"),
];
const AIR: &[Sign] = &[
    sign("fan-running", Icon::Fan, Notable::Use, "sign-fan"),
    sign("window-open", Icon::Window, Notable::Use, "sign-window"),
    sign("gas-concentration", Icon::Gas, Notable::Number, "sign-gas"),
];
const ENERGY: &[Sign] = &[
    sign("power", Icon::Bolt, Notable::Number, "sign-power"),
    sign("pv-power", Icon::Sun, Notable::Number, "sign-pv"),
];
const WATER: &[Sign] = &[
    sign("water-flow", Icon::Drop, Notable::Number, "sign-flow"),
    sign("tank-level", Icon::Tank, Notable::Number, "sign-tank"),
    sign("pump-running", Icon::Pump, Notable::Use, "sign-pump"),
    sign("river-level", Icon::Waves, Notable::Number, "sign-river"),
    sign("water-detected", Icon::Waves, Notable::Alarm, "sign-wet"),
];
const SAFETY: &[Sign] = &[
    sign("smoke-alarm", Icon::Flame, Notable::Alarm, "sign-smoke"),
    sign("heat-alarm", Icon::Flame, Notable::Alarm, "sign-heat"),
    sign("call-alarm", Icon::Call, Notable::Alarm, "sign-call"),
    sign("gas-concentration", Icon::Gas, Notable::Number, "sign-gas"),
    sign("fire-door-closed", Icon::Door, Notable::Open, "sign-fire-door"),
    sign("exit-door-closed", Icon::Exit, Notable::Open, "sign-exit"),
    sign("barrier-raised", Icon::Barrier, Notable::Use, "sign-barrier"),
    sign("lift-call", Icon::Lift, Notable::Alarm, "sign-lift"),
    sign("water-detected", Icon::Waves, Notable::Alarm, "sign-wet"),
];
const GREEN: &[Sign] = &[
    sign("soil-moisture", Icon::Leaf, Notable::Number, "sign-soil"),
    sign("valve-open", Icon::Valve, Notable::Use, "sign-valve"),
];

impl Lens {
    /// All of them.
    pub const ALL: [Lens; 7] =
        [Self::Comfort, Self::Air, Self::Energy, Self::Water, Self::Safety, Self::Green, Self::Alarms];

    /// Its name in links.
    pub fn id(self) -> &'static str {
        match self {
            Self::Comfort => "comfort",
            Self::Air => "air",
            Self::Energy => "energy",
            Self::Water => "water",
            Self::Safety => "safety",
            Self::Green => "green",
            Self::Alarms => "alarms",
        }
    }

    /// The one with this name.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lens| lens.id() == id)
    }

    /// Its name for people.
    pub fn text(self, texts: &Texts) -> String {
        match self {
            Self::Comfort => texts.t("lens-comfort"),
            Self::Air => texts.t("lens-air"),
            Self::Energy => texts.t("lens-energy"),
            Self::Water => texts.t("lens-water"),
            Self::Safety => texts.t("lens-safety"),
            Self::Green => texts.t("lens-green"),
            Self::Alarms => texts.t("lens-alarms"),
        }
    }

    /// The quantity that colours the rooms.
    pub fn quantity(self) -> Option<&'static str> {
        match self {
            Self::Comfort => Some("temperature"),
            Self::Air => Some("co2"),
            _ => None,
        }
    }

    /// The pane that goes with it.
    pub fn pane(self) -> Option<Pane> {
        match self {
            Self::Energy => Some(Pane::Energy),
            Self::Water => Some(Pane::Water),
            Self::Alarms => Some(Pane::Alarms),
            _ => None,
        }
    }

    fn flowing(self) -> Option<Flowing> {
        match self {
            Self::Energy => Some(Flowing::Energy),
            Self::Water => Some(Flowing::Water),
            _ => None,
        }
    }

    fn signs(self) -> &'static [Sign] {
        match self {
            Self::Comfort => COMFORT,
            Self::Air => AIR,
            Self::Energy => ENERGY,
            Self::Water => WATER,
            Self::Safety => SAFETY,
            Self::Green => GREEN,
            Self::Alarms => &[],
        }
    }
}

/// A sign on the screen, or several that lie in each other's way.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin {
    /// Where, in points.
    pub at: Vec2,
    /// How far away, metres.
    pub distance_m: f32,
    /// What it looks like: the one that most needs a look.
    pub icon: Icon,
    /// How it stands there.
    pub tone: Tone,
    /// How many it stands for.
    pub count: usize,
    /// Its value, where it is one and near.
    pub text: String,
    /// The entity.
    pub path: String,
}

/// Something that flows, on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Its way, in points, from where it comes to where it goes.
    pub way: Vec<Vec2>,
    /// How much, as part of the largest: 0 to 1.
    pub share: f32,
    /// How much, with its unit.
    pub text: String,
}

/// A line of the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The icon.
    pub icon: Icon,
    /// What it is called.
    pub key: &'static str,
    /// How many there are, and how many of them are to be noticed; `None` where numbers speak.
    pub all: usize,
    /// How many are to be noticed.
    pub notable: Option<usize>,
    /// How the worst of them stands there.
    pub tone: Tone,
    /// Where those are that are to be noticed, or all where numbers speak, by path.
    pub places: Vec<String>,
}

/// What a layer shows now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// The signs.
    pub pins: Vec<Pin>,
    /// What flows.
    pub streams: Vec<Stream>,
    /// The legend.
    pub rows: Vec<Row>,
}

/// A point with a sign, found once.
struct Found {
    point: u32,
    entity: u32,
    sign: usize,
    at: Vec3,
    building: Option<String>,
    level: Option<i32>,
}

/// A way that something flows, found once a second.
struct Arc {
    from: Vec3,
    to: Vec3,
    amount: f64,
}

/// What is found of a layer, kept while neither the layer nor the scene changes.
#[derive(Default)]
pub struct Lenses {
    key: Option<(Lens, u64)>,
    found: Vec<Found>,
    assembly: Vec<(String, Vec3)>,
    arcs: Vec<Arc>,
    looked_s: Option<f64>,
}

/// Signs nearer to each other than this on the screen are one, points.
const APART: f32 = 34.0;
/// Farther than this a sign has no value beside it, metres.
const READABLE_M: f32 = 260.0;
/// Farther than this it is not drawn.
const FARTHEST_M: f32 = 1500.0;
/// How often flows are added up, seconds.
const FLOWS_EVERY_S: f64 = 1.0;
/// Of how many pieces a way is drawn.
const PIECES: usize = 24;

/// How urgent a tone is.
fn urgency(tone: Tone) -> u8 {
    match tone {
        Tone::Danger => 4,
        Tone::Caution => 3,
        Tone::Accent => 2,
        Tone::Good => 1,
        Tone::Plain => 0,
    }
}

/// The tone of an alarm's priority.
pub fn tone_of_priority(priority: AlarmPriority) -> Tone {
    match priority {
        AlarmPriority::Critical | AlarmPriority::High => Tone::Danger,
        AlarmPriority::Medium | AlarmPriority::Low => Tone::Caution,
    }
}

/// How a point stands there; `None` where nothing current is known of it.
fn tone_of(state: &State, point: u32, notable: Notable) -> Option<Tone> {
    let value = state.value(point)?;
    if state.quality(value) == Quality::Stale {
        return None;
    }
    Some(match (notable, &value.value) {
        (Notable::Use, Value::Bool(true)) => Tone::Accent,
        (Notable::Alarm, Value::Bool(true)) => Tone::Danger,
        (Notable::Open, Value::Bool(false)) => Tone::Caution,
        _ => Tone::Plain,
    })
}

impl Lenses {
    fn find(&mut self, lens: Lens, index: &Index, scene: &Scene3d) {
        self.found.clear();
        self.assembly.clear();
        self.looked_s = None;
        for (i, info) in (0..).zip(&index.catalogue.points) {
            let Some(sign) = lens.signs().iter().position(|sign| sign.quantity == info.quantity) else {
                continue;
            };
            let Some(entity) = index.catalogue.entities.get(info.entity as usize) else { continue };
            let path = entity.path.as_str();
            let Some(bounds) = bounds_of(path, Some(index), scene) else { continue };
            let slice = slice_for(path, Some(index), scene).unwrap_or_default();
            // In the middle of a room a sign is not in its walls; on a thing it is above it.
            let rise = if bounds.max.y - bounds.min.y > 2.0 { -0.8 } else { 0.6 };
            self.found.push(Found {
                point: i,
                entity: info.entity,
                sign,
                at: bounds.centre().with_y(bounds.max.y + rise),
                building: slice.building,
                level: slice.level,
            });
        }
        if lens == Lens::Safety {
            for entity in index.catalogue.entities.iter().filter(|e| e.kind == EntityKind::AssemblyPoint) {
                if let Some(bounds) = bounds_of(entity.path.as_str(), Some(index), scene) {
                    let at = bounds.centre().with_y(bounds.max.y + 1.5);
                    self.assembly.push((entity.path.as_str().to_owned(), at));
                }
            }
        }
    }

    fn flow(&mut self, flowing: Flowing, index: &Index, state: &State, scene: &Scene3d) {
        let flows = match flowing {
            Flowing::Energy => energy(index, state, Counted::Now),
            Flowing::Water => water_flows(index, state, Counted::Now),
        };
        self.arcs.clear();
        let Some(flows) = flows else { return };
        let place = |station: usize| {
            let What::Entity(entity) = flows.stations.get(station)?.what else { return None };
            place_of(index, scene, flowing, entity)
        };
        for ribbon in &flows.ribbons {
            if let (Some(from), Some(to)) = (place(ribbon.from), place(ribbon.to))
                && from.distance(to) > 4.0
            {
                self.arcs.push(Arc { from, to, amount: ribbon.amount });
            }
        }
    }

    /// What the layer shows now.
    pub fn show(
        &mut self,
        (state, view): (&State, &View),
        scene: &Scene3d,
        rig: &Rig,
        texts: &Texts,
        now_s: f64,
    ) -> Shown {
        let mut shown = Shown::default();
        let (Some(lens), Some(index)) = (view.lens, state.index.as_deref()) else {
            self.key = None;
            return shown;
        };
        if self.key != Some((lens, scene.indexed)) {
            self.key = Some((lens, scene.indexed));
            self.find(lens, index, scene);
        }
        if let Some(flowing) = lens.flowing() {
            if self.looked_s.is_none_or(|looked_s| now_s - looked_s > FLOWS_EVERY_S) {
                self.flow(flowing, index, state, scene);
                self.looked_s = Some(now_s);
            }
            shown.streams = self.streams(rig, flowing);
        }
        let alarms: std::collections::BTreeMap<&str, Tone> = state
            .alarms
            .values()
            .map(|alarm| (alarm.point.as_str(), tone_of_priority(alarm.priority)))
            .collect();
        let mut rows: Vec<Row> = lens
            .signs()
            .iter()
            .map(|sign| Row {
                icon: sign.icon,
                key: sign.key,
                all: 0,
                notable: (sign.notable != Notable::Number).then_some(0),
                tone: Tone::Plain,
                places: Vec::new(),
            })
            .collect();
        let mut pins = Vec::new();
        for found in &self.found {
            let (Some(sign), Some(info)) = (lens.signs().get(found.sign), index.point(found.point)) else {
                continue;
            };
            let tone = tone_of(state, found.point, sign.notable);
            // What a row counts is what the point says; that it says nothing is an alarm of its own.
            let is_notable = tone.is_some_and(|tone| tone != Tone::Plain);
            let tone = alarms.get(info.path.as_str()).copied().or(tone);
            if let Some(row) = rows.get_mut(found.sign) {
                row.all += 1;
                row.notable = row.notable.map(|count| count + usize::from(is_notable));
                if let Some(tone) = tone.filter(|tone| urgency(*tone) > urgency(row.tone)) {
                    row.tone = tone;
                }
                if let Some(entity) = index.catalogue.entities.get(found.entity as usize)
                    && (is_notable || row.notable.is_none())
                {
                    row.places.push(entity.path.as_str().to_owned());
                }
            }
            let is_sliced = found.level.zip(view.slice.level).is_some_and(|(own, shown)| own > shown)
                && (view.slice.building.is_none() || view.slice.building == found.building);
            if is_sliced {
                continue;
            }
            let lift = lift_m(view.sight, &view.slice, found.building.as_deref(), found.level);
            let Some((at, distance_m)) = project(rig, found.at + Vec3::Y * lift) else { continue };
            if distance_m > FARTHEST_M {
                continue;
            }
            let number = (sign.notable == Notable::Number && distance_m < READABLE_M)
                .then(|| state.value(found.point).map(|value| value_text(&value.value, info, texts)));
            let entity = index.catalogue.entities.get(found.entity as usize);
            pins.push(Pin {
                at,
                distance_m,
                icon: sign.icon,
                tone: tone.unwrap_or(Tone::Plain),
                count: 1,
                text: number.flatten().unwrap_or_default(),
                path: entity.map(|entity| entity.path.as_str().to_owned()).unwrap_or_default(),
            });
        }
        for (path, at) in &self.assembly {
            if let Some((at, distance_m)) = project(rig, *at) {
                let name = index.entity(path).and_then(|e| index.catalogue.entities.get(e as usize));
                pins.push(Pin {
                    at,
                    distance_m,
                    icon: Icon::Assembly,
                    tone: Tone::Good,
                    count: 1,
                    text: name.map(|entity| texts.name(&entity.names).to_owned()).unwrap_or_default(),
                    path: path.clone(),
                });
            }
        }
        shown.pins = gather(pins);
        rows.retain(|row| row.all > 0);
        shown.rows = rows;
        shown
    }

    fn streams(&self, rig: &Rig, flowing: Flowing) -> Vec<Stream> {
        let unit = unit_of(flowing, Counted::Now);
        let most = self.arcs.iter().map(|arc| arc.amount).fold(0.0, f64::max);
        self.arcs
            .iter()
            .filter_map(|arc| {
                let rise = Vec3::Y * (arc.from.distance(arc.to) * 0.18 + 4.0);
                let middle = (arc.from + arc.to) * 0.5 + rise;
                let at = |t: f32| {
                    let (a, b) = (arc.from.lerp(middle, t), middle.lerp(arc.to, t));
                    a.lerp(b, t)
                };
                let way: Option<Vec<Vec2>> =
                    (0..=PIECES).map(|i| Some(project(rig, at(i as f32 / PIECES as f32))?.0)).collect();
                let text = format!("{} {unit}", number_text(arc.amount, Some(0.1)));
                Some(Stream { way: way?, share: (arc.amount / most.max(1e-12)) as f32, text })
            })
            .collect()
    }
}

/// Where a place or a node of a network is drawn: over a building its roof, else where the node stands or what it serves.
fn place_of(index: &Index, scene: &Scene3d, flowing: Flowing, entity: u32) -> Option<Vec3> {
    let top = |entity: u32| {
        let entity = index.catalogue.entities.get(entity as usize)?;
        let bounds = bounds_of(entity.path.as_str(), Some(index), scene)?;
        Some(bounds.centre().with_y(bounds.max.y + 1.0))
    };
    let node = flowing.network(index)?.nodes.iter().find(|node| node.entity == entity);
    let Some(node) = node else { return top(entity) };
    match (node.place, node.serves.as_slice()) {
        (_, [one]) if index.within(*one, EntityKind::Building) == Some(*one) => top(*one),
        (Some(place), _) => top(place),
        (None, [one, ..]) => top(*one),
        (None, []) => top(entity),
    }
}

/// Signs that lie in each other's way become one that counts them; it shows the one that most needs a look.
fn gather(mut pins: Vec<Pin>) -> Vec<Pin> {
    pins.sort_by(|a, b| {
        urgency(b.tone)
            .cmp(&urgency(a.tone))
            .then(a.distance_m.total_cmp(&b.distance_m))
            .then(a.path.cmp(&b.path))
    });
    let mut cells: std::collections::BTreeMap<(i32, i32), Vec<usize>> = std::collections::BTreeMap::new();
    let mut kept: Vec<Pin> = Vec::new();
    for pin in pins {
        let cell = ((pin.at.x / APART).floor() as i32, (pin.at.y / APART).floor() as i32);
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (cell.0 + dx, cell.1 + dy)));
        let near = around
            .filter_map(|cell| cells.get(&cell))
            .flatten()
            .copied()
            .find(|&i| kept.get(i).is_some_and(|other| other.at.distance(pin.at) < APART));
        match near.and_then(|i| kept.get_mut(i)) {
            Some(other) => {
                other.count += 1;
                other.text.clear();
            }
            None => {
                cells.entry(cell).or_default().push(kept.len());
                kept.push(pin);
            }
        }
    }
    // Those that need a look lie on top.
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(x: f32, tone: Tone, path: &str) -> Pin {
        Pin {
            at: Vec2::new(x, 100.0),
            distance_m: 50.0,
            icon: Icon::Door,
            tone,
            count: 1,
            text: "1 kW".into(),
            path: path.into(),
        }
    }

    #[test]
    fn signs_in_each_others_way_are_one_that_counts_them_and_shows_the_worst() {
        let pins = vec![
            pin(100.0, Tone::Plain, "a"),
            pin(110.0, Tone::Danger, "b"),
            pin(300.0, Tone::Plain, "c"),
            pin(125.0, Tone::Accent, "d"),
        ];
        let gathered = gather(pins);
        let seen: Vec<(&str, usize, Tone, &str)> =
            gathered.iter().map(|p| (p.path.as_str(), p.count, p.tone, p.text.as_str())).collect();
        assert_eq!(seen, [("c", 1, Tone::Plain, "1 kW"), ("b", 3, Tone::Danger, "")]);
    }

    #[test]
    fn names_in_links_lead_back() {
        for lens in Lens::ALL {
            assert_eq!(Lens::of(lens.id()), Some(lens));
        }
        assert_eq!(Lens::of("smell"), None);
    }

    #[test]
    fn a_door_that_is_open_is_noticed_and_what_is_not_known_is_not() {
        use crate::state::tests::{catalogue, point};
        let mut state = State::default();
        let mut catalogue = catalogue();
        let mut door = point("a/1f/101/closed", 2, "fire-door-closed");
        door.value_type = campanile_protocol::ValueType::Bool;
        catalogue.points.push(door);
        let id = catalogue.points.len() as u32 - 1;
        state.apply(crate::state::Event::Catalogue(Box::new(catalogue)), 0.0);
        state.apply(crate::state::Event::Linked, 0.0);
        assert_eq!(tone_of(&state, id, Notable::Open), None);
        let say = |state: &mut State, is: bool| {
            use campanile_protocol::{DataFrame, FrameKind, FrameSample, PointId, Timestamp};
            let sample = FrameSample {
                point: PointId(id),
                time: Timestamp(0),
                value: Value::Bool(is),
                quality: Quality::Good,
            };
            let frame = DataFrame {
                kind: FrameKind::Delta,
                more: false,
                subscription: 1,
                sequence: 0,
                time: Timestamp(0),
                conflated: 0,
                samples: vec![sample],
            };
            state.apply(crate::state::Event::Frame(frame), 0.0);
        };
        say(&mut state, false);
        assert_eq!(tone_of(&state, id, Notable::Open), Some(Tone::Caution));
        say(&mut state, true);
        assert_eq!(tone_of(&state, id, Notable::Open), Some(Tone::Plain));
        assert_eq!(tone_of(&state, id, Notable::Use), Some(Tone::Accent));
    }
}
