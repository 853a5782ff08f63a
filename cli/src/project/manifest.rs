//! The content of a `tenterhook.toml`, checked member by member.
//!
//! An error names the line and what to write instead.

mod containers;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tenterhook_dispatch::{HookPoint, HookPointName, RetryPolicy};
use tenterhook_engine::{AskedLimits, Limits};
use tenterhook_wire::{Criterion, FailurePolicy, IdOrNumber, Servers};

use crate::event::misspelt;

/// Longest name of a source, in bytes.
const NAME_MAX_BYTES: usize = 255;

/// How similar two names must be for one to be suggested in place of the other.
const SIMILARITY: f32 = 0.5;

/// The content of a `tenterhook.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Name of the source on a server: 1 to 255 bytes without control characters.
    #[serde(deserialize_with = "name")]
    pub(crate) name: String,
    /// The hook point, such as `PreFormatDisk` or `custom.deployed`.
    #[serde(deserialize_with = "event")]
    pub(crate) event: String,
    /// The script, module or component: a path relative to the manifest and inside its
    /// folder.
    #[serde(deserialize_with = "program")]
    pub(crate) program: PathBuf,
    /// The command that builds the program, run by `sh -c` in the project's folder;
    /// absent for a script.
    #[serde(default, deserialize_with = "build")]
    pub(crate) build: Option<String>,
    /// The hook.
    #[serde(default)]
    pub(crate) hook: HookManifest,
}

/// The hook that a server should have; members are those of `POST /api/v1/hooks`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookManifest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) args: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) env: Option<BTreeMap<String, String>>,
    /// `"all"` or a list of server numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) servers: Option<Servers>,
    /// `"closed"` or `"open"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure_policy: Option<FailurePolicy>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "limits"
    )]
    pub(crate) limits: Option<AskedLimits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<RetryPolicy>,
    /// Id, number or name of the app, on Astra's events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<IdOrNumber>,
    /// Which of the app's containers, on Astra's events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) criteria: Option<Vec<Criterion>>,
}

/// What is wrong with a manifest, and where.
#[derive(Debug)]
pub(crate) struct ManifestError {
    line: Option<usize>,
    message: String,
}

impl std::fmt::Display for ManifestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    ///
    /// The first fault that is found.
    pub(crate) fn parse(text: &str) -> Result<Self, ManifestError> {
        let line = |at: usize| Some(text.get(..at)?.matches('\n').count() + 1);
        let manifest: Self = toml::from_str(text).map_err(|error| ManifestError {
            line: error.span().and_then(|span| line(span.start)),
            message: error.message().trim_end().to_owned(),
        })?;
        match containers::misplaced(&manifest, text) {
            Some((member, at)) => Err(ManifestError {
                line: line(at),
                message: format!(
                    "`hook.{member}` is only for the hook points of Astra, such as snapshot.pre: \
                     no other event has containers"
                ),
            }),
            None => Ok(manifest),
        }
    }

    /// The hook's limits; where it asks for none, the default.
    pub(crate) fn limits(&self) -> Limits {
        let asked = self.hook.limits.clone().unwrap_or_default();
        asked
            .resolve(&Limits::default(), &Limits::ceiling())
            .expect("limits were checked when the manifest was read")
    }

    /// The hook point; one of those with the prefix, if the hook waits for a prefix.
    pub(crate) fn hook_point(&self) -> HookPointName {
        let event = match self.event.strip_suffix('*') {
            Some(prefix) => format!("{prefix}sample"),
            None => self.event.clone(),
        };
        HookPointName::parse(&event).expect("the event was checked when the manifest was read")
    }
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    if name.is_empty() || name.len() > NAME_MAX_BYTES {
        return Err(D::Error::custom("`name` must have 1 to 255 bytes"));
    }
    if name.chars().any(char::is_control) {
        return Err(D::Error::custom(
            "`name` must not contain control characters",
        ));
    }
    Ok(name)
}

