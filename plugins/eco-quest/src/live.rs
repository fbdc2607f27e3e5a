//! What the campus shows now: the points that missions are about, found by what they are, and the numbers
//! made of them.

use std::collections::BTreeMap;

use campanile_plugin::{
    Point, Words,
    networks::Node,
    points::{Info, Shape},
};

use crate::{
    missions::{Pick, Reading},
    text::same,
};

/// A room of which people's presence is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// Its path.
    pub path: String,
    /// Its names.
    pub names: Words,
    presence: Point,
    /// Lights and air conditioners: whether they are on.
    machines: Vec<Point>,
}

/// Something with a number, such as a branch with its flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Its path.
    pub path: String,
    /// Its names.
    pub names: Words,
    point: Point,
    /// What one of its unit is in ours.
    scale: f64,
}

/// The points that missions are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources {
    /// Power from the grid, kW.
    pub grid: Vec<Named>,
    /// Solar power, kW.
    pub solar: Vec<Named>,
    /// Flow through the main water meters, L/s.
    pub main_water: Vec<Named>,
    /// Flow into buildings and single uses, L/s.
    pub branches: Vec<Named>,
    /// Refrigerators, °C.
    pub fridges: Vec<Named>,
    /// Plate waste, kg.
    pub plates: Vec<Named>,
    /// Bins, kg; the wet one first.
    pub bins: Vec<Named>,
    /// Oxygen of the river, mg/L.
    pub oxygen: Option<Named>,
    /// Rooms in which something can be left on.
    pub rooms: Vec<Room>,
    /// CO₂ of rooms, ppm.
    pub air: Vec<Named>,
    /// Buildings whose air conditioning can be set, with their names: for proposals.
    pub buildings: BTreeMap<String, Words>,
}

/// The newest values by point: numbers, and switches as 0 and 1; what can't be relied upon is not there.
pub type Values = BTreeMap<Point, f64>;

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn leaf(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The room that something of a room is in: the first three parts of its path.
fn room(path: &str) -> Option<&str> {
    let end = path.match_indices('/').nth(2)?.0;
    Some(&path[..end])
}

fn kw(unit: &str) -> Option<f64> {
    match unit {
        "W" => Some(0.001),
        "kW" => Some(1.0),
        "MW" => Some(1_000.0),
        _ => None,
    }
}

fn l_s(unit: &str) -> Option<f64> {
    match unit {
        "L/s" | "l/s" => Some(1.0),
        "L/min" | "l/min" => Some(1.0 / 60.0),
        "m3/h" => Some(1.0 / 3.6),
        "m3/s" => Some(1_000.0),
        _ => None,
    }
}

fn named(info: &Info, path: &str, names: &Words, scale: f64) -> Named {
    Named { path: path.to_owned(), names: names.clone(), point: info.point, scale }
}

/// The gauge of a node whose unit is known to `scale`.
fn gauge(node: &Node, infos: &BTreeMap<Point, &Info>, scale: fn(&str) -> Option<f64>) -> Option<Named> {
    node.meters.iter().filter_map(|point| infos.get(point)).find_map(|info| match &info.shape {
        Shape::Number(unit) if !info.accumulates => Some(named(info, &node.path, &node.names, scale(unit)?)),
        _ => None,
    })
}

/// The nodes with a gauge that have none above them.
fn mains(nodes: &[Node], infos: &BTreeMap<Point, &Info>, scale: fn(&str) -> Option<f64>) -> Vec<Named> {
    let mut measured = vec![false; nodes.len()];
    let mut mains = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        let above = node.parent.is_some_and(|parent| measured.get(parent as usize).copied().unwrap_or(false));
        let gauge = gauge(node, infos, scale);
        measured[i] = above || gauge.is_some();
        mains.extend(gauge.filter(|_| !above));
    }
    mains
}

