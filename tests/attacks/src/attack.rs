//! One row of the table: a hostile program, what it is given, how it has to end,
//! and the test that proves the same in every build.

use std::fs;

use anyhow::Context as _;
use tenterhook_engine::{CompileLimits, Invocation, Limit, Limits, Report};

/// One attack.
pub(crate) struct Attack {
    /// What is tried, in a few words.
    pub(crate) name: String,
    program: Source,
    pub(crate) args: Vec<String>,
    pub(crate) limits: Limits,
    /// What compiling it may take.
    pub(crate) compile: CompileLimits,
    pub(crate) expected: Expected,
    /// The test of the same attack, as `file::function`.
    pub(crate) test: &'static str,
}

/// Where the hostile program comes from. Large ones are made when they are needed.
enum Source {
    File(&'static str),
    Bytes(Vec<u8>),
    Made(Box<dyn Fn() -> Vec<u8>>),
}

/// How an attack has to end.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// Stopped at this limit.
    Stopped(Limit),
    /// Stopped at whichever limit it reaches first, or it gives up by itself with
    /// a status that is not 0.
    Ends,
    /// A trap with this word in its reason.
    Traps(&'static str),
    /// Never run: refused with this word in the reason.
    Refused(&'static str),
    /// It runs to its end with nothing gained.
    Denied {
        /// What denied it.
        by: &'static str,
        /// Whether the report shows that it was denied.
        shown: fn(&Report) -> bool,
    },
    /// The same, or a trap, where the host may choose.
    DeniedOrTraps {
        /// What denied it.
        by: &'static str,
        /// Whether the report shows that it was denied.
        shown: fn(&Report) -> bool,
    },
}

impl Attack {
    /// An attack by a guest, which is given by its file.
    pub(crate) fn guest(name: &str, file: &'static str) -> Self {
        Self::new(name, Source::File(file))
    }

    /// The attack by the module and that by the component made of it.
    pub(crate) fn both(name: &str, module: &'static str) -> [Self; 2] {
        let component = tenterhook_tests_artifacts::COMPONENTS
            .iter()
            .find(|(of, _)| *of == module)
            .map(|(_, component)| *component)
            .expect("every module has a component");
        [
            Self::guest(name, module),
            Self::guest(&format!("{name}, component"), component),
        ]
    }

    /// An attack by a script.
    pub(crate) fn script(name: &str, text: impl Into<String>) -> Self {
        Self::bytes(name, text.into().into_bytes()).limits(|limits| {
            *limits = Limits {
                fuel: 3_000_000_000,
                memory: 48 << 20,
                output: 64 << 10,
                ..Limits::default()
            };
        })
    }

    /// An attack by these bytes.
    pub(crate) fn bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self::new(name, Source::Bytes(bytes))
    }

    /// An attack by the bytes that this makes.
    pub(crate) fn made(name: &str, make: impl Fn() -> Vec<u8> + 'static) -> Self {
        Self::new(name, Source::Made(Box::new(make)))
    }

    fn new(name: &str, program: Source) -> Self {
        Self {
            name: name.to_owned(),
            program,
            args: Vec::new(),
            limits: Limits::for_testing(),
            compile: CompileLimits::default(),
            expected: Expected::Ends,
            test: "",
        }
    }

    pub(crate) fn arg(mut self, arg: impl ToString) -> Self {
        self.args.push(arg.to_string());
        self
    }

    /// Changes the limits, which are [`Limits::for_testing`] otherwise.
    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Changes the limits of compiling it.
    pub(crate) fn compile(mut self, change: impl FnOnce(&mut CompileLimits)) -> Self {
        change(&mut self.compile);
        self
    }

    /// Whether it has to be refused when it is handed in.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.expected, Expected::Refused(_))
    }

    /// Says how it has to end, and which test says so too.
    pub(crate) fn expect(mut self, expected: Expected, test: &'static str) -> Self {
        self.expected = expected;
        self.test = test;
        self
    }

    /// The hostile program.
    pub(crate) fn program(&self) -> anyhow::Result<Vec<u8>> {
        match &self.program {
            Source::File(file) => fs::read(file).with_context(|| format!("cannot read {file}")),
            Source::Bytes(bytes) => Ok(bytes.clone()),
            Source::Made(make) => Ok(make()),
        }
    }

    /// What each run of it is given.
    pub(crate) fn invocation(&self) -> Invocation {
        Invocation {
            name: "hook".into(),
            args: self.args.clone(),
            limits: self.limits.clone(),
            ..Invocation::default()
        }
    }

    /// The bytes by which the host may grow while one run of it is in progress,
    /// for a program of this size: the run's own bounds, which also hold the
    /// program while it is only being looked at.
    pub(crate) fn allowed_bytes(&self, program_bytes: u64) -> u64 {
        /// What the host may take for itself, whatever the attack is.
        const HOST_BYTES: u64 = 32 << 20;
        let own = match self.expected {
            Expected::Refused(_) => program_bytes,
            _ => self.limits.memory + self.limits.files + self.limits.output,
        };
        own + HOST_BYTES
    }
}
