//! The built binary, started as a person or a script would start it.
#![expect(clippy::unwrap_used, reason = "a helper of a test is a part of it")]

mod account;
mod api;
mod bombs;
mod check;
mod client;
mod cloud;
mod compiler;
mod crash;
mod examples;
mod external_events;
mod guide;
mod http;
mod idle;
mod journey;
mod lockdown;
mod maintenance;
mod oracle;
mod run_event;
mod run_report;
mod run_status;
mod run_streams;
mod serve;
mod server;
mod status;
mod tenterhook;
mod tiny;
mod token;
mod webhooks;
