//! The hub at work: the live world, its gateway and store, and the API.
//!
//! [`Hub::start`] runs a campus: a broker or a link to one, the world's thread, the store, and HTTP + WebSocket on
//! loopback. [`DeviceRun`] publishes simulated devices at a broker. The API is described by [`openapi_json`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod catalogue;
mod clients;
mod hub;
mod keeper;
mod live;
mod metrics;
pub mod seams;
mod view;
mod ws;

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use campanile_formats::Grid;
use campanile_history::PointSpec;
use campanile_model::{Accumulation, Campus};
use tokio::sync::watch;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa_axum::router::OpenApiRouter;

pub use hub::{Broker, DeviceRun, Hub, HubConfig, HubError, StopSignal, host_port, weather};

/// The largest body of a request in bytes.
const MAX_BODY: usize = 64 * 1024;

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
    let (router, mut description) = OpenApiRouter::new().nest("/api/v1", api::router()).split_for_parts();
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

fn router(live: Arc<live::Live>) -> Router {
    let (router, description) = described();
    let text = description.to_pretty_json().unwrap_or_default();
    router
        .route("/api/v1/ws", get(ws::upgrade))
        .route(
            "/api/v1/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }),
        )
        .route("/metrics", get(metrics::metrics))
        .fallback(api::no_such_path)
        .method_not_allowed_fallback(api::no_such_method)
        .with_state(live)
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(axum::middleware::from_fn(only_from_here))
}

/// Without sign-in, a web page of elsewhere must not reach the hub through a browser on this machine: neither by a
/// cross-origin request nor by a name that it points at loopback.
async fn only_from_here(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let origin = headers.get(header::ORIGIN).map(|o| o.to_str().unwrap_or("?"));
    // Browsers say of requests without an origin, such as for a picture, whether another site's page makes them.
    let site = headers.get("sec-fetch-site").and_then(|h| h.to_str().ok());
    let from_here = host.is_none_or(is_loopback_name)
        && site != Some("cross-site")
        && origin.is_none_or(|o| o.split_once("://").is_some_and(|(_, host)| is_loopback_name(host)));
    if from_here {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "this hub answers only programs and pages of its own machine").into_response()
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn serve(
    listener: TcpListener,
    service: Router,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // Small frames must not wait for each other (Nagle); a failure costs latency only.
        let _ = stream.set_nodelay(true);
    });
    let mut grace = stop.clone();
    let served = axum::serve(listener, service).with_graceful_shutdown(async move {
        // The sender gone means stop too.
        let _ = stop.wait_for(|stop| *stop).await;
    });
    tokio::select! {
        served = served.into_future() => served,
        // Open sockets are given a moment, not for ever.
        () = async {
            let _ = grace.wait_for(|stop| *stop).await;
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        } => Ok(()),
    }
}

/// Ctrl-C or SIGTERM.
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
    fn only_loopback_names_are_from_here() {
        for (host, ok) in [
            ("127.0.0.1:7373", true),
            ("localhost", true),
            ("[::1]:7373", true),
            ("evil.example:7373", false),
            ("127.0.0.1.evil.example", false),
            ("192.168.1.4", false),
            ("", false),
        ] {
            assert_eq!(super::is_loopback_name(host), ok, "{host}");
        }
    }

    #[test]
    fn the_api_describes_itself() {
        let text = super::openapi_json();
        for part in ["/api/v1/history/buckets", "/api/v1/commands", "PointValue", "\"Campanile\""] {
            assert!(text.contains(part), "{part}");
        }
    }
}
