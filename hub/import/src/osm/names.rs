//! What things are called: the map's names in both languages, and for a building without one what it is for and its
//! number.

use std::collections::{BTreeMap, BTreeSet};

use campanile_model::Names;

use super::building::Outline;
use super::read::Tags;
use super::value::{clean_name, slug};

/// What buildings are, by the values of `amenity`, `leisure`, `building` and `building:part`; the first that has the
/// value counts.
const KINDS: &[(&str, &str, &[&str])] = &[
    ("图书馆", "Library", &["library"]),
    ("食堂", "Dining hall", &["canteen", "food_court", "restaurant", "fast_food", "cafe"]),
    ("剧场", "Theatre", &["theatre", "cinema", "auditorium", "arts_centre", "events_venue"]),
    (
        "体育馆",
        "Sports hall",
        &["sports_hall", "sports_centre", "gymnasium", "fitness_centre", "riding_hall", "ice_rink"],
    ),
    ("游泳馆", "Swimming hall", &["swimming_pool"]),
    ("看台", "Grandstand", &["grandstand", "stadium"]),
    ("停车楼", "Parking garage", &["parking"]),
    ("车库", "Garage", &["garage", "garages", "carport"]),
    ("自行车棚", "Bicycle shed", &["bicycle_parking"]),
    ("卫生间", "Toilets", &["toilets"]),
    ("医务楼", "Clinic", &["clinic", "doctors", "hospital"]),
    ("幼儿园楼", "Kindergarten building", &["kindergarten"]),
    ("教学楼", "Teaching building", &["school", "college", "university", "yes_school"]),
    ("宿舍楼", "Dormitory", &["dormitory"]),
    ("公寓楼", "Apartment building", &["apartments"]),
    (
        "住宅",
        "House",
        &["house", "detached", "semidetached_house", "terrace", "bungalow", "residential", "cabin"],
    ),
    ("旅馆", "Hotel", &["hotel"]),
    ("办公楼", "Office building", &["office", "government", "townhall"]),
    ("公共建筑", "Public building", &["civic", "public"]),
    ("商业楼", "Commercial building", &["commercial", "retail", "supermarket"]),
    ("售货亭", "Kiosk", &["kiosk"]),
    ("温室", "Greenhouse", &["greenhouse"]),
    ("棚", "Canopy", &["roof", "canopy", "pavilion", "gazebo", "shelter"]),
    ("棚屋", "Shed", &["shed", "hut", "outbuilding", "container"]),
    ("仓库", "Store", &["warehouse", "barn", "storage_tank", "silo"]),
    ("门卫室", "Gatehouse", &["guardhouse", "gatehouse"]),
    ("变配电房", "Substation", &["transformer_tower", "substation"]),
    ("设备用房", "Plant building", &["service", "industrial", "boiler_house", "digester"]),
    (
        "礼拜堂",
        "Place of worship",
        &["church", "chapel", "cathedral", "mosque", "temple", "shrine", "synagogue", "place_of_worship"],
    ),
];
/// What says nothing of its use.
const BUILDING: (&str, &str) = ("楼", "Building");
/// A longer label is a name by itself.
const LONGEST_NUMBER: usize = 6;

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// The first of these keys that has text.
fn first(tags: &Tags, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|k| tags.get(*k).and_then(|v| clean_name(v)))
}

/// The map's names in both languages; where one is missing, the other's, as a name isn't translated by guessing.
pub(crate) fn tagged(tags: &Tags) -> Option<Names> {
    let name = first(tags, &["name", "official_name", "short_name"]);
    let zh = first(tags, &["name:zh-Hans", "name:zh-CN", "name:zh"])
        .or_else(|| name.clone().filter(|n| is_chinese(n)));
    let en = first(tags, &["name:en", "int_name"]).or_else(|| name.clone().filter(|n| !is_chinese(n)));
    let any = zh.clone().or_else(|| en.clone()).or(name)?;
    Some(Names::new(zh.unwrap_or_else(|| en.clone().unwrap_or_else(|| any.clone())), en.unwrap_or(any)))
}

