//! The calls of dispatch's trait, each handed to the file that knows its rows.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use tenterhook_dispatch::{
    Account, AccountId, App, AppId, Backlog, Cancelling, Claimed, Endings, Error, EventKey,
    Execution, ExecutionFilter, ExecutionId, ExecutionPage, Hook, HookId, HookOverride, Inserted,
    Key, LateOutput, NewTask, NodeId, NotReady, Noun, OutputPart, OutputSizes, Outputs, OverrideId,
    Principal, PrincipalId, Queued, Retention, SecretHash, Server, ServerId, SessionBounds,
    Settlement, Source, SourceId, Store, Swept, Task, TaskFilter, TaskId, TaskPage, Token, TokenId,
    Unreadable,
};
use tenterhook_engine::Digest;
use tenterhook_sdk::Verdict;
use time::OffsetDateTime;
use tokio::time::timeout;

use super::convert::is_damage;
use super::running::Left;
use super::{
    Sqlite, accounts, apps, cancel, claim, disk, endings, executions, health, hooks, overrides,
    principals, salvage, seen, servers, settle, sources, sweep, tasks, tokens, wall_clock, writer,
};

#[async_trait]
impl Store for Sqlite {
    async fn insert_account(&self, account: Account) -> Result<Account, Error> {
        self.writer
            .run(|writing| Box::pin(accounts::insert(&mut writing.conn, account)))
            .await
    }

    async fn update_account(&self, account: Account) -> Result<(), Error> {
        self.writer
            .run_to_free(move |writing| {
                Box::pin(async move { accounts::update(&mut writing.conn, &account).await })
            })
            .await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        let mut reader = self.readers.kept().await?;
        accounts::get(&mut reader, id).await
    }

