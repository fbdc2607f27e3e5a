//! Plugins and their panels over HTTP.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use campanile_plugins::{Call, Kind};
use campanile_protocol::ErrorCode;
use campanile_protocol::plugins::{
    ApprovePlugin, ChangeScript, PackageAnswer, PackageQuery, PanelsAnswer, PanelsQuery, PluginAnswer,
    PluginLogs, PluginLogsQuery, PluginQuery, PluginRequest, PluginScript, PluginSettings, PluginsAnswer,
    ScriptAnswer, TrustAnswer, TrustRequest, UsePanel,
};
use campanile_protocol::rest::ApiError;
use campanile_rehearsal::PanelDeed;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Done, Plugins, PluginsError, panels};
use crate::api::{Ask, Body, Failure};
use crate::live::Live;
use crate::people::Caller;
use crate::rehearsals::Rehearsals;
use crate::roles::{Permission, may};
use crate::words::say;

type Plugins_ = Extension<Arc<Plugins>>;
type Caller_ = Extension<Caller>;

/// The endpoints of plugins.
pub fn router() -> OpenApiRouter<Arc<Live>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(package))
        .routes(routes!(approve))
        .routes(routes!(stop))
        .routes(routes!(start))
        .routes(routes!(remove))
        .routes(routes!(settings))
        .routes(routes!(logs))
        .routes(routes!(icon))
        .routes(routes!(script, change_script))
        .routes(routes!(trust, change_trust))
        .routes(routes!(shown))
        .routes(routes!(use_panel))
        // The door has looked at the size already.
        .layer(axum::extract::DefaultBodyLimit::disable())
}

impl From<PluginsError> for Failure {
    fn from(why: PluginsError) -> Self {
        use PluginsError as E;
        let (status, code, text) = match &why {
            E::NotFound(id) => {
                (StatusCode::NOT_FOUND, ErrorCode::NotFound, say("not-found-plugin", &[("plugin", id)]))
            }
            E::NoVersion { id, version } => {
                let args: [crate::words::Arg<'_>; 2] = [("plugin", id), ("version", version)];
                (StatusCode::NOT_FOUND, ErrorCode::NotFound, say("not-found-plugin-version", &args))
            }
            E::Package(why) => {
                (StatusCode::BAD_REQUEST, ErrorCode::Malformed, say("malformed-package", &[("why", why)]))
            }
            E::Signature(why) => {
                (StatusCode::CONFLICT, ErrorCode::Conflict, say("conflict-signature", &[("why", why)]))
            }
            E::OtherContent { id, version } => {
                let args: [crate::words::Arg<'_>; 2] = [("plugin", id), ("version", version)];
                (StatusCode::CONFLICT, ErrorCode::Conflict, say("conflict-package", &args))
            }
            E::NotSeen(id) => {
                (StatusCode::CONFLICT, ErrorCode::Conflict, say("conflict-not-seen", &[("plugin", id)]))
            }
            E::TooMany => (StatusCode::CONFLICT, ErrorCode::TooMany, say("too-many-plugins", &[])),
            E::Asked(why) => (StatusCode::BAD_REQUEST, ErrorCode::Malformed, why.clone()),
            E::Start(why) => {
                (StatusCode::CONFLICT, ErrorCode::Conflict, say("conflict-start", &[("why", why)]))
            }
            E::Refused(why) | E::Trust(why) => (StatusCode::CONFLICT, ErrorCode::Conflict, why.clone()),
            E::NotStored => return crate::people::busy(),
            E::Approved { .. } | E::Disk { .. } => return Self::internal(why),
        };
        Self::new(status, code, text)
    }
}

fn answer(done: Done) -> Json<PluginAnswer> {
    Json(PluginAnswer { restarts: done == Done::AfterRestart })
}

/// The plugins.
#[utoipa::path(get, path = "/plugins", responses((status = 200, body = PluginsAnswer, description = "Every plugin; what it may do, settings and versions are empty for who may not look behind it")))]
async fn list(Extension(plugins): Plugins_, Extension(caller): Caller_) -> Json<PluginsAnswer> {
    Json(PluginsAnswer { plugins: plugins.infos(may(caller.role, Permission::Diagnose)) })
}

/// Lays a package in the hub.
#[utoipa::path(post, path = "/plugins/packages", params(PackageQuery), request_body(content = Vec<u8>, content_type = "application/zip"), responses(
    (status = 200, body = PackageAnswer, description = "It lies there, and asks for this. It does nothing before it is approved"),
    (status = 400, body = ApiError, description = "It is no package, or one with mistakes"),
    (status = 403, body = ApiError, description = "Only who may approve plugins may take one without a trusted signature"),
    (status = 409, body = ApiError, description = "Nobody trusted has signed it, it was changed after it was signed, or this version lies there with another content"),
))]
async fn package(
    Extension(plugins): Plugins_,
    Extension(caller): Caller_,
    Ask(query): Ask<PackageQuery>,
    body: Bytes,
) -> Result<Json<PackageAnswer>, Failure> {
    if query.unsigned && !may(caller.role, Permission::Plugins) {
        let text = say("not-allowed", &[("role", &caller.role)]);
        return Err(Failure::new(StatusCode::FORBIDDEN, ErrorCode::NotAllowed, text));
    }
    Ok(Json(plugins.add(&caller.by, &body, query.unsigned).await?))
}