/// The names of buildings, by path, from those of a network's nodes that serve one: without what all of them have in common,
/// such as `Water Meter, `.
fn building_names(nodes: &[Node]) -> BTreeMap<String, Words> {
    let mut served: BTreeMap<&str, &Words> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node.serves.len() == 1 && !node.serves[0].contains('/')) {
        served.entry(&node.serves[0]).or_insert(&node.names);
    }
    let bare = |of: fn(&Words) -> &str| -> Vec<String> {
        let names: Vec<Vec<char>> = served.values().map(|names| of(names).chars().collect()).collect();
        let Some(first) = names.first().filter(|_| names.len() > 1) else { return Vec::new() };
        let shortest = names.iter().map(Vec::len).min().unwrap_or(0);
        let same = |at: &dyn Fn(&[char]) -> Option<char>| names.iter().all(|name| at(name) == at(first));
        let head = (0..shortest).take_while(|&i| same(&|name| name.get(i).copied())).count();
        let tail =
            (0..shortest - head).take_while(|&i| same(&|name| name.get(name.len() - 1 - i).copied())).count();
        names.iter().map(|name| name[head..name.len() - tail].iter().collect()).collect()
    };
    let (zh, en) = (bare(|names| &names.zh_cn), bare(|names| &names.en));
    let named = served.keys().zip(zh).zip(en).filter(|((_, zh), en)| !zh.is_empty() && !en.is_empty());
    named.map(|((path, zh), en)| ((*path).to_owned(), Words::new(zh.trim(), en.trim()))).collect()
}

