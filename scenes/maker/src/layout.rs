//! Rows of rooms become rectangles that tile each storey.

use campanile_model::{Names, SpaceUse};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::description::{BuildingSpec, School, StoreySpec};
use crate::error::MakeError;

/// A corner in millimetres, in the building's own axes.
pub(crate) type Corner = (i32, i32);

/// A room as a rectangle.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub id: String,
    pub use_: SpaceUse,
    pub names: Names,
    pub low: Corner,
    pub high: Corner,
}

/// A storey as rectangles.
#[derive(Clone, Debug)]
pub(crate) struct StoreyLayout<'a> {
    pub id: String,
    pub level: i32,
    pub floor_mm: i32,
    pub height_mm: i32,
    pub spec: &'a StoreySpec,
    pub rooms: Vec<Room>,
}

pub(crate) fn mm(metres: f64) -> i32 {
    (metres * 1000.0).round() as i32
}

/// The storeys of a building from the lowest up.
pub(crate) fn storeys<'a>(
    school: &School,
    building: &'a BuildingSpec,
) -> Result<Vec<StoreyLayout<'a>>, MakeError> {
    let place = format!("building '{}'", building.id);
    let mut by_level: Vec<(i32, &StoreySpec)> =
        building.storey.iter().flat_map(|s| s.levels.iter().map(move |l| (*l, s))).collect();
    by_level.sort_by_key(|(level, _)| *level);
    if by_level.is_empty()
        || by_level.windows(2).any(|w| w[0].0 == w[1].0)
        || by_level.iter().any(|l| l.0 == 0)
    {
        return Err(MakeError::at(
            place,
            "its levels aren't 1, 2, … or -1",
            "give each level once, and no 0",
        ));
    }
    let below_mm: i32 = by_level.iter().filter(|(l, _)| *l < 0).map(|(_, s)| mm(s.height_m)).sum();
    let mut floor_mm = mm(building.floor_m) - below_mm;
    let mut classes = classes(&building.classes).into_iter();
    let mut out = Vec::new();
    for (level, spec) in by_level {
        let id = if level < 0 { format!("b{}", -level) } else { format!("{level}f") };
        let rooms = rooms(school, building, spec, level, &mut classes)?;
        out.push(StoreyLayout { id, level, floor_mm, height_mm: mm(spec.height_m), spec, rooms });
        floor_mm += mm(spec.height_m);
    }
    if let Some((grade, class)) = classes.next() {
        return Err(MakeError::at(
            place,
            format!("class {grade}-{class} has no classroom"),
            "add rooms of the use 'classroom' or take classes away",
        ));
    }
    Ok(out)
}

/// `"1-1..1-5"` as five classes.
fn classes(texts: &[String]) -> Vec<(u32, u32)> {
    let one = |text: &str| text.split_once('-').and_then(|(g, c)| Some((g.parse().ok()?, c.parse().ok()?)));
    let mut out: Vec<(u32, u32)> = Vec::new();
    for text in texts {
        match text.split_once("..") {
            Some((from, to)) => {
                if let (Some((grade, first)), Some((_, last))) = (one(from), one(to)) {
                    out.extend((first..=last).map(|class| (grade, class)));
                }
            }
            None => out.extend(one(text)),
        }
    }
    out
}

fn rooms(
    school: &School,
    building: &BuildingSpec,
    spec: &StoreySpec,
    level: i32,
    classes: &mut impl Iterator<Item = (u32, u32)>,
) -> Result<Vec<Room>, MakeError> {
    let length_mm = mm(building.length_m);
    let mut rooms: Vec<Room> = Vec::new();
    let (mut y, mut number) = (0, 0);
    for (r, row) in spec.row.iter().enumerate() {
        let place = format!("building '{}' level {level} row {}", building.id, r + 1);
        let (mut x, top) = (0, y + mm(row.depth_m));
        for text in &row.rooms {
            let cell = Cell::parse(text).map_err(|what| {
                MakeError::at(
                    &place,
                    format!("'{text}' {what}"),
                    "write it as 'ID USE WIDTH [xN] [中文|English]'",
                )
            })?;
            for i in 1..=cell.count {
                let (low, high) = ((x, y), (x + cell.width_mm, top));
                x += cell.width_mm;
                let Some(use_) = cell.use_ else { continue };
                let mut id = cell.id.replace('@', &i.to_string());
                if id.contains('#') {
                    number += 1;
                    id = id.replace('#', &format!("{}{number:02}", level.abs()));
                }
                let names = match (&cell.names, use_) {
                    (Some(names), _) if cell.count > 1 => {
                        Names::new(format!("{}{i}", names.zh), format!("{} {i}", names.en))
                    }
                    (Some(names), _) => names.clone(),
                    (None, SpaceUse::Classroom) => match classes.next() {
                        Some((grade, class)) => class_names(grade, class),
                        None => {
                            return Err(MakeError::at(
                                place,
                                format!("classroom {id} has no class"),
                                "add one to 'classes' or give the room a name",
                            ));
                        }
                    },
                    (None, _) => usual_names(school, use_, level, &id),
                };
                rooms.push(Room { id, use_, names, low, high });
            }
        }
        if x != length_mm {
            return Err(MakeError::at(
                place,
                format!(
                    "its rooms are {:.2} m long together, the building {:.2} m",
                    f64::from(x) / 1e3,
                    building.length_m
                ),
                "change widths, or fill with '- WIDTH' where there is no building",
            ));
        }
        y = top;
    }
    for (i, room) in rooms.iter().enumerate() {
        if rooms[..i].iter().any(|other| other.id == room.id) {
            return Err(MakeError::at(
                format!("building '{}' level {level}", building.id),
                format!("there are two rooms '{}'", room.id),
                "give each its own id; '#' and '@' count",
            ));
        }
    }
    Ok(rooms)
}

