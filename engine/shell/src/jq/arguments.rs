//! The command line of `jq`, as far as it is handled here.

use super::json::Value;
use super::print::{Form, Layout, Texts};

/// What one call asks for.
pub(super) struct Arguments<'a> {
    pub(super) filter: &'a str,
    pub(super) files: Vec<&'a str>,
    pub(super) form: Form,
    pub(super) null_input: bool,
    pub(super) slurp: bool,
    pub(super) exit_status: bool,
    /// Named by `--arg`.
    pub(super) variables: Vec<(&'a str, Value)>,
}

impl<'a> Arguments<'a> {
    /// Reads `args`; nothing if an option is not for us.
    pub(super) fn read(args: &'a [String]) -> Option<Self> {
        let mut read = Self {
            filter: "",
            files: Vec::new(),
            form: Form::default(),
            null_input: false,
            slurp: false,
            exit_status: false,
            variables: Vec::new(),
        };
        let mut filter = None;
        let mut rest = args.iter().map(String::as_str);
        while let Some(arg) = rest.next() {
            match arg {
                "--arg" => {
                    let name = rest.next()?;
                    let value = Value::Text(rest.next()?.to_owned());
                    if read.variables.iter().any(|(known, _)| *known == name) {
                        return None;
                    }
                    read.variables.push((name, value));
                }
                "--raw-output" => read.short('r')?,
                "--compact-output" => read.short('c')?,
                "--exit-status" => read.short('e')?,
                "--null-input" => read.short('n')?,
                "--slurp" => read.short('s')?,
                "--join-output" => read.short('j')?,
                "--monochrome-output" => read.short('M')?,
                _ if arg.starts_with("--") => return None,
                _ if arg.len() > 1 && arg.starts_with('-') => {
                    arg.chars()
                        .skip(1)
                        .try_for_each(|option| read.short(option))?;
                }
                _ if filter.is_none() => filter = Some(arg),
                _ => read.files.push(arg),
            }
        }
        read.filter = filter?;
        Some(read)
    }

    fn short(&mut self, option: char) -> Option<()> {
        match option {
            'r' if self.form.texts == Texts::Joined => {}
            'r' => self.form.texts = Texts::Raw,
            'j' => self.form.texts = Texts::Joined,
            'c' => self.form.layout = Layout::Compact,
            'e' => self.exit_status = true,
            'n' => self.null_input = true,
            's' => self.slurp = true,
            'M' => {}
            _ => return None,
        }
        Some(())
    }
}
