//! Doing what a session needs: firing events, running plug-ins, notifying projects.
//!
//! Everything here may be done twice, after a crash or after our own side has failed:
//! events are recognised by their ids, and return what came of them the first
//! time.

use std::time::Duration;

use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{AccountId, Key, Lookup, Source, TaskDetail, TaskId};
use tenterhook_session::{Action, Done, HostState, Instruction, Notice, State, Work};
use tokio_util::sync::CancellationToken;

use crate::answer;
use crate::error::Error;
use crate::event::{Reporter, SessionEvent};
use crate::live::LiveSession;
use crate::maintenance::MaintenanceInner;

/// How long one wait for a task may take before it is asked for again.
const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Events that are accepted in one commit.
const BATCH: usize = 100;

/// One job of one session, being done.
pub(crate) struct Activity<'a> {
    pub(crate) inner: &'a MaintenanceInner,
    pub(crate) live: &'a LiveSession,
    /// The job's key.
    pub(crate) key: &'a str,
    /// Cancelled when the job is to be left for later.
    pub(crate) stop: &'a CancellationToken,
}

/// Why a job has not finished.
pub(crate) enum Halt {
    /// The driver is to stop.
    Stopped,
    /// Our own side has failed; it is worth trying again.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Activity<'_> {
    /// Does the work, to its end.
    pub(crate) async fn perform(&self, work: Work) -> Result<Done, Halt> {
        match work {
            Work::Enter {
                state,
                percent_done,
            } => self.enter(state, percent_done).await,
            Work::Decide {
                source,
                proposed,
                allowed,
                situation,
            } => {
                let event = self
                    .reporter()
                    .decide(self.key, proposed, &allowed, *situation);
                match self.run(&source, event).await? {
                    Ok(detail) => Ok(answer::of_workflow(&detail)),
                    Err(reason) => Ok(badly(reason)),
                }
            }
            Work::Notify(notices) => self.notify(&notices).await,
            Work::TellHost { host, state } => self.announce_host(&host, state).await,
            Work::Act { action, host } => self.act(&action, &host).await,
            Work::Instruct(instructions) => self.instruct(&instructions).await,
            Work::Wait { .. } | Work::Rest => Ok(well("")),
        }
    }

    async fn enter(&self, state: State, percent_done: u8) -> Result<Done, Halt> {
        let plan = self.live.read(|session| session.plan().clone()).await;
        let event = self.reporter().enter(self.key, state, percent_done, &plan);
        let detail = match self.accept(self.live.account, vec![event]).await? {
            Ok(tasks) => self.end_of(tasks[0]).await?,
            Err(reason) => return Ok(badly(reason)),
        };
        let done = answer::of_hooks(&detail);
        if matches!(done, Done::Well { .. }) {
            let event = self.reporter().progress(self.key, state, percent_done);
            if let Err(reason) = self.deliver(self.live.account, event, None).await? {
                return Ok(badly(reason));
            }
        }
        Ok(done)
    }

    async fn notify(&self, notices: &[Notice]) -> Result<Done, Halt> {
        let mut undelivered = Vec::new();
        for (index, notice) in notices.iter().enumerate() {
            let project = notice.project.as_str();
            let event = self.reporter().scheduled(self.key, index, notice);
            let delivered = self
                .deliver(self.live.account, event.clone(), Some(project))
                .await?;
            if let Err(reason) = delivered {
                return Ok(badly(format!("project `{project}`: {reason}")));
            }
            let tenant = self.inner.tenant(self.live.account, project).await?;
            if let Some(tenant) = tenant
                && let Err(reason) = self.deliver(tenant, event, Some(project)).await?
            {
                // What a tenant has set up for itself must not stop the operator.
                undelivered.push(format!("`{project}` could not be notified: {reason}"));
            }
        }
        Ok(well(undelivered.join("; ")))
    }

    async fn announce_host(&self, host: &str, state: HostState) -> Result<Done, Halt> {
        let event = self.reporter().host(self.key, host, state);
        Ok(match self.deliver(self.live.account, event, None).await? {
            Ok(()) => well(""),
            Err(reason) => badly(reason),
        })
    }

    async fn act(&self, action: &Action, host: &str) -> Result<Done, Halt> {
        let steps = self
            .inner
            .store
            .steps(self.live.account, self.live.id)
            .await?;
        let failed = steps.iter().filter(|step| {
            !step.ok
                && step.plugin.as_deref() == Some(&action.plugin)
                && step.host.as_deref().is_none_or(|of| of == host)
        });
        let attempt = 1 + failed.count();
        let (state, plan) = self
            .live
            .read(|session| (session.state(), session.plan().clone()))
            .await;
        let event = self
            .reporter()
            .act(self.key, action, host, (state, &plan), attempt);
        Ok(match self.run(&action.plugin, event).await? {
            Ok(detail) => answer::of_plugin(&detail),
            Err(reason) => badly(reason),
        })
    }

