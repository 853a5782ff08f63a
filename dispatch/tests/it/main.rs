//! The dispatcher with a real engine and a real SQLite file.

mod accept;
mod accounts;
mod cancel;
mod config;
mod recovery;
mod retry;
mod support;
