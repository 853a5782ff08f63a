//! Readers on a file of their own: whose turn it is, and when a read is ended.

use tenterhook_dispatch::Unavailable;

use super::*;

const ENDLESS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

async fn readers() -> (tempfile::TempDir, Readers) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("test.db"))
        .create_if_missing(true);
    (folder, Readers::new(&options))
}

async fn answers(reader: &mut SqliteConnection) {
    let one: i64 = sqlx::query_scalar("SELECT 1")
        .fetch_one(reader)
        .await
        .unwrap();
    assert_eq!(one, 1);
}

/// Whether a future still waits when all others that can go on have.
async fn waits<F: Future>(future: F) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = tokio::task::yield_now() => true,
    }
}

#[tokio::test]
async fn an_account_reads_with_two_at_a_time_and_leaves_one_to_others() {
    let (_folder, readers) = readers().await;
    let _two = (readers.of(1).await.unwrap(), readers.of(1).await.unwrap());
    let third = readers.of(1);
    tokio::pin!(third);
    assert!(waits(&mut third).await);
    answers(&mut readers.of(2).await.unwrap()).await;
    assert!(waits(&mut third).await);
}

#[tokio::test]
async fn waiting_accounts_take_turns() {
    let (_folder, readers) = readers().await;
    let first = (readers.of(1).await.unwrap(), readers.of(1).await.unwrap());
    let other = readers.of(2).await.unwrap();
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let readers = readers.clone();
        crowd.spawn(async move { answers(&mut readers.of(1).await.unwrap()).await });
    }
    tokio::task::yield_now().await;
    drop(other);
    // It has a place before the hundred, of which two at most stand in the line.
    let mut third = readers.of(3).await.unwrap();
    answers(&mut third).await;
    assert!(crowd.try_join_next().is_none());
    drop((first, third));
    crowd.join_all().await;
}

#[tokio::test]
async fn tokens_are_read_whatever_the_accounts_are_reading() {
    let (_folder, readers) = readers().await;
    let _all = (
        readers.of(1).await.unwrap(),
        readers.of(1).await.unwrap(),
        readers.of(2).await.unwrap(),
    );
    answers(&mut readers.kept().await.unwrap()).await;
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_interrupted_with_that_error() {
    let (_folder, readers) = readers().await;
    let mut reader = readers.in_turn(1, Duration::ZERO).await.unwrap();
    let ended = sqlx::query(ENDLESS).fetch_one(&mut *reader).await;
    let error = cannot("count")(ended.unwrap_err());
    let Error::Unavailable { why, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(why, Unavailable::TooLong);
    drop(reader);
    answers(&mut readers.of(1).await.unwrap()).await;
}

#[tokio::test]
async fn a_read_whose_caller_is_gone_is_interrupted() {
    let (_folder, readers) = readers().await;
    for _ in 0..8 {
        let mut reader = readers.of_server().await.unwrap();
        let endless = sqlx::query(ENDLESS).fetch_one(&mut *reader);
        assert!(waits(endless).await);
    }
    // All connections are free again, as they would not be within a day.
    let _all = (
        readers.of(1).await.unwrap(),
        readers.of(1).await.unwrap(),
        readers.of(2).await.unwrap(),
    );
}