fn event<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let event = String::deserialize(from)?;
    let is_known = |name: &HookPointName| name.point().is_some() || name.as_str().contains('.');
    let why = match (misspelt(&event), HookPointName::parse_for_hook(&event)) {
        (None, Ok(name)) if is_known(&name) => return Ok(event),
        (Some(near), _) => format!("did you mean {near}?"),
        (None, Ok(_)) => "`tenterhook event` lists them, a type with a dot is another producer's, \
                          and `custom.` and a name is one of your own"
            .to_owned(),
        (None, Err(error)) => error.to_string(),
    };
    let shown: String = event.chars().take(NAME_MAX_BYTES).collect();
    Err(D::Error::custom(format!(
        "no such hook point: {shown:?}; {why}"
    )))
}

fn program<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let program = PathBuf::deserialize(from)?;
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if program.file_name().is_none() || program.to_string_lossy().contains('\0') {
        return Err(D::Error::custom(
            "`program` must name a file, such as hook.sh",
        ));
    }
    if !Path::new(&program).components().all(inside) {
        return Err(D::Error::custom(
            "`program` must lie in the project's folder: write a path relative to it, without `..`",
        ));
    }
    Ok(program)
}

fn build<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let build = Option::<String>::deserialize(from)?;
    match &build {
        Some(command) if command.trim().is_empty() || command.contains('\0') => {
            Err(D::Error::custom(
                "`build` must be a command for `sh -c`; leave it out if there is nothing to build",
            ))
        }
        _ => Ok(build),
    }
}

fn limits<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AskedLimits>, D::Error> {
    let asked = Option::<AskedLimits>::deserialize(from)?;
    if let Some(asked) = &asked {
        asked
            .resolve(&Limits::default(), &Limits::ceiling())
            .map_err(D::Error::custom)?;
    }
    Ok(asked)
}

