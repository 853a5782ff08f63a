//! What POSIX leaves to be said, and what only a quota or a sandbox has.

use tenterhook_machine::{
    Device, Errno, Files, Kind, Last, NAME_MAX_BYTES, NodeId, Open, Owner, Quota, Start,
};

const TOP: Start = Start::At(NodeId::ROOT);
const CREATE: Open = Open {
    create: true,
    exclusive: false,
    folder: false,
    truncate: false,
    write: true,
};

fn files() -> Files {
    Files::new(Quota::new(1 << 20, 100), 1_000)
}

fn create(files: &mut Files, path: &str) -> NodeId {
    files
        .open(TOP, path.as_bytes(), Last::Follow, CREATE, 0o644)
        .unwrap()
}

fn names(files: &Files, folder: NodeId, from: u64) -> Vec<String> {
    let entries = files.entries(folder, from).unwrap();
    let name = |name: &[u8]| String::from_utf8(name.to_vec()).unwrap();
    entries.map(|entry| name(entry.name)).collect()
}

#[test]
fn a_removed_file_lives_as_long_as_it_is_open() {
    let mut files = files();
    let node = create(&mut files, "a");
    files.unlink(TOP, b"a").unwrap();
    assert_eq!(files.write(node, 0, b"still here"), Ok(10));
    let mut read = [0; 16];
    assert_eq!(files.read(node, 0, &mut read), Ok(10));
    assert_eq!(files.stat(node).links, 0);
    assert_eq!(
        (files.quota().used_inodes(), files.quota().used_bytes()),
        (1, 4096)
    );
    files.close(node);
    assert_eq!(
        (files.quota().used_inodes(), files.quota().used_bytes()),
        (0, 0)
    );
}

#[test]
fn a_removed_folder_is_empty_and_takes_nothing() {
    let mut files = files();
    files.make_folder(TOP, b"d", 0o755).unwrap();
    let node = files
        .open(TOP, b"d", Last::Follow, Open::default(), 0)
        .unwrap();
    files.remove_folder(TOP, b"d").unwrap();
    assert_eq!(names(&files, node, 0), Vec::<String>::new());
    let there = Start::At(node);
    let made = files.open(there, b"x", Last::Follow, CREATE, 0o644);
    assert_eq!(made, Err(Errno::Noent));
    assert_eq!(files.make_folder(there, b"x", 0o755), Err(Errno::Noent));
    assert_eq!(files.find(there, b"..", Last::Keep), Ok(node));
    files.close(node);
    assert_eq!(files.quota().used_inodes(), 0);
}

#[test]
fn entries_are_listed_in_the_order_in_which_they_were_made() {
    let mut files = files();
    for name in ["z", "a", "m"] {
        let node = create(&mut files, name);
        files.close(node);
    }
    assert_eq!(names(&files, NodeId::ROOT, 0), [".", "..", "z", "a", "m"]);
    let next = files.entries(NodeId::ROOT, 0).unwrap().nth(2).unwrap().next;
    files.unlink(TOP, b"z").unwrap();
    files.rename((TOP, b"a"), (TOP, b"b")).unwrap();
    assert_eq!(names(&files, NodeId::ROOT, next), ["m", "b"]);
    // A place of another folder, or of none, is a place like any other.
    assert_eq!(names(&files, NodeId::ROOT, u64::MAX), Vec::<String>::new());
}

#[test]
fn inode_numbers_are_never_used_twice() {
    let mut files = files();
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let node = create(&mut files, "a");
        numbers.push(files.stat(node).number);
        files.unlink(TOP, b"a").unwrap();
        files.close(node);
    }
    assert_eq!(numbers, [2, 3, 4]);
}

