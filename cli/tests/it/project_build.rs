//! `build`: runs a project's build command and checks the result.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use crate::project::{Project, document, tenterhook};
use crate::tenterhook::{Finished, command};
use crate::tiny;

const MANIFEST: &str = "name = \"guard\"\nevent = \"OnAudit\"\n";

fn built_by(build: &str) -> Project {
    Project::by_hand(
        &format!("{MANIFEST}program = \"hook.wasm\"\nbuild = '''{build}'''\n"),
        "",
    )
}

#[test]
fn a_script_is_only_checked() {
    let project = Project::new("shell");
    let result = project.run(&["build"]).with_status(0);
    assert!(result.stdout.contains("kind       script\n"), "{result:#?}");
    assert!(
        result.stdout.ends_with("verdict    accepted\n"),
        "{result:#?}"
    );
    assert_eq!(result.stderr, "");
}

#[test]
fn a_script_with_faults_is_accepted_with_warnings() {
    let manifest = format!("{MANIFEST}program = \"hook.sh\"\n");
    let project = Project::by_hand(&manifest, "qm list\necho b )\n");
    let result = project.run(&["build"]).with_status(0);
    assert!(
        result.stdout.contains(
            "verdict    accepted\n\
             warning    1:1: the sandbox has no command `qm`\n\
             error      2:8: syntax error"
        ),
        "{result:#?}"
    );
    let result = document(&project.run(&["build", "--json"]).with_status(0));
    assert_eq!(result["accepted"], true);
    assert_eq!(
        result["warnings"][0]["message"],
        "the sandbox has no command `qm`"
    );
    assert_eq!(result["warnings"][1]["severity"], "error");
}

#[test]
fn the_command_runs_in_the_projects_folder_and_its_result_is_checked() {
    let project = built_by("echo made; cp given.wasm hook.wasm");
    std::fs::write(project.folder.join("given.wasm"), tiny::exiting(0)).unwrap();
    let result = tenterhook(&project.parent, ["build", "guard"]);
    let result = result.with_status(0).with_stderr("made\n");
    assert!(result.stdout.contains("kind       module\n"), "{result:#?}");
    assert!(!result.stdout.contains("made"), "stdout is for the answer");

    let again = document(&project.run(&["build", "--json"]).with_status(0));
    assert_eq!(again["kind"], "module");
    assert_eq!(again["accepted"], true);
    assert!(again["size_bytes"].as_u64() > Some(8));
    assert!(
        again.get("compile_us").is_none(),
        "its code is kept: {again}"
    );
}

#[test]
fn a_program_that_a_server_would_refuse_fails_the_build() {
    let project = built_by("printf '\\0asm\\1\\0\\0\\0' > hook.wasm");
    let result = project.run(&["build"]).with_status(1);
    assert!(
        result.stdout.contains("verdict    refused: "),
        "{result:#?}"
    );
    let result = document(&project.run(&["build", "--json"]).with_status(1));
    assert_eq!(result["accepted"], false);
    assert!(result["reason"].is_string());
}

#[test]
fn a_build_is_checked_against_the_same_module_limit_as_an_upload() {
    let project = built_by("cp given.wasm hook.wasm");
    std::fs::write(project.folder.join("given.wasm"), tiny::exiting(0)).unwrap();
    let refused = project.run(&["build", "--max-module", "10"]).with_status(1);
    assert!(
        refused.stdout.contains("at most 10 are accepted"),
        "{refused:#?}"
    );
    let output = command(["build"])
        .current_dir(&project.folder)
        .env("TENTERHOOK_MAX_MODULE", "10")
        .output()
        .unwrap();
    let refused = Finished::of(output).with_status(1);
    assert!(
        refused.stdout.contains("at most 10 are accepted"),
        "{refused:#?}"
    );
    project
        .run(&["build", "--max-module", "129MiB"])
        .with_status(2)
        .with_stderr("`--max-module` must be from 1 byte to 128 MiB, not 129MiB");
}

#[test]
fn a_failing_command_is_reported_with_its_status() {
    let project = built_by("echo 'hook.c:1: oh no' >&2; exit 3");
    project
        .run(&["build"])
        .with_status(1)
        .with_stderr("hook.c:1: oh no\n")
        .with_stderr("the build ended with status 3");
}

