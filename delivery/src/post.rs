//! One attempt: a signed HTTP request to an address that may be sent to.
//!
//! An attempt has a thread of its own, which nobody waits for when the process ends.
//! No connection outlives its attempt, and nothing that is answered leads elsewhere.

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

use crate::destination::Destinations;
use crate::pause;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::settle::Heard;

/// Most that is read of an answer's head, in bytes. No more than 128 headers are read
/// either, which is the client's own bound.
const HEAD_MAX_BYTES: usize = 16 << 10;

/// Most that is read of an answer's body, in bytes. It is not looked at: reading it
/// lets an ordinary answer end in an orderly way.
const BODY_MAX_BYTES: u64 = 4 << 10;

/// What is sent, and where.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) id: Uuid,
    pub(crate) url: String,
    pub(crate) secret: Secret,
    pub(crate) body: Vec<u8>,
}

/// Carries letters. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    agent: Agent,
    timeout: Duration,
}

impl Post {
    pub(crate) fn new(settings: &Settings) -> Self {
        let config = Config::builder()
            .timeout_global(Some(settings.timeout))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // One from the environment would be asked to resolve names in our place.
            .proxy(None)
            .max_response_header_size(HEAD_MAX_BYTES)
            .max_idle_connections(0)
            .user_agent(concat!("tenterhook/", env!("CARGO_PKG_VERSION")))
            .accept("*/*")
            .build();
        let judge = Judge {
            destinations: settings.destinations,
            resolver: DefaultResolver::default(),
        };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), judge),
            timeout: settings.timeout,
        }
    }

    /// Makes one attempt.
    pub(crate) async fn attempt(&self, sending: Sending) -> Heard {
        let (tell, told) = oneshot::channel();
        let post = self.clone();
        let started = std::thread::Builder::new()
            .name("webhook".into())
            .spawn(move || tell.send(post.send(sending)));
        match started {
            Ok(_) => told
                .await
                .unwrap_or_else(|_| Heard::Nothing("the attempt broke off".into())),
            Err(error) => Heard::Nothing(format!("cannot start an attempt: {error}")),
        }
    }

    fn send(&self, sending: Sending) -> Heard {
        let now = SystemTime::now();
        let timestamp = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            });
        let signature = sending.secret.sign(sending.id, timestamp, &sending.body);
        let answer = self
            .agent
            .post(&sending.url)
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .header("webhook-id", sending.id.to_string())
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature)
            .send(&sending.body[..]);
        match answer {
            Ok(answer) => hear(answer, now),
            Err(error) => Heard::Nothing(self.words(&error)),
        }
    }

    fn words(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("no answer within {:?}", self.timeout),
            ureq::Error::HostNotFound => "the name has no address".into(),
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::Other(error) => error.to_string(),
            error => error.to_string(),
        }
    }
}

fn hear(answer: http::Response<Body>, now: SystemTime) -> Heard {
    let heard = Heard::Answer {
        status: answer.status(),
        wish: answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| pause::wished(value.as_bytes(), now)),
    };
    let mut body = answer.into_body().into_reader().take(BODY_MAX_BYTES);
    // However it ends, the answer was given.
    let _ = std::io::copy(&mut body, &mut std::io::sink());
    heard
}

/// Resolves names and lets only those addresses through that may be sent to.
#[derive(Debug)]
struct Judge {
    destinations: Destinations,
    resolver: DefaultResolver,
}

impl Resolver for Judge {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
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

impl Judge {
    fn allows(&self, address: &SocketAddr) -> bool {
        self.destinations.allows(address.ip())
    }
}

/// The address is not one for everybody. Which one it is stays here: names inside a
/// network are not told to who is outside.
#[derive(Debug)]
struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not sent: the address is private or reserved, and this server sends to public ones only")
    }
}

impl std::error::Error for NotPublic {}
