//! Doors to where people come from, windows to the light.

use campanile_model::{Leaf, Opening, OpeningKind, SpaceUse, Swing};

use crate::building::{Edge, Frame, SCREEN_MM, is_way};
use crate::description::{BuildingSpec, School, UseSpec};
use crate::error::MakeError;
use crate::layout::{Corner, Room, StoreyLayout, mm};

/// From the end of a wall line to a jamb: half a thick wall and a bit.
const JAMB_MM: i32 = 250;
/// Between two openings.
const PIER_MM: i32 = 200;

/// Places openings on the edges of one storey.
struct Placer<'a> {
    storey: &'a StoreyLayout<'a>,
    edges: &'a [Edge],
    frame: &'a mut Frame,
    taken: Vec<Vec<(i32, i32)>>,
    out: Vec<Opening>,
}

/// What an opening is like.
#[derive(Clone, Copy)]
struct Kind<'a> {
    prefix: &'a str,
    kind: OpeningKind,
    leaf: Leaf,
    size_mm: [i32; 2],
    sill_mm: i32,
    construction: Option<&'a str>,
    fire_min: Option<u32>,
    exit: bool,
}

impl Placer<'_> {
    /// Puts an opening with its near jamb at `at_mm`; false where it doesn't fit.
    fn put(&mut self, edge: usize, at_mm: i32, room: &str, kind: &Kind<'_>) -> bool {
        let Edge { a, b, .. } = self.edges[edge];
        let end = at_mm + kind.size_mm[0];
        let fits = at_mm >= JAMB_MM
            && end <= self.edges[edge].length_mm() - JAMB_MM
            && self.taken[edge].iter().all(|(from, to)| end + PIER_MM <= *from || at_mm >= *to + PIER_MM);
        if !fits {
            return false;
        }
        self.taken[edge].push((at_mm, end));
        let start = format!("{}-{room}-", kind.prefix);
        let number = self
            .out
            .iter()
            .filter(|o| o.id.strip_prefix(&start).is_some_and(|n| n.bytes().all(|c| c.is_ascii_digit())))
            .count()
            + 1;
        self.out.push(Opening {
            id: format!("{start}{number}"),
            kind: kind.kind,
            wall: [self.frame.vertex(a), self.frame.vertex(b)],
            at_mm,
            width_mm: kind.size_mm[0],
            height_mm: kind.size_mm[1],
            sill_mm: kind.sill_mm,
            leaf: kind.leaf,
            construction: kind.construction.map(str::to_owned),
            fire_rating_min: kind.fire_min,
            self_closing: kind.fire_min.is_some() && matches!(kind.leaf, Leaf::Single | Leaf::Double),
            swing: matches!(kind.leaf, Leaf::Single | Leaf::Double).then_some(Swing::LeftNear),
            exit: kind.exit,
        });
        true
    }

    fn put_middle(&mut self, edge: usize, room: &str, kind: &Kind<'_>) -> bool {
        let at = (self.edges[edge].length_mm() - kind.size_mm[0]) / 2;
        self.put(edge, at, room, kind)
    }

    /// The edges between two rooms, longest first.
    fn between(&self, a: usize, b: usize) -> Vec<usize> {
        let mut found: Vec<usize> = (0..self.edges.len())
            .filter(|e| {
                self.edges[*e].rooms.len() == 2
                    && self.edges[*e].rooms.contains(&a)
                    && self.edges[*e].rooms.contains(&b)
            })
            .collect();
        found.sort_by_key(|e| (-self.edges[*e].length_mm(), *e));
        found
    }
}

fn door<'a>(spec: &UseSpec, use_: SpaceUse, fire: bool) -> Kind<'a> {
    let size_mm = [mm(spec.door_m[0]), mm(spec.door_m[1])];
    let lift = use_ == SpaceUse::Lift;
    Kind {
        prefix: if fire { "fd" } else { "d" },
        kind: OpeningKind::Door,
        leaf: if lift {
            Leaf::Sliding
        } else if size_mm[0] >= 1300 {
            Leaf::Double
        } else {
            Leaf::Single
        },
        size_mm,
        sill_mm: 0,
        construction: Some(if use_ == SpaceUse::ColdStore {
            "cold-door"
        } else if fire {
            "fire-door"
        } else if lift {
            "steel-door"
        } else {
            "timber-door"
        }),
        fire_min: fire.then_some(60),
        exit: false,
    }
}

const EXIT: Kind<'static> = Kind {
    prefix: "x",
    kind: OpeningKind::Door,
    leaf: Leaf::Double,
    size_mm: [1800, 2200],
    sill_mm: 0,
    construction: Some("glass-door"),
    fire_min: None,
    exit: true,
};

