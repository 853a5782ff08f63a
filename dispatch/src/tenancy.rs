//! Who: accounts, principals, their tokens and roles, and what each may see and do.

pub(crate) mod account;
pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod audit_events;
pub(crate) mod authority;
pub(crate) mod disclosure;
pub(crate) mod identities;
pub(crate) mod identity;
pub(crate) mod principal;
pub(crate) mod principals;
pub(crate) mod role;
pub(crate) mod token;
pub(crate) mod tokens;
