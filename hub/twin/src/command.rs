//! What `campanile-twin` is asked on the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use campanile_client::{Access, Client};
use campanile_twin::{
    Compare, District, Language, Pane, PluginsPage, PluginsShot, SnapshotOptions, TwinError, WindowOptions,
    World, run_bench, run_snapshot, run_window,
};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// The campus in 3D, live from a hub.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  campanile-twin --hub http://127.0.0.1:7373 --lang en\n  \
    campanile-twin --hub https://hub.school.example:7373 --ca tls-self-signed.pem\n\n\
    Where the hub asks for sign-in, the window does; without one give a token by --token-file or CAMPANILE_TOKEN."
)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    link: Link,
    /// Open this view: a link as the twin copies it, or what stands in it behind `#`.
    #[arg(long = "link", value_name = "LINK")]
    view_link: Option<String>,
}

#[derive(Args)]
struct Link {
    /// The address of the hub.
    #[arg(long, default_value = "http://127.0.0.1:7373")]
    hub: String,
    /// The language: zh-CN or en; without it that of LANG.
    #[arg(long, env = "CAMPANILE_LANG")]
    lang: Option<String>,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum Command {
    /// Draw scene and panels into a PNG, without a window.
    ///
    /// Exit codes: 0 drawn, 2 an option is wrong or the token is not taken, 3 no hub or no data, 4 not drawn or not
    /// written, 5 a name is unknown.
    #[command(
        after_help = "Example:\n  campanile-twin snapshot --hub http://127.0.0.1:7373 --out co2.png --view teaching-a/2f --storey teaching-a/2f --quantity co2"
    )]
    Snapshot(Box<SnapshotArgs>),
    /// Measure what a frame costs on a district of 500 buildings, 20,000 rooms, 100,000 points and 5,000 people.
    Bench(BenchArgs),
}

#[derive(Args)]
struct BenchArgs {
    /// Frames that are measured.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    frames: u32,
    /// A part of the district, in hundredths, to see how the cost grows.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=400))]
    percent: u32,
    /// As one line of JSON.
    #[arg(long)]
    json: bool,
}

impl BenchArgs {
    fn run(&self) -> Result<(), TwinError> {
        let whole = District::default();
        let of = |count: u32| (count * self.percent / 100).max(1);
        let district = District {
            buildings: of(whole.buildings),
            rooms: of(whole.rooms),
            changes_s: of(whole.changes_s),
            people: of(whole.people),
            frames: self.frames,
        };
        let measured = run_bench(district)?;
        let text = if self.json {
            serde_json::to_string(&measured)
        } else {
            serde_json::to_string_pretty(&measured)
        };
        println!("{}", text.unwrap_or_default());
        Ok(())
    }
}

#[derive(Args)]
struct SnapshotArgs {
    #[command(flatten)]
    link: Link,
    /// Where the PNG goes.
    #[arg(long)]
    out: PathBuf,
    /// A named view (overview, gate, river) or the path of an entity.
    #[arg(long, default_value = "overview")]
    view: String,
    /// Width and height in pixels.
    #[arg(long, default_value = "1600x900", value_parser = size)]
    size: [u32; 2],
    /// The quantity that colours the rooms, such as co2.
    #[arg(long)]
    quantity: Option<String>,
    /// The storey to cut the building open at, such as teaching-a/2f.
    #[arg(long)]
    storey: Option<String>,
    /// The entity whose panel is open, by path.
    #[arg(long)]
    select: Option<String>,
    /// Follow the most urgent alarm to its place.
    #[arg(long)]
    alarm: bool,
    /// Follow this rehearsal, by its id, or the campus as it was at this moment, RFC 3339, instead of the present.
    #[arg(long, value_name = "ID|TIME", value_parser = world)]
    world: Option<World>,
    /// Open the Drill page.
    #[arg(long)]
    drill: bool,
    /// Open what activities show, all plugins, the approval of one, or its script.
    #[arg(long, value_enum, conflicts_with = "drill")]
    page: Option<Page>,
    /// The plugin that is open on that page, by its id.
    #[arg(long, value_name = "ID", requires = "page")]
    plugin: Option<String>,
    /// The panel of it that is drawn, by its id.
    #[arg(long, value_name = "ID", requires = "plugin")]
    panel: Option<String>,
    /// Show this view: a link as the twin copies it, or what stands in it behind `#`.
    #[arg(long = "link", value_name = "LINK")]
    view_link: Option<String>,
    /// Open this pane: details, charts, energy, water, alarms, drill, learn, plugins or saved.
    #[arg(long, value_parser = pane, conflicts_with_all = ["page", "drill"])]
    pane: Option<Pane>,
    /// Chart this point today; may be given more than once.
    #[arg(long, value_name = "POINT")]
    chart: Vec<String>,
    /// Chart beside another day: before, week or year.
    #[arg(long, requires = "chart", value_parser = compare)]
    compare: Option<Compare>,
    /// Put this point on the strip; may be given more than once.
    #[arg(long, value_name = "POINT")]
    pin: Vec<String>,
    /// Dark panels.
    #[arg(long)]
    dark: bool,
    /// After how many seconds to give up waiting for the hub.
    #[arg(long, default_value_t = 120.0)]
    patience: f64,
}