/// An id from what stands in the map for a name, where it has Latin letters.
pub(crate) fn id(tags: &Tags) -> Option<String> {
    let label = || first(tags, &["ref", "addr:housename", "loc_name"]);
    tagged(tags)
        .map(|n| n.en)
        .or_else(label)
        .and_then(|name| slug(&name))
        .filter(|id| id.bytes().any(|b| b.is_ascii_alphabetic()))
}

/// Chinese and English words for what a building is.
fn kind(tags: &Tags) -> (&'static str, &'static str) {
    let words = |value: &String| KINDS.iter().find(|(_, _, values)| values.contains(&value.as_str()));
    let found = ["amenity", "leisure", "building", "building:part"]
        .iter()
        .filter_map(|k| tags.get(*k))
        .find_map(words);
    found.map_or(BUILDING, |(zh, en, _)| (zh, en))
}

fn numbered((zh, en): (&str, &str), number: &str) -> Names {
    Names::new(format!("{number}号{zh}"), format!("{en} {number}"))
}

/// A short number or letter such as `7`, `B` or `3-2`.
fn number(label: &str) -> Option<&str> {
    let label = label.trim_end_matches(['号', '#']).trim_start_matches('#').trim();
    let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (plain && (1..=LONGEST_NUMBER).contains(&label.len())).then_some(label)
}

/// `12 Clemson Court`, and in Chinese with the street first.
fn address(tags: &Tags) -> Option<Names> {
    let house = first(tags, &["addr:housenumber"])?;
    let street = first(tags, &["addr:street", "addr:place"])?;
    let house = house.trim_end_matches('号');
    let zh = if is_chinese(&street) { format!("{street}{house}号") } else { format!("{street} {house}号") };
    let en = match first(tags, &["addr:street:en"]) {
        Some(street) => format!("{house} {street}"),
        None if is_chinese(&street) => zh.clone(),
        None => format!("{house} {street}"),
    };
    Some(Names::new(zh, en))
}

/// What each building is called. Those without name or number are counted by their kind in the order of their
/// numbers in OpenStreetMap, so that what is mapped later changes no name given before.
pub(crate) fn of_buildings(buildings: &[Outline], campus: Option<&Tags>) -> Vec<Names> {
    // An address that several share, or that is the school's, tells no building from another.
    let mut living: BTreeMap<String, usize> = BTreeMap::new();
    for names in buildings.iter().map(|b| &b.tags).chain(campus).filter_map(address) {
        *living.entry(names.en).or_default() += 1;
    }
    let said = |tags: &Tags| -> Option<Names> {
        if let Some(names) = tagged(tags) {
            return Some(names);
        }
        if let Some(label) = first(tags, &["ref", "addr:housename", "loc_name"]) {
            return Some(match number(&label) {
                Some(number) => numbered(kind(tags), number),
                None => Names::new(&*label, &*label),
            });
        }
        match address(tags) {
            Some(names) => Some(names).filter(|n| living.get(&n.en) == Some(&1)),
            None => first(tags, &["addr:housenumber"]).and_then(|n| Some(numbered(kind(tags), number(&n)?))),
        }
    };
    let said: Vec<Option<Names>> = buildings.iter().map(|b| said(&b.tags)).collect();
    let taken: BTreeSet<String> = said.iter().flatten().map(|n| n.en.clone()).collect();
    let mut many: BTreeMap<&str, usize> = BTreeMap::new();
    for building in buildings {
        *many.entry(kind(&building.tags).1).or_default() += 1;
    }
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    let mut free = |words: (&'static str, &'static str)| {
        let count = next.entry(words.1).or_default();
        loop {
            *count += 1;
            let names = numbered(words, &count.to_string());
            if !taken.contains(&names.en) {
                return names;
            }
        }
    };
    let unnamed = |tags: &Tags, free: &mut dyn FnMut((&'static str, &'static str)) -> Names| {
        let words = kind(tags);
        // The only greenhouse needs no number.
        let only = words != BUILDING && many.get(words.1) == Some(&1) && !taken.contains(words.1);
        if only { Names::new(words.0, words.1) } else { free(words) }
    };
    said.into_iter()
        .zip(buildings)
        .map(|(said, building)| said.unwrap_or_else(|| unnamed(&building.tags, &mut free)))
        .collect()
}
