//! Wrong use is kind: what comes instead of a run says what the matter is and what
//! to do, on one line.

mod answers;
mod targets;
mod variables;
