//! Bounds on the server and on its hooks, as flags.
//!
//! A bound that is not set has its default; none can be turned off.

use std::time::Duration;

use clap::Args;
use tenterhook_dispatch::{Retention, Settings};
use tenterhook_engine::{CodeCache, CompileLimits, GuestStack, Limits};
use tenterhook_ledger::Capacity;

use crate::faults::Faults;
use crate::limit_flags::LimitFlags;
use crate::module_limit::ModuleLimitFlag;
use crate::quantity::{parse_count, parse_millis, parse_size, show_size};
use crate::stack_limit::StackLimitFlag;

/// Most executions that want a core at one time: many more than a host has cores.
const CONCURRENCY_MAX: usize = 1_024;

/// Their number by default. More would not finish sooner on the available cores; fewer would
/// leave cores idle while guests wait for their files.
const CONCURRENCY: usize = 64;

/// Most executions that one request may be allowed to cause: the plan of more would not fit
/// into memory.
const EXECUTIONS_MAX: usize = 1 << 20;

/// Bounds on the server itself.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Bounds on the server")]
pub(crate) struct BoundFlags {
    /// Executions that want a core at one time; those that sleep do not count
    /// [default: 64].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_CONCURRENCY")]
    pub(super) concurrency: Option<String>,
    /// The same for one account [default: three quarters, and less as more accounts
    /// compete].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_ACCOUNT_CONCURRENCY")]
    pub(super) account_concurrency: Option<String>,
    /// Threads that run hooks [default: the number of cores].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_THREADS")]
    pub(super) threads: Option<String>,
    #[command(flatten)]
    max_module: ModuleLimitFlag,
    #[command(flatten)]
    stack: StackLimitFlag,
    /// Processor time that compiling one module may take, whatever its size [default:
    /// 10s, and 4s more for each MiB].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_MAX_COMPILE_TIME")]
    pub(super) max_compile_time: Option<String>,
    /// Address space that compiling one module may take [default: 2GiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MAX_COMPILE_MEMORY")]
    pub(super) max_compile_memory: Option<String>,
    /// Compiled code that is cached on disk; the least recently used is evicted first
    /// [default: an eighth of the disk that may be used, at most 8GiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_CODE_CACHE")]
    pub(super) code_cache: Option<String>,
    /// How long finished tasks are kept [default: 30d].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_KEEP")]
    pub(super) keep: Option<String>,
    /// Finished tasks that are kept for each account [default: 200000].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_KEEP_TASKS")]
    pub(super) keep_tasks: Option<String>,
    /// Disk space that an account may use before its oldest finished tasks are removed
    /// [default: its share of the disk].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_KEEP_BYTES")]
    pub(super) keep_bytes: Option<String>,
    /// How long an accepted event's id is remembered, so that posting it again runs
    /// nothing [default: 30d].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_REMEMBER_EVENTS")]
    pub(super) remember_events: Option<String>,
    /// Executions that one request may cause in total [default: 16384].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_MAX_EXECUTIONS")]
    pub(super) max_executions: Option<String>,
}

/// The most that a hook may ask for.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The most that a hook may ask for")]
pub(crate) struct CeilingFlags {
    /// Units of work [default: 200G].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_MAX_FUEL")]
    pub(super) max_fuel: Option<String>,
    /// Linear memory [default: 512MiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MAX_MEMORY")]
    pub(super) max_memory: Option<String>,
    /// Time from start to end [default: 25min].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_MAX_TIMEOUT")]
    pub(super) max_timeout: Option<String>,
    /// Output that is kept [default: 16MiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MAX_OUTPUT")]
    pub(super) max_output: Option<String>,
    /// What a run's own files may hold [default: 1GiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MAX_FILES")]
    pub(super) max_files: Option<String>,
    /// Files, folders and links that may exist [default: 65536].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_MAX_INODES")]
    pub(super) max_inodes: Option<String>,
    /// Files that may be open at one time [default: 1024].
    #[arg(long, value_name = "COUNT", env = "TENTERHOOK_MAX_DESCRIPTORS")]
    pub(super) max_descriptors: Option<String>,
}

impl CeilingFlags {
    /// Parses the ceiling; what is not set is the engine's own.
    pub(super) fn read(self, faults: &mut Faults) -> Limits {
        let flags = LimitFlags {
            fuel: self.max_fuel,
            memory: self.max_memory,
            timeout: self.max_timeout,
            output: self.max_output,
            files: self.max_files,
            inodes: self.max_inodes,
            descriptors: self.max_descriptors,
        };
        let most = Limits::ceiling();
        let asked = flags.read("--max-", faults);
        asked.resolve(&most, &most).unwrap_or(most)
    }
}

impl BoundFlags {
    /// Parses the number of threads that run hooks; `None` leaves it to the engine.
    pub(super) fn threads(&self, faults: &mut Faults) -> Option<usize> {
        faults.check(
            "--threads",
            count(self.threads.as_deref()?, CONCURRENCY_MAX),
        )
    }

    /// Parses the stack that each run may use.
    pub(super) fn stack(&self, faults: &mut Faults) -> GuestStack {
        self.stack.read(faults).unwrap_or_default()
    }

