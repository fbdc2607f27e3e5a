//! The tree of water meters: what each one measures, and what the next ones below it measure of that.

/// A node of the supply network, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipe {
    /// The node above, by index; none at the inlet.
    pub parent: Option<usize>,
    /// Whether it has a meter that counts.
    pub metered: bool,
}

/// A meter in the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The node, by index.
    pub node: usize,
    /// The next meter above; none for a main meter.
    pub parent: Option<usize>,
    /// The next meters below.
    pub children: Vec<usize>,
    /// 1 for a main meter, 2 for those below it, and so on: the levels of a water balance test.
    pub level: u32,
}

/// The meters of a network in its order, parents first. Nodes without a meter, such as pumps, pass on what
/// they have.
pub fn meters(pipes: &[Pipe]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    // Of each node the nearest meter at or above it.
    let mut nearest: Vec<Option<usize>> = Vec::with_capacity(pipes.len());
    for (node, pipe) in pipes.iter().enumerate() {
        let above = pipe.parent.and_then(|parent| nearest.get(parent).copied().flatten());
        if !pipe.metered {
            nearest.push(above);
            continue;
        }
        let index = places.len();
        let level = above.map_or(1, |above| places[above].level + 1);
        if let Some(above) = above {
            places[above].children.push(index);
        }
        places.push(Place { node, parent: above, children: Vec::new(), level });
        nearest.push(Some(index));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meters_hang_on_the_next_meter_above() {
        let pipe = |parent, metered| Pipe { parent, metered };
        // inlet → tank → pump (no meter) → two buildings; one of them has a storey.
        let pipes = [
            pipe(None, true),
            pipe(Some(0), true),
            pipe(Some(1), false),
            pipe(Some(2), true),
            pipe(Some(2), true),
            pipe(Some(3), true),
        ];
        let places = meters(&pipes);
        let parents: Vec<_> = places.iter().map(|p| p.parent).collect();
        assert_eq!(parents, [None, Some(0), Some(1), Some(1), Some(2)]);
        assert_eq!(places.iter().map(|p| p.level).collect::<Vec<_>>(), [1, 2, 3, 3, 4]);
        assert_eq!(places[1].children, [2, 3], "both buildings, past the pump");
        assert_eq!(places[4].node, 5);
    }

    #[test]
    fn a_campus_may_have_no_main_meter() {
        let pipe = |parent, metered| Pipe { parent, metered };
        let places = meters(&[pipe(None, false), pipe(Some(0), true), pipe(Some(0), true)]);
        assert!(places.iter().all(|p| p.parent.is_none() && p.level == 1));
    }
}
