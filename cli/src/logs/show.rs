//! Prints lines of executions on standard output: as text, or as JSON objects.
//!
//! Several executions may print at once: each line is written whole, prefixed with its
//! execution's name.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::sync::Mutex;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tenterhook_engine::LogLine;
use tenterhook_wire::{Attempt, ExecutionHead, State};

use super::lines::Lines;
use crate::execution::{outcome, short, target};
use crate::guest_log::draw;
use crate::neutral;
use crate::paint::{self, Painter};
use crate::table::OutputFormat;

/// Whether standard output is still read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputState {
    /// It is.
    Open,
    /// Standard output is closed.
    Closed,
}

/// The execution that lines come from.
#[derive(Clone, Debug)]
pub(super) struct LineOrigin {
    id: String,
    task: i32,
    name: String,
    target: String,
    /// The attempt, if one was asked for.
    attempt: Option<u32>,
}

impl LineOrigin {
    pub(super) fn of(execution: &ExecutionHead) -> Self {
        Self {
            id: execution.id.clone(),
            task: execution.task_number,
            name: execution.name.clone(),
            target: target(execution),
            attempt: None,
        }
    }

    /// The same for the lines of an attempt that was asked for.
    pub(super) fn with_attempt(self, attempt: u32) -> Self {
        Self {
            attempt: Some(attempt),
            ..self
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
        object.insert("task".into(), self.task.into());
        object.insert("name".into(), self.name.clone().into());
        if !self.target.is_empty() {
            object.insert("target".into(), self.target.clone().into());
        }
        if let Some(attempt) = self.attempt {
            object.insert("attempt".into(), attempt.into());
        }
        object
    }
}

/// Prints lines of executions to standard output.
#[derive(Debug)]
pub(super) struct LogPrinter {
    json: bool,
    several: bool,
    paint: Painter,
    turn: Mutex<()>,
}

/// A line as JSON; the fields of its log line keep their text.
#[derive(Serialize)]
struct JsonLine {
    #[serde(flatten)]
    object: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<LogLine>,
}

impl LogPrinter {
    /// For the lines of one execution.
    pub(super) fn alone(format: OutputFormat) -> Self {
        Self {
            json: format.is_json(),
            several: false,
            paint: paint::stdout(),
            turn: Mutex::default(),
        }
    }

    /// For the lines of several: each is prefixed with its origin.
    pub(super) fn several(format: OutputFormat) -> Self {
        Self {
            several: true,
            ..Self::alone(format)
        }
    }

    /// Starts writing the output of one execution.
    pub(super) fn begin(&self, origin: LineOrigin) -> ExecutionWriter<'_> {
        ExecutionWriter {
            printer: self,
            origin,
            stdout: Lines::default(),
            stderr: Lines::default(),
        }
    }

    /// Writes the stored output of an attempt, after which its execution had this state.
    pub(super) fn whole(
        &self,
        origin: &LineOrigin,
        warnings: &[String],
        state: State,
        attempt: &Attempt,
    ) -> anyhow::Result<OutputState> {
        for warning in warnings {
            let line = json!({"level": "warn", "message": warning, "source": "tenterhook"});
            if self.line(origin, "stderr", line.to_string().as_bytes())? == OutputState::Closed {
                return Ok(OutputState::Closed);
            }
        }
        let mut writer = self.begin(origin.clone());
        let stdout = printed(&attempt.stdout, &attempt.stdout_base64)?;
        let stderr = printed(&attempt.stderr, &attempt.stderr_base64)?;
        for (stream, bytes) in [("stdout", stdout), ("stderr", stderr)] {
            if writer.write(stream, &bytes)? == OutputState::Closed {
                return Ok(OutputState::Closed);
            }
        }
        writer.end(Some(state), attempt)
    }

