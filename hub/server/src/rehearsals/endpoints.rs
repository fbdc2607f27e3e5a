//! Drills and rehearsals over HTTP.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use campanile_protocol::ErrorCode;
use campanile_protocol::rehearsal::{
    ActRequest, BranchRequest, DecideRequest, DrillInfo, FramesQuery, RehearsalInfo, RehearsalQuery,
    RehearsalRequest, RehearsalState, ReportQuery, SetPace, StartRehearsal,
};
use campanile_protocol::rest::ApiError;
use campanile_rehearsal::ReportLang;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Rehearsals, RehearsalsError};
use crate::api::{Ask, Body, Failure};
use crate::live::Live;
use crate::people::Caller;
use crate::words::Language;

type Rehearsals_ = Extension<Arc<Rehearsals>>;

/// The endpoints of drills and rehearsals.
pub fn router() -> OpenApiRouter<Arc<Live>> {
    OpenApiRouter::new()
        .routes(routes!(drills))
        .routes(routes!(list, begin))
        .routes(routes!(state))
        .routes(routes!(frames))
        .routes(routes!(report))
        .routes(routes!(pace))
        .routes(routes!(act))
        .routes(routes!(decide))
        .routes(routes!(branch))
        .routes(routes!(save))
        .routes(routes!(end))
}

impl From<RehearsalsError> for Failure {
    fn from(why: RehearsalsError) -> Self {
        let (status, code) = match &why {
            RehearsalsError::NotFound(_) | RehearsalsError::NoDrill(_) => {
                (StatusCode::NOT_FOUND, ErrorCode::NotFound)
            }
            RehearsalsError::Asked(_) => (StatusCode::BAD_REQUEST, ErrorCode::Malformed),
            RehearsalsError::TooMany => (StatusCode::CONFLICT, ErrorCode::TooMany),
            RehearsalsError::Drill(_) | RehearsalsError::Refused(_) => {
                (StatusCode::CONFLICT, ErrorCode::Conflict)
            }
            RehearsalsError::NotReady => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Busy),
            RehearsalsError::Io(_) => return Self::internal(why),
        };
        Self::new(status, code, why.said())
    }
}

/// Runs what reads files or waits for a thread away from the tasks that serve sockets.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
}

/// The drills of the campus.
#[utoipa::path(get, path = "/drills", responses((status = 200, body = [DrillInfo], description = "Every drill under the campus' drills/; what is wrong with one is said in its place")))]
async fn drills(Extension(rehearsals): Rehearsals_) -> Result<Json<Vec<DrillInfo>>, Failure> {
    away(move || Json(rehearsals.drills())).await
}

/// The rehearsals.
#[utoipa::path(get, path = "/rehearsals", responses((status = 200, body = [RehearsalInfo], description = "Every rehearsal")))]
async fn list(Extension(rehearsals): Rehearsals_) -> Json<Vec<RehearsalInfo>> {
    Json(rehearsals.list())
}

/// Begins a rehearsal.
#[utoipa::path(post, path = "/rehearsals", request_body = StartRehearsal, responses(
    (status = 200, body = RehearsalInfo, description = "It is opening; follow it at /api/v1/ws?world=ID once it is open"),
    (status = 404, body = ApiError, description = "There is no such drill"),
    (status = 409, body = ApiError, description = "There are too many rehearsals, or the drill has errors"),
))]
async fn begin(
    Extension(rehearsals): Rehearsals_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<StartRehearsal>,
) -> Result<Json<RehearsalInfo>, Failure> {
    let language = Language::spoken();
    // The thread that reads the drill's files speaks the language of who asks.
    let begun = away(move || language.speaking_here(|| rehearsals.begin(&caller.by, &request)));
    Ok(Json(begun.await??))
}

/// How a rehearsal stands.
#[utoipa::path(get, path = "/rehearsals/state", params(RehearsalQuery), responses(
    (status = 200, body = RehearsalState, description = "Actions, messages, curves and score so far"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
))]
async fn state(
    Extension(rehearsals): Rehearsals_,
    Ask(query): Ask<RehearsalQuery>,
) -> Result<Json<RehearsalState>, Failure> {
    Ok(Json(rehearsals.state(&query.id).await?))
}

