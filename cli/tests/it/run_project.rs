//! A folder with a `tenterhook.toml` stands for its program: `run` and `check` give
//! it what a server would.

use crate::tenterhook::{Ended, Program, command};

const MANIFEST: &str = "name = \"guard\"\nevent = \"PreFormatDisk\"\nprogram = \"hook.sh\"\n\
    [hook]\nargs = [\"one\"]\nenv = { TEAM = \"red\" }\nlimits = { fuel = 2000000000 }\n";

fn project() -> Program {
    let script = "echo \"$1 $TEAM $HOOK_PARAM_SERIAL $HOOK_LIMIT_FUEL\"; jq -r .role";
    let program = Program::script(script);
    program.beside("tenterhook.toml", MANIFEST);
    program
}

fn in_project(project: &Program, args: &[&str]) -> Ended {
    let mut run = command(args);
    Ended::of(run.current_dir(project.folder.path()).output().unwrap())
}

#[test]
fn a_project_runs_with_its_arguments_variables_limits_and_a_sample_event() {
    let project = project();
    let expected = "one red WD-WCC7K4AB 2000000000\nosd\n";
    let ended = in_project(&project, &["run"]).with_status(0);
    assert_eq!(ended.stdout, expected);
    let folder = project.folder.path();
    let ended = Ended::of(command(["run"]).arg(folder).output().unwrap());
    assert_eq!(ended.with_status(0).stdout, expected);
}

#[test]
fn flags_stand_above_what_the_project_says() {
    let flags = ["run", "--env", "TEAM=blue", "--fuel", "3G", ".", "two"];
    let ended = in_project(&project(), &flags).with_status(0);
    assert_eq!(ended.stdout, "two blue WD-WCC7K4AB 3000000000\nosd\n");
    let data = ["run", "--event", "custom.x", "."];
    let ended = in_project(&project(), &data).with_status(0);
    assert_eq!(ended.stdout, "one red  2000000000\n");
}

#[test]
fn a_project_is_checked_and_tried() {
    let ended = in_project(&project(), &["check", "--trial"]).with_status(0);
    for part in ["kind       script", "one run for PreFormatDisk", " of 2 G"] {
        assert!(ended.stdout.contains(part), "{part}: {ended:?}");
    }
}

#[test]
fn a_project_without_its_program_says_how_it_comes_to_be() {
    let project = project();
    std::fs::remove_file(&project.path).unwrap();
    let ended = in_project(&project, &["run"]).with_status(125);
    ended.saying("`program` in tenterhook.toml has to name the script");
    project.beside("tenterhook.toml", "name = 1\n");
    in_project(&project, &["run"])
        .with_status(125)
        .saying("line 1");
}
