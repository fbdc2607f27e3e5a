//! `campanile history`: ask a stored history without a hub.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use campanile_history::{History, Record};
use campanile_model::{Campus, PointId, Timestamp};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::CampusDir;
use crate::failure::Failure;

#[derive(Subcommand)]
pub enum HistoryCommand {
    /// The last value of every point that has one.
    #[command(after_help = "Example:\n  campanile history last --data data --campus scenes/shanghai-school")]
    Last(StoreArgs),
    /// Buckets of count, min, mean, max and sum.
    #[command(
        after_help = "Example:\n  campanile history buckets --data data --point teaching-a/2f/201/co2 \\\n    \
        --from 2026-11-01 --to 2026-12-01 --width 1d"
    )]
    Buckets(BucketArgs),
    /// What a meter counted in each bucket, from a counter with roll-over or from interval amounts.
    #[command(
        after_help = "Example:\n  campanile history energy --data data --point net/electricity/canteen/energy --width 1d"
    )]
    Energy(BucketArgs),
    /// Write the samples of a point as CSV: point,time,value,quality.
    #[command(
        after_help = "Example:\n  campanile history export --data data --point net/electricity/canteen/energy > energy.csv"
    )]
    Export(RangeArgs),
    /// What the store holds, and what of it is missing because files were damaged.
    #[command(
        after_help = "Example:\n  campanile history stats --data data --json\n\nExit code 1: something is missing."
    )]
    Stats(StoreArgs),
    /// Delete the months that lie wholly before a day.
    #[command(after_help = "Example:\n  campanile history retain --data data --from 2024-01-01")]
    Retain {
        #[command(flatten)]
        store: StoreArgs,
        /// The first day to keep.
        #[arg(long)]
        from: String,
    },
}

#[derive(Args)]
pub struct StoreArgs {
    /// The data folder of the hub; the hub must not be running on it (ask its API instead).
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    campus: CampusDir,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct RangeArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The point's path.
    #[arg(long)]
    point: String,
    /// From this moment (RFC 3339, or a day in the campus' time zone); all there is where left out.
    #[arg(long)]
    from: Option<String>,
    /// To before this moment.
    #[arg(long)]
    to: Option<String>,
}

#[derive(Args)]
pub struct BucketArgs {
    #[command(flatten)]
    range: RangeArgs,
    /// Width of a bucket: such as 15m, 1h, 1d.
    #[arg(long, default_value = "1h")]
    width: String,
}

struct Opened {
    campus: std::sync::Arc<Campus>,
    history: History,
}

fn open(args: &StoreArgs) -> Result<Opened, Failure> {
    if !args.data.is_dir() {
        return Err(Failure::input(format!("there is no data folder {}", args.data.display()))
            .mend("give the --data DIR of the hub"));
    }
    let campus = crate::campus::open(&args.campus.resolve()?)?;
    let history = History::open(&args.data, &campanile_server::point_specs(&campus))
        .map_err(|why| Failure::input(why.to_string()))?;
    Ok(Opened { campus, history })
}

fn point(campus: &Campus, path: &str) -> Result<PointId, Failure> {
    campus.point_id(path).ok_or_else(|| {
        Failure::input(format!("the campus {} has no point '{path}'", campus.id))
            .mend("`campanile history last` lists the points that have values")
    })
}

/// A moment: RFC 3339, or a civil day or time in the campus' zone.
fn moment(text: &str, zone: &str) -> Result<Timestamp, Failure> {
    let bad = |why: String| {
        Failure::input(format!("'{text}' is not a moment: {why}"))
            .mend("write 2026-11-24 or 2026-11-24T08:00:00+08:00")
    };
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(instant.as_microsecond()));
    }
    let zone = jiff::tz::TimeZone::get(zone).map_err(|why| bad(why.to_string()))?;
    let civil: jiff::civil::DateTime = text.parse().map_err(|why: jiff::Error| bad(why.to_string()))?;
    let instant = zone.to_timestamp(civil).map_err(|why| bad(why.to_string()))?;
    Ok(Timestamp(instant.as_microsecond()))
}

/// The range asked for, within the years that a history can hold.
fn range(args: &RangeArgs, zone: &str) -> Result<(Timestamp, Timestamp), Failure> {
    let from = args.from.as_deref().map_or(Ok(Timestamp(0)), |t| moment(t, zone))?;
    let to = args.to.as_deref().map_or(Ok(Timestamp::from_secs(4_102_444_800)), |t| moment(t, zone))?;
    Ok((from, to))
}

fn width_micros(text: &str) -> Result<i64, Failure> {
    let bad = || {
        Failure::input(format!("'{text}' is not a width"))
            .mend("write a number and s, m, h or d, such as 15m")
    };
    let unit = text.chars().last().filter(char::is_ascii_alphabetic).ok_or_else(bad)?;
    let count: i64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(bad()),
    };
    count.checked_mul(seconds * Timestamp::SECOND).filter(|w| *w > 0).ok_or_else(bad)
}

fn rfc3339(time: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(time.0).map_or_else(|_| time.0.to_string(), |t| t.to_string())
}

fn asked(why: campanile_history::HistoryError) -> Failure {
    Failure::input(why.to_string())
}

/// The first sample's bucket boundary for ranges that begin before any sample: a whole day of the zone.
fn buckets_of(args: &BucketArgs) -> Result<(Opened, PointId, Timestamp, Timestamp, i64), Failure> {
    let opened = open(&args.range.store)?;
    let point = point(&opened.campus, &args.range.point)?;
    let (mut from, mut to) = range(&args.range, &opened.campus.timezone)?;
    let width = width_micros(&args.width)?;
    if args.range.from.is_none() || args.range.to.is_none() {
        let first = opened.history.range(point, from, to, 1).map_err(asked)?;
        if let (Some(first), None) = (first.first(), &args.range.from) {
            from = Timestamp(first.0.0.div_euclid(width) * width);
        }
        if let (Some(last), None) = (opened.history.last(point).map_err(asked)?, &args.range.to) {
            to = Timestamp((last.time.0.div_euclid(width) + 1) * width);
        }
    }
    Ok((opened, point, from, to, width))
}

