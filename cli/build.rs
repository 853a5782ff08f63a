//! Watches what `tenterhook new` embeds: the macro that embeds folders cannot detect
//! cargo of files that come and go.

fn main() {
    for embedded in [
        "templates",
        "../sdk/src",
        "../sdk/contract/src",
        "../sdk/macros/src",
    ] {
        println!("cargo::rerun-if-changed={embedded}");
    }
}