#[test]
fn nothing_above_a_start_that_confines_is_in_reach() {
    let mut files = files();
    files.make_folder(TOP, b"d", 0o755).unwrap();
    files.symlink(b"../secret", TOP, b"d/up").unwrap();
    files.symlink(b"/secret", TOP, b"d/top").unwrap();
    let secret = create(&mut files, "secret");
    files.close(secret);
    let folder = files.find(TOP, b"d", Last::Keep).unwrap();
    let beneath = Start::Beneath(folder);
    for path in ["..", "../secret", "./../d", "up", "top", "/secret", "/"] {
        let found = files.find(beneath, path.as_bytes(), Last::Follow);
        assert_eq!(found, Err(Errno::Perm), "{path}");
        let made = files.make_folder(beneath, path.as_bytes(), 0o755);
        assert!(
            matches!(made, Err(Errno::Perm | Errno::Exist)),
            "{path}: {made:?}"
        );
    }
    // For a process the same paths lead out of its folder.
    for path in ["../secret", "up", "top", "/secret"] {
        let found = files.find(Start::At(folder), path.as_bytes(), Last::Follow);
        assert_eq!(found, Ok(secret), "{path}");
    }
    assert_eq!(files.find(TOP, b"../../secret", Last::Keep), Ok(secret));
}

#[test]
fn loops_and_long_names_end() {
    let mut files = files();
    files.symlink(b"b", TOP, b"a").unwrap();
    files.symlink(b"a", TOP, b"b").unwrap();
    files.symlink(b"self/self/self", TOP, b"self").unwrap();
    for path in ["a", "a/x", "self", "self/x"] {
        let found = files.find(TOP, path.as_bytes(), Last::Follow);
        assert_eq!(found, Err(Errno::Loop), "{path}");
    }
    let longest = "n".repeat(NAME_MAX_BYTES);
    let node = create(&mut files, &longest);
    files.close(node);
    let longer = format!("{longest}n");
    for path in [longer, "a/".repeat(3_000), "x".repeat(1 << 20)] {
        let found = files.find(TOP, path.as_bytes(), Last::Follow);
        assert_eq!(found, Err(Errno::Nametoolong), "{:.20}", path);
    }
    assert_eq!(files.find(TOP, b"a\0b", Last::Keep), Err(Errno::Inval));
    assert_eq!(files.find(TOP, b"", Last::Keep), Err(Errno::Noent));
}

#[test]
fn a_way_through_long_links_costs_what_is_copied_on_it() {
    let mut files = Files::new(Quota::new(1 << 20, 100), 0);
    for link in 0..40 {
        let target = format!("{}/{}", link + 1, "./".repeat(2_040));
        let name = link.to_string();
        files
            .symlink(target.as_bytes(), TOP, name.as_bytes())
            .unwrap();
    }
    files.make_folder(TOP, b"40", 0o755).unwrap();
    files.take_work();
    files.find(TOP, b"0", Last::Follow).unwrap();
    let steps = files.take_work();
    let components = 40 * 2_041;
    assert!(steps > components, "{steps}");
    let slashes = "/".repeat(4_000);
    let path = format!("0{slashes}.{slashes}").into_bytes();
    let found = files.find(TOP, &path[..4_096], Last::Follow);
    assert_eq!(found, files.find(TOP, b"40", Last::Keep));
}

#[test]
fn every_name_counts_and_every_open_file() {
    let mut files = Files::new(Quota::new(1 << 20, 3), 0);
    let node = create(&mut files, "a");
    files.link((TOP, b"a", Last::Keep), (TOP, b"b")).unwrap();
    files.symlink(b"a", TOP, b"c").unwrap();
    let fourth = files.link((TOP, b"a", Last::Keep), (TOP, b"d"));
    assert_eq!(fourth, Err(Errno::Nospc));
    // Moving one of two names needs no further inode.
    files.rename((TOP, b"b"), (TOP, b"e")).unwrap();
    assert_eq!(files.quota().used_inodes(), 3);
    files.unlink(TOP, b"a").unwrap();
    files.unlink(TOP, b"e").unwrap();
    assert_eq!(files.quota().used_inodes(), 2);
    files.close(node);
    assert_eq!(files.quota().used_inodes(), 1);
}

#[test]
fn a_long_target_takes_a_block() {
    let mut files = Files::new(Quota::new(4096, 10), 0);
    files.symlink(&[b'x'; 255], TOP, b"short").unwrap();
    assert_eq!(files.quota().used_bytes(), 0);
    files.symlink(&[b'x'; 256], TOP, b"long").unwrap();
    let more = files.symlink(&[b'x'; 256], TOP, b"more");
    assert_eq!(more, Err(Errno::Nospc));
    files.unlink(TOP, b"long").unwrap();
    assert_eq!(files.quota().used_bytes(), 0);
    let long = files.symlink(&[b'x'; 4097], TOP, b"long");
    assert_eq!(long, Err(Errno::Nametoolong));
}

