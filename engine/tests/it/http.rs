//! Outgoing HTTP of WASI 0.2: it can be imported, and nothing is sent.

use tenterhook_engine::{Kind, Outcome, Refusal};

use crate::guests;
use crate::harness::{Run, SUCCESS, refusal};
use crate::wasm;

/// The place of `HTTP-request-denied` among the error codes of WASI.
const DENIED: u8 = 15;

/// The places among the errors of header fields.
const INVALID_SYNTAX: u8 = 0;
const FORBIDDEN: u8 = 1;
const IMMUTABLE: u8 = 2;

#[tokio::test]
async fn a_component_that_imports_http_and_does_not_use_it_runs() {
    let run = Run::guest(guests::CONTAINED_HTTP).go().await;
    assert_eq!(
        (&run.outcome, run.text().as_str()),
        (&SUCCESS, "nothing is sent\n")
    );
}

#[tokio::test]
async fn a_request_is_denied_with_the_error_code_of_wasi() {
    let run = Run::guest(guests::CONTAINED_HTTP).arg("send").go().await;
    let expected = format!(
        "append None\n\
         append a line Some({INVALID_SYNTAX})\n\
         has true\n\
         has true\n\
         append later Some({IMMUTABLE})\n\
         set [0, 0, 0, 0]\n\
         write 0\n\
         timeout 0\n\
         handle Some({DENIED})\n\
         finish Some({DENIED})\n"
    );
    assert_eq!((&run.outcome, run.text()), (&SUCCESS, expected));
}

#[tokio::test]
async fn the_memory_that_requests_hold_is_bounded() {
    let run = Run::guest(guests::CONTAINED_HTTP).arg("hoard").go().await;
    let expected = format!("refused {FORBIDDEN} after 240 KiB\n");
    assert_eq!((&run.outcome, run.text()), (&SUCCESS, expected));
}

#[tokio::test]
async fn what_only_a_server_would_call_traps_with_the_reason() {
    let run = Run::guest(guests::CONTAINED_HTTP).arg("respond").go().await;
    let Outcome::Trapped(trap) = &run.outcome else {
        panic!("{}", run.outcome);
    };
    assert_eq!(
        trap.reason,
        "outgoing HTTP is not granted: `[constructor]outgoing-response` of wasi:http is not available"
    );
}

#[tokio::test]
async fn other_interfaces_and_versions_of_http_are_refused() {
    for interface in [
        "wasi:http/incoming-handler@0.2.3",
        "wasi:http/outgoing-handler@0.3.0",
        "wasi:http/types@0.3.0",
        "wasi:http/types",
        "wasi:http/types-and-more@0.2.3",
        "wasi:http/proxy@0.2.3",
    ] {
        let refusal = refusal(Kind::Component, &wasm::importing(interface)).await;
        let Refusal::Import { import, .. } = &refusal else {
            panic!("{interface}: {refusal}");
        };
        assert_eq!(import, interface);
    }
}
