//! A part of shared resources that somebody holds, given back when dropped.

use std::sync::Arc;

use crate::amounts::Amounts;
use crate::holder::Holder;
use crate::ledger::Inner;
use crate::resource::Resource;
use crate::shortage::Shortage;
use crate::waits::Waits;

/// A part of shared resources that somebody holds. Dropping it gives it back.
#[must_use]
pub struct Guard {
    pub(crate) inner: Arc<Inner>,
    pub(crate) holder: Holder,
    pub(crate) amounts: Amounts,
}

impl Guard {
    /// Who holds it.
    #[must_use]
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// How much of a resource it holds.
    #[must_use]
    pub fn amount(&self, resource: Resource) -> u64 {
        self.amounts.get(resource)
    }

    /// Says that its holder waits for more, to be kept by whoever listens for it.
    pub fn waits(&self) -> Waits {
        self.inner.waits()
    }

    /// Takes more of a resource.
    ///
    /// # Errors
    ///
    /// [`Shortage`]; what it holds stays as it is.
    pub fn grow(&mut self, resource: Resource, amount: u64) -> Result<(), Shortage> {
        self.inner
            .take(self.holder, &Amounts::of(resource, amount))?;
        self.amounts.add(resource, amount);
        Ok(())
    }

    /// Takes more of a resource even if there is none left: for work that goes on
    /// already and only gets its turn again. Others find less until it is given back.
    pub fn overdraw(&mut self, resource: Resource, amount: u64) {
        self.inner
            .take_unchecked(self.holder, &Amounts::of(resource, amount));
        self.amounts.add(resource, amount);
    }

    /// Gives some of a resource back, at most what it holds.
    pub fn shrink(&mut self, resource: Resource, amount: u64) {
        let amount = amount.min(self.amounts.get(resource));
        self.inner
            .give_back(self.holder, &Amounts::of(resource, amount));
        self.amounts.subtract(resource, amount);
    }

    /// Moves a part of it to a guard of its own, at most what it holds.
    pub fn split(&mut self, resource: Resource, amount: u64) -> Self {
        let amount = amount.min(self.amounts.get(resource));
        self.amounts.subtract(resource, amount);
        Self {
            inner: Arc::clone(&self.inner),
            holder: self.holder,
            amounts: Amounts::of(resource, amount),
        }
    }

    /// Makes somebody else its holder: a request whose account is known by now.
    ///
    /// # Errors
    ///
    /// [`Shortage`] if the new holder has no room for it; the old one keeps it then.
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
