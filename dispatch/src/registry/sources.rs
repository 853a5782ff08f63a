//! Uploading, changing and removing sources.

use std::sync::Arc;

use bytes::Bytes;
use tenterhook_engine::{Diagnostic, Digest, Kind, Program, Refusal};
use tenterhook_ledger::{Amounts, Resource};

use crate::clock::now;
use crate::disk::size;
use crate::dispatcher::{Core, spawn_blocking};
use crate::error::{Error, Noun};
use crate::id::{AccountId, Key, Number, SourceId};
use crate::page::ACCOUNT_MAX;
use crate::registry::directory::{Directory, Entry};
use crate::registry::hook::{Hook, NewHook, Targets};
use crate::registry::hooks::check::check_criteria;
use crate::registry::lookup::Lookup;
use crate::registry::programs;
use crate::registry::rules;
use crate::registry::servers::in_the_callers_words;
use crate::registry::source::{NewSource, Source, SourceChange, checksum};
use crate::settings::{MODULE_MAX_BYTES, SCRIPT_MAX_BYTES};
use crate::tenancy::audit_events::ConfigChange;
use crate::tenancy::role::Role;

/// Sources: see [`Dispatcher::sources`](crate::Dispatcher::sources).
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Sources<'_> {
    /// Uploads a source, and hooks of it, all or nothing. Whatever source the
    /// hooks name is replaced by the new one.
    ///
    /// The program is loaded first: one that is stored can be run.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::NameTaken`], [`Error::Refused`],
    /// [`Error::NotFound`] for what the hooks name, [`Error::OverCeiling`],
    /// [`Error::Busy`] when too many uploads of the account wait already,
    /// [`Error::DiskFull`],
    /// [`Error::Engine`], [`Error::Store`].
    pub async fn create(
        self,
        account: AccountId,
        new: NewSource,
        hooks: Vec<NewHook>,
    ) -> Result<(Source, Vec<Hook>), Error> {
        rules::name("name", &new.name)?;
        rules::description(&new.description)?;
        rules::label_list(&new.labels)?;
        check_criteria(hooks.iter().map(|hook| hook.targets.as_ref())).await?;
        let (source, hooks) = self
            .core
            .carry_out(async move |core: Arc<Core>| core.create_source(account, new, hooks).await)
            .await?;
        self.source_changed(account, &source, "created").await;
        Ok((source, hooks))
    }

    /// Changes a source; with `hooks`, replaces the whole set of its hooks too, unless
    /// there are some for containers: those are not to be lost that way. All or
    /// nothing. Its hooks run the new program from now on; hooks that are replaced are
    /// deleted, with what waits of them.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create), and [`Error::ReadOnly`] if it
    /// came with the account, [`Error::ChangedMeanwhile`] if it is not as
    /// [`SourceChange::expected`] says, [`Error::WrongState`] if its hooks cannot be
    /// replaced, [`Error::ForeignValues`] as [`Hook::check_program_change`] says.
    pub async fn change(
        self,
        account: AccountId,
        key: Key<SourceId>,
        change: SourceChange,
        hooks: Option<Vec<NewHook>>,
    ) -> Result<Source, Error> {
        if let Some(name) = &change.name {
            rules::name("name", name)?;
        }
        if let Some(description) = &change.description {
            rules::description(description)?;
        }
        if let Some(labels) = &change.labels {
            rules::label_list(labels)?;
        }
        let targets = hooks.iter().flatten().map(|hook| hook.targets.as_ref());
        check_criteria(targets).await?;
        let source = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                core.change_source(account, key, change, hooks).await
            })
            .await?;
        self.source_changed(account, &source, "changed").await;
        Ok(source)
    }

    /// Removes a source, which has no hooks any more. What was run without a hook, or was
    /// chosen by an event's sender, still runs.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::InUse`] by hooks, [`Error::ReadOnly`] if it came
    /// with the account, [`Error::Store`].
    pub async fn delete(self, account: AccountId, key: Key<SourceId>) -> Result<(), Error> {
        let source = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let source = entry.directory.read().own_source(key)?.clone();
                core.store
                    .delete_source(account, source.id)
                    .await
                    .map_err(|error| in_the_callers_words(error, Noun::Source, key))?;
                entry.directory.write().remove_source(source.number);
                // Who removes one may need its room for another.
                core.disk.want_sweep();
                core.forget_code(source.digest).await;
                Ok(source)
            })
            .await?;
        self.source_changed(account, &source, "deleted").await;
        Ok(())
    }

    /// Lists the sources of an account by number: its own, then those that came with
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn list(self, account: AccountId) -> Result<Vec<Source>, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        Ok(directory.sources().cloned().collect())
    }

    /// Finds a source.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, account: AccountId, key: Key<SourceId>) -> Result<Source, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        directory.source(key).cloned()
    }

    /// Reads a source with its bytes, for a caller of this role.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Withheld`] as [`Source::check_readable`] says,
    /// [`Error::DamagedProgram`], [`Error::Store`].
    pub async fn bytes(
        self,
        account: AccountId,
        key: Key<SourceId>,
        reader: Role,
    ) -> Result<(Source, Bytes), Error> {
        let source = self.get(account, key).await?;
        source.check_readable(reader)?;
        let bytes = programs::read(&*self.core.store, source.digest).await?;
        Ok((source, bytes))
    }

    /// Reads a script without running it, within the account's share of the host, and
    /// reports what is wrong with it. A module has nothing to report.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`].
    pub async fn diagnose(
        self,
        account: AccountId,
        bytes: Bytes,
    ) -> Result<Vec<Diagnostic>, Error> {
        if Kind::detect(&bytes) != Kind::Script {
            return Ok(Vec::new());
        }
        let engine = &self.core.engine;
        Ok(engine.diagnose(account.holder(), bytes).await?)
    }

    async fn source_changed(&self, account: AccountId, source: &Source, operation: &'static str) {
        let change = ConfigChange {
            object: "source",
            number: source.number,
            name: source.name.clone(),
            operation,
            server: None,
        };
        self.core.config_changed(account, change).await;
    }

    /// Finds up to `limit` of those sources that `lookup` names and `keep` wants,
    /// oldest first, those of one instant by id.
    ///
    /// Costs what the look-up finds before the limit is reached, not what there is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the account, [`Error::Store`].
    pub async fn find(
        self,
        account: AccountId,
        lookup: &Lookup,
        limit: Option<usize>,
        keep: impl Fn(&Source) -> bool + Send,
    ) -> Result<Vec<Source>, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        let found = directory.find_sources(lookup);
        Ok(found
            .filter(|source| keep(source))
            .take(limit.unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }
}

