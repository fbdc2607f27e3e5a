//! Values over time.

use crate::Series;

impl Series {
    /// Always the same.
    pub fn constant(value: f64) -> Self {
        Self { corners: vec![(0.0, value)] }
    }

    /// The value at a time; zero when there are no corners. At a jump, the later value.
    pub fn at(&self, time_s: f64) -> f64 {
        let next = self.corners.partition_point(|corner| corner.0 <= time_s);
        match (next.checked_sub(1).map(|i| self.corners[i]), self.corners.get(next)) {
            (None, None) => 0.0,
            (Some((_, value)), None) => value,
            (None, Some(&(_, value))) => value,
            (Some((t0, v0)), Some(&(t1, v1))) => v0 + (v1 - v0) * ((time_s - t0) / (t1 - t0)),
        }
    }

    /// The integral between two times, exact for the line between corners.
    pub fn integral(&self, from_s: f64, to_s: f64) -> f64 {
        let mut sum = 0.0;
        let mut begin = (from_s, self.at(from_s));
        for &(time, value) in self.corners.iter().filter(|c| c.0 > from_s && c.0 < to_s) {
            // Just before a jump the line still leads to the jump's first corner.
            sum += 0.5 * (begin.1 + value) * (time - begin.0);
            begin = (time, value);
        }
        let end = self.before(to_s);
        sum + 0.5 * (begin.1 + end) * (to_s - begin.0)
    }

    /// The value just before a time.
    fn before(&self, time_s: f64) -> f64 {
        let next = self.corners.partition_point(|corner| corner.0 < time_s);
        match self.corners.get(next) {
            Some(&(at, value)) if at == time_s => value,
            _ => self.at(time_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrals_are_exact_with_jumps_and_beyond_the_ends() {
        let series = Series { corners: vec![(10.0, 1.0), (20.0, 3.0), (20.0, 0.0), (30.0, 0.0)] };
        for (from, to, want) in
            [(0.0, 10.0, 10.0), (10.0, 20.0, 20.0), (0.0, 40.0, 30.0), (15.0, 20.0, 12.5), (20.0, 25.0, 0.0)]
        {
            assert!((series.integral(from, to) - want).abs() < 1e-12, "{from}..{to}");
        }
        assert_eq!(series.at(20.0), 0.0);
        assert_eq!(series.at(15.0), 2.0);
        assert_eq!(Series::default().integral(0.0, 5.0), 0.0);
        assert_eq!(Series::constant(2.0).integral(-1.0, 4.0), 10.0);
    }
}
