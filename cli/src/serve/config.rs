//! The server's configuration: its flags, checked once, with all faults reported at once.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use tenterhook_delivery as delivery;
use tenterhook_dispatch as dispatch;
use tenterhook_engine as engine;
use tenterhook_ledger::{Capacities, Capacity, Ledger};
use tenterhook_maintenance as maintenance;
use tracing_subscriber::EnvFilter;

use super::ServeArgs;
use super::capacity::{CapacityOverrides, Resources};
use super::data_dir::DataDir;
use super::database::{DatabaseUrl, NewDatabase};
use super::grace;
use super::owner::OwnerToken;
use crate::compiler;
use crate::faults::Faults;
use crate::logging::{self, LogFormat};

/// The data folder unless another is named.
pub(crate) const DEFAULT_DATA: &str = "tenterhook-data";
const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// How the croit interface shows when a task started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CroitTimes {
    /// An integer, milliseconds since 1970, as older croit versions do.
    EpochMillis,
    /// Text such as `2026-03-10T16:15:50Z`, as newer croit versions do.
    Iso8601,
}

/// How the Nova interface responds when it could accept none of a request's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NovaAllFailed {
    /// 404 for the request, as Nova did before 2019-12.
    Seed,
    /// 207 with the result of each event, as Nova has done since.
    Modern,
}

/// The server's configuration.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) data: PathBuf,
    pub(super) listen: String,
    pub(super) health_listen: Option<String>,
    pub(super) door: tenterhook_api::Door,
    pub(super) proxies: tenterhook_api::Proxies,
    pub(super) cors_origins: tenterhook_api::CorsOrigins,
    pub(super) database: DatabaseUrl,
    pub(super) log: EnvFilter,
    pub(super) log_format: LogFormat,
    pub(super) croit_times: tenterhook_api::CroitTimes,
    pub(super) nova_rules: tenterhook_api::NovaRules,
    pub(super) owner_token: OwnerToken,
    pub(super) dispatch: dispatch::Settings,
    pub(super) delivery: delivery::Settings,
    pub(super) maintenance: maintenance::Settings,
    pub(super) lockdown: engine::Lockdown,
    pub(super) capacity: CapacityOverrides,
    pub(super) run_slots: Capacity,
    pub(super) stack: engine::GuestStack,
    pub(super) new_database: NewDatabase,
    pub(super) grace: Duration,
    threads: Option<usize>,
    compile: engine::CompileLimits,
    code_bytes: Option<u64>,
}

impl Config {
    /// Checks every flag.
    pub(super) fn read(args: ServeArgs, log: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let log = faults.check("--log", logging::parse_filter(log, "info"));
        let database = faults.check("--database", DatabaseUrl::parse(args.database.as_deref()));
        let listen = args.listen.unwrap_or_else(|| DEFAULT_LISTEN.into());
        let listen = faults.check("--listen", parse_address(listen));
        let door = args.front_door.door(&mut faults);
        let proxies = args.front_door.proxies(&mut faults);
        let cors_origins = args.front_door.cors_origins(&mut faults);
        let health_listen = args.front_door.health_listen;
        let health_listen = health_listen
            .and_then(|address| faults.check("--health-listen", parse_address(address)));
        let ceiling = args.ceiling.read(&mut faults);
        let threads = args.bounds.threads(&mut faults);
        let compile = args.bounds.compile(&mut faults);
        let run_slots = args.bounds.run_slots(&mut faults);
        let stack = args.bounds.stack(&mut faults);
        let code_bytes = args.bounds.code_bytes(&mut faults);
        let mut dispatch = args.bounds.settings(ceiling, &mut faults);
        dispatch.trust_clock = args.trust_clock;
        let grace = faults.check("--grace", grace::parse(args.grace.as_deref()));
        let capacity = args.capacity.read(&mut faults);
        let maintenance = args.maintenance.read(&mut faults);
        match (log, database, listen) {
            (Some(log), Some(database), Some(listen)) => faults.none().map(|()| Self {
                data: args.data_dir.unwrap_or_else(|| DEFAULT_DATA.into()),
                listen,
                health_listen,
                door,
                proxies,
                cors_origins,
                database,
                log,
                log_format: args.log_format.unwrap_or_default(),
                croit_times: match args.croit_times {
                    None | Some(CroitTimes::EpochMillis) => tenterhook_api::CroitTimes::EpochMillis,
                    Some(CroitTimes::Iso8601) => tenterhook_api::CroitTimes::Iso8601,
                },
                nova_rules: match args.nova_all_failed {
                    None | Some(NovaAllFailed::Seed) => tenterhook_api::NovaRules::Seed,
                    Some(NovaAllFailed::Modern) => tenterhook_api::NovaRules::Modern,
                },
                owner_token: if args.new_owner_token {
                    OwnerToken::Renew
                } else {
                    OwnerToken::Keep
                },
                dispatch,
                delivery: delivery::Settings {
                    destinations: if args.webhook_private_addresses {
                        delivery::Destinations::All
                    } else {
                        delivery::Destinations::Public
                    },
                    ..delivery::Settings::default()
                },
                maintenance,
                lockdown: if args.no_lockdown {
                    engine::Lockdown::Off
                } else {
                    engine::Lockdown::On
                },
                new_database: if args.new_database {
                    NewDatabase::Requested
                } else {
                    NewDatabase::OnlyIfUnused
                },
                grace: grace.unwrap_or_default(),
                capacity,
                run_slots,
                stack,
                threads,
                compile,
                code_bytes,
            }),
            _ => Err(faults),
        }
    }

