//! `sleep`: waits for the given time; the interpreter's own wakes after a
//! minute. The engine's deadline is the only bound.

use super::tool::{OK, Tool};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use std::time::Duration;

/// Longer than any run: an interval that does not fit into a duration sleeps this long.
const FOR_EVER: Duration = Duration::from_secs(1 << 31);

pub(super) struct Sleep;

#[async_trait]
impl Command for Sleep {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        let operands = match tool.ctx.args {
            [first, rest @ ..] if first == "--" => rest,
            all => all,
        };
        if operands.is_empty() {
            return tool.fail(1, "missing operand").await;
        }
        let mut seconds = 0.0;
        for operand in operands {
            match interval(operand) {
                Some(more) => seconds += more,
                None => {
                    let wrong = format!("invalid time interval '{operand}'");
                    return tool.fail(1, &wrong).await;
                }
            }
        }
        let time = Duration::try_from_secs_f64(seconds).unwrap_or(FOR_EVER);
        tokio::time::sleep(time.min(FOR_EVER)).await;
        Ok(OK)
    }
}

/// The seconds in `1.5`, `10s`, `2m`, `1h` or `1d`.
fn interval(text: &str) -> Option<f64> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, text.as_bytes().last()),
        None => (text, None),
    };
    let unit = match unit {
        Some(b'm') => 60.0,
        Some(b'h') => 3_600.0,
        Some(b'd') => 86_400.0,
        _ => 1.0,
    };
    let number: f64 = number.parse().ok()?;
    (number >= 0.0).then_some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units() {
        assert_eq!(interval("0.5"), Some(0.5));
        assert_eq!(interval("2m"), Some(120.0));
        assert_eq!(interval("1h"), Some(3_600.0));
        assert_eq!(interval("infinity"), Some(f64::INFINITY));
        for wrong in ["", "s", "-1", "1w", "nan", "one"] {
            assert_eq!(interval(wrong), None, "{wrong}");
        }
    }
}
