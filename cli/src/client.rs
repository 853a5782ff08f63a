//! A client of a running server: JSON out, JSON in, over plain HTTP.
//!
//! Every error says what to do next. `endpoint` finds the server and the token.

mod endpoint;
mod list;
mod named;
mod received;
mod refusal;
mod replay;
mod stream;
mod upload;

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenterhook_wire::{PostedEvent, Problem};
use ureq::Agent;
use ureq::http::{Method, Request, Response, StatusCode, header, request};

pub(crate) use self::endpoint::Flags;
use self::endpoint::{Credential, Endpoint};
pub(crate) use self::named::find_named;
pub(crate) use self::received::Received;
pub(crate) use self::refusal::{is_passing, is_refused_with};
pub(crate) use self::stream::{OutputEvent, OutputStream};

/// Timeout for one whole call. These calls change or list a few things.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Most bytes of a response: a page of the largest items that are listed.
const ANSWER_MAX_BYTES: u64 = 64 << 20;

/// A client of one server, as the holder of one token.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    endpoint: Endpoint,
}

impl Client {
    /// Finds the server and the token. Nothing is sent yet.
    pub(crate) fn open(flags: &Flags) -> anyhow::Result<Self> {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(CALL_TIMEOUT))
            // A token goes to the server that was named and nowhere else.
            .proxy(None)
            .user_agent(concat!("tenterhook/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let endpoint = Endpoint::find(flags)?;
        Ok(Self { agent, endpoint })
    }

    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        let request = self.request(&Method::GET, &with_query(path, query));
        self.answer(self.agent.run(request.body(())?))
    }

    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.send(&Method::POST, path, body)
    }

    /// Posts without a body.
    pub(crate) fn post_empty<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.request(&Method::POST, path);
        self.answer(self.agent.run(request.body(())?))
    }

    /// Posts an event and waits at most `wait` for its task, beyond the timeout of a call.
    pub(crate) fn post_event(
        &self,
        event: &str,
        wait: Duration,
    ) -> anyhow::Result<Received<PostedEvent>> {
        let mut path = "/api/v1/events".to_owned();
        if !wait.is_zero() {
            path = with_query(&path, &[("wait", &wait.as_secs_f64().to_string())]);
        }
        let request = self
            .request(&Method::POST, &path)
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .body(event.to_owned())?;
        let timeout = CALL_TIMEOUT.saturating_add(wait);
        let request = self.agent.configure_request(request);
        let request = request.timeout_global(Some(timeout)).build();
        self.answer(self.agent.run(request))
    }

    /// Gets a body that is not JSON, of at most `limit` bytes.
    pub(crate) fn get_bytes(&self, path: &str, limit: u64) -> anyhow::Result<Vec<u8>> {
        let request = self.request(&Method::GET, path).body(())?;
        let mut answer = self.accepted(self.agent.run(request))?;
        answer
            .body_mut()
            .with_config()
            .limit(limit)
            .read_to_vec()
            .with_context(|| self.cut_off())
    }

    pub(crate) fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.send(&Method::PATCH, &with_query(path, query), body)
    }

    pub(crate) fn delete(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<()> {
        let request = self.request(&Method::DELETE, &with_query(path, query));
        self.accepted(self.agent.run(request.body(())?)).map(drop)
    }

    fn send<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(serde_json::to_vec(body)?)?;
        self.answer(self.agent.run(request))
    }

    fn request(&self, method: &Method, path: &str) -> request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint.server))
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.endpoint.credential.token),
            )
            .header(header::ACCEPT, "application/json")
    }

    /// Reads the JSON of a successful response.
    fn answer<T: DeserializeOwned>(
        &self,
        sent: Result<Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<T> {
        let mut answer = self.accepted(sent)?;
        let body = self.read(&mut answer)?;
        serde_json::from_slice(&body).with_context(|| self.foreign())
    }

    /// Returns the response if it is successful.
    fn accepted(
        &self,
        sent: Result<Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<Response<ureq::Body>> {
        let mut answer =
            sent.map_err(|error| refusal::unreachable(&self.endpoint.server, error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        // A response that is not a problem document is reported by its status alone.
        let body = self.read(&mut answer)?;
        let problem = serde_json::from_slice(&body).unwrap_or_default();
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        Err(self.refused(answer.status(), &problem, retry_after))
    }

    /// Turns a stored refusal into the error that the call itself would have returned.
    fn refusal(&self, problem: &Problem) -> anyhow::Error {
        let status = StatusCode::from_u16(problem.status);
        let status = status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        self.refused(status, problem, None)
    }

    fn refused(
        &self,
        status: StatusCode,
        problem: &Problem,
        retry_after: Option<&str>,
    ) -> anyhow::Error {
        let Credential { origin, .. } = &self.endpoint.credential;
        refusal::refused(status, problem, origin, retry_after)
    }

    fn cut_off(&self) -> String {
        format!("the response from {} was cut off", self.endpoint.server)
    }

    fn foreign(&self) -> String {
        format!(
            "{} does not respond like a Tenterhook server",
            self.endpoint.server
        )
    }

    fn read(&self, answer: &mut Response<ureq::Body>) -> anyhow::Result<Vec<u8>> {
        answer
            .body_mut()
            .with_config()
            .limit(ANSWER_MAX_BYTES)
            .read_to_vec()
            .with_context(|| self.cut_off())
    }
}

/// Returns the path of one item of a collection.
pub(crate) fn path(collection: &str, name: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    // In a path, a plus is a plus.
    format!("{collection}/{}", name.replace('+', "%20"))
}

fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_encoded() {
        assert_eq!(path("/a", "7"), "/a/7");
        assert_eq!(path("/a", "../x y?z"), "/a/..%2Fx%20y%3Fz");
    }

    #[test]
    fn a_query_is_encoded() {
        assert_eq!(with_query("/a", &[]), "/a");
        assert_eq!(with_query("/a", &[("x", "1 &ü")]), "/a?x=1+%26%C3%BC");
    }
}