    /// The engine's settings, with its folders in the data folder.
    pub(super) fn engine(
        &self,
        data: &DataDir,
        resources: &Resources,
        capacities: Capacities,
    ) -> anyhow::Result<engine::Settings> {
        let default = engine::Settings::default();
        data.remove_scratch()?;
        let ledger = Ledger::new(capacities);
        Ok(engine::Settings {
            cache: Some(engine::CodeCache {
                folder: data.prepare_code()?,
                key: data.code_key(),
                bytes: self
                    .code_bytes
                    .unwrap_or_else(|| engine::CodeCache::default_bytes(&ledger)),
            }),
            sandboxes: resources.sandboxes(),
            threads: self.threads.unwrap_or(default.threads),
            stack: self.stack,
            compiler: compiler::command_line(),
            compile_limits: self.compile,
            lockdown: self.lockdown,
            ledger,
        })
    }
}

/// Checks what can be checked without the network: that there is a port.
fn parse_address(address: String) -> Result<String, &'static str> {
    let port = address
        .rsplit_once(':')
        .map(|(host, port)| (host.is_empty(), port.parse::<u16>()));
    match port {
        Some((false, Ok(_))) => Ok(address),
        _ => Err("must be an address and a port, such as 127.0.0.1:8080 or [::]:8080"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Command};

    fn config(line: &[&str]) -> Result<Config, Faults> {
        let line = ["tenterhook", "serve"].iter().chain(line);
        let Command::Serve(args) = Args::try_parse_from(line).unwrap().command else {
            panic!("not `serve`");
        };
        Config::read(*args, None)
    }

    #[test]
    fn no_configuration_is_needed() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listen, "127.0.0.1:8080");
        assert_eq!(config.data, PathBuf::from("tenterhook-data"));
        assert_eq!(config.database, DatabaseUrl::InDataFolder);
        assert_eq!(config.dispatch, dispatch::Settings::default());
        assert_eq!(config.delivery, delivery::Settings::default());
    }

    #[test]
    fn the_nova_rules_can_be_chosen() {
        let rules = |line: &[&str]| config(line).unwrap().nova_rules;
        assert_eq!(rules(&[]), tenterhook_api::NovaRules::Seed);
        for (text, meant) in [
            ("seed", tenterhook_api::NovaRules::Seed),
            ("modern", tenterhook_api::NovaRules::Modern),
        ] {
            assert_eq!(rules(&["--nova-all-failed", text]), meant);
        }
    }

    #[test]
    fn each_flag_changes_its_own_setting() {
        let config = config(&[
            "--concurrency",
            "8",
            "--account-concurrency",
            "2",
            "--max-memory",
            "32MiB",
            "--max-module",
            "1MiB",
            "--stack",
            "2MiB",
            "--keep",
            "7d",
            "--keep-bytes",
            "1GiB",
            "--remember-events",
            "2d",
            "--max-executions",
            "100",
            "--max-compile-time",
            "5s",
            "--max-compile-memory",
            "1GiB",
            "--code-cache",
            "2GiB",
            "--webhook-private-addresses",
        ])
        .unwrap();
        assert_eq!(
            config.run_slots,
            Capacity::of(8).with_certain(1).with_each(2)
        );
        assert_eq!(config.dispatch.ceiling.memory, 32 << 20);
        assert_eq!(
            config.dispatch.default_limits.memory,
            32 << 20,
            "a default is held to the ceiling"
        );
        assert_eq!(config.dispatch.module_bytes, 1 << 20);
        assert_eq!(config.stack.bytes(), 2 << 20);
        assert_eq!(config.dispatch.retention.age.as_secs(), 7 * 24 * 60 * 60);
        assert_eq!(config.dispatch.retention.bytes_per_account, 1 << 30);
        assert_eq!(
            config.dispatch.retention.event_horizon.as_secs(),
            2 * 24 * 60 * 60
        );
        assert_eq!(config.dispatch.executions_per_request, 100);
        assert_eq!(
            config.dispatch.executions_per_event, 100,
            "it cannot be above the whole"
        );
        assert_eq!(config.compile.cpu_for(32 << 20).as_secs(), 5);
        assert_eq!(config.compile.memory, 1 << 30);
        assert_eq!(config.code_bytes, Some(2 << 30));
        assert_eq!(config.delivery.destinations, delivery::Destinations::All);
    }

    #[test]
    fn all_invalid_flags_are_reported_at_once() {
        let message = config(
            &[
                "--listen",
                "8080",
                "--health-listen",
                "9090",
                "--trusted-proxy",
                "here",
                "--database",
                "postgres://db/hooks",
                "--concurrency",
                "0",
                "--threads",
                "many",
                "--max-fuel",
                "1T",
                "--max-module",
                "129MiB",
                "--stack",
                "63KiB",
                "--max-compile-time",
                "1500ms",
                "--max-compile-memory",
                "1MiB",
                "--code-cache",
                "63MiB",
                "--account-concurrency",
                "65",
                "--keep",
                "soon",
                "--keep-tasks",
                "-1",
                "--host-memory",
                "64MiB",
                "--host-descriptors",
                "100",
                "--max-disk",
                "some",
            ]
            .map(|word| if word == "-1" { "none" } else { word }),
        )
        .unwrap_err()
        .to_string();
        for flag in [
            "--listen",
            "--health-listen",
            "--trusted-proxy",
            "--database",
            "--concurrency",
            "--threads",
            "--max-fuel",
            "--max-module",
            "--stack",
            "--max-compile-time",
            "--max-compile-memory",
            "--code-cache",
            "--account-concurrency",
            "--keep",
            "--keep-tasks",
            "--host-memory",
            "--host-descriptors",
            "--max-disk",
        ] {
            assert!(message.contains(&format!("`{flag}` ")), "{flag}: {message}");
        }
    }
}
