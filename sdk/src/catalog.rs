//! The catalog of events that hooks can wait for, with their parameters.
//!
//! One file per interface that documents the names. A row there is both what the
//! server publishes and a type of [`events`](crate::events), so that the two
//! cannot drift apart. Beside the catalog every account may use names of its own,
//! `custom.…`.

pub(crate) mod astra;
pub(crate) mod croit;
pub(crate) mod fenix;
pub(crate) mod nova;
mod row;

use serde::Serialize;
use serde_json::{Map, Value};

use self::row::points;

/// One kind of event that hooks can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HookPoint {
    /// Its name, the `type` of its events.
    pub name: &'static str,
    /// The interface that documents it.
    pub face: Face,
    /// Whether hooks run for servers of the tenant's choice.
    pub can_choose_server: bool,
    /// Whether only one of the servers that a hook covers, chosen at random, runs it.
    pub one_random_server: bool,
    /// When it fires.
    pub description: &'static str,
    /// The members of its events' data, in the order of croit's positional arguments.
    pub parameters: &'static [Parameter],
}

/// A parameter of a hook point's events: a member of their `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// The member's name.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// Whether every event of the hook point has it.
    pub required: bool,
    /// A sample value, as JSON text.
    pub sample: &'static str,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Text.
    Text,
    /// A whole number from 0.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Any JSON.
    Json,
}

/// The interface that documents a hook point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Face {
    /// croit's hook API.
    Croit,
    /// Astra's execution hooks: action and stage.
    Astra,
    /// Nova's external events.
    Nova,
    /// Fenix's maintenance sessions.
    Fenix,
}

impl HookPoint {
    /// Lists the whole catalog: croit's, Astra's, Nova's, then Fenix's.
    pub fn catalog() -> impl Iterator<Item = &'static Self> {
        [croit::POINTS, astra::POINTS, nova::POINTS, fenix::POINTS]
            .into_iter()
            .flatten()
    }

    /// Lists croit's hook points, in the order of its documentation.
    pub fn croit() -> impl Iterator<Item = &'static Self> {
        croit::POINTS.iter()
    }

    /// Finds the hook point of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::catalog().find(|point| point.name == name)
    }

    /// Returns sample `data` of an event, with every parameter.
    #[must_use]
    pub fn sample_data(&self) -> Map<String, Value> {
        let member = |parameter: &Parameter| (parameter.name.to_owned(), parameter.sample_value());
        self.parameters.iter().map(member).collect()
    }
}

impl Parameter {
    /// Returns the sample value.
    #[must_use]
    pub fn sample_value(&self) -> Value {
        serde_json::from_str(self.sample).expect("a sample of the catalog is JSON")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn croit_has_twenty_hook_points_and_eleven_choose_servers() {
        assert_eq!(HookPoint::croit().count(), 20);
        assert_eq!(
            HookPoint::croit().filter(|p| p.can_choose_server).count(),
            11
        );
        assert_eq!(
            HookPoint::croit().filter(|p| p.one_random_server).count(),
            2
        );
    }

    #[test]
    fn no_name_is_in_the_catalog_twice() {
        let names: HashSet<_> = HookPoint::catalog().map(|point| point.name).collect();
        assert_eq!(names.len(), HookPoint::catalog().count());
    }

    #[test]
    fn the_parameters_of_a_hook_point_become_different_variables() {
        for point in HookPoint::catalog() {
            let names: HashSet<_> = point
                .parameters
                .iter()
                .map(|p| crate::contract::upper_snake(p.name))
                .collect();
            assert_eq!(names.len(), point.parameters.len(), "{}", point.name);
        }
    }

    #[test]
    fn every_sample_is_of_its_parameters_type() {
        for point in HookPoint::catalog() {
            let sample = point.sample_data();
            for parameter in point.parameters {
                let value = &sample[parameter.name];
                let suits = match parameter.kind {
                    ParameterType::Text => value.is_string(),
                    ParameterType::Number => value.is_u64(),
                    ParameterType::Boolean => value.is_boolean(),
                    ParameterType::Json => value.is_array() || value.is_object(),
                };
                assert!(suits, "{} {}: {value}", point.name, parameter.name);
            }
        }
    }
}
