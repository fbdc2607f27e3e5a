//! The REST API under `/api/v1`, with its OpenAPI description.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use campanile_history::HistoryError;
use campanile_model::{Accumulation, PointId, Timestamp};
use campanile_protocol::rest::{
    AcknowledgeRequest, AlarmRequest, AlarmsAnswer, ApiError, Bucket, BucketsAnswer, BucketsQuery,
    CommandRequest, CommandsAnswer, CommandsQuery, ExportQuery, Health, JournalAnswer, JournalQuery,
    OutOfServiceRequest, Outcome, PointValue, PointWithValue, PointsAnswer, PointsQuery, RangeAnswer,
    RangeQuery, Reading, RelinquishRequest, ShelveRequest, ValueQuery,
};
use campanile_protocol::{Catalogue, CommandState, ErrorCode, JsonValue, Path, RejectReason, limits};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::keeper::ALARM_JOURNAL;
use crate::live::{AlarmAct, Live};
use crate::people::Caller;
use crate::seams::Store;
use crate::words::say;

/// Everything under `/api/v1` but the WebSocket.
pub fn router() -> OpenApiRouter<Arc<Live>> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(catalogue))
        .routes(routes!(scene))
        .routes(routes!(points))
        .routes(routes!(value))
        .routes(routes!(range))
        .routes(routes!(buckets))
        .routes(routes!(export))
        .routes(routes!(alarms))
        .routes(routes!(journal))
        .routes(routes!(acknowledge))
        .routes(routes!(shelve))
        .routes(routes!(unshelve))
        .routes(routes!(out_of_service))
        .routes(routes!(return_to_service))
        .routes(routes!(commands, command))
        .routes(routes!(relinquish))
        .routes(routes!(field))
}

/// An error on its way to the client.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    body: ApiError,
    /// Seconds to wait before the next attempt.
    retry_after_s: Option<u64>,
}

impl Failure {
    /// An error with its status.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, body: ApiError { code, message: message.into() }, retry_after_s: None }
    }

    /// Says how many seconds to wait before the next attempt.
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::Malformed, message)
    }

    /// A fault of the hub, which its log tells.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!(%why, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, say("internal", &[]))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        answer
    }
}

impl From<HistoryError> for Failure {
    fn from(why: HistoryError) -> Self {
        match why {
            HistoryError::NotAMeter { .. } => Self::malformed(why.to_string()),
            other => Self::internal(other),
        }
    }
}

/// A JSON body, refused in the API's own words.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Failure))]
pub struct Body<T>(pub T);

impl From<JsonRejection> for Failure {
    fn from(why: JsonRejection) -> Self {
        Self::new(why.status(), ErrorCode::Malformed, say("malformed", &[("why", &why.body_text())]))
    }
}

/// A query string, refused in the API's own words.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(Failure))]
pub struct Ask<T>(pub T);

impl From<QueryRejection> for Failure {
    fn from(why: QueryRejection) -> Self {
        Self::new(why.status(), ErrorCode::Malformed, say("malformed", &[("why", &why.body_text())]))
    }
}

type Live_ = State<Arc<Live>>;

fn find(live: &Live, path: &Path) -> Result<PointId, Failure> {
    let missing = || Failure::not_found(say("not-found-point", &[("point", path)]));
    live.campus.point_id(path.as_str()).ok_or_else(missing)
}

/// Runs a query of the store away from the tasks that serve sockets.
pub async fn ask_store<T: Send + 'static>(
    live: Arc<Live>,
    ask: impl FnOnce(&dyn Store) -> Result<T, HistoryError> + Send + 'static,
) -> Result<T, Failure> {
    let answer =
        tokio::task::spawn_blocking(move || ask(live.history.as_ref())).await.map_err(Failure::internal)?;
    Ok(answer?)
}

