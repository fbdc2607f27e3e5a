//! The `campanile` command: check, build, run and look at a campus.
//!
//! Exit codes: 0 done; 1 the thing asked about is not in order (problems found, a check failed); 2 wrong
//! arguments or an input that can't be read; 3 a hub, broker or display could not be reached or started.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accounts;
mod alarms;
mod backup;
mod bench;
mod bench_hostile;
mod bench_hub;
mod bench_ingest;
mod bench_layers;
mod campus;
mod doctor;
mod drill;
mod failure;
mod field;
mod history;
mod hub;
mod import;
mod link;
mod locale;
mod plugin;
mod settings;
mod twin;
mod user;
mod world;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use failure::Failure;

/// The digital twin of a school campus, and the hub that runs it.
#[derive(Parser)]
#[command(name = "campanile", version, max_term_width = 100, after_help = "Begin with: campanile demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: settings::LogOptions,
}

#[derive(Subcommand)]
enum Command {
    /// Open the demo school with simulated devices: in the twin where there is a display, else headless.
    #[command(after_help = "Example:\n  campanile demo\n  campanile demo --headless --for 30")]
    Demo(hub::DemoArgs),
    /// Run the hub of a campus: field gateway, history, alarms, commands and the API.
    #[command(
        after_help = "Example:\n  campanile hub --campus scenes/shanghai-school --data /var/lib/campanile\n  \
            campanile hub --data /var/lib/campanile --listen 0.0.0.0:7373 --sign-in --tls self-signed\n  \
            campanile hub --print-config > hub.toml\n  campanile hub --config hub.toml"
    )]
    Hub(hub::HubArgs),
    /// Say what is wrong with a set-up, and how to mend it: campus, data, ports, broker, clock, machine, twin.
    #[command(
        after_help = "Example:\n  campanile doctor --config /etc/campanile/hub.toml\n  campanile doctor --data data --json\n\n\
        Exit code 0: in order (warnings allowed); 1: something has to be mended."
    )]
    Doctor(doctor::DoctorArgs),
    /// Check a campus and report every problem with its place and its mend.
    #[command(after_help = "Example:\n  campanile check scenes/shanghai-school\n\n\
        Exit code 0: in order (warnings allowed); 1: errors found.")]
    Check(campus::CheckArgs),
    /// List the points of a campus: path, unit, kind of meter, period, a star where it can be commanded, names, topic or
    /// metric of Sparkplug B.
    #[command(after_help = "Example:\n  campanile points '**/energy' --campus scenes/shanghai-school")]
    Points(campus::PointsArgs),
    /// The alarms of a campus as a list of their own: export, import.
    #[command(subcommand, after_help = "Example:\n  campanile alarms export --campus DIR > alarms.toml")]
    Alarms(alarms::AlarmsCommand),
    /// Build what is derived from a campus.
    #[command(subcommand, after_help = "Example:\n  campanile scene build scenes/shanghai-school")]
    Scene(SceneCommand),
    /// Make a campus of what a school has: an OpenStreetMap extract, a list of points.
    #[command(
        subcommand,
        after_help = "Examples:\n  campanile import osm map.osm --out my-school --rooms auto\n  \
        campanile import points points.csv --campus my-school"
    )]
    Import(import::ImportCommand),
    /// Publish believable data for every point of a campus over MQTT, and obey commands.
    #[command(
        after_help = "Examples:\n  campanile devices --campus scenes/shanghai-school --broker 127.0.0.1:1883\n  \
            campanile devices --campus my-school --sparkplug"
    )]
    Devices(field::DevicesArgs),
    /// Play a CSV file with a time column through MQTT, as if its meter were here.
    #[command(after_help = "Example:\n  campanile feed meter.csv --campus scenes/shanghai-school \\\n    \
        --time timestamp_local --zone Europe/London --map energy_kwh=substation/1f/switchgear/utility-meter-1/energy --speed max\n\n\
        `campanile points '**/energy'` lists the points that a meter can be fed to.\n\n\
        Exit code 1: rows could not be read, or it was stopped (Ctrl-C) before the end; the report says it.")]
    Feed(field::FeedArgs),
    /// Ask a stored history: last values, ranges, buckets, energy, export.
    #[command(
        subcommand,
        after_help = "Example:\n  campanile history export --data DIR --point canteen/1f/dining-1/co2"
    )]
    History(history::HistoryCommand),
    /// Drills: run without a screen, as fast as the machine can, and compare what decisions change.
    #[command(
        subcommand,
        after_help = "Example:\n  campanile drill run scenes/shanghai-school/drills/rainstorm-50a --out run"
    )]
    Drill(drill::DrillCommand),
    /// What was recorded of a world, applied again.
    #[command(subcommand, after_help = "Example:\n  campanile world replay day.rec --campus DIR")]
    World(world::WorldCommand),
    /// Plugins: make, build, check, test, measure, pack and sign one; install it on a hub and look after it there.
    #[command(
        after_help = "Begin with:\n  campanile plugin new fresh-air --lang rust\n\ndocs/plugins/kit.md shows the whole way."
    )]
    Plugin(plugin::PluginArgs),
    /// Copy a hub's data, while it runs, into a folder with checksums.
    #[command(
        after_help = "Example:\n  campanile backup --data /var/lib/campanile --out /mnt/backup/2026-11-24"
    )]
    Backup(backup::BackupArgs),
    /// Make a data folder from a backup, or only check that the backup is whole.
    #[command(
        after_help = "Example:\n  campanile restore /mnt/backup/2026-11-24 --data /var/lib/campanile\n  \
        campanile restore /mnt/backup/2026-11-24 --verify\n\n\
        Exit code 1: the backup is damaged."
    )]
    Restore(backup::RestoreArgs),
    /// Accounts, API tokens and classes: of a running hub, or of the data folder of a stopped one.
    #[command(
        subcommand,
        after_help = "Examples:\n  campanile user add anna --role operator --data /var/lib/campanile\n  \
        campanile user add anna --role operator --hub https://hub.school.example:7373 --token-file token\n\n\
        --data works on the data folder while the hub is stopped; --hub asks a running one, as whose token it is.\n\
        docs/roles.md says what each role may do."
    )]
    User(user::UserCommand),
    /// Read the audit record of a hub: who did what, why, from where, before and after.
    #[command(
        subcommand,
        after_help = "Example:\n  campanile audit export --data /var/lib/campanile --format csv --out audit.csv"
    )]
    Audit(user::AuditCommand),
    /// Draw the campus into a PNG without a window, with simulated values where no hub runs.
    #[command(
        after_help = "Example:\n  campanile snapshot --campus scenes/shanghai-school --out campus.png \\\n    \
        --view overview --size 1600x900 --lang zh-CN\n  \
        campanile snapshot --hub https://hub.school.example:7373 --token-file token --out campus.png"
    )]
    Snapshot(Box<twin::SnapshotArgs>),
    /// Open the twin on a running hub.
    #[command(after_help = "Examples:\n  campanile twin --hub http://127.0.0.1:7373\n  \
        campanile twin --hub https://hub.school.example:7373 --ca tls-self-signed.pem\n\n\
        Where the hub asks for sign-in, the window does.")]
    Twin(twin::TwinArgs),
    /// Measure this machine.
    #[command(after_help = "Example:\n  campanile bench world --json")]
    Bench(bench::BenchArgs),
    /// Print the JSON Schema of a file format.
    #[command(after_help = "Example:\n  campanile schema plan > plan.schema.json")]
    Schema(campus::SchemaArgs),
    /// Print the OpenAPI description of the hub's API.
    #[command(after_help = "Example:\n  campanile openapi > openapi.json")]
    Openapi,
}