impl Sources {
    /// Finds them among the points that this plugin sees.
    pub fn find(infos: &[Info], electricity: &[Node], water: &[Node]) -> Self {
        let by_point: BTreeMap<Point, &Info> = infos.iter().map(|info| (info.point, info)).collect();
        let of = |kind: &'static str| infos.iter().filter(move |info| info.kind == kind);
        let all = |kind: &'static str, scale: fn(&str) -> Option<f64>| -> Vec<Named> {
            let scaled = of(kind).filter_map(|info| match &info.shape {
                Shape::Number(unit) => Some(named(info, parent(&info.path), &info.place, scale(unit)?)),
                _ => None,
            });
            scaled.collect()
        };
        // A scale is named by what it stands in, one of several in a place by its own name.
        let weights = |test: fn(&str) -> bool, own: bool| -> Vec<Named> {
            let scales = of("weight").filter(|info| test(&info.path));
            scales
                .map(|info| named(info, &info.path, if own { &info.names } else { &info.place }, 1.0))
                .collect()
        };
        let one: fn(&str) -> Option<f64> = |_| Some(1.0);
        let mut bins = weights(|path| ["recyclable", "hazardous", "wet", "dry"].contains(&leaf(path)), true);
        bins.sort_by_key(|bin| leaf(&bin.path) != "wet");
        // A branch that serves one building, or that has no further branches and is no storey of one.
        let building = |node: &&Node| node.serves.len() == 1 && !node.serves[0].contains('/');
        let branches = water.iter().filter(building).filter_map(|node| gauge(node, &by_point, l_s)).collect();
        let mut rooms: BTreeMap<&str, Room> = BTreeMap::new();
        for info in of("presence").filter(|info| room(&info.path) == Some(parent(&info.path))) {
            let path = parent(&info.path);
            let (names, presence) = (info.place.clone(), info.point);
            rooms.insert(path, Room { path: path.to_owned(), names, presence, machines: Vec::new() });
        }
        let switch = |info: &&Info| {
            info.kind == "lights-on" || info.kind == "running" && leaf(parent(&info.path)).starts_with("ac")
        };
        for info in infos.iter().filter(switch) {
            if let Some(room) = room(&info.path).and_then(|path| rooms.get_mut(path)) {
                room.machines.push(info.point);
            }
        }
        let mut names = building_names(electricity);
        names.extend(building_names(water));
        let mut buildings = BTreeMap::new();
        for info in of("ac-setpoint") {
            let id = info.path.split('/').next().unwrap_or_default();
            let names = names.get(id).cloned().unwrap_or_else(|| same(id));
            buildings.insert(id.to_owned(), names);
        }
        // An array has a point of its own and one in the network: it is counted once.
        let (in_network, mut solar): (Vec<Named>, Vec<Named>) =
            all("pv-power", kw).into_iter().partition(|named| named.path.starts_with("net/"));
        if solar.is_empty() {
            solar = in_network;
        }
        Self {
            grid: mains(electricity, &by_point, kw),
            solar,
            main_water: mains(water, &by_point, l_s),
            branches,
            fridges: all("fridge-temperature", one),
            plates: weights(|path| path.contains("plate-waste"), false),
            bins,
            oxygen: all("dissolved-oxygen", one).into_iter().find(|at| at.path.contains("river")),
            rooms: rooms.into_values().filter(|room| !room.machines.is_empty()).collect(),
            air: all("co2", one),
            buildings,
        }
    }

    /// All points, to be read at once.
    pub fn points(&self) -> Vec<Point> {
        let named = [
            &self.grid,
            &self.solar,
            &self.main_water,
            &self.branches,
            &self.fridges,
            &self.plates,
            &self.bins,
            &self.air,
        ];
        let numbers = named.into_iter().flatten().chain(&self.oxygen).map(|named| named.point);
        let rooms = self.rooms.iter().flat_map(|room| room.machines.iter().copied().chain([room.presence]));
        let mut points: Vec<Point> = numbers.chain(rooms).collect();
        points.sort_unstable();
        points.dedup();
        points
    }

    /// What the campus shows now; none where one of the points that it takes can't be relied upon.
    pub fn reading(&self, reading: Reading, values: &Values, kg_kwh: f64) -> Option<f64> {
        let all = |list: &[Named]| -> Option<Vec<f64>> {
            let read: Option<Vec<f64>> = list.iter().map(|named| named.value(values)).collect();
            read.filter(|read| !read.is_empty())
        };
        let sum = |list: &[Named]| Some(all(list)?.iter().sum::<f64>());
        match reading {
            Reading::GridKw => sum(&self.grid),
            Reading::SolarShare => {
                let (solar, grid) = (sum(&self.solar)?, sum(&self.grid)?);
                (solar + grid > 0.0).then(|| (100.0 * solar / (solar + grid)).clamp(0.0, 100.0))
            }
            Reading::WaterLMin => Some(60.0 * sum(&self.main_water)?),
            Reading::WarmestFridgeC => all(&self.fridges)?.into_iter().max_by(f64::total_cmp),
            Reading::PlateWasteKg => sum(&self.plates),
            Reading::WetShare => {
                let kg = all(&self.bins)?;
                let (total, wet) = (kg.iter().sum::<f64>(), kg[0]);
                (kg.len() == 4 && total > 0.0).then(|| 100.0 * wet / total)
            }
            // What flows back into the grid causes nothing here.
            Reading::CarbonKgH => Some(kg_kwh * sum(&self.grid)?.max(0.0)),
        }
    }

    /// Whether the campus has what a reading takes.
    pub fn has(&self, reading: Reading) -> bool {
        match reading {
            Reading::GridKw | Reading::CarbonKgH => !self.grid.is_empty(),
            Reading::SolarShare => !self.grid.is_empty() && !self.solar.is_empty(),
            Reading::WaterLMin => !self.main_water.is_empty(),
            Reading::WarmestFridgeC => !self.fridges.is_empty(),
            Reading::PlateWasteKg => !self.plates.is_empty(),
            Reading::WetShare => self.bins.len() == 4,
        }
    }

    /// How many there are to be picked among.
    pub fn count(&self, pick: Pick) -> usize {
        match pick {
            Pick::EmptyRoom => self.rooms.len(),
            Pick::StuffyRoom => self.air.len(),
            Pick::ThirstyBranch => self.branches.len(),
            Pick::RiverClass => usize::from(self.oxygen.is_some()) * RIVER_CLASSES.len(),
        }
    }

    /// The names of one of those that are to be picked among.
    pub fn names(&self, pick: Pick, index: usize) -> Option<Words> {
        match pick {
            Pick::EmptyRoom => self.rooms.get(index).map(|room| with_path(&room.names, &room.path)),
            Pick::StuffyRoom => self.air.get(index).map(|at| with_path(&at.names, &at.path)),
            Pick::ThirstyBranch => self.branches.get(index).map(|branch| branch.names.clone()),
            Pick::RiverClass => RIVER_CLASSES.get(index).map(|(_, zh, en)| Words::new(*zh, *en)),
        }
    }

    /// Whether one is left on with nobody there; none where that is not known.
    pub fn left_on(&self, index: usize, values: &Values) -> Option<bool> {
        let room = self.rooms.get(index)?;
        let empty = *values.get(&room.presence)? == 0.0;
        let on = room.machines.iter().filter_map(|machine| values.get(machine)).any(|on| *on != 0.0);
        Some(empty && on)
    }

    /// CO₂ of a room or flow of a branch.
    pub fn amount(&self, pick: Pick, index: usize, values: &Values) -> Option<f64> {
        let list = if pick == Pick::StuffyRoom { &self.air } else { &self.branches };
        list.get(index)?.value(values)
    }

    /// The index of the river's class now.
    pub fn river_class(&self, values: &Values) -> Option<usize> {
        let oxygen = self.oxygen.as_ref()?.value(values)?;
        RIVER_CLASSES.iter().position(|(limit, ..)| oxygen >= *limit)
    }
}

