//! One run of a hook, as the hook itself sees it: event, variables, time.
//!
//! Nothing here calls a custom host function; it uses plain files, arguments and
//! environment, so the same hook also runs outside the sandbox.

mod parameter;
mod unreadable;
mod variables;

use std::cell::OnceCell;
use std::io::Read as _;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use serde_json::Value;

pub use self::parameter::NoParameter;
pub use self::unreadable::Unreadable;
use self::variables::Variables;
use crate::argument::{Argument, NoArgument};
use crate::contract::{self, env as names};
use crate::event::Event;

/// The initial buffer for the data of an event. Larger data takes more calls to the host.
const DATA_USUAL_BYTES: usize = 4096;

/// One run of a hook. Everything is read lazily.
#[derive(Debug)]
pub struct Hook {
    event: OnceCell<Result<Event, Unreadable>>,
    data: OnceCell<Result<Value, Unreadable>>,
    variables: Variables,
    args: OnceCell<Vec<String>>,
    opened_at: Instant,
}

/// The server that a hook runs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server<'h> {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: &'h str,
}

/// The bounds of a run; `None` where the run does not know them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Fuel, in units; about one per instruction.
    pub fuel: Option<u64>,
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Wall-clock time, from the start.
    pub wall: Option<Duration>,
    /// The output that is kept, in bytes.
    pub output_bytes: Option<u64>,
    /// What all files may hold, in bytes.
    pub files_bytes: Option<u64>,
}

impl Hook {
    /// Opens the run of this process.
    #[must_use]
    pub fn open() -> Self {
        Self {
            event: OnceCell::new(),
            data: OnceCell::new(),
            variables: Variables::of_process(),
            args: OnceCell::new(),
            opened_at: Instant::now(),
        }
    }

    /// Creates a simulated run: without arguments, and without variables except the
    /// event's type and id.
    pub(crate) fn simulated(event: Option<Event>) -> Self {
        let mut variables = Vec::new();
        let mut data = Err(Unreadable::Missing);
        if let Some(event) = &event {
            variables.push((names::EVENT.to_owned(), event.kind.clone()));
            variables.push((names::EVENT_ID.to_owned(), event.id.clone()));
            data = match event.data_base64 {
                None => Ok(event.data.clone().unwrap_or_default()),
                Some(_) => Err(Unreadable::Data("it is in base64".to_owned())),
            };
        }
        Self {
            event: OnceCell::from(event.ok_or(Unreadable::Missing)),
            data: OnceCell::from(data),
            variables: Variables::Simulated(variables),
            args: OnceCell::from(Vec::new()),
            opened_at: Instant::now(),
        }
    }

