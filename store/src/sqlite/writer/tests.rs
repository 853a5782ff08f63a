//! The writer on a file of its own: its end, its readiness.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tenterhook_dispatch::{
    AccountId, Attempt, AttemptRecord, ExecutionId, Output, State, TaskChange, TaskId, Unavailable,
};

use super::super::reserve;
use super::*;

async fn writer(pages: &'static str) -> (tempfile::TempDir, Writer) {
    let (folder, writer, _) = writer_beside(pages).await;
    (folder, writer)
}

/// A writer beside which so much of the disk is free.
async fn writer_beside(pages: &'static str) -> (tempfile::TempDir, Writer, Arc<AtomicU64>) {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let folder = tempfile::tempdir().unwrap();
    let conn = SqliteConnectOptions::new()
        .filename(folder.path().join("test.db"))
        .create_if_missing(true)
        .pragma("max_page_count", pages)
        .pragma("wal_autocheckpoint", "4000")
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .unwrap();
    let left = Arc::clone(&free);
    // What the reserve does not hold is free beside it.
    let reserve = Reserve::with(
        &folder.path().join("test.db"),
        Box::new(move |reserve| {
            let held = reserve.metadata()?.len();
            let given_up = reserve::BYTES.saturating_sub(held);
            Ok(left.load(Ordering::Relaxed).saturating_add(given_up))
        }),
    );
    let writer = Writer::start(conn, reserve, Damaged::default());
    for table in [
        "CREATE TABLE probe (id INTEGER PRIMARY KEY, flip INTEGER, filler BLOB)",
        "CREATE TABLE accounts (number INTEGER)",
    ] {
        run(&writer, table).await.unwrap();
    }
    (folder, writer, free)
}

async fn run(writer: &Writer, sql: &'static str) -> Result<(), Error> {
    writer
        .run(move |writing| Box::pin(async move { writing.execute(sql).await }))
        .await
}

#[tokio::test]
async fn a_panic_in_the_writer_ends_it_and_is_reported() {
    let (_folder, writer) = writer("100").await;
    let lost = writer
        .run::<(), _>(|_| Box::pin(async { panic!("no longer") }))
        .await;
    assert!(lost.is_err(), "a waiting caller is notified");

    let why = writer.gone().await;

    assert!(why.contains("panicked"), "{why}");
    assert_eq!(writer.probe().await, Err(NotReady::WriterGone));
    assert!(run(&writer, "SELECT 1").await.is_err());
}

#[tokio::test]
async fn a_full_disk_is_distinguished_from_other_failures() {
    let (_folder, writer) = writer("3").await;
    let fill = "INSERT INTO probe (filler) VALUES (randomblob(1000000))";
    assert_eq!(writer.probe().await, Ok(()));
    let full = run(&writer, fill).await.unwrap_err();
    assert!(
        !writer.health.is_fresh(),
        "what was written before shows nothing"
    );
    assert_eq!(writer.health.why_failed(&full), NotReady::DiskFull);
    let why = match full {
        Error::Unavailable { why, .. } => Some(why),
        _ => None,
    };
    assert_eq!(why, Some(Unavailable::DiskFull));
    let other = run(&writer, "SELECT no_such_column").await.unwrap_err();
    assert_eq!(writer.health.why_failed(&other), NotReady::Other);
}

#[tokio::test]
async fn on_a_nearly_full_disk_only_writes_that_free_space_are_accepted() {
    let (_folder, writer, free) = writer_beside("1000").await;
    let insert = "INSERT INTO probe (flip) VALUES (1)";
    let to_free = async || {
        let delete = "DELETE FROM probe WHERE flip = 1";
        let job = writer
            .run_to_free(move |writing| Box::pin(async move { writing.execute(delete).await }));
        job.await
    };
    free.store(0, Ordering::Relaxed);
    run(&writer, insert).await.unwrap();
    for _ in 0..3 {
        to_free().await.unwrap();
        let refused = run(&writer, insert).await.unwrap_err();
        assert!(
            matches!(
                refused,
                Error::Unavailable {
                    why: Unavailable::DiskFull,
                    ..
                }
            ),
            "{refused}"
        );
        assert_eq!(writer.probe().await, Err(NotReady::DiskFull));
    }

    free.store(u64::MAX, Ordering::Relaxed);
    run(&writer, insert).await.unwrap();
    assert_eq!(writer.probe().await, Ok(()));
}

#[tokio::test]
async fn on_a_full_disk_the_log_does_not_grow_with_writes_that_free_space() {
    let (folder, writer, free) = writer_beside("100000").await;
    for _ in 0..1_000 {
        run(
            &writer,
            "INSERT INTO probe (filler) VALUES (randomblob(4000))",
        )
        .await
        .unwrap();
    }
    let log = || {
        let log = folder.path().join("test.db-wal");
        log.metadata().unwrap().len()
    };
    let before = log();
    assert!(before > 8 << 20, "{before}");
    free.store(0, Ordering::Relaxed);

    for _ in 0..1_000 {
        let delete = "DELETE FROM probe WHERE rowid = (SELECT max(rowid) FROM probe)";
        let job = writer
            .run_to_free(move |writing| Box::pin(async move { writing.execute(delete).await }));
        job.await.unwrap();
    }

    assert!(log() <= before + (1 << 20), "{before} to {}", log());
}

#[tokio::test]
async fn concurrent_callers_share_one_probe() {
    let (_folder, writer) = writer("100").await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let writer = writer.clone();
        asking.spawn(async move { writer.probe().await });
    }
    for ready in asking.join_all().await {
        assert_eq!(ready, Ok(()));
    }
}

#[test]
fn a_long_output_counts_as_several_rows() {
    let rows_of = |bytes: usize| {
        let attempt = Attempt {
            id: ExecutionId::generate(),
            state: State::Finished,
            failures: 0,
            dead: false,
            due_at: None,
            wait: None,
            record: AttemptRecord {
                attempt: 1,
                outcome: None,
                error: None,
                usage: None,
                output: Output {
                    stdout: vec![b'x'; bytes].into(),
                    ..Output::default()
                },
                verdict: None,
                verdict_fault: None,
                recording: None,
                started_at: None,
                ended_at: None,
            },
        };
        let settlement = Settlement {
            account: AccountId::generate(),
            task: TaskId::generate(),
            execution: Some(attempt),
            task_change: TaskChange::None,
        };
        rows_of_outcome(&settlement)
    };
    assert_eq!(rows_of(100), 1);
    assert!(rows_of(16 << 20) >= queue::GROUP_ROWS);
}
