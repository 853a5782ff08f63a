//! The refusals that clients get when the disk is full or the database fails.

use tenterhook_ledger::{Amounts, Capacities, Capacity, Holder, Ledger, Resource};

use super::*;

#[test]
fn an_account_without_disk_space_gets_507_with_the_amounts_and_the_remedy() {
    let capacities = Capacities::default().with(Resource::Disk, Capacity::of(1_000));
    let ledger = Ledger::new(capacities);
    let refused = |holder, bytes| {
        let taken = ledger.take(Holder::Account(holder), Amounts::of(Resource::Disk, bytes));
        let shortage = taken.unwrap_err();
        Refusal::from(tenterhook_dispatch::Error::DiskFull { shortage })
    };
    let own = refused(1, 800);
    assert_eq!(own.status(), StatusCode::INSUFFICIENT_STORAGE);
    for part in [
        "disk of your share",
        "800 bytes needed, 750 bytes left",
        "delete sources",
    ] {
        assert!(own.detail().contains(part), "{part}: {}", own.detail());
    }
    let whole = refused(1, 1_001);
    for part in ["disk on this server", "--max-disk", "--keep-bytes"] {
        assert!(whole.detail().contains(part), "{part}: {}", whole.detail());
    }
}

#[test]
fn an_unusable_database_is_507_or_503_with_the_reason_and_the_remedy() {
    for (why, status, parts) in [
        (
            Unavailable::DiskFull,
            507,
            [
                "no space on the server's disk",
                "the operator has to free some",
            ],
        ),
        (
            Unavailable::Locked,
            503,
            ["holds the lock of the database", "Retry-After"],
        ),
        (
            Unavailable::TooLong,
            503,
            ["takes longer", "ask for fewer rows"],
        ),
    ] {
        let refusal = Refusal::from(tenterhook_dispatch::Error::Unavailable {
            doing: "store the event",
            why,
            source: "as the database says it".into(),
        });
        assert_eq!(refusal.status().as_u16(), status, "{why}");
        for part in parts {
            let detail = refusal.detail();
            assert!(detail.contains(part), "{part}: {detail}");
        }
        assert!(!refusal.detail().contains("as the database says it"));
    }
}