/// How the hub is; of that only `ok` where nobody is signed in.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "The answer", body = Health), (status = 503, description = "The hub is too busy, or not doing its work; try again", body = Health)))]
async fn health(State(live): Live_, caller: Option<Extension<Caller>>) -> Response {
    let health = live.health();
    let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if caller.is_none() {
        // Who has not signed in learns whether it works, and nothing of the campus.
        return (status, Json(serde_json::json!({"ok": health.ok}))).into_response();
    }
    (status, Json(health)).into_response()
}

/// The campus: entities and points.
#[utoipa::path(get, path = "/catalogue", responses((status = 200, description = "The answer", body = Catalogue)))]
async fn catalogue(State(live): Live_, asked: HeaderMap) -> Result<Response, Failure> {
    let answer = move || live.catalogue_json.answer(&asked, "application/json");
    tokio::task::spawn_blocking(answer).await.map_err(Failure::internal)
}

/// The 3D scene as binary glTF.
#[utoipa::path(get, path = "/scene.glb", responses((status = 200, description = "The answer", content_type = "model/gltf-binary", body = Vec<u8>)))]
async fn scene(State(live): Live_, asked: HeaderMap) -> Result<Response, Failure> {
    let answer = move || live.scene().map(|scene| scene.answer(&asked, "model/gltf-binary"));
    tokio::task::spawn_blocking(answer).await.map_err(Failure::internal)?.map_err(Failure::internal)
}

/// Points by a glob over their paths, with their readings.
#[utoipa::path(get, path = "/points", params(PointsQuery), responses((status = 200, description = "The answer", body = PointsAnswer), (status = 400, description = "The request could not be understood", body = ApiError)))]
async fn points(State(live): Live_, Ask(query): Ask<PointsQuery>) -> Result<Json<PointsAnswer>, Failure> {
    let ids = match &query.glob {
        Some(glob) => matching(&live, glob)?,
        None => live.campus.points.iter().map(|p| p.id).collect(),
    };
    let view = live.view();
    let limit = query.limit.unwrap_or(1000).min(10_000);
    let page = ids.iter().skip(query.offset.unwrap_or(0)).take(limit);
    let points = page
        .filter_map(|id| {
            let info = live.catalogue.points.get(id.index())?.clone();
            Some(PointWithValue { info, reading: live.reading(&view, *id) })
        })
        .collect();
    Ok(Json(PointsAnswer { total: ids.len(), points }))
}

fn matching(live: &Live, glob: &str) -> Result<Vec<PointId>, Failure> {
    campanile_protocol::Glob::new(glob).map_err(|why| {
        Failure::new(StatusCode::BAD_REQUEST, ErrorCode::Glob, say("glob", &[("why", &why)]))
    })?;
    Ok(live.campus.points_matching(glob))
}

/// The reading of one point.
#[utoipa::path(get, path = "/value", params(ValueQuery), responses((status = 200, description = "The answer", body = PointValue), (status = 400, description = "The request could not be understood", body = ApiError), (status = 404, description = "There is no such point or alarm", body = ApiError)))]
async fn value(State(live): Live_, Ask(query): Ask<ValueQuery>) -> Result<Json<PointValue>, Failure> {
    let id = find(&live, &query.point)?;
    let unit = live.campus.point(id).unit.clone();
    Ok(Json(PointValue { point: query.point, unit, reading: live.reading(&live.view(), id) }))
}

/// The samples of a point.
#[utoipa::path(get, path = "/history/range", params(RangeQuery), responses((status = 200, description = "The answer", body = RangeAnswer), (status = 400, description = "The request could not be understood", body = ApiError), (status = 404, description = "There is no such point or alarm", body = ApiError)))]
async fn range(State(live): Live_, Ask(query): Ask<RangeQuery>) -> Result<Json<RangeAnswer>, Failure> {
    let id = find(&live, &query.point)?;
    let limit = query.limit.unwrap_or(limits::MAX_RANGE_SAMPLES).min(limits::MAX_RANGE_SAMPLES);
    let (from, to) = (Timestamp(query.from_us), Timestamp(query.to_us));
    // One more than asked for tells whether there was more.
    let mut rows = ask_store(live.clone(), move |h| h.range(id, from, to, limit + 1)).await?;
    let truncated = rows.len() > limit;
    rows.truncate(limit);
    let point = live.campus.point(id);
    let mut answer = RangeAnswer { unit: point.unit.clone(), truncated, ..Default::default() };
    for (time, value, quality) in rows {
        answer.times_us.push(time.0);
        answer.values.push(JsonValue::from_value(&value, point.choices.iter().map(|c| c.id.as_str())));
        answer.qualities.push(quality);
    }
    Ok(Json(answer))
}

