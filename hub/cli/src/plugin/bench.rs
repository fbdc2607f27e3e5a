//! `campanile plugin bench`.

use std::process::ExitCode;

use campanile_kit::{Figures, Plugin};
use clap::Args;

use super::{Desk, Which, print_json, size, workshop};
use crate::failure::Failure;

#[derive(Args)]
pub struct BenchArgs {
    #[command(flatten)]
    which: Which,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

pub fn bench(desk: &Desk, args: &BenchArgs) -> Result<ExitCode, Failure> {
    let source = args.which.source()?;
    let plugin = Plugin::load(&source, &workshop()?).map_err(|findings| {
        desk.findings(&findings);
        desk.not_in_order(&args.which.plugin)
    })?;
    let campus = args.which.grounds()?.with(None, &plugin.manifest).map_err(Failure::input)?;
    eprintln!("{}", desk.say("bench-on", &[("machine", crate::bench::machine())]));
    let compile_s = plugin.compile_s().map_err(|why| Failure::unreachable(why.to_string()))?;
    let figures = campanile_kit::bench(&plugin, &campus);
    if args.json {
        let mut json = serde_json::to_value(&figures).unwrap_or_default();
        json["compile_ms"] = (compile_s * 1e3).into();
        json["plugin"] = plugin.manifest.id.as_str().into();
        json["machine"] = crate::bench::machine().into();
        print_json(&json);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:>9.0} ms  {}", compile_s * 1e3, desk.say("bench-compile", &[]));
    desk.costs(&figures);
    Ok(ExitCode::SUCCESS)
}

impl Desk {
    /// Prints what a plugin costs.
    pub fn costs(&self, figures: &Figures) {
        for (key, value) in [
            ("bench-package", size(figures.package_bytes)),
            ("bench-instantiate", format!("{:.1} µs", figures.instantiate_us)),
            ("bench-memory", format!("{:.0} KiB", figures.memory_kib)),
        ] {
            println!("{:>12}  {}", value, self.say(key, &[]));
        }
        println!("{}", self.say("bench-head", &[]));
        for cost in &figures.calls {
            let call = match cost.samples {
                0 => self.say("bench-tick", &[]),
                n => self.say("bench-samples", &[("count", n.to_string())]),
            };
            println!("{:>12.2} {:>12.0} {:>14}  {call}", cost.us, cost.per_s, cost.fuel);
            if cost.failed > 0 {
                println!("  {}", self.say("bench-failed", &[("count", cost.failed.to_string())]));
            }
        }
    }
}
