//! `new`: projects, and what prevents their creation.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tenterhook::{Finished, command};

/// A project in its own folder.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) parent: PathBuf,
    /// What goes away with it.
    temporary: Option<TempDir>,
}

impl Project {
    /// `tenterhook new guard --lang LANG`.
    pub(crate) fn new(lang: &str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let mut project = Self::in_folder(parent.path(), lang, "PreFormatDisk");
        project.temporary = Some(parent);
        project
    }

    /// The same in a folder that stays, and for this event.
    pub(crate) fn in_folder(parent: &Path, lang: &str, event: &str) -> Self {
        let words = ["new", "guard", "--lang", lang, "--event", event];
        tenterhook(parent, words).with_status(0);
        Self {
            folder: parent.join("guard"),
            parent: parent.to_owned(),
            temporary: None,
        }
    }

    /// One by hand: its manifest and its program.
    pub(crate) fn by_hand(manifest: &str, script: &str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("guard");
        std::fs::create_dir_all(folder.join("tests")).unwrap();
        let project = Self {
            folder,
            parent: parent.path().to_owned(),
            temporary: Some(parent),
        };
        project.write("tenterhook.toml", manifest);
        project.write("hook.sh", script);
        project
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::write(self.folder.join(path), text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.join(path)).unwrap()
    }

    /// `tenterhook ARGS…` in the project's folder.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        tenterhook(&self.folder, args)
    }
}

/// `tenterhook ARGS…` in this folder.
pub(crate) fn tenterhook<A: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = A>,
) -> Finished {
    Finished::of(command(args).current_dir(folder).output().unwrap())
}

/// The one JSON document that a command printed.
#[track_caller]
pub(crate) fn document(result: &Finished) -> Value {
    serde_json::from_str(&result.stdout).unwrap_or_else(|error| panic!("{error}: {result:#?}"))
}

#[test]
fn a_new_project_lists_its_files_and_the_next_steps() {
    let parent = tempfile::tempdir().unwrap();
    let made = tenterhook(parent.path(), ["new", "disk-guard", "--lang", "shell"]).with_status(0);
    assert_eq!(
        made.stdout,
        "disk-guard/ is a hook for PreFormatDisk in shell:\n  \
           .gitignore\n  \
           README.md\n  \
           hook.sh\n  \
           tenterhook.toml\n  \
           tests/allowed.event.json\n  \
           tests/allowed.expect.json\n  \
           tests/denied.event.json\n  \
           tests/denied.expect.json\n\
         Next:\n  \
           cd disk-guard\n  \
           tenterhook test\n  \
           tenterhook push\n"
    );
    let readme = std::fs::read_to_string(parent.path().join("disk-guard/README.md")).unwrap();
    for command in ["tenterhook build", "tenterhook test", "tenterhook push"] {
        assert!(readme.contains(command), "{readme}");
    }
}

#[test]
fn json_output_has_the_same_information() {
    let parent = tempfile::tempdir().unwrap();
    let words = [
        "new", "guard", "--lang", "c", "--event", "OnAudit", "--json",
    ];
    let made = document(&tenterhook(parent.path(), words).with_status(0));
    assert_eq!(made["folder"], "guard");
    assert_eq!(made["event"], "OnAudit");
    assert_eq!(made["lang"], "c");
    assert_eq!(
        made["next"],
        json!([
            "cd guard",
            "tenterhook build",
            "tenterhook test",
            "tenterhook push"
        ])
    );
    for file in made["files"].as_array().unwrap() {
        let path = parent.path().join("guard").join(file.as_str().unwrap());
        assert!(path.is_file(), "{file}");
    }
}

#[test]
fn a_project_is_for_any_hook_point_and_its_tests_pass() {
    for event in [
        "OnAudit",
        "PreCrushMapChange",
        "snapshot.pre",
        "session.SCALE_IN",
        "custom.deployed",
    ] {
        let parent = tempfile::tempdir().unwrap();
        let words = ["new", "guard", "--lang", "shell", "--event", event];
        tenterhook(parent.path(), words).with_status(0);
        let result = tenterhook(&parent.path().join("guard"), ["test"]).with_status(0);
        assert!(
            result.stdout.ends_with("2 passed\n"),
            "{event}: {result:#?}"
        );
    }
}

#[test]
fn without_a_language_all_are_named() {
    let parent = tempfile::tempdir().unwrap();
    tenterhook(parent.path(), ["new", "guard"])
        .with_status(1)
        .with_stderr("`--lang rust|shell|c|zig|as|python|js`");
    assert!(!parent.path().join("guard").exists());
}

#[test]
fn an_unknown_hook_point_is_refused_with_the_closest_match() {
    let parent = tempfile::tempdir().unwrap();
    let words = [
        "new",
        "guard",
        "--lang",
        "shell",
        "--event",
        "PreFormatDisc",
    ];
    tenterhook(parent.path(), words)
        .with_status(1)
        .with_stderr("did you mean PreFormatDisk?");
    assert!(!parent.path().join("guard").exists());
}

#[test]
fn an_invalid_name_is_refused_with_a_valid_one() {
    let parent = tempfile::tempdir().unwrap();
    for (name, near) in [
        ("../guard", "try `guard`"),
        ("Disk Guard", "try `disk-guard`"),
        ("/etc", "try `etc`"),
        ("a\u{1b}[2Jb", "begins with a letter"),
        ("", "such as `disk-guard`"),
    ] {
        let result = tenterhook(parent.path(), ["new", "--lang", "shell", name]);
        let result = result.with_status(1).with_stderr(near);
        assert!(!result.stderr.contains('\u{1b}'), "{result:#?}");
    }
    assert_eq!(parent.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let project = Project::new("shell");
    let before = project.read("hook.sh");
    tenterhook(&project.parent, ["new", "guard", "--lang", "c"])
        .with_status(1)
        .with_stderr("not empty");
    assert_eq!(project.read("hook.sh"), before);
    assert!(!project.folder.join("hook.c").exists());
}

#[test]
fn an_empty_folder_is_accepted_and_a_file_is_not() {
    let parent = tempfile::tempdir().unwrap();
    std::fs::create_dir(parent.path().join("guard")).unwrap();
    tenterhook(parent.path(), ["new", "guard", "--lang", "shell"]).with_status(0);
    std::fs::write(parent.path().join("file"), "").unwrap();
    tenterhook(parent.path(), ["new", "file", "--lang", "shell"])
        .with_status(1)
        .with_stderr("cannot create the folder file");
}
