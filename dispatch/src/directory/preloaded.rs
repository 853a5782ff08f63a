//! The sources that come with every account, and checksums of those from before
//! there were any.

use crate::error::Error;
use crate::id::AccountId;
use crate::preloaded::PRELOADED;
use crate::source::{Source, base64_md5};
use crate::store::Store;

use super::Directory;

/// Brings the sources that come with an account up to those of this version.
///
/// A tenant's own source that has such a name already stays, and the account goes
/// without ours.
pub(super) async fn complete(store: &dyn Store, directory: &mut Directory) -> Result<(), Error> {
    let account = directory.account.clone();
    for preloaded in PRELOADED {
        let wanted = preloaded.source(&account);
        let bytes = preloaded.bytes();
        match directory.sources.by_id(wanted.id.as_uuid()) {
            Some(there) if there.digest == wanted.digest => {}
            Some(there) => {
                let source = Source {
                    revision: there.revision + 1,
                    modified_at: crate::clock::now(),
                    ..wanted
                };
                store
                    .update_source(account.id, source.clone(), Some(bytes), None)
                    .await?;
                directory.put_source(source);
            }
            None => match store
                .insert_source(account.id, wanted, bytes, Vec::new())
                .await
            {
                Ok((source, _)) => directory.put_source(source),
                Err(Error::NameTaken { name, .. }) => {
                    tracing::info!(account.id = %account.id, name, "the account has a source of its own with the name of a preloaded one");
                }
                Err(error) => return Err(error),
            },
        }
    }
    Ok(())
}

/// Fills in the checksum of a source that was kept before there were any.
pub(super) async fn with_checksum(
    store: &dyn Store,
    account: AccountId,
    mut source: Source,
) -> Result<Source, Error> {
    if source.base64_md5.is_empty() {
        let bytes = store.program(source.digest).await?.unwrap_or_default();
        source.base64_md5 = base64_md5(&bytes);
        store
            .update_source(account, source.clone(), None, None)
            .await?;
    }
    Ok(source)
}
