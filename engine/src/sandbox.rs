//! One run: a fresh sandbox, the guest in it, and what it leaves behind.

pub(crate) mod awake;
pub(crate) mod clock;
mod cpu_time;
mod deadline;
pub(crate) mod descriptors;
pub(crate) mod files;
mod function_name;
pub(crate) mod guest;
mod memory;
pub(crate) mod meter;
mod outcome;
mod output;
pub(crate) mod random;
mod remains;
pub(crate) mod verdict;
pub(crate) mod watchdog;
pub(crate) mod world;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::Instant;

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;

use self::awake::{Awake, Sleepers};
use self::clock::Clocks;
use self::cpu_time::CpuTime;
use self::deadline::Deadline;
use self::guest::{Guest, ShellInputs, Wasi};
use self::memory::{Beyond, Memory};
use self::meter::Meter;
use self::output::{Output, Printer};
use self::verdict::VerdictFile;
use self::watchdog::Watchdog;
use self::world::{WithFiles, World};
use crate::error::Error;
use crate::invocation::{Invocation, Stream};
use crate::link::{CALL_COPY_MAX_BYTES, Opened, RequestMemory, Timers};
use crate::outcome::Outcome;
use crate::permit::Permit;
use crate::program::{Code, Program};
use crate::report::{Report, Usage};
use crate::stack::GuestStack;

/// Resources (streams, pollables, copies of its folders) that a component may hold beyond
/// its descriptors: WASI creates some of its own for each.
const SPARE_RESOURCES: usize = 192;

/// What all sandboxes have in common.
#[derive(Clone, Copy)]
pub(crate) struct Host<'a> {
    pub(crate) wasm: &'a Engine,
    pub(crate) watchdog: &'a Watchdog,
    pub(crate) sleepers: &'a Sleepers,
    pub(crate) stack: GuestStack,
}

/// Runs `program` once in a sandbox of its own, within what `permit` covers.
pub(crate) async fn run(
    host: Host<'_>,
    program: &Program,
    mut permit: Permit,
    mut invocation: Invocation,
) -> Result<Report, Error> {
    invocation.limits = permit.limits().clone();
    let beyond = match permit.is_lowered() {
        true => Beyond::Ends,
        false => Beyond::Denied,
    };
    let started_at = Instant::now();
    let deadline = Deadline::start(
        invocation.limits.wall,
        invocation.pace,
        invocation.cancel.clone(),
    );
    let fuel = invocation.limits.fuel;
    if let Some(gauge) = &invocation.gauge {
        gauge.begin(started_at, fuel);
    }
    let meter = match program.inner.code {
        Code::Component(_) => Meter::for_components(),
        Code::Module(_) | Code::Script { .. } => Meter::default(),
    };
    let output = Output::new(
        Arc::new(meter),
        invocation.output.clone(),
        invocation.limits.output,
    );
    let guest = guest(program, &invocation, beyond, &output, &deadline);
    let yielded = Arc::clone(&guest.yielded);
    let meter = Arc::clone(output.meter());
    let mut store = open_store(host.wasm, guest, fuel, &deadline).map_err(|source| Error::Run {
        digest: program.digest(),
        source,
    })?;

    let mut cpu = CpuTime::default();
    let mut awake = Awake::default();
    // Each is pinned in place: a future that is passed by value is stored twice by the
    // callee, and copied each time.
    let ended = {
        let guest = pin!(start(&program.inner.code, &mut store));
        let guest = in_slices(&meter, guest);
        let guest = pin!(cpu.measure(host.watchdog, guest));
        let guest = pin!(awake.hold_slot(permit.guard_mut(), host.sleepers, &yielded, guest,));
        deadline.enforce(guest).await
    };
    let outcome = outcome::of(ended, &deadline, store.data().memory.denied(), host.stack);
    let outcome = outcome.map_err(|source| Error::Run {
        digest: program.digest(),
        source,
    })?;

    let kept = output.take();
    let guest = store.data_mut();
    let verdict_file = match &mut guest.shell {
        Some(shell) => std::mem::take(&mut shell.verdict),
        None => guest.world.files.verdict(),
    };
    let (verdict, verdict_fault) = match (verdict_file.read(), &outcome) {
        (Ok(verdict), _) => (verdict, None),
        (Err(fault), Outcome::Exited { .. }) => (None, Some(fault)),
        // It was interrupted, so an incomplete verdict is to be expected.
        (Err(_), _) => (None, None),
    };
    let files_bytes = guest.world.files.used_bytes();
    let most_bytes = guest.memory.peak().max(guest.world.files.held_bytes());
    let files = guest.world.files.clone();
    let files_digest = match outcome.is_repeatable() {
        true => {
            // It takes time, which is the run's.
            let digest = files.digest(&yielded);
            let digest = pin!(cpu.measure(host.watchdog, digest));
            let digest = awake.hold_slot(permit.guard_mut(), host.sleepers, &yielded, digest);
            deadline.enforce(pin!(digest)).await.ok().flatten()
        }
        false => None,
    };
    let guest = store.data_mut();
    let usage = Usage {
        memory_peak_bytes: guest.memory.peak(),
        host_calls: guest.meter.calls(),
        output_bytes: kept.printed,
        files_bytes,
        cpu_us: cpu.micros(),
        fuel: fuel - meter.left(store.get_fuel().unwrap_or(0)).min(fuel),
        wall_us: u64::try_from(started_at.elapsed().as_micros()).unwrap_or(u64::MAX),
    };
    remains::give_back(store, permit, most_bytes);
    Ok(Report {
        outcome,
        usage,
        stdout: kept.stdout,
        stderr: kept.stderr,
        dropped_bytes: kept.dropped,
        files_digest,
        verdict,
        verdict_fault,
        awake_us: awake.micros(),
    })
}

