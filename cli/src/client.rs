//! A client of a running server: JSON out, JSON in, over plain HTTP.
//!
//! Every error says what to do next. `endpoint` finds the server and the token.

mod endpoint;
mod list;
mod refusal;
mod stream;
mod upload;

use std::fmt::Display;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use serde_json::value::RawValue;
use tenterhook_engine::json;
use ureq::Agent;
use ureq::http::{Method, Request, Response, StatusCode, header, request};

pub(crate) use self::endpoint::Flags;
use self::endpoint::{Credential, Endpoint};
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

    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.call(&Method::GET, &with_query(path, query), None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(&Method::POST, path, Some(body))
    }

    /// Posts without a body.
    pub(crate) fn post_empty(&self, path: &str) -> anyhow::Result<Value> {
        self.call(&Method::POST, path, None)
    }

    /// Posts an event and waits at most `wait` for its task, beyond the timeout of a call.
    ///
    /// The response is returned as it was sent: it shows data and verdicts that no value can
    /// hold exactly.
    pub(crate) fn post_event(&self, event: &str, wait: Duration) -> anyhow::Result<Box<RawValue>> {
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
        let mut answer = self.accepted(self.agent.run(request))?;
        self.read_raw(&mut answer)?.with_context(|| self.foreign())
    }

    /// Gets a response as it was sent.
    pub(crate) fn get_raw(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<Box<RawValue>> {
        let request = self.request(&Method::GET, &with_query(path, query));
        let sent = self.agent.run(request.body(())?);
        let mut answer = self.accepted(sent)?;
        self.read_raw(&mut answer)?.with_context(|| self.foreign())
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

    pub(crate) fn patch(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> anyhow::Result<Value> {
        self.call(&Method::PATCH, &with_query(path, query), Some(body))
    }

    pub(crate) fn delete(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<()> {
        self.call(&Method::DELETE, &with_query(path, query), None)
            .map(drop)
    }

    fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let request = self.request(method, path);
        let sent = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
            None => request
                .body(())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
        };
        self.answer(sent)
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

    /// Returns the JSON of a successful response.
    fn answer(&self, sent: Result<Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let mut answer = self.accepted(sent)?;
        self.read(&mut answer)
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
        let body = self.read(&mut answer)?;
        let Credential { origin, .. } = &self.endpoint.credential;
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        Err(refusal::refused(
            answer.status(),
            &body,
            origin,
            retry_after,
        ))
    }

    /// Turns a stored refusal into the error that the call itself would have returned.
    fn refusal(&self, problem: &Value) -> anyhow::Error {
        let status = problem["status"].as_u64().and_then(|status| {
            let status = u16::try_from(status).ok()?;
            StatusCode::from_u16(status).ok()
        });
        let status = status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        refusal::refused(status, problem, &self.endpoint.credential.origin, None)
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

    fn read(&self, answer: &mut Response<ureq::Body>) -> anyhow::Result<Value> {
        let raw = self.read_raw(answer)?;
        Ok(raw.map_or(Value::Null, |raw| json::nearest(&raw)))
    }

    /// Reads the JSON of a response; `None` if it has no body.
    fn read_raw(&self, answer: &mut Response<ureq::Body>) -> anyhow::Result<Option<Box<RawValue>>> {
        let bytes = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_MAX_BYTES)
            .read_to_vec()
            .with_context(|| self.cut_off())?;
        if bytes.is_empty() {
            return Ok(None);
        }
        // An error whose body is not JSON is reported by its status alone.
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Some(value)),
            Err(_) if !answer.status().is_success() => Ok(None),
            Err(error) => Err(error).with_context(|| self.foreign()),
        }
    }
}

/// Returns a text member of a response; empty if it is absent.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// Finds the item with this id, number or name. `id:`, `number:` or `name:` before it says
/// which of them it is.
///
/// # Errors
///
/// No item has it, or several have.
pub(crate) fn find_named<'a>(
    items: &'a [Value],
    noun: impl Display,
    name: &str,
) -> anyhow::Result<&'a Value> {
    let has = |item: &Value, form: &str, name: &str| match form {
        "id" => text(item, "id").eq_ignore_ascii_case(name),
        "number" => item["number"]
            .as_i64()
            .is_some_and(|n| n.to_string() == name),
        _ => text(item, "name") == name,
    };
    let forms = ["id", "number", "name"];
    let typed = name
        .split_once(':')
        .filter(|(form, _)| forms.contains(form));
    let means = |item: &&Value| match typed {
        Some((form, name)) => has(item, form, name),
        None => forms.iter().any(|form| has(item, form, name)),
    };
    let mut found = items.iter().filter(means);
    let item = found.next().with_context(|| {
        format!("no such {noun}: `{name}`; `tenterhook {noun} list` lists them")
    })?;
    if found.next().is_some() {
        let form = match items.iter().any(|item| has(item, "id", name)) {
            true => "id",
            false => "number",
        };
        anyhow::bail!(
            "`{name}` is ambiguous: it is the {form} of one {noun} and the name of another; say `{form}:{name}` \
             or `name:{name}`"
        );
    }
    Ok(item)
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
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_named_by_its_id_its_number_or_its_name() {
        let items = [
            json!({"id": "a1", "number": 7, "name": "x"}),
            json!({"id": "b2", "name": "8"}),
        ];
        let id = |name| find_named(&items, "account", name).map(|item| text(item, "id").to_owned());
        assert_eq!(id("A1").unwrap(), "a1");
        assert_eq!(id("7").unwrap(), "a1");
        assert_eq!(id("x").unwrap(), "a1");
        let error = id("y").unwrap_err().to_string();
        assert!(error.contains("tenterhook account list"), "{error}");
    }

    #[test]
    fn a_name_that_is_the_number_of_another_item_has_to_be_typed() {
        let items = [
            json!({"id": "a1", "number": 7, "name": "x"}),
            json!({"id": "b2", "name": "7"}),
            json!({"id": "c3", "name": "a1"}),
        ];
        let id = |name| find_named(&items, "account", name).map(|item| text(item, "id").to_owned());
        let error = id("7").unwrap_err().to_string();
        assert!(error.contains("`number:7` or `name:7`"), "{error}");
        let error = id("a1").unwrap_err().to_string();
        assert!(error.contains("`id:a1` or `name:a1`"), "{error}");
        assert_eq!(id("number:7").unwrap(), "a1");
        assert_eq!(id("name:7").unwrap(), "b2");
        assert_eq!(id("id:a1").unwrap(), "a1");
        assert_eq!(id("name:a1").unwrap(), "c3");
    }

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
