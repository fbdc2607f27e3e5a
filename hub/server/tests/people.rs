//! A running hub and people of every kind, well-meaning and not: what `docs/roles.md` and `docs/security.md` say.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_protocol::people::{AuditAnswer, Role};
use campanile_protocol::{ClientMessage, JsonValue, ServerMessage};
use campanile_server::{Broker, Hub, HubConfig, HubError, Tls};
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};

const PASSWORD: &str = "four words of somebody";

fn config(data: &Path) -> HubConfig {
    let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenes/shanghai-school");
    let campus = campanile_model::open(&scene).unwrap();
    HubConfig::new(Arc::new(campus), data.to_owned()).broker(Broker::None)
}

struct Answer {
    status: u16,
    body: Json,
    text: String,
    headers: Vec<(String, String)>,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn cookie(&self) -> String {
        self.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }

    fn text(&self, key: &str) -> String {
        self.body[key].as_str().unwrap_or_else(|| panic!("{key} in {}", self.text)).to_owned()
    }
}

/// What a client sends, to the byte.
fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // A hub that refuses early may have closed already.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|l| l.split(' ').nth(1)).and_then(|s| s.parse().ok()).unwrap_or(0);
    let headers =
        lines.filter_map(|l| l.split_once(": ")).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let body_json = serde_json::from_str(body).unwrap_or(Json::Null);
    Answer { status, body: body_json, text: text.clone(), headers }
}