/// Returns the hook point whose name is nearest to `name`, if any is near.
pub(crate) fn nearest_event(name: &str) -> Option<&'static str> {
    let name: String = name.chars().take(NAME_MAX_BYTES).collect();
    let lower = name.to_lowercase();
    let same = HookPoint::catalog().find(|point| point.name.to_lowercase() == lower);
    if let Some(point) = same {
        return Some(point.name);
    }
    let known: Vec<_> = HookPoint::catalog().map(|point| point.name).collect();
    similar::get_close_matches(name.as_str(), &known, 1, SIMILARITY)
        .into_iter()
        .next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const WHOLE: &str = "name = \"guard\"\nevent = \"PreFormatDisk\"\nprogram = \"hook.sh\"\n";

    #[track_caller]
    fn wrong(text: &str, expected: &[&str]) {
        let wrong = Manifest::parse(text).unwrap_err().to_string();
        for part in expected {
            assert!(wrong.contains(part), "`{part}` is not in `{wrong}`");
        }
        assert!(!wrong.contains('\u{1b}'), "{wrong}");
    }

    #[test]
    fn a_manifest_describes_program_and_hook() {
        let text =
            format!("{WHOLE}[hook]\nfailure_policy = \"open\"\nlimits = {{ wall_ms = 500 }}\n");
        let manifest = Manifest::parse(&text).unwrap();
        let hook = serde_json::to_value(&manifest.hook).unwrap();
        assert_eq!(
            hook,
            json!({"failure_policy": "open", "limits": {"wall_ms": 500}})
        );
        assert_eq!(manifest.limits().wall.as_millis(), 500);
        assert_eq!(manifest.limits().fuel, Limits::default().fuel);
        assert_eq!(manifest.hook_point().as_str(), "PreFormatDisk");
    }

    #[test]
    fn an_unknown_manifest_member_is_refused_with_its_line() {
        wrong(
            "name = \"a\"\nevnt = \"x\"\n",
            &["line 2", "evnt", "`event`"],
        );
        wrong(
            &format!("{WHOLE}\n[hook]\nserver = 1\n"),
            &["line 6", "server"],
        );
        wrong(
            &format!("{WHOLE}\nname = \"b\"\n"),
            &["line 5", "duplicate"],
        );
    }

    #[test]
    fn an_unknown_event_is_refused_with_the_closest_match() {
        let of = |event: &str| format!("name = \"a\"\nprogram = \"a.sh\"\nevent = {event}\n");
        wrong(
            &of("\"PreFormatDisks\""),
            &["line 3", "did you mean PreFormatDisk?"],
        );
        wrong(&of("\"onaudit\""), &["did you mean OnAudit?"]);
        wrong(&of("\"snapshot-pre\""), &["did you mean snapshot.pre?"]);
        wrong(&of("\"zzzzzzzz\""), &["tenterhook event", "`custom.`"]);
        wrong(&of("\"\\u001b[2J\""), &["line 3"]);
        wrong(
            &of(&format!("\"{}\"", "x".repeat(60_000))),
            &["no such hook point"],
        );
        assert!(Manifest::parse(&of("\"custom.deployed\"")).is_ok());
    }

    #[test]
    fn a_program_is_inside_its_project() {
        for path in [
            "/etc/passwd",
            "../hook.sh",
            "a/../../hook.sh",
            "a/../hook.sh",
        ] {
            let text = format!("name = \"a\"\nevent = \"OnAudit\"\nprogram = \"{path}\"\n");
            wrong(&text, &["line 3", "relative"]);
        }
        for path in ["", ".", "/", "a\\u0000b"] {
            let text = format!("name = \"a\"\nevent = \"OnAudit\"\nprogram = \"{path}\"\n");
            wrong(&text, &["line 3", "`program` must"]);
        }
        let text = "name = \"a\"\nevent = \"OnAudit\"\nprogram = \"./target/hook.wasm\"\n";
        assert!(Manifest::parse(text).is_ok());
    }

    #[test]
    fn values_that_a_server_would_refuse_are_refused_here() {
        wrong("name = \"\"\n", &["line 1", "1 to 255"]);
        wrong("name = \"a\\u001b\"\n", &["line 1", "control"]);
        wrong(&format!("{WHOLE}build = \" \"\n"), &["line 4", "`build`"]);
        wrong(
            &format!("{WHOLE}[hook]\nfailure_policy = \"shut\"\n"),
            &["line 5", "closed"],
        );
        wrong(
            &format!("{WHOLE}[hook]\nlimits = {{ fuel = 0 }}\n"),
            &["line 5", "limits.fuel"],
        );
        wrong(
            &format!("{WHOLE}[hook]\nlimits = {{ ful = 1 }}\n"),
            &["line 5", "ful"],
        );
        wrong("name = \"a\"\n", &["event"]);
    }

    #[test]
    fn containers_are_refused_on_events_that_are_not_about_applications() {
        let criteria = "criteria = [{ type = \"podName\", value = \"^db\" }]";
        for (member, text) in [
            ("`hook.app`", "app = \"shop\""),
            ("`hook.criteria`", criteria),
        ] {
            let hook = format!("[hook]\nargs = []\n{text}\n");
            for event in ["PreFormatDisk", "custom.go", "com.github.*"] {
                let whole = WHOLE.replace("PreFormatDisk", event) + &hook;
                wrong(&whole, &["line 6", member, "Astra"]);
            }
            let whole = WHOLE.replace("PreFormatDisk", "snapshot.pre") + &hook;
            assert!(Manifest::parse(&whole).is_ok(), "{member}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", member in "name|event|program|build|hook|x", value in "\\PC{0,20}") {
            let _ = Manifest::parse(&text);
            let _ = Manifest::parse(&format!("{WHOLE}{text}"));
            if let Ok(manifest) = Manifest::parse(&format!("{member} = {value:?}\n{WHOLE}")) {
                let _ = (manifest.limits(), manifest.hook_point());
            }
        }

        #[test]
        fn no_program_leaves_the_folder(path in "[a./]{0,12}") {
            let text = format!("name = \"a\"\nevent = \"OnAudit\"\nprogram = \"{path}\"\n");
            if let Ok(manifest) = Manifest::parse(&text) {
                let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
                prop_assert!(manifest.program.components().all(inside));
                prop_assert!(manifest.program.is_relative());
            }
        }
    }
}
