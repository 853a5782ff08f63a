//! Follows the output of one execution over its attempts, whatever becomes of the connection:
//! it goes on from the position of the last event, so that no line is lost or printed twice.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use tenterhook_wire::{Attempt, State};

use super::reconnect::Reconnect;
use super::show::{ExecutionWriter, OutputState};
use super::watch::INTERVAL;
use crate::client::{Client, OutputEvent, OutputStream};
use crate::execution;

/// Longest wait for the next attempt before asking again: the execution may be cancelled.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// A connection that has lasted this long was a good one, though nothing has come.
const INTACT: Duration = Duration::from_secs(10);

/// What was followed.
pub(super) enum Followed {
    /// An attempt to its end.
    Attempt {
        number: u32,
        /// Whether it was the last one.
        is_last: bool,
    },
    /// Nothing: there are no more.
    Over,
}

/// A reader of one execution's output.
pub(super) struct Follower<'a> {
    client: &'a Client,
    writer: ExecutionWriter<'a>,
    id: &'a str,
    position: Option<String>,
    reconnect: Reconnect,
    /// The attempt whose output was printed last.
    attempt: Option<u32>,
}

impl<'a> Follower<'a> {
    /// Follows from an earlier follower's position, or from the beginning of the latest
    /// attempt.
    pub(super) fn new(
        client: &'a Client,
        writer: ExecutionWriter<'a>,
        id: &'a str,
        position: Option<String>,
        reconnect: Reconnect,
    ) -> Self {
        Self {
            client,
            writer,
            id,
            position,
            reconnect,
            attempt: None,
        }
    }

    /// Where to go on from.
    pub(super) fn into_position(self) -> Option<String> {
        self.position
    }

    /// Prints the next attempt, and waits for it if need be.
    pub(super) fn next_attempt(&mut self) -> anyhow::Result<Followed> {
        loop {
            let mut stream = match self.client.follow(self.id, self.position.as_deref()) {
                Ok(Some(stream)) => stream,
                Ok(None) => return Ok(Followed::Over),
                Err(error) => {
                    self.reconnect.wait(error)?;
                    continue;
                }
            };
            let opened = Instant::now();
            let mut is_empty = true;
            while let Some(event) = stream.next()? {
                is_empty = false;
                if let Some(followed) = self.print(&stream, event)? {
                    return Ok(followed);
                }
            }
            match stream.retry() {
                // There is nothing yet.
                Some(wait) if is_empty => {
                    self.reconnect.succeeded();
                    std::thread::sleep(wait.clamp(INTERVAL, WAIT_MAX));
                }
                _ => {
                    // A silent hook does not mean that the server is gone.
                    if opened.elapsed() > INTACT {
                        self.reconnect.succeeded();
                    }
                    self.reconnect.pause(self.closed())?;
                }
            }
        }
    }

    /// Prints one event; returns what was followed if that is its end.
    fn print(
        &mut self,
        stream: &OutputStream,
        event: OutputEvent,
    ) -> anyhow::Result<Option<Followed>> {
        let shown = match &event {
            // It is sent with every connection, and says nothing of its being a good one.
            OutputEvent::Attempt(number) => self.begin(*number)?,
            OutputEvent::Stdout(bytes) => self.write("stdout", bytes)?,
            OutputEvent::Stderr(bytes) => self.write("stderr", bytes)?,
            OutputEvent::End(end) => {
                self.reconnect.succeeded();
                match end.attempt {
                    // None has begun.
                    0 => OutputState::Open,
                    attempt => {
                        let ended = Attempt {
                            attempt,
                            outcome: end.outcome.clone(),
                            ..Attempt::default()
                        };
                        self.writer.end(end.state, &ended)?
                    }
                }
            }
        };
        if let Some(position) = stream.position() {
            self.position = Some(position.to_owned());
        }
        if shown == OutputState::Closed {
            std::process::exit(0);
        }
        let OutputEvent::End(end) = event else {
            return Ok(None);
        };
        Ok(Some(Followed::Attempt {
            number: end.attempt,
            is_last: end.state.is_some_and(State::is_over),
        }))
    }

    fn write(&mut self, stream: &str, bytes: &[u8]) -> anyhow::Result<OutputState> {
        self.reconnect.succeeded();
        self.writer.write(stream, bytes)
    }

    /// What an attempt that was killed with the server has begun to print is not the beginning
    /// of the next one's first line.
    fn begin(&mut self, number: u32) -> anyhow::Result<OutputState> {
        let before = self.attempt.replace(number);
        match before {
            Some(before) if before != number => self.writer.break_off(),
            _ => Ok(OutputState::Open),
        }
    }

    fn closed(&self) -> anyhow::Error {
        anyhow!(
            "the server closed the connection; is it shutting down? `tenterhook logs {}` shows the rest",
            execution::short(self.id)
        )
    }
}
