//! Who may do what: one table of endpoints and one of roles. The guard refuses what is not in them, `docs/roles.md`
//! prints them, and the tests walk them.

use axum::http::Method;
use campanile_protocol::ClientMessage;
use campanile_protocol::people::Role;

/// What an endpoint needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Nothing: anybody may ask.
    Open,
    /// Being signed in, as a student too.
    Session,
    /// Having an account.
    Account,
    /// Looking at the campus.
    Look,
    /// Taking history away as a file.
    Export,
    /// Seeing what the field and the hub say of themselves.
    Diagnose,
    /// Dealing with alarms.
    Alarms,
    /// Commanding real devices.
    Command,
    /// Rehearsing: drills and their worlds, which touch nothing real.
    Rehearse,
    /// Laying packages of plugins in the hub, where they do nothing before they are approved.
    Deliver,
    /// Approving, changing and removing plugins.
    Plugins,
    /// Opening classes.
    Classes,
    /// Reading the audit record.
    Audit,
    /// Making and changing accounts.
    People,
}

use Permission as P;

/// What each role may do beyond what is open to all: what another may, and more. Students can touch nothing real.
const ROLES: [(Role, Option<Role>, &[Permission]); 7] = [
    (Role::Student, None, &[P::Session, P::Look]),
    (Role::Viewer, Some(Role::Student), &[P::Account]),
    (Role::Vendor, Some(Role::Viewer), &[P::Diagnose, P::Deliver]),
    (Role::Trainer, Some(Role::Viewer), &[P::Export, P::Rehearse, P::Classes]),
    (Role::Operator, Some(Role::Vendor), &[P::Export, P::Alarms, P::Command, P::Rehearse]),
    (Role::Manager, Some(Role::Operator), &[P::Classes, P::Audit, P::Plugins]),
    (Role::Admin, Some(Role::Manager), &[P::People]),
];

/// Whether a role may.
pub fn may(role: Role, needs: Permission) -> bool {
    let row = ROLES.iter().find(|(of, ..)| *of == role);
    let has = |(_, as_other, more): &(Role, Option<Role>, &[Permission])| {
        more.contains(&needs) || as_other.is_some_and(|other| may(other, needs))
    };
    needs == P::Open || row.is_some_and(has)
}

/// Whether `lesser` may do nothing that `role` may not. Each permission is that of an endpoint.
pub fn includes(role: Role, lesser: Role) -> bool {
    ROUTES.iter().all(|route| may(role, route.needs) || !may(lesser, route.needs))
}

/// An endpoint and what it needs.
#[derive(Debug)]
pub struct Route {
    /// GET or POST.
    pub method: Method,
    /// The path.
    pub path: &'static str,
    /// What it needs.
    pub needs: Permission,
    /// Whether it is a taking away that the audit record names; what is changed is named where it changes.
    pub export: bool,
}

const fn get(path: &'static str, needs: Permission) -> Route {
    Route { method: Method::GET, path, needs, export: false }
}

const fn export(path: &'static str, needs: Permission) -> Route {
    Route { method: Method::GET, path, needs, export: true }
}

const fn post(path: &'static str, needs: Permission) -> Route {
    Route { method: Method::POST, path, needs, export: false }
}

/// Every endpoint. What is not here is refused, even if a handler is there.
pub const ROUTES: &[Route] = &[
    get("/api/v1/health", P::Open),
    post("/api/v1/sign-in", P::Open),
    post("/api/v1/join", P::Open),
    post("/api/v1/sign-out", P::Session),
    get("/api/v1/me", P::Session),
    post("/api/v1/me/password", P::Account),
    get("/api/v1/me/tokens", P::Account),
    post("/api/v1/me/tokens", P::Account),
    post("/api/v1/me/tokens/revoke", P::Account),
    get("/api/v1/openapi.json", P::Session),
    get("/api/v1/ws", P::Look),
    get("/api/v1/catalogue", P::Look),
    get("/api/v1/scene.glb", P::Look),
    get("/api/v1/points", P::Look),
    get("/api/v1/value", P::Look),
    get("/api/v1/history/range", P::Look),
    get("/api/v1/history/buckets", P::Look),
    export("/api/v1/history/export.csv", P::Export),
    get("/api/v1/alarms", P::Look),
    get("/api/v1/alarms/journal", P::Look),
    post("/api/v1/alarms/acknowledge", P::Alarms),
    post("/api/v1/alarms/shelve", P::Alarms),
    post("/api/v1/alarms/unshelve", P::Alarms),
    post("/api/v1/alarms/out-of-service", P::Alarms),
    post("/api/v1/alarms/return-to-service", P::Alarms),
    get("/api/v1/commands", P::Look),
    post("/api/v1/commands", P::Command),
    post("/api/v1/commands/relinquish", P::Command),
    get("/api/v1/drills", P::Look),
    get("/api/v1/rehearsals", P::Look),
    post("/api/v1/rehearsals", P::Rehearse),
    get("/api/v1/rehearsals/state", P::Look),
    get("/api/v1/rehearsals/frames", P::Look),
    get("/api/v1/rehearsals/report", P::Look),
    post("/api/v1/rehearsals/pace", P::Rehearse),
    post("/api/v1/rehearsals/act", P::Rehearse),
    post("/api/v1/rehearsals/decide", P::Rehearse),
    post("/api/v1/rehearsals/branch", P::Rehearse),
    post("/api/v1/rehearsals/save", P::Rehearse),
    post("/api/v1/rehearsals/end", P::Rehearse),
    get("/api/v1/plugins", P::Look),
    get("/api/v1/plugins/icon", P::Look),
    get("/api/v1/plugins/panels", P::Look),
    post("/api/v1/plugins/panel", P::Look),
    get("/api/v1/plugins/logs", P::Diagnose),
    get("/api/v1/plugins/script", P::Diagnose),
    get("/api/v1/plugins/trust", P::Diagnose),
    post("/api/v1/plugins/packages", P::Deliver),
    post("/api/v1/plugins/approve", P::Plugins),
    post("/api/v1/plugins/stop", P::Plugins),
    post("/api/v1/plugins/start", P::Plugins),
    post("/api/v1/plugins/remove", P::Plugins),
    post("/api/v1/plugins/settings", P::Plugins),
    post("/api/v1/plugins/script", P::Plugins),
    post("/api/v1/plugins/trust", P::Plugins),
    get("/api/v1/gateway", P::Diagnose),
    get("/metrics", P::Diagnose),
    get("/api/v1/classes", P::Classes),
    post("/api/v1/classes", P::Classes),
    post("/api/v1/classes/revoke", P::Classes),
    get("/api/v1/audit", P::Audit),
    export("/api/v1/audit/export.csv", P::Audit),
    export("/api/v1/audit/export.json", P::Audit),
    get("/api/v1/people", P::People),
    post("/api/v1/people", P::People),
    post("/api/v1/people/change", P::People),
    post("/api/v1/people/password", P::People),
    post("/api/v1/people/remove", P::People),
    get("/api/v1/people/tokens", P::People),
    post("/api/v1/people/tokens/revoke", P::People),
];

