//! `tenterhook serve`: the whole product in one process, from one data folder.
//!
//! Nothing needs to be configured: the first start creates the folder, its database, the
//! operator's account and a token for it.

mod address;
mod bounds;
mod capacity;
mod config;
mod data_dir;
mod database;
mod disk;
mod files;
mod front_door;
mod grace;
mod listen;
mod lock;
mod lockdown;
mod maintenance;
mod notify;
mod owner;
mod stored;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use clap::builder::FalseyValueParser;
use tenterhook_delivery::{Destinations, Surroundings, Webhooks};
use tenterhook_dispatch::Dispatcher;
use tenterhook_engine::Engine;
use tenterhook_ledger::Host;
use tenterhook_maintenance::Maintenance;
use tokio::time::Instant;

pub(crate) use self::address::ADDRESS_FILE;
use self::bounds::{BoundFlags, CeilingFlags};
use self::capacity::{CapacityFlags, Resources, limits_here};
use self::config::Config;
pub(crate) use self::config::DEFAULT_DATA;
use self::data_dir::DataDir;
pub(crate) use self::data_dir::{LOCK_FILE, OWNER_TOKEN_FILE};
use self::front_door::FrontDoorFlags;
use self::grace::Grace;
use self::maintenance::RawMaintenance;
use self::notify::Notify;
pub(crate) use self::stored::{StorageFlags, restore_into};
use crate::logging::{self, LogFormat};
use crate::say::{say, say_error};
use crate::signals::Signals;

/// Starts the server. No configuration is needed.
///
/// The first start creates the data folder, its database, the operator's account and a
/// token for it, which is stored in `owner.token` there, and shown once if standard error
/// is a terminal. The line `listening on http://ADDR` on standard error says that the
/// server is ready.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Folder for everything that the server stores [default: ./tenterhook-data].
    #[arg(long, value_name = "DIR", env = "TENTERHOOK_DATA")]
    data_dir: Option<std::path::PathBuf>,
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", env = "TENTERHOOK_LISTEN")]
    listen: Option<String>,
    /// Database, such as `sqlite:/var/lib/hooks.db` [default: a file in the data
    /// folder].
    #[arg(long, value_name = "URL", env = "TENTERHOOK_DATABASE")]
    database: Option<String>,
    /// Format of the log.
    #[arg(long, value_name = "FORMAT", env = "TENTERHOOK_LOG_FORMAT")]
    log_format: Option<LogFormat>,
    /// How the croit interface shows when a task started [default: epoch-millis].
    #[arg(long, value_name = "FORM", env = "TENTERHOOK_CROIT_TIMES")]
    croit_times: Option<config::CroitTimes>,
    /// How the Nova interface responds when it could accept none of a request's
    /// events [default: seed].
    #[arg(long, value_name = "RULES", env = "TENTERHOOK_NOVA_ALL_FAILED")]
    nova_all_failed: Option<config::NovaAllFailed>,
    /// Issue a new owner token in place of the one that was lost.
    #[arg(long)]
    new_owner_token: bool,
    /// Start with a new, empty database although the data folder has been used. Nothing
    /// that the old one held is available, and a new owner token is issued.
    #[arg(long)]
    new_database: bool,
    /// Trust the clock although it is far ahead of what earlier runs have seen: what is
    /// old by it may be removed.
    #[arg(long)]
    trust_clock: bool,
    /// Time from the first signal to the end of the process; hooks that are still running
    /// then are run again by the next start [default: 25s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_GRACE")]
    grace: Option<String>,
    /// Keep every right that the process was started with, for a kernel or a tracer that
    /// needs them. The sandboxes stay; the protection behind them is lost.
    #[arg(long, env = "TENTERHOOK_NO_LOCKDOWN", value_parser = FalseyValueParser::new())]
    no_lockdown: bool,
    /// Send webhooks to private addresses too: loopback, link-local, and those of the
    /// network that the server is in. Anyone who may create webhooks can then reach what
    /// the server reaches.
    #[arg(long, env = "TENTERHOOK_WEBHOOK_PRIVATE_ADDRESSES", value_parser = FalseyValueParser::new())]
    webhook_private_addresses: bool,
    #[command(flatten)]
    front_door: FrontDoorFlags,
    #[command(flatten)]
    bounds: BoundFlags,
    #[command(flatten)]
    capacity: CapacityFlags,
    #[command(flatten)]
    ceiling: CeilingFlags,
    #[command(flatten)]
    maintenance: RawMaintenance,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: ServeArgs, log: Option<&str>) -> ExitCode {
    let config = match Config::read(args, log) {
        Ok(config) => config,
        Err(faults) => {
            say(faults);
            return ExitCode::from(2);
        }
    };
    logging::start(config.log_format, config.log.clone());
    let data = config.data.clone();
    match serve(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&disk::explain(database::explain(error), &data));
            ExitCode::FAILURE
        }
    }
}

