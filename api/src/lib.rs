//! The REST APIs of Tenterhook on one listener.
//!
//! Each has its own documentation, paths, objects and error dialect: croit's
//! hook API under `/api`, Astra's under `/accounts`, Nova's external events under
//! `/v2.1`, Fenix's maintenance sessions under `/v1`, and our own under `/api/v1`. What
//! they share (authentication, bodies with limits, request ids, metrics) is beside them.
//! [`router()`] is everything without a socket; [`serve`] adds the socket.

mod accept;
mod app;
mod astra;
mod audit;
mod auth;
mod authority;
mod body;
mod charge;
mod chunks;
mod containers;
mod cors;
mod credentials;
mod croit;
mod dialect;
mod door;
mod edge;
mod endpoint;
mod entity_tag;
mod extract;
mod face;
mod failures;
mod fenix;
mod host;
mod keystone;
mod listen;
mod metrics;
mod native;
mod nova;
mod openapi;
mod probes;
mod proxies;
mod refusal;
mod rejection;
mod request_id;
mod router;
mod servers;
mod steps;
mod time_text;
mod uploads;

pub use crate::app::{App, CroitTimes, NovaRules};
pub use crate::cors::{CorsOrigins, NotAnOrigin, Origin};
pub use crate::door::Door;
pub use crate::failures::{FailureLimits, Quota};
pub use crate::listen::{serve, serve_probes, serving_threads};
pub use crate::proxies::{Network, NotANetwork, Proxies, ProxyProtocol};
pub use crate::router::router;
pub use crate::time_text::parse_time;
