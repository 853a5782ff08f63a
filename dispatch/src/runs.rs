//! What happens: events become tasks and executions, which are scheduled, run, retried and read.

pub(crate) mod accept;
pub(crate) mod cancel;
pub(crate) mod claim;
pub(crate) mod content;
pub(crate) mod endings;
pub(crate) mod environment;
pub(crate) mod execute;
pub(crate) mod execution;
pub(crate) mod executions;
pub(crate) mod fair;
pub(crate) mod kept_output;
pub(crate) mod live;
pub(crate) mod plan;
pub(crate) mod rehearsal;
pub(crate) mod retry;
pub(crate) mod room;
pub(crate) mod ruling;
pub(crate) mod run;
pub(crate) mod scheduler;
pub(crate) mod stats;
pub(crate) mod summary;
pub(crate) mod task;
pub(crate) mod tasks;
pub(crate) mod wait;
pub(crate) mod work;