/// The openings of a storey.
pub(crate) fn openings(
    school: &School,
    building: &BuildingSpec,
    storey: &StoreyLayout<'_>,
    edges: &[Edge],
    frame: &mut Frame,
) -> Result<Vec<Opening>, MakeError> {
    let place = format!("building '{}' storey {}", building.id, storey.id);
    let mut placer = Placer { storey, edges, frame, taken: vec![Vec::new(); edges.len()], out: Vec::new() };
    exits(&place, &mut placer)?;
    let mut linked = doors_to_ways(school, &mut placer);
    let mut pairs = Vec::new();
    for [a, b] in &storey.spec.doors {
        let find = |id: &String| {
            storey.rooms.iter().position(|r| r.id == *id).ok_or_else(|| {
                MakeError::at(
                    &place,
                    format!("a door names the room '{id}', which doesn't exist"),
                    "correct 'doors'",
                )
            })
        };
        let (a, b) = (find(a)?, find(b)?);
        pairs.push((a, b));
        if !link(school, &mut placer, a, b) {
            let what = format!(
                "'{}' and '{}' share no wall that is long enough for a door",
                storey.rooms[a].id, storey.rooms[b].id
            );
            return Err(MakeError::at(&place, what, "place them side by side"));
        }
    }
    doors_from_room_to_room(school, &mut placer, &mut linked, &pairs);
    if let Some(i) = linked.iter().position(|l| !l) {
        return Err(MakeError::at(
            place,
            format!("the room '{}' can't be reached", storey.rooms[i].id),
            "put it beside a corridor, or add a pair to 'doors'",
        ));
    }
    windows(school, &mut placer);
    Ok(placer.out)
}

/// Ground-level corridors open to the outside at their ends and along their long outer walls.
fn exits(place: &str, placer: &mut Placer<'_>) -> Result<(), MakeError> {
    let storey = placer.storey;
    for id in &storey.spec.exits {
        let Some(room) = storey.rooms.iter().position(|r| r.id == *id) else {
            return Err(MakeError::at(place, format!("the exit '{id}' isn't a room"), "correct 'exits'"));
        };
        let mut outer: Vec<usize> =
            (0..placer.edges.len()).filter(|e| placer.edges[*e].rooms == [room]).collect();
        outer.sort_by_key(|e| (-placer.edges[*e].length_mm(), *e));
        let wide = Kind { construction: Some("steel-door"), ..EXIT };
        let narrow = Kind { size_mm: [1000, 2100], leaf: Leaf::Single, ..wide };
        if storey.rooms[room].use_ == SpaceUse::Stair && outer.iter().any(|e| at_landing(placer, *e, &wide)) {
            continue;
        }
        let done = outer.iter().any(|e| placer.put_middle(*e, id, &wide))
            || outer.iter().any(|e| placer.put_middle(*e, id, &narrow));
        if !done {
            return Err(MakeError::at(
                place,
                format!("'{id}' has no outer wall for an exit"),
                "correct 'exits'",
            ));
        }
    }
    if storey.level != 1 {
        return Ok(());
    }
    for e in 0..placer.edges.len() {
        let &[room] = &placer.edges[e].rooms[..] else { continue };
        let room = &storey.rooms[room];
        let across = placer.edges[e].a.0 == placer.edges[e].b.0;
        let length = placer.edges[e].length_mm();
        let wanted = match room.use_ {
            SpaceUse::Lobby => length >= 4000,
            SpaceUse::Corridor => (across && length <= 4000) || length >= 7000,
            SpaceUse::Parking => !across,
            _ => false,
        };
        if wanted && room.use_ == SpaceUse::Parking {
            let size_mm = [6000.min(length - 600), SCREEN_MM];
            let way_in =
                Kind { prefix: "g", kind: OpeningKind::Gap, leaf: Leaf::None, construction: None, ..EXIT };
            placer.put_middle(e, &room.id, &Kind { size_mm, ..way_in });
        } else if wanted {
            let width = if room.use_ == SpaceUse::Lobby { 3000 } else { 1800 };
            placer.put_middle(e, &room.id, &Kind { size_mm: [width.min(length - 600), 2400], ..EXIT });
        }
    }
    Ok(())
}

/// A door from a stair to the outside opens on the landing, which is where the way meets the stair.
fn at_landing(placer: &mut Placer<'_>, edge: usize, kind: &Kind<'_>) -> bool {
    let (storey, here) = (placer.storey, &placer.edges[edge]);
    let (length, id) = (here.length_mm(), &storey.rooms[here.rooms[0]].id);
    let kind = Kind { size_mm: [1200, 2100], ..*kind };
    let on_way = |c: Corner| {
        let at = |r: &Room| r.low.0 <= c.0 && c.0 <= r.high.0 && r.low.1 <= c.1 && c.1 <= r.high.1;
        storey.rooms.iter().any(|r| is_way(r.use_) && at(r))
    };
    match (on_way(here.a), on_way(here.b)) {
        (true, false) => placer.put(edge, JAMB_MM, id, &kind),
        (false, true) => placer.put(edge, length - JAMB_MM - kind.size_mm[0], id, &kind),
        _ => false,
    }
}

fn spec_of(school: &School, use_: SpaceUse) -> UseSpec {
    school.uses.get(&use_).cloned().unwrap_or_else(|| UseSpec {
        doors: 1,
        door_m: [1.0, 2.1],
        ..UseSpec::default()
    })
}

