//! Attempts to reach something outside.

use tenterhook_engine::Report;

use crate::attack::{Attack, Expected};
use crate::guests;

/// Paths that lead outside, or would.
const OUTSIDE: [&str; 8] = [
    "/etc/passwd",
    "/proc/self/environ",
    "/dev/mem",
    "../etc/passwd",
    "../../../../../../../../etc/passwd",
    "/work/../../../../../etc/passwd",
    "//etc//passwd",
    "/work/../..",
];

fn nothing_printed(report: &Report) -> bool {
    report.stdout.is_empty()
}

fn no_link_followed(report: &Report) -> bool {
    let text = String::from_utf8_lossy(&report.stdout);
    let gained = ["read true", "through true", "renamed true", "linked true"];
    !text.is_empty() && !gained.iter().any(|word| text.contains(word)) && report.verdict.is_none()
}

fn no_socket_made(report: &Report) -> bool {
    let text = String::from_utf8_lossy(&report.stdout);
    !text.is_empty() && !text.contains("255")
}

fn nothing_sent(report: &Report) -> bool {
    String::from_utf8_lossy(&report.stdout).contains("handle Some(15)")
}

pub(super) fn attacks() -> Vec<Attack> {
    let denied = |by, shown| Expected::Denied { by, shown };
    let mut attacks = Vec::new();
    let tests = [
        "engine/tests/it/contained.rs::a_module_cannot_reach_a_file_of_the_host",
        "engine/tests/it/contained.rs::a_component_cannot_reach_a_file_of_the_host",
    ];
    let files = Attack::both("files of the host", guests::CONTAINED_HOST_FILES);
    for (attack, test) in files.into_iter().zip(tests) {
        let attack = OUTSIDE.into_iter().fold(attack, Attack::arg);
        attacks.push(attack.expect(denied("no such path in its world", nothing_printed), test));
    }
    attacks.extend(
        Attack::both("links out of its folders", guests::CONTAINED_SYMLINKS).map(|attack| {
            attack.expect(
                denied("links lead nowhere outside", no_link_followed),
                "engine/tests/it/contained.rs::a_link_out_of_the_sandbox_leads_nowhere",
            )
        }),
    );
    let [module, component] = Attack::both("sockets of preview 1", guests::CONTAINED_SOCKETS);
    attacks.push(module.expect(
        denied("no descriptor is a socket", nothing_printed),
        "engine/tests/it/contained.rs::no_socket_call_of_a_module_works",
    ));
    attacks.push(component.expect(
        // The adapter from preview 1 has no sockets.
        Expected::Traps("unreachable"),
        "engine/tests/it/contained.rs::a_component_that_calls_sockets_of_preview_1_traps",
    ));
    attacks.push(
        Attack::guest("sockets of 0.2, component", guests::CONTAINED_CONNECT).expect(
            denied("no socket is made, no name found", no_socket_made),
            "engine/tests/it/contained.rs::no_socket_of_a_component_reaches_anything",
        ),
    );
    attacks.push(
        Attack::guest("HTTP of 0.2, component", guests::CONTAINED_HTTP)
            .arg("send")
            .expect(
                denied("no request is sent", nothing_sent),
                "engine/tests/it/http.rs::a_request_is_denied_with_the_error_code_of_wasi",
            ),
    );
    attacks
}
