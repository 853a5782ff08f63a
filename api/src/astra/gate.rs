//! Who is admitted, in Astra's order: account, then role, then switch.

use tenterhook_dispatch::{AccountId, Dispatcher, Error, Identity, Role};

use super::identifier;
use super::problem::{Rejection, Row};

/// Admits the holder of a valid token to a path of this API. Refused are an unknown
/// account, another account than the caller's, too low a role, and an account whose hooks
/// are switched off.
pub(super) async fn admit(
    dispatcher: &Dispatcher,
    identity: &Identity,
    needed: Role,
    path: &str,
) -> Result<(), Rejection> {
    let account = account_in(path).ok_or(Row::CollectionNotFound)?;
    let account = match dispatcher.accounts().get(account).await {
        Ok(account) => account,
        Err(Error::NotFound { .. }) => return Err(Row::CollectionNotFound.into()),
        Err(error) => return Err(error.into()),
    };
    if account.id != identity.account || identity.role < needed {
        return Err(Row::NotPermitted.into());
    }
    if !account.app_hooks.is_on() {
        return Err(Row::HooksDisabled.into());
    }
    Ok(())
}

/// The account in `/accounts/{account_id}/…`.
fn account_in(path: &str) -> Option<AccountId> {
    let text = path.strip_prefix("/accounts/")?.split('/').next()?;
    identifier::parse(text).map(AccountId::from_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_the_second_part_of_the_path() {
        let id = "0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f";
        let read = |path: &str| account_in(path).map(|id| id.to_string());
        assert_eq!(
            read(&format!("/accounts/{id}/core/v1/hookSources")).as_deref(),
            Some(id)
        );
        for path in ["/accounts/", "/accounts/x/core", "/accounts/%30b7c", "/api"] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