struct Cell {
    id: String,
    use_: Option<SpaceUse>,
    width_mm: i32,
    count: u32,
    names: Option<Names>,
}

impl Cell {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (head, names) = match text.split_once('|') {
            Some((head, en)) => {
                let (head, zh) = head.rsplit_once(' ').ok_or("has no Chinese name before '|'")?;
                (head, Some(Names::new(zh, en.trim())))
            }
            None => (text, None),
        };
        let mut words = head.split_whitespace();
        let id = words.next().ok_or("is empty")?.to_owned();
        let use_ = if id == "-" {
            None
        } else {
            let word = words.next().ok_or("has no use")?;
            let word: StrDeserializer<'_, ValueError> = word.into_deserializer();
            Some(SpaceUse::deserialize(word).map_err(|_| "has an unknown use")?)
        };
        let width: f64 = words.next().and_then(|w| w.parse().ok()).ok_or("has no width in metres")?;
        if !(0.5..=500.0).contains(&width) {
            return Err("has a width that isn't 0.5 to 500 m");
        }
        let count = match words.next() {
            None => 1,
            Some(word) => {
                word.strip_prefix('x').and_then(|n| n.parse().ok()).ok_or("has no count after 'x'")?
            }
        };
        if !(1..=200).contains(&count) || words.next().is_some() {
            return Err("has a count that isn't 1 to 200, or more words than it should");
        }
        Ok(Self { id, use_, width_mm: mm(width), count, names })
    }
}

const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// A number up to 99 in Chinese.
pub(crate) fn chinese_number(n: u32) -> String {
    let digit = |d: u32| DIGITS.get(d as usize).copied().unwrap_or("");
    match (n / 10, n % 10) {
        (0, ones) => digit(ones).to_owned(),
        (1, 0) => "十".to_owned(),
        (1, ones) => format!("十{}", digit(ones)),
        (tens, 0) => format!("{}十", digit(tens)),
        (tens, ones) => format!("{}十{}", digit(tens), digit(ones)),
    }
}

fn class_names(grade: u32, class: u32) -> Names {
    Names::new(
        format!("{}年级{}班", chinese_number(grade), chinese_number(class)),
        format!("Class {grade}-{class}"),
    )
}

fn usual_names(school: &School, use_: SpaceUse, level: i32, id: &str) -> Names {
    let (zh, en) = school.uses.get(&use_).map_or(("房间", "Room"), |u| (&u.zh, &u.en));
    if id.bytes().all(|b| b.is_ascii_digit()) {
        Names::new(format!("{zh}{id}"), format!("{en} {id}"))
    } else {
        let storey = if level < 0 {
            ("地下".to_owned(), "basement".to_owned())
        } else {
            (format!("{}层", chinese_number(level.unsigned_abs())), format!("floor {level}"))
        };
        let tail = id.rsplit('-').next().filter(|t| t.len() <= 2).map(str::to_uppercase).unwrap_or_default();
        let space = if tail.is_empty() { "" } else { " " };
        Names::new(format!("{}{zh}{tail}", storey.0), format!("{en}{space}{tail}, {}", storey.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_written() {
        let cell = Cell::parse("lab-@ laboratory 10.8 x2 物理实验室|Physics Laboratory").unwrap();
        assert_eq!((cell.width_mm, cell.count), (10_800, 2));
        assert_eq!(cell.names.unwrap().en, "Physics Laboratory");
        assert!(Cell::parse("- 9.0").unwrap().use_.is_none());
        for (bad, why) in
            [("a", "use"), ("a castle 9", "unknown"), ("a office x", "width"), ("a office 9 3", "count")]
        {
            assert!(Cell::parse(bad).err().unwrap().contains(why), "{bad}");
        }
    }

    #[test]
    fn classes_are_named_in_both_languages() {
        assert_eq!(classes(&["1-1..1-3".into(), "9-5".into()]), [(1, 1), (1, 2), (1, 3), (9, 5)]);
        assert_eq!(class_names(3, 2), Names::new("三年级二班", "Class 3-2"));
        assert_eq!(chinese_number(21), "二十一");
    }
}
