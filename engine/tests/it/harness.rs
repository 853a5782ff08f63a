//! From a program to its report in one line.

use std::collections::HashMap;
use std::fs;
use std::ops::Deref;
use std::sync::{LazyLock, Mutex};

use tenterhook_engine::{
    Digest, Engine, Error, Invocation, Kind, Limit, Limits, Outcome, Pace, Program, Refusal,
    Report, Settings,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The engine that most tests share.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| engine(Settings::default()));

/// What the shared engines have loaded: compiling is most of the cost of a test.
static LOADED: LazyLock<Mutex<HashMap<(usize, Digest), Program>>> = LazyLock::new(Mutex::default);

/// Whether every run is repeated, and has to end in the same way: unless
/// `TENTERHOOK_TESTS_REPLAY` is `off`.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the suite, not of the product"
)]
static REPLAYS: LazyLock<bool> =
    LazyLock::new(|| std::env::var("TENTERHOOK_TESTS_REPLAY").as_deref() != Ok("off"));

/// The outcome of a successful run.
pub(crate) const SUCCESS: Outcome = Outcome::Exited { status: 0 };

/// The longest that a run may keep its thread without yielding, in microseconds of
/// processor time. A busy guest yields its thread every millisecond, and the longest call
/// into the host takes a few.
const LONGEST_POLL_US: u64 = 50_000;

/// Returns a message if any run of this engine has kept its thread for too long: one of
/// this test, or of another that shares the engine.
pub(crate) fn overrun(engine: &Engine) -> Option<String> {
    let longest = engine.stats().longest_poll_us;
    (longest > LONGEST_POLL_US)
        .then(|| format!("a run on this engine kept its thread for {longest} us of processor time"))
}

/// Starts an engine of its own.
pub(crate) fn engine(settings: Settings) -> Engine {
    Engine::start(settings).unwrap()
}

/// The outcome of a run that reached this limit.
pub(crate) fn stopped(limit: Limit) -> Outcome {
    Outcome::Stopped { limit }
}

/// The outcome of a run that exited with this status.
pub(crate) fn exited(status: u8) -> Outcome {
    Outcome::Exited { status }
}

/// A builder for one run: a program and its invocation.
pub(crate) struct Run {
    engine: &'static Engine,
    what: What,
    invocation: Invocation,
}

enum What {
    Bytes(Vec<u8>),
    Loaded(Program),
}

impl Run {
    /// Runs a guest, by the path of its file.
    pub(crate) fn guest(path: &str) -> Self {
        Self::bytes(fs::read(path).unwrap())
    }

    /// Runs the component made of the same guest.
    pub(crate) fn component_of(path: &str) -> Self {
        Self::guest(component_of(path))
    }

    /// Runs a guest in every form of a program: as a module, as a component, and as the twin
    /// of each that imports file functions. Those get a folder, and the host waits for them
    /// in other ways.
    pub(crate) fn in_every_form(path: &str) -> [Self; 4] {
        let (_, [module, component]) = tenterhook_tests_artifacts::TWINS
            .iter()
            .find(|(of, _)| *of == path)
            .expect("every module has its twins");
        [path, component_of(path), module, component].map(Self::guest)
    }

    /// Runs a hand-written module, and its twin that imports file functions.
    pub(crate) fn bytes_in_every_form(module: Vec<u8>) -> [Self; 2] {
        let twin = tenterhook_tests_artifacts::with_files(&module);
        [module, twin].map(Self::bytes)
    }

    /// Runs a guest that writes files: as a module and as a component.
    pub(crate) fn as_both(path: &str) -> [Self; 2] {
        [Self::guest(path), Self::component_of(path)]
    }

    /// Runs a script.
    pub(crate) fn script(text: &str) -> Self {
        Self::bytes(text.into())
    }

    /// Runs these bytes, whatever kind they are.
    pub(crate) fn bytes(bytes: Vec<u8>) -> Self {
        Self::of(What::Bytes(bytes))
    }

    /// Runs a program that the engine has loaded.
    pub(crate) fn loaded(program: &Program) -> Self {
        Self::of(What::Loaded(program.clone()))
    }

    fn of(what: What) -> Self {
        let invocation = Invocation {
            name: "hook".into(),
            limits: Limits::for_testing(),
            ..Invocation::default()
        };
        Self {
            engine: &ENGINE,
            what,
            invocation,
        }
    }

