//! The file system seen through the interpreter's trait.

use super::{EVENT_FILE, Files, Quota};
use bashkit::FileSystem;
use std::path::Path;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn files(bytes: u64, inodes: u64) -> Files {
    let files = Files::new();
    files.begin(Quota { bytes, inodes }, Some(b"{}".to_vec()));
    files
}

fn path(text: &str) -> &Path {
    Path::new(text)
}

#[test]
fn bytes_over_the_quota_are_refused_and_the_file_keeps_its_content() {
    let files = files(10, 100);
    run(async {
        files.write_file(path("/work/a"), b"12345").await.unwrap();
        let refused = files.append_file(path("/work/a"), b"678901").await;
        assert!(refused.unwrap_err().to_string().contains("No space left"));
        assert_eq!(files.read_file(path("/work/a")).await.unwrap(), b"12345");
        files.append_file(path("/work/a"), b"67890").await.unwrap();
    });
}

#[test]
fn removing_a_file_gives_its_bytes_and_inode_back() {
    let files = files(5, 1);
    run(async {
        for _ in 0..3 {
            files.write_file(path("/work/a"), b"12345").await.unwrap();
            files.remove(path("/work/a"), false).await.unwrap();
        }
    });
}

#[test]
fn inodes_over_the_quota_are_refused() {
    let files = files(1000, 2);
    run(async {
        files.mkdir(path("/work/d"), false).await.unwrap();
        files.symlink(path("d"), path("/work/l")).await.unwrap();
        let refused = files.write_file(path("/work/f"), b"").await;
        assert!(refused.unwrap_err().to_string().contains("No space left"));
    });
}

#[test]
fn the_event_cannot_be_written_removed_renamed_or_replaced() {
    let files = files(1000, 10);
    let event = path(EVENT_FILE);
    run(async {
        files.write_file(path("/work/a"), b"x").await.unwrap();
        assert!(files.write_file(event, b"x").await.is_err());
        assert!(files.append_file(event, b"x").await.is_err());
        assert!(files.remove(event, true).await.is_err());
        assert!(files.remove(path("/"), true).await.is_err());
        assert!(files.rename(event, path("/work/e")).await.is_err());
        assert!(files.rename(path("/work/a"), event).await.is_err());
        assert!(files.copy(path("/work/a"), event).await.is_err());
        assert!(files.chmod(event, 0o666).await.is_err());
        assert_eq!(files.read_file(event).await.unwrap(), b"{}");
        assert_eq!(files.stat(event).await.unwrap().mode, 0o444);
    });
}

#[test]
fn a_later_change_has_a_later_time() {
    let files = files(1000, 10);
    run(async {
        files.write_file(path("/work/a"), b"").await.unwrap();
        files.write_file(path("/work/b"), b"").await.unwrap();
        let a = files.stat(path("/work/a")).await.unwrap().modified;
        let b = files.stat(path("/work/b")).await.unwrap().modified;
        assert!(b > a);
    });
}

#[test]
fn a_folder_moves_with_everything_in_it_but_not_into_itself() {
    let files = files(1000, 10);
    run(async {
        files.mkdir(path("/work/a/b"), true).await.unwrap();
        files.write_file(path("/work/a/b/c"), b"x").await.unwrap();
        assert!(
            files
                .rename(path("/work/a"), path("/work/a/b/d"))
                .await
                .is_err()
        );
        files.rename(path("/work/a"), path("/tmp/z")).await.unwrap();
        assert_eq!(files.read_file(path("/tmp/z/b/c")).await.unwrap(), b"x");
        assert!(!files.exists(path("/work/a")).await.unwrap());
    });
}

#[test]
fn a_path_through_a_file_is_not_a_directory() {
    let files = files(1000, 10);
    run(async {
        files.write_file(path("/work/a"), b"x").await.unwrap();
        let through = files.write_file(path("/work/a/b"), b"x").await.unwrap_err();
        assert!(through.to_string().contains("Not a directory"));
    });
}

#[test]
fn names_longer_than_255_bytes_are_refused() {
    let files = files(1000, 10);
    let name = format!("/work/{}", "n".repeat(256));
    run(async {
        let refused = files.write_file(path(&name), b"").await.unwrap_err();
        assert!(refused.to_string().contains("File name too long"));
    });
}

#[test]
fn full_refuses_and_null_swallows() {
    let files = files(1000, 10);
    run(async {
        files.write_file(path("/dev/null"), b"x").await.unwrap();
        assert!(files.read_file(path("/dev/null")).await.unwrap().is_empty());
        assert!(files.write_file(path("/dev/full"), b"x").await.is_err());
    });
}
