//! What is served at the root: health, readiness, metrics and the document.
//!
//! None of it needs a token: it names no tenant, and a probe has none.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

use crate::app::App;
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::metrics::Text;
use crate::openapi;
use crate::refusal::Refusal;

const PLAIN: &str = "text/plain; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let all = Access::Everyone;
    vec![
        Endpoint::new(Method::GET, "/healthz", all, "get_health", get_health)
            .summary("Answers while the process can answer")
            .answers_raw(200, &[PLAIN]),
        Endpoint::new(Method::GET, "/readyz", all, "get_readiness", get_readiness)
            .summary("Answers 200 while the store answers, else 503")
            .answers_raw(200, &[PLAIN]),
        Endpoint::new(Method::GET, "/metrics", all, "get_metrics", get_metrics)
            .summary("Tells the counters in the Prometheus text format")
            .answers_raw(200, &[PROMETHEUS]),
        Endpoint::new(
            Method::GET,
            "/openapi.json",
            all,
            "get_openapi",
            openapi::get_openapi,
        )
        .summary("Answers with this document")
        .answers_raw(200, &["application/json"]),
    ]
}

async fn get_health() -> Response {
    plain("ok\n".to_owned(), PLAIN)
}

async fn get_readiness(State(app): State<App>) -> Result<Response, Refusal> {
    match app.dispatcher().ready().await {
        Ok(()) => Ok(plain("ready\n".to_owned(), PLAIN)),
        Err(error) => {
            Refusal::internal(&error);
            Err(Refusal::TooBusy)
        }
    }
}

async fn get_metrics(State(app): State<App>) -> Response {
    let mut page = Text::default();
    app.metrics().write(&mut page);
    page.write_stats(&app.dispatcher().stats());
    page.write_levels(&app.dispatcher().ledger().levels());
    let delivery = app.maintenance().delivery();
    let waiting = delivery
        .waiting()
        .await
        .map_err(|error| Refusal::internal(&error));
    page.write_webhooks(delivery.counts(), waiting.ok());
    plain(page.to_string(), PROMETHEUS)
}

fn plain(text: String, kind: &'static str) -> Response {
    let kind = HeaderValue::from_static(kind);
    (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response()
}
