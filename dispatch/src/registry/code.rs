//! Removes the compiled code of deleted programs.
//!
//! The engine keeps the code and bounds it; the store knows which programs were deleted.

use tenterhook_engine::Digest;

use crate::dispatcher::Core;
use crate::error::Error;

impl Core {
    /// Removes the code of a program that a source has had, unless it may be run
    /// again. A failure leaves it for later: it takes room and does no harm.
    pub(crate) async fn forget_code(&self, digest: Digest) {
        let forgotten = async {
            if !self.store.wants_program(digest).await? {
                self.remove_code(vec![digest]).await?;
            }
            Ok(())
        };
        log(forgotten.await);
    }

    /// Removes the code of all programs that the store no longer has.
    pub(crate) async fn collect_code(&self) {
        let collected = async {
            let mut gone = Vec::new();
            for digest in self.engine.kept_code().await? {
                if !self.store.has_program(digest).await? {
                    gone.push(digest);
                }
            }
            self.remove_code(gone).await
        };
        log(collected.await);
    }

    async fn remove_code(&self, gone: Vec<Digest>) -> Result<(), Error> {
        if gone.is_empty() {
            return Ok(());
        }
        // What is ready to run counts as in use.
        for digest in &gone {
            self.programs.forget(*digest);
        }
        Ok(self.engine.forget_code(gone).await?)
    }
}

fn log(removed: Result<(), Error>) {
    if let Err(error) = removed {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "cannot remove compiled code"
        );
    }
}
