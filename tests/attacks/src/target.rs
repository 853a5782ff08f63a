//! A hostile program in the hands of an engine: accepted and ready to run, or
//! bytes that are handed in over and over and have to be refused.

use anyhow::Context as _;
use bytes::Bytes;
use tenterhook_engine::{Engine, Error, Invocation, Kind, Program, Report};
use tokio::task::JoinError;

use crate::attack::Attack;

/// What is struck with.
#[derive(Clone)]
pub(crate) enum Target {
    /// A program that is run.
    Accepted(Program),
    /// Bytes that are handed in.
    HandedIn(Kind, Bytes),
}

impl Target {
    /// Loads the program, unless its row expects a refusal.
    pub(crate) fn of(engine: &Engine, attack: &Attack, program: &[u8]) -> anyhow::Result<Self> {
        let kind = Kind::detect(program);
        if attack.is_refused() {
            return Ok(Self::HandedIn(kind, Bytes::copy_from_slice(program)));
        }
        let loaded = engine.threads().block_on(engine.load(kind, program));
        Ok(Self::Accepted(loaded.context("cannot load the program")?))
    }

    /// Attacks once. Bytes that are accepted against expectation are run.
    pub(crate) async fn strike(
        &self,
        engine: &Engine,
        invocation: Invocation,
    ) -> Result<Report, Error> {
        match self {
            Self::Accepted(program) => engine.run(program, invocation).await,
            Self::HandedIn(kind, bytes) => {
                let program = engine.load(*kind, bytes).await?;
                engine.run(&program, invocation).await
            }
        }
    }

    /// The same from another thread, in the way of a server: a run is a task on the
    /// engine's threads, an upload is taken in elsewhere. An error is a panic.
    pub(crate) fn strike_as_a_server(
        &self,
        engine: &Engine,
        invocation: Invocation,
    ) -> Result<Result<Report, Error>, JoinError> {
        let threads = engine.threads();
        match self {
            Self::Accepted(program) => threads.block_on(engine.spawn(program, invocation)),
            Self::HandedIn(..) => Ok(threads.block_on(self.strike(engine, invocation))),
        }
    }
}
