//! The engine: everything that is expensive and shared by all runs.

mod load;
mod settings;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use tenterhook_ledger::{Holder, Ledger, Resource, Shortage};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

pub use self::settings::Settings;
use crate::cache::Cache;
use crate::compile::Compiler;
use crate::digest::Digest;
use crate::error::Error;
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::link::Linkers;
use crate::lockdown::{self, GuestLockdown, Layers, Lockdown, Requirements};
use crate::permit::Permit;
use crate::program::Program;
use crate::report::Report;
use crate::runtime::{self, GuestThreads, LoadingThreads, Runtime};
use crate::sandbox;
use crate::sandbox::awake::Sleepers;
use crate::sandbox::watchdog::Watchdog;
use crate::shell::Shell;
use crate::stack::GuestStack;
use crate::stats::Stats;

/// Loads programs and runs them. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<EngineInner>,
}

struct EngineInner {
    runtime: Runtime,
    linkers: Linkers,
    cache: Cache,
    shell: Shell,
    watchdog: Watchdog,
    sandboxes: u32,
    stack: GuestStack,
    sleepers: Arc<Sleepers>,
    compiler: Compiler,
    threads: GuestThreads,
    loading: LoadingThreads,
    lockdown: Lockdown,
    ledger: Ledger,
    guest_layers: Layers,
    process_layers: OnceLock<Layers>,
    build: String,
}

