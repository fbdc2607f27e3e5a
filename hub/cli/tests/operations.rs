//! What an operator has beside the program: configuration, doctor, and dashboards that fit the metrics.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Hub, campanile, root};

/// A hub that has its options from a file.
fn hub(config: &Path) -> Hub {
    Hub::start(campanile().arg("hub").arg("--config").arg(config))
}

/// Every name of a metric in a text, without what is between the names.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.split(|c| !word(c)).filter(|w| w.starts_with("campanile_")).map(str::to_owned).collect()
}

#[test]
fn a_hub_runs_from_a_file_and_every_metric_is_on_the_dashboard_and_in_the_guide() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("hub.toml");
    let campus = root().join("scenes/shanghai-school");
    let text = format!("campus = {campus:?}\ndata = \"store\"\nlisten = \"127.0.0.1:0\"\nbroker_port = 0\n");
    std::fs::write(&config, text).unwrap();
    let hub = hub(&config);
    assert!(dir.path().join("store/history.db").is_file(), "a path is taken from the folder of the file");
    let api = &hub.api;
    let exported = ureq::get(format!("{api}/metrics")).call().unwrap().body_mut().read_to_string().unwrap();
    let values = exported
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split([' ', '{']).next());
    let exported: BTreeSet<String> = values.map(str::to_owned).collect();
    assert!(exported.len() >= 16, "{exported:?}");

    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let dashboard = read("packaging/grafana/campanile.json");
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    let shown = metrics_in(&dashboard);
    assert_eq!(
        shown.difference(&exported).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "no hub exports these"
    );
    assert_eq!(
        exported.difference(&shown).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "no panel shows these"
    );
    let documented = metrics_in(&read("docs/operating.md"));
    assert_eq!(
        exported.difference(&documented).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "the guide lacks these"
    );

    // The doctor, asked beside the running hub, finds it and its store.
    let api = api.trim_start_matches("http://");
    let broker = &hub.broker;
    let told = campanile()
        .args(["doctor", "--json", "--lang", "en", "--listen", api, "--broker", broker, "--config"])
        .arg(&config)
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let text = report.to_string();
    for part in
        ["A hub answers at", "A hub has it open", "takes a message and gives it back", "The store opens"]
    {
        assert!(text.contains(part), "{part}: {report:#}");
    }
    assert_eq!((told.status.code(), &report["bad"]), (Some(0), &0.into()), "{report:#}");
}

#[test]
fn the_doctor_finds_what_is_wrong_and_says_how_to_mend_it() {
    let dir = tempfile::tempdir().unwrap();
    // Taken by something that is no hub, and a broker that is none.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    std::thread::spawn(move || taken.incoming().for_each(drop));
    let file = dir.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let told = campanile()
        .args(["doctor", "--json", "--lang", "en", "--listen", &port, "--broker", &port, "--campus"])
        .arg(dir.path())
        .arg("--data")
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let bad: BTreeSet<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["level"] == "bad")
        .map(|f| {
            assert!(!f["mend"].as_str().unwrap().is_empty(), "{f}");
            f["check"].as_str().unwrap()
        })
        .collect();
    assert_eq!(bad, BTreeSet::from(["api", "broker", "campus", "data"]), "{report:#}");
    let told = campanile().args(["doctor", "--lang", "zh-CN", "--listen", &port]).output().unwrap();
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("占用") && text.contains("→"), "{text}");
}

