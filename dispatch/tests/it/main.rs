//! The dispatcher with a real engine and a real `SQLite` file.

#![expect(
    clippy::unwrap_used,
    reason = "what helps a test panics as the test does"
)]

mod accept;
mod accounts;
mod apps;
mod authority;
mod cancel;
mod chosen;
mod clock;
mod code;
mod config;
mod containers;
mod crash;
mod disk;
mod faults;
mod isolation;
mod lists;
mod overrides;
mod planned;
mod preloaded;
mod principals;
mod recovery;
mod replay;
mod retry;
mod running;
mod sessions;
mod sharing;
mod support;
mod unusable;
