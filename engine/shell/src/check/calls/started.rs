//! The commands that a command is given to start, where they are plain to see.

use std::collections::BTreeSet;

/// Options of `xargs` whose value is the next word, unless it follows in the same one.
const XARGS_WITH_VALUE: [char; 8] = ['a', 'd', 'E', 'I', 'L', 'n', 'P', 's'];
/// Options of `xargs` whose value may follow in the same word alone.
const XARGS_WITH_ENDING: [char; 3] = ['e', 'i', 'l'];
/// The long ones of the former.
const XARGS_LONG_WITH_VALUE: [&str; 6] = [
    "--arg-file",
    "--delimiter",
    "--max-args",
    "--max-chars",
    "--max-procs",
    "--process-slot-var",
];
const FIND_STARTS: [&str; 4] = ["-exec", "-execdir", "-ok", "-okdir"];

/// The arguments of a call; none, where one is not known before the script runs.
type Args<'b, 'a> = &'b [Option<&'a str>];

/// The names of all commands that the call starts, one by way of another too.
pub(super) fn started<'a>(name: &str, args: Args<'_, 'a>) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    let mut calls = commands(name, args);
    while let Some(call) = calls.pop() {
        let Some((Some(name), args)) = call.split_first() else {
            continue;
        };
        if !name.is_empty() && !name.starts_with('-') {
            names.insert(*name);
            calls.extend(commands(name, args));
        }
    }
    names
}

/// The commands among the arguments of a call, each with its own arguments.
fn commands<'b, 'a>(name: &str, args: Args<'b, 'a>) -> Vec<Args<'b, 'a>> {
    let from = match name {
        "exec" | "command" | "nohup" => 0,
        "env" => {
            let is_assignment = |arg: &Option<&str>| arg.is_none_or(|arg| arg.contains('='));
            args.iter().take_while(|arg| is_assignment(arg)).count()
        }
        "timeout" => 1,
        "xargs" => xargs_options(args),
        "find" => return find_commands(args),
        _ => return Vec::new(),
    };
    args.get(from..).into_iter().collect()
}

/// How many words the options of `xargs` take.
fn xargs_options(args: Args<'_, '_>) -> usize {
    let mut taken = 0;
    while let Some(Some(arg)) = args.get(taken) {
        taken += match arg.strip_prefix('-') {
            Some("-") => return taken + 1,
            Some(_) if XARGS_LONG_WITH_VALUE.contains(arg) => 2,
            Some(long) if long.starts_with('-') => 1,
            Some(letters) if !letters.is_empty() => 1 + usize::from(takes_next(letters)),
            _ => break,
        };
    }
    taken
}

/// Whether the last of these options of `xargs` has its value in the next word.
fn takes_next(letters: &str) -> bool {
    let has_value = |c: char| XARGS_WITH_VALUE.contains(&c) || XARGS_WITH_ENDING.contains(&c);
    letters.find(has_value).is_some_and(|at| {
        let letters = &letters[at..];
        letters.len() == 1 && letters.starts_with(XARGS_WITH_VALUE)
    })
}

fn find_commands<'b, 'a>(args: Args<'b, 'a>) -> Vec<Args<'b, 'a>> {
    let mut commands = Vec::new();
    let mut rest = args;
    let starts = |arg: &Option<&str>| arg.is_some_and(|arg| FIND_STARTS.contains(&arg));
    let ends = |arg: &Option<&str>| matches!(arg, Some(";" | "+"));
    while let Some(start) = rest.iter().position(starts) {
        rest = &rest[start + 1..];
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        commands.push(&rest[..end]);
        rest = &rest[end..];
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::started;

    #[track_caller]
    fn starts(line: &str, expected: &[&str]) {
        let words: Vec<Option<&str>> = line.split(' ').map(Some).collect();
        let names = started(words[0].unwrap(), &words[1..]);
        let names: Vec<&str> = names.into_iter().collect();
        assert_eq!(names, expected, "{line}");
    }

    #[test]
    fn the_options_of_xargs_are_not_its_command() {
        starts("xargs a b", &["a"]);
        starts("xargs -0 -I {} -n1 -r0P 4 a", &["a"]);
        starts("xargs -d , -L 1 -s 9 -E x -I{} --max-args 2 a", &["a"]);
        starts("xargs -i -e --null --max-procs=2 -- a", &["a"]);
        starts("xargs -0", &[]);
    }

    #[test]
    fn find_starts_what_follows_each_exec() {
        starts("find . -name a -exec b {} ; -ok c {} +", &["b", "c"]);
        starts("find . -exec", &[]);
        starts("find . -name a", &[]);
    }

    #[test]
    fn a_started_command_may_start_another() {
        starts(
            "env A=b nohup timeout 5 xargs -n 1 a",
            &["a", "nohup", "timeout", "xargs"],
        );
        starts("command -v a", &[]);
    }
}
