//! Uploads that continue after their request was answered, and their outcome.
//!
//! They are kept in memory alone: no reply has promised that the program becomes a
//! source, and after a restart an upload is unknown.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tenterhook_dispatch::AccountId;
use tenterhook_engine::Digest;
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::uploads::stored::Stored;

/// Uploads of one account that are remembered: those in progress have places, which
/// are fewer, so that the others are over.
const ACCOUNT_UPLOADS: usize = 32;

/// How long an outcome is remembered: a client that polls later than this has stopped
/// waiting.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// Uploads in progress, and those that have finished recently.
#[derive(Default)]
pub(crate) struct Pending {
    by_account: Mutex<HashMap<AccountId, VecDeque<Arc<Upload>>>>,
}

/// One upload that continues after its request was answered.
pub(crate) struct Upload {
    pub(crate) id: Uuid,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
    pub(crate) created_at: OffsetDateTime,
    outcome: watch::Receiver<Option<Outcome>>,
    began: Instant,
}

/// The outcome of an upload.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// The source has the program.
    Ready(Box<Stored>),
    /// It was refused.
    Refused(Arc<Refusal>),
}

/// How far an upload is when its request stops waiting.
pub(crate) enum Progress {
    /// It has finished.
    Done(Box<Stored>),
    /// It goes on.
    Compiling(Arc<Upload>),
}

impl Pending {
    /// Does the work of an upload, whether or not a client waits for it, and waits for at
    /// most `wait`.
    ///
    /// # Errors
    ///
    /// Those of the work, if it ends meanwhile.
    pub(crate) async fn begin(
        &self,
        account: AccountId,
        (digest, size_bytes): (Digest, u64),
        wait: Duration,
        work: impl Future<Output = Result<Stored, Refusal>> + Send + 'static,
    ) -> Result<Progress, Refusal> {
        // Its work goes on if the request does not.
        let mut work = tokio::spawn(work);
        // A client that does not wait gets the same reply whatever is faster.
        if !wait.is_zero()
            && let Ok(done) = tokio::time::timeout(wait, &mut work).await
        {
            let source = done.unwrap_or(Err(Refusal::Internal))?;
            return Ok(Progress::Done(Box::new(source)));
        }
        let (tell, outcome) = watch::channel(None);
        tokio::spawn(async move {
            // An error of the task's own: it panicked, or the server leaves.
            let done = work.await.unwrap_or(Err(Refusal::Internal));
            tell.send_replace(Some(match done {
                Ok(source) => Outcome::Ready(Box::new(source)),
                Err(refusal) => Outcome::Refused(Arc::new(refusal)),
            }));
        });
        let upload = Arc::new(Upload {
            id: tenterhook_dispatch::new_id(),
            digest,
            size_bytes,
            created_at: tenterhook_dispatch::now(),
            outcome,
            began: Instant::now(),
        });
        self.remember(account, Arc::clone(&upload));
        Ok(Progress::Compiling(upload))
    }

    /// Finds an upload of this account.
    pub(crate) fn find(&self, account: AccountId, id: Uuid) -> Option<Arc<Upload>> {
        let mut by_account = self.by_account.lock();
        forget_old(&mut by_account);
        let uploads = by_account.get(&account)?;
        uploads.iter().find(|upload| upload.id == id).cloned()
    }

    fn remember(&self, account: AccountId, upload: Arc<Upload>) {
        let mut by_account = self.by_account.lock();
        forget_old(&mut by_account);
        let uploads = by_account.entry(account).or_default();
        if uploads.len() >= ACCOUNT_UPLOADS {
            let over = uploads.iter().position(|upload| upload.outcome().is_some());
            uploads.remove(over.unwrap_or(0));
        }
        uploads.push_back(upload);
    }
}

/// Forgets outcomes that have expired, and accounts without any.
fn forget_old(by_account: &mut HashMap<AccountId, VecDeque<Arc<Upload>>>) {
    by_account.retain(|_, uploads| {
        uploads.retain(|upload| upload.outcome().is_none() || upload.began.elapsed() < REMEMBERED);
        !uploads.is_empty()
    });
}

impl Upload {
    /// The outcome; `None` while it is in progress.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcome.borrow().clone()
    }

    /// Waits for the outcome, for at most `wait`.
    pub(crate) async fn outcome_within(&self, wait: Duration) -> Option<Outcome> {
        let mut outcome = self.outcome.clone();
        let over = outcome.wait_for(Option::is_some);
        match tokio::time::timeout(wait, over).await {
            Ok(Ok(outcome)) => outcome.clone(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn subject() -> (Digest, u64) {
        (Digest::of(b"program"), 7)
    }

    async fn refused(pending: &Pending, account: AccountId) -> Arc<Upload> {
        let work = async { Err(Refusal::TooBusy) };
        match pending
            .begin(account, subject(), Duration::ZERO, work)
            .await
        {
            Ok(Progress::Compiling(upload)) => upload,
            _ => panic!("a client that does not wait gets no outcome"),
        }
    }

    #[tokio::test]
    async fn an_upload_is_found_only_by_its_own_account() {
        let pending = Pending::default();
        let (one, other) = (AccountId::generate(), AccountId::generate());
        let upload = refused(&pending, one).await;
        assert!(pending.find(one, upload.id).is_some());
        assert!(pending.find(other, upload.id).is_none());
        assert!(pending.find(one, Uuid::now_v7()).is_none());
        let outcome = upload.outcome_within(Duration::from_secs(60)).await;
        assert!(matches!(outcome, Some(Outcome::Refused(_))));
    }

    #[tokio::test]
    async fn finished_uploads_are_forgotten_before_active_ones() {
        let pending = Pending::default();
        let account = AccountId::generate();
        let endless = pending.begin(account, subject(), Duration::ZERO, std::future::pending());
        let Ok(Progress::Compiling(endless)) = endless.await else {
            panic!("it never ends");
        };
        let mut ids = Vec::new();
        for _ in 0..2 * ACCOUNT_UPLOADS {
            let upload = refused(&pending, account).await;
            upload.outcome_within(Duration::from_secs(60)).await;
            ids.push(upload.id);
        }
        assert!(pending.find(account, endless.id).is_some());
        let known = ids
            .iter()
            .filter(|id| pending.find(account, **id).is_some());
        assert_eq!(known.count(), ACCOUNT_UPLOADS - 1);
        assert!(pending.find(account, ids[0]).is_none());
    }

    #[tokio::test]
    async fn a_client_that_waits_long_enough_gets_the_outcome_at_once() {
        let uploads = Pending::default();
        let wait = Duration::from_secs(60);
        let done = uploads.begin(AccountId::generate(), subject(), wait, async {
            Err(Refusal::TooBusy)
        });
        assert!(matches!(done.await, Err(Refusal::TooBusy)));
        assert!(uploads.by_account.lock().is_empty());
    }
}
