//! The engine: what is expensive and shared by all runs.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tenterhook_admission::{Kind, Refusal, Survey, one_line};
use tenterhook_ledger::{Holder, Ledger, Resource, Shortage};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use wasmtime::ExternType;
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::cache::{Cache, CodeCache};
use crate::code::{self, Loaded};
use crate::compile::{CompileLimits, Compiler};
use crate::digest::Digest;
use crate::error::Error;
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::link::Linkers;
use crate::lockdown::{self, GuestLock, Layers, Lockdown, Needs};
use crate::permit::{FilesIn, Permit};
use crate::program::{Code, Program};
use crate::report::Report;
use crate::runtime::{self, GuestThreads, LoadingThreads, Runtime};
use crate::sandbox;
use crate::sandbox::awake::Sleepers;
use crate::sandbox::scratch::Scratches;
use crate::sandbox::watchdog::Watchdog;
use crate::shell::Shell;
use crate::stats::Stats;

/// The entry point of a command: a function without parameters and results.
const ENTRY: &str = "_start";

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where compiled code is kept. `None` keeps nothing.
    pub cache: Option<CodeCache>,
    /// Folder in which scratch folders are made where none can be mounted.
    pub scratch: PathBuf,
    /// Runs that may be in progress at one time, those that sleep among them.
    /// Default: 100.
    pub sandboxes: u32,
    /// Threads that run guests. Default: the number of cores.
    pub threads: usize,
    /// A program and its arguments that call [`compile_worker`](crate::compile_worker).
    /// With them a compilation that takes too much dies in a process of its own.
    /// Default: none; it happens in this process, unbounded.
    pub compiler: Option<Vec<PathBuf>>,
    /// What such a process may take for one program.
    pub compile_limits: CompileLimits,
    /// Whether threads that run guests, and that process, give up what they do
    /// not need. Default: [`Lockdown::On`].
    pub lockdown: Lockdown,
    /// Owns what tenants share; the engine tells it how much there is of its pool of
    /// instances. Default: one without other bounds.
    pub ledger: Ledger,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache: None,
            scratch: std::env::temp_dir(),
            sandboxes: 100,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            compiler: None,
            compile_limits: CompileLimits::default(),
            lockdown: Lockdown::On,
            ledger: Ledger::default(),
        }
    }
}

/// Loads programs and runs them. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    runtime: Runtime,
    linkers: Linkers,
    cache: Cache,
    shell: Shell,
    scratches: Scratches,
    watchdog: Watchdog,
    sandboxes: u32,
    sleepers: Sleepers,
    compiler: Compiler,
    threads: GuestThreads,
    loading: LoadingThreads,
    lockdown: Lockdown,
    ledger: Ledger,
    guests_held: Layers,
    process_held: OnceLock<Layers>,
}

