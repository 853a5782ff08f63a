//! An attempt that is run again, from what was recorded of it: without any effect outside,
//! and beside its task, which does not know of it.

pub(crate) mod case;
mod compare;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tenterhook_engine::{Digest, Invocation, Limits, Pace, Program, Report};
use tenterhook_ledger::{Amounts, Guard, Resource};
use tokio_util::sync::CancellationToken;

pub use self::case::{Case, NotACase};
use self::compare::Comparison;
pub use self::compare::{Aspect, Difference, Place};
use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, ExecutionId};
use crate::registry::directory::Directory;
use crate::registry::programs;
use crate::runs::environment::Context;
use crate::runs::execution::{AttemptRecord, State};
use crate::runs::executions::Executions;
use crate::runs::kept_output::KeptOutput;
use crate::runs::recording::Recording;
use crate::runs::work::NewExecution;
use crate::settings::EVENT_MAX_BYTES;
use crate::tenancy::role::Role;

/// How long a replay waits for its turn.
const TURN: Duration = Duration::from_secs(60);

/// An execution with what its attempts are given.
#[derive(Clone, Debug)]
pub struct Repeatable {
    /// What was written down.
    pub execution: NewExecution,
    /// The whole event as JSON, unless it was ad hoc.
    pub event: Option<Bytes>,
}

/// What a replay shows.
#[derive(Debug)]
pub struct Replay {
    /// The attempt as it was recorded, without its output.
    pub recorded: AttemptRecord,
    /// The program that was run now.
    pub digest: Digest,
    /// What that left behind.
    pub replayed: AttemptRecord,
    /// In what the two differ, each with the first difference; empty if they are the same.
    pub differences: Vec<Difference>,
    /// What limits the comparison, in sentences.
    pub notes: Vec<String>,
    /// What covers the output.
    _output: Guard,
}

/// An attempt that has ended, with all that it takes to run it again.
struct Recorded {
    attempt: u32,
    record: AttemptRecord,
    recording: Recording,
    /// What it printed, if that did not come with the record.
    output: Option<KeptOutput>,
    repeatable: Repeatable,
}

impl Executions<'_> {
    /// Runs an attempt again: the latest that has ended, or the one with this number; with
    /// its own program, or with these bytes in its place. Dropping the future ends it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::WrongState`] if none has ended, or nothing is recorded
    /// of it; [`Error::Refused`] for the bytes; [`Error::Busy`] if it finds no room within a
    /// minute; [`Error::Shortage`]; [`Error::Engine`]; [`Error::Store`].
    pub async fn replay(
        self,
        account: AccountId,
        id: ExecutionId,
        attempt: Option<u32>,
        program: Option<Bytes>,
    ) -> Result<Replay, Error> {
        let core = self.core;
        core.check_going()?;
        tokio::select! {
            biased;
            () = core.leaving.cancelled() => Err(Error::Stopping),
            replay = self.replay_to_its_end(account, id, attempt, program) => replay,
        }
    }

    async fn replay_to_its_end(
        self,
        account: AccountId,
        id: ExecutionId,
        attempt: Option<u32>,
        program: Option<Bytes>,
    ) -> Result<Replay, Error> {
        let core = self.core;
        let recorded = self.recorded("replay", account, id, attempt, 0).await?;
        let is_own = program.is_none();
        let program = match program {
            Some(bytes) => core.load_program(account, None, &bytes).await?,
            None => {
                let recipe = &recorded.repeatable.execution.recipe;
                let (digest, kind) = (recipe.digest, recipe.content.kind);
                let (engine, store) = (&core.engine, &*core.store);
                let holder = account.holder();
                core.programs
                    .get(engine, store, holder, digest, kind)
                    .await?
            }
        };
        let limits = match is_own {
            true => recorded.recording.limits_to_repeat(&recorded.record),
            // It may go further than the recorded one did.
            false => recorded.recording.limits_had(),
        };
        let (report, guard) = core.repeat(account, &recorded, limits, &program).await?;
        let was_interrupted = recorded.record.is_interrupted();
        if is_own && !was_interrupted && !report.outcome.is_repeatable() {
            return Err(Error::Busy {
                what: "replays; the host interrupted this one",
            });
        }
        let Recorded {
            attempt,
            record,
            recording,
            output,
            ..
        } = recorded;
        let comparison = Comparison::new(&record, &recording, core.engine.build());
        let comparison = match is_own {
            true => comparison,
            false => comparison.with_another_program(),
        };
        let (differences, notes) = comparison.make(&report, output.as_ref()).await?;
        Ok(Replay {
            recorded: record,
            digest: program.digest(),
            replayed: AttemptRecord {
                attempt,
                ..AttemptRecord::of(report)
            },
            differences,
            notes,
            _output: guard,
        })
    }

    /// Makes one file of an attempt, which runs anywhere.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::WrongState`] if none has ended, nothing is recorded of
    /// it, or nobody can say any more whether its program was private; [`Error::Withheld`] if
    /// it is, or for the reader's role; [`Error::Shortage`]; [`Error::DamagedProgram`];
    /// [`Error::Store`].
    pub async fn case(
        self,
        account: AccountId,
        id: ExecutionId,
        attempt: Option<u32>,
        reader: Role,
    ) -> Result<(Case, Guard), Error> {
        let core = self.core;
        let doing = "make a case of";
        let recorded = self.recorded(doing, account, id, attempt, 0).await?;
        let execution = &recorded.repeatable.execution;
        let entry = core.entry(account).await?;
        if !is_readable(&entry.directory.read(), execution, reader)? {
            return Err(Error::WrongState {
                doing,
                what: Noun::Execution,
                id: id.to_string(),
                state: "of a program that no source has any more".into(),
            });
        }
        let sizes = recorded
            .output
            .as_ref()
            .map_or(0, |output| output.sizes().total());
        let digest = recorded.repeatable.execution.recipe.digest;
        let program = programs::read(&*core.store, digest).await?;
        // The parts, and the file that is made of them in a buffer that may be copied once.
        let bytes = 3 * (program.len() as u64 + sizes + EVENT_MAX_BYTES as u64);
        let memory = Amounts::of(Resource::Memory, bytes);
        let memory = core.engine.ledger().take(account.holder(), memory);
        let memory = memory.map_err(|shortage| Error::Shortage { shortage })?;
        let recorded = match recorded.output {
            Some(_) => {
                self.recorded(doing, account, id, Some(recorded.attempt), u64::MAX)
                    .await?
            }
            None => recorded,
        };
        let given = recorded.given(account, CancellationToken::new());
        let kind = recorded.repeatable.execution.recipe.content.kind;
        let case = Case::new((kind, program), given, recorded.record, recorded.recording);
        Ok((case, memory))
    }

    /// Finds an attempt that has ended, and its output if that is no more than `most` bytes.
    async fn recorded(
        self,
        doing: &'static str,
        account: AccountId,
        id: ExecutionId,
        attempt: Option<u32>,
        most: u64,
    ) -> Result<Recorded, Error> {
        let wrong_state = |state: String| Error::WrongState {
            doing,
            what: Noun::Execution,
            id: id.to_string(),
            state,
        };
        let attempt = match attempt {
            Some(attempt) => attempt,
            None => {
                let execution = self.get_without_output(account, id).await?;
                let ended = self.attempts(account, &execution).await?;
                let ended = ended.into_iter().rev().find(AttemptRecord::has_ended);
                let state = || format!("{}, without an attempt that has ended", execution.state);
                ended.ok_or_else(|| wrong_state(state()))?.attempt
            }
        };
        let (record, output) = self.attempt(account, id, attempt, most).await?;
        if !record.has_ended() {
            return Err(wrong_state(State::Running.to_string()));
        }
        let (Some(recording), Some(_), Some(_)) =
            (record.recording.clone(), &record.outcome, &record.usage)
        else {
            return Err(wrong_state(format!(
                "without a whole recording of attempt {attempt}: it did not run to its end, ran before \
                 attempts were recorded, or is damaged in the database"
            )));
        };
        let repeatable = self.core.store.repeatable(account, id).await?;
        let repeatable = repeatable.ok_or_else(|| Error::not_found(Noun::Execution, id))?;
        Ok(Recorded {
            attempt,
            record,
            recording,
            output,
            repeatable,
        })
    }
}

