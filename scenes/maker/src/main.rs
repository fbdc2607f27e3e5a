//! `campanile-maker`: makes the files of a campus from its description.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use campanile_formats::epw;
use campanile_maker::{Normals, make, read, synthesize};
use clap::{Parser, Subcommand};

/// Makes a campus and its weather from readable descriptions.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Make plan.json, campus.toml and terrain.tif.
    ///
    /// Example: campanile-maker campus scenes/shanghai-school/school.toml --out scenes/shanghai-school
    Campus {
        /// The description.
        description: PathBuf,
        /// The folder to write to.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make a typical year of weather (EPW) from monthly normals.
    ///
    /// Example: campanile-maker weather scenes/shanghai-school/weather.toml --out weather.epw
    Weather {
        /// The normals.
        normals: PathBuf,
        /// Another year of the same climate; without it the seed of the file counts.
        #[arg(long)]
        seed: Option<u64>,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("campanile-maker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<(), Box<dyn Error>> {
    match task {
        Task::Campus { description, out } => {
            let (school, systems) = read(&description)?;
            let files = make(&school, &systems)?;
            std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
            files.write(&out)?;
            let size_kib = files.plan_json.len() / 1024;
            println!("wrote plan.json ({size_kib} KiB), campus.toml and terrain.tif to {}", out.display());
        }
        Task::Weather { normals, seed, out } => {
            let text =
                std::fs::read_to_string(&normals).map_err(|e| format!("{}: {e}", normals.display()))?;
            let normals = Normals::from_toml(&text, &normals.display().to_string())?;
            let seed = seed.unwrap_or(normals.seed);
            std::fs::write(&out, epw::write(&synthesize(&normals, seed))?)
                .map_err(|e| format!("{}: {e}", out.display()))?;
            println!("wrote {} with seed {seed}", out.display());
        }
    }
    Ok(())
}