/// GB 3838-2002: dissolved oxygen of each class, mg/L; what is worse than V has no class.
pub const RIVER_CLASSES: [(f64, &str, &str); 6] = [
    (7.5, "Ⅰ类", "Class I"),
    (6.0, "Ⅱ类", "Class II"),
    (5.0, "Ⅲ类", "Class III"),
    (3.0, "Ⅳ类", "Class IV"),
    (2.0, "Ⅴ类", "Class V"),
    (f64::NEG_INFINITY, "劣Ⅴ类", "Worse than V"),
];

/// Rooms of two buildings may have the same names.
fn with_path(names: &Words, path: &str) -> Words {
    Words::new(format!("{}（{path}）", names.zh_cn), format!("{} ({path})", names.en))
}

impl Named {
    /// Its point, to be shown alive.
    pub fn point(&self) -> Point {
        self.point
    }

    fn value(&self, values: &Values) -> Option<f64> {
        values.get(&self.point).map(|value| value * self.scale)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn info(point: Point, path: &str, kind: &str, shape: Shape) -> Info {
        Info {
            point,
            path: path.into(),
            kind: kind.into(),
            names: Words::new(format!("点{point}"), format!("Point {point}")),
            place: Words::new(format!("处{point}"), format!("Place {point}")),
            shape,
            resolution: None,
            period_s: 60.0,
            accumulates: false,
            rollover: None,
            commandable: false,
        }
    }

    fn node(path: &str, parent: Option<u32>, meters: &[Point], serves: &[&str]) -> Node {
        let serves = serves.iter().map(|&path| path.to_owned()).collect();
        let leaf = leaf(path);
        let names = Words::new(format!("{leaf}楼水表"), format!("Meter, {leaf}"));
        Node { path: path.into(), names, parent, meters: meters.into(), serves }
    }

    /// A small campus: two transformers, a roof, two buildings, a canteen, bins, a river, three rooms.
    pub(crate) fn campus() -> Sources {
        let number = |unit: &str| Shape::Number(unit.into());
        let mut infos = vec![
            info(1, "net/electricity/tx-1/power", "power", number("kW")),
            info(2, "net/electricity/tx-2/power", "power", number("kW")),
            info(3, "net/electricity/lv-1/power", "power", number("kW")),
            info(4, "gym/roof/inverter-1/pv-power", "pv-power", number("W")),
            info(5, "net/water/inlet/water-flow", "water-flow", number("L/s")),
            info(6, "net/water/a/water-flow", "water-flow", number("L/s")),
            info(7, "net/water/b/water-flow", "water-flow", number("m3/h")),
            info(8, "net/water/a-1f/water-flow", "water-flow", number("L/s")),
            info(9, "canteen/1f/kitchen/fridge-1/fridge-temperature", "fridge-temperature", number("Cel")),
            info(10, "canteen/1f/cold-store/temperature", "fridge-temperature", number("Cel")),
            info(11, "canteen/1f/dining/plate-waste/weight", "weight", number("kg")),
            info(16, "site/river/dissolved-oxygen", "dissolved-oxygen", number("mg/L")),
            // The array once more, as the network sees it.
            info(18, "net/electricity/solar/pv-power", "pv-power", number("kW")),
            info(17, "site/pond/dissolved-oxygen", "dissolved-oxygen", number("mg/L")),
        ];
        for (i, bin) in ["recyclable", "hazardous", "wet", "dry"].iter().enumerate() {
            infos.push(info(12 + i as Point, &format!("waste/1f/waste/bins/{bin}"), "weight", number("kg")));
        }
        for (i, room) in ["a/1f/101", "a/1f/102", "b/1f/101"].iter().enumerate() {
            let at = 20 + 10 * i as Point;
            infos.push(info(at, &format!("{room}/presence"), "presence", Shape::Boolean));
            infos.push(info(at + 1, &format!("{room}/lights/on"), "lights-on", Shape::Boolean));
            infos.push(info(at + 2, &format!("{room}/ac/running"), "running", Shape::Boolean));
            infos.push(info(at + 3, &format!("{room}/co2"), "co2", number("[ppm]")));
            infos.push(info(at + 4, &format!("{room}/ac/setpoint"), "ac-setpoint", number("Cel")));
        }
        let electricity = [
            node("net/electricity/grid", None, &[], &[]),
            node("net/electricity/tx-1", Some(0), &[1], &[]),
            node("net/electricity/tx-2", Some(0), &[2], &[]),
            node("net/electricity/lv-1", Some(1), &[3], &[]),
        ];
        let water = [
            node("net/water/inlet", None, &[5], &[]),
            node("net/water/a", Some(0), &[6], &["a"]),
            node("net/water/b", Some(0), &[7], &["b"]),
            node("net/water/a-1f", Some(1), &[8], &["a/1f"]),
        ];
        Sources::find(&infos, &electricity, &water)
    }

    pub(crate) fn values(pairs: &[(Point, f64)]) -> Values {
        pairs.iter().copied().collect()
    }

    /// Each reading, the values that it is made of, and what it is then.
    #[test]
    fn readings_are_made_of_the_right_points() {
        let sources = campus();
        type Row<'a> = (Reading, &'a [(Point, f64)], Option<f64>);
        let table: [Row<'_>; 13] = [
            (Reading::GridKw, &[(1, 100.0), (2, 50.0), (3, 99.0)], Some(150.0)),
            (Reading::GridKw, &[(1, 100.0)], None),
            (Reading::SolarShare, &[(1, 40.0), (2, 20.0), (4, 20_000.0)], Some(25.0)),
            (Reading::SolarShare, &[(1, -40.0), (2, 20.0), (4, 60_000.0)], Some(100.0)),
            (Reading::WaterLMin, &[(5, 1.5), (6, 9.0)], Some(90.0)),
            (Reading::WarmestFridgeC, &[(9, 3.0), (10, 6.5)], Some(6.5)),
            (Reading::WarmestFridgeC, &[(9, 3.0)], None),
            (Reading::PlateWasteKg, &[(11, 12.0)], Some(12.0)),
            (Reading::WetShare, &[(12, 10.0), (13, 0.0), (14, 30.0), (15, 20.0)], Some(50.0)),
            (Reading::WetShare, &[(12, 0.0), (13, 0.0), (14, 0.0), (15, 0.0)], None),
            (Reading::CarbonKgH, &[(1, 100.0), (2, 0.0)], Some(50.0)),
            (Reading::CarbonKgH, &[(1, -100.0), (2, 0.0)], Some(0.0)),
            (Reading::CarbonKgH, &[], None),
        ];
        for (reading, given, expected) in table {
            assert_eq!(sources.reading(reading, &values(given), 0.5), expected, "{reading:?} of {given:?}");
        }
        assert!(Reading::ALL.into_iter().all(|reading| sources.has(reading)));
    }

