//! `campanile user` and `audit` on the data folder of a stopped hub, and what a hub makes of it.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

fn campanile(data: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_campanile")).args(args).arg("--data").arg(data).output().unwrap()
}

fn json(output: &Output) -> Json {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn accounts_tokens_and_classes_are_made_listed_and_ended() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let made = json(&campanile(data, &["user", "add", "anna", "--role", "admin", "--json"]));
    assert!(made["password"].as_str().unwrap().len() >= 16);
    json(&campanile(data, &["user", "add", "bert", "--role", "viewer", "--json", "--reason", "new"]));
    let twice = campanile(data, &["user", "add", "bert", "--role", "viewer"]);
    assert_eq!(twice.status.code(), Some(2));
    assert_eq!(campanile(data, &["user", "add", "kid", "--role", "student"]).status.code(), Some(2));
    json(&campanile(data, &["user", "role", "bert", "operator", "--json"]));
    let again = json(&campanile(data, &["user", "password", "anna", "--json"]));
    assert_ne!(again["password"], made["password"]);
    let list = json(&campanile(data, &["user", "list", "--json"]));
    assert_eq!(list["accounts"][1]["role"], "operator");

    let token = ["user", "token", "add", "bert", "--role", "operator", "--label", "wall", "--json"];
    let token = json(&campanile(data, &token));
    let above = ["user", "token", "add", "bert", "--role", "admin", "--label", "wall"];
    assert_eq!(campanile(data, &above).status.code(), Some(2));
    let id = token["info"]["id"].as_str().unwrap();
    json(&campanile(data, &["user", "token", "revoke", id, "--json"]));
    let class = json(&campanile(data, &["user", "class-code", "add", "--label", "7b", "--json"]));
    assert_eq!(class["code"].as_str().unwrap().len(), 11);
    let id = class["info"]["id"].as_str().unwrap();
    json(&campanile(data, &["user", "class-code", "revoke", id, "--json"]));
    json(&campanile(data, &["user", "remove", "bert", "--json"]));
    let last = campanile(data, &["user", "remove", "anna"]);
    assert!(String::from_utf8_lossy(&last.stderr).contains("last administrator"));

    let audit = campanile(data, &["audit", "export", "--format", "json"]);
    let audit = json(&audit);
    let acts: Vec<_> = audit.as_array().unwrap().iter().map(|e| e["act"].as_str().unwrap()).collect();
    assert_eq!(acts[..3], ["export", "account-remove", "class-revoke"]);
    assert!(audit.as_array().unwrap().iter().all(|e| e["actor"].as_str().unwrap().starts_with("machine:")));
    let csv = campanile(data, &["audit", "export", "--act", "account-add"]);
    assert_eq!(String::from_utf8(csv.stdout).unwrap().lines().count(), 3);
}

#[test]
fn a_folder_that_is_not_there_and_a_hub_that_is_too_open_are_told_with_their_mend() {
    let dir = tempfile::tempdir().unwrap();
    let gone = campanile(&dir.path().join("none"), &["user", "list"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(!dir.path().join("none").exists());
    let open = campanile(dir.path(), &["hub", "--listen", "0.0.0.0:0", "--broker-port", "0"]);
    assert_eq!(open.status.code(), Some(3));
    let said = String::from_utf8_lossy(&open.stderr).into_owned();
    assert!(said.contains("--sign-in") && said.contains("--tls"), "{said}");
}
