//! `jq` for plain filters, in a hundredth of the time.
//!
//! The interpreter's `jq` reads its whole library at every call, which is most of
//! the cost of a short hook. Filters made of paths, `//`, `,`, `|`, literals,
//! variables and constructors are answered here; for everything else, errors
//! included, the call goes on to the interpreter's. Both must agree: the tests
//! ask both.

mod arguments;
mod filter;
mod json;
mod print;
mod syntax;

#[cfg(test)]
mod tests;

use arguments::Arguments;
use bashkit::{
    Builtin, BuiltinContext, BuiltinRegistry, ExecResult, ExecutionPlan, Result, StreamData,
    SubCommand, async_trait,
};
use filter::{Filter, Stop};
use json::Value;
use std::path::Path;
use std::sync::Arc;

/// The path under which the interpreter's own `jq` stays reachable.
const FULL: &str = "/usr/bin/jq";
/// Bytes of input up to which a filter is answered here.
const INPUT_MAX: usize = 4 << 20;

struct Jq;

/// A registry with our `jq`, which is asked before the interpreter's commands.
pub(crate) fn registry() -> BuiltinRegistry {
    let registry = BuiltinRegistry::new();
    registry.insert("jq", Arc::new(Jq));
    registry
}

#[async_trait]
impl Builtin for Jq {
    async fn execution_plan(&self, ctx: &BuiltinContext<'_>) -> Result<Option<ExecutionPlan>> {
        if answer(ctx).await.is_some() {
            return Ok(None);
        }
        let full = SubCommand {
            name: FULL.to_owned(),
            args: ctx.args.to_vec(),
            stdin: ctx.stdin.cloned(),
            assignments: Vec::new(),
        };
        Ok(Some(ExecutionPlan::Batch {
            commands: vec![full],
        }))
    }

    async fn execute(&self, ctx: BuiltinContext<'_>) -> Result<ExecResult> {
        // The plan found an answer to the same arguments and input just now.
        match answer(&ctx).await {
            Some((stdout, exit_code)) => Ok(ExecResult {
                stdout: StreamData::from(stdout),
                exit_code,
                ..ExecResult::default()
            }),
            None => Ok(ExecResult::err("jq: input changed while it was read\n", 2)),
        }
    }
}

/// Output and exit status, if this call is one for us.
async fn answer(ctx: &BuiltinContext<'_>) -> Option<(String, i32)> {
    let arguments = Arguments::read(ctx.args)?;
    let filter = syntax::parse(arguments.filter)?;
    let mut inputs = Vec::new();
    if arguments.null_input {
        inputs.push(Value::Null);
    } else {
        let text = input(ctx, &arguments.files).await?;
        json::values(&text, &mut inputs)?;
        if arguments.slurp {
            inputs = vec![Value::Array(inputs)];
        }
    }
    evaluate(&filter, &inputs, &arguments)
}

async fn input(ctx: &BuiltinContext<'_>, files: &[&str]) -> Option<Vec<u8>> {
    if files.is_empty() {
        let stdin = ctx.stdin.map_or(&[][..], StreamData::as_bytes);
        return (stdin.len() <= INPUT_MAX).then(|| stdin.to_vec());
    }
    let mut text = Vec::new();
    for file in files {
        // Devices and descriptors are left to the interpreter.
        if file.starts_with("/dev") || file.starts_with("/proc") || *file == "-" {
            return None;
        }
        text.extend(
            ctx.fs
                .read_file(&ctx.cwd.join(Path::new(file)))
                .await
                .ok()?,
        );
        text.push(b'\n');
        if text.len() > INPUT_MAX {
            return None;
        }
    }
    Some(text)
}

fn evaluate(filter: &Filter, inputs: &[Value], arguments: &Arguments<'_>) -> Option<(String, i32)> {
    let mut text = String::new();
    let mut last = None;
    for value in inputs {
        let mut outputs = Vec::new();
        match filter.run(value, &arguments.variables, &mut outputs) {
            Ok(()) => {}
            Err(Stop::Error | Stop::Foreign) => return None,
        }
        for output in outputs {
            print::print(&output, arguments.form, &mut text)?;
            last = Some(output.is_true());
        }
    }
    let status = match (arguments.exit_status, last) {
        (false, _) | (true, Some(true)) => 0,
        (true, Some(false)) => 1,
        (true, None) => 4,
    };
    Some((text, status))
}
