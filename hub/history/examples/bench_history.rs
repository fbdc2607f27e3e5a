//! Prints the figures of the history bench: `cargo run --release -p campanile-history --example bench_history`.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data =
        std::env::var_os("CAMPANILE_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    for figure in campanile_history::bench::run(&std::env::temp_dir(), Some(&data))? {
        let goal = figure.goal.map_or_else(String::new, |goal| format!(" (goal {goal})"));
        println!("{:<36} {:>14.3} {}{goal}: {}", figure.name, figure.value, figure.unit, figure.reference);
    }
    Ok(())
}
