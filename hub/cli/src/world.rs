//! `campanile world`: what was recorded of a world, applied again.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use campanile_world::{RecordError, Schema};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::CampusDir;
use crate::failure::Failure;

const MADE_BY: &str = "name a file that `campanile hub --record FILE` made";

#[derive(Subcommand)]
pub enum WorldCommand {
    /// Apply the recorded inputs of a world again and compare the hashes of its state.
    #[command(after_help = "Example:\n  campanile hub --campus DIR --data DIR --record day.rec\n  \
        campanile world replay day.rec --campus DIR\n\n\
        Exit code 0: the replay came to every recorded hash; 1: it did not.")]
    Replay(ReplayArgs),
}

#[derive(Args)]
pub struct ReplayArgs {
    /// The record, made by `campanile hub --record FILE`.
    file: PathBuf,
    #[command(flatten)]
    campus: CampusDir,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(command: WorldCommand) -> Result<ExitCode, Failure> {
    let WorldCommand::Replay(args) = command;
    let campus = crate::campus::open(&args.campus.resolve()?)?;
    let name = args.file.display().to_string();
    let file = File::open(&args.file)
        .map_err(|why| Failure::input(format!("can't read {name}: {why}")).mend(MADE_BY))?;
    let length = file.metadata().map_or(0, |m| m.len());
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}") {
        bar.set_style(style);
    }
    let began = Instant::now();
    let schema = Arc::new(Schema::of(&campus));
    let replayed =
        campanile_world::replay(bar.wrap_read(BufReader::new(file)), &campus.id, &schema, |inputs| {
            bar.set_message(format!("{inputs} inputs"));
            true
        });
    bar.finish_and_clear();
    let (_, did) = replayed.map_err(|why| {
        let failure = Failure::input(format!("{name}: {why}"));
        match why {
            RecordError::NotARecord | RecordError::Io(_) => failure.mend(MADE_BY),
            RecordError::Damaged { .. } => failure.mend("use another copy of the record"),
            // The others say it themselves.
            _ => failure,
        }
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let same = did.first_different.is_none();
    if args.json {
        let mut body = serde_json::to_value(&did).map_err(|why| Failure::input(why.to_string()))?;
        body["same"] = same.into();
        body["seconds"] = seconds.into();
        println!("{body:#}");
    } else {
        let time = |t: campanile_model::Timestamp| {
            jiff::Timestamp::from_microsecond(t.0).map_or_else(|_| t.0.to_string(), |t| t.to_string())
        };
        println!("{} from {} to {}", did.campus, time(did.from), time(did.to));
        println!(
            "{} samples and {} other inputs, {} events, in {seconds:.1} s",
            did.samples, did.inputs, did.events
        );
        if did.cut_off {
            println!("the record was cut off in the middle of an input; it was replayed up to there");
        }
        match did.first_different {
            None => println!("{} of {} recorded hashes equal", did.hashes_equal, did.hashes_equal),
            Some(at) => println!("the state differs from the recorded one from hash {at} on"),
        }
        println!("state {}", did.hash);
    }
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