#[derive(Clone, Copy)]
enum As<'a> {
    Nobody,
    Cookie(&'a str),
    Token(&'a str),
}

fn ask_with(hub: &Hub, method: &str, path: &str, who: As<'_>, extra: &str, body: &str) -> Answer {
    let address = hub.api_address();
    let proof = match who {
        As::Nobody => String::new(),
        As::Cookie(cookie) => format!("Cookie: {cookie}\r\n"),
        As::Token(token) => format!("Authorization: Bearer {token}\r\n"),
    };
    let host = if extra.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    let length = if method == "POST" {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    } else {
        String::new()
    };
    let request =
        format!("{method} {path} HTTP/1.1\r\n{host}{proof}{extra}{length}Connection: close\r\n\r\n{body}");
    raw(address, request.as_bytes())
}

fn get(hub: &Hub, path: &str, who: As<'_>) -> Answer {
    ask_with(hub, "GET", path, who, "", "")
}

fn post(hub: &Hub, path: &str, who: As<'_>, body: &Json) -> Answer {
    ask_with(hub, "POST", path, who, "", &body.to_string())
}

fn try_sign_in(hub: &Hub, name: &str, password: &str) -> Answer {
    post(hub, "/api/v1/sign-in", As::Nobody, &json!({"name": name, "password": password}))
}

/// Signs in with a one-time password, chooses another, and signs in with that; gives the cookie.
fn settle(hub: &Hub, name: &str, once: &str) -> String {
    let first = try_sign_in(hub, name, once);
    assert_eq!(first.status, 200, "{}", first.text);
    let cookie = first.cookie();
    let changed =
        post(hub, "/api/v1/me/password", As::Cookie(&cookie), &json!({"old": once, "new": PASSWORD}));
    assert_eq!(changed.status, 200, "{}", changed.text);
    sign_in(hub, name)
}

fn sign_in(hub: &Hub, name: &str) -> String {
    let answer = try_sign_in(hub, name, PASSWORD);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.cookie()
}

fn first_password(hub: &Hub) -> String {
    let text = std::fs::read_to_string(hub.first_sign_in().unwrap()).unwrap();
    text.lines().find_map(|line| line.strip_prefix("password: ")).unwrap().to_owned()
}

/// A hub that asks for sign-in, and its administrator's cookie.
fn hub() -> (tempfile::TempDir, Hub, String) {
    let data = tempfile::tempdir().unwrap();
    let hub = Hub::start(config(data.path()).sign_in(true)).unwrap();
    let admin = settle(&hub, "admin", &first_password(&hub));
    (data, hub, admin)
}

fn person(hub: &Hub, admin: &str, name: &str, role: Role) -> String {
    let made = post(hub, "/api/v1/people", As::Cookie(admin), &json!({"name": name, "role": role}));
    assert_eq!(made.status, 200, "{}", made.text);
    settle(hub, name, &made.text("password"))
}

fn student(hub: &Hub, teacher: &str) -> (String, String) {
    let class = json!({"label": "7b", "minutes": 45.0, "max_uses": 2});
    let class = post(hub, "/api/v1/classes", As::Cookie(teacher), &class);
    let joined = post(
        hub,
        "/api/v1/join",
        As::Nobody,
        &json!({"code": class.text("code").to_uppercase(), "nickname": "小明"}),
    );
    assert_eq!(joined.status, 200, "{}", joined.text);
    assert_eq!(joined.body["nickname"], "小明");
    (joined.cookie(), class.body["info"]["id"].as_str().unwrap().to_owned())
}

fn audit(hub: &Hub, admin: &str, query: &str) -> AuditAnswer {
    let answer = get(hub, &format!("/api/v1/audit?{query}"), As::Cookie(admin));
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_value(answer.body).unwrap()
}

#[test]
fn every_endpoint_answers_every_role_as_the_table_says() {
    let (_data, hub, admin) = hub();
    let mut cookies: Vec<(String, String)> = Role::ALL[1..6]
        .iter()
        .map(|role| (role.to_string(), person(&hub, &admin, role.name(), *role)))
        .collect();
    cookies.push(("student".to_owned(), student(&hub, &admin).0));
    cookies.push(("admin".to_owned(), admin.clone()));

    let table = include_str!("../../../docs/roles.md");
    let mut rows = table
        .lines()
        .filter(|l| l.starts_with("| "))
        .map(|l| l.trim_matches('|').split('|').map(str::trim).map(str::to_owned).collect::<Vec<_>>());
    let head = rows.find(|row| row[0] == "endpoint").unwrap();
    let (mut let_in, mut refused) = (0, 0);
    // Signing out comes last: it ends the sessions that the walk needs.
    let mut rows: Vec<_> = rows.filter(|row| row[0].starts_with('`')).collect();
    rows.sort_by_key(|row| row[0].contains("sign-out"));
    for row in &rows {
        let (method, path) = row[0].trim_matches('`').split_once(' ').unwrap();
        for (column, allowed) in head.iter().zip(row).skip(1) {
            let cookie = cookies.iter().find(|(role, _)| role == column).map(|(_, cookie)| cookie.as_str());
            let who = cookie.map_or(As::Nobody, As::Cookie);
            let answer = ask_with(&hub, method, path, who, "", "{}");
            let place = format!("{method} {path} as {column}: {} {}", answer.status, answer.text);
            if allowed == "✓" {
                assert!(answer.status != 0 && answer.status != 401 && answer.status != 403, "{place}");
                assert!(answer.status < 500 || path == "/api/v1/health", "{place}");
                if method == "GET"
                    && ![
                        "ws",
                        "value",
                        "range",
                        "buckets",
                        "/history/export.csv",
                        "health",
                        "/plugins/icon",
                        "/plugins/logs",
                        "/plugins/script",
                        "state",
                        "frames",
                        "report",
                    ]
                    .iter()
                    .any(|p| path.ends_with(p))
                {
                    assert_eq!(answer.status, 200, "{place}");
                }
                let_in += 1;
            } else if column == "unsigned" {
                assert_eq!((answer.status, answer.code()), (401, "sign-in-required"), "{place}");
                refused += 1;
            } else {
                assert_eq!((answer.status, answer.code()), (403, "not-allowed"), "{place}");
                refused += 1;
            }
        }
    }
    assert!(let_in > 100 && refused > 100, "{let_in} {refused}");
    // What is in no table is refused, and who has not signed in does not learn what there is.
    assert_eq!(get(&hub, "/api/v1/nothing", As::Nobody).status, 401);
    assert_eq!(ask_with(&hub, "DELETE", "/api/v1/people", As::Nobody, "", "").status, 401);
    let admin = sign_in(&hub, "admin");
    assert_eq!(get(&hub, "/api/v1/nothing", As::Cookie(&admin)).status, 404);
    assert_eq!(ask_with(&hub, "DELETE", "/api/v1/people", As::Cookie(&admin), "", "").status, 405);
    // Every refusal of somebody known is kept.
    let kept = audit(&hub, &admin, "act=refused&limit=1000").entries;
    assert!(
        kept.iter()
            .any(|e| e.actor.starts_with("student:") && e.detail["subject"] == "POST /api/v1/commands")
    );
    assert!(kept.iter().all(|e| e.from == "127.0.0.1"));
    // Who has not signed in learns nothing of the campus.
    let health = get(&hub, "/api/v1/health", As::Nobody);
    assert_eq!(health.body.as_object().unwrap().len(), 1, "{}", health.text);
    assert!(get(&hub, "/api/v1/health", As::Cookie(&admin)).body["campus"].is_string());
}

#[test]
fn the_first_administrator_signs_in_once_and_then_with_a_password_of_their_own() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let hub = Hub::start(config(data.path()).sign_in(true)).unwrap();
    let file = hub.first_sign_in().unwrap().to_owned();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let once = first_password(&hub);
    let signed = try_sign_in(&hub, "admin", &once);
    assert_eq!(signed.body["must_change_password"], true);
    let cookie = signed.cookie();
    let refused = get(&hub, "/api/v1/people", As::Cookie(&cookie));
    assert_eq!((refused.status, refused.code()), (403, "password-change-required"));
    for weak in ["short", "administrator-admin", &once] {
        let answer =
            post(&hub, "/api/v1/me/password", As::Cookie(&cookie), &json!({"old": once, "new": weak}));
        assert_eq!(answer.status, 422, "{weak}: {}", answer.text);
    }
    let admin = settle(&hub, "admin", &once);
    assert_eq!(get(&hub, "/api/v1/people", As::Cookie(&admin)).status, 200);
    assert_eq!(try_sign_in(&hub, "admin", &once).status, 401, "it worked once");
    assert!(!file.exists());
    hub.stop();
    // The next start knows the account, and asks to sign in anew.
    let hub = Hub::start(config(data.path()).sign_in(true)).unwrap();
    assert!(hub.first_sign_in().is_none());
    assert_eq!(get(&hub, "/api/v1/me", As::Cookie(&admin)).status, 401);
    sign_in(&hub, "admin");
}