#[test]
fn what_the_host_made_takes_nothing_of_the_quota() {
    let mut files = Files::new(Quota::new(4096, 2), 0);
    files.make_folder(TOP, b"work", 0o755).unwrap();
    let event = create(&mut files, "event.json");
    files.write(event, 0, b"{}").unwrap();
    files.close(event);
    files.begin(Quota::new(0, 3));
    assert_eq!(
        (files.quota().used_inodes(), files.quota().used_bytes()),
        (0, 0)
    );
    for name in ["a", "b", "c"] {
        files.make_folder(TOP, name.as_bytes(), 0o755).unwrap();
    }
    assert_eq!(files.make_folder(TOP, b"d", 0o755), Err(Errno::Nospc));
    assert_eq!(files.quota().used_inodes(), 3);
    // What is removed makes room, as any file does.
    files.unlink(TOP, b"event.json").unwrap();
    assert_eq!(files.quota().used_bytes(), 0);
    files.make_folder(TOP, b"d", 0o755).unwrap();
}

#[test]
fn times_are_those_of_the_clock_that_was_set() {
    let mut files = files();
    let node = create(&mut files, "a");
    files.set_now(2_000);
    files.write(node, 0, b"x").unwrap();
    files.set_now(3_000);
    files.read(node, 0, &mut [0]).unwrap();
    let times = files.stat(node).times;
    assert_eq!(
        (times.modified, times.changed, times.accessed),
        (2_000, 2_000, 3_000)
    );
    files.set_now(4_000);
    files.set_times(node, None, Some(5));
    let times = files.stat(node).times;
    assert_eq!(
        (times.modified, times.changed, times.accessed),
        (5, 4_000, 3_000)
    );
    assert_eq!(files.stat(NodeId::ROOT).times.modified, 1_000);
}

#[test]
fn modes_and_owners_are_kept() {
    let mut files = files();
    let node = create(&mut files, "a");
    files.set_mode(node, 0o104_755);
    let owner = Owner { user: 7, group: 8 };
    files.set_owner(node, owner);
    let stat = files.stat(node);
    assert_eq!((stat.mode, stat.owner), (0o4_755, owner));
}

#[test]
fn a_device_is_no_store_of_bytes() {
    let mut files = files();
    files
        .make_device(TOP, b"null", Device::Null, 0o666)
        .unwrap();
    let again = files.make_device(TOP, b"null", Device::Null, 0o666);
    assert_eq!(again, Err(Errno::Exist));
    let truncates = Open {
        truncate: true,
        ..CREATE
    };
    let node = files
        .open(TOP, b"null", Last::Follow, truncates, 0o644)
        .unwrap();
    assert_eq!(files.kind(node), Kind::Device(Device::Null));
    assert_eq!(files.read(node, 0, &mut [0]), Err(Errno::Inval));
    assert_eq!(files.resize(node, 1), Err(Errno::Inval));
}

#[test]
fn deep_trees_and_full_folders_are_walked_and_dropped() {
    let mut files = Files::new(Quota::new(0, 65_536), 0);
    let mut at = NodeId::ROOT;
    for _ in 0..30_000 {
        at = files.make_folder(Start::At(at), b"d", 0o755).unwrap();
    }
    let beneath_itself = files.rename((TOP, b"d"), (Start::At(at), b"x"));
    assert_eq!(beneath_itself, Err(Errno::Inval));
    assert!(files.take_work() >= 30_000, "a long way has its price");
    for name in 0..35_536 {
        let name = format!("{name}");
        files.symlink(b"x", TOP, name.as_bytes()).unwrap();
    }
    assert_eq!(files.symlink(b"x", TOP, b"one more"), Err(Errno::Nospc));
    assert_eq!(files.entries(NodeId::ROOT, 0).unwrap().count(), 35_539);
}
