//! The columns that the bench replays: recorded ones where the data is at hand, else made-up ones.

use std::path::Path;

use campanile_model::Timestamp;

use crate::civil::{HOUR_US, days_from_civil};
use crate::error::{HistoryError, IoContext, Result};

/// A recorded series: values, and the time from the value before to each.
pub(crate) struct Column {
    pub(crate) resolution: Option<f64>,
    pub(crate) steps_us: Vec<i64>,
    pub(crate) values: Vec<f64>,
}

const MINUTE_US: i64 = 60 * Timestamp::SECOND;

/// Temperature, humidity, light, CO₂ and kWh; and whether they are real. `rounded` to the sensors' resolution.
pub(crate) fn columns(data_dir: Option<&Path>, rounded: bool) -> Result<(Vec<Column>, bool)> {
    let real = data_dir.map(|dir| dir.join("energy")).filter(|energy| energy.join("iaq").is_dir());
    let mut columns = match &real {
        Some(energy) => recorded(energy)?,
        None => made_up(),
    };
    for column in &mut columns {
        match column.resolution {
            Some(resolution) if rounded => {
                let per_unit = (1.0 / resolution).round();
                column.values.iter_mut().for_each(|x| *x = (*x * per_unit).round_ties_even() / per_unit);
            }
            _ => {}
        }
    }
    Ok((columns, real.is_some()))
}

const RESOLUTIONS: [f64; 5] = [0.1, 0.1, 1.0, 1.0, 0.01];

fn recorded(energy: &Path) -> Result<Vec<Column>> {
    let room = energy.join("iaq/uci_occupancy_datatraining.txt");
    let mut columns = Vec::new();
    // Fields: row, date, Temperature, Humidity, Light, CO2.
    for (field, resolution) in (2..6).zip(RESOLUTIONS) {
        columns.push(read(&room, 1, field, MINUTE_US, resolution)?);
    }
    let mut kwh = read(&energy.join("bdg1/PrimClass_Jaden.slim.csv"), 0, 1, HOUR_US, RESOLUTIONS[4])?;
    let dormitory = read(&energy.join("bdg1/UnivDorm_Prince.slim.csv"), 0, 1, HOUR_US, RESOLUTIONS[4])?;
    kwh.steps_us.extend(dormitory.steps_us);
    kwh.values.extend(dormitory.values);
    columns.push(kwh);
    Ok(columns)
}

/// Reads one column of a CSV file with a local time; rows without the value are left out and leave a gap.
fn read(path: &Path, time_field: usize, field: usize, usual_step_us: i64, resolution: f64) -> Result<Column> {
    let text = std::fs::read_to_string(path).at("reading", path)?;
    let mut column = Column { resolution: Some(resolution), steps_us: Vec::new(), values: Vec::new() };
    let mut before = None;
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').map(|f| f.trim_matches('"')).collect();
        let value = fields.get(field).and_then(|f| f.parse().ok());
        let (Some(time), Some(value)) = (fields.get(time_field).and_then(|f| local_us(f)), value) else {
            continue;
        };
        let step = before.map_or(usual_step_us, |b| time - b);
        before = Some(time);
        column.steps_us.push(if step > 0 { step } else { usual_step_us });
        column.values.push(value);
    }
    if column.values.is_empty() {
        return Err(HistoryError::corrupt(
            "the data of the bench",
            format!("{} has no row that reads", path.display()),
        ));
    }
    Ok(column)
}

/// `YYYY-MM-DD HH:MM:SS` as microseconds, without a zone.
fn local_us(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ')?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let mut time = time.splitn(3, ':').map(str::parse::<i64>);
    let mut next = || time.next()?.ok();
    let of_day_s = next()? * 3600 + next()? * 60 + next()?;
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    Some(((days_from_civil(year, month) + day - 1) * 86_400 + of_day_s) * Timestamp::SECOND)
}

/// Columns with the range, the noise and the day of the recorded ones; a stamp in four is a second off.
fn made_up() -> Vec<Column> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = move || {
        // SplitMix64, as a number from -1 to 1.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    // Middle, swing over a day, wandering a step, noise a sample.
    let shapes = [
        (21.0, 1.5, 0.02, 0.03),
        (26.0, 4.0, 0.03, 0.05),
        (200.0, 250.0, 2.0, 8.0),
        (600.0, 250.0, 3.0, 5.0),
        (30.0, 15.0, 0.5, 3.0),
    ];
    let mut columns = Vec::new();
    for ((middle, swing, wander, jitter), resolution) in shapes.into_iter().zip(RESOLUTIONS) {
        let hourly = resolution == 0.01;
        let mut column = Column { resolution: Some(resolution), steps_us: Vec::new(), values: Vec::new() };
        let mut drift = 0.0;
        for i in 0..8700_i64 {
            drift = drift * 0.999 + wander * noise();
            let of_day = if hourly { i as f64 / 24.0 } else { i as f64 / 1440.0 };
            let value: f64 = middle + swing * day_wave(of_day) + drift + jitter * noise();
            let late = if noise() > 0.75 { 1 } else { i64::from(noise() > 0.75) - 1 };
            column.steps_us.push(if hourly { HOUR_US } else { MINUTE_US + late.min(1) * Timestamp::SECOND });
            column.values.push(value.max(0.0));
        }
        columns.push(column);
    }
    columns
}

/// A day's wave of parabolas: near enough to a sine, and the same on every machine.
fn day_wave(turns: f64) -> f64 {
    let t = turns.fract() * 2.0;
    if t < 1.0 { 4.0 * t * (1.0 - t) } else { -4.0 * (t - 1.0) * (2.0 - t) }
}