#[test]
fn sessions_are_new_at_sign_in_and_end_with_sign_out_and_password() {
    let (_data, hub, admin) = hub();
    let answer = ask_with(
        &hub,
        "POST",
        "/api/v1/sign-in",
        As::Cookie("campanile=fixed-by-an-attacker"),
        "",
        &json!({"name": "admin", "password": PASSWORD}).to_string(),
    );
    let set = answer.header("set-cookie").unwrap().to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/"), "{set}");
    assert!(!set.contains("fixed-by-an-attacker") && !set.contains("Secure"), "{set}");
    assert_eq!(get(&hub, "/api/v1/me", As::Cookie("campanile=fixed-by-an-attacker")).status, 401);
    // Signing in again from a session replaces it.
    let body = json!({"name": "admin", "password": PASSWORD});
    let next = post(&hub, "/api/v1/sign-in", As::Cookie(&answer.cookie()), &body).cookie();
    assert_eq!(get(&hub, "/api/v1/me", As::Cookie(&answer.cookie())).status, 401);
    assert_eq!(get(&hub, "/api/v1/me", As::Cookie(&next)).status, 200);
    assert_eq!(post(&hub, "/api/v1/sign-out", As::Cookie(&next), &json!({})).status, 200);
    assert_eq!(get(&hub, "/api/v1/me", As::Cookie(&next)).status, 401);
    // A change of password ends the other sessions too.
    let other = sign_in(&hub, "admin");
    let body = json!({"old": PASSWORD, "new": "another four words"});
    assert_eq!(post(&hub, "/api/v1/me/password", As::Cookie(&other), &body).status, 200);
    for cookie in [&other, &admin] {
        assert_eq!(get(&hub, "/api/v1/me", As::Cookie(cookie)).status, 401);
    }
    assert_eq!(try_sign_in(&hub, "admin", PASSWORD).status, 401);
}

#[test]
fn nobody_learns_which_accounts_there_are_and_guessing_gets_slow() {
    let (_data, hub, _) = hub();
    let known = try_sign_in(&hub, "admin", "not the password");
    let unknown = try_sign_in(&hub, "nobody", "not the password");
    assert_eq!((known.status, &known.body), (401, &unknown.body));
    // The same work is done for both. Medians, generously: a shared machine jitters.
    let time = |name: &str| {
        let began = Instant::now();
        try_sign_in(&hub, name, "not the password");
        began.elapsed().as_secs_f64()
    };
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        a.push(time("admin"));
        b.push(time("nobody"));
    }
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    assert!(b[1] > 0.25 * a[1] && a[1] > 0.25 * b[1], "{a:?} {b:?}");
    let mut held = Vec::new();
    for name in ["admin", "nobody"] {
        for _ in 0..3 {
            let answer = try_sign_in(&hub, name, "not the password");
            held.push((answer.status, answer.header("retry-after").map(str::to_owned)));
        }
    }
    assert!(held[2].0 == 429 && held[2].1.is_some() && held[5].0 == 429, "{held:?}");
    // The right password does not help before the wait is over.
    assert_eq!(try_sign_in(&hub, "admin", PASSWORD).status, 429);
}

#[test]
fn tokens_do_no_more_than_their_owner_and_end_with_them() {
    let (_data, hub, admin) = hub();
    let anna = person(&hub, &admin, "anna", Role::Operator);
    let ask = |role: &str| json!({"label": "wall", "role": role, "days": 1.0});
    let made = post(&hub, "/api/v1/me/tokens", As::Cookie(&anna), &ask("operator"));
    let token = made.text("token");
    for role in ["admin", "manager", "trainer"] {
        let refused = post(&hub, "/api/v1/me/tokens", As::Cookie(&anna), &ask(role));
        assert_eq!((refused.status, refused.code()), (403, "not-allowed"), "{role}");
    }
    assert_eq!(get(&hub, "/api/v1/me", As::Token(&token)).body["actor"], "person:anna");
    // A token makes neither tokens nor passwords, and is nothing in an address or with a letter changed.
    assert_eq!(post(&hub, "/api/v1/me/tokens", As::Token(&token), &ask("viewer")).status, 403);
    let body = json!({"old": PASSWORD, "new": "another four words"});
    assert_eq!(post(&hub, "/api/v1/me/password", As::Token(&token), &body).status, 403);
    assert_eq!(get(&hub, &format!("/api/v1/me?token={token}"), As::Nobody).status, 401);
    assert_eq!(get(&hub, "/api/v1/me", As::Token(&token[..token.len() - 1])).status, 401);
    // A wrong token is not made good by a cookie.
    let both = format!("Cookie: {anna}\r\n");
    assert_eq!(ask_with(&hub, "GET", "/api/v1/me", As::Token("cmp_x_y"), &both, "").status, 401);
    // Rising by oneself.
    for (path, body) in [
        ("/api/v1/people/change", json!({"name": "anna", "role": "admin"})),
        ("/api/v1/people", json!({"name": "eve", "role": "admin"})),
        ("/api/v1/people/password", json!({"name": "admin"})),
    ] {
        assert_eq!(post(&hub, path, As::Cookie(&anna), &body).status, 403, "{path}");
    }
    // Another's token is not to be seen or ended.
    let bert = person(&hub, &admin, "bert", Role::Viewer);
    let id = made.body["info"]["id"].as_str().unwrap();
    assert_eq!(get(&hub, "/api/v1/me/tokens", As::Cookie(&bert)).body["tokens"], json!([]));
    assert_eq!(post(&hub, "/api/v1/me/tokens/revoke", As::Cookie(&bert), &json!({"id": id})).status, 404);
    // Less for the owner is less for the token, at once; and with the owner it goes.
    let change = |role: &str| json!({"name": "anna", "role": role, "reason": "test"});
    post(&hub, "/api/v1/people/change", As::Cookie(&admin), &change("viewer"));
    assert_eq!(get(&hub, "/api/v1/me", As::Token(&token)).status, 401);
    post(&hub, "/api/v1/people/change", As::Cookie(&admin), &change("operator"));
    assert_eq!(get(&hub, "/api/v1/me", As::Token(&token)).status, 200);
    assert_eq!(post(&hub, "/api/v1/people/remove", As::Cookie(&admin), &json!({"name": "anna"})).status, 200);
    assert_eq!(get(&hub, "/api/v1/me", As::Token(&token)).status, 401);
    assert_eq!(get(&hub, "/api/v1/me", As::Cookie(&anna)).status, 401);
    assert_eq!(
        post(&hub, "/api/v1/people/remove", As::Cookie(&admin), &json!({"name": "admin"})).status,
        409
    );
}

