//! The sorting itself: which words are options, which are their values.

/// Whether an option takes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Maybe,
}

/// The words in their new order, and what was wrong with them.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) options: Vec<(String, Option<String>)>,
    pub(super) operands: Vec<String>,
    pub(super) wrong: Vec<String>,
}

/// Sorts `words` by the short options `short` and the long options `long`.
pub(super) fn sort(
    short: &str,
    long: &[&str],
    alternative: bool,
    posix: bool,
    words: &[String],
) -> Sorted {
    let mut sorted = Sorted::default();
    let in_place = short.starts_with('-');
    let stop_early = short.starts_with('+') || posix;
    let short = short.trim_start_matches(['+', '-', ':']);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            sorted.operands.extend(rest.cloned());
            break;
        }
        if let Some(name) = word.strip_prefix("--") {
            sorted.long(long, name, &mut rest);
        } else if let Some(cluster) = word.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
            if alternative && find_long(long, cluster.split('=').next().unwrap_or("")).is_ok() {
                sorted.long(long, cluster, &mut rest);
            } else {
                sorted.cluster(short, cluster, &mut rest);
            }
        } else if in_place {
            sorted
                .options
                .push((format!("'{}'", word.replace('\'', r"'\''")), None));
        } else {
            sorted.operands.push(word.clone());
            if stop_early {
                sorted.operands.extend(rest.cloned());
                break;
            }
        }
    }
    sorted
}

impl Sorted {
    fn cluster(&mut self, short: &str, cluster: &str, rest: &mut std::slice::Iter<'_, String>) {
        for (at, option) in cluster.char_indices() {
            let after = &cluster[at + option.len_utf8()..];
            let name = format!("-{option}");
            match takes(short, option) {
                None => self.wrong.push(format!("invalid option -- '{option}'")),
                Some(Takes::Nothing) => self.options.push((name, None)),
                Some(Takes::Maybe) => {
                    self.options.push((name, Some(after.to_owned())));
                    return;
                }
                Some(Takes::Value) if !after.is_empty() => {
                    self.options.push((name, Some(after.to_owned())));
                    return;
                }
                Some(Takes::Value) => {
                    match rest.next() {
                        Some(value) => self.options.push((name, Some(value.clone()))),
                        None => self
                            .wrong
                            .push(format!("option requires an argument -- '{option}'")),
                    }
                    return;
                }
            }
        }
    }

    fn long(&mut self, long: &[&str], text: &str, rest: &mut std::slice::Iter<'_, String>) {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let (full, takes) = match find_long(long, name) {
            Ok(found) => found,
            Err(wrong) => return self.wrong.push(wrong),
        };
        let value = match (takes, value) {
            (Takes::Nothing, Some(_)) => {
                return self
                    .wrong
                    .push(format!("option '--{full}' doesn't allow an argument"));
            }
            (Takes::Nothing, None) => None,
            (Takes::Maybe, value) => Some(value.unwrap_or_default()),
            (Takes::Value, Some(value)) => Some(value),
            (Takes::Value, None) => match rest.next() {
                Some(value) => Some(value.clone()),
                None => {
                    return self
                        .wrong
                        .push(format!("option '--{full}' requires an argument"));
                }
            },
        };
        self.options.push((format!("--{full}"), value));
    }
}

fn takes(short: &str, option: char) -> Option<Takes> {
    let at = short.find(option).filter(|_| option != ':')?;
    let after = &short[at + option.len_utf8()..];
    Some(colons(after))
}

fn colons(after: &str) -> Takes {
    match after {
        _ if after.starts_with("::") => Takes::Maybe,
        _ if after.starts_with(':') => Takes::Value,
        _ => Takes::Nothing,
    }
}

/// The long option that `name` is or abbreviates.
fn find_long<'a>(long: &[&'a str], name: &str) -> Result<(&'a str, Takes), String> {
    let split = |full: &'a str| {
        let plain = full.trim_end_matches(':');
        (plain, colons(&full[plain.len()..]))
    };
    let all = || long.iter().map(|full| split(full));
    if let Some(exact) = all().find(|(full, _)| *full == name) {
        return Ok(exact);
    }
    let mut matching = all().filter(|(full, _)| full.starts_with(name));
    match (matching.next(), matching.next()) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => Err(format!("option '--{name}' is ambiguous")),
        (None, _) => Err(format!("unrecognized option '--{name}'")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Sorted, sort};

    fn read(words: &[&str]) -> Sorted {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        sort(
            "ab:c::",
            &["alpha", "beta:", "gamma::"],
            false,
            false,
            &words,
        )
    }

    #[test]
    fn options_come_first_with_their_values() {
        let sorted = read(&[
            "x", "-ab", "1", "--beta=2", "y", "-c", "--gam=3", "--", "-a",
        ]);
        let shown: Vec<String> = sorted
            .options
            .iter()
            .map(|(option, value)| format!("{option}{}", value.as_deref().unwrap_or("!")))
            .collect();
        assert_eq!(shown, ["-a!", "-b1", "--beta2", "-c", "--gamma3"]);
        assert_eq!(sorted.operands, ["x", "y", "-a"]);
        assert!(sorted.wrong.is_empty());
    }

    #[test]
    fn invalid_options_are_reported_and_the_rest_sorted() {
        let sorted = read(&["-z", "--nope", "--alpha=1", "-a", "-b"]);
        assert_eq!(
            sorted.wrong,
            [
                "invalid option -- 'z'",
                "unrecognized option '--nope'",
                "option '--alpha' doesn't allow an argument",
                "option requires an argument -- 'b'",
            ]
        );
        assert_eq!(sorted.options.len(), 1);
    }
}
