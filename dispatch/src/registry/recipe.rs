//! What to run and how: the part of a hook that its executions need.
//!
//! An execution keeps to the recipe that was valid when its event arrived, even
//! if the hook is changed or deleted meanwhile. Equal recipes are stored once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tenterhook_engine::{AskedLimits, Digest, Kind};

use crate::id::RecipeId;
use crate::registry::hook::{FailurePolicy, Hook};
use crate::registry::source::Source;
use crate::runs::retry::RetryPolicy;

/// What to run and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Made from the content; see [`Recipe::new`].
    pub id: RecipeId,
    /// The content.
    pub content: RecipeContent,
    /// The program's bytes.
    pub digest: Digest,
}

/// The content of a recipe, the program's digest aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeContent {
    /// The program's sort.
    pub kind: Kind,
    /// The program's name, its `argv[0]`.
    pub name: String,
    /// Arguments, before those of the hook point.
    pub args: Vec<String>,
    /// The hook's own environment variables.
    pub env: BTreeMap<String, String>,
    /// The limits that it asks for.
    pub limits: AskedLimits,
    /// What its failure means for the event.
    pub failure_policy: FailurePolicy,
    /// When it is run again.
    pub retry: RetryPolicy,
}

impl Recipe {
    /// Completes a recipe with the id that its content has.
    #[must_use]
    pub fn new(digest: Digest, content: RecipeContent) -> Self {
        let json =
            serde_json::to_vec(&content).expect("a recipe holds nothing that JSON cannot say");
        let hash = Sha256::new()
            .chain_update(digest.as_bytes())
            .chain_update(&json)
            .finalize();
        let bytes: [u8; 16] = hash[..16].try_into().expect("a SHA-256 has 32 bytes");
        Self {
            id: RecipeId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid()),
            content,
            digest,
        }
    }

    /// The recipe that `hook` follows with the current version of its source.
    #[must_use]
    pub fn of(hook: &Hook, source: &Source) -> Self {
        Self::new(
            source.digest,
            RecipeContent {
                kind: source.kind,
                name: source.name.clone(),
                args: hook.args.clone(),
                env: hook.env.clone(),
                limits: hook.limits.clone(),
                failure_policy: hook.failure_policy,
                retry: hook.retry.clone(),
            },
        )
    }
}
