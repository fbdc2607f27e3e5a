//! `campanile devices` and `feed`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use campanile_gateway::{Publisher, PublisherConfig, Qos, feed as play};
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

pub fn devices(args: DevicesArgs) -> Result<ExitCode, Failure> {
    let stop = crate::hub::listen()?;
    let campus = crate::campus::open(&args.campus.resolve()?)?;
    let run = DeviceRun::over_mqtt(campus.clone(), &args.broker, args.seed).map_err(|why| match why {
        HubError::NoBroker(_) => no_broker(&args.broker),
        other => Failure::input(other.to_string()),
    })?;
    println!(
        "{} points of {} publish at {}. Ctrl-C stops them.",
        campus.points.len(),
        campus.id,
        args.broker
    );
    stop.wait(args.run_for_s.map(Duration::from_secs));
    run.stop();
    Ok(ExitCode::SUCCESS)
}

pub fn feed(args: FeedArgs) -> Result<ExitCode, Failure> {
    let campus = crate::campus::open(&args.campus.resolve()?)?;
    let columns = args
        .map
        .iter()
        .map(|text| play::parse_mapping(text, &campus).map_err(|why| Failure::input(why.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    let speed = match args.speed.as_str() {
        "max" => None,
        text => match text.parse::<f64>() {
            Ok(speed) if speed > 0.0 && speed.is_finite() => Some(speed),
            _ => return Err(Failure::input(format!("--speed '{text}' is not a number above 0, nor max"))),
        },
    };
    let file = std::fs::File::open(&args.file)
        .map_err(|why| Failure::input(format!("can't read {}: {why}", args.file.display())))?;
    let (host, port) =
        campanile_server::host_port(&args.broker).map_err(|why| Failure::input(why.to_string()))?;
    let zone = args.zone.unwrap_or_else(|| campus.timezone.clone());
    let publisher = PublisherConfig { host, port, qos: Qos::AtLeastOnce, ..PublisherConfig::default() };
    let unreachable = |why: campanile_gateway::GatewayError| Failure::unreachable(why.to_string());
    let publisher = Publisher::start(publisher, campus).map_err(unreachable)?;
    publisher.wait_connected(Duration::from_secs(5)).map_err(|_| no_broker(&args.broker))?;
    let config = play::FeedConfig { speed, ..play::FeedConfig::new(&args.time, &zone, columns) };
    let bar =
        if args.json { indicatif::ProgressBar::hidden() } else { indicatif::ProgressBar::new_spinner() };
    let report = play::play(file, config, &publisher, |report| {
        bar.set_message(format!("{} rows, {} samples", report.rows, report.samples));
        bar.tick();
    })
    .map_err(|why| Failure::input(format!("{}: {why}", args.file.display())))?;
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string(&report).unwrap_or_default());
    } else {
        println!(
            "{} samples of {} rows, all acknowledged, in {:.1} s",
            report.samples, report.rows, report.took_s
        );
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
    Ok(ExitCode::from(u8::from(report.row_errors > 0)))
}
