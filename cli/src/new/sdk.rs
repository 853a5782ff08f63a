//! The SDK as part of a new project: it comes with the binary, so that a hook in
//! Rust builds without a registry that has it.

use include_dir::{Dir, include_dir};
use tenterhook_sdk::contract;

use super::subject::Subject;
use super::template::{File, all};

static SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/src");
static CONTRACT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/contract/src");
static MACROS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/macros/src");

/// Where a project has it.
pub(super) const PLACE: &str = "vendor/tenterhook-sdk";

/// Tables of a manifest that have a meaning in our own workspace alone.
const OURS: &[&str] = &["[lints]", "[dev-dependencies]"];

/// The SDK's files below a project's folder.
pub(super) fn files() -> Vec<File> {
    let mut files = vec![
        file("LICENSE", include_str!("../../../LICENSE")),
        file("README.md", include_str!("../../../sdk/README.md")),
        file(
            "Cargo.toml",
            &manifest(include_str!("../../../sdk/Cargo.toml")),
        ),
        file(
            "contract/Cargo.toml",
            &manifest(include_str!("../../../sdk/contract/Cargo.toml")),
        ),
        file(
            "macros/Cargo.toml",
            &manifest(include_str!("../../../sdk/macros/Cargo.toml")),
        ),
    ];
    for (place, folder) in [
        ("src", &SDK),
        ("contract/src", &CONTRACT),
        ("macros/src", &MACROS),
    ] {
        for source in all(folder) {
            let path = source.path().to_str().expect("sources have plain names");
            let text = source.contents_utf8().expect("sources are UTF-8");
            files.push(file(&format!("{place}/{path}"), text));
        }
    }
    files
}

fn file(path: &str, text: &str) -> File {
    (format!("{PLACE}/{path}"), text.as_bytes().to_vec())
}

/// A manifest without the tables that are only ours.
fn manifest(text: &str) -> String {
    let mut kept = String::new();
    let mut ours = false;
    for line in text.lines() {
        if line.starts_with('[') {
            ours = OURS.contains(&line.trim());
        }
        if !ours {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What the typed template names of the event: its type, and its member's field.
pub(super) fn words(subject: &Subject) -> Vec<(&'static str, String)> {
    vec![
        ("type", type_name(subject.event.as_str())),
        (
            "field",
            contract::upper_snake(&subject.member).to_lowercase(),
        ),
    ]
}

/// The type of a hook point's events: `snapshot.pre` is `SnapshotPre`,
/// `session.SCALE_IN` is `SessionScaleIn`.
fn type_name(event: &str) -> String {
    let words = event.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name = String::new();
    for word in words {
        let shouted = !word.chars().any(|c| c.is_ascii_lowercase());
        for (place, c) in word.chars().enumerate() {
            name.push(match (place, shouted) {
                (0, _) => c.to_ascii_uppercase(),
                (_, true) => c.to_ascii_lowercase(),
                (_, false) => c,
            });
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use tenterhook_dispatch::HookPoint;

    use super::*;

    #[test]
    fn the_manifests_are_valid_outside_our_workspace() {
        for (path, text) in files() {
            if !path.ends_with("Cargo.toml") {
                continue;
            }
            let text = String::from_utf8(text).unwrap();
            assert!(!text.contains("workspace = true"), "{path}: {text}");
            let table: toml::Table = toml::from_str(&text).unwrap();
            assert!(table.contains_key("package") && table.contains_key("dependencies"));
            assert!(!table.contains_key("dev-dependencies"));
        }
    }

    #[test]
    fn the_catalog_has_every_type_and_field_that_a_template_may_name() {
        let sources: String = all(&SDK)
            .iter()
            .filter(|file| file.path().starts_with("catalog"))
            .map(|file| file.contents_utf8().unwrap())
            .collect();
        for point in HookPoint::catalog() {
            let row = format!("{} \"{}\" ", type_name(point.name), point.name);
            assert!(sources.contains(&row), "{row}");
            let subject = Subject::of(point.name).unwrap();
            if subject.is_documented() {
                let field = &words(&subject)[1].1;
                let told = ["String", "u64"]
                    .map(|kind| format!(" {field}: {kind} = \"{}\" ", subject.member));
                assert!(told.iter().any(|told| sources.contains(told)), "{told:?}");
            }
        }
    }
}