#[derive(Subcommand)]
enum SceneCommand {
    /// Build campus.glb from plan.json, campus.toml and the terrain.
    #[command(after_help = "Example:\n  campanile scene build scenes/shanghai-school")]
    Build(campus::SceneBuildArgs),
}

/// Where the campus is.
#[derive(Args, Clone)]
pub struct CampusDir {
    /// The folder with campus.toml and plan.json. The demo school where left out.
    #[arg(long, value_name = "DIR")]
    campus: Option<PathBuf>,
}

impl CampusDir {
    /// The folder given, else the demo campus beside the checkout.
    fn resolve(&self) -> Result<PathBuf, Failure> {
        match &self.campus {
            Some(dir) => Ok(dir.clone()),
            None => demo_campus(),
        }
    }
}

/// The demo campus: under `CAMPANILE_ROOT`, the working folder, or the checkout this program was built in.
fn demo_campus() -> Result<PathBuf, Failure> {
    let scene = std::path::Path::new("scenes/shanghai-school");
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let roots = std::env::var_os("CAMPANILE_ROOT").map(PathBuf::from).into_iter();
    roots
        .chain([PathBuf::from("."), PathBuf::from(built_in)])
        .map(|root| root.join(scene))
        .find(|dir| dir.join("plan.json").is_file())
        .map(|dir| dir.canonicalize().unwrap_or(dir))
        .ok_or_else(|| {
            Failure::input("the demo campus scenes/shanghai-school was not found")
                .mend("name a campus with --campus DIR, or set CAMPANILE_ROOT to the checkout")
        })
}