    /// Returns the type of the event that this run is for, which is the hook point's name;
    /// `None` for a run without an event.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.variable(names::EVENT)
    }

    /// Returns the event's data; null when it has none.
    ///
    /// It is read from standard input, to its end. That takes a microsecond; the whole
    /// event is in a file, and opening the first file of a run takes a hundred.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when the run has no event, or its data is not JSON, or has a number or
    /// a string that a [`Value`] cannot hold, such as `1e400`; standard input has it as sent.
    pub fn data(&self) -> Result<&Value, Unreadable> {
        let data = self.data.get_or_init(|| {
            if self.event_type().is_none() {
                return Err(Unreadable::Missing);
            }
            let mut json = Vec::with_capacity(DATA_USUAL_BYTES);
            io::stdin()
                .lock()
                .read_to_end(&mut json)
                .map_err(|error| Unreadable::Data(error.to_string()))?;
            if json.is_empty() {
                return Ok(Value::Null);
            }
            serde_json::from_slice(&json).map_err(|error| Unreadable::Data(error.to_string()))
        });
        data.as_ref().map_err(Clone::clone)
    }

    /// Returns the whole event that this run is for, read from its file.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when the run has no event, or its file is not a valid one.
    pub fn event(&self) -> Result<&Event, Unreadable> {
        let event = self.event.get_or_init(|| {
            let json = fs::read(contract::EVENT_FILE).or_else(|error| match error.kind() {
                // A run without an event may have no such file.
                io::ErrorKind::NotFound => Ok(Vec::new()),
                _ => Err(Unreadable::File(error.to_string())),
            })?;
            if json.is_empty() {
                return Err(Unreadable::Missing);
            }
            Event::parse(&json).map_err(Unreadable::Event)
        });
        event.as_ref().map_err(Clone::clone)
    }

    /// Returns the event in any form that a hook's function may take, for a hook that is
    /// bound to several hook points.
    ///
    /// ```
    /// # use tenterhook_sdk::{Hook, argument::NoArgument};
    /// use tenterhook_sdk::events::{OnHealthDegrade, OnHealthImprove};
    ///
    /// fn now(hook: &Hook) -> Result<String, NoArgument> {
    ///     Ok(match hook.event_type() {
    ///         Some("OnHealthDegrade") => hook.take::<OnHealthDegrade>()?.new_status,
    ///         _ => hook.take::<OnHealthImprove>()?.new_status,
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NoArgument`] when the event has another type, or does not match it.
    pub fn take<'h, A: Argument<'h>>(&'h self) -> Result<A, NoArgument> {
        A::take(self)
    }

    /// Returns the hook's arguments, then those of the hook point; without the program's
    /// name.
    pub fn args(&self) -> &[String] {
        self.args.get_or_init(|| {
            let args = env::args_os().skip(1);
            args.map(|arg| arg.to_string_lossy().into_owned()).collect()
        })
    }

    /// Returns an environment variable, such as one that is set on the hook itself.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name)
    }

    /// Returns the value of one of the event's parameters, by its documented name.
    ///
    /// # Errors
    ///
    /// [`NoParameter`], which lists the existing ones.
    pub fn param(&self, name: &str) -> Result<&str, NoParameter> {
        self.try_param(name)
            .ok_or_else(|| NoParameter::new(name, &self.variables.names()))
    }

    /// Returns the value of one of the event's parameters, by its documented name; `None`
    /// when the event does not have it.
    #[must_use]
    pub fn try_param(&self, name: &str) -> Option<&str> {
        let variable = [names::PARAM_PREFIX, &contract::upper_snake(name)].concat();
        self.variable(&variable)
    }

    /// Returns the number of the attempt: 1 for the first, higher when the execution is
    /// run again.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.number(names::ATTEMPT).unwrap_or(1)
    }

    /// Returns the id of this execution, the same for all its attempts; `None` outside the
    /// engine.
    #[must_use]
    pub fn execution(&self) -> Option<&str> {
        self.variable(names::EXECUTION_ID)
    }

    /// Returns the id of the account that owns the hook; `None` outside the engine.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.variable(names::ACCOUNT_ID)
    }

    /// Returns the server that this run is for, if any.
    #[must_use]
    pub fn server(&self) -> Option<Server<'_>> {
        let id = self.number(names::SERVER_ID)?;
        let name = self.variable(names::SERVER_NAME)?;
        Some(Server { id, name })
    }

    /// Returns the bounds of this run.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            fuel: self.number(names::LIMIT_FUEL),
            memory_bytes: self.number(names::LIMIT_MEMORY),
            wall: self.number(names::LIMIT_WALL).map(Duration::from_millis),
            output_bytes: self.number(names::LIMIT_OUTPUT),
            files_bytes: self.number(names::LIMIT_FILES),
        }
    }

    /// Returns the wall-clock time that is left until the run is stopped; `None` when the
    /// limit is unknown. It is counted from when the hook was opened, by the hook's own clock,
    /// which moves with its work and its sleep: on a busy host the run may be stopped earlier.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let wall = self.limits().wall?;
        Some(wall.saturating_sub(self.opened_at.elapsed()))
    }

    /// Sets a variable of a simulated run.
    pub(crate) fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.set(name, value);
    }

    /// Adds an argument to a simulated run, at that position.
    pub(crate) fn insert_arg(&mut self, place: usize, arg: &str) {
        if let Some(args) = self.args.get_mut() {
            args.insert(place, arg.to_owned());
        }
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.variable(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(variables: &[(&str, &str)]) -> Hook {
        let mut hook = Hook::simulated(None);
        for (name, value) in variables {
            hook.set_variable(name, value);
        }
        hook
    }

    #[test]
    fn a_run_without_variables_is_a_first_attempt() {
        let hook = hook(&[("HOOK_ATTEMPT", "soon")]);
        assert_eq!(hook.attempt(), 1);
        assert_eq!(hook.server(), None);
        assert_eq!(hook.limits(), Limits::default());
        assert_eq!(hook.time_left(), None);
    }

    #[test]
    fn variables_set_by_the_engine_are_read() {
        let hook = hook(&[
            ("HOOK_ATTEMPT", "3"),
            ("HOOK_SERVER_ID", "7"),
            ("HOOK_SERVER_NAME", "node-7"),
            ("HOOK_EXECUTION_ID", "e"),
            ("HOOK_ACCOUNT_ID", "a"),
            ("HOOK_LIMIT_FUEL", "1000"),
            ("HOOK_LIMIT_MEMORY_BYTES", "65536"),
            ("HOOK_LIMIT_WALL_MS", "60000"),
        ]);
        assert_eq!(hook.attempt(), 3);
        let server = hook.server().unwrap();
        assert_eq!((server.id, server.name), (7, "node-7"));
        assert_eq!((hook.execution(), hook.account()), (Some("e"), Some("a")));
        assert_eq!(hook.limits().fuel, Some(1000));
        assert_eq!(hook.limits().memory_bytes, Some(65536));
        assert!(hook.time_left().unwrap() <= Duration::from_secs(60));
    }

    #[test]
    fn no_time_is_left_after_the_limit() {
        assert_eq!(
            hook(&[("HOOK_LIMIT_WALL_MS", "0")]).time_left(),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn a_parameter_is_found_by_its_documented_name() {
        let hook = hook(&[("HOOK_PARAM_SIZE_BYTES", "7")]);
        assert_eq!(hook.param("sizeBytes").unwrap(), "7");
        assert_eq!(hook.try_param("size"), None);
    }
}
