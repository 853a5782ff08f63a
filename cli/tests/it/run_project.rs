//! A folder with a `tenterhook.toml` stands for its program: `run` and `check` give
//! it what a server would.

use crate::tenterhook::{Finished, Program, command};

const MANIFEST: &str = "name = \"guard\"\nevent = \"PreFormatDisk\"\nprogram = \"hook.sh\"\n\
    [hook]\nargs = [\"one\"]\nenv = { TEAM = \"red\" }\nlimits = { fuel = 2000000000 }\n";

fn project() -> Program {
    let script = "echo \"$1 $TEAM $HOOK_PARAM_SERIAL $HOOK_LIMIT_FUEL\"; jq -r .role";
    let program = Program::script(script);
    program.beside("tenterhook.toml", MANIFEST);
    program
}

fn in_project(project: &Program, args: &[&str]) -> Finished {
    let mut run = command(args);
    Finished::of(run.current_dir(project.folder.path()).output().unwrap())
}

#[test]
fn a_project_runs_with_its_arguments_variables_limits_and_a_sample_event() {
    let project = project();
    let expected = "one red WD-WCC7K4AB 2000000000\nosd\n";
    let result = in_project(&project, &["run"]).with_status(0);
    assert_eq!(result.stdout, expected);
    let folder = project.folder.path();
    let result = Finished::of(command(["run"]).arg(folder).output().unwrap());
    assert_eq!(result.with_status(0).stdout, expected);
}

#[test]
fn flags_override_the_project() {
    let flags = ["run", "--env", "TEAM=blue", "--fuel", "3G", ".", "two"];
    let result = in_project(&project(), &flags).with_status(0);
    assert_eq!(result.stdout, "two blue WD-WCC7K4AB 3000000000\nosd\n");
    let data = ["run", "--event", "custom.x", "."];
    let result = in_project(&project(), &data).with_status(0);
    assert_eq!(result.stdout, "one red  2000000000\n");
}

#[test]
fn a_project_is_checked_with_a_trial_run() {
    let result = in_project(&project(), &["check", "--trial"]).with_status(0);
    for part in ["kind       script", "one run for PreFormatDisk", " of 2 G"] {
        assert!(result.stdout.contains(part), "{part}: {result:?}");
    }
}

#[test]
fn a_project_without_its_program_says_how_to_build_it() {
    let project = project();
    std::fs::remove_file(&project.path).unwrap();
    let result = in_project(&project, &["run"]).with_status(125);
    result.with_stderr("`program` in tenterhook.toml must name the script");
    project.beside("tenterhook.toml", "name = 1\n");
    in_project(&project, &["run"])
        .with_status(125)
        .with_stderr("line 1");
}