    async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let mut reader = self.readers.kept().await?;
        accounts::list(&mut reader, &self.damaged).await
    }

    async fn insert_principal(&self, principal: Principal) -> Result<(), Error> {
        self.write(principal.account, move |conn, account| {
            Box::pin(async move { principals::insert(conn, account, &principal).await })
        })
        .await
    }

    async fn update_principal(&self, principal: Principal) -> Result<(), Error> {
        self.write_to_free(principal.account, move |conn, account| {
            Box::pin(async move { principals::update(conn, account, &principal).await })
        })
        .await
    }

    async fn delete_principal(&self, account: AccountId, id: PrincipalId) -> Result<bool, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(principals::delete(conn, account, id))
        })
        .await
    }

    async fn principals(&self, account: AccountId) -> Result<Vec<Principal>, Error> {
        let number = self.number_of(account).await?;
        let mut reader = self.readers.of(number).await?;
        principals::list(&mut reader, &self.damaged, (number, account)).await
    }

    async fn insert_token(&self, token: Token, hash: SecretHash) -> Result<(), Error> {
        self.write(token.account, move |conn, account| {
            Box::pin(async move { tokens::insert(conn, account, &token, hash).await })
        })
        .await
    }

    async fn insert_login(
        &self,
        session: Token,
        hash: SecretHash,
        bounds: SessionBounds,
    ) -> Result<Vec<TokenId>, Error> {
        self.write(session.account, move |conn, account| {
            Box::pin(
                async move { tokens::insert_login(conn, account, &session, hash, bounds).await },
            )
        })
        .await
    }

    async fn token(&self, hash: SecretHash) -> Result<Option<(Token, Principal)>, Error> {
        let mut reader = self.readers.kept().await?;
        tokens::by_hash(&mut reader, &self.damaged, hash).await
    }

    async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, Error> {
        let number = self.number_of(account).await?;
        let mut reader = self.readers.of(number).await?;
        tokens::list(&mut reader, &self.damaged, (number, account)).await
    }

    async fn delete_token(&self, account: AccountId, id: TokenId) -> Result<bool, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(tokens::delete(conn, account, id))
        })
        .await
    }

    async fn touch_tokens(&self, uses: Vec<(TokenId, OffsetDateTime)>) -> Result<(), Error> {
        self.writer
            .run(move |writing| {
                Box::pin(async move { tokens::touch(&mut writing.conn, &uses).await })
            })
            .await
    }

    async fn insert_app(&self, account: AccountId, app: App) -> Result<App, Error> {
        self.write(account, move |conn, account| {
            Box::pin(apps::insert(conn, account, app))
        })
        .await
    }

    async fn update_app(&self, account: AccountId, app: App) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move { apps::update(conn, account, &app).await })
        })
        .await
    }

    async fn delete_app(&self, account: AccountId, id: AppId) -> Result<bool, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(apps::delete(conn, account, id))
        })
        .await
    }

    async fn apps(&self, account: AccountId) -> Result<Vec<App>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        apps::list(&mut reader, &self.damaged, account).await
    }

    async fn insert_override(
        &self,
        account: AccountId,
        hook_override: HookOverride,
    ) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move { overrides::insert(conn, account, &hook_override).await })
        })
        .await
    }

    async fn update_override(
        &self,
        account: AccountId,
        hook_override: HookOverride,
    ) -> Result<(), Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move { overrides::update(conn, account, &hook_override).await })
        })
        .await
    }

    async fn delete_override(&self, account: AccountId, id: OverrideId) -> Result<bool, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(overrides::delete(conn, account, id))
        })
        .await
    }

    async fn overrides(&self, account: AccountId) -> Result<Vec<HookOverride>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let mut overrides = overrides::list(&mut reader, &self.damaged, account).await?;
        overrides.retain(|one| !self.strays.is_override_of_another(account, one.id));
        Ok(overrides)
    }

    async fn insert_server(&self, account: AccountId, server: Server) -> Result<Server, Error> {
        self.write(account, move |conn, account| {
            Box::pin(servers::insert(conn, account, server))
        })
        .await
    }

    async fn update_server(&self, account: AccountId, server: Server) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move { servers::update(conn, account, &server).await })
        })
        .await
    }

    async fn delete_server(&self, account: AccountId, id: ServerId) -> Result<(), Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(servers::delete(conn, account, id))
        })
        .await
    }

    async fn servers(&self, account: AccountId) -> Result<Vec<Server>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        servers::list(&mut reader, &self.damaged, account).await
    }

    async fn insert_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Bytes,
        hooks: Vec<Hook>,
    ) -> Result<(Source, Vec<Hook>), Error> {
        let length = bytes.len();
        self.write_large(account, length, move |conn, account| {
            Box::pin(async move { sources::insert(conn, account, source, &bytes, hooks).await })
        })
        .await
    }

    async fn update_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Option<Bytes>,
        hooks: Option<Vec<Hook>>,
    ) -> Result<Vec<Hook>, Error> {
        let length = bytes.as_ref().map_or(0, Bytes::len);
        self.write_large(account, length, move |conn, account| {
            Box::pin(async move {
                sources::update(conn, account, &source, bytes.as_deref(), hooks).await
            })
        })
        .await
    }

    async fn delete_source(&self, account: AccountId, id: SourceId) -> Result<(), Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(sources::delete(conn, account, id))
        })
        .await
    }

    async fn sources(&self, account: AccountId) -> Result<Vec<Source>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        sources::list(&mut reader, &self.damaged, account).await
    }

    async fn program(&self, digest: Digest) -> Result<Option<Bytes>, Error> {
        let mut reader = self.readers.of_server().await?;
        let read = sources::program(&mut reader, digest).await;
        if let Err(error) = &read
            && is_damage(error)
        {
            self.damaged
                .tell("programs", format!("digest {digest}"), error);
        }
        read
    }

    async fn has_program(&self, digest: Digest) -> Result<bool, Error> {
        let mut reader = self.readers.of_server().await?;
        sources::has_program(&mut reader, digest).await
    }

    async fn wants_program(&self, digest: Digest) -> Result<bool, Error> {
        let mut reader = self.readers.of_server().await?;
        sources::wants_program(&mut reader, digest).await
    }

    async fn insert_hook(&self, account: AccountId, hook: Hook) -> Result<Hook, Error> {
        self.write(account, move |conn, account| {
            Box::pin(hooks::insert(conn, account, hook))
        })
        .await
    }

    async fn update_hook(&self, account: AccountId, hook: Hook) -> Result<(), Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move { hooks::update(conn, account, &hook).await })
        })
        .await
    }

    async fn delete_hook(&self, account: AccountId, id: HookId) -> Result<bool, Error> {
        let number = self.number_of(account).await?;
        let stray = self.strays.row_of_hook(number, id);
        let deleted = self
            .write_to_free(account, move |conn, account| {
                Box::pin(hooks::delete(conn, account, id, stray))
            })
            .await?;
        if let Some(row) = stray.filter(|_| deleted) {
            self.strays.forget_hook(row);
        }
        Ok(deleted)
    }

    async fn hooks(&self, account: AccountId) -> Result<Vec<Hook>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let mut hooks = hooks::list(&mut reader, &self.damaged, account).await?;
        hooks.retain(|hook| !self.strays.is_hook_of_another(account, hook.id));
        Ok(hooks)
    }

    async fn unreadable(&self, account: AccountId) -> Result<Unreadable, Error> {
        // What is damaged has been found by reading it.
        if !self.damaged.has_any(&salvage::TABLES) {
            return Ok(Unreadable::default());
        }
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        salvage::of(&mut reader, &self.strays, account).await
    }

    fn unreadable_rows(&self) -> Vec<(&'static str, u64)> {
        self.damaged.counts()
    }

    async fn insert_tasks(&self, tasks: Vec<NewTask>) -> Result<Vec<Inserted>, Error> {
        let mut rows = Vec::with_capacity(tasks.len());
        for task in tasks {
            rows.push((self.number_of(task.account).await?, task));
        }
        let Some(account) = rows.first().map(|(account, _)| *account) else {
            return Ok(Vec::new());
        };
        self.writer.insert(account, rows).await
    }

    async fn known_events(
        &self,
        account: AccountId,
        keys: Vec<EventKey>,
    ) -> Result<Vec<Option<Inserted>>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        seen::all(&mut reader, &self.damaged, account, &keys).await
    }

    fn settle(&self, settlement: Settlement) -> Queued<()> {
        let known = self.accounts.read().get(&settlement.account).copied();
        match known {
            Some(account) => self.writer.settle(account, settlement),
            // Whoever settles has claimed or inserted the task here, which made it known.
            None => {
                Box::pin(async move { Err(Error::not_found(Noun::Account, settlement.account)) })
            }
        }
    }

    async fn keep_output(&self, late: LateOutput) -> Result<(), Error> {
        let bytes = late.output.stdout.len() + late.output.stderr.len();
        self.write_large(late.account, bytes, move |conn, account| {
            Box::pin(async move { settle::output(conn, account, &late).await })
        })
        .await
    }

    async fn take_over(&self, node: NodeId) -> Result<u64, Error> {
        let left = self.running.left();
        let taken = match self.take_over_from(node, left.clone()).await {
            Err(error) if is_damage(&error) && !left.begun.is_empty() => {
                self.damaged
                    .tell("executions", "any that had begun".to_owned(), &error);
                let left = Left {
                    begun: Vec::new(),
                    ..left
                };
                self.take_over_from(node, left).await?
            }
            taken => taken?,
        };
        self.running.begin(node);
        Ok(taken)
    }

    fn note_begun(&self, account: AccountId, execution: ExecutionId, attempt: u32) {
        let known = self.accounts.read().get(&account).copied();
        if let Some(account) = known {
            self.running.note_begun(account, execution, attempt);
        }
    }

    fn note_ended(&self, execution: ExecutionId, attempt: u32) {
        self.running.note_ended(execution, attempt);
    }

    fn note_settled(&self, execution: ExecutionId, attempt: u32) {
        self.running.note_settled(execution, attempt);
    }

    fn note_leaving(&self) {
        self.running.note_leaving();
    }

    async fn shorten_waits(&self, now: OffsetDateTime) -> Result<(), Error> {
        let shortened = self
            .writer
            .run_to_free(move |writing| Box::pin(wall_clock::shorten_waits(&mut writing.conn, now)))
            .await;
        match shortened {
            // What waits too long then waits; the others need a server.
            Err(error) if is_damage(&error) => {
                self.damaged.tell("tasks", "any row".to_owned(), &error);
                Ok(())
            }
            shortened => shortened,
        }
    }

    async fn clock_seen(&self) -> Result<Option<OffsetDateTime>, Error> {
        let mut reader = self.readers.of_server().await?;
        match wall_clock::seen(&mut reader, &self.damaged).await {
            Err(error) if is_damage(&error) => {
                self.damaged.tell("clock", "any row".to_owned(), &error);
                Ok(None)
            }
            seen => seen,
        }
    }

    async fn see_clock(&self, at: OffsetDateTime) -> Result<(), Error> {
        self.writer
            .run_to_free(move |writing| Box::pin(wall_clock::see(&mut writing.conn, at)))
            .await
    }

    async fn release(&self, tasks: Vec<(AccountId, TaskId)>) -> Result<(), Error> {
        if tasks.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(tasks.len());
        for (account, task) in tasks {
            rows.push((self.number_of(account).await?, task));
        }
        self.writer
            .run_to_free(move |writing| {
                Box::pin(async move { claim::release(&mut writing.conn, &rows).await })
            })
            .await
    }

    async fn claim(
        &self,
        account: AccountId,
        node: NodeId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Claimed, Error> {
        let number = self.number_of(account).await?;
        // The server's own: it claims for one account at a time, and others wait for it.
        self.writer
            .run(move |writing| {
                let (conn, damaged) = (&mut writing.conn, &writing.damaged);
                Box::pin(claim::claim(
                    conn,
                    damaged,
                    (number, account),
                    node,
                    now,
                    limit,
                ))
            })
            .await
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, Error> {
        let mut reader = self.readers.of_server().await?;
        claim::backlog(&mut reader, &self.damaged).await
    }

    async fn cancel_task(
        &self,
        account: AccountId,
        id: TaskId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(cancel::task(conn, account, id, now))
        })
        .await
    }

    async fn cancel_execution(
        &self,
        account: AccountId,
        id: ExecutionId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(cancel::execution(conn, account, id, now))
        })
        .await
    }

    async fn redrive(&self, account: AccountId, id: ExecutionId) -> Result<bool, Error> {
        self.write(account, move |conn, account| {
            Box::pin(cancel::redrive(conn, account, id))
        })
        .await
    }

    async fn task(&self, account: AccountId, key: Key<TaskId>) -> Result<Option<Task>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        tasks::get(&mut reader, account, key).await
    }

    async fn tasks(
        &self,
        account: AccountId,
        filter: &TaskFilter,
        page: TaskPage,
    ) -> Result<Vec<Task>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        tasks::list(&mut reader, &self.damaged, account, filter, page).await
    }

    async fn execution(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Option<Execution>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        executions::get(&mut reader, account, id).await
    }

    async fn execution_within(
        &self,
        account: AccountId,
        id: ExecutionId,
        most: u64,
    ) -> Result<Option<(Execution, OutputSizes)>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        executions::get_within(&mut reader, account, id, most).await
    }

    async fn outputs_bytes(&self, account: AccountId, key: Key<TaskId>) -> Result<u64, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        executions::bytes(&mut reader, account, key).await
    }

    async fn output_part(
        &self,
        account: AccountId,
        part: OutputPart,
    ) -> Result<Option<Bytes>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        executions::part(&mut reader, account, part).await
    }

    async fn executions(
        &self,
        account: AccountId,
        filter: &ExecutionFilter,
        page: ExecutionPage,
        outputs: Outputs,
    ) -> Result<Vec<Execution>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        executions::list(&mut reader, &self.damaged, account, filter, page, outputs).await
    }

    async fn endings(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Endings>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        endings::of(&mut reader, account, &tasks).await
    }

    async fn verdicts(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Vec<Verdict>>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        endings::verdicts(&mut reader, &self.damaged, account, &tasks).await
    }

    async fn event(&self, account: AccountId, task: TaskId) -> Result<Option<Bytes>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        tasks::event(&mut reader, account, task).await
    }

    async fn disk_usage(&self) -> Result<Vec<(AccountId, u64)>, Error> {
        let mut reader = self.readers.of_server().await?;
        disk::usage(&mut reader, &self.damaged).await
    }

    async fn sweep(&self, retention: &Retention, now: OffsetDateTime) -> Result<Swept, Error> {
        let retention = retention.clone();
        let most = sweep::most(&retention);
        let drifts = {
            let mut reader = self.readers.of_server().await?;
            disk::drifts(&mut reader, &self.recounts, most).await?
        };
        for drift in drifts {
            self.writer
                .run_to_free(move |writing| Box::pin(disk::put_right(&mut writing.conn, drift)))
                .await?;
        }
        let swept = self
            .writer
            .run_to_free(move |writing| {
                Box::pin(async move { sweep::sweep(writing, &retention, now).await })
            })
            .await?;
        self.log.cut().await?;
        Ok(swept)
    }

    async fn ready(&self) -> Result<(), NotReady> {
        self.writer.probe().await?;
        match timeout(writer::PROBE, self.can_read()).await {
            Ok(Err(error)) => Err(health::reason(&error).unwrap_or(NotReady::Other)),
            // Who reads too long is another's matter.
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    async fn gone(&self) -> String {
        self.writer.gone().await
    }

    async fn close(&self) -> Result<(), Error> {
        self.close_all().await
    }
}
