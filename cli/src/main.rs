//! The one binary. It alone reads the environment, the command line and the files that an
//! operator names; all other crates are given what they need.

mod account;
mod amount;
mod args;
mod backup;
mod build;
mod cancel;
mod case;
mod check;
mod check_data;
mod client;
mod code_cache;
mod command;
mod compiler;
mod completion;
mod event;
mod execution;
mod executions;
mod faults;
mod fire;
mod guest_log;
mod hint;
mod interrupt;
mod limit_flags;
mod local_event;
mod logging;
mod logs;
mod man;
mod module_limit;
mod neutral;
mod new;
mod own_thread;
mod paint;
mod principal;
mod program_file;
mod project;
mod push;
mod quantity;
mod quote;
mod replay;
mod restore;
mod run;
mod say;
mod script_check;
mod serve;
mod signals;
mod spinner;
mod stack_limit;
mod stdin;
mod subject;
mod table;
mod test;
mod token;
mod top;

use std::process::ExitCode;

use crate::args::Command;

fn main() -> ExitCode {
    if let Some(status) = compiler::run_worker() {
        return status;
    }
    let args = args::read();
    match args.command {
        Command::New(new) => new::main(&new, args.log.as_deref()),
        Command::Build(build) => build::main(&build, args.log.as_deref()),
        Command::Event(event) => event::main(&event, args.log.as_deref()),
        Command::Test(test) => test::main(&test, args.log.as_deref()),
        Command::Push(push) => push::main(&push, args.log.as_deref()),
        Command::Fire(fire) => fire::main(&fire, args.log.as_deref()),
        Command::Logs(logs) => logs::main(&logs, args.log.as_deref()),
        Command::Executions(list) => executions::main(&list, args.log.as_deref()),
        Command::Replay(replay) => replay::main(&replay, args.log.as_deref()),
        Command::Case(case) => case::main(&case, args.log.as_deref()),
        Command::Quote(quote) => quote::main(&quote, args.log.as_deref()),
        Command::Top(top) => top::main(&top, args.log.as_deref()),
        Command::Cancel(cancel) => cancel::main(&cancel, args.log.as_deref()),
        Command::Completion(completion) => completion::main(&completion, args.log.as_deref()),
        Command::Man(man) => man::main(&man, args.log.as_deref()),
        Command::Run(run) => run::main(run, args.log.as_deref()),
        Command::Check(check) => check::main(&check, args.log.as_deref()),
        Command::Serve(serve) => serve::main(*serve, args.log.as_deref()),
        Command::Backup(backup) => backup::main(&backup, args.log.as_deref()),
        Command::Restore(restore) => restore::main(&restore, args.log.as_deref()),
        Command::CheckData(check) => check_data::main(&check, args.log.as_deref()),
        Command::Account(account) => account::main(&account, args.log.as_deref()),
        Command::Principal(principal) => principal::main(&principal, args.log.as_deref()),
        Command::Token(token) => token::main(&token, args.log.as_deref()),
    }
}