impl Engine {
    /// Starts the runtime, its clock and the threads that run guests.
    ///
    /// # Errors
    ///
    /// [`Error::Start`], [`Error::Threads`], [`Error::Cache`]
    /// or [`Error::Lockdown`].
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let lockdown = settings.lockdown;
        let guest_lockdown = GuestLockdown::new(lockdown);
        let guest_lockdown = Arc::new(guest_lockdown.map_err(|source| Error::Lockdown {
            what: "the threads that run guests",
            source,
        })?);
        let runtime = Runtime::start(settings.sandboxes, settings.stack, &guest_lockdown)?;
        let linkers = Linkers::new(&runtime.wasm)?;
        let cache = Cache::open(settings.cache, &runtime.wasm, &settings.ledger)?;
        runtime::provide(&settings.ledger, settings.sandboxes);
        let watchdog = Watchdog::new(runtime.ticks());
        let build = build(&runtime.wasm, settings.stack);
        Ok(Self {
            inner: Arc::new(EngineInner {
                runtime,
                linkers,
                cache,
                shell: Shell::default(),
                watchdog,
                sandboxes: settings.sandboxes,
                stack: settings.stack,
                sleepers: Sleepers::of(&settings.ledger),
                compiler: Compiler::new(
                    settings.compiler,
                    settings.compile_limits,
                    lockdown,
                    &settings.ledger,
                ),
                guest_layers: guest_lockdown.layers(),
                threads: GuestThreads::start(settings.threads, guest_lockdown)?,
                loading: LoadingThreads::default(),
                lockdown,
                ledger: settings.ledger,
                process_layers: OnceLock::new(),
                build,
            }),
        })
    }

    /// Restricts the calling thread, and all threads and processes that it starts
    /// afterwards, to `requirements`. To be called once, while the process has no threads
    /// other than this engine's, which are locked down already. Does nothing if the engine
    /// was started with [`Lockdown::Off`].
    ///
    /// # Errors
    ///
    /// [`Error::Lockdown`] if a layer that the kernel has cannot be applied.
    pub fn lock_down_process(&self, requirements: &Requirements) -> Result<(), Error> {
        if self.inner.lockdown == Lockdown::Off {
            return Ok(());
        }
        let layers = lockdown::lock_down_process(requirements);
        let layers = layers.map_err(|source| Error::Lockdown {
            what: "the rest of the process",
            source,
        })?;
        let _first = self.inner.process_layers.set(layers);
        self.inner.loading.start().map(drop)
    }

    /// Takes from the ledger what a run may hold: parts of the pool, memory and a run slot.
    ///
    /// # Errors
    ///
    /// [`Shortage`]; [`Ledger::freed`] completes when it is worth retrying.
    pub fn admit(
        &self,
        holder: Holder,
        program: &Program,
        limits: &Limits,
    ) -> Result<Permit, Shortage> {
        let inner = &self.inner;
        Permit::take(&inner.ledger, holder, program, limits, inner.stack)
    }

    /// Runs `program` once for the operator, on the calling task. Waits until it is
    /// admitted; that time does not count against the run's deadline.
    ///
    /// # Errors
    ///
    /// Only when the host could not do its part; whatever the guest does is in the
    /// report's outcome.
    pub async fn run(&self, program: &Program, invocation: Invocation) -> Result<Report, Error> {
        let admitted = self.wait_for_permit(Holder::Operator, program, &invocation.limits);
        let permit = admitted.await?;
        self.run_admitted(program, permit, invocation).await
    }

    /// Waits until a run of `program` is admitted.
    ///
    /// # Errors
    ///
    /// [`Error::NoRoom`] if it never can be.
    pub async fn wait_for_permit(
        &self,
        holder: Holder,
        program: &Program,
        limits: &Limits,
    ) -> Result<Permit, Error> {
        let admit = || self.admit(holder, program, limits);
        let mut permit = admit();
        while let Err(shortage) = permit {
            if shortage.is_lasting() {
                return Err(Error::NoRoom {
                    digest: program.digest(),
                    source: shortage,
                });
            }
            let freed = self.inner.ledger.freed();
            permit = admit();
            if permit.is_err() {
                freed.await;
            }
        }
        Ok(permit.expect("the loop ends once there is one"))
    }

    // Not an `async fn` around the sandbox's future: all its arguments would be copied.
    fn run_admitted<'a>(
        &'a self,
        program: &'a Program,
        permit: Permit,
        invocation: Invocation,
    ) -> impl Future<Output = Result<Report, Error>> + use<'a> {
        let inner = &self.inner;
        let host = sandbox::Host {
            wasm: &inner.runtime.wasm,
            watchdog: &inner.watchdog,
            sleepers: &inner.sleepers,
            stack: inner.stack,
        };
        sandbox::run(host, program, permit, invocation)
    }

    /// Runs `program` once on the engine's own threads. Dropping the handle does not end
    /// the run; its `cancel` token does. A panic fails this run alone: it is the handle's
    /// error.
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

    /// Runs `program` once on the engine's own threads, with a permit from
    /// [`admit`](Self::admit).
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

    /// Returns how busy the engine is and was.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let inner = &self.inner;
        let (compilations, compile_us) = inner.compiler.usage();
        Stats {
            sandboxes: inner.sandboxes,
            sandboxes_in_use: u32::try_from(inner.ledger.taken(Resource::Stacks))
                .unwrap_or(u32::MAX),
            compilations,
            compile_us,
            longest_poll_us: inner.watchdog.longest_us(),
            guest_lockdown: inner.guest_layers,
            process_lockdown: inner.process_layers.get().copied().unwrap_or_default(),
        }
    }

    /// Returns the programs whose compiled code is cached, in no particular order.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`].
    pub async fn kept_code(&self) -> Result<Vec<Digest>, Error> {
        let engine = self.clone();
        self.on_loading_threads(move || engine.inner.cache.programs())
            .await
    }

    /// Removes the compiled code of deleted programs, unless it is in use. Code that is
    /// removed by mistake is compiled again.
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
        // A panic concerns no program, so none is named.
        let none = Digest::of(b"");
        let loading = &self.inner.loading;
        loading.block(none, move || Ok(work())).await
    }

    /// Returns what identifies this build of the engine, its compiler, its shell and the stack
    /// that guests have. Runs of one build with equal input are equal; another build may charge
    /// other prices.
    #[must_use]
    pub fn build(&self) -> &str {
        &self.inner.build
    }

    /// Returns the owner of what tenants share.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Returns a handle to the threads that run guests, to run more there.
    #[must_use]
    pub fn threads(&self) -> &Handle {
        self.inner.threads.handle()
    }
}

/// The version of what a run does and costs, beside its compiled code. To be raised with
/// whatever changes that: a price, a rule of the files, the rewriting of modules.
const RULES: u32 = 1;

/// Returns the version, and a hash of what decides how compiled code behaves.
fn build(wasm: &wasmtime::Engine, stack: GuestStack) -> String {
    let mut hasher = DefaultHasher::new();
    wasm.precompile_compatibility_hash().hash(&mut hasher);
    crate::shell::CODE_DIGEST.hash(&mut hasher);
    RULES.hash(&mut hasher);
    stack.bytes().hash(&mut hasher);
    format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish())
}
