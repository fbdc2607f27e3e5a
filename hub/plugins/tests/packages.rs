//! Packages: the same content gives the same bytes and the same hash; what is broken or hostile is refused in words; and
//! whose they are.

#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};
use std::path::Path;

use campanile_plugins::{
    Package, PackageError, PublicKey, SecretKey, SignatureError, Trust, TrustError, TrustedKey, Version,
};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

const MANIFEST: &str = r#"format = "campanile-plugin/1"
id = "fresh-air"
version = "1.2.0"
api = "0.1.0"
kind = "rule"
zh-CN = "新风"
en = "Fresh air"
summary = { zh-CN = "提醒开窗。", en = "Says when to open a window." }
vendor = "Tinglan"
icon = "icon.png"
"#;

/// The head of a PNG of so many pixels; what follows is for who draws it.
fn icon(width: u32, height: u32) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", &width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]]
        .concat()
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plugin.toml", MANIFEST.as_bytes().to_vec()),
        ("plugin.wasm", b"\0asm\x0d\0\x01\0".to_vec()),
        ("icon.png", icon(64, 64)),
        ("README.md", b"# Fresh air\n".to_vec()),
        ("assets/table.csv", b"a,b\n".to_vec()),
    ]
}

fn zipped(files: &[(&str, Vec<u8>)], options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn stored(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    zipped(files, SimpleFileOptions::default().compression_method(CompressionMethod::Stored))
}

fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    dir
}

/// Made by another implementation of BLAKE3 over names and contents with their lengths.
#[test]
fn the_hash_is_of_names_and_contents_whatever_the_zip() {
    const HASH: &str = "c81b48f24aace700de6efda24a77965319c5a7ef72b0ba0d3383fd6fb1ad5321";
    const OTHER: &str = "fb3e39b4666ede4412457eebb1cad5558267576f0262cb0a0452cb02e36b19c7";
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut other_order = files();
    other_order.reverse();
    for bytes in [stored(&files()), zipped(&files(), deflated), stored(&other_order)] {
        assert_eq!(Package::read(&bytes).unwrap().hash.to_hex().as_str(), HASH);
    }
    let mut other = files();
    other[3].1.push(b'\n');
    assert_eq!(Package::read(&stored(&other)).unwrap().hash.to_hex().as_str(), OTHER);
}

#[test]
fn the_same_folder_gives_the_same_bytes_and_they_give_the_same_package() {
    let mut content = files();
    content.push((".git/config", b"secret".to_vec()));
    content.push(("src/lib.rs", b"fn main() {}".to_vec()));
    content.push(("assets/.hidden", b"x".to_vec()));
    let (a, b) = (folder(&content), folder(&content));
    let package = Package::pack(a.path()).unwrap();
    let bytes = package.bytes().unwrap();
    assert_eq!(bytes, Package::pack(b.path()).unwrap().bytes().unwrap());
    let names: Vec<&str> = package.files().map(|(name, _)| name).collect();
    assert_eq!(names, ["README.md", "assets/table.csv", "icon.png", "plugin.toml", "plugin.wasm"]);
    assert_eq!(package.file_name(), "fresh-air-1.2.0.cpk");
    let read = Package::read(&bytes).unwrap();
    assert_eq!(read.hash, package.hash);
    assert_eq!(read.bytes().unwrap(), bytes);
    assert_eq!(&**read.component().unwrap(), b"\0asm\x0d\0\x01\0");
    assert_eq!(read.icon().unwrap().len(), icon(64, 64).len());
}

#[test]
fn a_script_is_packed_as_it_is_written() {
    let manifest = format!("{MANIFEST}[script]\ninterpreter = \"rhai\"\nfile = \"main.rhai\"\n");
    let manifest = manifest.replace("icon = \"icon.png\"\n", "");
    let content = [("plugin.toml", manifest.into_bytes()), ("main.rhai", "let 空气 = 1;".into())];
    let package = Package::pack(folder(&content).path()).unwrap();
    assert_eq!(package.script(), Some(("main.rhai", "let 空气 = 1;")));
    assert_eq!(package.component(), None);
}

