//! The members of a hook that choose containers, which only events of Astra have.
//!
//! A server refuses them on other events, but by a name that no manifest has.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::Manifest;

/// Where the members are written.
#[derive(Default, Deserialize)]
struct Places {
    #[serde(default)]
    hook: HookPlaces,
}

#[derive(Default, Deserialize)]
struct HookPlaces {
    app: Option<Spanned<IgnoredAny>>,
    criteria: Option<Spanned<IgnoredAny>>,
}

/// Returns such a member of a hook on another event, and where in the text its value begins.
pub(super) fn misplaced(manifest: &Manifest, text: &str) -> Option<(&'static str, usize)> {
    if manifest.hook_point().is_astra() {
        return None;
    }
    let Places { hook } = toml::from_str(text).unwrap_or_default();
    [("app", hook.app), ("criteria", hook.criteria)]
        .into_iter()
        .find_map(|(member, value)| Some((member, value?.span().start)))
}