impl Engine {
    /// Starts the runtime, its clock and the threads that run guests.
    ///
    /// # Errors
    ///
    /// [`Error::Start`], [`Error::Threads`], [`Error::Cache`], [`Error::Scratch`]
    /// or [`Error::Lockdown`].
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let lockdown = settings.lockdown;
        let scratches = Scratches::probe(&settings.scratch, lockdown)?;
        let lock = GuestLock::new(lockdown, scratches.parent());
        let lock = Arc::new(lock.map_err(|source| Error::Lockdown {
            what: "threads that run guests",
            source,
        })?);
        let runtime = Runtime::start(settings.sandboxes, &lock)?;
        let linkers = Linkers::new(&runtime.wasm)?;
        let cache = Cache::open(settings.cache, &runtime.wasm, &settings.ledger)?;
        runtime::provide(&settings.ledger, settings.sandboxes);
        let watchdog = Watchdog::new(runtime.ticks());
        Ok(Self {
            inner: Arc::new(Inner {
                runtime,
                linkers,
                cache,
                shell: Shell::default(),
                scratches,
                watchdog,
                sandboxes: settings.sandboxes,
                sleepers: Sleepers::default(),
                compiler: Compiler::new(
                    settings.compiler,
                    settings.compile_limits,
                    lockdown,
                    &settings.ledger,
                ),
                guests_held: lock.layers(),
                threads: GuestThreads::start(settings.threads, lock)?,
                loading: LoadingThreads::default(),
                lockdown,
                ledger: settings.ledger,
                process_held: OnceLock::new(),
            }),
        })
    }

    /// Takes from the calling thread, and from all that it starts afterwards, what
    /// is not in `needs`. To be called once, when the process has no other threads
    /// than this engine's, which are held already. Does nothing if the engine was
    /// started with [`Lockdown::Off`].
    ///
    /// # Errors
    ///
    /// [`Error::Lockdown`] if a layer that the kernel has cannot be applied.
    pub fn hold_process(&self, needs: &Needs) -> Result<(), Error> {
        if self.inner.lockdown == Lockdown::Off {
            return Ok(());
        }
        let layers = lockdown::hold_process(needs, self.inner.scratches.parent());
        let layers = layers.map_err(|source| Error::Lockdown {
            what: "the rest of the process",
            source,
        })?;
        let _first = self.inner.process_held.set(layers);
        self.inner.loading.start().map(drop)
    }

    /// Accepts `bytes` as a program of this kind: checks, compiles and links it.
    /// The first call must not come from the engine's own threads: those that make
    /// programs ready are started then, and held as their maker is.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the bytes are not acceptable; other variants when
    /// the host could not do its part.
    pub async fn load(&self, kind: Kind, bytes: &[u8]) -> Result<Program, Error> {
        check_size(kind, bytes)?;
        self.load_for(Holder::Operator, kind, Bytes::copy_from_slice(bytes))
            .await
    }

    /// The same for one of several accounts: what has to be compiled waits for this
    /// one's turn, however much of others waits already.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    pub async fn load_for(
        &self,
        holder: Holder,
        kind: Kind,
        bytes: Bytes,
    ) -> Result<Program, Error> {
        check_size(kind, &bytes)?;
        match kind {
            Kind::Script => self.load_script(bytes).await,
            Kind::Module | Kind::Component => self.load_wasm(holder, kind, bytes).await,
        }
    }

    /// Checks `bytes` as [`load`](Self::load) does before it compiles, and says
    /// what is in them. A script has no imports.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that an upload would get.
    pub fn survey(kind: Kind, bytes: &[u8]) -> Result<Survey, Refusal> {
        tenterhook_admission::survey(kind, bytes)
    }

    /// Takes from the ledger what a run may hold: parts of the pool, memory,
    /// descriptors and a run slot.
    ///
    /// # Errors
    ///
    /// [`Shortage`]; [`Ledger::freed`] tells when to ask again.
    pub fn admit(
        &self,
        holder: Holder,
        program: &Program,
        limits: &Limits,
    ) -> Result<Permit, Shortage> {
        let files = match self.inner.scratches.are_mounted() {
            true => FilesIn::Memory,
            false => FilesIn::Disk,
        };
        Permit::take(&self.inner.ledger, holder, program, limits, files)
    }

    /// Runs `program` once for the operator, on the calling task. Waits until it is
    /// admitted; that time is not counted against the run's deadline.
    ///
    /// # Errors
    ///
    /// Only when the host could not do its part; whatever the guest does is in
    /// the report's outcome.
    pub async fn run(&self, program: &Program, invocation: Invocation) -> Result<Report, Error> {
        let permit = loop {
            let freed = self.inner.ledger.freed();
            match self.admit(Holder::Operator, program, &invocation.limits) {
                Ok(permit) => break permit,
                Err(shortage) if shortage.is_lasting() => {
                    return Err(Error::NoRoom {
                        digest: program.digest(),
                        source: shortage,
                    });
                }
                Err(_) => freed.await,
            }
        };
        self.run_admitted(program, permit, invocation).await
    }

    async fn run_admitted(
        &self,
        program: &Program,
        permit: Permit,
        invocation: Invocation,
    ) -> Result<Report, Error> {
        let inner = &self.inner;
        let host = sandbox::Host {
            wasm: &inner.runtime.wasm,
            scratches: &inner.scratches,
            watchdog: &inner.watchdog,
            ledger: &inner.ledger,
            sleepers: &inner.sleepers,
        };
        sandbox::run(host, program, permit, invocation).await
    }

    /// Runs `program` once on the engine's own threads. Dropping the handle does
    /// not end the run; its `cancel` token does. A panic fails this run alone:
    /// it is the handle's error.
    #[must_use]
    pub fn spawn(
        &self,
        program: &Program,
        invocation: Invocation,
    ) -> JoinHandle<Result<Report, Error>> {
        let engine = self.clone();
        let program = program.clone();
        self.inner
            .threads
            .spawn(async move { engine.run(&program, invocation).await })
    }

    /// The same for a run that is admitted already.
    #[must_use]
    pub fn spawn_admitted(
        &self,
        program: &Program,
        permit: Permit,
        invocation: Invocation,
    ) -> JoinHandle<Result<Report, Error>> {
        let engine = self.clone();
        let program = program.clone();
        self.inner
            .threads
            .spawn(async move { engine.run_admitted(&program, permit, invocation).await })
    }

    /// Tells how busy the engine is and was.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let inner = &self.inner;
        let (compilations, compile_us) = inner.compiler.bill();
        Stats {
            sandboxes: inner.sandboxes,
            sandboxes_in_use: u32::try_from(inner.ledger.taken(Resource::Stacks))
                .unwrap_or(u32::MAX),
            compilations,
            compile_us,
            longest_poll_us: inner.watchdog.longest_us(),
            scratch_mounted: inner.scratches.are_mounted(),
            guests_held: inner.guests_held,
            process_held: inner.process_held.get().copied().unwrap_or_default(),
        }
    }

    /// The programs whose compiled code is kept, in no order that means anything.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`].
    pub async fn kept_code(&self) -> Result<Vec<Digest>, Error> {
        let engine = self.clone();
        self.on_loading_threads(move || engine.inner.cache.programs())
            .await
    }

    /// Removes the compiled code of programs that are gone, unless it is in use. What
    /// is removed by mistake is compiled again.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`].
    pub async fn forget_code(&self, gone: Vec<Digest>) -> Result<(), Error> {
        let engine = self.clone();
        self.on_loading_threads(move || engine.inner.cache.collect(&gone))
            .await
    }

    async fn on_loading_threads<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        // No program is to blame if it panics, so none is named.
        let none = Digest::of(b"");
        let loading = &self.inner.loading;
        loading.block(none, move || Ok(work())).await
    }

    /// The owner of what tenants share.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// The threads that run guests, to run more there.
    #[must_use]
    pub fn threads(&self) -> &Handle {
        self.inner.threads.handle()
    }

    async fn load_script(&self, text: Bytes) -> Result<Program, Error> {
        Self::survey(Kind::Script, &text)?;
        let digest = Digest::of(&text);
        let engine = self.clone();
        let shell = self
            .inner
            .loading
            .block(digest, move || {
                let Inner {
                    runtime,
                    linkers,
                    shell,
                    ..
                } = &*engine.inner;
                shell.get(&runtime.wasm, linkers)
            })
            .await?;
        Ok(Program::new(
            digest,
            Code::Script { shell, text },
            false,
            None,
        ))
    }

    async fn load_wasm(&self, holder: Holder, kind: Kind, bytes: Bytes) -> Result<Program, Error> {
        let digest = Digest::of(&bytes);
        let checked = bytes.clone();
        let survey = self
            .without_files(digest, move || Ok(Self::survey(kind, &checked)?))
            .await?;
        let engine = self.clone();
        let Inner {
            runtime,
            compiler,
            threads,
            loading,
            ..
        } = &*self.inner;
        let cached = loading
            .block(digest, move || {
                let Inner { runtime, cache, .. } = &*engine.inner;
                Ok(code::cached(&runtime.wasm, cache, kind, digest))
            })
            .await?;
        let engine = self.clone();
        let (code, mapped) = match cached {
            Some(loaded) => {
                loading
                    .block(digest, move || engine.link(kind, loaded))
                    .await?
            }
            None => {
                let fresh = compiler
                    .compile(holder, runtime, threads, loading, kind, bytes)
                    .await?;
                let load = move || {
                    let loaded = engine.load_fresh(kind, digest, &fresh)?;
                    engine.link(kind, loaded)
                };
                loading.block(digest, load).await?
            }
        };
        Ok(Program::new(digest, code, survey.uses_files, mapped))
    }

    /// Keeps and loads what the compiler has made.
    fn load_fresh(&self, kind: Kind, digest: Digest, fresh: &[u8]) -> Result<Loaded, Error> {
        let Inner { runtime, cache, .. } = &*self.inner;
        // What is left to go wrong here, but for the disk, is that the program has
        // parts that no sandbox has room for.
        code::fresh(&runtime.wasm, cache, kind, digest, fresh).map_err(|source| match source
            .downcast_ref::<std::io::Error>(
        ) {
            Some(_) => Error::Prepare { digest, source },
            None => Error::from(Refusal::Compile {
                kind,
                reason: one_line(&source.root_cause().to_string()),
            }),
        })
    }

    /// Resolves the imports of loaded code.
    fn link(&self, kind: Kind, loaded: Loaded) -> Result<(Code, Option<File>), Error> {
        let linkers = &self.inner.linkers;
        let not_linked = |error: wasmtime::Error| {
            let reason = one_line(&format!("{error:#}"));
            Error::from(Refusal::Link { kind, reason })
        };
        let module = match loaded {
            Loaded::Module(module) => module,
            Loaded::Component(component, mapped) => {
                let linked = linkers
                    .component
                    .instantiate_pre(&component)
                    .map_err(not_linked)?;
                let command = CommandPre::new(linked).map_err(not_linked)?;
                return Ok((Code::Component(command), mapped));
            }
        };
        let linked = linkers
            .module
            .instantiate_pre(&module)
            .map_err(not_linked)?;
        match module.get_export(ENTRY) {
            Some(ExternType::Func(entry))
                if entry.params().len() == 0 && entry.results().len() == 0 =>
            {
                Ok((Code::Module(linked), None))
            }
            _ => Err(Refusal::NoEntry {
                kind,
                export: ENTRY,
                fix: "it must be a function without parameters and results",
            }
            .into()),
        }
    }

    /// Does work that keeps a thread busy on hostile bytes: on a thread that is
    /// held as those of guests are.
    async fn without_files<T: Send + 'static>(
        &self,
        digest: Digest,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let done = self.threads().spawn_blocking(work).await;
        done.unwrap_or(Err(Error::Panicked { digest }))
    }
}

/// Refuses what is too large before anything looks at the bytes, or copies them.
fn check_size(kind: Kind, bytes: &[u8]) -> Result<(), Refusal> {
    let limit = match kind {
        Kind::Script => tenterhook_admission::SCRIPT_MAX_BYTES,
        Kind::Module | Kind::Component => tenterhook_admission::WASM_MAX_BYTES,
    };
    let size = bytes.len() as u64;
    if size <= limit {
        return Ok(());
    }
    match kind {
        // A look at its beginning may tell that it is no script at all.
        Kind::Script => tenterhook_admission::survey(kind, bytes).map(|_| ()),
        Kind::Module | Kind::Component => Err(Refusal::TooLarge { kind, size, limit }),
    }
}
