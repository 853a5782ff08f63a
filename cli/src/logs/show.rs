//! Lines of executions on standard output: drawn for a person, or as objects.
//!
//! Several executions print at once: a line is written whole, with its name before
//! it.

use std::io::{self, Write as _};
use std::sync::Mutex;

use serde_json::{Map, Value, json};
use tenterhook_sdk::log::LogLine;

use super::lines::Lines;
use crate::client::text;
use crate::execution::{outcome, short, target};
use crate::guest_log::draw;
use crate::neutral;
use crate::paint::{self, Painter};
use crate::table::Form;

/// Whether anybody reads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Yes.
    Wanted,
    /// Standard output is closed.
    Unwanted,
}

/// Whose lines they are.
#[derive(Clone, Debug)]
pub(super) struct Whose {
    id: String,
    task: Value,
    name: String,
    target: String,
}

impl Whose {
    pub(super) fn of(execution: &Value) -> Self {
        Self {
            id: text(execution, "id").to_owned(),
            task: execution["task_number"].clone(),
            name: text(execution, "name").to_owned(),
            target: target(execution),
        }
    }

    fn prefix(&self) -> String {
        let at = if self.target.is_empty() { "" } else { "@" };
        let short = short(&self.id);
        neutral::line(&format!("{}{at}{}[{short}]", self.name, self.target))
    }

    fn object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("execution".into(), self.id.clone().into());
        object.insert("task".into(), self.task.clone());
        object.insert("name".into(), self.name.clone().into());
        if !self.target.is_empty() {
            object.insert("target".into(), self.target.clone().into());
        }
        object
    }
}

/// Writes to standard output.
#[derive(Debug)]
pub(super) struct Shower {
    json: bool,
    several: bool,
    paint: Painter,
    turn: Mutex<()>,
}

impl Shower {
    /// For the lines of one execution.
    pub(super) fn alone(form: Form) -> Self {
        Self {
            json: form.is_json(),
            several: false,
            paint: paint::stdout(),
            turn: Mutex::default(),
        }
    }

    /// For the lines of several: each is told whose it is.
    pub(super) fn several(form: Form) -> Self {
        Self {
            several: true,
            ..Self::alone(form)
        }
    }

    /// Begins to write what one execution prints.
    pub(super) fn begin(&self, whose: Whose) -> Writing<'_> {
        Writing {
            shower: self,
            whose,
            stdout: Lines::default(),
            stderr: Lines::default(),
        }
    }

    /// Writes all that an execution has printed by now.
    pub(super) fn whole(&self, whose: &Whose, execution: &Value) -> anyhow::Result<Shown> {
        let mut writing = self.begin(whose.clone());
        for stream in ["stdout", "stderr"] {
            if writing.write(stream, text(execution, stream).as_bytes())? == Shown::Unwanted {
                return Ok(Shown::Unwanted);
            }
        }
        writing.end(execution)
    }

    fn line(&self, whose: &Whose, stream: &str, bytes: &[u8]) -> anyhow::Result<Shown> {
        let log = std::str::from_utf8(bytes).ok().and_then(LogLine::parse);
        if self.json {
            let mut object = whose.object();
            object.insert("stream".into(), stream.into());
            object.insert("text".into(), String::from_utf8_lossy(bytes).into());
            if let Some(log) = log.filter(|_| stream == "stderr") {
                object.insert("log".into(), json!(log));
            }
            return self.put(&format!("{}\n", Value::Object(object)));
        }
        let line = match log.filter(|_| stream == "stderr") {
            Some(log) => draw(&log, self.paint),
            None => shown(bytes),
        };
        if self.several {
            return self.put(&format!("{} {line}\n", self.paint.dim(&whose.prefix())));
        }
        self.put(&format!("{line}\n"))
    }

    fn end(&self, whose: &Whose, end: &Value) -> anyhow::Result<Shown> {
        if self.json {
            let mut object = whose.object();
            object.insert("state".into(), end["state"].clone());
            object.insert("outcome".into(), end["outcome"].clone());
            return self.put(&format!("{}\n", Value::Object(object)));
        }
        if !self.several {
            return Ok(Shown::Wanted);
        }
        let mut told = text(end, "state").to_owned();
        let outcome = outcome(end);
        if !outcome.is_empty() {
            told = format!("{told}, {outcome}");
        }
        let line = format!("{} -- {}", whose.prefix(), neutral::line(&told));
        self.put(&format!("{}\n", self.paint.dim(&line)))
    }

    fn put(&self, text: &str) -> anyhow::Result<Shown> {
        let _turn = self
            .turn
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(Shown::Wanted),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Shown::Unwanted),
            Err(error) => Err(error.into()),
        }
    }
}

/// What one execution prints, on its way to standard output.
pub(super) struct Writing<'a> {
    shower: &'a Shower,
    whose: Whose,
    stdout: Lines,
    stderr: Lines,
}

impl Writing<'_> {
    /// Takes a piece of one of the two streams.
    pub(super) fn write(&mut self, stream: &str, bytes: &[u8]) -> anyhow::Result<Shown> {
        let lines = match stream {
            "stdout" => self.stdout.push(bytes),
            _ => self.stderr.push(bytes),
        };
        for line in lines {
            if self.shower.line(&self.whose, stream, &line)? == Shown::Unwanted {
                return Ok(Shown::Unwanted);
            }
        }
        Ok(Shown::Wanted)
    }

    /// The attempt is over: whatever is left is written, and how it ended.
    pub(super) fn end(&mut self, end: &Value) -> anyhow::Result<Shown> {
        for (stream, rest) in [
            ("stdout", self.stdout.rest()),
            ("stderr", self.stderr.rest()),
        ] {
            if let Some(rest) = rest {
                self.shower.line(&self.whose, stream, &rest)?;
            }
        }
        self.shower.end(&self.whose, end)
    }
}

/// A line for a terminal; tabs stay.
fn shown(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    let mut neutral = neutral::Neutral::default();
    neutral
        .write(bytes, &mut out)
        .and_then(|()| neutral.finish(&mut out))
        .expect("writing to memory succeeds");
    // A carriage return before the line's end hides nothing.
    let text = String::from_utf8_lossy(&out).into_owned();
    match text.strip_suffix("^M") {
        Some(line) => line.to_owned(),
        None => text,
    }
}