    #[test]
    fn what_the_campus_does_not_have_is_not_asked_for() {
        let none = Sources::find(&[], &[], &[]);
        assert!(Reading::ALL.into_iter().all(|reading| !none.has(reading)));
        assert!(Pick::ALL.into_iter().all(|pick| none.count(pick) == 0));
        assert!(none.points().is_empty());
    }

    #[test]
    fn a_room_is_left_on_only_with_nobody_there() {
        let sources = campus();
        for (presence, lights, ac, expected) in [
            (Some(0.0), 1.0, 0.0, Some(true)),
            (Some(0.0), 0.0, 1.0, Some(true)),
            (Some(0.0), 0.0, 0.0, Some(false)),
            (Some(1.0), 1.0, 1.0, Some(false)),
            (None, 1.0, 1.0, None),
        ] {
            let mut given = values(&[(21, lights), (22, ac)]);
            given.extend(presence.map(|presence| (20, presence)));
            assert_eq!(sources.left_on(0, &given), expected, "{presence:?} {lights} {ac}");
        }
    }

    #[test]
    fn rivers_have_the_class_whose_limit_they_reach() {
        let sources = campus();
        for (oxygen, class) in [(8.0, 0), (7.5, 0), (7.4, 1), (5.0, 2), (4.2, 3), (2.0, 4), (0.3, 5)] {
            assert_eq!(
                sources.river_class(&values(&[(16, oxygen), (17, 9.0)])),
                Some(class),
                "{oxygen} mg/L"
            );
        }
    }