    fn line(&self, origin: &LineOrigin, stream: &str, bytes: &[u8]) -> anyhow::Result<OutputState> {
        let text = std::str::from_utf8(bytes);
        let log = text.ok().and_then(LogLine::parse);
        if self.json {
            let mut object = origin.object();
            object.insert("stream".into(), stream.into());
            object.insert("text".into(), String::from_utf8_lossy(bytes).into());
            if text.is_err() {
                object.insert("text_base64".into(), STANDARD.encode(bytes).into());
            }
            let log = log.filter(|_| stream == "stderr");
            let line = serde_json::to_string(&JsonLine { object, log })?;
            return self.put(&format!("{line}\n"));
        }
        let line = match log.filter(|_| stream == "stderr") {
            Some(log) => draw(&log, self.paint),
            None => shown(bytes),
        };
        if self.several {
            return self.put(&format!("{} {line}\n", self.paint.dim(&origin.prefix())));
        }
        self.put(&format!("{line}\n"))
    }

    fn end(
        &self,
        origin: &LineOrigin,
        state: Option<State>,
        attempt: &Attempt,
    ) -> anyhow::Result<OutputState> {
        if self.json {
            let mut object = origin.object();
            object.insert("state".into(), json!(state));
            object.insert("outcome".into(), json!(attempt.outcome));
            return self.put(&format!("{}\n", Value::Object(object)));
        }
        if !self.several {
            return Ok(OutputState::Open);
        }
        let mut summary = state.map_or("", State::as_str).to_owned();
        let outcome = outcome(attempt);
        if !outcome.is_empty() {
            summary = format!("{summary}, {outcome}");
        }
        let line = format!("{} -- {}", origin.prefix(), neutral::line(&summary));
        self.put(&format!("{}\n", self.paint.dim(&line)))
    }

    fn put(&self, text: &str) -> anyhow::Result<OutputState> {
        let _turn = self
            .turn
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(OutputState::Open),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(OutputState::Closed),
            Err(error) => Err(error.into()),
        }
    }
}

/// Writes one execution's output, line by line.
pub(super) struct ExecutionWriter<'a> {
    printer: &'a LogPrinter,
    origin: LineOrigin,
    stdout: Lines,
    stderr: Lines,
}

impl ExecutionWriter<'_> {
    /// Writes a chunk of one of the two streams.
    pub(super) fn write(&mut self, stream: &str, bytes: &[u8]) -> anyhow::Result<OutputState> {
        let lines = match stream {
            "stdout" => self.stdout.push(bytes),
            _ => self.stderr.push(bytes),
        };
        for line in lines {
            if self.printer.line(&self.origin, stream, &line)? == OutputState::Closed {
                return Ok(OutputState::Closed);
            }
        }
        Ok(OutputState::Open)
    }

    /// Writes the rest and how the attempt ended, and the state of its execution then.
    pub(super) fn end(
        &mut self,
        state: Option<State>,
        attempt: &Attempt,
    ) -> anyhow::Result<OutputState> {
        self.break_off()?;
        self.printer.end(&self.origin, state, attempt)
    }

    /// Writes lines that were begun and will not be ended.
    pub(super) fn break_off(&mut self) -> anyhow::Result<OutputState> {
        for (stream, rest) in [
            ("stdout", self.stdout.rest()),
            ("stderr", self.stderr.rest()),
        ] {
            if let Some(rest) = rest
                && self.printer.line(&self.origin, stream, &rest)? == OutputState::Closed
            {
                return Ok(OutputState::Closed);
            }
        }
        Ok(OutputState::Open)
    }
}

/// Returns the bytes that were printed: those of the text, unless some had to be replaced in
/// it.
fn printed<'a>(text: &'a Option<String>, base64: &Option<String>) -> anyhow::Result<Cow<'a, [u8]>> {
    match base64 {
        Some(base64) => STANDARD
            .decode(base64)
            .map(Cow::Owned)
            .context("the server sent invalid base64"),
        None => Ok(text.as_deref().unwrap_or_default().as_bytes().into()),
    }
}

/// Neutralizes a line for a terminal; tabs stay.
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
