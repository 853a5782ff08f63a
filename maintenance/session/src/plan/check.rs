//! Checking what was sent, member by member.

use std::collections::BTreeSet;

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{InvalidField, NewPlan, Plan, Workflow};
use crate::action::Action;
use crate::metadata::Metadata;
use crate::state::State;

/// Hosts of one session.
const HOSTS: usize = 1_000;
/// Actions of one session.
const ACTIONS: usize = 100;
/// Downloads of one session.
const DOWNLOADS: usize = 100;
/// Characters of a name.
const NAME: usize = 255;
/// Bytes of an address.
const ADDRESS: usize = 2_048;
/// Bytes of `metadata` as JSON, and of each action's.
const METADATA: usize = 64 * 1_024;

const WITH_SPACE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const WITH_T: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

impl NewPlan {
    /// Checks everything that can be checked without inventory and sources.
    ///
    /// Hosts that are named twice are taken once. At most 1,000 hosts, 100 actions and
    /// 100 downloads; names have 1 to 255 characters, addresses at most 2,048, metadata
    /// 64 KiB.
    ///
    /// # Errors
    ///
    /// The first [`InvalidField`], in the order of the members.
    pub fn check(self) -> Result<Plan, InvalidField> {
        let hosts = hosts(self.hosts)?;
        let state = state(&self.state)?;
        let maintenance_at = time(&self.maintenance_at)?;
        let workflow = workflow(self.workflow)?;
        small("metadata", &self.metadata)?;
        downloads(&self.download)?;
        let actions = actions(self.actions)?;
        Ok(Plan {
            hosts,
            state,
            maintenance_at,
            workflow,
            metadata: self.metadata,
            download: self.download,
            actions,
        })
    }
}

fn hosts(named: Vec<String>) -> Result<Vec<String>, InvalidField> {
    few("hosts", named.len(), HOSTS)?;
    let mut seen = BTreeSet::new();
    let mut hosts = Vec::new();
    for (at, host) in named.into_iter().enumerate() {
        name(&format!("hosts[{at}]"), &host)?;
        if seen.insert(host.clone()) {
            hosts.push(host);
        }
    }
    Ok(hosts)
}

fn state(text: &str) -> Result<State, InvalidField> {
    match text.parse::<State>() {
        Ok(state) if !state.is_over() => Ok(state),
        _ => Err(InvalidField::new(
            "state",
            "is not a state to begin in; send `MAINTENANCE`",
        )),
    }
}

fn time(text: &str) -> Result<OffsetDateTime, InvalidField> {
    PrimitiveDateTime::parse(text, WITH_SPACE)
        .or_else(|_| PrimitiveDateTime::parse(text, WITH_T))
        .ok()
        .filter(|at| at.year() >= 0)
        .map(PrimitiveDateTime::assume_utc)
        .ok_or_else(|| {
            InvalidField::new(
                "maintenance_at",
                "is not a time; send `YYYY-MM-DD HH:MM:SS` in UTC",
            )
        })
}

fn workflow(text: String) -> Result<Workflow, InvalidField> {
    name("workflow", &text)?;
    Ok(match text.as_str() {
        "default" => Workflow::Default,
        "vnf" => Workflow::Vnf,
        _ => Workflow::Source(text),
    })
}

fn downloads(addresses: &[String]) -> Result<(), InvalidField> {
    few("download", addresses.len(), DOWNLOADS)?;
    for (at, address) in addresses.iter().enumerate() {
        let field = format!("download[{at}]");
        let rest = ["http://", "https://", "ftp://", "file://"]
            .iter()
            .find_map(|scheme| address.strip_prefix(scheme));
        let is_plain = !address.chars().any(|c| c.is_control() || c.is_whitespace());
        if rest.is_none_or(str::is_empty) || !is_plain || address.len() > ADDRESS {
            return Err(InvalidField::new(
                field,
                format!(
                    "is not an address; send one that begins with http://, https://, ftp:// or file://, of at most {ADDRESS} bytes"
                ),
            ));
        }
    }
    Ok(())
}

fn actions(mut actions: Vec<Action>) -> Result<Vec<Action>, InvalidField> {
    few("actions", actions.len(), ACTIONS)?;
    for (at, action) in actions.iter().enumerate() {
        name(&format!("actions[{at}].plugin"), &action.plugin)?;
        small(&format!("actions[{at}].metadata"), &action.metadata)?;
    }
    actions.sort_by(|a, b| (a.kind, &a.plugin).cmp(&(b.kind, &b.plugin)));
    Ok(actions)
}

fn few(field: &str, have: usize, most: usize) -> Result<(), InvalidField> {
    if have > most {
        return Err(InvalidField::new(
            field,
            format!("has {have} entries; send at most {most}"),
        ));
    }
    Ok(())
}

fn name(field: &str, text: &str) -> Result<(), InvalidField> {
    let length = text.chars().count();
    if !(1..=NAME).contains(&length) || text.chars().any(char::is_control) {
        return Err(InvalidField::new(
            field,
            format!("is not a name; send 1 to {NAME} characters without control characters"),
        ));
    }
    Ok(())
}

fn small(field: &str, metadata: &Metadata) -> Result<(), InvalidField> {
    let bytes = metadata.json().len();
    if bytes > METADATA {
        return Err(InvalidField::new(
            field,
            format!("has {bytes} bytes; send at most {METADATA}"),
        ));
    }
    Ok(())
}