/// Count, min, mean, max and sum by stretches of time; of meters also the consumption.
#[utoipa::path(get, path = "/history/buckets", params(BucketsQuery), responses((status = 200, description = "The answer", body = BucketsAnswer), (status = 400, description = "The request could not be understood", body = ApiError), (status = 404, description = "There is no such point or alarm", body = ApiError)))]
async fn buckets(State(live): Live_, Ask(query): Ask<BucketsQuery>) -> Result<Json<BucketsAnswer>, Failure> {
    let id = find(&live, &query.point)?;
    if !(query.width_s.is_finite() && query.width_s >= 0.001) {
        return Err(Failure::malformed(say("malformed-width", &[])));
    }
    let width = (query.width_s * Timestamp::SECOND as f64) as i64;
    let (from, to) = (Timestamp(query.from_us), Timestamp(query.to_us));
    let wanted = (i128::from(query.to_us) - i128::from(query.from_us)) / i128::from(width.max(1));
    if wanted > limits::MAX_BUCKETS as i128 {
        let text = say("malformed-buckets", &[("wanted", &wanted), ("most", &limits::MAX_BUCKETS)]);
        return Err(Failure::malformed(text));
    }
    let is_meter = live.campus.point(id).accumulation != Accumulation::Gauge;
    let (buckets, energy) = ask_store(live.clone(), move |h| {
        let energy = if is_meter { h.energy(id, from, to, width)? } else { Vec::new() };
        Ok((h.buckets(id, from, to, width)?, energy))
    })
    .await?;
    let amounts: std::collections::BTreeMap<i64, f64> =
        energy.iter().map(|e| (e.start.0, e.amount)).collect();
    let buckets = buckets
        .iter()
        .map(|b| Bucket {
            start_us: b.start.0,
            count: b.count,
            min: b.min,
            mean: b.mean,
            max: b.max,
            sum: b.sum,
            consumption: amounts.get(&b.start.0).copied(),
        })
        .collect();
    Ok(Json(BucketsAnswer { unit: live.campus.point(id).unit.clone(), width_s: query.width_s, buckets }))
}

/// The samples of a point as CSV: `point,time,value,quality`.
#[utoipa::path(get, path = "/history/export.csv", params(ExportQuery), responses((status = 200, description = "The answer", content_type = "text/csv", body = String), (status = 400, description = "The request could not be understood", body = ApiError), (status = 404, description = "There is no such point or alarm", body = ApiError)))]
async fn export(State(live): Live_, Ask(query): Ask<ExportQuery>) -> Result<Response, Failure> {
    let id = find(&live, &query.point)?;
    let (from, to) = (Timestamp(query.from_us), Timestamp(query.to_us));
    Ok(streamed("text/csv; charset=utf-8", move |out| live.history.export_csv(out, id, from, to)))
}

/// Sends what is written as it is written: of years of samples never more than a few pieces are in memory.
pub fn streamed(
    kind: &'static str,
    write: impl FnOnce(&mut dyn std::io::Write) -> Result<u64, HistoryError> + Send + 'static,
) -> Response {
    let (pieces, body) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        let mut out = std::io::BufWriter::with_capacity(CSV_PIECE, Pieces(pieces.clone()));
        let written = write(&mut out);
        let flushed = std::io::Write::flush(&mut out);
        if let Err(why) = written.map_err(std::io::Error::other).and(flushed) {
            // Ends the transfer as broken, so that a half file does not pass for a whole.
            let _ = pieces.blocking_send(Err(why));
        }
    });
    let body = futures_util::stream::unfold(body, async |mut body| Some((body.recv().await?, body)));
    let body = axum::body::Body::from_stream(body);
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// How much of a CSV is sent at once, bytes.
const CSV_PIECE: usize = 64 * 1024;