impl Core {
    async fn create_source(
        self: &Arc<Self>,
        account: AccountId,
        new: NewSource,
        hooks: Vec<NewHook>,
    ) -> Result<(Source, Vec<Hook>), Error> {
        let entry = self.entry(account).await?;
        let reserved = self.disk.reserve(account, size::of_program(&new.bytes))?;
        let program = self.load_program(account, new.kind, &new.bytes).await?;
        let checksum = checksum_of(&new.bytes).await?;
        let _changing = entry.changing.lock().await;
        if entry.directory.read().uploaded() >= ACCOUNT_MAX as usize {
            return Err(Error::invalid(
                "name",
                "cannot be added: the account has 20000 sources",
            ));
        }
        let created_at = now();
        let source = Source {
            id: SourceId::generate(),
            number: Number::UNASSIGNED,
            name: new.name,
            kind: program.kind(),
            digest: program.digest(),
            size_bytes: new.bytes.len() as u64,
            revision: 1,
            description: new.description,
            checksum,
            visibility: new.visibility,
            preloaded: false,
            labels: new.labels,
            created_by: new.created_by,
            modified_by: None,
            created_at,
            modified_at: created_at,
        };
        let hooks = self.check_hooks(&entry, source.id, hooks)?;
        let bound = self.disk.reserve_growth(account, 0, size_of(&hooks))?;
        let (source, hooks) = self
            .store
            .insert_source(account, source, new.bytes, hooks)
            .await?;
        self.disk.written(account, reserved);
        self.disk.written(account, bound);
        let mut directory = entry.directory.write();
        directory.put_source(source.clone());
        for hook in &hooks {
            directory.put_hook(hook.clone());
        }
        Ok((source, hooks))
    }

