//! What there is under which path.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::{Deserialize, Serialize};

use super::guard::{Guard, guard};
use super::jobs::{Jobs, NoAnswer};
use super::page::ASSETS;
use super::stream::{contents, follow};
use super::{page, results};
use crate::runs::{Listed, Runs, RunsError, Start};

/// The largest question: a picture of 512 x 512 levels as text.
const BODY: usize = 2 << 20;
/// For a question to come in whole.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
struct Shared {
    jobs: Jobs,
    runs: Arc<Runs>,
}

/// All of the server behind its guard.
pub(super) fn router(jobs: Jobs, runs: Arc<Runs>, who: Guard) -> Router {
    let mut router = Router::new();
    for asset in ASSETS {
        router = router.route(asset.path, get(move || page(asset)));
    }
    router
        .route("/api/ask/{question}", post(ask))
        .route("/api/runs", get(list).post(start))
        .route("/api/runs/stop", post(stop))
        .route("/api/runs/resume", post(resume))
        .route("/api/runs/follow", get(followed))
        .route("/api/runs/image", get(image))
        .route("/api/results", get(listed_results))
        .route("/results/{*path}", get(result))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn(patient))
        .layer(from_fn_with_state(who, guard))
        .with_state(Shared { jobs, runs })
}

/// A question that doesn't come in whole is not waited for; what has to be JSON says so, which no form of another page
/// can.
async fn patient(request: Request, next: middleware::Next) -> Response {
    if request.method() != axum::http::Method::POST {
        return next.run(request).await;
    }
    let is_json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    if !request.headers().get(CONTENT_TYPE).is_some_and(is_json) {
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "questions are application/json");
    }
    let (head, body) = request.into_parts();
    match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, BODY)).await {
        Ok(Ok(body)) => next.run(Request::from_parts(head, Body::from(body))).await,
        Ok(Err(_)) => refusal(StatusCode::PAYLOAD_TOO_LARGE, "at most 2 MiB are read"),
        Err(_) => refusal(StatusCode::REQUEST_TIMEOUT, "the question didn't come in whole"),
    }
}

#[derive(Serialize)]
struct Refusal<'a> {
    error: &'a str,
}

fn refusal(status: StatusCode, error: &str) -> Response {
    json(status, &Refusal { error })
}

fn json(status: StatusCode, answer: &impl Serialize) -> Response {
    let text = serde_json::to_string(answer).expect("answers are plain data");
    (status, [(CONTENT_TYPE, "application/json")], text).into_response()
}

async fn page(asset: &'static page::Asset) -> Response {
    ([(CONTENT_TYPE, asset.kind)], asset.bytes).into_response()
}

async fn ask(State(shared): State<Shared>, Path(question): Path<String>, body: Bytes) -> Response {
    match shared.jobs.ask(question, body.to_vec()).await {
        Ok(answer) => ([(CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(NoAnswer::Fault(fault @ crate::ask::Fault::Unknown(_))) => {
            refusal(StatusCode::NOT_FOUND, &fault.to_string())
        }
        Err(NoAnswer::Fault(fault)) => refusal(StatusCode::BAD_REQUEST, &fault.to_string()),
        Err(NoAnswer::Busy) => refusal(StatusCode::SERVICE_UNAVAILABLE, "too many questions wait; ask again"),
        Err(NoAnswer::Lost) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the question could not be answered"),
    }
}

#[derive(Deserialize)]
struct Named {
    run: String,
}

#[derive(Deserialize)]
struct Image {
    run: String,
    file: String,
}

impl IntoResponse for RunsError {
    fn into_response(self) -> Response {
        let status = match self {
            RunsError::NoRun(_) => StatusCode::NOT_FOUND,
            RunsError::Busy | RunsError::NotOurs => StatusCode::CONFLICT,
            RunsError::NoProgram | RunsError::Bad(_) => StatusCode::BAD_REQUEST,
            RunsError::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        refusal(status, &self.to_string())
    }
}

#[derive(Serialize)]
struct List {
    /// As it was named to the program, for commands.
    folder: String,
    runs: Vec<Listed>,
}

async fn list(State(shared): State<Shared>) -> Response {
    blocking(move || {
        let list = List {
            folder: shared.runs.folder().display().to_string(),
            runs: shared.runs.list(),
        };
        Ok(json(StatusCode::OK, &list))
    })
    .await
}

async fn start(State(shared): State<Shared>, body: Bytes) -> Response {
    blocking(move || {
        let wanted: Start = serde_json::from_slice(&body).map_err(|error| RunsError::Bad(error.to_string()))?;
        Ok(json(StatusCode::OK, &shared.runs.start(&wanted)?))
    })
    .await
}

async fn stop(State(shared): State<Shared>, body: Bytes) -> Response {
    blocking(move || {
        let Named { run } = serde_json::from_slice(&body).map_err(|error| RunsError::Bad(error.to_string()))?;
        Ok(json(StatusCode::OK, &shared.runs.stop(&run)?))
    })
    .await
}

async fn resume(State(shared): State<Shared>, body: Bytes) -> Response {
    blocking(move || {
        let Named { run } = serde_json::from_slice(&body).map_err(|error| RunsError::Bad(error.to_string()))?;
        Ok(json(StatusCode::OK, &shared.runs.resume(&run)?))
    })
    .await
}

async fn followed(State(shared): State<Shared>, Query(Named { run }): Query<Named>) -> Response {
    follow(shared.runs, run).await
}

async fn image(State(shared): State<Shared>, Query(Image { run, file }): Query<Image>) -> Response {
    blocking(move || {
        let bytes = shared.runs.image(&run, &file)?;
        Ok(([(CONTENT_TYPE, "image/png")], bytes).into_response())
    })
    .await
}

async fn listed_results(State(shared): State<Shared>) -> Response {
    blocking(move || Ok(json(StatusCode::OK, &results::list(shared.runs.folder())))).await
}

async fn result(State(shared): State<Shared>, Path(path): Path<String>) -> Response {
    blocking(move || {
        let Some((kind, file)) = results::open(shared.runs.folder(), &path) else {
            return Ok(refusal(StatusCode::NOT_FOUND, "there is no such result"));
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert("content-security-policy", HeaderValue::from_static(results::POLICY));
        Ok((headers, contents(file)).into_response())
    })
    .await
}

/// Work with files, away from the threads that speak HTTP.
async fn blocking(work: impl FnOnce() -> Result<Response, RunsError> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => error.into_response(),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the question could not be answered"),
    }
}
