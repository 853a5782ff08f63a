//! Places for uploads: each holds its whole program in memory until it is compiled.
//!
//! The ledger shares them out, so that nobody's slow or hostile uploads take those of
//! all others.

pub(crate) mod pending;
pub(crate) mod stored;

use std::time::Duration;

use tenterhook_ledger::{Amounts, Guard, Holder, Ledger, Resource, Shortage};

/// How long an upload waits for its turn before the client is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for a place of the account's, which is taken until it is dropped.
///
/// # Errors
///
/// The [`Shortage`] if there was none in time.
pub(crate) async fn place(ledger: &Ledger, account: Holder) -> Result<Guard, Shortage> {
    place_within(PATIENCE, ledger, account).await
}

async fn place_within(
    patience: Duration,
    ledger: &Ledger,
    account: Holder,
) -> Result<Guard, Shortage> {
    let waiting = ledger.wait_for(account, Resource::Uploads, 1);
    match tokio::time::timeout(patience, waiting).await {
        Ok(taken) => taken,
        // It says what there is too little of, or it has come in this moment.
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
    async fn one_accounts_uploads_leave_places_to_others() {
        let capacity = Capacity::of(16).with_floor(1);
        let ledger = Ledger::new(Capacities::default().with(Resource::Uploads, capacity));
        let mut held = Vec::new();
        let refused = loop {
            match place_within(Duration::ZERO, &ledger, ONE).await {
                Ok(place) => held.push(place),
                Err(shortage) => break shortage,
            }
        };
        assert_eq!(refused.resource, Resource::Uploads);
        assert!(held.len() > 1);
        drop(place(&ledger, OTHER).await.unwrap());
        held.pop();
        let _again = place(&ledger, ONE).await.unwrap();
    }
}
