//! Who is where: classes, staff, boarders.

use std::collections::BTreeMap;

use campanile_crowd::{Group, Profile};
use campanile_model::{Campus, SpaceUse};

use super::{CrowdOptions, CrowdSite, Hour};
use crate::flood::LeftOut;
use crate::tables::PeopleTables;
use crate::topology;

/// A room of the plan.
struct Room {
    path: String,
    use_: SpaceUse,
    people: u32,
    grade: Option<u32>,
}

pub fn add(campus: &Campus, options: &CrowdOptions, tables: &PeopleTables, site: &mut CrowdSite) {
    site.input.profiles = tables
        .profile
        .iter()
        .map(|p| Profile { id: p.id.clone(), speed_m_s: p.speed_m_s, radius_m: p.radius_m, stairs: p.stairs })
        .collect();
    let adult = tables.profile.iter().position(|p| p.id == "adult").unwrap_or(0) as u32;
    let rooms = rooms(campus, site);
    let mut groups = match options.hour {
        Hour::Night => boarders(&rooms, tables, site),
        _ => classes(&rooms, options.hour, tables, adult, site),
    };
    if options.hour != Hour::Night {
        let sum = |teach: bool| -> u32 {
            groups.iter().flat_map(|g| &g.people).filter(|p| (p.0 == adult) == teach).map(|p| p.1).sum()
        };
        let (teachers, pupils) = (sum(true), sum(false));
        let usual = (pupils > 0).then(|| libm::round(f64::from(pupils) * tables.staff.per_pupil) as u32);
        let others = options.staff.or(usual).map(|all| all.saturating_sub(teachers));
        groups.extend(staff(&rooms, others, tables, adult, site));
    }
    for (path, count) in &options.counts {
        let Some(&space) = site.space_of.get(path) else {
            let why = "people are counted in it, but nobody can walk there".to_owned();
            site.left_out.push(LeftOut { path: path.clone(), why });
            continue;
        };
        groups.retain(|g| g.id != *path);
        let room = rooms.iter().find(|r| r.path == *path);
        let profile = room.map_or(adult, |r| match r.use_ {
            SpaceUse::Classroom | SpaceUse::Dormitory => pupil(r.grade, tables, adult),
            _ => adult,
        });
        let premovement_s = premovement(tables, "class");
        groups.push(Group { id: path.clone(), space, people: vec![(profile, *count)], premovement_s });
    }
    groups.retain(|g| g.people.iter().any(|p| p.1 > 0));
    site.input.groups = groups;
}

/// The walkable rooms, with whom they are made for.
fn rooms(campus: &Campus, site: &CrowdSite) -> Vec<Room> {
    let mut found = Vec::new();
    for building in &campus.plan.buildings {
        for storey in &building.storeys {
            for space in &storey.spaces {
                let path = format!("{}/{}/{}", building.id, storey.id, space.id);
                if !site.space_of.contains_key(&path) {
                    continue;
                }
                let area = topology::net_area_m2(building, storey, space, &campus.plan.constructions);
                found.push(Room {
                    people: space.occupancy.unwrap_or_else(|| usual(space.use_, area)),
                    use_: space.use_,
                    grade: campus.entity(&path).and_then(|e| grade(&e.names.en, &e.names.zh)),
                    path,
                });
            }
        }
    }
    found
}

/// People that a room is made for where the plan doesn't say, by its floor area.
fn usual(use_: SpaceUse, area_m2: f64) -> u32 {
    let each_m2 = match use_ {
        SpaceUse::Classroom => 1.4,
        SpaceUse::Office | SpaceUse::Library => 8.0,
        SpaceUse::Kitchen => 15.0,
        SpaceUse::Dormitory => 5.0,
        SpaceUse::Dining => 1.6,
        _ => return 0,
    };
    let most = if use_ == SpaceUse::Classroom { 45.0 } else { 2000.0 };
    (area_m2 / each_m2).floor().clamp(0.0, most) as u32
}

/// The grade in a class' name: `Class 3-2`, `三年级二班`.
fn grade(en: &str, zh: &str) -> Option<u32> {
    let english = en.strip_prefix("Class ").and_then(|t| t.split('-').next()).and_then(|t| t.parse().ok());
    let digits = ["一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let chinese = || {
        let at = digits.iter().position(|d| zh.starts_with(&format!("{d}年级")))?;
        Some(at as u32 + 1)
    };
    english.or_else(chinese)
}

