//! What one run of the server leaves for the next, in the store: notes of what runs, which cost
//! no commit, and the takeover of what they name.

use async_trait::async_trait;

use crate::error::Error;
use crate::id::{AccountId, ExecutionId, NodeId};

/// What one run of the server leaves for the next.
#[async_trait]
pub trait RecoveryStore: Send + Sync {
    /// Frees all tasks that another run of the server owned. Returns how many.
    ///
    /// Raises the attempt of their executions that had begun, as far as that run has
    /// noted them, and counts a crash for each that was running when it ended. Where
    /// its notes are lost, as they are when the machine went down, every execution
    /// that is not finished may have begun, and nothing is known of crashes.
    async fn take_over(&self, node: NodeId) -> Result<u64, Error>;

    /// Notes that an attempt begins.
    ///
    /// The notes outlive the process and not the machine, so they cost no commit;
    /// what cannot be noted is lost to the next run and fails nothing.
    fn note_begun(&self, account: AccountId, execution: ExecutionId, attempt: u32);

    /// Notes that an attempt has ended, whether or not its outcome is stored yet.
    fn note_ended(&self, execution: ExecutionId, attempt: u32);

    /// Forgets an attempt whose outcome is stored.
    fn note_settled(&self, execution: ExecutionId, attempt: u32);

    /// Notes that the process ends because it was asked to, so that nothing that runs
    /// is blamed for a crash.
    fn note_leaving(&self);
}
