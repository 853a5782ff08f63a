//! `date`: shows the time, or a time that is given in words.
//!
//! Zones are UTC and fixed offsets; the clock cannot be set.

mod civil;
mod format;
mod parse;
mod words;
mod zone;

use super::options::{Given, Options};
use super::tool::{OK, Tool, reason};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use civil::Moment;
use format::Shown;
use std::time::{SystemTime, UNIX_EPOCH};
use zone::Zone;

pub(super) struct Date;

const KNOWN: Options = Options {
    short: "d:f:r:us:R",
    long: &[
        ("date=", 'd'),
        ("file=", 'f'),
        ("iso-8601=?", 'I'),
        ("reference=", 'r'),
        ("rfc-3339=", '3'),
        ("rfc-email", 'R'),
        ("rfc-2822", 'R'),
        ("set=", 's'),
        ("utc", 'u'),
        ("universal", 'u'),
        ("uct", 'u'),
    ],
};

#[async_trait]
impl Command for Date {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        // `-I` takes its value joined or not at all, which only it does.
        let args: Vec<String> = tool.ctx.args.iter().map(|arg| joined(arg)).collect();
        let given = match KNOWN.read(&args) {
            Ok(given) => given,
            Err(wrong) => return tool.fail(1, &wrong).await,
        };
        if given.has('s') {
            return tool
                .fail(1, "cannot set date: Operation not permitted")
                .await;
        }
        let format = match form(&given) {
            Ok(format) => format,
            Err(wrong) => return tool.fail(1, &wrong).await,
        };
        let zone = match tool.ctx.env.get("TZ") {
            Some(name) if !given.has('u') => Zone::from_tz(name),
            _ => Zone::utc(),
        };
        show(&tool, &given, &format, &zone).await
    }
}

fn joined(arg: &str) -> String {
    match arg.strip_prefix("-I") {
        Some("") => "--iso-8601".to_owned(),
        Some(value) => format!("--iso-8601={value}"),
        None => arg.to_owned(),
    }
}

/// The format that the options and the operand ask for.
fn form(given: &Given) -> std::result::Result<String, String> {
    let seconds = |value: Option<&str>, between: &str| match value.unwrap_or("date") {
        "date" => Ok("%Y-%m-%d".to_owned()),
        "hours" => Ok(format!("%Y-%m-%d{between}%H%:z")),
        "minutes" => Ok(format!("%Y-%m-%d{between}%H:%M%:z")),
        "seconds" => Ok(format!("%Y-%m-%d{between}%H:%M:%S%:z")),
        "ns" if between == " " => Ok("%Y-%m-%d %H:%M:%S.%N%:z".to_owned()),
        "ns" => Ok("%Y-%m-%dT%H:%M:%S,%N%:z".to_owned()),
        other => Err(format!("invalid argument '{other}'")),
    };
    let mut format = None;
    for operand in &given.operands {
        match operand.strip_prefix('+') {
            Some(_) if format.is_some() => return Err(format!("extra operand '{operand}'")),
            Some(text) => format = Some(text.to_owned()),
            None if operand
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.') =>
            {
                return Err("cannot set date: Operation not permitted".to_owned());
            }
            None => return Err(format!("invalid date '{operand}'")),
        }
    }
    if let Some(format) = format {
        return Ok(format);
    }
    if given.has('I') {
        return seconds(given.value('I'), "T");
    }
    if given.has('3') {
        return seconds(given.value('3'), " ");
    }
    Ok(if given.has('R') {
        "%a, %d %b %Y %H:%M:%S %z".to_owned()
    } else {
        "%a %b %e %H:%M:%S %Z %Y".to_owned()
    })
}

async fn show(tool: &Tool<'_>, given: &Given, format: &str, zone: &Zone) -> Result<CommandStatus> {
    let now = moment(SystemTime::now());
    if let Some(file) = given.value('r') {
        let found = tool.ctx.fs.stat(&tool.path(file)).await;
        return match found {
            Ok(found) => {
                let shown = Shown::new(moment(found.modified), zone);
                tool.print(shown.format(format) + "\n").await?;
                Ok(OK)
            }
            Err(error) => tool.fail(1, &format!("{file}: {}", reason(&error))).await,
        };
    }
    let texts = match (given.value('d'), given.value('f')) {
        (Some(text), _) => vec![text.to_owned()],
        (None, Some(file)) => match tool.read(file).await {
            Ok(bytes) => String::from_utf8_lossy(&bytes)
                .lines()
                .map(str::to_owned)
                .collect(),
            Err(error) => return tool.fail(1, &format!("{file}: {}", reason(&error))).await,
        },
        (None, None) => vec!["now".to_owned()],
    };
    let mut status = OK;
    for text in texts {
        match parse::moment(&text, now, zone) {
            Some(moment) => {
                tool.print(Shown::new(moment, zone).format(format) + "\n")
                    .await?
            }
            None => status = tool.fail(1, &format!("invalid date '{text}'")).await?,
        }
    }
    Ok(status)
}

fn moment(time: SystemTime) -> Moment {
    let (seconds, nanos) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (since.as_secs(), since.subsec_nanos()),
        Err(_) => (0, 0),
    };
    Moment {
        seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
        nanos,
    }
}

/// A time of the file system, ready to be shown in UTC.
pub(super) struct Stamp(pub(super) SystemTime);

impl Stamp {
    /// Fills in a format of `date`.
    pub(super) fn format(&self, format: &str) -> String {
        Shown::new(moment(self.0), &Zone::utc()).format(format)
    }
}
