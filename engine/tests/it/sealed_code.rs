//! Compiled code that was damaged, swapped or written elsewhere: it is never loaded, and
//! the program behaves as before.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;
use tenterhook_engine::{CodeCache, Engine, Error, Kind, Settings};

use crate::harness::{Run, SUCCESS, engine, exited, load};
use crate::wasm;

/// Bytes of the seal after the code.
const SEAL: usize = 152;

/// A folder of compiled code, and a key beside it.
struct Shelf(TempDir);

impl Shelf {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("code")
    }

    fn cache(&self) -> CodeCache {
        CodeCache {
            folder: self.folder(),
            key: self.0.path().join("code.key"),
            bytes: 1 << 30,
        }
    }

    fn engine(&self) -> Engine {
        self.engine_with(Settings::default())
    }

    fn engine_with(&self, settings: Settings) -> Engine {
        engine(Settings {
            cache: Some(self.cache()),
            sandboxes: 4,
            ..settings
        })
    }

    /// Compiles a program and returns the file that its code is in.
    async fn file_of(&self, engine: &Engine, program: &[u8]) -> PathBuf {
        let before = self.files();
        load(engine, program).await;
        let new = self.files();
        let mut new = new.into_iter().filter(|file| !before.contains(file));
        new.next().expect("its code is stored")
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = self.folder().read_dir().unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

/// Returns a program that exits with status 42.
fn program() -> Vec<u8> {
    wasm::exit("wasi_snapshot_preview1")
}

async fn assert_is_itself(engine: &Engine) {
    let run = Run::bytes(program()).arg(42).on(engine).await;
    assert_eq!(run.outcome, exited(42));
}

/// Replaces a file by other bytes, as no writer of the cache does.
fn overwrite(file: &PathBuf, bytes: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, bytes).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o400)).unwrap();
}

#[tokio::test]
async fn a_flipped_bit_anywhere_changes_no_result() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    let file = shelf.file_of(&engine, &program()).await;
    let whole = fs::read(&file).unwrap();
    let code = whole.len() - SEAL;
    // The whole seal, and the code from its first byte to its last.
    let seal = code..whole.len();
    for at in seal.chain((0..code).step_by(509)).chain([code - 1]) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        overwrite(&file, &flipped);
        assert_is_itself(&engine).await;
        assert!(fs::read(&file).unwrap() == whole, "byte {at}");
    }
}

#[tokio::test]
async fn code_that_was_truncated_or_grew_is_compiled_again() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    let file = shelf.file_of(&engine, &program()).await;
    let whole = fs::read(&file).unwrap();
    let code = whole.len() - SEAL;
    let shorter = [0, 1, SEAL - 1, SEAL, code / 2, code, whole.len() - 1];
    let mut damaged: Vec<_> = shorter.map(|len| whole[..len].to_vec()).into();
    damaged.push([&whole[..], b"x"].concat());
    damaged.push([&whole[..], &whole[code..]].concat());
    damaged.push([b"\0", &whole[..]].concat());
    damaged.push(whole[code..].to_vec());
    for damaged in damaged {
        overwrite(&file, &damaged);
        assert_is_itself(&engine).await;
        assert!(fs::read(&file).unwrap() == whole, "{} bytes", damaged.len());
    }
}

#[tokio::test]
async fn two_programs_whose_code_was_exchanged_keep_their_behaviour() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    let other = wasm::memory_of(1);
    let file = shelf.file_of(&engine, &program()).await;
    let files = [&file, &shelf.file_of(&engine, &other).await];
    let whole = files.map(|file| fs::read(file).unwrap());
    overwrite(files[0], &whole[1]);
    overwrite(files[1], &whole[0]);
    assert_is_itself(&engine).await;
    assert_eq!(Run::bytes(other).on(&engine).await.outcome, SUCCESS);
    assert!(files.map(|file| fs::read(file).unwrap()) == whole);
}

