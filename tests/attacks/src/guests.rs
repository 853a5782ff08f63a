//! The hostile guests of all suites, as constants of this program alone: one
//! without a row in the table is dead code, and dead code does not compile here.
#![deny(dead_code, reason = "every hostile guest has a row")]

use tenterhook_tests_artifacts::{
    foreach_contained, foreach_files, foreach_host_calls, foreach_limits,
};

macro_rules! guest {
    ($name:ident) => {
        pub(crate) const $name: &str = tenterhook_tests_artifacts::$name;
    };
}

foreach_contained!(guest);
foreach_files!(guest);
foreach_host_calls!(guest);
foreach_limits!(guest);