    async fn change_source(
        self: &Arc<Self>,
        account: AccountId,
        key: Key<SourceId>,
        change: SourceChange,
        hooks: Option<Vec<NewHook>>,
    ) -> Result<Source, Error> {
        let entry = self.entry(account).await?;
        // ClockReading at again below: this one saves compiling for nothing.
        check_expected(entry.directory.read().own_source(key)?, &change)?;
        let size = change.bytes.as_ref().map_or(0, size::of_program);
        let reserved = self.disk.reserve(account, size)?;
        let program = match &change.bytes {
            Some(bytes) => Some((
                self.load_program(account, change.kind, bytes).await?,
                checksum_of(bytes).await?,
            )),
            None => None,
        };
        let changing = entry.changing.lock().await;
        let mut source = entry.directory.read().own_source(key)?.clone();
        check_expected(&source, &change)?;
        let before = source.digest;
        source.name = change.name.unwrap_or(source.name);
        source.description = change.description.unwrap_or(source.description);
        source.labels = change.labels.unwrap_or(source.labels);
        source.modified_by = change.modified_by.or(source.modified_by);
        source.modified_at = now();
        if let (Some((program, checksum)), Some(bytes)) = (program, &change.bytes)
            && program.digest() != source.digest
        {
            source.kind = program.kind();
            source.digest = program.digest();
            source.size_bytes = bytes.len() as u64;
            source.checksum = checksum;
            source.revision += 1;
        }
        match &hooks {
            Some(_) => check_replaceable(&entry.directory.read(), &source)?,
            None if source.digest != before => {
                for hook in entry.directory.read().hooks_of(source.id) {
                    hook.check_program_change(change.modified_by, change.modified_as)?;
                }
            }
            None => {}
        }
        let hooks = hooks
            .map(|hooks| self.check_hooks(&entry, source.id, hooks))
            .transpose()?;
        let replaced = hooks.is_some();
        let bound_before = size_of(&entry.directory.read().hooks_of(source.id));
        let after = hooks.as_deref().map_or(0, size_of);
        let bound = self.disk.reserve_growth(account, bound_before, after)?;
        let hooks = self
            .store
            .update_source(account, source.clone(), change.bytes, hooks)
            .await?;
        self.disk.written(account, reserved);
        self.disk.written(account, bound);
        let mut deleted = Vec::new();
        {
            let mut directory = entry.directory.write();
            if replaced {
                for hook in directory.hooks_of(source.id) {
                    directory.remove_hook(hook.number);
                    deleted.push(hook.id);
                }
            }
            directory.put_source(source.clone());
            for hook in hooks {
                directory.put_hook(hook);
            }
        }
        drop(changing);
        for hook in deleted {
            self.cancel_of_hook(account, hook).await;
        }
        if source.digest != before {
            self.forget_code(before).await;
        }
        Ok(source)
    }

    fn check_hooks(
        &self,
        entry: &Entry,
        source: SourceId,
        hooks: Vec<NewHook>,
    ) -> Result<Vec<Hook>, Error> {
        let directory = entry.directory.read();
        hooks
            .into_iter()
            .map(|new| self.check_hook(&directory, source, new, None))
            .collect()
    }

    /// Loads a program that was sent, and keeps it ready.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Engine`]; [`Error::Busy`] when too many of the
    /// account wait already.
    pub(crate) async fn load_program(
        &self,
        account: AccountId,
        wanted: Option<Kind>,
        bytes: &Bytes,
    ) -> Result<Program, Error> {
        let kind = Kind::detect(bytes);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != kind) {
            let reason = format!("they are a {kind}");
            return Err(Error::from(Refusal::Malformed {
                kind: wanted,
                reason,
            }));
        }
        let limit = match kind {
            Kind::Script => SCRIPT_MAX_BYTES,
            Kind::Module | Kind::Component => self.settings.module_bytes.min(MODULE_MAX_BYTES),
        };
        let size = bytes.len() as u64;
        if size > limit {
            return Err(Error::from(Refusal::TooLarge { kind, size, limit }));
        }
        if let Some(program) = self.programs.ready(Digest::of(bytes), kind) {
            return Ok(program);
        }
        // It holds its program while it waits for the compiler.
        let upload = Amounts::of(Resource::Uploads, 1);
        let upload = self.engine.ledger().take(account.holder(), upload);
        let _upload = upload.map_err(|_| Error::Busy {
            what: "uploads of this account",
        })?;
        let loading = self.engine.load_for(account.holder(), kind, bytes.clone());
        let loading = tokio::time::timeout(self.settings.upload_wait, loading);
        let program = tokio::select! {
            // The program is not to blame for the delay.
            program = loading => program.map_err(|_| Error::Busy {
                what: "programs to compile",
            })??,
            () = self.leaving.cancelled() => return Err(Error::Stopping),
        };
        self.programs.keep(&program);
        Ok(program)
    }
}

fn check_expected(source: &Source, change: &SourceChange) -> Result<(), Error> {
    match &change.expected {
        Some(digests) if !digests.contains(&source.digest) => Err(Error::ChangedMeanwhile {
            what: Noun::Source,
            id: source.name.clone(),
        }),
        _ => Ok(()),
    }
}

fn check_replaceable(directory: &Directory, source: &Source) -> Result<(), Error> {
    let for_containers = |hook: &Hook| matches!(hook.targets, Targets::Containers { .. });
    if !directory.hooks_of(source.id).iter().any(for_containers) {
        return Ok(());
    }
    Err(Error::WrongState {
        doing: "replace the hooks of",
        what: Noun::Source,
        id: source.number.to_string(),
        state: "bound to containers".into(),
    })
}

/// A large module's takes a while.
async fn checksum_of(bytes: &Bytes) -> Result<String, Error> {
    let bytes = bytes.clone();
    spawn_blocking(move || checksum(&bytes)).await
}

/// What hooks have on the disk at most.
fn size_of(hooks: &[Hook]) -> u64 {
    hooks.iter().map(size::of_hook).sum()
}