/// The layers of a rehearsal as they were at a moment.
#[utoipa::path(get, path = "/rehearsals/frames", params(FramesQuery), responses(
    (status = 200, content_type = "application/octet-stream", description = "Whole frames of the layers, each with its length (u32, little-endian) before it"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
))]
async fn frames(
    Extension(rehearsals): Rehearsals_,
    Ask(query): Ask<FramesQuery>,
) -> Result<Response, Failure> {
    let frames = rehearsals.frames(&query.id, query.at_s).await?;
    let mut bytes = Vec::with_capacity(frames.iter().map(|f| f.len() + 4).sum());
    for frame in frames {
        bytes.extend((frame.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&frame);
    }
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// The report of a rehearsal so far, or of two compared.
#[utoipa::path(get, path = "/rehearsals/report", params(ReportQuery), responses(
    (status = 200, content_type = "text/html", description = "An HTML page that needs no other file"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
))]
async fn report(
    Extension(rehearsals): Rehearsals_,
    Ask(query): Ask<ReportQuery>,
) -> Result<Response, Failure> {
    let lang = ReportLang::of(query.lang.as_deref().unwrap_or("en"));
    let page = rehearsals.report(&query.id, query.with.as_deref(), lang).await?;
    // The page is data of the hub: it may run nothing and fetch nothing.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, policy)];
    Ok((headers, page).into_response())
}

/// Sets the pace of a rehearsal.
#[utoipa::path(post, path = "/rehearsals/pace", request_body = SetPace, responses(
    (status = 204, description = "It goes so fast from now on"),
    (status = 400, body = ApiError, description = "The rate or the moment is none"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
))]
async fn pace(
    Extension(rehearsals): Rehearsals_,
    Body(request): Body<SetPace>,
) -> Result<StatusCode, Failure> {
    rehearsals.set_pace(&request)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins an action of a drill.
#[utoipa::path(post, path = "/rehearsals/act", request_body = ActRequest, responses(
    (status = 204, description = "It is begun"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
    (status = 409, body = ApiError, description = "There is no such action, it is under way, or the drill is over"),
))]
async fn act(
    Extension(rehearsals): Rehearsals_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<ActRequest>,
) -> Result<StatusCode, Failure> {
    rehearsals.act(&caller.by, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Decides a question of a drill's director.
#[utoipa::path(post, path = "/rehearsals/decide", request_body = DecideRequest, responses(
    (status = 204, description = "It is decided"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
    (status = 409, body = ApiError, description = "There is no such question or answer, or it is decided already"),
))]
async fn decide(
    Extension(rehearsals): Rehearsals_,
    Extension(caller): Extension<Caller>,
    Body(request): Body<DecideRequest>,
) -> Result<StatusCode, Failure> {
    rehearsals.decide(&caller.by, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Branches a rehearsal at a moment that has passed.
#[utoipa::path(post, path = "/rehearsals/branch", request_body = BranchRequest, responses(
    (status = 200, body = RehearsalInfo, description = "The branch, opening"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
    (status = 409, body = ApiError, description = "The moment has not come or is not remembered, or there are too many rehearsals"),
))]
async fn branch(
    Extension(rehearsals): Rehearsals_,
    Body(request): Body<BranchRequest>,
) -> Result<Json<RehearsalInfo>, Failure> {
    Ok(Json(rehearsals.branch(&request.id, request.at_s).await?))
}

/// Keeps a rehearsal on the disk now.
#[utoipa::path(post, path = "/rehearsals/save", request_body = RehearsalRequest, responses(
    (status = 204, description = "It is kept"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
))]
async fn save(
    Extension(rehearsals): Rehearsals_,
    Body(request): Body<RehearsalRequest>,
) -> Result<StatusCode, Failure> {
    rehearsals.save(&request.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a rehearsal and forgets it.
#[utoipa::path(post, path = "/rehearsals/end", request_body = RehearsalRequest, responses(
    (status = 204, description = "It has ended"),
    (status = 404, body = ApiError, description = "There is no such rehearsal"),
))]
async fn end(
    Extension(rehearsals): Rehearsals_,
    Body(request): Body<RehearsalRequest>,
) -> Result<StatusCode, Failure> {
    away(move || rehearsals.end(&request.id)).await??;
    Ok(StatusCode::NO_CONTENT)
}