/// Creates what the host holds for the guest. Nothing is inherited from the host: no
/// environment, no arguments, no folders, no network.
fn guest(
    program: &Program,
    invocation: &Invocation,
    beyond: Beyond,
    output: &Arc<Output>,
    deadline: &Deadline,
) -> Guest {
    let limits = &invocation.limits;
    let meter = Arc::clone(output.meter());
    let clocks = Clocks::new(invocation.start, invocation.pace, &meter, deadline);
    let with_files = match program.inner.uses_files {
        true => WithFiles::Yes,
        false => WithFiles::No,
    };
    let world = World::new(invocation, output, &meter, &clocks, with_files);
    let shell = match &program.inner.code {
        Code::Script { text, .. } => Some(ShellInputs {
            script: text.clone(),
            event: invocation.event.clone(),
            stdin: invocation.stdin.clone(),
            files: limits.files,
            inodes: limits.inodes,
            verdict: VerdictFile::Absent,
        }),
        Code::Module(_) | Code::Component(_) => None,
    };
    let wasi = match &program.inner.code {
        Code::Component(_) => Some(Box::new(wasi(invocation, &world, output, &clocks))),
        Code::Module(_) | Code::Script { .. } => None,
    };
    Guest {
        world,
        wasi,
        memory: Memory::new(limits.memory, beyond, invocation.gauge.clone()),
        meter,
        gauge: invocation.gauge.clone(),
        clocks,
        linear: None,
        shell,
        yielded: Arc::new(AtomicBool::new(false)),
    }
}

/// Creates what serves WASI 0.2 to a component.
fn wasi(invocation: &Invocation, world: &World, output: &Arc<Output>, clocks: &Clocks) -> Wasi {
    let printer = |stream| Printer {
        output: Arc::clone(output),
        stream,
    };
    let mut wasi = WasiCtxBuilder::new();
    wasi.args(&world.args)
        .envs(&invocation.env)
        .stdin(MemoryInputPipe::new(invocation.stdin.clone()))
        .stdout(printer(Stream::Stdout))
        .stderr(printer(Stream::Stderr))
        .initial_cwd(tenterhook_contract::WORK_DIR)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    random::install(invocation.seed, output.meter(), &mut wasi);
    clocks.install(&mut wasi);
    let descriptors = invocation.limits.descriptors;
    let mut table = ResourceTable::new();
    let capacity = usize::try_from(descriptors).unwrap_or(usize::MAX);
    table.set_max_capacity(capacity.saturating_add(SPARE_RESOURCES));
    Wasi {
        ctx: wasi.build(),
        table,
        timers: Timers::default(),
        opened: Opened::new(descriptors),
        http: RequestMemory::default(),
    }
}

fn open_store(
    wasm: &Engine,
    guest: Guest,
    fuel: u64,
    deadline: &Deadline,
) -> wasmtime::Result<Store<Guest>> {
    let mut store = Store::new(wasm, guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_hostcall_fuel(CALL_COPY_MAX_BYTES);
    store.set_max_component_handles(1024);
    Meter::install(&mut store, fuel)?;
    deadline.arm(&mut store);
    Ok(store)
}

/// Polls `guest` again whenever it is pending only for its next slice of fuel.
fn in_slices<T>(
    meter: &Meter,
    mut guest: impl Future<Output = T> + Unpin,
) -> impl Future<Output = T> {
    poll_fn(move |context| {
        loop {
            match Pin::new(&mut guest).poll(context) {
                Poll::Pending if meter.goes_on() => {}
                poll => return poll,
            }
        }
    })
}

/// Creates the instance and calls its entry point; returns its exit status.
async fn start(code: &Code, store: &mut Store<Guest>) -> wasmtime::Result<i32> {
    match code {
        Code::Module(module) => {
            let instance = module.instantiate_async(&mut *store).await?;
            store.data_mut().linear = instance.get_memory(&mut *store, "memory");
            let entry = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
            entry.call_async(store, ()).await?;
            Ok(0)
        }
        Code::Component(component) => {
            let command = component.instantiate_async(&mut *store).await?;
            let ended = command.wasi_cli_run().call_run(store).await?;
            Ok(i32::from(ended.is_err()))
        }
        Code::Script { shell, .. } => {
            let instance = shell.instantiate_async(&mut *store).await?;
            store.data_mut().linear = instance.get_memory(&mut *store, "memory");
            let entry =
                instance.get_typed_func::<(), i32>(&mut *store, tenterhook_contract::shell::RUN)?;
            entry.call_async(store, ()).await
        }
    }
}
