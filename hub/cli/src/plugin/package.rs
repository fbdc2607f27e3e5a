//! `campanile plugin pack`, `key`, `sign` and `inspect`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use campanile_kit::Plugin;
use campanile_plugins::{Package, SecretKey, SignatureError, Trust, TrustedKey, what_it_may_do};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Desk, Which, open, print_json, size, workshop};
use crate::failure::Failure;

#[derive(Args)]
pub struct PackArgs {
    #[command(flatten)]
    which: Which,
    /// The package; ID-VERSION.cpk in the working folder where left out.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print what was packed as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a key in a file that only you can read. It is never overwritten.
    #[command(after_help = "Example:\n  campanile plugin key new maker.key --name 'Example Ltd'")]
    New {
        /// The file.
        file: PathBuf,
        /// Whose it is: the name by which hubs know it.
        #[arg(long)]
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say the public half of a key: what hubs are told to trust.
    #[command(after_help = "Example:\n  campanile plugin key show maker.key")]
    Show {
        /// The file of the key, or of its public half.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub struct SignArgs {
    /// The package.
    package: PathBuf,
    /// The file of your key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct InspectArgs {
    #[command(flatten)]
    which: Which,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

pub fn pack(desk: &Desk, args: &PackArgs) -> Result<ExitCode, Failure> {
    let source = args.which.source()?;
    if !source.is_folder() {
        return Err(Failure::input(
            desk.say("pack-no-folder", &[("file", source.path().display().to_string())]),
        )
        .mend(desk.say("pack-no-folder-mend", &[])));
    }
    let campus = args.which.grounds()?.plain(None).map_err(Failure::input)?;
    let checked = campanile_kit::check(&source, &campus, &workshop()?);
    desk.findings(&checked.findings);
    if checked.errors() > 0 {
        return Err(desk.not_in_order(source.path()));
    }
    let package = Package::pack(source.path()).map_err(|why| Failure::not_in_order(why.to_string()))?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(package.file_name()));
    let bytes = write(desk, &package, &out)?;
    let hash = package.hash.to_hex().to_string();
    if args.json {
        print_json(&json!({"file": out, "bytes": bytes, "files": package.files().count(), "hash": hash}));
    } else {
        let args = [
            ("file", out.display().to_string()),
            ("count", package.files().count().to_string()),
            ("size", size(bytes)),
        ];
        println!("{}", desk.say("packed", &args));
        println!("{}", desk.say("sign-next", &[("file", out.display().to_string())]));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a package; how many bytes it has.
fn write(desk: &Desk, package: &Package, out: &Path) -> Result<usize, Failure> {
    let bytes = package.bytes().map_err(|why| Failure::not_in_order(why.to_string()))?;
    // Written beside and moved, so that a full disk leaves no half a package.
    let beside = out.with_extension("part");
    let written = std::fs::write(&beside, &bytes).and_then(|()| std::fs::rename(&beside, out));
    written
        .map(|()| bytes.len())
        .map_err(|why| Failure::input(format!("{}: {why}", out.display())).mend(desk.say("write-mend", &[])))
}

pub fn key(desk: &Desk, command: KeyCommand) -> Result<ExitCode, Failure> {
    let failed = |why: campanile_plugins::TrustError| Failure::input(why.to_string());
    let (public, name, file, is_new, json) = match command {
        KeyCommand::New { file, name, json } => {
            let key = SecretKey::new(&name).map_err(failed)?;
            if file.exists() {
                return Err(Failure::input(desk.say("key-exists", &[("file", file.display().to_string())]))
                    .mend(desk.say("key-exists-mend", &[])));
            }
            key.save(&file).map_err(failed)?;
            (key.public(), key.name, file, true, json)
        }
        KeyCommand::Show { file, json } => {
            let key = TrustedKey::load(&file).map_err(failed)?;
            (key.key, key.name, file, false, json)
        }
    };
    let (hex, fingerprint) = (public.hex(), public.fingerprint());
    if json {
        print_json(&json!({"file": file, "name": name, "key": hex, "fingerprint": fingerprint}));
        return Ok(ExitCode::SUCCESS);
    }
    if is_new {
        println!("{}", desk.say("key-made", &[("file", file.display().to_string())]));
    }
    println!("{}", desk.say("key-public", &[("name", name.clone()), ("key", hex.clone())]));
    println!("{}", desk.say("key-fingerprint", &[("fingerprint", fingerprint)]));
    println!("{}", desk.say("key-next", &[("name", name), ("key", hex)]));
    Ok(ExitCode::SUCCESS)
}

pub fn sign(desk: &Desk, args: &SignArgs) -> Result<ExitCode, Failure> {
    let source = open(&args.package)?;
    let Some(package) = source.package() else {
        return Err(Failure::input(
            desk.say("sign-no-package", &[("file", args.package.display().to_string())]),
        )
        .mend(desk.say("hub-package-mend", &[])));
    };
    let key = SecretKey::load(&args.key)
        .map_err(|why| Failure::input(why.to_string()).mend(desk.say("key-mend", &[])))?;
    let signed = package.clone().sign(&key);
    write(desk, &signed, &args.package)?;
    if args.json {
        print_json(&json!({"file": args.package, "name": key.name, "key": key.public().hex(),
            "hash": signed.hash.to_hex().to_string()}));
    } else {
        let args = [("file", args.package.display().to_string()), ("name", key.name.clone())];
        println!("{}", desk.say("signed", &args));
    }
    Ok(ExitCode::SUCCESS)
}

pub fn inspect(desk: &Desk, args: &InspectArgs) -> Result<ExitCode, Failure> {
    let source = args.which.source()?;
    let plugin = Plugin::load(&source, &workshop()?).map_err(|findings| {
        desk.findings(&findings);
        desk.not_in_order(source.path())
    })?;
    let campus = args.which.grounds()?.with(None, &plugin.manifest).map_err(Failure::input)?;
    // A folder is shown as the package that it would be.
    let package = &plugin.package;
    let may = what_it_may_do(&plugin.manifest, None, Some(&campus));
    let figures = campanile_kit::bench(&plugin, &campus);
    let manifest = &plugin.manifest;
    let imports: Vec<&str> = plugin.imports.iter().map(String::as_str).collect();
    if args.json {
        let files: Vec<_> =
            package.files().map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect();
        let signature = match package.verify(&Trust::default()) {
            Err(SignatureError::UnknownKey { key, fingerprint, .. }) => {
                json!({"is": "signed", "key": key, "fingerprint": fingerprint})
            }
            Err(SignatureError::Tampered(_)) => json!({"is": "broken"}),
            Ok(_) | Err(_) => json!({"is": "none"}),
        };
        print_json(&json!({
            "manifest": **manifest, "may": may, "imports": imports, "files": files,
            "hash": package.hash.to_hex().to_string(), "signature": signature, "costs": figures,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} {}  {}", manifest.id, manifest.version, desk.both(&manifest.names()));
    println!("{}", manifest.summary.en);
    println!("{}", manifest.summary.zh);
    let about = [
        ("vendor", manifest.vendor.clone()),
        ("licence", manifest.license.clone()),
        ("kind", manifest.kind.world().to_owned()),
        ("api", manifest.api.clone()),
    ];
    println!("{}", desk.say("inspect-about", &about));
    println!("{}", desk.say("inspect-may", &[]));
    desk.sentences(&may);
    println!("{}", desk.say("inspect-imports", &[]));
    imports.iter().for_each(|import| println!("  {import}"));
    println!("{}", desk.say("inspect-files", &[]));
    package.files().for_each(|(name, bytes)| println!("  {:>10}  {name}", size(bytes)));
    println!("{}", desk.say("inspect-hash", &[("hash", package.hash.to_hex().to_string())]));
    // Whom a hub trusts is the hub's to say: here only whose signature it is.
    let signature = match package.verify(&Trust::default()) {
        Err(SignatureError::UnknownKey { key, fingerprint, .. }) => {
            desk.say("inspect-signed", &[("key", key), ("fingerprint", fingerprint)])
        }
        Err(SignatureError::Tampered(_)) => desk.say("inspect-broken", &[]),
        Ok(_) | Err(_) => desk.say("inspect-unsigned", &[]),
    };
    println!("{signature}");
    desk.costs(&figures);
    Ok(ExitCode::SUCCESS)
}
