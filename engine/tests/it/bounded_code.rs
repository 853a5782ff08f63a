//! The folder of compiled code stays within its bound: what is removed first, what is never
//! removed, and what several processes do to each other's files.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;
use tenterhook_engine::{CodeCache, Digest, Engine, Program, Settings};
use tenterhook_ledger::{Holder, Ledger, Resource};

use crate::harness::{Run, SUCCESS, engine, load};
use crate::wasm;

/// A folder of compiled code in which the files have known ages.
struct Shelf(TempDir);

impl Shelf {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("code")
    }

    fn engine(&self, bytes: u64) -> Engine {
        engine(Settings {
            cache: Some(CodeCache {
                folder: self.folder(),
                key: self.0.path().join("code.key"),
                bytes,
            }),
            sandboxes: 4,
            ..Settings::default()
        })
    }

    /// Compiles so many programs, each last used a day after the previous one.
    async fn fill(&self, programs: u64) -> u64 {
        let engine = self.engine(1 << 30);
        let mut most = 0;
        for index in 0..programs {
            let digest = load(&engine, &program(index)).await.digest();
            let file = File::open(self.file(digest).unwrap()).unwrap();
            let used_at = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * (1 + index));
            let times = FileTimes::new().set_accessed(used_at);
            file.set_times(times).unwrap();
            most = most.max(on_disk(&file));
        }
        most
    }

    fn file(&self, program: Digest) -> Option<PathBuf> {
        self.files()
            .into_iter()
            .find(|file| file.to_str().unwrap().contains(&program.hex()))
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        let entries = self.folder().read_dir().unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Returns which of so many programs have code.
    fn left(&self, programs: u64) -> Vec<u64> {
        let digest = |index: &u64| Digest::of(&program(*index));
        let is_left = |index: &u64| self.file(digest(index)).is_some();
        (0..programs).filter(is_left).collect()
    }
}

fn program(index: u64) -> Vec<u8> {
    wasm::memory_of(1 + index)
}

fn on_disk(file: &File) -> u64 {
    let found = file.metadata().unwrap();
    found.len().max(found.blocks() * 512)
}

async fn assert_runs(engine: &Engine, program: &Program) {
    assert_eq!(Run::loaded(program).on(engine).await.outcome, SUCCESS);
}

fn held(ledger: &Ledger) -> u64 {
    ledger.held(Holder::Operator, Resource::Disk)
}

#[tokio::test]
async fn the_least_recently_used_code_is_removed_first_and_code_in_use_stays() {
    let shelf = Shelf::new();
    let each = shelf.fill(5).await;
    // Loading counts as a use; the second oldest is made the second oldest again.
    let user = shelf.engine(1 << 30);
    let in_use = load(&user, &program(1)).await;
    let file = File::open(shelf.file(in_use.digest()).unwrap()).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * 2);
    let times = FileTimes::new().set_accessed(long_ago);
    file.set_times(times).unwrap();

    let bounded = shelf.engine(3 * each);
    assert_eq!(shelf.left(5), [1, 3, 4]);
    assert!(held(bounded.ledger()) <= 3 * each && held(bounded.ledger()) > 2 * each);
    assert_runs(&user, &in_use).await;

    // A new one replaces what is now the oldest, and is in use itself.
    let newest = load(&bounded, &program(5)).await;
    assert_eq!(shelf.left(6), [1, 4, 5]);
    drop((in_use, user));
    load(&bounded, &program(6)).await;
    assert_eq!(shelf.left(7), [4, 5, 6]);
    assert_runs(&bounded, &newest).await;
}

#[tokio::test]
async fn code_that_is_used_again_counts_as_new() {
    let shelf = Shelf::new();
    let each = shelf.fill(3).await;
    load(&shelf.engine(1 << 30), &program(0)).await;
    drop(shelf.engine(2 * each));
    assert_eq!(shelf.left(3), [0, 2]);
}

