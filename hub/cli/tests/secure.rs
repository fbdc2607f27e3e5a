//! A hub with sign-in and TLS, and the commands that speak to it from outside.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use campanile_client::{Access, Client, ClientError};
use campanile_protocol::people::{AddTokenRequest, NewToken, Role, Secret};
use common::{Running, campanile, demo};
use serde_json::Value as Json;

const PASSWORD: &str = "four words of somebody";

/// A running hub that goes when the test does.
struct Hub {
    _child: Running,
    url: String,
    data: tempfile::TempDir,
}

impl Hub {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut command = common::hub_command(&demo(), data.path());
        command.args(["--broker-port", "0", "--sign-in", "--tls", "self-signed"]);
        let common::Hub { child, api, .. } = common::Hub::start(&mut command);
        Self { _child: child, url: api, data }
    }

    fn ca(&self) -> PathBuf {
        self.data.path().join("tls-self-signed.pem")
    }

    fn client(&self) -> Client {
        Client::new(&self.url, &Access { token_file: None, ca: Some(self.ca()) }).unwrap()
    }

    /// Signs the first administrator in, and gives a file with a token of theirs.
    fn token(&self) -> PathBuf {
        let first = std::fs::read_to_string(self.data.path().join("first-sign-in.txt")).unwrap();
        let once = first.lines().find_map(|line| line.strip_prefix("password: ")).unwrap();
        let client = self.client();
        assert!(client.sign_in("admin", Secret::new(once)).unwrap().must_change_password);
        client.change_password(Secret::new(once), Secret::new(PASSWORD)).unwrap();
        assert!(client.me().unwrap_err().wants_sign_in());
        assert_eq!(client.sign_in("admin", Secret::new(PASSWORD)).unwrap().role, Role::Admin);
        let request = AddTokenRequest { label: "test".into(), role: Role::Admin, days: 1.0 };
        let made: NewToken = client.post("/api/v1/me/tokens", &request).unwrap();
        let file = self.data.path().join("token");
        std::fs::write(&file, made.token.expose()).unwrap();
        file
    }
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

