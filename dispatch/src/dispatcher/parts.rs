//! The parts of a dispatcher, one for each noun.

use super::Dispatcher;
use crate::registry::apps::Apps;
use crate::registry::hooks::Hooks;
use crate::registry::overrides::Overrides;
use crate::registry::servers::Servers;
use crate::registry::sources::Sources;
use crate::runs::accept::Events;
use crate::runs::executions::Executions;
use crate::runs::tasks::Tasks;
use crate::tenancy::accounts::Accounts;
use crate::tenancy::identities::Identities;
use crate::tenancy::principals::Principals;
use crate::tenancy::tokens::Tokens;

impl Dispatcher {
    /// Creates, lists and changes accounts.
    #[must_use]
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { core: &self.core }
    }

    /// Creates, lists and changes applications.
    #[must_use]
    pub fn apps(&self) -> Apps<'_> {
        Apps { core: &self.core }
    }

    /// Creates, lists and changes servers.
    #[must_use]
    pub fn servers(&self) -> Servers<'_> {
        Servers { core: &self.core }
    }

    /// Uploads, lists and changes sources.
    #[must_use]
    pub fn sources(&self) -> Sources<'_> {
        Sources { core: &self.core }
    }

    /// Creates, lists and changes hooks.
    #[must_use]
    pub fn hooks(&self) -> Hooks<'_> {
        Hooks { core: &self.core }
    }

    /// Turns hooks off for single applications.
    #[must_use]
    pub fn overrides(&self) -> Overrides<'_> {
        Overrides { core: &self.core }
    }

    /// Creates, lists and changes principals.
    #[must_use]
    pub fn principals(&self) -> Principals<'_> {
        Principals { core: &self.core }
    }

    /// Issues, lists and revokes tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens { core: &self.core }
    }

    /// Finds out who a secret belongs to.
    #[must_use]
    pub fn identities(&self) -> Identities<'_> {
        Identities { core: &self.core }
    }

    /// Accepts events.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events {
            core: &self.core,
            compares: true,
        }
    }

    /// Reads, cancels and waits for tasks.
    #[must_use]
    pub fn tasks(&self) -> Tasks<'_> {
        Tasks { core: &self.core }
    }

    /// Reads, follows, cancels and redrives executions.
    #[must_use]
    pub fn executions(&self) -> Executions<'_> {
        Executions { core: &self.core }
    }
}
