//! Metrics in the text format of Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::live::Live;

/// All metrics as of now.
pub async fn metrics(State(live): State<Arc<Live>>) -> Response {
    let state = live.hub_state();
    let mut registry = Registry::with_prefix("campanile");
    let mut count =
        |name: &str, help: &str, value: u64| registry.register(name, help, ConstCounter::new(value));
    count("samples", "Samples taken in", state.samples);
    count("samples_refused", "Samples of a wrong type or of no point", live.refused.load(Ordering::Relaxed));
    count("messages_malformed", "Messages of the field that could not be read", state.malformed);
    count("messages_unknown", "Messages of topics that nothing is bound to", state.unknown_topics);
    count("deltas_conflated", "Deltas merged because a client was slow", live.clients.conflated());
    let (commits, commit_time) = live.history.commits();
    count("commits", "Commits of the history", commits);
    registry.register(
        "commit_seconds",
        "How long the commits of the history took together",
        ConstCounter::new(commit_time.as_secs_f64()),
    );
    let mut level =
        |name: &str, help: &str, value: i64| registry.register(name, help, ConstGauge::new(value));
    level("points", "Points of the campus", i64::from(state.points));
    level(
        "points_stale",
        "Points whose value is stale or has never come; not what a plugin is still to derive",
        i64::from(state.stale_points),
    );
    level(
        "history_queue",
        "Submissions that wait for a commit",
        i64::try_from(state.history_queue).unwrap_or(i64::MAX),
    );
    level(
        "history_failures",
        "Commits and compressions of the history that have failed",
        i64::try_from(live.history.failures()).unwrap_or(i64::MAX),
    );
    level(
        "history_bytes",
        "Bytes that the history takes on the disk",
        i64::try_from(live.history.bytes()).unwrap_or(i64::MAX),
    );
    level(
        "history_damaged",
        "Files and chunks of the history that are damaged or missing",
        i64::try_from(live.history.damage().len()).unwrap_or(i64::MAX),
    );
    level("clients", "Open WebSockets", i64::from(state.clients));
    level(
        "subscriptions",
        "Subscriptions of clients",
        i64::try_from(live.clients.count()).unwrap_or(i64::MAX),
    );
    level(
        "alarms",
        "Alarms that are not normal",
        i64::try_from(live.view().alarms.len()).unwrap_or(i64::MAX),
    );
    level(
        "field_connected",
        "Whether the gateway is connected to its broker",
        i64::from(live.gateway_connected()),
    );
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => {
            ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
                .into_response()
        }
        Err(why) => {
            tracing::error!(%why, "metrics can't be written");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