/// Approves a version of a plugin.
#[utoipa::path(post, path = "/plugins/approve", request_body = ApprovePlugin, responses(
    (status = 200, body = PluginAnswer, description = "It works from now on, or as soon as the hub has begun anew"),
    (status = 400, body = ApiError, description = "What is granted can't be read, or there is no such setting"),
    (status = 404, body = ApiError, description = "There is no such version"),
    (status = 409, body = ApiError, description = "Another package lies there than was seen, or it would not start"),
))]
async fn approve(
    Extension(plugins): Plugins_,
    Extension(caller): Caller_,
    Body(request): Body<ApprovePlugin>,
) -> Result<Json<PluginAnswer>, Failure> {
    Ok(answer(plugins.approve(&caller.by, &request).await?))
}

/// Stops a plugin: what it commands is let go.
#[utoipa::path(post, path = "/plugins/stop", request_body = PluginRequest, responses(
    (status = 204, description = "It is stopped"),
    (status = 404, body = ApiError, description = "There is no such plugin"),
))]
async fn stop(
    Extension(plugins): Plugins_,
    Extension(caller): Caller_,
    Body(request): Body<PluginRequest>,
) -> Result<StatusCode, Failure> {
    plugins.set_stopped(&caller.by, &request.plugin, true, &request.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a plugin work again that was stopped or has failed too often.
#[utoipa::path(post, path = "/plugins/start", request_body = PluginRequest, responses(
    (status = 204, description = "It works again"),
    (status = 404, body = ApiError, description = "There is no such plugin"),
))]
async fn start(
    Extension(plugins): Plugins_,
    Extension(caller): Caller_,
    Body(request): Body<PluginRequest>,
) -> Result<StatusCode, Failure> {
    plugins.set_stopped(&caller.by, &request.plugin, false, &request.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a version, or a plugin with all that it remembers.
#[utoipa::path(post, path = "/plugins/remove", request_body = PluginRequest, responses(
    (status = 200, body = PluginAnswer, description = "It is gone"),
    (status = 404, body = ApiError, description = "There is no such plugin or version"),
    (status = 409, body = ApiError, description = "This version is in force"),
))]
async fn remove(
    Extension(plugins): Plugins_,
    Extension(caller): Caller_,
    Body(request): Body<PluginRequest>,
) -> Result<Json<PluginAnswer>, Failure> {
    let version = request.version.as_deref();
    Ok(answer(plugins.remove(&caller.by, &request.plugin, version, &request.reason).await?))
}

/// Changes settings of a plugin.
#[utoipa::path(post, path = "/plugins/settings", request_body = PluginSettings, responses(
    (status = 204, description = "It works with them from now on"),
    (status = 400, body = ApiError, description = "There is no such setting"),
    (status = 404, body = ApiError, description = "There is no such plugin"),
    (status = 409, body = ApiError, description = "It would not start with them"),
))]
async fn settings(
    Extension(plugins): Plugins_,
    Extension(caller): Caller_,
    Body(request): Body<PluginSettings>,
) -> Result<StatusCode, Failure> {
    plugins.set_settings(&caller.by, &request.plugin, &request.settings, &request.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a plugin has written into its log.
#[utoipa::path(get, path = "/plugins/logs", params(PluginLogsQuery), responses(
    (status = 200, body = PluginLogs, description = "Its newest lines, or those behind a number"),
    (status = 404, body = ApiError, description = "There is no such plugin at work"),
))]
async fn logs(
    Extension(plugins): Plugins_,
    Ask(query): Ask<PluginLogsQuery>,
) -> Result<Json<PluginLogs>, Failure> {
    Ok(Json(plugins.logs(&query.plugin, query.after, query.limit.unwrap_or(200))?))
}

/// The icon of a plugin.
#[utoipa::path(get, path = "/plugins/icon", params(PluginQuery), responses(
    (status = 200, content_type = "image/png", description = "A square picture of 32 to 256 pixels"),
    (status = 404, body = ApiError, description = "It has none"),
))]
async fn icon(Extension(plugins): Plugins_, Ask(query): Ask<PluginQuery>) -> Result<Response, Failure> {
    match plugins.icon(&query.plugin) {
        Some(icon) => Ok(([(header::CONTENT_TYPE, "image/png")], icon.to_vec()).into_response()),
        None => Err(PluginsError::NotFound(query.plugin).into()),
    }
}