/// What is broken or hostile, by how it is made, and what is said.
#[test]
fn what_is_no_package_is_refused_in_words() {
    let with = |name: &'static str, bytes: &[u8]| {
        let mut all = files();
        all.retain(|(other, _)| *other != name);
        all.push((name, bytes.to_vec()));
        stored(&all)
    };
    let without = |name: &str| stored(&files().into_iter().filter(|(n, _)| *n != name).collect::<Vec<_>>());
    let many: Vec<(String, Vec<u8>)> = (0..200).map(|i| (format!("assets/{i}"), Vec::new())).collect();
    let many: Vec<(&str, Vec<u8>)> = many.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let bomb = zipped(&[files(), vec![("assets/zeros", vec![0; 97 << 20])]].concat(), deflated);
    assert!(bomb.len() < 1 << 20, "a bomb is small");
    let good = stored(&files());
    let mut commented = good.clone();
    let end = commented.len();
    commented[end - 2] = 4;
    commented.extend(b"hey!");
    let twice = {
        // Two files, then the second gets the first one's name, in both directories.
        let two = stored(&[files(), vec![("assets/twice", vec![]), ("assets/third", vec![])]].concat());
        replaced(&two, b"assets/third", b"assets/twice")
    };
    let small_lie = {
        let name = b"README.md";
        // The size that the directory says, of a file that has more.
        let at = position(&good, name, 2).unwrap() - 46 + 24;
        let mut lie = good.clone();
        lie[at] = 1;
        lie
    };
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", Vec::new(), "too short"),
        ("no zip", vec![7; 4000], "does not end as a zip"),
        ("cut off", good[..good.len() - 30].to_vec(), "does not end as a zip"),
        ("a comment", commented, "does not end as a zip"),
        ("no manifest", without("plugin.toml"), "'plugin.toml', its manifest"),
        ("no component", without("plugin.wasm"), "'plugin.wasm', which plugin.toml names"),
        ("no icon", without("icon.png"), "'icon.png', which plugin.toml names"),
        ("an oblong icon", with("icon.png", &icon(64, 32)), "64 x 32 pixels; make it a square"),
        ("a large icon", with("icon.png", &icon(512, 512)), "make it a square of 32 to 256"),
        ("a heavy icon", with("icon.png", &[icon(64, 64), vec![0; 70_000]].concat()), "at most 65536 may be"),
        ("another icon", with("icon.png", b"GIF89a"), "the icon is no PNG"),
        ("a way out", with("../evil", b""), "plain names"),
        ("a hidden file", with("assets/.profile", b""), "plain names"),
        ("the root", with("/etc/passwd", b""), "plain names"),
        ("another system", with("assets\\evil", b""), "plain names"),
        ("a stowaway", with("evil.sh", b""), "nothing names it"),
        ("many files", stored(&[files(), many].concat()), "at most 200 may be"),
        ("a bomb", bomb, "at most 100663296 bytes unpacked may be"),
        ("a name twice", twice, "duplicate"),
        ("a lie about a size", small_lie, "the file is no package"),
        ("no text", with("plugin.toml", &[0xff, 0xfe]), "'plugin.toml': it is no UTF-8"),
        ("a bad line", with("plugin.toml", MANIFEST.replace("1.2.0", "1.2").as_bytes()), "plugin.toml:3:11"),
        ("a bad signature", with("SIGNATURE", b"key = \"ab\"\nsignature = \"cd\"\n"), "SIGNATURE:1:7"),
        ("no signature", with("SIGNATURE", b"{}"), "SIGNATURE:1"),
    ];
    for (what, bytes, told) in table {
        let why = Package::read(&bytes).map(|package| format!("{package:?}")).unwrap_err().to_string();
        assert!(why.contains(told), "{what}: {why}");
    }
    for at in 0..good.len() {
        assert!(Package::read(&good[..at]).is_err(), "cut off at {at}");
    }
}

