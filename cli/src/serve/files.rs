//! Checks whether a server can start with the files beside the database in a data folder.
//! It opens and changes nothing.

use std::path::Path;

use tenterhook_store::Checked;

use super::data_dir::{CODE_FOLDER, CODE_KEY_FILE, LOCK_FILE, OWNER_TOKEN_FILE, RESTORING_FILE};

/// Checks the files of a data folder.
pub(super) fn check(folder: &Path) -> Checked {
    let mut faults = Vec::new();
    let path = |name: &str| folder.join(name);
    for (name, remedy) in [
        (
            OWNER_TOKEN_FILE,
            "move it away, then start the server with `--new-owner-token`",
        ),
        (
            CODE_KEY_FILE,
            "move it away: a new one is created, and programs are compiled again",
        ),
        (LOCK_FILE, "move it away while no server runs"),
    ] {
        if is_there(&path(name)) && !path(name).is_file() {
            faults.push(format!("`{name}` is not a file; {remedy}"));
        }
    }
    if is_there(&path(CODE_FOLDER)) && !path(CODE_FOLDER).is_dir() {
        faults.push(format!(
            "`{CODE_FOLDER}` is not a folder; the next start of the server replaces it"
        ));
    }
    if is_there(&path(RESTORING_FILE)) {
        faults.push(format!(
            "`{RESTORING_FILE}` exists: restoring a backup was interrupted after its database was complete; the next \
             start of the server removes it"
        ));
    }
    Checked {
        name: "files",
        faults,
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_of_the_wrong_type_is_reported_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("owner.token"), "").unwrap();
        fs::create_dir(folder.path().join("code")).unwrap();
        assert_eq!(check(folder.path()).faults, [""; 0]);

        fs::remove_file(folder.path().join("owner.token")).unwrap();
        fs::create_dir(folder.path().join("owner.token")).unwrap();
        fs::remove_dir(folder.path().join("code")).unwrap();
        fs::write(folder.path().join("code"), "").unwrap();
        let faults = check(folder.path()).faults;
        assert!(
            faults[0].contains("`owner.token` is not a file"),
            "{faults:?}"
        );
        assert!(faults[0].contains("--new-owner-token"), "{faults:?}");
        assert!(faults[1].contains("`code` is not a folder"), "{faults:?}");
        assert_eq!(faults.len(), 2);
    }
}