/// A reader that has gone (`campanile … | head`) ends the program quietly; anything else is a fault of the program,
/// which is said in a sentence.
fn say_panics_plainly() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        if text.is_some_and(|text| text.contains("failed printing to std") && text.contains("Broken pipe")) {
            std::process::exit(0);
        }
        default(info);
        eprintln!("error: this is a fault of campanile itself; please report it with the lines above");
    }));
}

fn log(options: &settings::HubOptions) {
    // Each layer has checked its filter.
    let log = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(options.log()))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match options.log_format.unwrap_or_default() {
        settings::LogFormat::Text => log.init(),
        settings::LogFormat::Json => log.json().init(),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A hub may be told about its log by its configuration, so that is read first.
    let (said, file) = match &cli.command {
        Command::Hub(args) => (args.options.clone(), args.config.as_deref()),
        Command::Doctor(args) => (args.options.clone(), args.config.as_deref()),
        _ => (settings::HubOptions::default(), None),
    };
    let options = match said.with_file(file, &cli.log) {
        Ok(options) => options,
        Err(failure) => return failure.report(),
    };
    log(&options);
    say_panics_plainly();
    let done = match cli.command {
        Command::Demo(args) => hub::demo(args),
        Command::Hub(args) => hub::hub(args, options),
        Command::Doctor(args) => doctor::doctor(&args, &options),
        Command::Check(args) => campus::check(args),
        Command::Points(args) => campus::points(args),
        Command::Alarms(command) => alarms::run(command),
        Command::Drill(command) => drill::run(command),
        Command::World(command) => world::run(command),
        Command::Scene(SceneCommand::Build(args)) => campus::scene_build(args),
        Command::Import(command) => import::run(command),
        Command::Devices(args) => field::devices(args),
        Command::Feed(args) => field::feed(args),
        Command::History(command) => history::run(command),
        Command::Plugin(args) => plugin::run(args),
        Command::Backup(args) => backup::backup(args),
        Command::Restore(args) => backup::restore(args),
        Command::User(command) => user::run(command),
        Command::Audit(command) => user::audit(command),
        Command::Snapshot(args) => twin::snapshot(*args),
        Command::Twin(args) => twin::open(args),
        Command::Bench(args) => bench::run(args),
        Command::Schema(args) => campus::schema(args),
        Command::Openapi => hub::openapi(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