#[tokio::test]
async fn code_of_another_installation_is_not_loaded() {
    let (own, other) = (Shelf::new(), Shelf::new());
    let engine = own.engine();
    let file = own.file_of(&engine, &program()).await;
    let whole = fs::read(&file).unwrap();
    let foreign = other.file_of(&other.engine(), &program()).await;
    let foreign = fs::read(&foreign).unwrap();
    let code = whole.len() - SEAL;
    assert!(foreign[..code] == whole[..code] && foreign != whole);
    overwrite(&file, &foreign);
    assert_is_itself(&engine).await;
    assert!(fs::read(&file).unwrap() == whole);
}

#[tokio::test]
async fn a_file_that_is_not_our_own_is_not_loaded() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    let file = shelf.file_of(&engine, &program()).await;
    let whole = fs::read(&file).unwrap();
    let elsewhere = shelf.0.path().join("elsewhere");
    fs::write(&elsewhere, &whole).unwrap();
    let place: [(&str, &dyn Fn()); 5] = [
        ("writable by others", &|| {
            fs::write(&file, &whole).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        }),
        ("a symbolic link", &|| symlink(&elsewhere, &file).unwrap()),
        ("a pipe", &|| {
            mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }),
        ("a folder", &|| {
            fs::create_dir(&file).unwrap();
            fs::write(file.join("in it"), "").unwrap();
        }),
        ("another user's", &|| {
            fs::write(&file, &whole).unwrap();
            let other_user = rustix::fs::Uid::from_raw(65_534);
            // Only root can change the owner of a file.
            let _ = rustix::fs::chown(&file, Some(other_user), None);
        }),
    ];
    for (what, place) in place {
        fs::remove_file(&file).unwrap();
        place();
        assert_is_itself(&engine).await;
        assert!(file.symlink_metadata().unwrap().is_file(), "{what}");
        assert!(fs::read(&file).unwrap() == whole, "{what}");
    }
    assert!(fs::read(&elsewhere).unwrap() == whole);
}

#[tokio::test]
async fn damaged_code_is_compiled_in_the_compilers_process_and_nowhere_else() {
    let shelf = Shelf::new();
    let file = shelf.file_of(&shelf.engine(), &program()).await;
    let whole = fs::read(&file).unwrap();
    let refusing = shelf.engine_with(Settings {
        compiler: Some(
            ["/bin/sh", "-c", "echo not today >&2; exit 3"]
                .map(PathBuf::from)
                .into(),
        ),
        ..Settings::default()
    });
    assert_is_itself(&refusing).await;
    let mut damaged = whole;
    damaged[5000] ^= 1;
    overwrite(&file, &damaged);
    match refusing.load(Kind::Module, &program()).await {
        Err(Error::Refused { refusal }) => {
            assert!(refusal.to_string().contains("not today"), "{refusal}");
        }
        Err(error) => panic!("not a refusal: {error:?}"),
        Ok(_) => panic!("it was compiled without the compiler's process"),
    }
    assert!(!file.exists(), "what is damaged is removed");
    assert_is_itself(&shelf.engine()).await;
}

#[tokio::test]
async fn a_key_in_the_code_folder_is_refused() {
    let shelf = Shelf::new();
    for inside in ["code.key", "keys/code.key"] {
        let cache = CodeCache {
            key: shelf.folder().join(inside),
            ..shelf.cache()
        };
        let error = Engine::start(Settings {
            cache: Some(cache),
            ..Settings::default()
        });
        let error = error.err().unwrap();
        assert!(matches!(error, Error::Cache { .. }), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_change_to_compiled_code_changes_a_result(
        flips in prop::collection::vec((any::<Index>(), 0..8_u8), 1..6)
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shelf = Shelf::new();
            let engine = shelf.engine();
            let file = shelf.file_of(&engine, &program()).await;
            let whole = fs::read(&file).unwrap();
            let mut changed = whole.clone();
            for (at, bit) in &flips {
                changed[at.index(whole.len())] ^= 1 << bit;
            }
            overwrite(&file, &changed);
            assert_is_itself(&engine).await;
            assert!(fs::read(&file).unwrap() == whole);
        });
    }
}