fn json(out: &Output) -> Json {
    assert!(out.status.success(), "{}", said(out));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn who_may_not_see_the_hub_is_told_what_to_do() {
    let hub = Hub::start();
    let wrong = hub.data.path().join("wrong");
    std::fs::write(&wrong, "cmp_k3m9x2ab_0123456789").unwrap();
    let (ca, wrong) = (hub.ca(), wrong.to_str().unwrap().to_owned());
    let ca = ca.to_str().unwrap();
    let plain = hub.url.replace("https", "http");
    let by_another_name = hub.url.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    let stranger = hub.data.path().join("stranger.pem");
    let of_stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&stranger, of_stranger.cert.pem()).unwrap();
    let stranger = stranger.to_str().unwrap();
    for (url, args, code, what, mend) in [
        (&hub.url, vec!["--ca", ca, "--token-file", &wrong], 2, "sign in", "campanile user token add"),
        (&hub.url, vec!["--ca", ca], 2, "sign in", "CAMPANILE_TOKEN"),
        (&hub.url, vec!["--ca", stranger], 3, "nobody who is trusted here has signed it", "--ca FILE"),
        (&hub.url, vec!["--ca", &wrong], 2, "no certificate in it", "tls-self-signed.pem"),
        (&hub.url, vec!["--ca", ca, "--token-file", ca], 2, "has no token", "--token-file"),
        (&by_another_name, vec!["--ca", ca], 3, "another name", "--ca FILE"),
        (&plain, vec![], 3, "no hub answers", "https://"),
    ] {
        let out =
            campanile().args(["snapshot", "--hub", url, "--out", "/tmp/never.png"]).args(&args).output();
        let out = out.unwrap();
        let text = said(&out);
        assert_eq!(out.status.code(), Some(code), "{url} {args:?}: {text}");
        assert!(text.contains(what) && text.contains(mend), "{url} {args:?}: {text}");
    }
    assert!(!Path::new("/tmp/never.png").exists());
    // The hub's words follow the language of who asks.
    let client = hub.client();
    client.set_language("zh-CN");
    match client.sign_in("admin", Secret::new("wrong")).unwrap_err() {
        ClientError::Refused { status: 401, message, .. } => assert!(message.contains("密码"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn people_of_a_running_hub_are_managed_from_outside() {
    let hub = Hub::start();
    let token = hub.token();
    let user = |args: &[&str]| {
        let mut command = campanile();
        command.args(args).args(["--hub", &hub.url, "--ca"]).arg(hub.ca());
        command
    };
    let asked = |args: &[&str]| user(args).arg("--token-file").arg(&token).output().unwrap();
    let made = json(&asked(&["user", "add", "bert", "--role", "viewer", "--json", "--reason", "new"]));
    assert!(made["password"].as_str().unwrap().len() >= 16);
    let twice = asked(&["user", "add", "bert", "--role", "viewer"]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(said(&twice).contains("'bert' already"), "{}", said(&twice));
    json(&asked(&["user", "role", "bert", "operator", "--json"]));
    assert_ne!(json(&asked(&["user", "password", "bert", "--json"]))["password"], made["password"]);
    // The token may be in the environment too.
    let list = user(&["user", "list", "--json"])
        .env("CAMPANILE_TOKEN", std::fs::read_to_string(&token).unwrap())
        .output()
        .unwrap();
    assert_eq!(json(&list)["accounts"][1]["role"], "operator");
    let class = json(&asked(&["user", "class-code", "add", "--label", "7b", "--json"]));
    let id = class["info"]["id"].as_str().unwrap();
    assert_eq!(json(&asked(&["user", "class-code", "list", "--json"]))["classes"][0]["id"], id);
    json(&asked(&["user", "class-code", "revoke", id, "--json"]));
    json(&asked(&["user", "remove", "bert", "--json"]));

    // A token is made by its owner, with the password.
    let add = ["user", "token", "add", "admin", "--role", "viewer", "--label", "wall", "--json"];
    let without = asked(&add);
    assert_eq!(without.status.code(), Some(2));
    assert!(said(&without).contains("--password-file"), "{}", said(&without));
    let mut child = user(&add)
        .args(["--password-file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    let wall = json(&child.wait_with_output().unwrap());
    let wall_id = wall["info"]["id"].as_str().unwrap();
    let viewer = user(&["user", "list"]).env("CAMPANILE_TOKEN", wall["token"].as_str().unwrap()).output();
    let viewer = viewer.unwrap();
    assert_eq!(viewer.status.code(), Some(2));
    assert!(said(&viewer).contains("the role viewer may not do this"), "{}", said(&viewer));
    json(&asked(&["user", "token", "revoke", wall_id, "--json"]));

    let audit = asked(&["audit", "export", "--format", "json", "--act", "account-add"]);
    let audit = json(&audit);
    assert_eq!(audit[0]["actor"], "person:admin");
    assert_eq!(audit[0]["reason"], "new");
    let both = campanile().args(["user", "list", "--hub", &hub.url, "--data", "/tmp"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2));
}

#[test]
#[ignore = "draws, which takes a minute without a graphics processor; scripts/verify.sh runs it"]
fn a_picture_is_drawn_with_a_token_over_tls() {
    let hub = Hub::start();
    let token = hub.token();
    let out = hub.data.path().join("picture.png");
    let drawn = campanile()
        .args(["snapshot", "--hub", &hub.url, "--size", "640x400", "--ca"])
        .arg(hub.ca())
        .arg("--token-file")
        .arg(&token)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(drawn.status.success(), "{}", said(&drawn));
    assert!(std::fs::metadata(&out).unwrap().len() > 10_000);
}
