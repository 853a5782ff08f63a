//! `mktemp`: a new file or folder under a name that the host's randomness makes.

use super::options::{Given, Options};
use super::tool::{OK, Tool, reason};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};

pub(super) struct Mktemp;

const KNOWN: Options = Options {
    short: "dp:qtu",
    long: &[
        ("directory", 'd'),
        ("dry-run", 'u'),
        ("quiet", 'q'),
        ("suffix=", 's'),
        ("tmpdir=?", 'T'),
    ],
};

const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Names tried before giving up; the shortest template has 62³.
const ATTEMPTS: usize = 100;
/// Fewest letters X that a template must end in.
const LEAST: usize = 3;

/// A template taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Template {
    prefix: String,
    letters: usize,
    suffix: String,
}

#[async_trait]
impl Command for Mktemp {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let given = match tool.options(&KNOWN, 1).await? {
            Ok(given) => given,
            Err(status) => return Ok(status),
        };
        let template = match template(&given, tool.ctx.env.get("TMPDIR").map(String::as_str)) {
            Ok(template) => template,
            Err(wrong) => return quietly(&tool, &given, &wrong).await,
        };
        for _ in 0..ATTEMPTS {
            let Some(middle) = letters(template.letters) else {
                return quietly(&tool, &given, "no randomness").await;
            };
            let name = format!("{}{middle}{}", template.prefix, template.suffix);
            let path = tool.path(&name);
            if tool.ctx.fs.exists(&path).await.unwrap_or(false) {
                continue;
            }
            if !given.has('u')
                && let Err(error) = make(&tool, &path, given.has('d')).await
            {
                let kind = if given.has('d') { "directory" } else { "file" };
                let shown = format!(
                    "{}{}{}",
                    template.prefix,
                    "X".repeat(template.letters),
                    template.suffix
                );
                let text = format!(
                    "failed to create {kind} via template '{shown}': {}",
                    reason(&error)
                );
                return quietly(&tool, &given, &text).await;
            }
            tool.print(name + "\n").await?;
            return Ok(OK);
        }
        quietly(&tool, &given, "too many attempts").await
    }
}

async fn quietly(tool: &Tool<'_>, given: &Given, wrong: &str) -> Result<CommandStatus> {
    if given.has('q') {
        return Ok(CommandStatus::with_code(1));
    }
    tool.fail(1, wrong).await
}

async fn make(tool: &Tool<'_>, path: &std::path::Path, folder: bool) -> Result<()> {
    if folder {
        tool.ctx.fs.mkdir(path, false).await?;
        return tool.ctx.fs.chmod(path, 0o700).await;
    }
    tool.ctx.fs.write_file(path, b"").await?;
    tool.ctx.fs.chmod(path, 0o600).await
}

fn template(given: &Given, tmpdir: Option<&str>) -> std::result::Result<Template, String> {
    let tmpdir = tmpdir.filter(|folder| !folder.is_empty());
    let text = match &given.operands[..] {
        [] => "tmp.XXXXXXXXXX",
        [text] => text,
        _ => return Err("too many templates".to_owned()),
    };
    let asked = given
        .value('p')
        .or(given.value('T'))
        .filter(|folder| !folder.is_empty());
    let in_folder = given.operands.is_empty() || ['p', 'T', 't'].into_iter().any(|o| given.has(o));
    let folder = if given.has('t') {
        tmpdir.or(asked)
    } else {
        asked.or(tmpdir)
    }
    .unwrap_or("/tmp");
    let suffix = given.value('s');
    if suffix.is_some_and(|suffix| suffix.contains('/')) {
        return Err("invalid suffix, contains directory separator".to_owned());
    }
    if suffix.is_some() && !text.ends_with('X') {
        return Err(format!("with --suffix, template '{text}' must end in X"));
    }
    let end = text.rfind('X').map_or(0, |at| at + 1);
    let (body, after) = text.split_at(end);
    let letters = body.bytes().rev().take_while(|byte| *byte == b'X').count();
    if letters < LEAST {
        return Err(format!("too few X's in template '{text}'"));
    }
    if in_folder && text.starts_with('/') {
        return Err(format!(
            "invalid template, '{text}'; with --tmpdir, it may not be absolute"
        ));
    }
    let stem = &body[..body.len() - letters];
    Ok(Template {
        prefix: if in_folder {
            format!("{}/{stem}", folder.trim_end_matches('/'))
        } else {
            stem.to_owned()
        },
        letters,
        suffix: suffix.unwrap_or(after).to_owned(),
    })
}

fn letters(count: usize) -> Option<String> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).ok()?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    Some(bytes.iter().map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, Template, template};

    fn read(args: &[&str]) -> Result<Template, String> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        template(&KNOWN.read(&args).unwrap(), None)
    }

    #[test]
    fn a_template_is_relative_unless_a_folder_is_asked_for() {
        assert_eq!(read(&["a.XXXX.txt"]).unwrap().prefix, "a.");
        assert_eq!(read(&["-t", "a.XXX"]).unwrap().prefix, "/tmp/a.");
        assert_eq!(read(&["-p", "/x/", "aXXX"]).unwrap().prefix, "/x/a");
        assert_eq!(read(&[]).unwrap().prefix, "/tmp/tmp.");
    }

    #[test]
    fn a_template_needs_three_letters_at_its_end() {
        assert_eq!(read(&["aXX"]).unwrap_err(), "too few X's in template 'aXX'");
        assert_eq!(read(&["a.XXX.b"]).unwrap().suffix, ".b");
        assert_eq!(read(&["--suffix=.b", "a.XXX"]).unwrap().suffix, ".b");
    }
}
