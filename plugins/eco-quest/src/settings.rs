//! What an administrator may change, read from text.

use campanile_plugin::{Result, Settings};

/// What an administrator may change.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// kg of CO₂ that a kilowatt-hour from the grid causes.
    pub kg_kwh: f64,
    /// Where that factor is from.
    pub source: String,
    /// Minutes of a round.
    pub round_min: i64,
}

/// Reads them.
pub fn rules(settings: &Settings) -> Result<Rules> {
    let kg_kwh = settings.parse("grid_factor", 0.5306)?;
    if !(0.0..=2.0).contains(&kg_kwh) {
        return Err(format!("setting grid_factor: {kg_kwh} kg/kWh is out of range, 0 to 2 may be"))?;
    }
    let round_min = settings.parse("round_min", 10)?;
    if !(1..=1_440).contains(&round_min) {
        return Err(format!("setting round_min: {round_min} minutes are out of range, 1 to 1440 may be"))?;
    }
    let source = settings.get("grid_factor_source").unwrap_or_default().trim().to_owned();
    if source.is_empty() {
        return Err("setting grid_factor_source: say where the factor is from, it is shown beside it")?;
    }
    Ok(Rules { kg_kwh, source, round_min })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(id: &str, text: &str) -> Result<Rules> {
        let given = [("grid_factor", "0.42"), ("grid_factor_source", "Shanghai, 2022"), ("round_min", "5")];
        let pairs =
            given.map(|(key, value)| (key.to_owned(), if key == id { text } else { value }.to_owned()));
        rules(&pairs.to_vec().into())
    }

    #[test]
    fn settings_are_read_or_refused_by_their_name() {
        let rules = with("", "").unwrap();
        assert_eq!((rules.kg_kwh, rules.round_min, rules.source.as_str()), (0.42, 5, "Shanghai, 2022"));
        for (id, text) in [
            ("grid_factor", "-1"),
            ("grid_factor", "NaN"),
            ("grid_factor", "530.6"),
            ("grid_factor_source", " "),
            ("round_min", "0"),
        ] {
            let why = with(id, text).unwrap_err().into_message();
            assert!(why.contains(id), "{id} = {text}: {why}");
        }
    }
}
