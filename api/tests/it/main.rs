//! The APIs, driven through the router without a socket.
//!
//! Engine and store are the real ones: the guests run, and the database is a
//! file in its own folder.

#![expect(clippy::unwrap_used, reason = "a helper of a test is a part of it")]

mod astra_apps;
mod astra_hooks;
mod astra_isolation;
mod astra_lists;
mod astra_overrides;
mod astra_problems;
mod astra_sources;
mod astra_support;
mod authority;
mod croit_execute;
mod croit_hooks;
mod croit_login;
mod croit_scripts;
mod croit_tasks;
mod crowds;
mod cursors;
mod disclosure;
mod documents;
mod edge;
mod failures;
mod fenix_constraints;
mod fenix_hostile;
mod fenix_metadata;
mod fenix_projects;
mod fenix_refusals;
mod fenix_sessions;
mod fenix_support;
mod foreign_values;
mod front_door;
mod house;
mod http;
mod native_accounts;
mod native_apps;
mod native_events;
mod native_executions;
mod native_hooks;
mod native_principals;
mod native_replays;
mod native_sources;
mod native_targets;
mod native_tenants;
mod native_uploads;
mod native_webhooks;
mod nova_events;
mod nova_faults;
mod nova_load;
mod nova_support;
mod nova_versions;
mod proxied;
mod socket;
mod support;