    /// Parses how many guests may want a core at one time.
    pub(super) fn run_slots(&self, faults: &mut Faults) -> Capacity {
        let mut read = |flag: &str, text: &Option<String>, most: usize| {
            faults.check(flag, count(text.as_deref()?, most))
        };
        let all = read("--concurrency", &self.concurrency, CONCURRENCY_MAX).unwrap_or(CONCURRENCY);
        let each = read("--account-concurrency", &self.account_concurrency, all);
        // A slot is a claim to a turn on the cores, so each account can have one.
        let slots = Capacity::of(all as u64).with_certain(1);
        each.map_or(slots, |each| slots.with_each(each as u64))
    }

    /// Parses the limits on one compilation.
    pub(super) fn compile(&self, faults: &mut Faults) -> CompileLimits {
        let default = CompileLimits::default();
        let cpu = match &self.max_compile_time {
            Some(text) => faults.check("--max-compile-time", compile_time(text)),
            None => None,
        };
        let memory = match &self.max_compile_memory {
            Some(text) => faults.check("--max-compile-memory", compile_memory(text)),
            None => None,
        };
        CompileLimits {
            cpu: cpu.or(default.cpu),
            memory: memory.unwrap_or(default.memory),
            ..default
        }
    }

    /// Parses how much compiled code is cached; `None` leaves it to the engine.
    pub(super) fn code_bytes(&self, faults: &mut Faults) -> Option<u64> {
        faults.check("--code-cache", code_cache(self.code_cache.as_deref()?))
    }

    /// Parses all other bounds into the dispatcher's settings.
    pub(super) fn settings(&self, ceiling: Limits, faults: &mut Faults) -> Settings {
        let default = Settings::default();
        let mut read = |name: &str, text: &Option<String>, most: usize, default: usize| {
            let Some(text) = text else {
                return default.min(most);
            };
            faults.check(name, count(text, most)).unwrap_or(default)
        };
        let tasks = read(
            "--keep-tasks",
            &self.keep_tasks,
            usize::try_from(u32::MAX).unwrap_or(usize::MAX),
            usize::try_from(default.retention.tasks_per_account).unwrap_or(usize::MAX),
        );
        let executions = read(
            "--max-executions",
            &self.max_executions,
            EXECUTIONS_MAX,
            default.executions_per_request,
        );
        let module_bytes = self.max_module.read(faults);
        let age = match &self.keep {
            Some(text) => faults
                .check("--keep", parse_millis(text))
                .map(Duration::from_millis),
            None => None,
        };
        let bytes = match &self.keep_bytes {
            Some(text) => faults.check("--keep-bytes", parse_size(text)),
            None => None,
        };
        let horizon = match &self.remember_events {
            Some(text) => faults
                .check("--remember-events", parse_millis(text))
                .map(Duration::from_millis),
            None => None,
        };
        Settings {
            default_limits: Limits::default().within(&ceiling),
            ceiling,
            module_bytes: module_bytes.unwrap_or(default.module_bytes),
            retention: Retention {
                age: age.unwrap_or(default.retention.age),
                tasks_per_account: u32::try_from(tasks).unwrap_or(u32::MAX),
                bytes_per_account: bytes.unwrap_or(default.retention.bytes_per_account),
                event_horizon: horizon.unwrap_or(default.retention.event_horizon),
                ..default.retention
            },
            executions_per_event: default.executions_per_event.min(executions),
            executions_per_request: executions,
            ..default
        }
    }
}

fn count(text: &str, most: usize) -> Result<usize, String> {
    let count = parse_count(text).map_err(|error| error.to_string())?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 0 || count > most {
        return Err(format!("must be from 1 to {most}, not {text}"));
    }
    Ok(count)
}

/// The kernel counts a process's time in whole seconds.
fn compile_time(text: &str) -> Result<Duration, String> {
    let time = Duration::from_millis(parse_millis(text).map_err(|error| error.to_string())?);
    let (least, most) = (CompileLimits::floor(), CompileLimits::ceiling());
    // A time that is set does not depend on the module's size.
    let (least, most) = (least.cpu_for(0), most.cpu_for(0));
    if time < least || time > most || time.subsec_nanos() != 0 {
        return Err(format!(
            "must be whole seconds from {least:?} to {most:?}, not {text}"
        ));
    }
    Ok(time)
}

fn compile_memory(text: &str) -> Result<u64, String> {
    let size = parse_size(text).map_err(|error| error.to_string())?;
    let (least, most) = (
        CompileLimits::floor().memory,
        CompileLimits::ceiling().memory,
    );
    if size < least || size > most {
        return Err(format!(
            "must be from {} to {}, not {text}",
            show_size(least),
            show_size(most)
        ));
    }
    Ok(size)
}

/// A cache must have room for the code of one large program.
fn code_cache(text: &str) -> Result<u64, String> {
    let size = parse_size(text).map_err(|error| error.to_string())?;
    if size < CodeCache::LEAST_BYTES {
        return Err(format!(
            "must be at least {}, not {text}",
            show_size(CodeCache::LEAST_BYTES)
        ));
    }
    Ok(size)
}