/// The profile of pupils of a grade; of an unknown one, that of the middle.
fn pupil(grade: Option<u32>, tables: &PeopleTables, adult: u32) -> u32 {
    let grade = grade.unwrap_or(5);
    let fits = |g: [u32; 2]| (g[0]..=g[1]).contains(&grade);
    tables.profile.iter().position(|p| p.grades.is_some_and(fits)).map_or(adult, |i| i as u32)
}

fn premovement(tables: &PeopleTables, who: &str) -> [f64; 2] {
    tables.premovement_s.get(who).copied().unwrap_or([10.0, 60.0])
}

fn classes(rooms: &[Room], hour: Hour, tables: &PeopleTables, adult: u32, site: &CrowdSite) -> Vec<Group> {
    let teachers = tables.staff.per_class;
    // Seats at lunch: each hall is filled before the next.
    let mut seats: Vec<(u32, u32)> = rooms
        .iter()
        .filter(|r| r.use_ == SpaceUse::Dining)
        .filter_map(|r| Some((*site.space_of.get(&r.path)?, r.people)))
        .collect();
    let mut groups = Vec::new();
    for (i, room) in rooms.iter().filter(|r| r.use_ == SpaceUse::Classroom).enumerate() {
        let Some(&own) = site.space_of.get(&room.path) else { continue };
        let space = match hour {
            // The first of three shifts.
            Hour::Lunch if i % 3 == 0 => {
                let hall = seats.iter_mut().find(|s| s.1 >= room.people);
                hall.map_or(own, |hall| {
                    hall.1 -= room.people;
                    hall.0
                })
            }
            Hour::SportsBreak => site.outside.unwrap_or(own),
            _ => own,
        };
        groups.push(Group {
            id: room.path.clone(),
            space,
            people: vec![(pupil(room.grade, tables, adult), room.people), (adult, teachers)],
            premovement_s: premovement(tables, "class"),
        });
    }
    groups
}

fn use_name(use_: SpaceUse) -> String {
    serde_json::to_value(use_).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn staff(
    rooms: &[Room],
    others: Option<u32>,
    tables: &PeopleTables,
    adult: u32,
    site: &CrowdSite,
) -> Vec<Group> {
    let shares: Vec<(&Room, f64)> = rooms
        .iter()
        .filter_map(|r| Some((r, f64::from(r.people) * tables.staff_share.get(&use_name(r.use_))?)))
        .collect();
    let sum: f64 = shares.iter().map(|s| s.1).sum();
    // Whole people: what a room is owed beyond them goes on to the next.
    let scale = if sum > 0.0 { others.map_or(sum, f64::from) / sum } else { 0.0 };
    let (mut groups, mut owed) = (Vec::new(), 0.5);
    for (room, share) in shares {
        owed += share * scale;
        let here = owed.floor().max(0.0);
        owed -= here;
        let who = if room.use_ == SpaceUse::Kitchen { "kitchen" } else { "staff" };
        if let Some(&space) = site.space_of.get(&room.path) {
            groups.push(Group {
                id: room.path.clone(),
                space,
                people: vec![(adult, here as u32)],
                premovement_s: premovement(tables, who),
            });
        }
    }
    groups
}

/// Boarders of the upper grades in their beds, and a guard in each room of guards.
fn boarders(rooms: &[Room], tables: &PeopleTables, site: &CrowdSite) -> Vec<Group> {
    let adult = tables.profile.iter().position(|p| p.id == "adult").unwrap_or(0) as u32;
    let of: BTreeMap<SpaceUse, (u32, Option<u32>, &str)> = BTreeMap::from([
        (SpaceUse::Dormitory, (pupil(Some(8), tables, adult), None, "sleeping")),
        (SpaceUse::Guard, (adult, Some(1), "staff")),
    ]);
    rooms
        .iter()
        .filter_map(|room| {
            let (profile, count, who) = of.get(&room.use_)?;
            Some(Group {
                id: room.path.clone(),
                space: *site.space_of.get(&room.path)?,
                people: vec![(*profile, count.unwrap_or(room.people))],
                premovement_s: premovement(tables, who),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_are_read_from_names() {
        assert_eq!(grade("Class 3-2", ""), Some(3));
        assert_eq!(grade("", "七年级一班"), Some(7));
        assert_eq!(grade("Office 201", "办公室201"), None);
    }
}
