//! The first line of a script: the shell's options and the variables that it sets.
//!
//! Which interpreters are accepted at all is the engine's business; here the words
//! are only sorted. The kernel hands all words after the interpreter over as one
//! argument; they are split here, as `env -S` does and as their author has meant.

/// How a script is to be run, according to its first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shebang {
    /// Options of the shell, in order.
    pub(crate) options: Vec<String>,
    /// Variables that `env` sets.
    pub(crate) variables: Vec<(String, String)>,
}

impl Shebang {
    /// Reads the first line of `script`, or nothing if it names no shell of ours.
    pub(crate) fn read(script: &[u8]) -> Option<Self> {
        let line = script.strip_prefix(b"#!")?;
        let line = line.split(|byte| *byte == b'\n').next()?;
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace().peekable();
        let mut shebang = Self::default();
        loop {
            match base_name(words.next()?) {
                "sh" | "bash" | "dash" => break,
                "env" => skip_options(&mut words, |word| shebang.set(word)),
                "with-contenv" | "dumb-init" => skip_options(&mut words, |_| false),
                _ => return None,
            }
        }
        shebang.options = words.map(str::to_owned).collect();
        Some(shebang)
    }

    /// Takes in `NAME=value`; returns whether it is one.
    fn set(&mut self, word: &str) -> bool {
        let Some((name, value)) = word.split_once('=') else {
            return false;
        };
        self.variables.push((name.to_owned(), value.to_owned()));
        true
    }

    /// Commands that give a running shell these options and variables, on one line.
    pub(crate) fn commands(&self) -> String {
        let mut line = String::new();
        for (name, value) in &self.variables {
            line += &format!("export {name}={}; ", quoted(value));
        }
        let mut options = String::new();
        let mut shopt = String::new();
        let mut words = self.options.iter();
        while let Some(word) = words.next() {
            let letters = match word.strip_prefix(['-', '+']) {
                None | Some("" | "-") => break,
                // Those that concern how a shell starts: it has started already.
                Some(long) if long.starts_with('-') => continue,
                Some(letters) => letters,
            };
            let sign = &word[..1];
            let set: String = letters
                .chars()
                .filter(|letter| !matches!(letter, 'c' | 'i' | 'l' | 'r' | 's' | 'D' | 'O'))
                .collect();
            if !set.is_empty() {
                options += &format!(" {}", quoted(&format!("{sign}{set}")));
            }
            if letters.ends_with(['o', 'O'])
                && let Some(name) = words.next()
            {
                if letters.ends_with('o') {
                    options += &format!(" {}", quoted(name));
                } else {
                    let flag = if sign == "-" { "-s" } else { "-u" };
                    shopt += &format!("shopt {flag} {}; ", quoted(name));
                }
            }
        }
        line += &shopt;
        if !options.is_empty() {
            line += &format!("set{options} || exit 2; ");
        }
        line
    }
}

/// Skips the options of a command that starts another, and the words that `takes`.
fn skip_options<'a>(
    words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    mut takes: impl FnMut(&str) -> bool,
) {
    while let Some(word) = words.peek() {
        match *word {
            // Each has a value of its own.
            "-u" | "--unset" | "-C" | "--chdir" | "-r" | "--rewrite" => {
                words.next();
            }
            word if word.starts_with('-') || takes(word) => {}
            _ => return,
        }
        words.next();
    }
}

/// `text` as one word of shell code.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Option<Vec<String>> {
        Shebang::read(line.as_bytes()).map(|shebang| shebang.options)
    }

    #[test]
    fn options_follow_the_shell_however_it_is_started() {
        for line in [
            "#!/bin/bash -eu\n",
            "#! /usr/bin/dash -eu\r\n",
            "#!/usr/bin/env -S bash -eu",
            "#!/usr/bin/env -iS -u A LC_ALL=C sh -eu",
            "#!/usr/bin/with-contenv bash -eu",
            "#!/usr/bin/dumb-init /bin/sh -eu",
            "#!/usr/bin/dumb-init -r 15:3 -- /bin/sh -eu",
        ] {
            assert_eq!(options(line).unwrap(), ["-eu"], "{line}");
        }
        assert_eq!(options("#!/bin/sh\n-e").unwrap(), [""; 0]);
        assert_eq!(options("#!/usr/bin/awk -f\n"), None);
        assert_eq!(options("#!\n"), None);
        assert_eq!(options("echo\n"), None);
    }

    #[test]
    fn options_and_variables_become_commands() {
        let commands = |line: &str| Shebang::read(line.as_bytes()).unwrap().commands();
        assert_eq!(commands("#!/bin/sh"), "");
        assert_eq!(commands("#!/bin/sh -e"), "set '-e' || exit 2; ");
        assert_eq!(
            commands("#!/usr/bin/env -S A=it's bash --posix -leo pipefail +x -O nullglob -- -u"),
            r"export A='it'\''s'; shopt -s 'nullglob'; set '-eo' 'pipefail' '+x' || exit 2; "
        );
        assert_eq!(commands("#!/bin/bash -l"), "");
    }
}
