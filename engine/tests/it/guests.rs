//! The guests of all suites, as constants of this test alone: a guest that no
//! test names is dead code, and dead code does not compile here.
#![deny(dead_code, reason = "every guest has a test")]

use tenterhook_tests_artifacts::{
    foreach_contained, foreach_files, foreach_friendly, foreach_host_calls, foreach_limits,
};

macro_rules! guest {
    ($name:ident) => {
        pub(crate) const $name: &str = tenterhook_tests_artifacts::$name;
    };
}

foreach_contained!(guest);
foreach_files!(guest);
foreach_friendly!(guest);
foreach_host_calls!(guest);
foreach_limits!(guest);