/// The script of a plugin.
#[utoipa::path(get, path = "/plugins/script", params(PluginQuery), responses(
    (status = 200, body = PluginScript, description = "Its text, and its last error"),
    (status = 404, body = ApiError, description = "There is no such plugin"),
    (status = 409, body = ApiError, description = "It has no script"),
))]
async fn script(
    Extension(plugins): Plugins_,
    Ask(query): Ask<PluginQuery>,
) -> Result<Json<PluginScript>, Failure> {
    Ok(Json(plugins.script(&query.plugin)?))
}

/// Puts a new text in place of a script, or tries whether it would start.
#[utoipa::path(post, path = "/plugins/script", request_body = ChangeScript, responses(
    (status = 200, body = ScriptAnswer, description = "It works from now on as a version of its own; or why it would not start, and nothing has changed"),
    (status = 404, body = ApiError, description = "There is no such plugin"),
    (status = 409, body = ApiError, description = "It has no script"),
))]
async fn change_script(
    Extension(plugins): Plugins_,
    Extension(caller): Caller_,
    Body(request): Body<ChangeScript>,
) -> Result<Json<ScriptAnswer>, Failure> {
    Ok(Json(plugins.change_script(&caller.by, &request).await?))
}

/// The keys whose packages are taken.
#[utoipa::path(get, path = "/plugins/trust", responses((status = 200, body = TrustAnswer, description = "Every trusted key")))]
async fn trust(Extension(plugins): Plugins_) -> Json<TrustAnswer> {
    Json(plugins.trust())
}

/// Trusts a key, or no longer does.
#[utoipa::path(post, path = "/plugins/trust", request_body = TrustRequest, responses(
    (status = 204, description = "It is so"),
    (status = 400, body = ApiError, description = "It is no key, or the name is another's"),
))]
async fn change_trust(
    Extension(plugins): Plugins_,
    Extension(caller): Caller_,
    Body(request): Body<TrustRequest>,
) -> Result<StatusCode, Failure> {
    plugins.set_trust(&caller.by, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The panels of a world that the caller may see.
#[utoipa::path(get, path = "/plugins/panels", params(PanelsQuery), responses(
    (status = 200, body = PanelsAnswer, description = "Those of all, and views of the caller's own"),
    (status = 404, body = ApiError, description = "There is no such world"),
))]
async fn shown(
    State(live): State<Arc<Live>>,
    Extension(rehearsals): Extension<Arc<Rehearsals>>,
    Extension(caller): Caller_,
    Ask(query): Ask<PanelsQuery>,
) -> Result<Json<PanelsAnswer>, Failure> {
    let channel = match &query.world {
        None => live.channel.clone(),
        Some(world) => rehearsals.channel(world).ok_or_else(|| no_world(world))?,
    };
    Ok(Json(PanelsAnswer { panels: channel.panels_of(&caller.person()) }))
}

fn no_world(world: &str) -> Failure {
    let text = say("not-found-rehearsal", &[("id", &world)]);
    Failure::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, text)
}

/// Uses a panel.
#[utoipa::path(post, path = "/plugins/panel", request_body = UsePanel, responses(
    (status = 204, description = "The plugin is told"),
    (status = 400, body = ApiError, description = "What was entered does not fit the panel"),
    (status = 403, body = ApiError, description = "Panels of rules are for who may command, those of rehearsals for who may rehearse"),
    (status = 404, body = ApiError, description = "There is no such panel"),
    (status = 503, body = ApiError, description = "The plugin can't take it now"),
))]
async fn use_panel(
    State(live): State<Arc<Live>>,
    Extension(plugins): Plugins_,
    Extension(rehearsals): Extension<Arc<Rehearsals>>,
    Extension(caller): Caller_,
    Body(asked): Body<UsePanel>,
) -> Result<StatusCode, Failure> {
    let person = caller.person();
    let needs = match (&asked.world, plugins.kind(&asked.plugin)) {
        (Some(_), _) => Permission::Rehearse,
        // Students touch nothing real; what activities do is no command.
        (None, Some(Kind::Activity)) => Permission::Look,
        (None, _) => Permission::Command,
    };
    if !may(caller.role, needs) {
        let text = say("not-allowed", &[("role", &caller.role)]);
        return Err(Failure::new(StatusCode::FORBIDDEN, ErrorCode::NotAllowed, text));
    }
    let channel = match &asked.world {
        None => live.channel.clone(),
        Some(world) => rehearsals.channel(world).ok_or_else(|| no_world(world))?,
    };
    let panel = channel.panel(&asked.plugin, &asked.panel, &person).ok_or_else(|| {
        let text = say("not-found-panel", &[("panel", &asked.panel), ("plugin", &asked.plugin)]);
        Failure::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, text)
    })?;
    let used = panels::used(&panel, &asked, &person)
        .map_err(|why| Failure::new(StatusCode::BAD_REQUEST, ErrorCode::Malformed, why))?;
    match &asked.world {
        None => {
            if !plugins.crew().tell(&asked.plugin, Call::Panel(used)) {
                let text = say("busy-plugin", &[("plugin", &asked.plugin)]);
                return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Busy, text));
            }
        }
        Some(world) => rehearsals.use_panel(world, &asked.plugin, PanelDeed::from(&used)).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}
