//! A hook in a unit test: the same function, natively, on a simulated run.
//!
//! Nothing is shared between tests: no file is written, and no variable of this process is
//! read or set. `tenterhook test` and `tenterhook run` do the same in the sandbox.
//!
//! ```
//! use tenterhook_sdk::{Hook, Verdict, events::PreFormatDisk, testing::Case, typed::TypedEvent};
//!
//! fn guard(disk: PreFormatDisk, hook: &Hook) -> Verdict {
//!     match hook.variable("RELEASED") {
//!         Some(serial) if serial == disk.serial => Verdict::allow(),
//!         _ => Verdict::deny(format!("{} was not released", disk.serial)),
//!     }
//! }
//!
//! let disk = PreFormatDisk { serial: "S-1".into(), ..TypedEvent::sample() };
//! assert_eq!(Case::of(disk.clone()).run(guard).denied(), Some("S-1 was not released"));
//! assert!(Case::of(disk).env("RELEASED", "S-1").run(guard).allowed());
//! ```

use serde_json::Value;

use crate::catalog::HookPoint;
use crate::contract::{env, upper_snake};
use crate::log::{self, Level, LogLine};
use crate::params::Params;
use crate::typed::TypedEvent;
use crate::verdict::TooLong;
use crate::{Event, Handler, Hook, Verdict, answer, handler};

/// A simulated run.
#[derive(Debug)]
pub struct Case {
    hook: Hook,
    /// How many arguments are the hook's own.
    own_args: usize,
}

/// How a hook ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its exit status.
    pub status: u8,
    /// Its verdict, if it left one.
    pub verdict: Option<Verdict>,
    /// The log lines that it printed by the macros.
    pub log: Vec<LogLine>,
    /// What it would have printed on standard error after `error: `.
    pub error: Option<String>,
}

/// The id and source of a simulated event.
const SIMULATED: (&str, &str) = ("test", "/test");

impl Case {
    /// Creates a run for an event of the catalog.
    #[must_use]
    pub fn of<E: TypedEvent>(event: E) -> Self {
        Self::custom(E::POINT.name, event.into_data())
    }

    /// Creates a run for an event of the catalog with its sample values.
    #[must_use]
    pub fn sample<E: TypedEvent>() -> Self {
        Self::of(E::sample())
    }

    /// Creates a run for an event of any type, with that `data`.
    #[must_use]
    pub fn custom(kind: &str, data: impl Into<Value>) -> Self {
        let (id, source) = SIMULATED;
        Self::event(Event::new(id, source, kind, Some(data.into())))
    }

    /// Creates a run for this event, with the same parameters as in the engine.
    #[must_use]
    pub fn event(event: Event) -> Self {
        let params = Params::of(HookPoint::find(&event.kind), event.data.as_ref());
        let mut hook = Hook::simulated(Some(event));
        for (name, value) in &params.named {
            hook.set_variable(&[env::PARAM_PREFIX, name].concat(), value);
            if params.croit {
                hook.set_variable(&[env::CROIT_PREFIX, name].concat(), value);
            }
        }
        for (place, value) in params.positional.iter().enumerate() {
            hook.insert_arg(place, value);
        }
        Self { hook, own_args: 0 }
    }

    /// Creates a run for the event in this JSON, such as a sample event of the project:
    /// `Case::json(include_str!("../tests/small-disk.event.json"))`.
    ///
    /// # Panics
    ///
    /// If it is not a valid event.
    #[must_use]
    #[track_caller]
    pub fn json(event: &str) -> Self {
        match Event::parse(event.as_bytes()) {
            Ok(event) => Self::event(event),
            Err(fault) => panic!("cannot read the event of this test: {fault}"),
        }
    }

    /// Creates a run without an event.
    #[must_use]
    pub fn without_event() -> Self {
        let hook = Hook::simulated(None);
        Self { hook, own_args: 0 }
    }

    /// Sets a parameter that the event does not have; one of an application, for example.
    #[must_use]
    pub fn param(self, name: &str, value: &str) -> Self {
        let name = [env::PARAM_PREFIX, &upper_snake(name)].concat();
        self.env(&name, value)
    }

    /// Sets a variable, one of the hook's own or of the engine's.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.hook.set_variable(name, value);
        self
    }

    /// Adds an argument of the hook's own; these come before those of the event.
    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.hook.insert_arg(self.own_args, arg);
        self.own_args += 1;
        self
    }

    /// Sets the number of the attempt; the first is 1.
    #[must_use]
    pub fn attempt(self, attempt: u32) -> Self {
        self.env(env::ATTEMPT, &attempt.to_string())
    }

    /// Sets the server that the run is for.
    #[must_use]
    pub fn server(self, id: u64, name: &str) -> Self {
        self.env(env::SERVER_ID, &id.to_string())
            .env(env::SERVER_NAME, name)
    }

    /// Returns the run as the hook sees it, to test functions that the hook calls.
    #[must_use]
    pub fn hook(&self) -> &Hook {
        &self.hook
    }

    /// Runs the hook. A panic of the hook is a panic of the test.
    pub fn run<'h, A>(&'h self, handler: impl Handler<'h, A>) -> Outcome {
        let least = Level::least(self.hook.variable(env::LOG).unwrap_or_default());
        let (conclusion, log) = log::capture(least, || handler::conclude(handler, &self.hook));
        let mut outcome = Outcome {
            status: conclusion.status,
            verdict: conclusion.verdict,
            log,
            error: conclusion.error,
        };
        let bytes = outcome
            .verdict
            .as_ref()
            .map(|verdict| verdict.to_json().len());
        if let Some(Err(error)) = bytes.map(TooLong::check) {
            outcome.status = answer::UNSUITED;
            outcome.verdict = None;
            outcome.error = Some(error.to_string());
        }
        outcome
    }
}

impl Outcome {
    /// Returns whether the event may proceed: the hook has succeeded, and no verdict denies.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.status == answer::DONE && self.denied().is_none()
    }

    /// Returns why the verdict denies, if it does; empty when it gives no reason.
    #[must_use]
    pub fn denied(&self) -> Option<&str> {
        let verdict = self.verdict.as_ref()?;
        (verdict.allow == Some(false)).then(|| verdict.reason.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
