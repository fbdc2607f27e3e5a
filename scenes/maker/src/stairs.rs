//! Two flights with a landing between, in each stair room that continues above.

use campanile_model::{Flight, Landing, SpaceUse, Stair, StairKind};

use crate::building::{Frame, is_way};
use crate::description::BuildingSpec;
use crate::error::MakeError;
use crate::layout::{Corner, Room, StoreyLayout};

/// Half a wall: from the line of the room to the finished face.
const FACE_MM: i32 = 100;
/// Between the flights.
const WELL_MM: i32 = 150;
/// No riser is higher than this in a school.
const MAX_RISER_MM: i32 = 150;
/// The narrowest landing, and treads from the most to the least comfortable.
const LANDING_MM: i32 = 1400;
const TREADS_MM: [i32; 3] = [300, 280, 260];

/// The stairs of a building.
pub(crate) fn stairs(
    spec: &BuildingSpec,
    layouts: &[StoreyLayout<'_>],
    frame: &Frame,
) -> Result<Vec<Stair>, MakeError> {
    let mut stairs = Vec::new();
    for pair in layouts.windows(2) {
        let (lower, upper) = (&pair[0], &pair[1]);
        for room in lower.rooms.iter().filter(|r| r.use_ == SpaceUse::Stair) {
            let Some(above) = upper.rooms.iter().find(|r| r.id == room.id) else { continue };
            let place = format!("building '{}' stair '{}' on {}", spec.id, room.id, lower.id);
            if (above.low, above.high) != (room.low, room.high) {
                return Err(MakeError::at(
                    place,
                    "it lies elsewhere on the storey above",
                    "give both the same place",
                ));
            }
            stairs.push(stair(&place, room, lower, upper, frame)?);
        }
    }
    Ok(stairs)
}

/// Axes of a stair: from the door inwards, and to the left of that.
struct Axes {
    origin: Corner,
    inward: Corner,
    left: Corner,
    width: i32,
    depth: i32,
    heading_deg: f64,
}

impl Axes {
    fn at(&self, inward: i32, left: i32) -> Corner {
        (
            self.origin.0 + self.inward.0 * inward + self.left.0 * left,
            self.origin.1 + self.inward.1 * inward + self.left.1 * left,
        )
    }
}

/// Which side the way lies at: the stair starts there.
fn axes(room: &Room, storey: &StoreyLayout<'_>) -> Option<Axes> {
    let ((x0, y0), (x1, y1)) = (room.low, room.high);
    let way = |touches: &dyn Fn(&Room) -> bool| storey.rooms.iter().any(|r| is_way(r.use_) && touches(r));
    let (cx, cy) = ((x0 + x1) / 2, (y0 + y1) / 2);
    let spans_x = |r: &Room| r.low.0 < x1 && r.high.0 > x0;
    let spans_y = |r: &Room| r.low.1 < y1 && r.high.1 > y0;
    let (dx, dy) = (x1 - x0, y1 - y0);
    Some(if way(&|r| r.high.1 == y0 && spans_x(r)) {
        Axes { origin: (cx, y0), inward: (0, 1), left: (-1, 0), width: dx, depth: dy, heading_deg: 90.0 }
    } else if way(&|r| r.low.1 == y1 && spans_x(r)) {
        Axes { origin: (cx, y1), inward: (0, -1), left: (1, 0), width: dx, depth: dy, heading_deg: 270.0 }
    } else if way(&|r| r.high.0 == x0 && spans_y(r)) {
        Axes { origin: (x0, cy), inward: (1, 0), left: (0, 1), width: dy, depth: dx, heading_deg: 0.0 }
    } else if way(&|r| r.low.0 == x1 && spans_y(r)) {
        Axes { origin: (x1, cy), inward: (-1, 0), left: (0, -1), width: dy, depth: dx, heading_deg: 180.0 }
    } else {
        return None;
    })
}

fn stair(
    place: &str,
    room: &Room,
    lower: &StoreyLayout<'_>,
    upper: &StoreyLayout<'_>,
    frame: &Frame,
) -> Result<Stair, MakeError> {
    let Some(axes) = axes(room, lower) else {
        return Err(MakeError::at(place, "it has no corridor beside it", "place it at a corridor"));
    };
    let rise = upper.floor_mm - lower.floor_mm;
    // An even number, so that both flights are alike.
    let steps = (rise + 2 * MAX_RISER_MM - 1) / (2 * MAX_RISER_MM) * 2;
    let half = steps / 2;
    let inner = axes.depth - 2 * FACE_MM;
    let Some(tread) = TREADS_MM.into_iter().find(|t| inner - (half - 1) * t >= 2 * LANDING_MM) else {
        let need = f64::from((half - 1) * TREADS_MM[2] + 2 * LANDING_MM + 2 * FACE_MM) / 1e3;
        return Err(MakeError::at(
            place,
            format!("{steps} steps don't fit"),
            format!("make its row {need} m deep"),
        ));
    };
    let run = (half - 1) * tread;
    let entry = (inner - run) / 2;
    let width = (axes.width - 2 * FACE_MM - WELL_MM) / 2;
    let aside = (WELL_MM + width) / 2;
    let start = FACE_MM + entry;
    let heading = |deg: f64| (deg + frame.turn_deg).rem_euclid(360.0);
    let flight = |at: Corner, heading_deg: f64, base_mm: i32| Flight {
        start: frame.place(at),
        heading_deg: heading(heading_deg),
        base_mm,
        steps: half as u32,
        tread_mm: f64::from(tread),
        riser_mm: f64::from(rise) / f64::from(steps),
        width_mm: width,
    };
    let landing = |from: i32, to: i32, level_mm: i32| {
        let half_width = axes.width / 2 - FACE_MM;
        let ring = [(from, half_width), (from, -half_width), (to, -half_width), (to, half_width)];
        Landing { outline: ring.iter().map(|(i, l)| frame.place(axes.at(*i, *l))).collect(), level_mm }
    };
    Ok(Stair {
        id: format!("{}-{}", room.id, lower.id),
        kind: StairKind::Stair,
        from: lower.id.clone(),
        to: upper.id.clone(),
        space_from: room.id.clone(),
        space_to: room.id.clone(),
        flights: vec![
            flight(axes.at(start, -aside), axes.heading_deg, 0),
            flight(axes.at(start + run, aside), axes.heading_deg + 180.0, rise / 2),
        ],
        // The upper one is the floor in front of the upper door.
        landings: vec![landing(start + run, axes.depth - FACE_MM, rise / 2), landing(FACE_MM, start, rise)],
    })
}
