//! The source of a project: created, replaced or left unchanged.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};
use tenterhook_engine::{Digest, Kind};
use tenterhook_wire::{Hook, Source};
use ureq::http::StatusCode;

use super::{diff, object, short_digest};
use crate::client::{self, Client, Received};
use crate::neutral;
use crate::paint::Painter;

/// Most bytes of a script whose old text is read for a diff; none is larger.
const SCRIPT_MAX_BYTES: u64 = 1 << 20;

/// What a push does to the source.
pub(super) struct SourceStep {
    name: String,
    digest: Digest,
    kind: Kind,
    size: usize,
    current: Option<Source>,
    /// Numbers of the hooks that run it, including this project's.
    hooks: Vec<i32>,
}

impl SourceStep {
    /// Compares the source of this name with these bytes.
    pub(super) fn plan(client: &Client, name: &str, bytes: &[u8]) -> anyhow::Result<Self> {
        let found: Vec<Received<Source>> = client.list("/api/v1/sources", &[("name", name)])?;
        let current = found.into_iter().next().map(Received::into_value);
        let step = Self {
            name: name.to_owned(),
            digest: Digest::of(bytes),
            kind: Kind::detect(bytes),
            size: bytes.len(),
            hooks: match &current {
                Some(source) => hooks_of(client, &source.id)?,
                None => Vec::new(),
            },
            current,
        };
        let preloaded = step.current.as_ref().is_some_and(|own| own.preloaded);
        if preloaded && step.changes() {
            bail!(
                "the source `{}` is built-in and cannot be changed; give the project another `name` in tenterhook.toml",
                step.name
            );
        }
        Ok(step)
    }

    /// The source as it is, if there is one.
    pub(super) fn current(&self) -> Option<&Source> {
        self.current.as_ref()
    }

    pub(super) fn changes(&self) -> bool {
        self.current
            .as_ref()
            .is_none_or(|source| source.digest != self.digest.to_string())
    }

    fn action(&self) -> &'static str {
        match (&self.current, self.changes()) {
            (None, _) => "create",
            (Some(_), true) => "update",
            (Some(_), false) => "keep",
        }
    }

    pub(super) fn as_json(&self) -> Map<String, Value> {
        let members = json!({
            "action": self.action(),
            "name": self.name,
            "kind": self.kind.to_string(),
            "digest": self.digest.to_string(),
            "old_digest": self.current.as_ref().map(|source| &source.digest),
            "hooks": self.hooks,
        });
        object(members)
    }

    /// Describes what will change.
    pub(super) fn describe(
        &self,
        client: &Client,
        bytes: &[u8],
        paint: Painter,
    ) -> anyhow::Result<String> {
        let name = neutral::line(&self.name);
        let Some(current) = self.current.as_ref().filter(|_| self.changes()) else {
            return Ok(match &self.current {
                Some(_) => String::new(),
                None => {
                    let line = format!(
                        "+ source {name}: {}, {} bytes, {}",
                        self.kind,
                        self.size,
                        short_digest(&self.digest.to_string())
                    );
                    format!("{}\n", paint.ok(&line))
                }
            });
        };
        let mut summary = format!("~ source {name}\n");
        let (old, new) = (current.kind.as_str(), self.kind.as_str());
        if old != new {
            summary += &diff::field("kind", &old.into(), &new.into(), paint);
        }
        let others = self.hooks.len();
        if others > 1 {
            let numbers: Vec<String> = self.hooks.iter().map(ToString::to_string).collect();
            summary += &paint.warn(&format!(
                "  {others} hooks run this source, and all will run the new program: {}\n",
                numbers.join(", ")
            ));
        }
        match self.texts(client, current, bytes)? {
            Some((old, new)) => summary += &diff::text(&old, &new, paint),
            None => {
                let old = short_digest(&current.digest);
                let new = short_digest(&self.digest.to_string());
                summary += &diff::field("digest", &old.into(), &new.into(), paint);
            }
        }
        Ok(summary)
    }

    /// Returns both texts, if both are scripts and the old one may be read.
    fn texts(
        &self,
        client: &Client,
        current: &Source,
        bytes: &[u8],
    ) -> anyhow::Result<Option<(String, String)>> {
        if current.kind != tenterhook_wire::Kind::Script || self.kind != Kind::Script {
            return Ok(None);
        }
        let path = format!("/api/v1/sources/{}/bytes", current.id);
        let old = match client.get_bytes(&path, SCRIPT_MAX_BYTES) {
            Ok(old) => old,
            // Only admins read scripts.
            Err(error) if client::is_refused_with(&error, StatusCode::FORBIDDEN) => {
                return Ok(None);
            }
            Err(error) => return Err(error).context("cannot read the source's text"),
        };
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Some((lossy(&old), lossy(bytes))))
    }

    /// Applies the change; returns the source.
    pub(super) fn apply(&self, client: &Client, bytes: &[u8]) -> anyhow::Result<Source> {
        match &self.current {
            Some(current) if !self.changes() => Ok(current.clone()),
            Some(current) => match client.replace_source(&current.id, &current.digest, bytes) {
                Err(error) if client::is_refused_with(&error, StatusCode::PRECONDITION_FAILED) => {
                    bail!(
                        "the source `{}` was changed by someone else in the meantime; push again to see what you would replace",
                        self.name
                    )
                }
                replaced => replaced,
            },
            None => client.create_source(&self.name, bytes),
        }
    }
}

fn hooks_of(client: &Client, source: &str) -> anyhow::Result<Vec<i32>> {
    let hooks: Vec<Received<Hook>> = client.list("/api/v1/hooks", &[])?;
    let of_it = hooks.iter().filter(|hook| hook.source == source);
    Ok(of_it.map(|hook| hook.number).collect())
}