    async fn instruct(&self, instructions: &[Instruction]) -> Result<Done, Halt> {
        let events: Vec<_> = instructions
            .iter()
            .enumerate()
            .map(|(index, instruction)| self.reporter().instruct(self.key, index, instruction))
            .collect();
        let mut last = None;
        for (batch, about) in events.chunks(BATCH).zip(instructions.chunks(BATCH)) {
            let tasks = match self.accept(self.live.account, batch.to_vec()).await? {
                Ok(tasks) => tasks,
                Err(reason) => return Ok(badly(reason)),
            };
            for ((task, event), about) in tasks.into_iter().zip(batch).zip(about) {
                let detail = self.end_of(task).await?;
                let done = answer::of_hooks(&detail);
                if matches!(done, Done::Badly { .. }) {
                    return Ok(done);
                }
                self.inner
                    .delivery
                    .offer(self.live.account.as_uuid(), event, about.project.as_deref())
                    .await?;
                last = Some(task.as_uuid());
            }
        }
        Ok(Done::Well {
            message: String::new(),
            task: last,
        })
    }

    /// Runs a source of the session's account for an event, and the hooks that wait
    /// for it. The inner error is for the admin.
    async fn run(
        &self,
        source: &str,
        event: SessionEvent,
    ) -> Result<Result<TaskDetail, String>, Halt> {
        let Some(source) = self.inner.source(self.live.account, source).await? else {
            return Ok(Err("is no longer a source of the account".into()));
        };
        let accepted = self
            .inner
            .dispatcher
            .events()
            .without_comparison()
            .accept_for(self.live.account, &self.live.created_by, event, source.id)
            .await;
        match accepted {
            Ok(accepted) if accepted.removed => Ok(Err(NOT_KEPT.to_owned())),
            Ok(accepted) => self.end_of(accepted.task.id).await.map(Ok),
            Err(error) => Ok(Err(format!("was not run: {}", refused(error)?))),
        }
    }

    /// Delivers a notification to the account's hooks and to its webhooks.
    async fn deliver(
        &self,
        account: AccountId,
        event: SessionEvent,
        project: Option<&str>,
    ) -> Result<Result<(), String>, Halt> {
        if let Err(reason) = self.accept(account, vec![event.clone()]).await? {
            return Ok(Err(reason));
        }
        self.inner
            .delivery
            .offer(account.as_uuid(), &event, project)
            .await?;
        Ok(Ok(()))
    }

    /// Accepts events; returns their tasks, or why they were refused.
    async fn accept(
        &self,
        account: AccountId,
        events: Vec<SessionEvent>,
    ) -> Result<Result<Vec<TaskId>, String>, Halt> {
        // A tenant need not know the operator's principals.
        let started_by = if account == self.live.account {
            &self.live.created_by
        } else {
            "maintenance"
        };
        let accepted = self
            .inner
            .dispatcher
            .events()
            .without_comparison()
            .accept(account, started_by, events)
            .await;
        Ok(match accepted {
            Ok(accepted) if accepted.iter().any(|one| one.removed) => Err(NOT_KEPT.to_owned()),
            Ok(accepted) => Ok(accepted.into_iter().map(|one| one.task.id).collect()),
            Err(error) => Err(refused(error)?),
        })
    }

    /// Waits for the end of a task, which is cancelled if the session is removed.
    async fn end_of(&self, task: TaskId) -> Result<TaskDetail, Halt> {
        *self.live.running.lock() = Some(task);
        loop {
            let waiting =
                self.inner
                    .dispatcher
                    .tasks()
                    .wait(self.live.account, Key::Id(task), WAIT_TIMEOUT);
            let detail = tokio::select! {
                () = self.stop.cancelled() => return Err(Halt::Stopped),
                detail = waiting => detail?,
            };
            if detail.task.state.is_over() {
                *self.live.running.lock() = None;
                return Ok(detail);
            }
        }
    }

    fn reporter(&self) -> Reporter {
        let settings = &self.inner.settings;
        let base = settings.public_url.as_ref().unwrap_or(&self.live.base_url);
        Reporter {
            session: self.live.id,
            account: self.live.account,
            base_url: base.trim_end_matches('/').to_owned(),
            now: self.inner.timepiece.now().wall,
        }
    }
}

impl MaintenanceInner {
    /// Finds a source of an account by name.
    pub(crate) async fn source(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<Source>, dispatch::Error> {
        let lookup = Lookup::Names(vec![name.to_owned()]);
        let mut found = self
            .dispatcher
            .sources()
            .find(account, &lookup, Some(1), |_| true)
            .await?;
        Ok(found.pop())
    }
}

/// Why the end of an event is not known that was accepted before: the session has rested
/// for longer than its tasks are kept.
const NOT_KEPT: &str = "was run before, and its outcome is no longer stored";

/// What an event was refused for, if trying again will not help; else the error.
fn refused(error: dispatch::Error) -> Result<String, Halt> {
    match error {
        dispatch::Error::Store { .. }
        | dispatch::Error::Engine { .. }
        | dispatch::Error::Busy { .. }
        | dispatch::Error::DiskFull { .. }
        | dispatch::Error::Shortage { .. }
        | dispatch::Error::Unavailable { .. }
        | dispatch::Error::Stopping => Err(error.into()),
        error => Ok(error.to_string()),
    }
}

fn well(message: impl Into<String>) -> Done {
    Done::Well {
        message: message.into(),
        task: None,
    }
}

fn badly(reason: String) -> Done {
    Done::Badly { reason, task: None }
}
