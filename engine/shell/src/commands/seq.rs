//! `seq`: numbers from first to last, without a cap on how many.
//!
//! Decimal operands are counted exactly, as integers scaled by their digits.

mod number;

use super::options::Options;
use super::tool::{OK, Tool};
use bashkit::{Command, CommandContext, CommandStatus, Result, async_trait};
use number::Number;

/// Bytes gathered before they are written.
const BLOCK: usize = 4096;

pub(super) struct Seq;

const KNOWN: Options = Options {
    short: "ws:f:",
    long: &[("equal-width", 'w'), ("separator=", 's'), ("format=", 'f')],
};

/// What to print: the terms and their form.
struct Plan {
    first: i128,
    step: i128,
    last: i128,
    /// Digits after the point in every term.
    scale: usize,
    /// Least width, filled with zeros.
    width: usize,
    separator: String,
    /// Text before and after each term.
    around: (String, String),
}

#[async_trait]
impl Command for Seq {
    async fn execute(&self, ctx: CommandContext<'_>) -> Result<CommandStatus> {
        let tool = Tool::new(ctx);
        match plan(tool.ctx.args) {
            Ok(plan) => print(&tool, &plan).await,
            Err(wrong) => tool.fail(1, &wrong).await,
        }
    }
}

/// Options end where a number begins, so that `seq -5 -1` counts.
fn split(args: &[String]) -> (&[String], &[String]) {
    let is_number = |arg: &String| Number::parse(arg).is_some();
    let mut at = 0;
    while at < args.len() && !is_number(&args[at]) {
        if args[at] == "--" {
            return (&args[..at], &args[at + 1..]);
        }
        let takes_next = matches!(args[at].as_str(), "-s" | "-f" | "--separator" | "--format");
        at += if takes_next { 2 } else { 1 };
    }
    args.split_at(at.min(args.len()))
}

fn plan(args: &[String]) -> std::result::Result<Plan, String> {
    let (options, numbers) = split(args);
    let given = KNOWN.read(options)?;
    if let Some(operand) = given.operands.first() {
        return Err(format!("invalid floating point argument: '{operand}'"));
    }
    let read = |text: &String| {
        Number::parse(text).ok_or_else(|| format!("invalid floating point argument: '{text}'"))
    };
    let numbers: Vec<Number> = numbers
        .iter()
        .map(read)
        .collect::<std::result::Result<_, _>>()?;
    let one = Number::ONE;
    let (first, step, last) = match numbers[..] {
        [last] => (one, one, last),
        [first, last] => (first, one, last),
        [first, step, last] => (first, step, last),
        [] => return Err("missing operand".to_owned()),
        _ => return Err(format!("extra operand '{}'", args[args.len() - 1])),
    };
    if step.units == 0 {
        return Err("invalid Zero increment value: '0'".to_owned());
    }
    let format = given.value('f').map(number::format).transpose()?;
    let exact = first.scale.max(step.scale).max(last.scale);
    let shown = first.scale.max(step.scale);
    let scale = format.as_ref().and_then(|f| f.scale).unwrap_or(shown);
    let exact = exact.max(scale);
    let at = |number: Number| number.at_scale(exact).ok_or("numbers are too long");
    let mut plan = Plan {
        first: at(first)?,
        step: at(step)?,
        last: at(last)?,
        scale: exact,
        width: 0,
        separator: given.value('s').unwrap_or("\n").to_owned(),
        around: (String::new(), String::new()),
    };
    plan.shorten(scale);
    if given.has('w') {
        plan.width = plan.term(plan.first).len().max(plan.term(plan.last).len());
    }
    if let Some(format) = format {
        plan.width = format.width;
        plan.around = format.around;
    }
    Ok(plan)
}

impl Plan {
    /// Prints with `scale` digits although the limit may have more.
    fn shorten(&mut self, scale: usize) {
        let cut = 10_i128.pow(u32::try_from(self.scale - scale).unwrap_or(0));
        if cut == 1 || self.first % cut != 0 || self.step % cut != 0 {
            return;
        }
        self.first /= cut;
        self.step /= cut;
        self.last = self.last.div_euclid(cut) + i128::from(self.step < 0 && self.last % cut != 0);
        self.scale = scale;
    }

    fn goes_on(&self, term: i128) -> bool {
        if self.step > 0 {
            term <= self.last
        } else {
            term >= self.last
        }
    }

    fn term(&self, term: i128) -> String {
        number::show(term, self.scale, self.width)
    }
}

async fn print(tool: &Tool<'_>, plan: &Plan) -> Result<CommandStatus> {
    let mut term = plan.first;
    let mut block = String::with_capacity(BLOCK + 64);
    if !plan.goes_on(term) {
        return Ok(OK);
    }
    loop {
        block.push_str(&plan.around.0);
        if plan.scale == 0 && plan.width == 0 {
            let _ = std::fmt::Write::write_fmt(&mut block, format_args!("{term}"));
        } else {
            block.push_str(&plan.term(term));
        }
        block.push_str(&plan.around.1);
        term += plan.step;
        if !plan.goes_on(term) {
            break;
        }
        block.push_str(&plan.separator);
        if block.len() >= BLOCK {
            tool.print(&block).await?;
            block.clear();
        }
    }
    block.push('\n');
    tool.print(&block).await?;
    Ok(OK)
}