/// A bit of a signed package is turned, each in its turn: it is refused, not believed, or has the same content.
#[test]
fn no_bit_of_what_was_signed_can_be_turned() {
    let vendor = SecretKey::new("Tinglan").unwrap();
    let mut trust = Trust::default();
    trust.add("Tinglan", vendor.public()).unwrap();
    let signed = Package::read(&stored(&files())).unwrap().sign(&vendor);
    let bytes = signed.bytes().unwrap();
    let mut believed = 0;
    for bit in 0..8 * bytes.len() {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = Package::read(&bent)
            && read.verify(&trust).is_ok()
        {
            assert_eq!(read.hash, signed.hash, "bit {bit}");
            believed += 1;
        }
    }
    // Times and the like are no content; most of a package is.
    assert!(believed < 8 * bytes.len() / 2, "{believed} of {} bits", 8 * bytes.len());
}

fn position(bytes: &[u8], word: &[u8], nth: usize) -> Option<usize> {
    bytes.windows(word.len()).enumerate().filter(|(_, w)| *w == word).nth(nth - 1).map(|(at, _)| at)
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    while let Some(at) = position(&bytes, from, 1) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn a_folder_that_can_not_be_packed_says_why() {
    let dir = folder(&files());
    std::fs::remove_file(dir.path().join("plugin.wasm")).unwrap();
    let why = Package::pack(dir.path()).unwrap_err();
    assert!(matches!(&why, PackageError::Missing { name, .. } if name == "plugin.wasm"), "{why}");
    assert!(why.to_string().contains("build the plugin first"), "{why}");
    let why = Package::pack(Path::new("/nowhere")).unwrap_err();
    assert!(why.to_string().starts_with("/nowhere/plugin.toml"), "{why}");
    #[cfg(unix)]
    {
        let dir = folder(&files());
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("assets/passwd")).unwrap();
        let why = Package::pack(dir.path()).unwrap_err().to_string();
        assert!(why.contains("assets/passwd") && why.contains("a link"), "{why}");
    }
}

#[test]
fn a_package_is_believed_where_its_key_is_trusted_and_nothing_was_changed() {
    let vendor = SecretKey::new("Tinglan").unwrap();
    let package = Package::pack(folder(&files()).path()).unwrap();
    let mut trust = Trust::default();
    assert_eq!(package.verify(&trust), Err(SignatureError::Unsigned("fresh-air-1.2.0.cpk".into())));
    let signed = Package::read(&package.clone().sign(&vendor).bytes().unwrap()).unwrap();
    assert_eq!(signed.hash, package.hash, "a signature is no part of what is signed");
    let why = signed.verify(&trust).unwrap_err();
    assert!(matches!(&why, SignatureError::UnknownKey { key, .. } if *key == vendor.public().hex()));
    assert!(why.to_string().contains(&vendor.public().fingerprint()), "{why}");
    trust.add("Tinglan", vendor.public()).unwrap();
    assert_eq!(signed.verify(&trust).unwrap().by, "Tinglan");

    // The signature of another package, and that of another key over this one.
    let mut content = files();
    content[3].1.push(b'!');
    let other = Package::pack(folder(&content).path()).unwrap().sign(&vendor).bytes().unwrap();
    let seal = signature_of(&other);
    let mut forged = files();
    forged.push(("SIGNATURE", seal));
    assert!(matches!(
        Package::read(&stored(&forged)).unwrap().verify(&trust),
        Err(SignatureError::Tampered(_))
    ));
    let stranger = SecretKey::new("stranger").unwrap();
    let strange = String::from_utf8(signature_of(&package.clone().sign(&stranger).bytes().unwrap())).unwrap();
    let swapped = strange.replace(&stranger.public().hex(), &vendor.public().hex());
    let mut forged = files();
    forged.push(("SIGNATURE", swapped.into_bytes()));
    assert!(matches!(
        Package::read(&stored(&forged)).unwrap().verify(&trust),
        Err(SignatureError::Tampered(_))
    ));
}

fn signature_of(package: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut text = Vec::new();
    std::io::copy(&mut zip.by_name("SIGNATURE").unwrap(), &mut text).unwrap();
    text
}

