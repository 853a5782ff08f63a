//! A receiver of webhooks on a real socket, with scripted responses.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, StatusCode};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// One request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The `id` of its event.
    pub(crate) fn event(&self) -> String {
        let event: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        event["id"].as_str().unwrap().to_owned()
    }
}

/// How one request is answered.
pub(crate) type Answer = (StatusCode, Vec<(HeaderName, String)>);

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    received: Mutex<Vec<Received>>,
    answers: Mutex<VecDeque<Answer>>,
    /// While there is one, no request is answered; it is notified when all are.
    held: Mutex<Option<Arc<Notify>>>,
}

impl Receiver {
    /// Starts one that responds with 200 by default.
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(take).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, inner }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?of=test", self.address)
    }

    /// Sets how the next requests are answered.
    pub(crate) fn will_answer(&self, answers: impl IntoIterator<Item = u16>) {
        let answers = answers
            .into_iter()
            .map(|status| (StatusCode::from_u16(status).unwrap(), Vec::new()));
        self.inner.answers.lock().extend(answers);
    }

    pub(crate) fn will_answer_with(&self, status: u16, name: HeaderName, value: &str) {
        let answer = (
            StatusCode::from_u16(status).unwrap(),
            vec![(name, value.into())],
        );
        self.inner.answers.lock().push_back(answer);
    }

    /// Answers no request until it is released.
    pub(crate) fn hold(&self) {
        *self.inner.held.lock() = Some(Arc::default());
    }

    pub(crate) fn release(&self) {
        if let Some(held) = self.inner.held.lock().take() {
            held.notify_waiters();
        }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inner.received.lock().clone()
    }
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let held = inner.held.lock().clone();
    let released = held.as_ref().map(|held| held.notified());
    inner.received.lock().push(Received { headers, body });
    if let Some(released) = released {
        released.await;
    }
    let (status, headers) = inner
        .answers
        .lock()
        .pop_front()
        .unwrap_or((StatusCode::OK, Vec::new()));
    let mut answer = (status, "thanks").into_response();
    for (name, value) in headers {
        answer.headers_mut().insert(name, value.parse().unwrap());
    }
    answer
}
