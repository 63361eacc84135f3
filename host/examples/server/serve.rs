//! Requests over HTTP.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;
use iamseal::sealed_store::Background;
use metrics_exporter_prometheus::PrometheusHandle;
use object_store::path::Path;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::answer::Failure;
use crate::conditions::{self, Condition};
use crate::connections;
use crate::documents::Documents;
use crate::{export, migration};

/// The largest document: policies and users are a few KiB.
const BODY_BYTES: usize = 1 << 20;
/// How long a request may take, with the client's sending of it.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long requests have to end when the server is told to: a little longer than one may take.
const FAREWELL: Duration = Duration::from_secs(35);

type Answer = Result<Response, Failure>;

/// Serves until SIGTERM or SIGINT, and then until the requests under way have been answered.
///
/// # Errors
/// The address cannot be listened on; requests did not end in time.
pub async fn until_told_to_end(
    address: &str,
    documents: Documents,
    migration: Option<Arc<Background>>,
    metrics: PrometheusHandle,
) -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(address).await?;
    println!("{}", listener.local_addr()?);
    let told = Arc::new(Notify::new());
    let telling = Arc::clone(&told);
    let ending = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to end");
        telling.notify_one();
    };
    let serving = connections::serve(listener, router(documents, migration, metrics), ending);
    tokio::select! {
        () = serving => Ok(()),
        () = async { told.notified().await; tokio::time::sleep(FAREWELL).await } => {
            Err("requests did not end in time".into())
        }
    }
}

fn router(
    documents: Documents,
    migration: Option<Arc<Background>>,
    metrics: PrometheusHandle,
) -> Router {
    let health = async move || migration::health(migration.as_deref());
    Router::new()
        .route("/config/", get(list_all))
        .route("/config/{*below}", get(read).put(write).delete(remove))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn(watched))
        .with_state(documents)
        .route("/healthz", get(health))
        .route("/metrics", get(async move || metrics.render()))
}

/// Bounds a request in time, and counts its answer.
async fn watched(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
    let answer = answer.unwrap_or_else(|_| {
        Failure::new(StatusCode::REQUEST_TIMEOUT, "it took too long").into_response()
    });
    export::answered(answer.status().as_u16());
    answer
}

async fn list_all(State(documents): State<Documents>) -> Answer {
    list(&documents, "").await
}

async fn list(documents: &Documents, below: &str) -> Answer {
    let paths = documents.list(&path(below)?).await?;
    let json = serde_json::Value::from(paths).to_string();
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

async fn read(
    State(documents): State<Documents>,
    UrlPath(below): UrlPath<String>,
    headers: HeaderMap,
) -> Answer {
    if let Some(folder) = below.strip_suffix('/') {
        return list(&documents, folder).await;
    }
    let options = conditions::of_reading(&headers)?;
    let document = documents.get(&path(&below)?, options).await?;
    let binary = [(CONTENT_TYPE, "application/octet-stream")];
    let tag = tagged(document.meta.e_tag);
    Ok((tag, binary, document.content).into_response())
}

async fn write(
    State(documents): State<Documents>,
    UrlPath(below): UrlPath<String>,
    headers: HeaderMap,
    content: Bytes,
) -> Answer {
    let on = Condition::of(&headers)?;
    let put = documents.put(document(&below)?, content, on).await;
    let put = put.map_err(Failure::of_put)?;
    Ok((StatusCode::NO_CONTENT, tagged(put.e_tag)).into_response())
}

async fn remove(
    State(documents): State<Documents>,
    UrlPath(below): UrlPath<String>,
    headers: HeaderMap,
) -> Answer {
    let tags = conditions::of_deleting(&headers)?;
    documents.delete(document(&below)?, tags).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The path of a document, which a folder's is not.
fn document(below: &str) -> Result<Path, Failure> {
    match below.ends_with('/') {
        true => Err(Failure::bad_request("a document's path ends in its name")),
        false => path(below),
    }
}

/// Refuses empty parts, `.` and `..`.
fn path(below: &str) -> Result<Path, Failure> {
    let path = Path::parse(format!("config/{below}"));
    path.map_err(|error| Failure::bad_request(error.to_string()))
}

fn tagged(tag: Option<String>) -> AppendHeaders<Option<(HeaderName, String)>> {
    AppendHeaders(tag.map(|tag| (ETAG, tag)))
}