#[test]
fn keys_are_kept_for_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vendor.key");
    let key = SecretKey::new("汀澜").unwrap();
    key.save(&file).unwrap();
    assert!(key.save(&file).is_err(), "a key is never written over another");
    assert_eq!(SecretKey::load(&file).unwrap().public(), key.public());
    let public = dir.path().join("vendor.pub");
    std::fs::write(&public, key.public_file()).unwrap();
    assert!(!key.public_file().contains("secret"));
    let trusted = TrustedKey::load(&public).unwrap();
    assert_eq!((trusted.name.as_str(), trusted.key), ("汀澜", key.public()));
    assert!(matches!(SecretKey::load(&public), Err(TrustError::NoSecret(_))));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        mode(0o640);
        let why = SecretKey::load(&file).unwrap_err();
        assert!(matches!(why, TrustError::Open(_)) && why.to_string().contains("chmod 600"), "{why}");
        mode(0o600);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    for (from, to, told) in [
        ("campanile-key/1", "campanile-key/2", "format"),
        (
            key.public().hex().as_str(),
            SecretKey::new("x").unwrap().public().hex().as_str(),
            "not that of the key",
        ),
        (key.public().hex().as_str(), "00", "no public key"),
    ] {
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let why = SecretKey::load(&file).unwrap_err().to_string();
        assert!(why.contains(told) && why.contains("vendor.key:"), "{why}");
    }
}

#[test]
fn trust_is_a_file_that_people_can_read_and_write() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trust.toml");
    assert_eq!(Trust::load(&file).unwrap(), Trust::default(), "nobody is trusted until somebody is");
    let (a, b) = (SecretKey::new("A").unwrap().public(), SecretKey::new("B").unwrap().public());
    let mut trust = Trust::default();
    trust.add("Tinglan", a).unwrap();
    trust.add("Bai \"Lu\" & Co.", b).unwrap();
    assert!(matches!(trust.add("Tinglan", b), Err(TrustError::Name(_))), "a name has one key");
    assert!(matches!(trust.add("", b), Err(TrustError::Name(_))));
    assert!(matches!(trust.add("a\nb", b), Err(TrustError::Name(_))));
    trust.save(&file).unwrap();
    assert_eq!(Trust::load(&file).unwrap(), trust);
    trust.add("Tinglan School", a).unwrap();
    assert_eq!(trust.name_of(&a), Some("Tinglan School"), "a key has one name");
    assert!(trust.remove("Tinglan School") && !trust.remove("Tinglan School"));
    assert_eq!(trust.keys().len(), 1);
    for (text, told) in [
        ("[[key]]\nname = \"x\"\nkey = \"1234\"\n", "trust.toml:3:"),
        ("[[key]]\nname = \"x\"\n", "trust.toml:1:"),
        // A key for which everybody can sign.
        (&format!("[[key]]\nname = \"x\"\nkey = \"01{}\"\n", "00".repeat(31)), "trust.toml:3:"),
        (
            &format!(
                "[[key]]\nname = \"x\"\nkey = \"{0}\"\n[[key]]\nname = \"x\"\nkey = \"{1}\"\n",
                a.hex(),
                b.hex()
            ),
            "trust.toml:5:",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let why = Trust::load(&file).unwrap_err().to_string();
        assert!(why.contains(told), "{text}: {why}");
    }
    assert_eq!(PublicKey::parse(&a.hex()).unwrap(), a);
    assert_eq!(a.fingerprint().len(), 24);
}

#[test]
fn versions_are_ordered_by_number() {
    let version = |text: &str| text.parse::<Version>().unwrap();
    let sorted = ["0.0.1", "0.2.0", "0.10.0", "1.0.0", "1.0.10", "2.0.0", "10.0.0"].map(version);
    assert!(sorted.is_sorted() && sorted[2].to_string() == "0.10.0");
    for bad in
        ["", "1", "1.0", "1.0.0.0", "01.0.0", "1.-1.0", "1.0.+1", "1.0.0-rc1", "a.b.c", "1..0", "9999999.0.0"]
    {
        assert!(bad.parse::<Version>().is_err(), "{bad}");
    }
}