#[tokio::test]
async fn components_in_use_stay_as_well() {
    let shelf = Shelf::new();
    let engine = shelf.engine(1 << 30);
    let component = crate::harness::component_of(crate::guests::FRIENDLY_HELLO);
    let component = load(&engine, &fs::read(component).unwrap()).await;
    shelf.engine(1);
    assert!(shelf.file(component.digest()).is_some());
    engine.forget_code(vec![component.digest()]).await.unwrap();
    assert!(shelf.file(component.digest()).is_some());
    let digest = component.digest();
    drop(component);
    engine.forget_code(vec![digest]).await.unwrap();
    assert_eq!(shelf.file(digest), None);
}

#[tokio::test]
async fn code_of_deleted_programs_is_removed_and_no_other() {
    let shelf = Shelf::new();
    shelf.fill(3).await;
    let engine = shelf.engine(1 << 30);
    assert_eq!(engine.kept_code().await.unwrap().len(), 3);
    let before = held(engine.ledger());
    let gone = Digest::of(&program(1));
    engine.forget_code(vec![gone]).await.unwrap();
    assert_eq!(shelf.left(3), [0, 2]);
    assert!(!engine.kept_code().await.unwrap().contains(&gone));
    assert!(held(engine.ledger()) < before);
    let again = load(&engine, &program(1)).await;
    assert_runs(&engine, &again).await;
}

#[tokio::test]
async fn code_of_another_build_is_removed_first_and_entirely_once_unused() {
    let shelf = Shelf::new();
    let each = shelf.fill(3).await;
    let rename = |index: u64, used_at: SystemTime| {
        let file = shelf.file(Digest::of(&program(index))).unwrap();
        let (name, _) = file.to_str().unwrap().rsplit_once('-').unwrap();
        let other = PathBuf::from(format!("{name}-0123456789abcdef.cwasm"));
        fs::rename(&file, &other).unwrap();
        let times = FileTimes::new().set_accessed(used_at);
        File::open(&other).unwrap().set_times(times).unwrap();
    };
    rename(1, SystemTime::now());
    rename(2, SystemTime::now() - Duration::from_secs(8 * 86_400));
    drop(shelf.engine(1 << 30));
    assert_eq!(shelf.left(3), [0, 1]);
    // Used today, and still removed before code that this build can load.
    drop(shelf.engine(each));
    assert_eq!(shelf.left(3), [0]);
}

#[tokio::test]
async fn code_that_is_larger_than_the_cache_runs_and_is_not_kept() {
    let shelf = Shelf::new();
    let engine = shelf.engine(1000);
    let large = load(&engine, &program(0)).await;
    assert_runs(&engine, &large).await;
    assert_eq!(shelf.files(), BTreeSet::new());
}

#[tokio::test]
async fn what_a_crashed_writer_left_is_removed_at_the_next_start() {
    let shelf = Shelf::new();
    drop(shelf.engine(1 << 30));
    let part = |name: &str| {
        let path = shelf.folder().join(name);
        fs::write(&path, "half of it").unwrap();
        path
    };
    let left = part(".part-left");
    let being_written = part(".part-written");
    let writer = File::open(&being_written).unwrap();
    flock(&writer, FlockOperation::LockExclusive).unwrap();
    drop(shelf.engine(1 << 30));
    assert!(!left.exists() && being_written.exists());
    drop(writer);
    drop(shelf.engine(1 << 30));
    assert_eq!(shelf.files(), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_on_one_folder_survive_removing_each_others_code() {
    let shelf = Shelf::new();
    let each = shelf.fill(1).await;
    let work = |engine: Engine| async move {
        for turn in 0..40 {
            let program = load(&engine, &program(turn % 5)).await;
            assert_runs(&engine, &program).await;
        }
    };
    let both = [shelf.engine(2 * each), shelf.engine(2 * each)];
    let both = both.map(|engine| tokio::spawn(work(engine)));
    for one in both {
        one.await.unwrap();
    }
    // Nothing is in use any more.
    let last = shelf.engine(2 * each);
    assert!(held(last.ledger()) <= 2 * each);
    assert!(shelf.files().len() <= 2);
}
