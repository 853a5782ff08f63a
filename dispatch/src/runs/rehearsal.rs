//! A hook tried out on an event that is neither stored nor dispatched.
//!
//! It is given what a real execution would be given, by the same code, so that
//! an author can trust what a local run shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tenterhook_engine::{AskedLimits, Digest, Invocation, Kind, Limits, OutputSink};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::id::{AccountId, ExecutionId};
use crate::registry::hook::FailurePolicy;
use crate::registry::hook_point::HookPointName;
use crate::registry::recipe::{Recipe, RecipeContent};
use crate::runs::environment::Context;
use crate::runs::event::ReceivedEvent;
use crate::runs::retry::RetryPolicy;
use crate::runs::work::NewExecution;

/// A hook to try out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// The program's name, its `argv[0]`.
    pub name: String,
    /// The hook's own arguments, before those of the hook point.
    pub args: Vec<String>,
    /// The hook's own environment variables.
    pub env: BTreeMap<String, String>,
}

impl Rehearsal {
    /// Which members of the event's data the hook would not be given as parameters, and why.
    #[must_use]
    pub fn warnings(event: &ReceivedEvent, name: &HookPointName) -> Vec<String> {
        Context::of(event, name, Bytes::new()).warnings().to_vec()
    }

    /// Says what the hook would be given of `event`, whose type is `name`, at the
    /// first attempt and for no server.
    ///
    /// Account and execution have the all-zero identifier, so that equal input
    /// makes an equal run.
    #[must_use]
    pub fn invocation(
        self,
        event: &ReceivedEvent,
        name: &HookPointName,
        limits: Limits,
        cancel: CancellationToken,
        output: Arc<dyn OutputSink>,
    ) -> Invocation {
        let content = RecipeContent {
            // Which of the three makes no difference to what a program is given.
            kind: Kind::Script,
            name: self.name,
            args: self.args,
            env: self.env,
            limits: AskedLimits::default(),
            failure_policy: FailurePolicy::Open,
            retry: RetryPolicy::default(),
        };
        let execution = NewExecution {
            id: ExecutionId::from_uuid(Uuid::nil()),
            hook: None,
            recipe: Arc::new(Recipe::new(Digest::of(&[]), content)),
            server: None,
            container: None,
            lane: 0,
        };
        Context::of(event, name, event.to_json().into()).invocation(
            AccountId::from_uuid(Uuid::nil()),
            &execution,
            1,
            limits,
            cancel,
            Some(output),
        )
    }
}