#[test]
fn a_configuration_with_mistakes_is_refused_with_their_lines() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("hub.toml");
    std::fs::write(&config, "data = \"d\"\nlitsen = \"127.0.0.1:0\"\n").unwrap();
    let told = campanile().args(["hub", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8(told.stderr).unwrap();
    assert_eq!(told.status.code(), Some(2), "{said}");
    assert!(said.contains("hub.toml:2:1") && said.contains("Did you mean 'listen'?"), "{said}");
    assert!(!dir.path().join("d").exists(), "nothing was begun");
}

/// A store of the demo school with a sample of one point in each of these months before now.
fn store_of_months(dir: &Path, months_ago: &[i64]) {
    let campus = campanile_model::open(&root().join("scenes/shanghai-school")).unwrap();
    let history = campanile_history::History::open(dir, &campanile_server::point_specs(&campus)).unwrap();
    let point = campus.points.iter().find(|p| p.quantity == "co2").unwrap().id;
    let now = jiff::Timestamp::now().as_microsecond();
    let sample = |ago: &i64| campanile_model::Sample {
        point,
        time: campanile_model::Timestamp(now - ago * 31 * 86_400_000_000),
        value: campanile_model::Value::Number(600.0),
        quality: campanile_model::Quality::Good,
    };
    let samples: Vec<_> = months_ago.iter().map(sample).collect();
    history.writer().commit(&samples, &[]).unwrap();
    history.seal().unwrap();
}

fn names(dir: &Path, like: impl Fn(&str) -> bool) -> Vec<String> {
    let all = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<String> = all.filter(|name| like(name)).collect();
    found.sort();
    found
}

fn is_month(name: &str) -> bool {
    name.starts_with("20") && name.len() == "2026-11.db".len() && name.ends_with(".db")
}

#[test]
fn old_months_go_and_inputs_are_recorded_as_the_file_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    store_of_months(&store, &[0, 5, 8]);
    let months = names(&store, is_month);
    assert_eq!(months.len(), 3);
    std::fs::create_dir(dir.path().join("records")).unwrap();
    let config = dir.path().join("hub.toml");
    let campus = root().join("scenes/shanghai-school");
    let text = format!(
        "campus = {campus:?}\ndata = \"store\"\nlisten = \"127.0.0.1:0\"\nbroker_port = 0\n\
         retention_months = 3\nrecord = \"records\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let running = hub(&config);
    let began = std::time::Instant::now();
    while names(&store, is_month).len() > 1 {
        assert!(began.elapsed().as_secs() < 30, "{:?}", names(&store, is_month));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(names(&store, is_month), months[2..], "the current month stays");
    assert_eq!(names(&dir.path().join("records"), |name| name.ends_with(".rec")).len(), 1);
    drop(running);
    let told = campanile()
        .args(["audit", "export", "--format", "json", "--act", "retain", "--out"])
        .arg(dir.path().join("audit.json"))
        .arg("--data")
        .arg(&store)
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let audit = std::fs::read_to_string(dir.path().join("audit.json")).unwrap();
    assert!(months[..2].iter().all(|month| audit.contains(month.trim_end_matches(".db"))), "{audit}");
}

#[test]
fn the_doctor_says_what_of_a_store_is_gone_or_flipped() {
    let doctor = |store: &Path, deep: bool| {
        let mut command = campanile();
        command.args([
            "doctor",
            "--json",
            "--lang",
            "en",
            "--listen",
            "127.0.0.1:1",
            "--broker-port",
            "0",
            "--data",
        ]);
        let told = command.arg(store).args(deep.then_some("--deep")).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let bad: Vec<String> = findings
            .filter(|f| f["level"] == "bad" && f["check"] == "data")
            .map(|f| f["what"].as_str().unwrap().to_owned())
            .collect();
        bad
    };
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    store_of_months(&store, &[0, 5]);
    assert_eq!(doctor(&store, true), Vec::<String>::new());
    let months = names(&store, is_month);
    // A bit within the compressed values, which begin so.
    let file = store.join(&months[1]);
    let good = std::fs::read(&file).unwrap();
    let mut bad = good.clone();
    let at = good.windows(4).position(|bytes| bytes == b"pco!").unwrap();
    bad[at + 2] ^= 4;
    std::fs::write(&file, &bad).unwrap();
    let flipped = doctor(&store, true);
    assert!(flipped.len() == 1 && flipped[0].contains(&months[1]), "{flipped:?}");
    assert!(flipped[0].contains("checksum"), "{flipped:?}");
    assert_eq!(doctor(&store, false), Vec::<String>::new(), "that is found by reading alone");
    std::fs::write(&file, &good).unwrap();
    std::fs::remove_file(store.join(&months[0])).unwrap();
    let gone = doctor(&store, false);
    assert!(gone.len() == 1 && gone[0].contains("its file is gone"), "{gone:?}");
}

#[test]
fn a_backup_that_is_told_to_end_says_so_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let history = campanile_history::History::open(&store, &[]).unwrap();
    // Large enough to be met in the middle.
    let body = serde_json::Value::String("x".repeat(60_000));
    for i in 0..40 {
        let time = campanile_model::Timestamp(i);
        let records: Vec<_> = (0..50).map(|_| campanile_history::Record::audit(time, body.clone())).collect();
        history.writer().commit(&[], &records).unwrap();
    }
    // The store stays open, as that of a hub that runs.
    let mut backup = campanile();
    backup.args(["backup", "--data"]).arg(&store).arg("--out").arg(dir.path().join("copy"));
    let child = backup.stderr(Stdio::piped()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while names(dir.path(), |name| name.starts_with("copy")).is_empty() {
        assert!(begun.elapsed().as_secs() < 30, "it does not begin");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("given up as asked; nothing was left behind"), "{said}");
    assert_eq!(names(dir.path(), |_| true), ["store"]);
}