#[test]
fn a_missing_toolchain_is_named_with_the_command_that_installs_it() {
    for (lang, tool, install) in [
        ("rust", "`cargo` is not installed", "rustup"),
        ("c", "neither `zig` nor", "python3 -m pip install ziglang"),
        ("zig", "neither `zig` nor", "python3 -m pip install ziglang"),
        ("as", "`npm` is not installed", "apt-get install npm"),
        ("js", "`npm` is not installed", "apt-get install npm"),
        (
            "python",
            "`componentize-py` is not installed",
            "pip install componentize-py",
        ),
    ] {
        let project = Project::new(lang);
        // A PATH with nothing on it but what every system has.
        let bin = project.parent.join("bin");
        std::fs::create_dir(&bin).unwrap();
        for program in ["sh", "test"] {
            let real = ["/bin", "/usr/bin"].map(|place| format!("{place}/{program}"));
            let real = real.iter().find(|real| std::fs::exists(real).unwrap());
            std::os::unix::fs::symlink(real.unwrap(), bin.join(program)).unwrap();
        }
        let output = command(["build"])
            .current_dir(&project.folder)
            .env("PATH", &bin)
            .output()
            .unwrap();
        Finished::of(output)
            .with_status(1)
            .with_stderr(tool)
            .with_stderr(install);
    }
}

#[test]
fn a_missing_target_is_named_with_the_command_that_installs_it() {
    let project = Project::new("rust");
    let bin = project.parent.join("bin");
    std::fs::create_dir(&bin).unwrap();
    for (name, script) in [
        ("cargo", "echo 'cannot find crate for `core`' >&2; exit 101"),
        ("rustc", "echo /nowhere"),
    ] {
        let file = bin.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    }
    let output = command(["build"])
        .current_dir(&project.folder)
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .output()
        .unwrap();
    Finished::of(output)
        .with_status(1)
        .with_stderr("the build ended with status 101")
        .with_stderr("`rustup target add wasm32-wasip1` installs it");
}

#[test]
fn a_build_that_produces_another_file_is_reported() {
    built_by("true")
        .run(&["build"])
        .with_status(1)
        .with_stderr("the build did not create ./hook.wasm")
        .with_stderr("`program` in tenterhook.toml");
}

#[test]
fn a_missing_script_is_reported() {
    let project = Project::by_hand(&format!("{MANIFEST}program = \"hok.sh\"\n"), ":");
    project
        .run(&["build"])
        .with_status(1)
        .with_stderr("./hok.sh does not exist");
}

#[test]
fn a_folder_without_a_manifest_is_not_a_project() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["build", "test"] {
        tenterhook(folder.path(), [command])
            .with_status(1)
            .with_stderr(
                ". is not a project: it has no tenterhook.toml; `tenterhook new NAME` creates one",
            );
    }
}

#[test]
fn an_invalid_manifest_is_reported_with_its_line() {
    for (manifest, expected) in [
        (
            "name = \"a\"\nevnt = \"x\"\n",
            "line 2: unknown field `evnt`",
        ),
        (
            "name = \"a\"\nevent = \"OnAudt\"\n",
            "line 2: no such hook point: \"OnAudt\"; did you mean OnAudit?",
        ),
        (
            "name = \"a\"\nevent = \"OnAudit\"\nprogram = \"../x.sh\"\n",
            "line 3: `program` must lie in the project's folder",
        ),
        (
            "name = \"a\"\nevent = \"OnAudit\"\nprogram = \"/bin/sh\"\n",
            "line 3: `program` must lie in the project's folder",
        ),
        (
            "name = \"a\\u001b\"\n",
            "line 1: `name` must not contain control characters",
        ),
        ("name = \n", "line 1: "),
    ] {
        let project = Project::by_hand(manifest, ":");
        for command in ["build", "test"] {
            project.run(&[command]).with_status(1).with_stderr(expected);
        }
    }
}

#[test]
fn a_manifest_may_be_large_up_to_its_bound() {
    let project = Project::by_hand(&format!("# {}\n", "x".repeat(64 * 1024)), ":");
    project
        .run(&["build"])
        .with_status(1)
        .with_stderr("it has 65539 bytes; at most 65536 are accepted");
}

#[test]
fn a_manifest_that_is_not_text_is_refused() {
    let project = Project::by_hand("", ":");
    std::fs::write(project.folder.join("tenterhook.toml"), b"name = \"\xff\"\n").unwrap();
    project
        .run(&["build"])
        .with_status(1)
        .with_stderr("./tenterhook.toml is not UTF-8");
}
