//! The guide and the README's tour are followed literally, in an empty folder.

mod book;
mod walk;

use std::path::{Path, PathBuf};

use self::book::Page;

fn document(path: &str) -> Page {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Page::read(&root.join(path))
}

/// The chapters that the summary lists, in its order.
fn chapters() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/src");
    let summary = std::fs::read_to_string(folder.join("SUMMARY.md")).unwrap();
    let links = summary.split("](").skip(1);
    let links = links.filter_map(|rest| rest.split(')').next());
    links.map(|link| folder.join(link)).collect()
}

/// One test for each page, named after its file.
macro_rules! pages {
    ($($name:ident $path:literal,)*) => {
        $(#[test]
        fn $name() {
            walk::follow(&document($path));
        })*

        const PAGES: &[&str] = &[$($path),*];
    };
}

pages! {
    the_tour_of_the_readme_can_be_followed "README.md",
    what_this_is_can_be_followed "docs/guide/src/introduction.md",
    the_first_hook_in_shell_can_be_followed "docs/guide/src/first-hook-shell.md",
    the_first_hook_in_rust_can_be_followed "docs/guide/src/first-hook-rust.md",
    hooks_in_other_languages_can_be_followed "docs/guide/src/other-languages.md",
    limits_and_the_bill_can_be_followed "docs/guide/src/limits-and-bill.md",
    events_and_parameters_can_be_followed "docs/guide/src/events-and-parameters.md",
    failure_and_retries_can_be_followed "docs/guide/src/failure-and-retries.md",
    operating_the_server_can_be_followed "docs/guide/src/operating.md",
    the_security_model_can_be_followed "docs/guide/src/security.md",
    moving_here_can_be_followed "docs/guide/src/moving.md",
}

#[test]
fn every_chapter_of_the_guide_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for chapter in chapters() {
        let chapter = chapter.canonicalize().unwrap();
        let followed = PAGES
            .iter()
            .any(|page| root.join(page).canonicalize().unwrap() == chapter);
        assert!(followed, "{} is followed by no test", chapter.display());
    }
}

#[test]
fn a_vetoing_hook_in_rust_takes_less_than_twelve_commands() {
    let page = document("docs/guide/src/first-hook-rust.md");
    let commands: Vec<_> = page.commands().map(|command| &command.line).collect();
    assert!(commands.len() < 12, "{commands:#?}");
    for step in ["new", "cargo test", "test", "push", "fire"] {
        assert!(
            commands.iter().any(|line| line.contains(step)),
            "{step} is not in {commands:#?}"
        );
    }
}
