//! The name of a new project, which its folder, source and package share.

use anyhow::bail;

/// Longest name, in bytes: the limit of package registries.
const MAX_BYTES: usize = 64;

/// Checks that a name is valid for a folder, a source and a package in every language.
///
/// # Errors
///
/// States the rule, and suggests a valid name if one is near.
pub(super) fn check(name: &str) -> anyhow::Result<()> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let rest = name
        .bytes()
        .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if first && rest && name.len() <= MAX_BYTES && !name.ends_with('-') {
        if name.starts_with("tenterhook") {
            bail!("names that begin with `tenterhook` are reserved; try `my-{name}`");
        }
        return Ok(());
    }
    let rule = "a project's name begins with a letter and has up to 64 of a to z, 0 to 9 and `-`";
    match near(name) {
        Some(near) => bail!("{name:?} cannot be a project's name: {rule}; try `{near}`"),
        None => bail!("{name:?} cannot be a project's name: {rule}, such as `disk-guard`"),
    }
}

/// Derives a valid name from `name`.
fn near(name: &str) -> Option<String> {
    let last = name.trim_end_matches('/').rsplit(['/', '\\']).next()?;
    let mut near = String::new();
    for c in last.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' => near.push(c),
            '0'..='9' if !near.is_empty() => near.push(c),
            _ if near.is_empty() || near.ends_with('-') => {}
            _ => near.push('-'),
        }
        if near.len() == MAX_BYTES {
            break;
        }
    }
    let near = near.trim_end_matches('-');
    (near.len() > 1 && !near.starts_with("tenterhook")).then(|| near.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(name: &str) -> String {
        check(name).unwrap_err().to_string()
    }

    #[test]
    fn valid_names_are_accepted() {
        for name in ["a", "disk-guard", "guard2", &"x".repeat(64)] {
            check(name).unwrap();
        }
    }

    #[test]
    fn an_invalid_name_is_refused_with_a_valid_suggestion() {
        assert!(error("Disk Guard").ends_with("try `disk-guard`"));
        assert!(error("../guard").ends_with("try `guard`"));
        assert!(error("/tmp/guard/").ends_with("try `guard`"));
        assert!(error("disk_guard").ends_with("try `disk-guard`"));
        assert!(error("7th").ends_with("try `th`"));
        assert!(error("").ends_with("such as `disk-guard`"));
        assert!(error("..").ends_with("such as `disk-guard`"));
        assert!(error("-x").contains("begins with a letter"));
        assert!(error("tenterhook-sdk").contains("try `my-tenterhook-sdk`"));
        assert!(error(&"x".repeat(65)).contains("up to 64"));
    }

    proptest! {
        #[test]
        fn no_name_leaves_the_folder_and_every_suggestion_is_valid(name in ".{0,80}") {
            if check(&name).is_ok() {
                prop_assert!(!name.contains(['/', '\\', '.', '\0']));
            }
            if let Some(near) = near(&name) {
                prop_assert!(check(&near).is_ok(), "{near}");
            }
        }
    }
}
