//! `campanile backup` and `campanile restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use campanile_history::{HistoryError, Manifest};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::failure::Failure;

#[derive(Args)]
pub struct BackupArgs {
    /// The data folder of the hub, which may be running on it.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder to make; it must not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct RestoreArgs {
    /// The backup's folder.
    #[arg(value_name = "BACKUP")]
    from: PathBuf,
    /// The data folder to make; it must not exist, or be empty.
    #[arg(long, value_name = "DIR", required_unless_present = "verify")]
    data: Option<PathBuf>,
    /// Only check that the backup is whole.
    #[arg(long)]
    verify: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs with a progress bar until done, or until Ctrl-C.
fn with_progress(
    doing: impl FnOnce(campanile_history::Progress<'_>) -> campanile_history::Result<Manifest>,
) -> Result<Manifest, Failure> {
    let stop = crate::hub::listen()?;
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let done = doing(&mut |done, of, name| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
        bar.set_message(name.to_owned());
        !stop.is_raised()
    });
    bar.finish_and_clear();
    done.map_err(|why| match why {
        HistoryError::Backup { .. } => Failure::not_in_order(why.to_string()),
        HistoryError::GivenUp { .. } => Failure::interrupted(why.to_string()),
        why => Failure::input(why.to_string()),
    })
}

fn report(manifest: &Manifest, json: bool, what: &str, place: &std::path::Path) {
    if json {
        println!("{}", json!({"files": manifest.files, "bytes": manifest.bytes()}));
    } else {
        println!("{what} {}: {} files, {} bytes", place.display(), manifest.files.len(), manifest.bytes());
    }
}

pub fn backup(args: BackupArgs) -> Result<ExitCode, Failure> {
    let manifest = with_progress(|progress| campanile_history::backup(&args.data, &args.out, progress))?;
    report(&manifest, args.json, "Backed up into", &args.out);
    Ok(ExitCode::SUCCESS)
}

pub fn restore(args: RestoreArgs) -> Result<ExitCode, Failure> {
    let (manifest, what, place) = match &args.data {
        Some(data) if !args.verify => (
            with_progress(|progress| campanile_history::restore(&args.from, data, progress))?,
            "Restored into",
            data,
        ),
        _ => (
            with_progress(|progress| campanile_history::verify_backup(&args.from, progress))?,
            "Whole:",
            &args.from,
        ),
    };
    report(&manifest, args.json, what, place);
    Ok(ExitCode::SUCCESS)
}
