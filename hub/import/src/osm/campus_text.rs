//! The text of `campus.toml` for a campus made of a map: names, attribution, and the usual kinds of point to add.

use campanile_model::{Names, Plan, SpaceUse};
use toml_edit::Value;

use super::ATTRIBUTION;

/// Kinds that most lists of points need; `campanile import points` uses them.
const KINDS: &str = r#"
# Kinds of point, for `campanile import points`. Change them as you like.

[kind.temperature]
zh-CN = "温度"
en = "Temperature"
brick = "Air_Temperature_Sensor"
unit = "Cel"
range = [-40, 80]
period_s = 300
resolution = 0.1

[kind.humidity]
zh-CN = "相对湿度"
en = "Relative humidity"
brick = "Relative_Humidity_Sensor"
unit = "%"
range = [0, 100]
period_s = 300
resolution = 1

[kind.co2]
zh-CN = "二氧化碳"
en = "CO₂"
brick = "CO2_Sensor"
unit = "[ppm]"
range = [0, 5000]
period_s = 300
resolution = 1

[kind.energy]
zh-CN = "电量"
en = "Energy"
kind = "meter"
accumulation = "counter"
brick = "Electrical_Energy_Usage_Sensor"
unit = "kW.h"
period_s = 900

[kind.water]
zh-CN = "用水量"
en = "Water used"
kind = "meter"
accumulation = "counter"
brick = "Water_Usage_Sensor"
unit = "m3"
period_s = 900
"#;

/// What rooms are called by their use: every use that the importer gives.
const USES: &[(SpaceUse, &str, &str, &str)] = &[
    (SpaceUse::Corridor, "corridor", "走廊 {n}", "Corridor {n}"),
    (SpaceUse::Stair, "stair", "楼梯间 {n}", "Stair {n}"),
    (SpaceUse::Lobby, "lobby", "门厅 {id}", "Lobby {id}"),
    (SpaceUse::Toilet, "toilet", "卫生间 {id}", "Toilet {id}"),
    (SpaceUse::Office, "office", "办公室 {id}", "Office {id}"),
    (SpaceUse::Classroom, "classroom", "教室 {id}", "Classroom {id}"),
    (SpaceUse::Library, "library", "阅览室 {id}", "Reading room {id}"),
    (SpaceUse::Dormitory, "dormitory", "居室 {id}", "Bedroom {id}"),
    (SpaceUse::Clinic, "clinic", "医务室 {id}", "Clinic room {id}"),
    (SpaceUse::Gym, "gym", "运动厅 {id}", "Sports hall {id}"),
    (SpaceUse::Pool, "pool", "泳池 {id}", "Pool {id}"),
    (SpaceUse::Hall, "hall", "大厅 {id}", "Hall {id}"),
    (SpaceUse::Dining, "dining", "餐厅 {id}", "Dining room {id}"),
    (SpaceUse::Shop, "shop", "商铺 {id}", "Shop {id}"),
    (SpaceUse::Store, "store", "储藏室 {id}", "Store {id}"),
    (SpaceUse::Plant, "plant", "设备间 {id}", "Plant room {id}"),
    (SpaceUse::Electrical, "electrical", "配电间 {id}", "Electrical room {id}"),
    (SpaceUse::Guard, "guard", "值班室 {id}", "Guards' room {id}"),
    (SpaceUse::Parking, "parking", "车库 {id}", "Parking {id}"),
    (SpaceUse::Greenhouse, "greenhouse", "温室 {id}", "Greenhouse {id}"),
    (SpaceUse::Other, "other", "房间 {id}", "Room {id}"),
];

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

pub(crate) fn campus_toml(
    id: &str,
    names: &Names,
    zone: &str,
    weather: Option<&str>,
    plan: &Plan,
    named: &[(String, Names)],
) -> String {
    let weather = weather.map(|w| format!("weather = {}\n", quoted(w))).unwrap_or_default();
    let mut text = format!(
        "# Made by `campanile import osm`. The shapes are in plan.json; names and points are yours to change.\n\n\
         format = \"campanile-campus/1\"\nid = {}\nzh-CN = {}\nen = {}\ntimezone = {}\n{weather}attribution = [{}]\n",
        quoted(id),
        quoted(&names.zh),
        quoted(&names.en),
        quoted(zone),
        quoted(ATTRIBUTION),
    );
    let mut rule = |at: &str, more: &str, names: &Names| {
        let (at, zh, en) = (quoted(at), quoted(&names.zh), quoted(&names.en));
        text.push_str(&format!("\n[[name]]\nat = {at}\n{more}zh-CN = {zh}\nen = {en}\n"));
    };
    rule("site", "", names);
    let has = |use_: SpaceUse| {
        plan.buildings.iter().flat_map(|b| &b.storeys).flat_map(|s| &s.spaces).any(|s| s.use_ == use_)
    };
    for (use_, word, zh, en) in USES {
        if has(*use_) {
            rule("*/*/*", &format!("use = [\"{word}\"]\n"), &Names::new(*zh, *en));
        }
    }
    for (path, names) in named {
        rule(path, "", names);
    }
    text.push_str(KINDS);
    text
}
