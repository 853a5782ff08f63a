//! Errors are helpful: the message in place of a run says what is wrong and what
//! to do, on one line.

mod answers;
mod targets;
mod variables;
