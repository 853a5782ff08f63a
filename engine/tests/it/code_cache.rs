//! Compiled code on disk: compiled once, mapped afterwards, and never loaded from a folder
//! that other users can write to.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tenterhook_engine::{CodeCache, Engine, Error, GuestStack, Settings};

use crate::guests;
use crate::harness::{Run, SUCCESS, engine, load};

fn settings(folder: &Path) -> Settings {
    Settings {
        cache: Some(CodeCache {
            folder: folder.to_owned(),
            key: Path::new(env!("CARGO_TARGET_TMPDIR")).join("code_cache.key"),
            bytes: 1 << 30,
        }),
        ..Settings::default()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn code_serves_engines_with_stacks_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    for (stack, compilations) in [
        (GuestStack::default(), 1),
        (GuestStack::MOST, 0),
        (GuestStack::LEAST, 0),
    ] {
        let engine = engine(Settings {
            stack,
            ..settings(folder.path())
        });
        let run = Run::guest(guests::FRIENDLY_HELLO).on(&engine).await;
        assert_eq!(run.outcome, SUCCESS);
        assert_eq!(engine.stats().compilations, compilations, "{stack:?}");
    }
    // What was compiled for a deeper stack ends at the smaller one as well.
    let deep = || Run::bytes(crate::wasm::recursing(50_000));
    for (stack, traps) in [(GuestStack::MOST, false), (GuestStack::LEAST, true)] {
        let engine = engine(Settings {
            stack,
            ..settings(folder.path())
        });
        let outcome = deep().on(&engine).await.outcome.clone();
        let trapped = matches!(outcome, tenterhook_engine::Outcome::Trapped(_));
        assert_eq!(trapped, traps, "{outcome}");
    }
}

#[tokio::test]
async fn code_is_kept_and_used_by_the_next_engine() {
    let folder = tempfile::tempdir().unwrap();
    let run = || Run::guest(guests::FRIENDLY_HELLO);
    assert_eq!(
        run().on(&engine(settings(folder.path()))).await.outcome,
        SUCCESS
    );
    let kept = files(folder.path());
    assert_eq!(kept.len(), 1);
    let written = fs::metadata(&kept[0]).unwrap();
    assert_eq!(written.permissions().mode() & 0o777, 0o400);

    assert_eq!(
        run().on(&engine(settings(folder.path()))).await.outcome,
        SUCCESS
    );
    assert_eq!(files(folder.path()), kept);
    let now = fs::metadata(&kept[0]).unwrap();
    assert_eq!(
        (now.ino(), now.mtime_nsec()),
        (written.ino(), written.mtime_nsec()),
        "it was compiled again"
    );
}

#[tokio::test]
async fn all_kinds_of_programs_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let engine = engine(settings(folder.path()));
        for run in [
            Run::guest(guests::FRIENDLY_HELLO),
            Run::component_of(guests::FRIENDLY_HELLO),
            Run::script("echo hello"),
        ] {
            assert_eq!(run.on(&engine).await.text(), "hello\n");
        }
        // The shell is a part of this program and is not stored there.
        assert_eq!(files(folder.path()).len(), 2);
    }
}

#[tokio::test]
async fn a_damaged_file_is_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(guests::FRIENDLY_HELLO).unwrap();
    load(&engine(settings(folder.path())), &bytes).await;
    let file = &files(folder.path())[0];
    let whole = fs::read(file).unwrap();
    for damaged in [&[][..], b"junk", &whole[..whole.len() / 2], &whole[..100]] {
        fs::remove_file(file).unwrap();
        fs::write(file, damaged).unwrap();
        let run = Run::guest(guests::FRIENDLY_HELLO)
            .on(&engine(settings(folder.path())))
            .await;
        assert_eq!(run.outcome, SUCCESS);
        assert_eq!(fs::metadata(file).unwrap().len(), whole.len() as u64);
    }
}

#[tokio::test]
async fn a_folder_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o777, 0o770, 0o702] {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let error = Engine::start(settings(folder.path())).err().unwrap();
        assert!(matches!(error, Error::Cache { .. }), "{mode:o}: {error}");
    }
}

#[tokio::test]
async fn a_folder_of_another_user_is_refused() {
    // The one folder on every machine that does not belong to the test's user, or, for
    // root, that is world-writable.
    let root = Path::new("/");
    let foreign = if fs::metadata(root).unwrap().uid() == rustix::process::geteuid().as_raw() {
        let folder = tempfile::tempdir().unwrap();
        rustix::fs::chown(folder.path(), Some(rustix::fs::Uid::from_raw(65_534)), None).unwrap();
        folder.keep()
    } else {
        root.to_owned()
    };
    let error = Engine::start(settings(&foreign)).err().unwrap();
    assert!(matches!(error, Error::Cache { .. }), "{error}");
    if foreign != root {
        fs::remove_dir(foreign).unwrap();
    }
}
