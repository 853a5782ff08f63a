//! A type for the events of each hook point of the catalog.

pub use crate::catalog::astra::*;
pub use crate::catalog::croit::*;
pub use crate::catalog::fenix::*;
pub use crate::catalog::nova::*;
