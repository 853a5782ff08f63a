//! The result of a check: a name and a value per line, or JSON.

use std::time::Duration;

use serde_json::{Value, json};
use tenterhook_engine::{Diagnostic, Digest, Kind, Severity, Survey};

use super::trial::Trial;
use crate::paint::Painter;
use crate::quantity::show_size;
use crate::{neutral, script_check};

/// The result of a check.
pub(super) struct CheckResult {
    pub(super) kind: Kind,
    size: u64,
    /// Absent if the file is too large to be read whole.
    digest: Option<Digest>,
    pub(super) survey: Option<Survey>,
    pub(super) compiled_in: Option<Duration>,
    pub(super) acceptance: Acceptance,
    /// What is wrong with a script that is accepted.
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) trial: Option<Trial>,
}

/// Whether an upload would be accepted.
pub(super) enum Acceptance {
    Accepted,
    Refused(String),
}

impl CheckResult {
    pub(super) fn new(kind: Kind, size: u64, digest: Option<Digest>) -> Self {
        Self {
            kind,
            size,
            digest,
            survey: None,
            compiled_in: None,
            acceptance: Acceptance::Accepted,
            diagnostics: Vec::new(),
            trial: None,
        }
    }

    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.acceptance, Acceptance::Accepted)
    }

    /// Whether a shell can read it to its end.
    pub(super) fn is_parsed(&self) -> bool {
        let is_error = |own: &Diagnostic| own.severity == Severity::Error;
        !self.diagnostics.iter().any(is_error)
    }

    /// Its functions and imports; a script has none.
    fn contents(&self) -> Option<&Survey> {
        self.survey.as_ref().filter(|_| self.kind != Kind::Script)
    }

    /// Whether it could try to send requests, which are denied.
    fn imports_http(&self) -> bool {
        let imports = self.contents().map_or(&[][..], |survey| &survey.imports);
        imports.iter().any(|own| own.starts_with("wasi:http/"))
    }

    /// The result as text.
    pub(super) fn page(&self, paint: Painter) -> String {
        let mut page = Page::default();
        page.line("kind", self.kind);
        page.line("size", show_exact_size(self.size));
        if let Some(digest) = self.digest {
            page.line("digest", digest);
        }
        if let Some(survey) = self.contents() {
            page.line("functions", survey.functions);
            page.line("imports", survey.imports.len());
            for import in &survey.imports {
                page.line("", neutral::line(import));
            }
        }
        if let Some(time) = self.compiled_in {
            let ms = time.as_micros() as f64 / 1_000.0;
            page.line("compiled", format_args!("in {ms:.1} ms"));
        }
        match &self.acceptance {
            Acceptance::Accepted => page.line("verdict", paint.ok("accepted")),
            Acceptance::Refused(reason) => page.line(
                "verdict",
                format_args!("{} {}", paint.bad("refused:"), neutral::line(reason)),
            ),
        }
        if self.is_accepted() && self.imports_http() {
            page.line(
                "warning",
                "hooks have no network: a request over HTTP fails with `HTTP-request-denied`",
            );
        }
        for own in &self.diagnostics {
            let (name, description) = script_check::describe(own, paint);
            page.line(name, description);
        }
        if let Some(trial) = &self.trial {
            trial.write_to(&mut page, paint);
        }
        page.0
    }

    /// The result as JSON on one line.
    pub(super) fn json(&self) -> String {
        let mut document = json!({
            "kind": self.kind,
            "size_bytes": self.size,
            "digest": self.digest.map(|digest| digest.to_string()),
            "accepted": self.is_accepted(),
        });
        let mut add = |name: &str, value: Value| document[name] = value;
        if let Acceptance::Refused(reason) = &self.acceptance {
            add("reason", reason.as_str().into());
        }
        if let Some(survey) = self.contents() {
            add("functions", survey.functions.into());
            add("imports", survey.imports.as_slice().into());
        }
        if let Some(time) = self.compiled_in {
            let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            add("compile_us", us.into());
        }
        if self.kind == Kind::Script && self.is_accepted() {
            add("warnings", json!(self.diagnostics));
        }
        if let Some(trial) = &self.trial {
            add("trial", trial.json());
        }
        format!("{document}\n")
    }
}

/// A name and a value per line.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        self.0.push_str(&format!("{name:<10} {value}\n"));
    }
}

fn show_exact_size(bytes: u64) -> String {
    let rounded = show_size(bytes);
    if rounded.ends_with("bytes") {
        rounded
    } else {
        format!("{bytes} bytes ({rounded})")
    }
}
