//! `campanile plugin check`.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Desk, Which, finding_json, print_json, workshop};
use crate::failure::Failure;

#[derive(Args)]
pub struct CheckArgs {
    #[command(flatten)]
    which: Which,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

pub fn check(desk: &Desk, args: &CheckArgs) -> Result<ExitCode, Failure> {
    let source = args.which.source()?;
    let campus = args.which.grounds()?.plain(None).map_err(Failure::input)?;
    let workshop = workshop()?;
    let checked = desk.patiently("readies", || campanile_kit::check(&source, &campus, &workshop));
    let (errors, warnings) = (checked.errors(), checked.findings.len() - checked.errors());
    if args.json {
        let manifest = checked.manifest.as_deref();
        let findings: Vec<_> = checked.findings.iter().map(finding_json).collect();
        print_json(&json!({
            "id": manifest.map(|m| &m.id), "version": manifest.map(|m| &m.version),
            "errors": errors, "warnings": warnings, "findings": findings,
        }));
    } else {
        desk.findings(&checked.findings);
        if let Some(manifest) = &checked.manifest {
            println!("{} {}: {}", manifest.id, manifest.version, desk.both(&manifest.names()));
        }
        println!(
            "{}",
            desk.say("check-sum", &[("errors", errors.to_string()), ("warnings", warnings.to_string())])
        );
    }
    Ok(ExitCode::from(u8::from(errors > 0)))
}
