//! `tenterhook new`: creates a project that builds, with tests, in a chosen language.

mod lang;
mod name;
mod sdk;
mod subject;
mod template;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;

use self::lang::Lang;
use self::subject::Subject;
use self::template::{File, Words};
use crate::command;
use crate::paint::{self, Painter};
use crate::table::{OutputFormat, print};

/// Creates a project for a hook: source, sample events, a test, and `tenterhook.toml`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Name of the project and of its folder, such as `disk-guard`.
    #[arg(value_name = "NAME")]
    name: String,
    /// The language; `shell` needs no toolchain.
    #[arg(long, value_enum, value_name = "LANG")]
    lang: Option<Lang>,
    /// The hook point that the hook is for; `tenterhook event` lists them.
    #[arg(long, value_name = "NAME", default_value = "PreFormatDisk")]
    event: String,
    #[command(flatten)]
    format: OutputFormat,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &NewArgs, _log: Option<&str>) -> ExitCode {
    command::end(create(args).map(|()| ExitCode::SUCCESS))
}

fn create(args: &NewArgs) -> anyhow::Result<()> {
    name::check(&args.name)?;
    let Some(lang) = args.lang else {
        let flags = lang::flags();
        bail!("no language given: use `--lang {flags}`; shell needs no toolchain");
    };
    let subject = Subject::of(&args.event)?;
    let folder = Path::new(&args.name);
    let words = Words::of(&args.name, lang, &subject);
    let files = template::files(&words, lang, &subject);
    claim(folder)?;
    for (path, text) in &files {
        write(&folder.join(path), text)?;
    }
    let next = next(&args.name, lang);
    let text = if args.format.is_json() {
        let paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
        let document = json!({
            "folder": args.name,
            "name": args.name,
            "event": subject.event.as_str(),
            "lang": lang.flag(),
            "files": paths,
            "next": next,
        });
        format!("{document}\n")
    } else {
        summary(&args.name, lang, &subject, &files, &next)
    };
    print(&text)
}

/// Creates the folder, or takes an existing empty one.
fn claim(folder: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot create the folder {}", folder.display());
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => bail!(
                "the folder {} exists and is not empty; choose another name, or remove it",
                folder.display()
            ),
        },
        Err(_) => fs::create_dir(folder).with_context(cannot),
    }
}

/// Writes a new file.
fn write(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(cannot)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(cannot)?;
    file.write_all(text).with_context(cannot)
}

/// The commands to run next.
fn next(name: &str, lang: Lang) -> Vec<String> {
    let mut next = vec![format!("cd {name}")];
    if lang.build().is_some() {
        next.push("tenterhook build".into());
    }
    next.push("tenterhook test".into());
    next.push("tenterhook push".into());
    next
}

/// Describes what was created, as text.
fn summary(name: &str, lang: Lang, subject: &Subject, files: &[File], next: &[String]) -> String {
    let paint: Painter = paint::stdout();
    let mut text = format!(
        "{} is a hook for {} in {}:\n",
        paint.bold(&format!("{name}/")),
        subject.event,
        lang.title(),
    );
    let is_vendored = |path: &str| path.starts_with(sdk::PLACE);
    for (path, _) in files.iter().filter(|(path, _)| !is_vendored(path)) {
        text.push_str(&format!("  {path}\n"));
    }
    if files.iter().any(|(path, _)| is_vendored(path)) {
        text.push_str(&format!("  {}/ (the SDK)\n", sdk::PLACE));
    }
    if let Some(needs) = lang.needs() {
        text.push_str(&format!("{}\n", paint.dim(needs)));
    }
    text.push_str("Next:\n");
    for command in next {
        text.push_str(&format!("  {}\n", paint.ok(command)));
    }
    text
}