    #[test]
    fn buildings_are_named_without_their_meters() {
        let node = |path: &str, zh: &str, en: &str| Node {
            path: format!("net/water/{path}"),
            names: Words::new(zh, en),
            parent: None,
            meters: Vec::new(),
            serves: vec![path.to_owned()],
        };
        let nodes = [
            node("labs", "实验楼水表", "Water Meter, Laboratories"),
            node("library", "图书馆水表", "Water Meter, Library"),
            node("canteen", "食堂水表", "Water Meter, Canteen"),
        ];
        let names = building_names(&nodes);
        assert_eq!(names["labs"], Words::new("实验楼", "Laboratories"));
        assert_eq!(names["canteen"], Words::new("食堂", "Canteen"));
        // One alone has nothing in common with others: it is better called by its path.
        assert!(building_names(&nodes[..1]).is_empty());
    }

    #[test]
    fn branches_are_buildings_in_litres_a_second() {
        let sources = campus();
        let paths: Vec<&str> = sources.branches.iter().map(|branch| branch.path.as_str()).collect();
        assert_eq!(paths, ["net/water/a", "net/water/b"]);
        assert_eq!(sources.amount(Pick::ThirstyBranch, 1, &values(&[(7, 3.6)])), Some(1.0));
        assert_eq!(sources.buildings, [("a".to_owned(), same("a")), ("b".to_owned(), same("b"))].into());
    }
}
