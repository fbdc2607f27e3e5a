//! What passes a face between two cells.
//!
//! Hydrostatic reconstruction (Audusse et al. 2004, SIAM J. Sci. Comput. 25(6), 2050–2065) with the flux of Harten, Lax
//! and van Leer. Momentum is kept as the difference from the still-water pressure of the cell's own reconstructed depth,
//! so that a lake at rest stays at rest to the last bit.

/// Acceleration of gravity, m/s².
pub const G: f64 = 9.81;
/// Water shallower than this does not move, m.
pub const STILL_M: f64 = 1e-6;

/// What passes a face, per metre of it and second. Normal is positive from the left (west, south) to the right.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flux {
    /// Water, m²/s.
    pub water: f64,
    /// Normal momentum as the left cell feels it, less its own still-water pressure, m³/s².
    pub left: f64,
    /// The same as the right cell feels it.
    pub right: f64,
    /// Tangential momentum, m³/s².
    pub along: f64,
}

/// A cell beside a face: depth, normal and tangential velocity, and its ground.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// Depth, m.
    pub h: f64,
    /// Velocity across the face, m/s.
    pub u: f64,
    /// Velocity along the face, m/s.
    pub v: f64,
    /// Ground above datum, m.
    pub z: f64,
}

fn pressure(h: f64) -> f64 {
    0.5 * G * h * h
}

/// The velocity of a discharge a metre in a depth.
pub fn velocity(q: f64, h: f64) -> f64 {
    if h > STILL_M { q / h } else { 0.0 }
}

/// The flux of Harten, Lax and van Leer between two depths and velocities: water and normal momentum.
fn hll(hl: f64, ul: f64, hr: f64, ur: f64) -> (f64, f64) {
    let (cl, cr) = ((G * hl).sqrt(), (G * hr).sqrt());
    // Speeds of the outermost waves; beside dry ground those of the front that runs into it.
    let (sl, sr) = match (hl > 0.0, hr > 0.0) {
        (false, false) => return (0.0, 0.0),
        (true, false) => (ul - cl, ul + 2.0 * cl),
        (false, true) => (ur - 2.0 * cr, ur + cr),
        (true, true) => ((ul - cl).min(ur - cr), (ul + cl).max(ur + cr)),
    };
    let (ql, qr) = (hl * ul, hr * ur);
    let (ml, mr) = (ql * ul + pressure(hl), qr * ur + pressure(hr));
    if sl >= 0.0 {
        return (ql, ml);
    }
    if sr <= 0.0 {
        return (qr, mr);
    }
    let spread = sr - sl;
    let water = (sr * ql - sl * qr + sl * sr * (hr - hl)) / spread;
    // At rest both pressures are the same number, and so has to be their mean.
    let momentum = if ml == mr && ql == qr { ml } else { (sr * ml - sl * mr + sl * sr * (qr - ql)) / spread };
    (water, momentum)
}

/// What passes an open face.
pub fn open(l: Side, r: Side) -> Flux {
    let ground = l.z.max(r.z);
    let (hl, hr) = ((l.h + l.z - ground).max(0.0), (r.h + r.z - ground).max(0.0));
    // Both sides of still water have to give the same depth, though they come to it by different sums.
    let (hl, hr) =
        if (l.h + l.z) == (r.h + r.z) && hl > 0.0 && hr > 0.0 { (hl.min(hr), hl.min(hr)) } else { (hl, hr) };
    let (water, momentum) = hll(hl, l.u, hr, r.u);
    let along = water * if water > 0.0 { l.v } else { r.v };
    Flux { water, left: momentum - pressure(hl), right: momentum - pressure(hr), along }
}

/// The push of a wall on the water to its left (`outward` 1) or right (−1): what it takes to stop it.
pub fn wall(h: f64, u: f64, outward: f64) -> f64 {
    if h <= 0.0 {
        return 0.0;
    }
    // The cell meets its own mirror image.
    let toward = u * outward;
    let (_, momentum) = hll(h, toward, h, -toward);
    momentum - pressure(h)
}

/// Both sides of a face that lets nothing through.
pub fn closed(l: Side, r: Side) -> Flux {
    Flux { water: 0.0, left: wall(l.h, l.u, 1.0), right: wall(r.h, r.u, -1.0), along: 0.0 }
}

/// What passes over a barrier whose crest stands at `crest` above datum: a broad-crested weir, drowned after Villemonte
/// (1947). Its water leaves its momentum behind. At most so much that no side is emptied or overshoots in `dt_over_dx`.
pub fn over(l: Side, r: Side, crest: f64, dt_over_dx: f64) -> Flux {
    let mut flux = closed(l, r);
    let (sl, sr) = (l.h + l.z, r.h + r.z);
    let (upper, lower, sign, depth) = if sl >= sr { (sl, sr, 1.0, l.h) } else { (sr, sl, -1.0, r.h) };
    let head = upper - crest;
    if head <= 0.0 || depth <= 0.0 {
        return flux;
    }
    let q = weir(head, lower - crest);
    let most = (0.25 * (upper - lower.max(crest))).min(0.2 * depth).max(0.0) / dt_over_dx;
    flux.water = sign * q.min(most);
    flux
}

/// A broad-crested weir of a metre's width: `(2/3)^1.5 √g h^1.5`, less what the tail water holds back (Villemonte 1947),
/// m²/s.
pub fn weir(head: f64, tail: f64) -> f64 {
    const COEFFICIENT: f64 = 1.7048949136725897;
    let free = COEFFICIENT * head * head.sqrt();
    if tail <= 0.0 {
        return free;
    }
    let share = (tail / head).min(1.0);
    free * libm::pow(1.0 - share * share.sqrt(), 0.385)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn still_water_pushes_nothing() {
        for (z, other, stage) in [(0.1, 0.7, 2.3), (0.3, 0.3, 1.1), (-3.3, 1.7, 1.9)] {
            let side = |z: f64| Side { h: stage - z, u: 0.0, v: 0.0, z };
            let (mut l, r) = (side(z), side(other));
            // Whatever the last digit of the sum.
            l.h = (r.h + r.z) - l.z;
            let flux = open(l, r);
            if l.h + l.z == r.h + r.z {
                assert_eq!((flux.water, flux.left, flux.right), (0.0, 0.0, 0.0), "{z} {other} {stage}");
            }
            assert_eq!(closed(l, r), Flux::default());
        }
    }

    #[test]
    fn a_face_seen_in_the_mirror_passes_the_mirror_of_it() {
        let l = Side { h: 1.3, u: 0.4, v: -0.2, z: 0.1 };
        let r = Side { h: 0.2, u: -0.1, v: 0.3, z: 0.5 };
        let mirror = |s: Side| Side { u: -s.u, ..s };
        let (there, back) = (open(l, r), open(mirror(r), mirror(l)));
        assert!((there.water + back.water).abs() < 1e-15);
        assert!((there.left - back.right).abs() < 1e-14 && (there.right - back.left).abs() < 1e-14);
    }

    #[test]
    fn a_weir_is_drowned_by_its_tail_water() {
        assert!((weir(1.0, 0.0) - (2.0f64 / 3.0).powf(1.5) * G.sqrt()).abs() < 1e-12);
        assert_eq!(weir(0.5, 0.5), 0.0);
        assert!(weir(1.0, 0.9) < weir(1.0, 0.5) && weir(1.0, 0.5) < weir(1.0, -0.1));
    }
}