/// Acquires what needs rights, drops the rights, and only then starts the threads that
/// serve: a thread inherits the rights of the thread that starts it.
fn serve(mut config: Config) -> anyhow::Result<()> {
    if !tenterhook_dispatch::is_in_range() {
        anyhow::bail!(
            "the clock of this machine is before 1970 or after 9999, which HTTP dates cannot express: \
             set it right, then start again"
        );
    }
    // First, since a server that cannot listen must not touch anything.
    let listener = listen::listen(&config.listen)
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let health = listen::listen_for_health(config.health_listen.as_deref())?;
    let data = DataDir::open(&config.data)?;
    database::check(&config.database, &data, config.new_database)?;
    // Before lockdown, which may make the socket unreachable.
    let notify = Notify::connect(&notify::NotifyEnvironment::read())?;
    let resources = Resources::find(
        config.capacity,
        &Host::default(),
        data.path(),
        config.dispatch.module_bytes,
    )?;
    resources.log();
    let capacities = resources.capacities(config.run_slots, config.stack);
    let here = limits_here(&capacities, config.stack, &config.dispatch.ceiling);
    config.dispatch.fit(here);
    let engine = Engine::start(config.engine(&data, &resources, capacities)?)?;
    lockdown::apply(&engine, config.lockdown, &data, &config.database)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(tenterhook_api::serving_threads())
        .enable_all()
        .build()
        .context("cannot start the threads that serve")?;
    let served = runtime.block_on(serve_on(listener, health, config, data, engine, notify));
    // Work that is no longer awaited must not delay the exit.
    runtime.shutdown_background();
    served
}

async fn serve_on(
    listener: std::net::TcpListener,
    health: Option<std::net::TcpListener>,
    config: Config,
    data: DataDir,
    engine: Engine,
    notify: Notify,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let address = listener
        .local_addr()
        .context("cannot read the address of the listener")?;
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot listen")?;
    let store = database::open(&config.database, &data).await?;
    let dispatcher = Dispatcher::start(store.store, engine, config.dispatch.clone()).await?;
    owner::ensure(&dispatcher, &data, config.owner_token).await?;

    if config.delivery.destinations == Destinations::All {
        tracing::warn!(
            "WEBHOOKS TO PRIVATE ADDRESSES: anyone who may create webhooks can reach what \
             this server reaches (--webhook-private-addresses)"
        );
    }
    let surroundings = Surroundings {
        timepiece: dispatcher.timepiece(),
        disk: Arc::new(disk::AccountDisk(dispatcher.clone())),
        ledger: dispatcher.ledger().clone(),
    };
    let delivery =
        Webhooks::start_with(store.outbox, config.delivery.clone(), surroundings).await?;
    let maintenance = Maintenance::start(
        dispatcher.clone(),
        delivery.clone(),
        store.sessions,
        config.maintenance.clone(),
    )
    .await?;

    let app = tenterhook_api::App::new(dispatcher.clone(), maintenance.clone())
        .with_croit_times(config.croit_times)
        .with_nova_rules(config.nova_rules)
        .with_door(config.door)
        .with_proxies(config.proxies)
        .with_cors_origins(config.cors_origins);
    let _probes = listen::serve_health(health, &app)?;
    let _address_file = address::AddressFile::write(&data, address)?;
    say_ready(address);
    notify.ready();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let serving = tenterhook_api::serve(listener, app, async move {
        // It is sent below, or never.
        stopped.await.unwrap_or_else(|_| Instant::now())
    });
    let mut serving = std::pin::pin!(serving);
    let mut living = std::pin::pin!(notify.live(async || {
        // Takes the lock that all of the server's work needs.
        let _stats = dispatcher.stats();
    }));
    let signal = tokio::select! {
        ended = &mut serving => return ended.context("cannot serve any longer"),
        why = dispatcher.store_gone() => {
            dispatcher.note_leaving();
            anyhow::bail!("the database writer has ended, and nothing can be stored any more: {why}");
        }
        signal = signals.next() => signal,
        () = &mut living => unreachable!("it never ends"),
    };
    let grace = Grace::start(config.grace);
    tracing::info!(?signal, "stopping; a second signal stops at once");
    notify.stopping();
    let _served = stop.send(grace.for_work());
    let stop = grace::stop(&grace, serving, &dispatcher, &maintenance, &delivery);
    tokio::select! {
        stopped = stop => stopped?,
        signal = signals.next() => {
            dispatcher.note_leaving();
            tracing::warn!(?signal, "stopped at once; unfinished hooks are run again");
        }
        () = &mut living => unreachable!("it never ends"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Announces that the server is ready. Scripts wait for this exact line.
fn say_ready(address: std::net::SocketAddr) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "listening on http://{address}");
}
