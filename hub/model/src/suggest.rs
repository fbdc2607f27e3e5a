//! "Did you mean …?"

/// A sentence that names the nearest of `known`, or lists what is known where there is little of
/// it, or says where to look.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut count = 0;
    let mut few: Vec<&str> = Vec::new();
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        count += 1;
        if few.len() < 12 {
            few.push(candidate);
        }
        let bound = best.map_or(wrong.chars().count() / 3 + 1, |(d, _)| d.saturating_sub(1));
        if let Some(distance) = distance_within(wrong, candidate, bound) {
            best = Some((distance, candidate));
        }
    }
    match best {
        Some((_, name)) => format!("Did you mean '{name}'?"),
        None if count == 0 => "There are none yet: add it first.".to_owned(),
        None if count <= few.len() => format!("Known are: {}.", few.join(", ")),
        None => format!("None of the {count} known is near; known are for example: {}.", few[..6].join(", ")),
    }
}

/// The optimal string alignment distance (insert, delete, replace, swap neighbours), if it is at
/// most `bound`.
fn distance_within(a: &str, b: &str, bound: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().take(100).collect();
    let b: Vec<char> = b.chars().take(100).collect();
    if a.len().abs_diff(b.len()) > bound {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut d = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(before[j - 2] + 1);
            }
            row[j] = d;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|d| *d <= bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        let known = ["temperature", "humidity", "co2"];
        assert_eq!(did_you_mean("temprature", known), "Did you mean 'temperature'?");
        assert_eq!(did_you_mean("c2o", known), "Did you mean 'co2'?");
        assert_eq!(did_you_mean("lux", known), "Known are: temperature, humidity, co2.");
        assert_eq!(did_you_mean("lux", []), "There are none yet: add it first.");
    }
}
