//! What is wrong with the script that is pushed.
//!
//! It is found here and not by the upload, so that it is also shown by a dry run and of a script
//! that the server already has.

use tenterhook_engine::{Diagnostic, Engine, GuestStack, Kind};

use crate::paint::Painter;
use crate::say::say;
use crate::{code_cache, command, neutral, script_check};

/// Reads the script. A push does not fail because that is not possible here: the server
/// decides what it accepts.
pub(super) fn find(program: &[u8]) -> Vec<Diagnostic> {
    let kind = Kind::detect(program);
    // Of a script that the server will refuse, the refusal is enough.
    if kind != Kind::Script || Engine::survey(kind, program).is_err() {
        return Vec::new();
    }
    let found = command::block_on(async {
        let engine = code_cache::start_engine(GuestStack::default())?;
        script_check::diagnose(&engine, kind, program).await
    });
    found.unwrap_or_else(|error| {
        let error = neutral::line(&format!("{error:#}"));
        say(format_args!(
            "warning: the script could not be checked: {error}"
        ));
        Vec::new()
    })
}

/// Describes it: a line each, with its place.
pub(super) fn describe(warnings: &[Diagnostic], paint: Painter) -> String {
    let line = |own: &Diagnostic| {
        let place = format!("{}:{}", own.line, own.column);
        let message = neutral::line(&own.message);
        format!("{} {place}: {message}\n", paint.warn("warning:"))
    };
    warnings.iter().map(line).collect()
}
