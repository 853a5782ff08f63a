//! What is wrong with a script, found in the local sandbox before anything is uploaded.
//!
//! A server accepts such a script all the same: a shell runs the lines before a syntax error.

use bytes::Bytes;
use tenterhook_engine::{Diagnostic, Engine, Error, Kind, Severity};
use tenterhook_ledger::Holder;

use crate::neutral;
use crate::paint::Painter;

/// Reads a script without running it; of a module there is nothing to report. The program is
/// one that a server would accept.
///
/// # Errors
///
/// The host could not do its part.
pub(crate) async fn diagnose(
    engine: &Engine,
    kind: Kind,
    program: &[u8],
) -> Result<Vec<Diagnostic>, Error> {
    if kind != Kind::Script {
        return Ok(Vec::new());
    }
    let script = Bytes::copy_from_slice(program);
    engine.diagnose(Holder::Operator, script).await
}

/// Names a diagnostic and describes it on a line, with its place.
pub(crate) fn describe(own: &Diagnostic, paint: Painter) -> (&'static str, String) {
    let place = format!("{}:{}:", own.line, own.column);
    let (name, place) = match own.severity {
        Severity::Error => ("error", paint.bad(&place)),
        Severity::Warning => ("warning", paint.warn(&place)),
    };
    (name, format!("{place} {}", neutral::line(&own.message)))
}