/// Sends what is written to it; fails when the reader has gone.
struct Pieces(tokio::sync::mpsc::Sender<std::io::Result<Bytes>>);

impl std::io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The alarms in force, the most urgent first.
#[utoipa::path(get, path = "/alarms", responses((status = 200, description = "The answer", body = AlarmsAnswer)))]
async fn alarms(State(live): Live_) -> Json<AlarmsAnswer> {
    Json(AlarmsAnswer { alarms: live.view().alarms.to_vec() })
}

/// How alarms turned: raised, acknowledged, returned, hidden; the newest first.
#[utoipa::path(get, path = "/alarms/journal", params(JournalQuery), responses((status = 200, description = "The answer", body = JournalAnswer), (status = 400, description = "The request could not be understood", body = ApiError)))]
async fn journal(State(live): Live_, Ask(query): Ask<JournalQuery>) -> Result<Json<JournalAnswer>, Failure> {
    Ok(Json(
        ask_store(live, move |h| {
            crate::journal::page(|before, limit| h.log(ALARM_JOURNAL, before, limit), &query)
        })
        .await?,
    ))
}

/// An outcome with the status that says the same.
fn outcome(outcome: Outcome) -> Response {
    let status = match outcome.reason {
        None => StatusCode::OK,
        Some(RejectReason::NotFound) => StatusCode::NOT_FOUND,
        Some(RejectReason::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        Some(RejectReason::TooSoon | RejectReason::State | RejectReason::Interlock) => StatusCode::CONFLICT,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    (status, Json(outcome)).into_response()
}

/// Acknowledges an alarm.
#[utoipa::path(post, path = "/alarms/acknowledge", request_body = AcknowledgeRequest, responses((status = 200, description = "The answer", body = Outcome), (status = 404, description = "There is no such point or alarm", body = Outcome), (status = 409, description = "Not now: too soon after the last change, or nothing to acknowledge", body = Outcome)))]
async fn acknowledge(
    State(live): Live_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<AcknowledgeRequest>,
) -> Response {
    outcome(live.alarm(&caller.by, request.alarm, AlarmAct::Acknowledge { comment: request.comment }).await)
}

/// Hides an alarm for a time.
#[utoipa::path(post, path = "/alarms/shelve", request_body = ShelveRequest, responses((status = 200, description = "The answer", body = Outcome), (status = 404, description = "There is no such point or alarm", body = Outcome), (status = 409, description = "Not now: the alarm is not in a state for it", body = Outcome), (status = 422, description = "Refused: without a reason, or for too long", body = Outcome)))]
async fn shelve(
    State(live): Live_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<ShelveRequest>,
) -> Response {
    outcome(
        live.alarm(
            &caller.by,
            request.alarm,
            AlarmAct::Shelve { for_s: request.for_s, reason: request.reason },
        )
        .await,
    )
}

/// Takes an alarm from the shelf before its time.
#[utoipa::path(post, path = "/alarms/unshelve", request_body = AlarmRequest, responses((status = 200, description = "The answer", body = Outcome), (status = 404, description = "There is no such point or alarm", body = Outcome), (status = 409, description = "Not now: the alarm is not in a state for it", body = Outcome), (status = 422, description = "Refused: without a reason, or for too long", body = Outcome)))]
async fn unshelve(
    State(live): Live_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<AlarmRequest>,
) -> Response {
    outcome(live.alarm(&caller.by, request.alarm, AlarmAct::Unshelve).await)
}

/// Takes an alarm out of service, for maintenance.
#[utoipa::path(post, path = "/alarms/out-of-service", request_body = OutOfServiceRequest, responses((status = 200, description = "The answer", body = Outcome), (status = 404, description = "There is no such point or alarm", body = Outcome), (status = 409, description = "Not now: the alarm is not in a state for it", body = Outcome), (status = 422, description = "Refused: without a reason, or for too long", body = Outcome)))]
async fn out_of_service(
    State(live): Live_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<OutOfServiceRequest>,
) -> Response {
    outcome(live.alarm(&caller.by, request.alarm, AlarmAct::OutOfService { reason: request.reason }).await)
}

/// Takes an alarm back into service.
#[utoipa::path(post, path = "/alarms/return-to-service", request_body = AlarmRequest, responses((status = 200, description = "The answer", body = Outcome), (status = 404, description = "There is no such point or alarm", body = Outcome), (status = 409, description = "Not now: the alarm is not in a state for it", body = Outcome), (status = 422, description = "Refused: without a reason, or for too long", body = Outcome)))]
async fn return_to_service(
    State(live): Live_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<AlarmRequest>,
) -> Response {
    outcome(live.alarm(&caller.by, request.alarm, AlarmAct::ReturnToService).await)
}

/// What holds the points that can be commanded.
#[utoipa::path(get, path = "/commands", params(CommandsQuery), responses((status = 200, description = "The answer", body = CommandsAnswer), (status = 400, description = "The request could not be understood", body = ApiError)))]
async fn commands(
    State(live): Live_,
    Ask(query): Ask<CommandsQuery>,
) -> Result<Json<CommandsAnswer>, Failure> {
    let wanted = query.glob.as_deref().map(|glob| matching(&live, glob)).transpose()?;
    let view = live.view();
    let within = |id: &PointId| wanted.as_ref().is_none_or(|ids| ids.binary_search(id).is_ok());
    let held = |c: &CommandState| !c.slots.is_empty();
    let commands =
        view.commands.iter().filter(|(id, c)| within(id) && held(c)).map(|(_, c)| c.clone()).collect();
    Ok(Json(CommandsAnswer { commands }))
}

/// Writes a slot of a point's priority array.
#[utoipa::path(post, path = "/commands", request_body = CommandRequest, responses((status = 200, description = "The answer", body = Outcome), (status = 404, description = "There is no such point or alarm", body = Outcome), (status = 409, description = "Not now: too soon after the last change, or nothing to acknowledge", body = Outcome), (status = 422, description = "Refused: outside the limits, of a wrong type, or without a reason", body = Outcome)))]
async fn command(
    State(live): Live_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<CommandRequest>,
) -> Response {
    outcome(live.command(&caller.by, request.into()).await)
}

/// Lets go of a slot of a point's priority array.
#[utoipa::path(post, path = "/commands/relinquish", request_body = RelinquishRequest, responses((status = 200, description = "The answer", body = Outcome), (status = 404, description = "There is no such point or alarm", body = Outcome), (status = 422, description = "Refused: outside the limits, of a wrong type, or without a reason", body = Outcome)))]
async fn relinquish(
    State(live): Live_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<RelinquishRequest>,
) -> Response {
    outcome(live.command(&caller.by, request.into()).await)
}

/// What the field gateway has seen: bound, unknown, malformed, with examples.
#[utoipa::path(get, path = "/gateway", responses((status = 200, description = "The answer", body = Object)))]
async fn field(State(live): Live_) -> Json<serde_json::Value> {
    Json(live.field_status())
}

/// What is not there.
pub async fn no_such_path(uri: axum::http::Uri) -> Failure {
    Failure::not_found(say("not-found-path", &[("path", &uri.path())]))
}

/// What can't be done to what is there.
pub async fn no_such_method(method: axum::http::Method, uri: axum::http::Uri) -> Failure {
    let text = say("malformed-method", &[("method", &method), ("path", &uri.path())]);
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Malformed, text)
}

/// A reading in the words of the API.
pub fn reading(sample: &campanile_protocol::FrameSample, point: &campanile_model::Point) -> Reading {
    Reading {
        time_us: sample.time.0,
        value: JsonValue::from_value(&sample.value, point.choices.iter().map(|c| c.id.as_str())),
        quality: sample.quality,
    }
}