/// Whether this reader may have the bytes of an execution's program; false if no source says.
fn is_readable(
    directory: &Directory,
    execution: &NewExecution,
    reader: Role,
) -> Result<bool, Error> {
    let digest = execution.recipe.digest;
    let mut of_program = directory
        .sources()
        .filter(|source| source.digest == digest)
        .peekable();
    let is_known = of_program.peek().is_some();
    of_program.try_for_each(|source| source.check_readable(reader))?;
    Ok(is_known)
}

impl Recorded {
    /// What it was given, to be run again without delay.
    fn given(&self, account: AccountId, cancel: CancellationToken) -> Invocation {
        let Repeatable { execution, event } = &self.repeatable;
        let context = event.clone().map(Context::stored).unwrap_or_default();
        let limits = self.recording.limits_told();
        let given = context.invocation(account, execution, self.attempt, limits, cancel, None);
        Invocation {
            start: self.recording.start(),
            seed: self.recording.seed,
            pace: Pace::Skip,
            ..given
        }
    }
}

impl Core {
    /// Runs a program on what an attempt was given, within the account's share of the host, and
    /// charges the account for it. It ends when this is dropped.
    async fn repeat(
        self: &Arc<Self>,
        account: AccountId,
        recorded: &Recorded,
        limits: Limits,
        program: &Program,
    ) -> Result<(Report, Guard), Error> {
        let event = recorded.repeatable.event.as_ref().map_or(0, Bytes::len);
        // Itself, what is read from it, and what the run is given.
        let memory = Amounts::of(Resource::Memory, 4 * event as u64);
        let taken = self.engine.ledger().take(account.holder(), memory);
        let _memory = taken.map_err(|shortage| Error::Shortage { shortage })?;
        let cancel = CancellationToken::new();
        let _ends_with_this = cancel.clone().drop_guard();
        let invocation = Invocation {
            limits,
            ..recorded.given(account, cancel)
        };
        let admitted = self
            .engine
            .wait_for_permit(account.holder(), program, &invocation.limits);
        let admitted = tokio::time::timeout(TURN, admitted).await;
        let mut permit = admitted.map_err(|_| Error::Busy {
            what: "runs of this account",
        })??;
        if permit.is_lowered() {
            return Err(Error::WrongState {
                doing: "replay",
                what: Noun::Execution,
                id: recorded.repeatable.execution.id.to_string(),
                state: "one that needs more than this host has".into(),
            });
        }
        let output = permit.keep_output();
        let run = self.engine.spawn_admitted(program, permit, invocation);
        let core = Arc::clone(self);
        // It is charged for although nobody may wait for it any more.
        let run = self.work.spawn(async move {
            let ended = run.await;
            if let Ok(Ok(report)) = &ended {
                core.scheduler.lock().charge(account, report);
            }
            ended
        });
        let panicked = |_| tenterhook_engine::Error::Panicked {
            digest: program.digest(),
        };
        let report = run.await.map_err(panicked)?.map_err(panicked)??;
        Ok((report, output))
    }
}
