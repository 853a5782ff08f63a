//! What clients ask of lists: filters, order and pages, each in the form of one
//! interface, read from text and applied to rows of JSON.
//!
//! Every query has bounds on its length, its depth and its work. This crate knows
//! neither HTTP nor any noun of the product, so that it can be fuzzed alone.

pub mod astra;
pub mod croit;
