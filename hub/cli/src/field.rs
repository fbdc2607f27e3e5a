//! `campanile devices` and `feed`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use campanile_gateway::{Publisher, PublisherConfig, Qos, feed as play, metric_points};
use campanile_model::{Campus, PointId};
use campanile_server::{DeviceRun, HubError};
use clap::Args;

use crate::CampusDir;
use crate::failure::Failure;

#[derive(Args)]
pub struct DevicesArgs {
    #[command(flatten)]
    campus: CampusDir,
    /// The MQTT broker.
    #[arg(long, default_value = "127.0.0.1:1883", value_name = "HOST:PORT")]
    broker: String,
    /// Publish points that are bound to metrics of Sparkplug B, too, as their edge nodes with births, data and deaths.
    #[arg(long)]
    sparkplug: bool,
    /// Seed of all that is random: the same gives the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    run_for_s: Option<u64>,
}

#[derive(Args)]
pub struct FeedArgs {
    /// The CSV file, with a header line.
    file: PathBuf,
    #[command(flatten)]
    campus: CampusDir,
    /// The MQTT broker.
    #[arg(long, default_value = "127.0.0.1:1883", value_name = "HOST:PORT")]
    broker: String,
    /// The column with the local time.
    #[arg(long, default_value = "timestamp_local")]
    time: String,
    /// The IANA time zone of that column; that of the campus where left out.
    #[arg(long)]
    zone: Option<String>,
    /// COLUMN=POINT: which column goes to which point; may be given several times.
    #[arg(long, required = true, value_name = "COLUMN=POINT")]
    map: Vec<String>,
    /// Publish points that are bound to metrics of Sparkplug B as their edge nodes, with births, data and deaths.
    #[arg(long)]
    sparkplug: bool,
    /// Seconds of the file a second, or max: as fast as the broker acknowledges.
    #[arg(long, default_value = "1")]
    speed: String,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

fn no_broker(broker: &str) -> Failure {
    Failure::unreachable(format!("no MQTT broker answers at {broker}"))
        .mend("start a hub (`campanile hub` says where its broker is) or a broker, or name it with --broker HOST:PORT")
}

/// The points among `of` that are metrics of Sparkplug B.
fn metrics(campus: &Campus, of: &str, points: impl Fn(PointId) -> bool) -> Result<Vec<PointId>, Failure> {
    let metrics: Vec<PointId> = metric_points(campus).into_iter().filter(|id| points(*id)).collect();
    if metrics.is_empty() {
        return Err(Failure::input(format!("--sparkplug: no point of {of} is bound to a metric of Sparkplug B")).mend(
            "leave --sparkplug out, or add to campus.toml: [[bind]], points = \"…\", sparkplug = { group = \"…\", \
             node = \"…\", device = \"…\", metric = \"…\" } (docs/scene-format.md, Bindings)",
        ));
    }
    Ok(metrics)
}

pub fn devices(args: DevicesArgs) -> Result<ExitCode, Failure> {
    let stop = crate::hub::listen()?;
    let campus = crate::campus::open(&args.campus.resolve()?)?;
    if args.sparkplug {
        metrics(&campus, &campus.id, |_| true)?;
    }
    let run = DeviceRun::over_mqtt(campus.clone(), &args.broker, args.seed, args.sparkplug).map_err(
        |why| match why {
            HubError::NoBroker(_) => no_broker(&args.broker),
            other => Failure::input(other.to_string()),
        },
    )?;
    let silent = if args.sparkplug { 0 } else { metric_points(&campus).len() };
    println!(
        "{} points of {} publish at {}. Ctrl-C stops them.",
        campus.points.len() - silent,
        campus.id,
        args.broker
    );
    if silent > 0 {
        println!(
            "{silent} more are metrics of Sparkplug B: --sparkplug publishes them, as their edge nodes."
        );
    }
    stop.wait(args.run_for_s.map(Duration::from_secs));
    run.stop();
    Ok(ExitCode::SUCCESS)
}

pub fn feed(args: FeedArgs) -> Result<ExitCode, Failure> {
    let stop = crate::hub::listen()?;
    let campus = crate::campus::open(&args.campus.resolve()?)?;
    let columns = args
        .map
        .iter()
        .map(|text| play::parse_mapping(text, &campus).map_err(|why| Failure::input(why.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    let mapped = |id: PointId| columns.iter().any(|c| c.point == id);
    let metrics = if args.sparkplug { metrics(&campus, "--map", mapped)? } else { Vec::new() };
    let is_silent = |id: &PointId| !metrics.contains(id) && mapped(*id);
    if let Some(id) = metric_points(&campus).iter().find(|id| is_silent(id)) {
        let path = &campus.point(*id).path;
        return Err(Failure::input(format!("'{path}' is bound to a metric of Sparkplug B"))
            .mend("say --sparkplug to publish it as its edge node"));
    }
    let speed = match args.speed.as_str() {
        "max" => None,
        text => match text.parse::<f64>() {
            Ok(speed) if speed > 0.0 && speed.is_finite() => Some(speed),
            _ => {
                return Err(Failure::input(format!("--speed '{text}' is not a number above 0, nor max"))
                    .mend("say how many seconds of the file pass in a second, such as 60, or max"));
            }
        },
    };
    let file = std::fs::File::open(&args.file).map_err(|why| {
        Failure::input(format!("can't read {}: {why}", args.file.display()))
            .mend("name a CSV file with a header line")
    })?;
    let (host, port) =
        campanile_server::host_port(&args.broker).map_err(|why| Failure::input(why.to_string()))?;
    let zone = args.zone.unwrap_or_else(|| campus.timezone.clone());
    let config = PublisherConfig { host, port, qos: Qos::AtLeastOnce, metrics, ..PublisherConfig::default() };
    let unreachable = |why: campanile_gateway::GatewayError| Failure::unreachable(why.to_string());
    let publisher = Publisher::start(config, campus).map_err(unreachable)?;
    publisher.wait_connected(Duration::from_secs(5)).map_err(|_| no_broker(&args.broker))?;
    let config = play::FeedConfig { speed, ..play::FeedConfig::new(&args.time, &zone, columns) };
    let bar =
        if args.json { indicatif::ProgressBar::hidden() } else { indicatif::ProgressBar::new_spinner() };
    let report = play::play(file, config, &publisher, |report| {
        bar.set_message(format!("{} rows, {} samples", report.rows, report.samples));
        bar.tick();
        !stop.is_raised()
    })
    .map_err(|why| Failure::input(format!("{}: {why}", args.file.display())))?;
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string(&report).unwrap_or_default());
    } else {
        let end = match (report.stopped, report.unacknowledged) {
            (false, _) if args.sparkplug => "all sent".to_owned(),
            (false, _) => "all acknowledged".to_owned(),
            (true, 0) => "then stopped; they are acknowledged".to_owned(),
            (true, left) => format!("then stopped; {left} of them are not acknowledged"),
        };
        println!("{} samples of {} rows, {end}, in {:.1} s", report.samples, report.rows, report.took_s);
        println!(
            "  {} cells without a value, {} gaps in time ({} rows missing)",
            report.missing_cells, report.time_gaps, report.missing_rows
        );
        println!("  {} rows could not be read", report.row_errors);
        for error in &report.first_errors {
            println!("    {error}");
        }
    }
    publisher.stop();
    Ok(ExitCode::from(u8::from(report.row_errors > 0 || report.stopped)))
}
