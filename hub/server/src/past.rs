//! A past for a demonstration: some days of device models, as fast as they go, into a store that is still empty.

use std::path::Path;
use std::sync::Arc;

use campanile_devices::Devices;
use campanile_history::History;
use campanile_model::{Campus, Timestamp};

use crate::hub::{HubError, devices};
use crate::live::wall_clock;

/// The stride of device models.
const STEP_US: i64 = 300 * Timestamp::SECOND;
/// So many strides are written at once.
const STRIDES: i64 = 12;

/// What became of it.
pub enum Made {
    /// It was broken off; nothing was left behind but what had been made.
    Broken,
    /// The device models, to go on with: from what was made, or from what the store had.
    Devices(Box<Devices>),
}

/// Makes `days` up to now in the store under `data`, which must not be open; where something is in it already it is left
/// as it is. `progress` hears the share done and says whether to go on.
///
/// # Errors
/// [`HubError`] where the weather is missing or the store can't be written.
pub fn make_past(
    campus: &Arc<Campus>,
    data: &Path,
    days: u16,
    seed: u64,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<Made, HubError> {
    let history = History::open(data, &crate::point_specs(campus))?;
    let mut devices = devices(campus.clone(), seed)?;
    let last = history.last_all();
    if days == 0 || !last.is_empty() {
        devices.go_on_from(last.into_iter().filter_map(|(point, read)| Some((point, read.value.as_f64()?))));
        return Ok(Made::Devices(Box::new(devices)));
    }
    let mut writer = history.writer();
    let steps = i64::from(days) * 86_400 * Timestamp::SECOND / STEP_US;
    let until = wall_clock();
    let mut batch = Vec::new();
    for step in 1..=steps {
        batch.extend(devices.step(until.plus_micros((step - steps) * STEP_US)));
        if step % STRIDES == 0 || step == steps {
            writer.commit(&batch, &[])?;
            batch.clear();
            if !progress(step as f64 / steps as f64) {
                return Ok(Made::Broken);
            }
        }
    }
    Ok(Made::Devices(Box::new(devices)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demonstration_has_a_past_once() {
        let dir = tempfile::tempdir().unwrap();
        let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
        let campus = Arc::new(campanile_model::open(&scene).unwrap());
        let mut shares = Vec::new();
        let mut heard = |share: f64| {
            shares.push(share);
            share < 0.5
        };
        assert!(matches!(make_past(&campus, dir.path(), 1, 1, &mut heard).unwrap(), Made::Broken));
        assert_eq!(shares.len(), 12, "it stops where it is told to");
        let history = History::open(dir.path(), &crate::point_specs(&campus)).unwrap();
        let is_meter =
            |point: &&campanile_model::Point| point.quantity == "energy" && point.period_s == 300.0;
        let meter = campus.points.iter().find(is_meter).unwrap();
        let now = wall_clock();
        let day_ago = now.plus_micros(-86_400 * Timestamp::SECOND);
        let rows = history.range(meter.id, day_ago, now, 10_000).unwrap();
        assert!(rows.len() > 100, "half a day every five minutes: {}", rows.len());
        let stood = rows.last().unwrap().1.as_f64().unwrap();
        drop(history);
        // A second beginning makes none, and the meter goes on from where it stood.
        let mut heard = |_: f64| -> bool { unreachable!("there is a past") };
        let Made::Devices(mut devices) = make_past(&campus, dir.path(), 1, 1, &mut heard).unwrap() else {
            unreachable!("nothing is broken off")
        };
        let first = devices.step(now).into_iter().find(|sample| sample.point == meter.id).unwrap();
        let reads = first.value.as_f64().unwrap();
        // Models begin at the whole stride before now: since then it has counted.
        let most = 300.0 / 3600.0 * 100.0;
        assert!(
            (0.0..most).contains(&(reads - stood)),
            "{stood} then {reads}: minutes of a board below 100 kW"
        );
    }
}
