//! The water on the grid.

/// Water no deeper than this stays where it is and has no speed, m.
pub(crate) const DRY_M: f64 = 1e-7;

/// Slower water is at rest, m/s. Left alone it would halve step by step down to the subnormal numbers, which
/// processors are slow at and whose reciprocals are infinite.
pub(crate) const REST_M_S: f64 = 1e-30;

/// Cells of a row from `low` to before `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) low: usize,
    pub(crate) high: usize,
}

impl Span {
    pub(crate) fn is_empty(self) -> bool {
        self.low >= self.high
    }

    /// The least span that covers both.
    pub(crate) fn cover(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Self { low: self.low.min(other.low), high: self.high.max(other.high) },
        }
    }

    /// One cell further on both sides, within a row of `n`.
    pub(crate) fn grown(self, n: usize) -> Self {
        if self.is_empty() {
            self
        } else {
            Self { low: self.low.saturating_sub(1), high: (self.high + 1).min(n) }
        }
    }

    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.low..self.high.max(self.low)
    }
}

/// Depth (whole quanta) and velocity of every cell. Outside `wet`, a span a row, all three are zero.
#[derive(Clone, Debug)]
pub(crate) struct Water {
    pub(crate) depth: Vec<f64>,
    pub(crate) u: Vec<f64>,
    pub(crate) v: Vec<f64>,
    pub(crate) wet: Vec<Span>,
}

impl Water {
    pub(crate) fn dry(nx: usize, ny: usize) -> Self {
        let zero = vec![0.0; nx * ny];
        Self { depth: zero.clone(), u: zero.clone(), v: zero, wet: vec![Span::default(); ny] }
    }

    /// Sets a depth in whole quanta. What comes in brings no momentum; what goes takes its own along.
    pub(crate) fn set_depth(&mut self, cell: usize, depth: f64) {
        let before = self.depth[cell];
        let keep = if depth <= DRY_M {
            0.0
        } else if depth > before {
            before / depth
        } else {
            1.0
        };
        self.u[cell] *= keep;
        self.v[cell] *= keep;
        self.depth[cell] = depth;
        if depth > 0.0 {
            let nx = self.depth.len() / self.wet.len();
            let (row, i) = (cell / nx, cell % nx);
            self.wet[row] = self.wet[row].cover(Span { low: i, high: i + 1 });
        }
    }

    pub(crate) fn speed(&self, cell: usize) -> f64 {
        (self.u[cell] * self.u[cell] + self.v[cell] * self.v[cell]).sqrt()
    }
}