    pub(crate) fn arg(mut self, arg: impl ToString) -> Self {
        self.invocation.args.push(arg.to_string());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.invocation.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.invocation.stdin = text.to_owned().into();
        self
    }

    pub(crate) fn event(mut self, json: &str) -> Self {
        self.invocation.event = json.to_owned().into();
        self
    }

    /// Changes the limits, which are [`Limits::for_testing`] otherwise.
    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.invocation.limits);
        self
    }

    /// Changes anything else.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Invocation)) -> Self {
        change(&mut self.invocation);
        self
    }

    /// Runs it on the shared engine that it is for.
    pub(crate) async fn go(self) -> Finished {
        let engine = self.engine;
        self.on(engine).await
    }

    /// Runs it on this engine.
    pub(crate) async fn on(self, engine: &Engine) -> Finished {
        let program = self.what.load(engine).await;
        let again = Invocation {
            pace: Pace::Skip,
            cancel: CancellationToken::new(),
            output: None,
            gauge: None,
            ..self.invocation.clone()
        };
        let run = engine.spawn(&program, self.invocation);
        let finished = Finished(run.await.unwrap().unwrap());
        if *REPLAYS && finished.outcome.is_repeatable() {
            let replay = engine.spawn(&program, again).await.unwrap().unwrap();
            assert_eq!(repeatable(replay), repeatable(finished.0.clone()));
        }
        if let Some(overrun) = overrun(engine) {
            panic!("{overrun}");
        }
        finished
    }

    /// Starts it on this engine.
    pub(crate) async fn start(self, engine: &Engine) -> JoinHandle<Result<Report, Error>> {
        let program = self.what.load(engine).await;
        engine.spawn(&program, self.invocation)
    }
}

impl What {
    async fn load(&self, engine: &Engine) -> Program {
        match self {
            Self::Bytes(bytes) => load(engine, bytes).await,
            Self::Loaded(program) => program.clone(),
        }
    }
}

/// Returns a report without what depends on the host: how long it took.
fn repeatable(mut report: Report) -> Report {
    report.usage.wall_us = 0;
    report.usage.cpu_us = 0;
    report.awake_us = 0;
    report
}

/// Loads a program of any kind.
pub(crate) async fn load(engine: &Engine, bytes: &[u8]) -> Program {
    let key = (&raw const *engine as usize, Digest::of(bytes));
    let shared = std::ptr::eq(&raw const *ENGINE, &raw const *engine);
    if let Some(program) = LOADED.lock().unwrap().get(&key).filter(|_| shared) {
        return program.clone();
    }
    let program = engine.load(Kind::detect(bytes), bytes).await.unwrap();
    if shared {
        LOADED.lock().unwrap().insert(key, program.clone());
    }
    program
}

/// Loads a guest, by the path of its file.
pub(crate) async fn load_guest(engine: &Engine, path: &str) -> Program {
    load(engine, &fs::read(path).unwrap()).await
}

/// Returns why the shared engine does not accept these bytes.
pub(crate) async fn refusal(kind: Kind, bytes: &[u8]) -> Refusal {
    match ENGINE.load(kind, bytes).await {
        Err(Error::Refused { refusal }) => refusal,
        Err(error) => panic!("not a refusal: {error:?}"),
        Ok(_) => panic!("the program was accepted"),
    }
}

/// Returns the file of the component that was built from a module.
pub(crate) fn component_of(module: &str) -> &'static str {
    tenterhook_tests_artifacts::COMPONENTS
        .iter()
        .find(|(of, _)| *of == module)
        .map(|(_, component)| *component)
        .expect("every module has a component")
}

/// A report, which prints the guest's output if the test fails, and only then.
pub(crate) struct Finished(Report);

impl Finished {
    /// Standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    /// Standard error as text.
    pub(crate) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

impl From<Report> for Finished {
    fn from(report: Report) -> Self {
        Self(report)
    }
}

impl Deref for Finished {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

impl Drop for Finished {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (out, err) = (String::from_utf8_lossy(&self.0.stdout), self.errors());
            eprintln!("outcome: {}\nusage: {:?}", self.0.outcome, self.0.usage);
            eprintln!("--- stdout\n{out:.4000}\n--- stderr\n{err:.4000}");
        }
    }
}