fn doors_to_ways(school: &School, placer: &mut Placer<'_>) -> Vec<bool> {
    let storey = placer.storey;
    let mut linked: Vec<bool> = storey
        .rooms
        .iter()
        .map(|r| is_way(r.use_) || storey.spec.exits.contains(&r.id) || r.use_ == SpaceUse::Parking)
        .collect();
    for (i, room) in storey.rooms.iter().enumerate() {
        if is_way(room.use_) {
            continue;
        }
        let spec = spec_of(school, room.use_);
        let mut walls: Vec<usize> = (0..placer.edges.len())
            .filter(|e| {
                let rooms = &placer.edges[*e].rooms;
                rooms.contains(&i) && rooms.iter().any(|r| *r != i && is_way(storey.rooms[*r].use_))
            })
            .collect();
        walls.sort_by_key(|e| (-placer.edges[*e].length_mm(), *e));
        let kind = door(&spec, room.use_, spec.fire);
        for e in walls.into_iter().take(1) {
            let length = placer.edges[e].length_mm();
            let middle = room.use_ == SpaceUse::Stair || room.use_ == SpaceUse::Lift || length < 3000;
            let mut done = 0;
            if spec.doors >= 2 && length >= 5000 {
                done += u32::from(placer.put(e, JAMB_MM + 50, &room.id, &kind));
                done += u32::from(placer.put(e, length - JAMB_MM - 50 - kind.size_mm[0], &room.id, &kind));
            } else if !middle {
                done += u32::from(placer.put(e, JAMB_MM + 50, &room.id, &kind));
            }
            if done == 0 {
                done += u32::from(placer.put_middle(e, &room.id, &kind));
            }
            linked[i] |= done > 0;
        }
    }
    linked
}

/// A door between two rooms, as the one that is reached through it has it.
fn link(school: &School, placer: &mut Placer<'_>, room: usize, through: usize) -> bool {
    let (use_, id) = (placer.storey.rooms[room].use_, &placer.storey.rooms[room].id);
    let spec = spec_of(school, use_);
    let fire = spec.fire || spec_of(school, placer.storey.rooms[through].use_).fire;
    let kind = door(&spec, use_, fire);
    let slim = Kind { size_mm: [900, 2100], leaf: Leaf::Single, ..door(&spec, use_, fire) };
    let edges = placer.between(room, through);
    edges.iter().any(|e| placer.put_middle(*e, id, &kind) || placer.put_middle(*e, id, &slim))
}

/// Rooms without a corridor are reached through a neighbour: the one with the longest common wall.
fn doors_from_room_to_room(
    school: &School,
    placer: &mut Placer<'_>,
    linked: &mut [bool],
    pairs: &[(usize, usize)],
) {
    let never =
        [SpaceUse::Toilet, SpaceUse::Stair, SpaceUse::Lift, SpaceUse::Electrical, SpaceUse::ColdStore];
    let mut tried: Vec<(usize, usize)> = Vec::new();
    loop {
        while let Some((a, b)) = pairs.iter().find(|(a, b)| linked[*a] != linked[*b]) {
            (linked[*a], linked[*b]) = (true, true);
        }
        let mut best: Option<(i32, usize, usize)> = None;
        for edge in placer.edges {
            let &[a, b] = &edge.rooms[..] else { continue };
            for (room, through) in [(a, b), (b, a)] {
                let passable = linked[through] && !never.contains(&placer.storey.rooms[through].use_);
                let fresh = !linked[room] && !tried.contains(&(room, through));
                if fresh && passable && best.is_none_or(|(length, ..)| edge.length_mm() > length) {
                    best = Some((edge.length_mm(), room, through));
                }
            }
        }
        let Some((_, room, through)) = best else { return };
        tried.push((room, through));
        linked[room] = link(school, placer, room, through);
    }
}

fn windows(school: &School, placer: &mut Placer<'_>) {
    let storey = placer.storey;
    if storey.level < 0 {
        return;
    }
    for e in 0..placer.edges.len() {
        let rooms = placer.edges[e].rooms.clone();
        for room in &rooms {
            let (use_, id) = (storey.rooms[*room].use_, &storey.rooms[*room].id);
            let spec = spec_of(school, use_);
            let (prefix, size) = match rooms.len() {
                1 => ("w", spec.window_m),
                _ if rooms.iter().any(|r| is_way(storey.rooms[*r].use_)) => ("hw", spec.high_window_m),
                _ => continue,
            };
            let Some([width, height, sill]) = size else { continue };
            let kind = Kind {
                prefix,
                kind: OpeningKind::Window,
                leaf: Leaf::Sliding,
                size_mm: [mm(width), mm(height)],
                sill_mm: mm(sill),
                construction: Some("window"),
                fire_min: None,
                exit: false,
            };
            let length = placer.edges[e].length_mm();
            let pitch = kind.size_mm[0] + 600;
            let count = (length - 2 * JAMB_MM + 600) / pitch;
            for i in 0..count {
                // Evenly: the middles at odd shares of the length.
                let middle = length * (2 * i + 1) / (2 * count);
                placer.put(e, middle - kind.size_mm[0] / 2, id, &kind);
            }
        }
    }
}
