//! Amounts that a host reports, and how they are shared out.

use tenterhook_ledger::{Amounts, Holder, Ledger};

use super::*;

fn resources(memory: u64, descriptors: u64) -> Resources {
    Resources {
        memory: found(memory, "a test"),
        descriptors: found(descriptors, "a test"),
        disk: found(1 << 30, "a test"),
    }
}

#[test]
fn a_quarter_of_the_memory_is_never_shared_out() {
    let capacities = resources(4 << 30, 1_024).capacities(Capacity::of(64), GuestStack::default());
    assert_eq!(capacities.get(Resource::Memory).total, 3 << 30);
    assert!(capacities.get(Resource::Memory).most() < (3 << 30) / 4 * 3);
}

#[test]
fn the_share_of_one_account_bounds_what_a_hook_may_request() {
    let ceiling = Limits::ceiling();
    let roomy = resources(64 << 30, 1 << 20).capacities(Capacity::of(64), GuestStack::default());
    assert_eq!(
        limits_here(&roomy, GuestStack::default(), &ceiling),
        ceiling
    );
    let small = resources(1 << 30, 1_024).capacities(Capacity::of(64), GuestStack::default());
    let here = limits_here(&small, GuestStack::default(), &ceiling);
    assert!(here.memory < ceiling.memory && here.files < ceiling.files);
    assert!(here.inodes < ceiling.inodes && here.descriptors == ceiling.descriptors);
    assert_eq!((here.fuel, here.wall), (ceiling.fuel, ceiling.wall));
}

#[test]
fn the_smallest_server_can_run_the_smallest_hook() {
    let least =
        resources(MEMORY_MIN, DESCRIPTORS_MIN).capacities(Capacity::of(1), GuestStack::default());
    let here = limits_here(&least, GuestStack::default(), &Limits::ceiling());
    assert!(here.memory >= 8 * MIB, "{}", here.memory);
    assert!(here.descriptors >= 32, "{}", here.descriptors);
}

#[test]
fn an_account_that_holds_nothing_has_room_for_a_hook_beside_two_greedy_ones() {
    for (memory, descriptors) in [(2 << 30, 1_024), (4 << 30, 1_024), (64 << 30, 1 << 20)] {
        let ledger = Ledger::new(
            resources(memory, descriptors).capacities(Capacity::of(64), GuestStack::default()),
        );
        let mut held = Vec::new();
        for (resource, unit) in [(Resource::Memory, 80 * MIB), (Resource::Descriptors, 68)] {
            for account in 0..2 {
                let greedy = Holder::Account(account);
                let take = || ledger.take(greedy, Amounts::of(resource, unit)).ok();
                held.extend(std::iter::from_fn(take));
            }
        }
        let hook = Amounts::of(Resource::Memory, 144 * MIB)
            .and(Resource::Descriptors, 68)
            .and(Resource::Requests, 1);
        let taken = ledger.take(Holder::Account(9), hook);
        assert!(taken.is_ok(), "{memory}, {descriptors}: {taken:?}");
    }
}

#[test]
fn the_floor_of_an_account_has_room_for_a_hook_on_a_deep_stack() {
    let floor = |stack| {
        let capacities = resources(4 << 30, 1_024).capacities(Capacity::of(64), stack);
        capacities.get(Resource::Memory).floor
    };
    let extra = floor(GuestStack::MOST) - floor(GuestStack::default());
    assert_eq!(extra, GuestStack::MOST.extra_memory());
}

#[test]
fn strangers_take_at_most_a_quarter_of_what_a_request_needs() {
    let capacities = resources(4 << 30, 1_024).capacities(Capacity::of(64), GuestStack::default());
    for resource in [Resource::Memory, Resource::Descriptors, Resource::Requests] {
        let capacity = capacities.get(resource);
        let strangers = capacity.strangers.unwrap();
        assert!(strangers.most <= capacity.total / 4, "{resource}");
        assert!(strangers.kept > 0 && strangers.kept < strangers.most);
    }
}

#[test]
fn a_flag_overrides_the_host_and_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let overrides = CapacityOverrides {
        memory: Some(512 * MIB),
        descriptors: Some(300),
        disk: Some(1 << 30),
    };
    let resources = Resources::find(overrides, &Host::default(), folder.path(), MIB).unwrap();
    assert_eq!(resources.memory, found(512 * MIB, "--host-memory"));
    assert_eq!(resources.descriptors, found(300, "--host-descriptors"));
    assert_eq!(resources.disk, found(1 << 30, "--max-disk"));
}

#[test]
fn descriptors_beyond_what_the_kernel_allows_are_not_promised() {
    let folder = tempfile::tempdir().unwrap();
    let overrides = CapacityOverrides {
        descriptors: Some(u64::MAX),
        ..CapacityOverrides::default()
    };
    let resources = Resources::find(overrides, &Host::default(), folder.path(), MIB).unwrap();
    assert_eq!(resources.descriptors.source, "RLIMIT_NOFILE");
}

#[test]
fn existing_files_of_the_folder_count_as_disk() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("code")).unwrap();
    fs::write(folder.path().join("code/one"), [0; 1_000]).unwrap();
    fs::write(folder.path().join("two"), [0; 24]).unwrap();
    assert_eq!(held_by(folder.path()).unwrap(), 1_024);
}

#[test]
fn a_disk_is_not_shared_out_so_far_that_no_log_fits_beside_the_database() {
    let shared = |mib, module| shared_of(mib * MIB, module * MIB) / MIB;
    assert_eq!(shared(1024, 32), 1024 - 112);
    assert_eq!(shared(1024, 128), 1024 - 196, "the log may hold a program");
    assert_eq!(shared(60, 128), 30);
    assert_eq!(shared(0, 32), 0);
}