/// Who gave up which months, for the audit record.
fn retained(from: &str, months: &[String]) -> Record {
    let now = Timestamp(jiff::Timestamp::now().as_microsecond());
    let reason = format!("campanile history retain --from {from}");
    let actor = format!("machine:{}", crate::user::who());
    let body =
        json!({"act": "retain", "actor": actor, "from": "command line", "reason": reason, "months": months});
    Record::audit(now, body)
}

pub fn run(command: HistoryCommand) -> Result<ExitCode, Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    // A closed pipe (`| head`) ends the output, it is no error.
    match command {
        HistoryCommand::Last(args) => {
            let Opened { campus, history } = open(&args)?;
            for (id, reading) in history.last_all() {
                let point = campus.point(id);
                let done = if args.json {
                    let row = json!({"point": point.path, "time": rfc3339(reading.time), "value": reading.value,
                        "unit": point.unit, "quality": reading.quality});
                    writeln!(out, "{row}")
                } else {
                    let value = reading
                        .value
                        .as_f64()
                        .map_or_else(|| format!("{:?}", reading.value), |v| v.to_string());
                    writeln!(
                        out,
                        "{:<60} {value:>14} {:<8} {} {:?}",
                        point.path.as_str(),
                        point.unit,
                        rfc3339(reading.time),
                        reading.quality
                    )
                };
                if done.is_err() {
                    break;
                }
            }
        }
        HistoryCommand::Buckets(args) => {
            let (opened, point, from, to, width) = buckets_of(&args)?;
            let buckets = opened.history.buckets(point, from, to, width).map_err(asked)?;
            if !args.range.store.json {
                let _ = writeln!(out, "start,count,min,mean,max,sum");
            }
            for b in buckets {
                let start = rfc3339(b.start);
                let done = if args.range.store.json {
                    writeln!(
                        out,
                        "{}",
                        json!({"start": start, "count": b.count, "min": b.min, "mean": b.mean, "max": b.max, "sum": b.sum})
                    )
                } else {
                    writeln!(out, "{start},{},{},{},{},{}", b.count, b.min, b.mean, b.max, b.sum)
                };
                if done.is_err() {
                    break;
                }
            }
        }
        HistoryCommand::Energy(args) => {
            let (opened, point, from, to, width) = buckets_of(&args)?;
            let buckets = opened.history.energy(point, from, to, width).map_err(asked)?;
            if !args.range.store.json {
                let _ = writeln!(out, "start,amount,rollovers,resets");
            }
            for b in buckets {
                let start = rfc3339(b.start);
                let done = if args.range.store.json {
                    writeln!(
                        out,
                        "{}",
                        json!({"start": start, "amount": b.amount, "rollovers": b.rollovers, "resets": b.resets})
                    )
                } else {
                    writeln!(out, "{start},{},{},{}", b.amount, b.rollovers, b.resets)
                };
                if done.is_err() {
                    break;
                }
            }
        }
        HistoryCommand::Export(args) => {
            let Opened { campus, history } = open(&args.store)?;
            let point = point(&campus, &args.point)?;
            let (from, to) = range(&args, &campus.timezone)?;
            let count = history.export_csv(&mut out, point, from, to).map_err(asked)?;
            eprintln!("{count} samples");
        }
        HistoryCommand::Stats(args) => {
            let Opened { history, .. } = open(&args)?;
            let (damage, unsealed) = (history.damage(), history.stats().unsealed_samples.get());
            let points = history.last_all().len();
            if args.json {
                let damage: Vec<_> = damage.iter().map(|d| json!({"file": d.file, "why": d.why})).collect();
                let _ = writeln!(
                    out,
                    "{}",
                    json!({"points_with_values": points, "unsealed_samples": unsealed, "damage": damage})
                );
            } else {
                let _ = writeln!(out, "{points} points have values; {unsealed} samples wait to be sealed");
                for d in &damage {
                    let _ = writeln!(out, "damaged: {}: {}", d.file, d.why);
                }
            }
            let _ = out.flush();
            return Ok(if damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        HistoryCommand::Retain { store, from } => {
            let Opened { campus, history } = open(&store)?;
            let from_moment = moment(&from, &campus.timezone)?;
            let gone = history.retain_from(from_moment, |months| retained(&from, months)).map_err(asked)?;
            if store.json {
                let _ = writeln!(out, "{}", json!({"months": gone}));
            } else if gone.is_empty() {
                let _ = writeln!(out, "no month lies wholly before {from}; nothing was deleted");
            } else {
                let _ = writeln!(out, "deleted: {}", gone.join(", "));
            }
        }
    }
    let _ = out.flush();
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_widths_are_read_as_people_write_them() {
        let shanghai = "Asia/Shanghai";
        assert_eq!(moment("1970-01-02", shanghai).unwrap(), Timestamp::from_secs(16 * 3600));
        assert_eq!(moment("1970-01-01T08:00:00+08:00", shanghai).unwrap(), Timestamp(0));
        assert!(moment("yesterday", shanghai).is_err());
        assert_eq!(width_micros("15m").unwrap(), 900 * Timestamp::SECOND);
        for bad in ["", "15", "m", "-1h", "0d", "1y", "9999999999999d"] {
            assert!(width_micros(bad).is_err(), "{bad}");
        }
    }
}
