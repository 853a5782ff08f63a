//! Running a program at once, without hook or event.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tenterhook_engine::{AskedLimits, Kind};

use crate::disk::size;
use crate::dispatcher::Core;
use crate::error::Error;
use crate::id::{AccountId, ExecutionId, Key, Number, SourceId, TaskId};
use crate::registry::hook::FailurePolicy;
use crate::registry::recipe::{Recipe, RecipeContent};
use crate::registry::rules;
use crate::runs::accept::{Batch, Prepared};
use crate::runs::environment::Context;
use crate::runs::execution::ServerRef;
use crate::runs::plan;
use crate::runs::retry::RetryPolicy;
use crate::runs::task::TaskDetail;
use crate::runs::tasks::Tasks;
use crate::runs::work::{NewExecution, NewTask};

/// A program to run at once, without hook or event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExecute {
    /// What to run.
    pub program: Program,
    /// Its arguments; the rules are those of [`NewHook::args`](crate::NewHook::args).
    pub args: Vec<String>,
    /// For which servers, by number; empty runs it once, for none.
    pub servers: Vec<Number>,
    /// The limits that it asks for.
    pub limits: AskedLimits,
    /// The principal that asks.
    pub started_by: String,
}

/// The program of a [`NewExecute`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A source of the account.
    Source(Key<SourceId>),
    /// These bytes, most often a script; they are kept with the task only.
    Inline(Bytes),
}

/// What an inline program is called.
const INLINE: &str = "script";

impl Tasks<'_> {
    /// Runs a program at once, on each server side by side. It is stored when
    /// this returns, and may not have begun.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the source or a server; [`Error::Invalid`];
    /// [`Error::OverCeiling`]; [`Error::Refused`]; [`Error::Store`].
    pub async fn execute(self, account: AccountId, new: NewExecute) -> Result<TaskDetail, Error> {
        let id = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let prepared = core.prepare_execute(account, new).await?;
                let id = prepared.new.id;
                let mut memory = core.engine.ledger().empty(account.holder());
                core.find_memory(&mut memory, prepared.bytes).await?;
                let prepared = vec![prepared];
                core.store_tasks(Batch { prepared, memory }).await?;
                Ok(id)
            })
            .await?;
        self.get(account, Key::Id(id)).await
    }
}

impl Core {
    async fn prepare_execute(
        self: &Arc<Self>,
        account: AccountId,
        new: NewExecute,
    ) -> Result<Prepared, Error> {
        rules::args(&new.args)?;
        self.check_limits(&new.limits)?;
        let entry = self.entry(account).await?;
        let (digest, kind, name, program) = match new.program {
            Program::Source(key) => {
                let directory = entry.directory.read();
                let source = directory.source(key)?;
                (source.digest, source.kind, source.name.clone(), None)
            }
            Program::Inline(bytes) => {
                let program = self.load_program(account, None, &bytes).await?;
                (
                    program.digest(),
                    Kind::detect(&bytes),
                    INLINE.to_owned(),
                    Some(bytes),
                )
            }
        };
        let most = self.settings.executions_per_request;
        if new.servers.len() > most {
            return Err(Error::invalid(
                "servers",
                format!(
                    "would cause {} executions; name at most {most} servers in one request",
                    new.servers.len()
                ),
            ));
        }
        let servers = servers(&entry.directory.read(), &new.servers)?;
        let content = RecipeContent {
            kind,
            name: name.clone(),
            args: new.args,
            env: BTreeMap::new(),
            limits: new.limits,
            failure_policy: FailurePolicy::Open,
            retry: RetryPolicy::default(),
        };
        let recipe = Arc::new(Recipe::new(digest, content));
        let executions: Vec<_> = (0..)
            .zip(servers)
            .map(|(lane, server)| NewExecution {
                id: ExecutionId::generate(),
                hook: None,
                recipe: Arc::clone(&recipe),
                server,
                container: None,
                lane,
            })
            .collect();
        let new = NewTask {
            id: TaskId::generate(),
            account,
            name: format!("execute {name}"),
            started_by: new.started_by,
            object: None,
            event: None,
            created_at: self.clock.now().wall,
            owner: None,
            executions,
            program,
            warnings: Vec::new(),
        };
        Ok(Prepared {
            bytes: size::of_task(&new),
            new,
            context: Arc::new(Context::default()),
            reserved: None,
        })
    }
}

/// Each server once, in the order of their numbers; none in particular if none is asked for.
fn servers(
    directory: &crate::registry::directory::Directory,
    wanted: &[Number],
) -> Result<Vec<Option<ServerRef>>, Error> {
    if wanted.is_empty() {
        return Ok(vec![None]);
    }
    let wanted: BTreeSet<_> = wanted.iter().copied().collect();
    wanted
        .into_iter()
        .map(|number| {
            Ok(Some(plan::server_ref(
                directory.server(Key::Number(number))?,
            )))
        })
        .collect()
}
