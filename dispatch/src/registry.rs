//! What an account has set up: sources, hooks, servers and apps, and how they are found.

pub(crate) mod app;
pub(crate) mod apps;
pub(crate) mod code;
pub(crate) mod criterion;
pub(crate) mod damaged;
pub(crate) mod directory;
pub(crate) mod hook;
pub(crate) mod hook_override;
pub(crate) mod hook_point;
pub(crate) mod hooks;
pub(crate) mod label;
pub(crate) mod lookup;
pub(crate) mod overrides;
pub(crate) mod preloaded;
pub(crate) mod programs;
pub(crate) mod recipe;
pub(crate) mod reference;
pub(crate) mod rules;
pub(crate) mod server;
pub(crate) mod servers;
pub(crate) mod source;
pub(crate) mod sources;
