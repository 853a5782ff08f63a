//! A share of resources that a holder has taken, returned when dropped.

use std::sync::Arc;

use crate::amounts::Amounts;
use crate::holder::Holder;
use crate::ledger::LedgerInner;
use crate::resource::Resource;
use crate::shortage::Shortage;
use crate::waits::Waits;

/// A share of resources that a holder has taken. Dropping it returns the share.
#[must_use]
pub struct Guard {
    pub(crate) inner: Arc<LedgerInner>,
    pub(crate) holder: Holder,
    pub(crate) amounts: Amounts,
}

impl Guard {
    /// Returns the holder.
    #[must_use]
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// Returns how much of a resource it holds.
    #[must_use]
    pub fn amount(&self, resource: Resource) -> u64 {
        self.amounts.get(resource)
    }

    /// Registers that its holder waits for more, for the caller to keep while it listens.
    pub fn waits(&self) -> Waits {
        self.inner.waits()
    }

    /// Takes more of a resource.
    ///
    /// # Errors
    ///
    /// [`Shortage`]; what it holds is then unchanged.
    pub fn grow(&mut self, resource: Resource, amount: u64) -> Result<(), Shortage> {
        self.inner
            .take(self.holder, &Amounts::of(resource, amount))?;
        self.amounts.add(resource, amount);
        Ok(())
    }

    /// Takes more of a resource even if there is none left: for work that is already in
    /// progress and only resumes. Others find less until it is returned.
    pub fn overdraw(&mut self, resource: Resource, amount: u64) {
        self.inner
            .take_unchecked(self.holder, &Amounts::of(resource, amount));
        self.amounts.add(resource, amount);
    }

    /// Returns some of a resource, at most what it holds.
    pub fn shrink(&mut self, resource: Resource, amount: u64) {
        let amount = amount.min(self.amounts.get(resource));
        self.inner
            .give_back(self.holder, &Amounts::of(resource, amount));
        self.amounts.subtract(resource, amount);
    }

    /// Moves some of a resource to a new guard, at most what it holds.
    pub fn split(&mut self, resource: Resource, amount: u64) -> Self {
        let amount = amount.min(self.amounts.get(resource));
        self.amounts.subtract(resource, amount);
        Self {
            inner: Arc::clone(&self.inner),
            holder: self.holder,
            amounts: Amounts::of(resource, amount),
        }
    }

    /// Transfers it to another holder, as when the account of a request becomes known.
    ///
    /// # Errors
    ///
    /// [`Shortage`] if the new holder has no room for it; the old one then keeps it.
    pub fn transfer(&mut self, holder: Holder) -> Result<(), Shortage> {
        if holder != self.holder {
            self.inner.transfer(self.holder, holder, &self.amounts)?;
            self.holder = holder;
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.inner.give_back(self.holder, &self.amounts);
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("holder", &self.holder)
            .field("amounts", &self.amounts)
            .finish_non_exhaustive()
    }
}
