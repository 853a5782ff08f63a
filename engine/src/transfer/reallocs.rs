//! The names by which the modules of a composed component export functions that serve as
//! `realloc`.
//!
//! Only names, for all modules: a module that exports another function of the same name
//! and type gets a guard that it does not need.

use std::collections::{BTreeSet, HashMap};

use wasmparser::{
    BinaryReader, CanonicalFunction, CanonicalOption, ComponentAlias, ComponentAliasSectionReader,
    ComponentCanonicalSectionReader, ExternalKind, Instance, InstanceSectionReader,
};

use super::{COMPONENT, Unbounded};
use crate::bulk::sections;

const CORE_INSTANCES: u8 = 2;
const ALIASES: u8 = 6;
const CANONICAL: u8 = 8;

/// The functions that serve as `realloc` anywhere in a component.
pub(super) struct Reallocs {
    names: BTreeSet<String>,
    is_composed: bool,
}

impl Reallocs {
    /// Returns those of a component with parts; none if it has no parts.
    pub(super) fn of(component: &[u8]) -> Result<Self, Unbounded> {
        let mut all = Self {
            names: BTreeSet::new(),
            is_composed: false,
        };
        let whole = all.add(component, Depth::Whole);
        if !all.is_composed {
            // A `realloc` matters only where parts pass data to each other.
            all.names.clear();
            return match whole {
                Err(Unbounded::NotInModule) => Ok(all),
                other => other.map(|()| all),
            };
        }
        whole.map(|()| all)
    }

    /// Returns the names of the exports, sorted.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    fn add(&mut self, component: &[u8], depth: Depth) -> Result<(), Unbounded> {
        let mut part = Part::default();
        let mut unnamed = false;
        for section in sections(component)? {
            let content = &component[section.content];
            let reader = BinaryReader::new(content, 0);
            match section.id {
                COMPONENT => match self.add(content, Depth::Part) {
                    // Only the parts that follow show whether there is more than one.
                    Err(Unbounded::NotInModule) => unnamed = true,
                    other => other?,
                },
                CORE_INSTANCES => {
                    for instance in InstanceSectionReader::new(reader)? {
                        part.instances.push(exports(&instance?));
                    }
                }
                ALIASES => {
                    for alias in ComponentAliasSectionReader::new(reader)? {
                        if let ComponentAlias::CoreInstanceExport {
                            kind: ExternalKind::Func | ExternalKind::FuncExact,
                            instance_index,
                            name,
                        } = alias?
                        {
                            part.functions.push(Some((instance_index, name)));
                        }
                    }
                }
                CANONICAL => {
                    for function in ComponentCanonicalSectionReader::new(reader)? {
                        self.is_composed |= depth == Depth::Part;
                        unnamed |= !self.add_options(&mut part, &function?);
                    }
                }
                _ => {}
            }
        }
        match unnamed {
            false => Ok(()),
            true => Err(Unbounded::NotInModule),
        }
    }

    /// Adds the `realloc` of this function, if any; returns `false` if it has no name.
    fn add_options(&mut self, part: &mut Part<'_>, function: &CanonicalFunction) -> bool {
        let options = match function {
            CanonicalFunction::Lift { options, .. } => options,
            CanonicalFunction::Lower { options, .. } => {
                part.functions.push(None);
                options
            }
            // None of the others moves text, but each defines a function.
            _ => {
                part.functions.push(None);
                return true;
            }
        };
        for option in options {
            if let CanonicalOption::Realloc(function) = option {
                let Some(name) = part.name_of(*function) else {
                    return false;
                };
                self.names.insert(name.to_owned());
            }
        }
        true
    }
}

/// Whether a component is the whole program or a part of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Whole,
    Part,
}

/// One component, as far as it has been read.
#[derive(Default)]
struct Part<'a> {
    /// Where each core function comes from; `None` if from the host or from another
    /// component.
    functions: Vec<Option<(u32, &'a str)>>,
    /// The functions of each instance that is a list of exports; `None` for an instance of
    /// a module.
    instances: Vec<Option<HashMap<&'a str, u32>>>,
}

impl<'a> Part<'a> {
    /// Returns the name by which a module exports this function, if one does.
    fn name_of(&self, mut function: u32) -> Option<&'a str> {
        loop {
            let (instance, name) = (*self.functions.get(function as usize)?)?;
            let Some(list) = self.instances.get(instance as usize)? else {
                return Some(name);
            };
            // What is listed precedes its list, so this terminates.
            let listed = *list.get(name)?;
            function = (listed < function).then_some(listed)?;
        }
    }
}

fn exports<'a>(instance: &Instance<'a>) -> Option<HashMap<&'a str, u32>> {
    let Instance::FromExports(list) = instance else {
        return None;
    };
    let functions = list
        .iter()
        .filter(|export| matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact));
    Some(
        functions
            .map(|export| (export.name, export.index))
            .collect(),
    )
}
