//! What is served at the root: health, readiness, metrics and the document.
//!
//! None of it needs a token: it names no tenant, and a probe has none.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

use crate::app::App;
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::metrics::{self, Page};
use crate::openapi;
use crate::refusal::Refusal;

const PLAIN: &str = "text/plain; charset=utf-8";

/// How long a probe waits for the store: kubelets and Prometheus wait no longer.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// The calls of monitoring. They are answered whatever other clients hold.
pub(crate) fn probes() -> Vec<Endpoint> {
    let all = Access::Probe;
    vec![
        Endpoint::new(Method::GET, "/healthz", all, "get_health", get_health)
            .summary("Returns 200 while the process can reply")
            .answers_raw(200, &[PLAIN]),
        Endpoint::new(Method::GET, "/readyz", all, "get_readiness", get_readiness)
            .summary("Returns 200 while events can be stored, else 503 and the reason")
            .answers_raw(200, &[PLAIN]),
        Endpoint::new(Method::GET, "/metrics", all, "get_metrics", get_metrics)
            .summary("Returns the counters in the Prometheus text format")
            .answers_raw(200, &[metrics::MEDIA_TYPE]),
    ]
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let document = Endpoint::new(
        Method::GET,
        "/openapi.json",
        Access::Everyone,
        "get_openapi",
        openapi::get_openapi,
    )
    .summary("Returns this document")
    .answers_raw(200, &["application/json"]);
    let mut all = probes();
    all.push(document);
    all
}

async fn get_health() -> Response {
    plain("ok\n".to_owned(), PLAIN)
}

async fn get_readiness(State(app): State<App>) -> Response {
    match app.dispatcher().ready().await {
        Ok(()) => plain("ready\n".to_owned(), PLAIN),
        Err(why) => {
            tracing::warn!(%why, "not ready");
            let text = plain(format!("not ready: {why}\n"), PLAIN);
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

async fn get_metrics(State(app): State<App>) -> Response {
    let mut page = Page::default();
    app.metrics().write(&mut page);
    page.write_turns(app.turns().waiting());
    page.write_stats(&app.dispatcher().stats());
    page.write_levels(&app.dispatcher().ledger().levels());
    let delivery = app.maintenance().delivery();
    let ask = async {
        let waiting = tokio::time::timeout(STORE_TIMEOUT, delivery.waiting())
            .await
            .ok()?;
        waiting.map_err(|error| Refusal::internal(&error)).ok()
    };
    let waiting = app.probes().waiting_deliveries.get(ask).await;
    page.write_webhooks(delivery.counts(), waiting);
    plain(page.write(), metrics::MEDIA_TYPE)
}

fn plain(text: String, kind: &'static str) -> Response {
    let kind = HeaderValue::from_static(kind);
    (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response()
}
