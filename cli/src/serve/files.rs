//! Whether what lies in a data folder beside the database is what a server can start with.
//! It opens nothing and changes nothing.

use std::path::Path;

use tenterhook_store::Checked;

use super::data_dir::{
    CODE_FOLDER, CODE_KEY_FILE, LOCK_FILE, OWNER_TOKEN_FILE, RESTORING_FILE, SCRATCH_FOLDER,
};

/// Checks the files of a data folder.
pub(super) fn check(folder: &Path) -> Checked {
    let mut faults = Vec::new();
    let place = |name: &str| folder.join(name);
    for (name, remedy) in [
        (
            OWNER_TOKEN_FILE,
            "move it away, then start the server with `--new-owner-token`",
        ),
        (
            CODE_KEY_FILE,
            "move it away: another is made, and programs are compiled again",
        ),
        (LOCK_FILE, "move it away while no server runs"),
    ] {
        if is_there(&place(name)) && !place(name).is_file() {
            faults.push(format!("`{name}` is no file; {remedy}"));
        }
    }
    for name in [CODE_FOLDER, SCRATCH_FOLDER] {
        if is_there(&place(name)) && !place(name).is_dir() {
            faults.push(format!(
                "`{name}` is no folder; the next start of the server puts one in its place"
            ));
        }
    }
    if is_there(&place(RESTORING_FILE)) {
        faults.push(format!(
            "`{RESTORING_FILE}` is there: restoring a backup was broken off after its database was complete; the next \
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
    fn what_is_of_another_sort_than_it_must_be_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("owner.token"), "").unwrap();
        fs::create_dir(folder.path().join("code")).unwrap();
        assert_eq!(check(folder.path()).faults, [""; 0]);

        fs::remove_file(folder.path().join("owner.token")).unwrap();
        fs::create_dir(folder.path().join("owner.token")).unwrap();
        fs::remove_dir(folder.path().join("code")).unwrap();
        fs::write(folder.path().join("code"), "").unwrap();
        let faults = check(folder.path()).faults;
        assert!(faults[0].contains("`owner.token` is no file"), "{faults:?}");
        assert!(faults[0].contains("--new-owner-token"), "{faults:?}");
        assert!(faults[1].contains("`code` is no folder"), "{faults:?}");
        assert_eq!(faults.len(), 2);
    }
}