fn socket(
    hub: &Hub,
    header: Option<(&'static str, String)>,
) -> Result<tungstenite::WebSocket<tungstenite::stream::MaybeTlsStream<TcpStream>>, u16> {
    let mut request = format!("ws://{}/api/v1/ws", hub.api_address()).into_client_request().unwrap();
    if let Some((name, value)) = header {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match tungstenite::connect(request) {
        Ok((mut socket, _)) => {
            let hello = ClientMessage::hello("test").encode().unwrap();
            socket.send(Message::Text(hello.into())).unwrap();
            Ok(socket)
        }
        Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn a_student_looks_on_and_a_class_that_ends_lets_go() {
    let (_data, hub, admin) = hub();
    let teacher = person(&hub, &admin, "teacher", Role::Trainer);
    let (student, class) = student(&hub, &teacher);
    assert_eq!(get(&hub, "/api/v1/points", As::Cookie(&student)).status, 200);
    let mut socket = socket(&hub, Some(("cookie", student.clone()))).unwrap();
    let write = ClientMessage::Write {
        request: 9,
        point: campanile_protocol::Path::new("a/b").unwrap(),
        value: JsonValue::Number(1.0),
        priority: 8,
        expiry_s: None,
        reason: "for fun".into(),
    };
    socket.send(Message::Text(write.encode().unwrap().into())).unwrap();
    let (mut refused, mut ended) = (false, false);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        match socket.read() {
            Ok(Message::Text(text)) => match ServerMessage::decode(&text).unwrap() {
                ServerMessage::Welcome { actor, can_operate } => {
                    assert!(
                        actor.starts_with("student:") && !actor.contains("小明") && !can_operate,
                        "{actor}"
                    );
                }
                ServerMessage::Result { request: 9, ok, .. } => {
                    assert!(!ok);
                    refused = true;
                    let body = json!({"id": class});
                    assert_eq!(post(&hub, "/api/v1/classes/revoke", As::Cookie(&teacher), &body).status, 200);
                }
                _ => {}
            },
            Ok(_) => {}
            Err(_) => {
                ended = true;
                break;
            }
        }
    }
    assert!(refused && ended, "refused {refused}, ended {ended}");
    assert_eq!(get(&hub, "/api/v1/points", As::Cookie(&student)).status, 401);
    // The nickname went with the class; the audit record never had it.
    let kept = audit(&hub, &admin, "limit=1000");
    assert!(!serde_json::to_string(&kept).unwrap().contains("小明"));
    assert!(kept.entries.iter().any(|e| e.act == "join"));
    for (code, nickname, status) in
        [("aaaaa-aaaaa", "x", 401), ("a", "<script>", 422), ("a", "a\r\nb", 422), ("a", "", 422)]
    {
        let body = json!({"code": code, "nickname": nickname});
        assert_eq!(post(&hub, "/api/v1/join", As::Nobody, &body).status, status, "{nickname}");
    }
}

#[test]
fn refusals_are_said_in_the_language_of_who_asks_and_their_codes_stay() {
    let (_data, hub, admin) = hub();
    let chinese = "Accept-Language: zh-CN,zh;q=0.9,en;q=0.5\r\n";
    let wrong = json!({"name": "admin", "password": "wrong"}).to_string();
    let command = json!({"point": "no/where", "value": 1, "reason": "x"}).to_string();
    let shelve = json!({"alarm": "no/where:high", "for_s": 60.0, "reason": ""}).to_string();
    for (method, path, who, body, code, english, chinese_text) in [
        ("GET", "/api/v1/points", As::Nobody, "", "sign-in-required", "sign in", "登录"),
        ("POST", "/api/v1/sign-in", As::Nobody, &wrong, "wrong-sign-in", "do not belong together", "不符"),
        (
            "POST",
            "/api/v1/commands",
            As::Cookie(&admin),
            &command,
            "not-found",
            "no point 'no/where'",
            "没有点位",
        ),
        ("POST", "/api/v1/alarms/shelve", As::Cookie(&admin), &shelve, "reason", "give a reason", "请给出"),
        ("GET", "/api/v1/nothing", As::Cookie(&admin), "", "not-found", "there is no /api", "没有 /api"),
    ] {
        for (extra, words) in [("", english), (chinese, chinese_text)] {
            let answer = ask_with(&hub, method, path, who, extra, body);
            // Of an error the code, of a refusal the reason.
            let stays = answer.body["code"].as_str().or_else(|| answer.body["reason"].as_str());
            assert_eq!(stays, Some(code), "{path}: {}", answer.text);
            assert!(answer.text("message").contains(words), "{path}: {}", answer.text);
        }
    }

    let mut socket = socket(&hub, Some(("cookie", admin))).unwrap();
    let say = |socket: &mut tungstenite::WebSocket<_>, message: ClientMessage| {
        socket.send(Message::Text(message.encode().unwrap().into())).unwrap();
    };
    let mut answer = |language: Option<&str>, request| {
        if let Some(language) = language {
            say(&mut socket, ClientMessage::hello_in("test", language));
        }
        say(&mut socket, ClientMessage::Unshelve { request, alarm: "no/where:high".into() });
        loop {
            let Message::Text(text) = socket.read().unwrap() else { continue };
            match ServerMessage::decode(&text).unwrap() {
                ServerMessage::Result { request: of, message, .. } if of == request => return message,
                ServerMessage::Error { message, .. } => panic!("{message}"),
                _ => {}
            }
        }
    };
    assert_eq!(answer(None, 1), "there is no such alarm");
    assert_eq!(answer(Some("zh-CN"), 2), "没有此报警");
    assert_eq!(answer(Some("en"), 3), "there is no such alarm");
}

#[test]
fn a_class_takes_in_only_as_many_as_it_may() {
    let (_data, hub, admin) = hub();
    let class = json!({"label": "7b", "minutes": 45.0, "max_uses": 1});
    let code = post(&hub, "/api/v1/classes", As::Cookie(&admin), &class).text("code");
    let join = json!({"code": code, "nickname": "a"});
    assert_eq!(post(&hub, "/api/v1/join", As::Nobody, &join).status, 200);
    assert_eq!(post(&hub, "/api/v1/join", As::Nobody, &join).status, 401);
}

#[test]
fn a_socket_needs_somebody_and_ends_with_their_session() {
    let (_data, hub, admin) = hub();
    assert_eq!(socket(&hub, None).err(), Some(401));
    assert_eq!(socket(&hub, Some(("authorization", "Bearer cmp_a_b".into()))).err(), Some(401));
    let made = post(
        &hub,
        "/api/v1/me/tokens",
        As::Cookie(&admin),
        &json!({"label": "wall", "role": "viewer", "days": 1.0}),
    );
    let token = made.text("token");
    let mut with_token = socket(&hub, Some(("authorization", format!("Bearer {token}")))).unwrap();
    let mut with_cookie = socket(&hub, Some(("cookie", admin.clone()))).unwrap();
    let id = made.body["info"]["id"].clone();
    post(&hub, "/api/v1/me/tokens/revoke", As::Cookie(&admin), &json!({"id": id}));
    post(&hub, "/api/v1/sign-out", As::Cookie(&admin), &json!({}));
    for socket in [&mut with_token, &mut with_cookie] {
        let began = Instant::now();
        while socket.read().is_ok() {
            assert!(began.elapsed() < Duration::from_secs(10), "it is still open");
        }
    }
}

#[test]
fn pages_of_elsewhere_do_not_reach_the_hub_through_a_browser() {
    let data = tempfile::tempdir().unwrap();
    let open = Hub::start(config(data.path())).unwrap();
    let (_data, closed, admin) = hub();
    for (hub, who) in [(&open, As::Nobody), (&closed, As::Cookie(&admin))] {
        let port = hub.api_address().port();
        let own = format!("Origin: http://127.0.0.1:{port}\r\n");
        assert_eq!(ask_with(hub, "GET", "/api/v1/me", who, &own, "").status, 200);
        for foreign in [
            "Origin: https://evil.example\r\n".to_owned(),
            "Origin: null\r\n".to_owned(),
            // A page of another program on this machine.
            format!("Origin: http://127.0.0.1:{}\r\n", port ^ 1),
            format!("Origin: http://127.0.0.1:{port}.evil.example\r\n"),
            "Sec-Fetch-Site: cross-site\r\n".to_owned(),
            // DNS rebinding: the page's name points at loopback.
            format!("Host: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\n"),
            format!("Host: evil.example:{port}\r\n"),
            "Host: 127.0.0.1.evil.example\r\n".to_owned(),
        ] {
            for (method, path) in [
                ("GET", "/api/v1/me"),
                ("POST", "/api/v1/commands"),
                ("GET", "/api/v1/ws"),
                ("POST", "/api/v1/sign-in"),
            ] {
                let answer = ask_with(hub, method, path, who, &foreign, "{}");
                assert_eq!(
                    (answer.status, answer.code()),
                    (403, "wrong-origin"),
                    "{method} {path} {foreign}"
                );
            }
        }
        assert_eq!(socket(hub, Some(("origin", "https://evil.example".into()))).err(), Some(403));
    }
    // A form of another page can't send JSON; what it can send is no request.
    let answer = ask_with(&open, "POST", "/api/v1/people", As::Nobody, "X-A: b\r\n", "name=eve&role=admin");
    assert_eq!(answer.status, 400, "{}", answer.text);
    let form = format!(
        "POST /api/v1/people HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\nConnection: close\r\n\r\nname=eve",
        open.api_address()
    );
    assert_eq!(raw(open.api_address(), form.as_bytes()).status, 415);
}

#[test]
fn a_browser_is_served_pages_and_what_they_need_and_a_link_from_elsewhere_leads_to_them() {
    let data = tempfile::tempdir().unwrap();
    let web = tempfile::tempdir().unwrap();
    let named = "twin-0123456789abcdef.wasm";
    for (name, text) in [
        ("index.html", "<title>twin</title>"),
        (named, "whole"),
        ("twin-0123456789abcdef.wasm.br", "pressed"),
        ("notes.txt", "not for browsers"),
        (".hidden.js", "nor this"),
    ] {
        std::fs::write(web.path().join(name), text).unwrap();
    }
    std::fs::write(data.path().join("secret.js"), "secret").unwrap();
    std::os::unix::fs::symlink(data.path().join("secret.js"), web.path().join("link.js")).unwrap();
    std::fs::create_dir(web.path().join("deep")).unwrap();
    std::fs::write(web.path().join("deep/page.html"), "deep").unwrap();
    let (_data, plain, _) = hub();
    let full =
        Hub::start(config(&data.path().join("hub")).sign_in(true).web(Some(web.path().to_owned()))).unwrap();
    let page = |hub: &Hub, path: &str, headers: &str| ask_with(hub, "GET", path, As::Nobody, headers, "");
    for (hub, path, kind, has, cache) in [
        (&plain, "/", "text/html", "plain.js", "no-cache"),
        (&plain, "/plain.js", "text/javascript", "\"use strict\"", "no-cache"),
        (&plain, "/plain.css", "text/css", "color-scheme", "no-cache"),
        (&full, "/", "text/html", "<title>twin</title>", "no-cache"),
        (&full, "/plain", "text/html", "plain.js", "no-cache"),
        (&full, "/twin-0123456789abcdef.wasm", "application/wasm", "whole", "max-age=31536000"),
    ] {
        let answer = page(hub, path, "");
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text.contains(has), "{path}: {}", answer.text);
        assert!(answer.header("content-type").unwrap().starts_with(kind), "{path}");
        assert!(answer.header("cache-control").unwrap().contains(cache), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        // What has not changed does not come again.
        let tag = format!("If-None-Match: {}\r\n", answer.header("etag").unwrap());
        assert_eq!(page(hub, path, &tag).status, 304, "{path}");
        assert_eq!(ask_with(hub, "HEAD", path, As::Nobody, "", "").status, 200, "{path}");
        // There is nothing to be told to a page.
        assert_eq!(ask_with(hub, "POST", path, As::Nobody, "", "{}").status, 401, "{path}");
    }
    let pressed = page(&full, &format!("/{named}"), "Accept-Encoding: gzip, br\r\n");
    assert_eq!((pressed.header("content-encoding"), pressed.text.contains("pressed")), (Some("br"), true));
    assert_eq!(pressed.header("vary"), Some("accept-encoding"));
    for nothing in
        ["/notes.txt", "/.hidden.js", "/link.js", "/deep/page.html", "/../secret.js", "/index.html", "/deep"]
    {
        assert_eq!(page(&full, nothing, "").status, 401, "{nothing}");
    }
    // A link in a letter leads to the page; a picture or a frame of another site does not, and the API is as closed as ever.
    let from = |mode: &str, dest: &str| {
        format!("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\n")
    };
    for (path, mode, dest, status) in [
        ("/", "navigate", "document", 200),
        ("/plain", "navigate", "document", 200),
        ("/", "navigate", "iframe", 403),
        ("/", "no-cors", "image", 403),
        ("/plain.js", "no-cors", "script", 403),
        ("/api/v1/health", "navigate", "document", 403),
    ] {
        assert_eq!(page(&full, path, &from(mode, dest)).status, status, "{path} {mode} {dest}");
    }
    // By a name that points at loopback nothing comes.
    let port = full.api_address().port();
    assert_eq!(page(&full, "/", &format!("Host: evil.example:{port}\r\n")).status, 403);
}

#[test]
fn a_body_that_drips_is_not_waited_for() {
    let (_data, hub, _) = hub();
    let request = format!(
        "POST /api/v1/sign-in HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        hub.api_address()
    );
    let began = Instant::now();
    assert_eq!(raw(hub.api_address(), request.as_bytes()).status, 408);
    assert!(began.elapsed() < Duration::from_secs(25));
}

#[test]
fn what_is_too_large_or_malformed_is_refused_and_the_hub_goes_on() {
    let (_data, hub, admin) = hub();
    let big = "x".repeat(70_000);
    let body = json!({"name": big, "password": "x"}).to_string();
    assert_eq!(ask_with(&hub, "POST", "/api/v1/sign-in", As::Nobody, "", &body).status, 413);
    let chunked = "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let chunks = format!("{:x}\r\n{big}\r\n0\r\n\r\n", big.len());
    let request = format!(
        "POST /api/v1/sign-in HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{chunked}{chunks}",
        hub.api_address()
    );
    assert_eq!(raw(hub.api_address(), request.as_bytes()).status, 413);
    let long = format!("/api/v1/points?glob={}", "a".repeat(9_000));
    assert_eq!(get(&hub, &long, As::Cookie(&admin)).status, 414);
    let head = format!("X-Big: {}\r\n", "b".repeat(20_000));
    assert_eq!(ask_with(&hub, "GET", "/api/v1/me", As::Cookie(&admin), &head, "").status, 431);
    let many = "X-A: b\r\n".repeat(80);
    assert_eq!(ask_with(&hub, "GET", "/api/v1/me", As::Cookie(&admin), &many, "").status, 431);
    // Path traversal: only exact paths of the table are there.
    for path in [
        "/api/v1/../../etc/passwd",
        "/api/v1/scene.glb/../../../history.db",
        "/api/v1/%2e%2e/%2e%2e/history.db",
        "/first-sign-in.txt",
        "/api/v1//people",
        "/api/v1/people/",
        "//api/v1/people",
        "/API/v1/people",
        "/api/v1/health/../people",
    ] {
        assert_eq!(get(&hub, path, As::Nobody).status, 401, "{path}");
        assert_eq!(get(&hub, path, As::Cookie(&admin)).status, 404, "{path}");
    }
    let deep = format!("/api/v1/value?point={}", "..%2f..%2fetc%2fpasswd");
    assert!([400, 404].contains(&get(&hub, &deep, As::Cookie(&admin)).status));
    // SQL, JSON and header injection.
    for name in ["' OR 1=1 --", "admin'; DROP TABLE record; --", "admin\u{0}", "admin\r\nSet-Cookie: a=b"] {
        let answer = try_sign_in(&hub, name, "whatever it is");
        assert_eq!(answer.status, 401, "{name}");
        assert!(answer.header("set-cookie").is_none());
        let body = json!({"name": name, "role": "viewer"});
        assert_eq!(post(&hub, "/api/v1/people", As::Cookie(&admin), &body).status, 422, "{name}");
    }
    let found = audit(&hub, &admin, "actor=person%3Aadmin%27%20OR%20%271%27%3D%271");
    assert!(found.entries.is_empty());
    for body in [
        "{\"name\": \"a\", \"role\": \"viewer\", \"role\": \"admin\"}",
        "{\"name\": {\"$ne\": \"\"}, \"role\": \"admin\"}",
        "{\"name\": \"a\", \"role\": \"root\"}",
        "{\"name\": \"a\", \"role\": \"viewer\", \"must_change\": false}",
        "[[[[[[",
    ] {
        let answer = ask_with(&hub, "POST", "/api/v1/people", As::Cookie(&admin), "", body);
        assert!([400, 422].contains(&answer.status), "{body}: {}", answer.text);
    }
    let nested = "[".repeat(60_000);
    assert!(
        [400, 422]
            .contains(&ask_with(&hub, "POST", "/api/v1/people", As::Cookie(&admin), "", &nested).status)
    );
    // Two requests in one: a body whose length is told twice is not taken.
    let smuggled = format!(
        "POST /api/v1/sign-out HTTP/1.1\r\nHost: {}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /api/v1/people HTTP/1.1\r\n\r\n",
        hub.api_address()
    );
    let answer = raw(hub.api_address(), smuggled.as_bytes());
    assert!(!answer.text.contains("200 OK"), "{}", answer.text);
    assert_eq!(get(&hub, "/api/v1/me", As::Cookie(&admin)).status, 200, "and the hub goes on");
}

#[test]
fn every_answer_has_the_headers_that_keep_browsers_careful() {
    let (_data, hub, admin) = hub();
    for (path, who) in [
        ("/api/v1/health", As::Nobody),
        ("/api/v1/people", As::Nobody),
        ("/api/v1/people", As::Cookie(&admin)),
    ] {
        let answer = get(&hub, path, who);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    }
}

#[test]
fn what_was_done_is_kept_with_who_why_and_from_where() {
    let (_data, hub, admin) = hub();
    try_sign_in(&hub, "admin", "not the password");
    try_sign_in(&hub, "my-password-by-mistake", "not the password");
    let body = json!({"name": "anna", "role": "operator", "reason": "=cmd|' /C calc'!A0"});
    post(&hub, "/api/v1/people", As::Cookie(&admin), &body);
    let all = audit(&hub, &admin, "limit=1000").entries;
    let of = |act: &str| all.iter().filter(|e| e.act == act).collect::<Vec<_>>();
    let added = of("account-add")[0];
    assert_eq!((added.actor.as_str(), added.from.as_str()), ("person:admin", "127.0.0.1"));
    assert_eq!((&added.detail["subject"], &added.detail["before"]), (&json!("anna"), &Json::Null));
    assert_eq!(added.detail["after"]["role"], "operator");
    assert_eq!(
        of("sign-in-failed").iter().map(|e| e.actor.as_str()).collect::<Vec<_>>(),
        ["unknown", "person:admin"]
    );
    assert!(!of("sign-in").is_empty() && !of("password").is_empty());
    let text = serde_json::to_string(&all).unwrap();
    for secret in ["argon2id", "my-password", PASSWORD] {
        assert!(!text.contains(secret), "{secret}");
    }
    let csv = get(&hub, "/api/v1/audit/export.csv?act=account-add", As::Cookie(&admin));
    assert!(csv.text.contains("\"'=cmd|"), "no formula: {}", csv.text);
    assert_eq!(audit(&hub, &admin, "act=export").entries[0].detail["subject"], "/api/v1/audit/export.csv");
    // By pages.
    let first = audit(&hub, &admin, "limit=2");
    let second = audit(&hub, &admin, &format!("limit=2&before={}", first.next.unwrap()));
    assert!(first.entries[1].id > second.entries[0].id);
}

#[test]
fn requests_without_end_are_slowed() {
    let (_data, hub, _) = hub();
    let statuses: Vec<u16> = (0..1500).map(|_| get(&hub, "/api/v1/people", As::Nobody).status).collect();
    assert!(statuses.contains(&429), "1500 requests at once were answered");
}

#[test]
fn a_hub_that_others_reach_asks_for_sign_in_and_tls() {
    let data = tempfile::tempdir().unwrap();
    let wide: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let start =
        |sign_in: bool, tls: Tls| Hub::start(config(data.path()).listen(wide).sign_in(sign_in).tls(tls));
    for (sign_in, tls) in [(false, Tls::Off), (true, Tls::Off), (false, Tls::SelfSigned)] {
        let why = start(sign_in, tls).err().unwrap();
        assert!(matches!(why, HubError::Exposed(_)) && why.to_string().contains("--tls"), "{why}");
    }
    let hub = start(true, Tls::SelfSigned).unwrap();
    assert!(hub.url().starts_with("https://"));
    let (name, once) = ("admin", first_password(&hub));
    let body = json!({"name": name, "password": once}).to_string();
    let address = SocketAddr::from(([127, 0, 0, 1], hub.api_address().port()));
    let head = "POST /api/v1/sign-in HTTP/1.1\r\nHost: school.example\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    // Without TLS nothing is said.
    assert!(!raw(address, request.as_bytes()).text.contains("campanile"));
    let cert = data.path().join("tls-self-signed.pem");
    let text = over_tls(address, &cert, request.as_bytes());
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let cookie = text.lines().find(|l| l.to_lowercase().starts_with("set-cookie")).unwrap();
    assert!(
        cookie.contains("__Host-campanile=") && cookie.contains("; Secure"),
        "the cookie goes over TLS only"
    );
    assert!(text.contains("strict-transport-security"));
}

fn over_tls(address: SocketAddr, cert: &Path, request: &[u8]) -> String {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(cert).unwrap()).unwrap();
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_secret_is_in_the_log_even_where_everything_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        // The WebSocket's client is this test itself, not the hub.
        .with_env_filter("trace,tungstenite::handshake::client=off")
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let data = tempfile::tempdir().unwrap();
    let hub = Hub::start(config(data.path()).sign_in(true)).unwrap();
    let once = first_password(&hub);
    let admin = settle(&hub, "admin", &once);
    try_sign_in(&hub, "admin", "a wrong one of mine");
    let ask = json!({"label": "wall", "role": "viewer", "days": 1.0});
    let token = post(&hub, "/api/v1/me/tokens", As::Cookie(&admin), &ask).text("token");
    get(&hub, "/api/v1/me", As::Token(&token));
    let _socket = socket(&hub, Some(("authorization", format!("Bearer {token}")))).unwrap();
    let class = json!({"label": "7b", "minutes": 45.0, "max_uses": 2});
    let code = post(&hub, "/api/v1/classes", As::Cookie(&admin), &class).text("code");
    let joined = post(&hub, "/api/v1/join", As::Nobody, &json!({"code": code, "nickname": "gruffalo"}));
    let session = admin.split_once('=').unwrap().1.to_owned();
    let student = joined.cookie().split_once('=').unwrap().1.to_owned();
    hub.stop();
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.len() > 1000, "the log has something");
    let stored = std::fs::read(data.path().join("history.db")).unwrap();
    let stored = String::from_utf8_lossy(&stored).into_owned();
    for secret in [once.as_str(), PASSWORD, "a wrong one", &token, &code, &session, &student, "gruffalo"] {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "the log has {secret}: {line:?}");
        assert!(!stored.contains(secret), "the store has {secret}");
    }
    assert!(!text.contains("$argon2id"));
}
