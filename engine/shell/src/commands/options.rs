//! Options as GNU tools read them: clustered, with values, long, abbreviated.
//!
//! Operands may stand between options; `--` ends the options.

/// The options that one command knows.
pub(super) struct Options {
    /// Short options; a colon after one means that it takes a value.
    pub(super) short: &'static str,
    /// Long options with the short one that each stands for. A name ending in
    /// `=` takes a value, in `=?` may take one.
    pub(super) long: &'static [(&'static str, char)],
}

/// What a command was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Options in order, by their short name, with their value.
    pub(super) options: Vec<(char, Option<String>)>,
    pub(super) operands: Vec<String>,
}

impl Given {
    pub(super) fn has(&self, option: char) -> bool {
        self.options.iter().any(|(given, _)| *given == option)
    }

    /// The value of the last `option`.
    pub(super) fn value(&self, option: char) -> Option<&str> {
        let mut found = self.options.iter().rev();
        found
            .find(|(given, _)| *given == option)
            .and_then(|(_, value)| value.as_deref())
    }
}

impl Options {
    /// Parses `args`, or returns what is wrong with them.
    pub(super) fn read(&self, args: &[String]) -> Result<Given, String> {
        let mut given = Given::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                given.operands.extend(rest.cloned());
                break;
            }
            if let Some(long) = arg.strip_prefix("--") {
                given.options.push(self.long(long, &mut rest)?);
            } else if arg.len() > 1 && arg.starts_with('-') {
                self.cluster(&arg[1..], &mut rest, &mut given)?;
            } else {
                given.operands.push(arg.clone());
            }
        }
        Ok(given)
    }

    fn cluster(
        &self,
        cluster: &str,
        rest: &mut std::slice::Iter<'_, String>,
        given: &mut Given,
    ) -> Result<(), String> {
        for (at, option) in cluster.char_indices() {
            let known = option != ':';
            let found = self.short.find(option).filter(|_| known);
            let found = found.ok_or_else(|| format!("invalid option -- '{option}'"))?;
            let after = &self.short[found + option.len_utf8()..];
            if !after.starts_with(':') {
                given.options.push((option, None));
                continue;
            }
            let joined = &cluster[at + option.len_utf8()..];
            let value = if joined.is_empty() {
                let next = rest.next().cloned();
                next.ok_or_else(|| format!("option requires an argument -- '{option}'"))?
            } else {
                joined.to_owned()
            };
            given.options.push((option, Some(value)));
            return Ok(());
        }
        Ok(())
    }

    fn long(
        &self,
        text: &str,
        rest: &mut std::slice::Iter<'_, String>,
    ) -> Result<(char, Option<String>), String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let plain = |long: &'static str| long.trim_end_matches(['=', '?']);
        let exact = self.long.iter().find(|(long, _)| plain(long) == name);
        let mut matching = self.long.iter().filter(|(long, _)| long.starts_with(name));
        let found = match (exact, matching.next(), matching.next()) {
            (Some(found), _, _) | (None, Some(found), None) => found,
            (None, None, _) => return Err(format!("unrecognized option '--{name}'")),
            (None, Some(_), Some(_)) => return Err(format!("option '--{name}' is ambiguous")),
        };
        let (long, short) = *found;
        if long.ends_with('?') {
            return Ok((short, value));
        }
        if long.ends_with('=') {
            let value = value.or_else(|| rest.next().cloned());
            let missing = || format!("option '--{}' requires an argument", plain(long));
            return Ok((short, Some(value.ok_or_else(missing)?)));
        }
        match value {
            Some(_) => Err(format!("option '--{long}' doesn't allow an argument")),
            None => Ok((short, None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Given, Options};

    const KNOWN: Options = Options {
        short: "an:",
        long: &[("all", 'a'), ("number=", 'n'), ("colour=?", 'c')],
    };

    fn read(args: &[&str]) -> Result<Given, String> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        KNOWN.read(&args)
    }

    #[test]
    fn clusters_values_and_operands_are_distinguished() {
        let given = read(&["x", "-an5", "-", "--", "-a"]).unwrap();
        assert!(given.has('a'));
        assert_eq!(given.value('n'), Some("5"));
        assert_eq!(given.operands, ["x", "-", "-a"]);
    }

    #[test]
    fn long_options_may_be_abbreviated_and_take_values() {
        let given = read(&["--al", "--number", "7", "--colour"]).unwrap();
        assert!(given.has('a') && given.has('c'));
        assert_eq!(given.value('n'), Some("7"));
        assert_eq!(given.value('c'), None);
    }

    #[test]
    fn unknown_options_are_refused() {
        assert_eq!(read(&["-z"]).unwrap_err(), "invalid option -- 'z'");
        assert_eq!(read(&["--zz"]).unwrap_err(), "unrecognized option '--zz'");
        assert_eq!(
            read(&["-n"]).unwrap_err(),
            "option requires an argument -- 'n'"
        );
        assert_eq!(
            read(&["--all=1"]).unwrap_err(),
            "option '--all' doesn't allow an argument"
        );
    }
}
