//! Whether one of the operator's hooks runs for one application.

use time::OffsetDateTime;

use crate::id::{AppId, HookId, OverrideId, PrincipalId};
use crate::registry::label::Label;

/// Turns one of the operator's hooks on or off for one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookOverride {
    /// Its identifier.
    pub id: OverrideId,
    /// The application.
    pub app: AppId,
    /// The hook, one that is [managed](crate::Hook::managed) by the operator. At
    /// most one override for each hook and application.
    pub hook: HookId,
    /// Whether the hook runs for that application.
    pub enabled: bool,
    /// Free labels.
    pub labels: Vec<Label>,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: Option<PrincipalId>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub modified_at: OffsetDateTime,
}

/// An override to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOverride {
    /// See [`HookOverride::app`].
    pub app: AppId,
    /// See [`HookOverride::hook`].
    pub hook: HookId,
    /// See [`HookOverride::enabled`].
    pub enabled: bool,
    /// See [`HookOverride::labels`].
    pub labels: Vec<Label>,
    /// See [`HookOverride::created_by`].
    pub created_by: PrincipalId,
}

/// What to change of an override; `None` keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverrideChange {
    /// See [`NewOverride::enabled`].
    pub enabled: Option<bool>,
    /// See [`NewOverride::labels`]; replaces all.
    pub labels: Option<Vec<Label>>,
    /// Who changes it.
    pub modified_by: Option<PrincipalId>,
}
