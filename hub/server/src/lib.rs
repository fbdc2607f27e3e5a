//! The hub at work: the live world, its gateway and store, and the API.
//!
//! [`Hub::start`] runs a campus: a broker or a link to one, the world's thread, the store, and HTTP + WebSocket behind a
//! door that knows people, roles and limits. [`DeviceRun`] publishes simulated devices at a broker. The API is described by [`openapi_json`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod catalogue;
mod channel;
mod clients;
mod hub;
mod journal;
mod keeper;
mod large;
mod limits;
mod live;
mod lookback;
mod metrics;
mod pages;
mod past;
mod people;
mod plugins;
mod rehearsals;
mod retention;
mod roles;
pub mod seams;
mod serve;
mod tls;
mod view;
mod words;
mod ws;
mod ws_layers;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use campanile_formats::Grid;
use campanile_history::PointSpec;
use campanile_model::{Accumulation, Campus};
use utoipa_axum::router::OpenApiRouter;

pub use limits::Limits;
pub use pages::shipped_dir as web_dir;
pub use past::{Made, make_past};
pub use people::{AccountsFolder, PeopleError};
pub use roles::markdown as roles_markdown;
pub use tls::Tls;

pub use hub::{Broker, DeviceRun, Hub, HubConfig, HubError, StopSignal, host_port, weather};

/// The name and version that the hub goes by.
fn server_name() -> String {
    format!("campanile {}", env!("CARGO_PKG_VERSION"))
}

/// The points of a campus as the store has to know them.
pub fn point_specs(campus: &Campus) -> Vec<PointSpec> {
    let accumulation = |a| match a {
        Accumulation::Gauge => campanile_history::Accumulation::Gauge,
        Accumulation::Counter { rollover } => campanile_history::Accumulation::Counter { rollover },
        Accumulation::Interval => campanile_history::Accumulation::Interval,
    };
    let spec = |p: &campanile_model::Point| PointSpec {
        id: p.id,
        path: p.path.clone(),
        resolution: p.resolution,
        accumulation: accumulation(p.accumulation),
        value_type: p.value_type,
    };
    campus.points.iter().map(spec).collect()
}

/// Reads the terrain that a campus names, if it names one.
///
/// # Errors
/// Where the file can't be read.
pub fn terrain(campus: &Campus) -> Result<Option<Grid>, HubError> {
    let Some(name) = &campus.plan.terrain else { return Ok(None) };
    let path = campus.root_dir.join(name);
    let bytes =
        std::fs::read(&path).map_err(|why| HubError::Terrain(format!("{}: {why}", path.display())))?;
    let grid = campanile_formats::geotiff::read(&bytes)
        .map_err(|why| HubError::Terrain(format!("{}: {why}", path.display())))?;
    Ok(Some(grid))
}

fn described() -> (Router<Arc<live::Live>>, utoipa::openapi::OpenApi) {
    let (router, mut description) = OpenApiRouter::new()
        .nest(
            "/api/v1",
            api::router().merge(people::router()).merge(plugins::router()).merge(rehearsals::router()),
        )
        .split_for_parts();
    description.info = utoipa::openapi::InfoBuilder::new()
        .title("Campanile")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The hub of a campus. Times are microseconds since 1970 UTC; units are UCUM; paths go in the query string. \
             The WebSocket is /api/v1/ws: JSON for control, binary columnar frames for values.",
        ))
        .build();
    (router, description)
}

/// The OpenAPI description of the API as JSON.
pub fn openapi_json() -> String {
    described().1.to_pretty_json().unwrap_or_default()
}

fn router(
    live: Arc<live::Live>,
    door: Arc<people::Door>,
    plugins: Arc<plugins::Plugins>,
    rehearsals: Arc<rehearsals::Rehearsals>,
) -> Router {
    let (router, description) = described();
    let text = description.to_pretty_json().unwrap_or_default();
    router
        .route("/api/v1/ws", get(ws::upgrade))
        .route(
            "/api/v1/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }),
        )
        .route("/metrics", get(metrics::metrics))
        .fallback(pages::page)
        .method_not_allowed_fallback(api::no_such_method)
        .with_state(live)
        .layer(axum::Extension(door.pages.clone()))
        .layer(axum::Extension(door.people.clone()))
        .layer(axum::Extension(plugins))
        .layer(axum::Extension(rehearsals))
        .layer(axum::middleware::from_fn_with_state(door, people::guard))
}

/// Ctrl-C and SIGTERM.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_description_says_where_each_parameter_goes_and_what_each_answer_means() {
        let text: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        let mut parameters = 0;
        for (path, methods) in text["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    assert_eq!(parameter["in"], "query", "{method} {path}");
                    parameters += 1;
                }
                for (status, answer) in operation["responses"].as_object().unwrap() {
                    assert!(
                        !answer["description"].as_str().unwrap_or("").is_empty(),
                        "{method} {path} {status}"
                    );
                }
            }
        }
        assert!(parameters > 10, "{parameters}");
        assert!(!text.to_string().contains("[`"), "a reader of the API knows no Rust");
    }

    #[test]
    fn the_api_describes_itself() {
        let text = super::openapi_json();
        for part in ["/api/v1/history/buckets", "/api/v1/commands", "PointValue", "\"Campanile\""] {
            assert!(text.contains(part), "{part}");
        }
    }
}
