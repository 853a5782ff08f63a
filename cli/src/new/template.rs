//! The files of a new project: templates with placeholders such as `{{word}}`.
//!
//! The templates are files below `cli/templates`. In their names, `gitignore` stands for
//! `.gitignore` and the suffix `.in` is dropped, so that no tool mistakes a template for the
//! real file.

use include_dir::{Dir, DirEntry, include_dir};

use super::lang::Lang;
use super::sdk;
use super::subject::{Subject, text};
use crate::project::TESTS;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Templates of every language.
const COMMON: &str = "common";

/// A file of a project: its path below the project's folder, with `/`, and its text.
pub(super) type File = (String, Vec<u8>);

/// The values of a template's placeholders.
pub(super) struct Words(Vec<(&'static str, String)>);

impl Words {
    pub(super) fn of(name: &str, lang: Lang, subject: &Subject) -> Self {
        let build_lines = lang.build().map_or_else(String::new, |command| {
            let command = toml_text(command);
            format!(
                "# The command that builds it, run by `sh -c` in this folder.\nbuild = {command}\n"
            )
        });
        let needs = lang
            .needs()
            .map_or_else(String::new, |needs| format!("{needs}\n\n"));
        let mut words = vec![
            ("name", name.to_owned()),
            ("event", subject.event.as_str().to_owned()),
            ("member", subject.member.clone()),
            ("variable", subject.variable()),
            ("protected", text(&subject.denied)),
            ("language", lang.title().to_owned()),
            ("program", lang.program().to_owned()),
            ("build_lines", build_lines),
            ("needs", needs),
        ];
        if lang == Lang::Rust {
            words.extend(sdk::words(subject));
        }
        Self(words)
    }

    /// Fills in the placeholders. An unknown one is left as it is.
    fn fill(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(at) = rest.find("{{") {
            let (before, found) = rest.split_at(at);
            out.push_str(before);
            // Of `{{{word}}}`, the outermost braces are the template's own.
            let found = match found.strip_prefix("{{{") {
                Some(_) => {
                    out.push('{');
                    &found[1..]
                }
                None => found,
            };
            let word = found[2..].split_once("}}").map(|(word, _)| word);
            let meant = self.0.iter().find(|(name, _)| Some(*name) == word);
            match meant {
                Some((name, value)) => {
                    out.push_str(value);
                    rest = &found[name.len() + 4..];
                }
                None => {
                    out.push_str("{{");
                    rest = &found[2..];
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// Returns all files of a project, sorted by path.
pub(super) fn files(words: &Words, lang: Lang, subject: &Subject) -> Vec<File> {
    let mut files = Vec::new();
    let folders = lang.templates(subject);
    for folder in [COMMON].into_iter().chain(folders) {
        let folder = TEMPLATES
            .get_dir(folder)
            .expect("every language has templates");
        for file in all(folder) {
            let path = file
                .path()
                .strip_prefix(folder.path())
                .expect("it was found below the folder");
            let path = path.to_str().expect("templates have plain names");
            let template = file.contents_utf8().expect("templates are UTF-8");
            files.push((target(path), words.fill(template).into_bytes()));
        }
    }
    for (name, text) in subject.tests() {
        files.push((format!("{TESTS}/{name}"), text.into_bytes()));
    }
    files.extend(lang.helpers());
    files.sort();
    files
}

/// Returns all files below a folder.
pub(super) fn all<'a>(folder: &'a Dir<'a>) -> Vec<&'a include_dir::File<'a>> {
    let mut found = Vec::new();
    let mut open = vec![folder];
    while let Some(folder) = open.pop() {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(folder) => open.push(folder),
                DirEntry::File(file) => found.push(file),
            }
        }
    }
    found
}

/// Returns the path of a template's file in the project.
fn target(path: &str) -> String {
    let path = path.strip_suffix(".in").unwrap_or(path);
    match path {
        "gitignore" => ".gitignore".to_owned(),
        path => path.to_owned(),
    }
}

/// Formats a text as a TOML string, without escapes where possible.
fn toml_text(text: &str) -> String {
    if text.contains(['\'', '\n', '\r']) {
        format!("{text:?}")
    } else {
        format!("'{text}'")
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use proptest::prelude::*;
    use tenterhook_dispatch::HookPoint;

    use super::*;
    use crate::project::{MANIFEST, Manifest};

    fn words(text: &'static str) -> Words {
        Words(vec![("a", text.to_owned()), ("ab", "long".to_owned())])
    }

    #[test]
    fn words_are_substituted() {
        assert_eq!(
            words("1").fill("{{a}} {{ab}} {{a}}{{{a}}} ${{{a}}}"),
            "1 long 1{1} ${1}"
        );
        assert_eq!(words("{{a}}").fill("{{a}}{{"), "{{a}}{{");
        assert_eq!(words("1").fill("{{b}} {{ a }} {{a"), "{{b}} {{ a }} {{a");
    }

    #[test]
    fn no_placeholder_is_left_and_every_manifest_can_be_read() {
        for lang in Lang::value_variants() {
            for event in HookPoint::catalog()
                .map(|p| p.name)
                .chain(["custom.deployed"])
            {
                let subject = Subject::of(event).unwrap();
                let words = Words::of("guard", *lang, &subject);
                let files = files(&words, *lang, &subject);
                let mut paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
                paths.dedup();
                assert_eq!(paths.len(), files.len(), "a path stands twice");
                for (path, text) in &files {
                    let own = !path.starts_with("vendor/");
                    let text = String::from_utf8_lossy(text);
                    let helper = lang.helpers().iter().any(|(helper, _)| helper == path);
                    assert!(
                        !own || helper || !text.contains("{{"),
                        "{lang:?} {path}: {text}"
                    );
                    assert!(!path.contains("..") && !path.starts_with('/'));
                }
                let (_, manifest) = files.iter().find(|(path, _)| path == MANIFEST).unwrap();
                let manifest = Manifest::parse(std::str::from_utf8(manifest).unwrap()).unwrap();
                assert_eq!(manifest.name, "guard");
                assert_eq!(manifest.build.as_deref(), lang.build());
                assert_eq!(manifest.event, event);
                assert!(files.iter().any(|(path, _)| path == ".gitignore"));
                assert!(files.iter().any(|(path, _)| path == "README.md"));
            }
        }
    }

    proptest! {
        #[test]
        fn no_template_panics(template in "[{}a b]{0,40}") {
            let _ = words("x").fill(&template);
        }
    }
}
