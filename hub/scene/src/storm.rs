//! Design storms: the intensity formula of a city as a Chicago hyetograph.

use campanile_flood::Series;

use crate::tables::{InputError, StormTable};

impl StormTable {
    /// The depth of a storm of a return period in years and a duration in minutes, m.
    pub fn depth_m(&self, years: f64, minutes: f64) -> f64 {
        // 1 L/(s·hm²) is 1e-7 m/s.
        self.strength(years) * 1e-7 / libm::pow(minutes + self.b, self.n) * minutes * 60.0
    }

    fn strength(&self, years: f64) -> f64 {
        self.a * (1.0 + self.c * libm::log10(years))
    }

    /// The intensity so many minutes before (with `share` r) or after (1 − r) the peak, m/s.
    fn intensity(&self, years: f64, away_min: f64, share: f64) -> f64 {
        let t = away_min / share;
        let below = libm::pow(t + self.b, self.n + 1.0);
        self.strength(years) * 1e-7 * ((1.0 - self.n) * t + self.b) / below
    }
}

/// A design storm as rain over time, m/s, from 0 s on: a Chicago hyetograph in steps of about `step_s`. The corners
/// are scaled so that their sum is exactly the depth that the formula gives; after the storm it rains no more.
///
/// # Errors
/// [`InputError::StormShape`] where a number is out of range.
pub fn design_storm(table: &StormTable, years: f64, minutes: f64, step_s: f64) -> Result<Series, InputError> {
    let usable = (1.0..=1000.0).contains(&years)
        && (5.0..=2880.0).contains(&minutes)
        && (1.0..=minutes * 6.0).contains(&step_s);
    if !usable {
        return Err(InputError::StormShape { years, minutes, step_s });
    }
    let peak_min = table.r * minutes;
    let steps = |span_min: f64| libm::ceil(span_min * 60.0 / step_s).max(1.0) as u32;
    let (before, after) = (steps(peak_min), steps(minutes - peak_min));
    let mut corners: Vec<(f64, f64)> = (0..before)
        .map(|i| {
            let t = peak_min * f64::from(i) / f64::from(before);
            (t * 60.0, table.intensity(years, peak_min - t, table.r))
        })
        .collect();
    corners.extend((0..=after).map(|i| {
        let away = (minutes - peak_min) * f64::from(i) / f64::from(after);
        ((peak_min + away) * 60.0, table.intensity(years, away, 1.0 - table.r))
    }));
    // A corner a second after the end ends the rain.
    corners.push((minutes * 60.0 + 1.0, 0.0));
    let sum: f64 = corners.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
    let scale = table.depth_m(years, minutes) / sum;
    for corner in &mut corners {
        corner.1 *= scale;
    }
    Ok(Series { corners })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(series: &Series) -> f64 {
        series.corners.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum()
    }

    #[test]
    fn a_storm_has_the_depth_of_the_formula_and_its_peak_where_the_table_says() {
        let table = StormTable::shipped("shanghai").unwrap();
        // 1600 (1 + 0.846 lg 50) / 127^0.656 = 162.47 L/(s·hm²) over 7,200 s.
        assert!((table.depth_m(50.0, 120.0) * 1e3 - 117.0).abs() < 0.5, "{}", table.depth_m(50.0, 120.0));
        let storm = design_storm(&table, 50.0, 120.0, 60.0).unwrap();
        assert!((depth(&storm) - table.depth_m(50.0, 120.0)).abs() < 1e-12);
        let peak = storm.corners.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert!((peak.0 - 0.405 * 7200.0).abs() < 1e-9);
        assert!(storm.corners.windows(2).all(|w| w[0].0 < w[1].0) && storm.corners.last().unwrap().1 == 0.0);
        // Any part around the peak of a Chicago storm is as strong as a storm of that duration.
        let within = |from: f64, to: f64| {
            let inside = |w: &&[(f64, f64)]| w[0].0 >= from - 1e-6 && w[1].0 <= to + 1e-6;
            storm
                .corners
                .windows(2)
                .filter(inside)
                .map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0)
                .sum::<f64>()
        };
        let hour = within(0.405 * 3600.0, 0.405 * 3600.0 + 3600.0);
        assert!((hour / table.depth_m(50.0, 60.0) - 1.0).abs() < 0.03, "{hour}");
    }

    #[test]
    fn a_storm_out_of_range_is_told() {
        let table = StormTable::shipped("shanghai").unwrap();
        assert!(design_storm(&table, 0.5, 120.0, 60.0).is_err());
        assert!(design_storm(&table, 50.0, f64::NAN, 60.0).is_err());
        assert!(StormTable::shipped("atlantis").unwrap_err().to_string().contains("shanghai"));
    }
}