/// A part of the Plugins page.
#[derive(Clone, Copy, ValueEnum)]
enum Page {
    Learn,
    Plugins,
    Approve,
    Script,
}

impl Page {
    fn shot(self, plugin: Option<String>, panel: Option<String>) -> PluginsShot {
        let page = match self {
            Self::Learn => PluginsPage::Learn,
            Self::Plugins => PluginsPage::Plugins,
            Self::Approve => PluginsPage::Approve,
            Self::Script => PluginsPage::Script,
        };
        PluginsShot { page, plugin, panel }
    }
}

/// A moment of the past, or a rehearsal.
fn world(text: &str) -> Result<World, String> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(World::Past { at_us: at.as_microsecond(), rate: 0.0 });
    }
    // It stands in the address of the WebSocket.
    let is_id = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_id.then(|| World::Rehearsal(text.to_owned())).ok_or_else(|| {
        "it has to be the id of a rehearsal, such as rainstorm-50a-1, or a moment such as \
         2026-06-15T02:30:00Z"
            .into()
    })
}

fn pane(text: &str) -> Result<Pane, String> {
    Pane::of(text).ok_or_else(|| {
        "it has to be details, charts, energy, water, alarms, drill, learn, plugins or saved".into()
    })
}

fn compare(text: &str) -> Result<Compare, String> {
    match text {
        "before" => Ok(Compare::Before),
        "week" => Ok(Compare::WeekBefore),
        "year" => Ok(Compare::YearBefore),
        _ => Err("it has to be before, week or year".into()),
    }
}

/// Width and height such as `1600x900`.
fn size(text: &str) -> Result<[u32; 2], String> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some([w.parse().ok()?, h.parse().ok()?]));
    parsed
        .filter(|[w, h]: &[u32; 2]| (320..=8192).contains(w) && (240..=8192).contains(h))
        .ok_or_else(|| "it has to be WIDTHxHEIGHT, from 320x240 to 8192x8192".into())
}

fn language(tag: Option<&str>) -> Language {
    match tag {
        Some(tag) => Language::from_tag(tag),
        None => std::env::var("LANG").map_or(Language::English, |lang| Language::from_tag(&lang)),
    }
}

impl Link {
    fn client(&self) -> Result<Client, TwinError> {
        Ok(Client::new(&self.hub, &self.access)?)
    }
}

fn run(cli: Cli) -> Result<(), TwinError> {
    if let Some(Command::Bench(args)) = &cli.command {
        return args.run();
    }
    let Some(Command::Snapshot(args)) = cli.command else {
        let said = cli.link.lang.as_deref();
        let options = WindowOptions {
            language: said.map(Language::from_tag),
            usual: language(said),
            link: cli.view_link,
        };
        return run_window(cli.link.client()?, options);
    };
    let args = *args;
    let options = SnapshotOptions {
        language: language(args.link.lang.as_deref()),
        out: args.out,
        view: args.view,
        size: args.size,
        quantity: args.quantity,
        storey: args.storey,
        select: args.select,
        alarm: args.alarm,
        world: args.world.unwrap_or_default(),
        drill: args.drill,
        plugins: args.page.map(|page| page.shot(args.plugin, args.panel)),
        link: args.view_link,
        pane: args.pane.or_else(|| (!args.chart.is_empty()).then_some(Pane::Charts)),
        charts: args.chart,
        compare: args.compare.unwrap_or_default(),
        pins: args.pin,
        is_dark: args.dark,
        patience_s: args.patience,
    };
    run_snapshot(args.link.client()?, options)
}

/// Does what is asked.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("campanile-twin: {why}");
            if let Some(mend) = why.mend() {
                eprintln!(" mend: {mend}");
            }
            ExitCode::from(why.exit_code())
        }
    }
}
