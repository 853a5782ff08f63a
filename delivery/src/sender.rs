//! One attempt: a signed HTTP request to an address that is allowed.
//!
//! An attempt has a thread of its own, which is not waited for when the process ends.
//! No connection outlives its attempt, and no response leads elsewhere: redirects are
//! not followed.

use std::fmt;
use std::io::Read as _;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use http::{Uri, header};
use tokio::sync::oneshot;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};
use uuid::Uuid;

use crate::attempt::AttemptResult;
use crate::destination::Destinations;
use crate::pause;
use crate::secret::Secret;
use crate::settings::Settings;

/// Most that is read of a response's head, in bytes. No more than 128 headers are read
/// either, which is the client's own limit.
const HEAD_MAX_BYTES: usize = 16 << 10;

/// Most that is read of a response's body, in bytes. It is discarded: reading it lets an
/// ordinary response end in an orderly way.
const BODY_MAX_BYTES: u64 = 4 << 10;

/// A request to send.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: Uuid,
    pub(crate) url: String,
    pub(crate) secret: Secret,
    pub(crate) body: Vec<u8>,
}

/// Sends requests. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    agent: Agent,
    timeout: Duration,
}

impl Sender {
    pub(crate) fn new(settings: &Settings) -> Self {
        let config = Config::builder()
            .timeout_global(Some(settings.timeout))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // A proxy from the environment would resolve names in our place.
            .proxy(None)
            .max_response_header_size(HEAD_MAX_BYTES)
            .max_idle_connections(0)
            .user_agent(concat!("tenterhook/", env!("CARGO_PKG_VERSION")))
            .accept("*/*")
            .build();
        let resolver = CheckingResolver {
            destinations: settings.destinations,
            inner: DefaultResolver::default(),
        };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            timeout: settings.timeout,
        }
    }

    /// Makes one attempt.
    pub(crate) async fn attempt(&self, request: Request) -> AttemptResult {
        let (reply, result) = oneshot::channel();
        let sender = self.clone();
        let started = std::thread::Builder::new()
            .name("webhook".into())
            .spawn(move || reply.send(sender.send(request)));
        match started {
            Ok(_) => result
                .await
                .unwrap_or_else(|_| AttemptResult::Error("the attempt broke off".into())),
            Err(error) => AttemptResult::Error(format!("cannot start an attempt: {error}")),
        }
    }

    fn send(&self, request: Request) -> AttemptResult {
        let now = SystemTime::now();
        let timestamp = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            });
        let signature = request.secret.sign(request.id, timestamp, &request.body);
        let response = self
            .agent
            .post(&request.url)
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .header("webhook-id", request.id.to_string())
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature)
            .send(&request.body[..]);
        match response {
            Ok(response) => read(response, now),
            Err(error) => AttemptResult::Error(self.describe(&error)),
        }
    }

    fn describe(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("no answer within {:?}", self.timeout),
            ureq::Error::HostNotFound => "the name has no address".into(),
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::Other(error) => error.to_string(),
            error => error.to_string(),
        }
    }
}

fn read(response: http::Response<Body>, now: SystemTime) -> AttemptResult {
    let result = AttemptResult::Response {
        code: response.status(),
        retry_after: response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| pause::parse_retry_after(value.as_bytes(), now)),
    };
    let mut body = response.into_body().into_reader().take(BODY_MAX_BYTES);
    // However the body ends, the endpoint has answered.
    let _ = std::io::copy(&mut body, &mut std::io::sink());
    result
}

/// Resolves names, and returns only the addresses that are allowed.
#[derive(Debug)]
struct CheckingResolver {
    destinations: Destinations,
    inner: DefaultResolver,
}

impl Resolver for CheckingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| self.allows(address)) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            return Err(ureq::Error::Other(Box::new(NotPublic)));
        }
        Ok(allowed)
    }
}

impl CheckingResolver {
    fn allows(&self, address: &SocketAddr) -> bool {
        self.destinations.allows(address.ip())
    }
}

/// The address is not public. The message does not say which one it is: what names
/// resolve to inside a network is not revealed to the outside.
#[derive(Debug)]
struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not sent: the address is private or reserved, and this server sends to public ones only")
    }
}

impl std::error::Error for NotPublic {}