/// How a request stands to the table.
pub enum Found {
    /// It is there.
    Route(&'static Route),
    /// The path is there, but not with this method.
    OtherMethod,
    /// It is not there.
    Nothing,
}

/// Looks a request up; HEAD is a GET whose body nobody wants.
pub fn find(method: &Method, path: &str) -> Found {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut there = Found::Nothing;
    for route in ROUTES.iter().filter(|route| route.path == path) {
        if route.method == *method {
            return Found::Route(route);
        }
        there = Found::OtherMethod;
    }
    there
}

/// What a message of the WebSocket needs: on a world that is `real`, or in a rehearsal.
pub fn message_needs(message: &ClientMessage, real: bool) -> Permission {
    match message {
        ClientMessage::Hello { .. }
        | ClientMessage::Subscribe(_)
        | ClientMessage::SubscribeLayer(_)
        | ClientMessage::Seek { .. }
        | ClientMessage::Unsubscribe { .. } => P::Look,
        _ if !real => P::Rehearse,
        ClientMessage::Acknowledge { .. } | ClientMessage::Shelve { .. } | ClientMessage::Unshelve { .. } => {
            P::Alarms
        }
        // What acts, and what is added later and is not named here, needs the most.
        _ => P::Command,
    }
}

/// The tables as Markdown, for `docs/roles.md`.
pub fn markdown() -> String {
    let mut text = String::from("| endpoint | unsigned |");
    Role::ALL.iter().for_each(|role| text += &format!(" {role} |"));
    text += "\n|---|---|";
    Role::ALL.iter().for_each(|_| text += "---|");
    text.push('\n');
    let tick = |yes: bool| if yes { " ✓ |" } else { " – |" };
    for Route { method, path, needs, .. } in ROUTES {
        text += &format!("| `{method} {path}` |{}", tick(*needs == P::Open));
        Role::ALL.iter().for_each(|role| text += tick(may(*role, *needs)));
        text.push('\n');
    }
    for (name, needs) in [
        ("subscribe, subscribe-layer, seek, unsubscribe", P::Look),
        ("acknowledge, shelve, unshelve", P::Alarms),
        ("write, relinquish, and all others", P::Command),
        ("all others, in a rehearsal", P::Rehearse),
    ] {
        text += &format!("| WebSocket: {name} |{}", tick(false));
        Role::ALL.iter().for_each(|role| text += tick(may(*role, needs)));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_endpoint_of_the_description_and_no_other() {
        let described: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        let mut described: Vec<String> = described["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(move |m| format!("{} {path}", m.to_uppercase()))
            })
            .collect();
        // These three are described in words, not by OpenAPI.
        described.extend(["/api/v1/ws", "/api/v1/openapi.json", "/metrics"].map(|p| format!("GET {p}")));
        described.sort();
        let mut table: Vec<String> = ROUTES.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
        table.sort();
        assert_eq!(table, described);
    }

    #[test]
    fn the_guide_prints_the_table() {
        let guide = include_str!("../../../docs/roles.md");
        let table = markdown();
        assert!(guide.contains(&table), "put this into docs/roles.md:\n{table}");
    }

    #[test]
    fn students_touch_nothing_real_and_nobody_rises_by_a_token() {
        for needs in [
            P::Plugins,
            P::Deliver,
            P::Alarms,
            P::Command,
            P::Export,
            P::Account,
            P::People,
            P::Audit,
            P::Diagnose,
        ] {
            assert!(!may(Role::Student, needs), "{needs:?}");
        }
        assert!(Role::ALL.iter().all(|role| includes(Role::Admin, *role) && includes(*role, *role)));
        assert!(!includes(Role::Trainer, Role::Operator) && !includes(Role::Operator, Role::Trainer));
        assert!(!includes(Role::Manager, Role::Admin) && !includes(Role::Viewer, Role::Vendor));
    }
}
