//! The one binary. It alone reads the environment, the command line and the
//! files that an operator names; everything else is given what it needs.

mod account;
mod args;
mod check;
mod client;
mod code_cache;
mod compiler;
mod faults;
mod limit_flags;
mod logging;
mod neutral;
mod principal;
mod program_file;
mod quantity;
mod run;
mod say;
mod serve;
mod signals;
mod table;
mod token;

use std::process::ExitCode;

use crate::args::Command;

fn main() -> ExitCode {
    if let Some(ended) = compiler::serve() {
        return ended;
    }
    let args = args::read();
    match args.command {
        Command::Run(run) => run::main(run, args.log.as_deref()),
        Command::Check(check) => check::main(&check, args.log.as_deref()),
        Command::Serve(serve) => serve::main(serve, args.log.as_deref()),
        Command::Account(account) => account::main(&account, args.log.as_deref()),
        Command::Principal(principal) => principal::main(&principal, args.log.as_deref()),
        Command::Token(token) => token::main(&token, args.log.as_deref()),
    }
}
