//! Sources and the bytes of programs, in the store. Whether a program compiles is not asked here.

use async_trait::async_trait;
use bytes::Bytes;
use tenterhook_engine::Digest;

use crate::error::Error;
use crate::id::{AccountId, SourceId};
use crate::registry::hook::Hook;
use crate::registry::source::Source;

/// Sources and the bytes of programs.
#[async_trait]
pub trait SourceStore: Send + Sync {
    /// Stores a new source with its bytes and its hooks, all or nothing. A source that has a
    /// number already, as built-in ones do, keeps it, and the numbers given to others do not
    /// continue from it.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`].
    async fn insert_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Bytes,
        hooks: Vec<Hook>,
    ) -> Result<(Source, Vec<Hook>), Error>;

    /// Replaces a source, its bytes if they are given, and the whole set of its
    /// hooks if that is given; all or nothing. Returns the hooks given.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Option<Bytes>,
        hooks: Option<Vec<Hook>>,
    ) -> Result<Vec<Hook>, Error>;

    /// Removes a source. Its bytes stay while an execution refers to them.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::InUse`] by hooks.
    async fn delete_source(&self, account: AccountId, id: SourceId) -> Result<(), Error>;

    /// Lists the sources of an account by number. The store has filled in the
    /// checksums of those stored before there were any.
    async fn sources(&self, account: AccountId) -> Result<Vec<Source>, Error>;

    /// Reads the bytes of a program.
    async fn program(&self, digest: Digest) -> Result<Option<Bytes>, Error>;

    /// Whether the bytes of a program are stored, for a source or for an execution, finished
    /// or not.
    async fn has_program(&self, digest: Digest) -> Result<bool, Error>;

    /// Whether a program may be run again: it is that of a source, or of an
    /// unfinished execution.
    async fn wants_program(&self, digest: Digest) -> Result<bool, Error>;
}
