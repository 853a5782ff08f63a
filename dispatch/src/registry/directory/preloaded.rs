//! Giving an account the sources that come with it, also one from before there were
//! any.

use super::Directory;
use crate::clock::now;
use crate::error::Error;
use crate::registry::preloaded::PRELOADED;
use crate::registry::source::Source;
use crate::store::Store;

/// Brings the sources that come with an account up to those of this version.
///
/// A tenant's own source that has such a name already stays, and the account goes
/// without ours.
pub(super) async fn complete(store: &dyn Store, directory: &mut Directory) -> Result<(), Error> {
    let account = directory.account.clone();
    for preloaded in PRELOADED {
        let wanted = preloaded.source(&account);
        let bytes = preloaded.bytes();
        // By its name: an earlier version may have given it another identifier.
        let found = directory.sources.by_name(&wanted.name);
        match found.filter(|source| source.preloaded) {
            Some(there) if there.digest == wanted.digest => {}
            Some(there) => {
                let source = Source {
                    id: there.id,
                    number: there.number,
                    revision: there.revision + 1,
                    modified_at: now(),
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
                    tracing::info!(account.id = %account.id, name, "the account has its own source with the name of a built-in one");
                }
                Err(error) => return Err(error),
            },
        }
    }
    Ok(())
}
