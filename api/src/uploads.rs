//! Slots for uploads: each holds its whole program in memory until it is compiled.
//!
//! The ledger divides them between accounts, so that slow or hostile uploads take no
//! other account's.

pub(crate) mod pending;
pub(crate) mod stored;

use std::time::Duration;

use tenterhook_ledger::{Amounts, Guard, Holder, Ledger, Resource, Shortage};

/// How long an upload waits for a slot before its client is told to retry.
const SLOT_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits for a slot of the account's, which is taken until it is dropped.
///
/// # Errors
///
/// The [`Shortage`] if there was none in time.
pub(crate) async fn slot(ledger: &Ledger, account: Holder) -> Result<Guard, Shortage> {
    slot_within(SLOT_TIMEOUT, ledger, account).await
}

async fn slot_within(
    timeout: Duration,
    ledger: &Ledger,
    account: Holder,
) -> Result<Guard, Shortage> {
    let waiting = ledger.wait_for(account, Resource::Uploads, 1);
    match tokio::time::timeout(timeout, waiting).await {
        Ok(taken) => taken,
        // The shortage, unless a slot was freed in this moment.
        Err(_) => ledger.take(account, Amounts::of(Resource::Uploads, 1)),
    }
}

#[cfg(test)]
mod tests {
    use tenterhook_ledger::{Capacities, Capacity};

    use super::*;

    const ONE: Holder = Holder::Account(1);
    const OTHER: Holder = Holder::Account(2);

    #[tokio::test]
    async fn one_accounts_uploads_leave_slots_to_others() {
        let capacity = Capacity::of(16).with_floor(1);
        let ledger = Ledger::new(Capacities::default().with(Resource::Uploads, capacity));
        let mut held = Vec::new();
        let refused = loop {
            match slot_within(Duration::ZERO, &ledger, ONE).await {
                Ok(slot) => held.push(slot),
                Err(shortage) => break shortage,
            }
        };
        assert_eq!(refused.resource, Resource::Uploads);
        assert!(held.len() > 1);
        drop(slot(&ledger, OTHER).await.unwrap());
        held.pop();
        let _again = slot(&ledger, ONE).await.unwrap();
    }
}
