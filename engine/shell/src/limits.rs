//! The interpreter's own limits, lifted as far as it lets us.
//!
//! The engine's fuel, memory limit and deadline are the real ones. What stays:
//! 16 nested function calls, 8 nested shells and 100 levels of syntax, which
//! the interpreter does not let its user raise. The script itself is one of the
//! calls, and one of the shells.

use bashkit::ExecutionLimits;
use std::time::Duration;

/// Larger than any memory that the engine grants.
const LARGE: usize = 1 << 30;

/// Steps of the parser for one text. At some syntax errors it tries for ever, and these
/// are then what it costs: 1.3 G of fuel, as it asks for the time at each. The largest
/// script has five for each byte and takes two at most. What a script makes itself and
/// runs may have 130,000 of the shortest commands; the default of 64 MiB of memory holds
/// fewer than 100,000.
pub(crate) const PARSER_STEPS: usize = 1 << 19;

pub(crate) fn execution() -> ExecutionLimits {
    ExecutionLimits::cli()
        // Without an end in sight the interpreter does not ask for the time
        // before every step, which would be most of a script's host calls.
        .timeout(Duration::MAX)
        .parser_timeout(Duration::MAX)
        .max_work_units(u64::MAX)
        .max_aggregate_input_bytes(u64::MAX)
        .max_live_intermediate_bytes(u64::MAX)
        .max_stdout_bytes(LARGE)
        .max_stderr_bytes(LARGE)
        .max_parser_operations(PARSER_STEPS)
        .max_word_split_fields(LARGE)
        .max_word_split_bytes(LARGE)
        .max_history_entries(0)
}
