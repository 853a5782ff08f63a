//! `tenterhook serve`: the whole product in one process, from one data folder.
//!
//! Nothing needs to be configured: a first start makes the folder, its database,
//! the operator's account and a token for it.

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
use tenterhook_delivery::{Delivery, Destinations, Surroundings};
use tenterhook_dispatch::Dispatcher;
use tenterhook_engine::Engine;
use tenterhook_ledger::Host;
use tenterhook_maintenance::Maintenance;
use tokio::time::Instant;

pub(crate) use self::address::ADDRESS_FILE;
pub(crate) use self::bounds::module_size;
use self::bounds::{RawBounds, RawCeiling};
use self::capacity::{RawCapacity, Resources, limits_here};
use self::config::Config;
pub(crate) use self::config::DEFAULT_DATA;
use self::data_dir::DataDir;
pub(crate) use self::data_dir::{LOCK_FILE, OWNER_TOKEN_FILE};
use self::front_door::RawFrontDoor;
use self::grace::Grace;
use self::maintenance::RawMaintenance;
use self::notify::Notify;
pub(crate) use self::stored::{Stored, restore_into};
use crate::logging::{self, LogFormat};
use crate::say::{say, say_error};
use crate::signals::Signals;

/// Starts the server. No configuration is needed.
///
/// The first start makes the data folder, its database, the operator's account
/// and a token for it, which is kept in `owner.token` there, and shown once if standard
/// error is a terminal. The line `listening on http://ADDR` on standard error says that the server is ready.
#[derive(Debug, Default, Args)]
pub(crate) struct Raw {
    /// Folder for everything that is kept [default: ./tenterhook-data].
    #[arg(long, value_name = "DIR", env = "TENTERHOOK_DATA")]
    data: Option<std::path::PathBuf>,
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", env = "TENTERHOOK_LISTEN")]
    listen: Option<String>,
    /// Database, such as `sqlite:/var/lib/hooks.db` [default: a file in the data
    /// folder].
    #[arg(long, value_name = "URL", env = "TENTERHOOK_DATABASE")]
    database: Option<String>,
    /// How the log looks.
    #[arg(long, value_name = "FORMAT", env = "TENTERHOOK_LOG_FORMAT")]
    log_format: Option<LogFormat>,
    /// How the croit interface says when a task started [default: epoch-millis].
    #[arg(long, value_name = "FORM", env = "TENTERHOOK_CROIT_TIMES")]
    croit_times: Option<config::CroitTimes>,
    /// How the Nova interface answers when it could accept none of a request's
    /// events [default: seed].
    #[arg(long, value_name = "RULES", env = "TENTERHOOK_NOVA_ALL_FAILED")]
    nova_all_failed: Option<config::NovaAllFailed>,
    /// Issue a new owner token in place of the one that was lost.
    #[arg(long)]
    new_owner_token: bool,
    /// Start with a new, empty database although the data folder has been used. What
    /// the old one held is not there, and a new owner token is issued.
    #[arg(long)]
    new_database: bool,
    /// The clock is right although it has gone ahead of what earlier runs have seen:
    /// what is old by it may be removed.
    #[arg(long)]
    trust_clock: bool,
    /// Time from the first signal to the end of the process; hooks that still run then
    /// are run again by the next start [default: 25s].
    #[arg(long, value_name = "TIME", env = "TENTERHOOK_GRACE")]
    grace: Option<String>,
    /// Keep every right that the process was started with, for a kernel or a tracer
    /// that cannot live with less. The sandboxes stay; what is behind them is lost.
    #[arg(long, env = "TENTERHOOK_NO_LOCKDOWN", value_parser = FalseyValueParser::new())]
    no_lockdown: bool,
    /// Send webhooks to private addresses too: loopback, link-local, and those of the
    /// network that the server is in. Whoever may make webhooks can then reach what the
    /// server reaches.
    #[arg(long, env = "TENTERHOOK_WEBHOOK_PRIVATE_ADDRESSES", value_parser = FalseyValueParser::new())]
    webhook_private_addresses: bool,
    #[command(flatten)]
    front_door: RawFrontDoor,
    #[command(flatten)]
    bounds: RawBounds,
    #[command(flatten)]
    capacity: RawCapacity,
    #[command(flatten)]
    ceiling: RawCeiling,
    #[command(flatten)]
    maintenance: RawMaintenance,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: Raw, log: Option<&str>) -> ExitCode {
    let config = match Config::read(raw, log) {
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

/// Takes what needs rights, gives the rights up, and only then starts the threads
/// that serve: threads have what the one had that started them.
fn serve(mut config: Config) -> anyhow::Result<()> {
    if !tenterhook_dispatch::is_in_range() {
        anyhow::bail!(
            "the clock of this machine shows a time before 1970 or after 9999, which neither HTTP nor a calendar can \
             say: set it right, then start again"
        );
    }
    // Taken first: a server that cannot have its address must not touch anything.
    let listener = listen::listen(&config.listen)
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let health = listen::listen_for_health(config.health_listen.as_deref())?;
    let data = DataDir::open(&config.data)?;
    database::check(&config.database, &data, config.new_database)?;
    // Before the lock, which may leave no way to it.
    let notify = Notify::connect(&notify::Said::read())?;
    let resources = Resources::find(config.capacity, &Host::default(), data.path())?;
    resources.log();
    let capacities = resources.capacities(config.run_slots);
    config
        .dispatch
        .fit(limits_here(&capacities, &config.dispatch.ceiling));
    let engine = Engine::start(config.engine(&data, &resources, capacities)?)?;
    lockdown::apply(&engine, config.lockdown, &data, &config.database)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(tenterhook_api::serving_threads())
        .enable_all()
        .build()
        .context("cannot start the threads that serve")?;
    let served = runtime.block_on(serve_on(listener, health, config, data, engine, notify));
    // Work that nothing waits for any more must not hold up the end.
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
        .context("cannot tell the address listened on")?;
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot listen")?;
    let store = database::open(&config.database, &data).await?;
    let dispatcher = Dispatcher::start(store.store, engine, config.dispatch.clone()).await?;
    owner::ensure(&dispatcher, &data, config.owner_token).await?;

    if config.delivery.destinations == Destinations::All {
        tracing::warn!(
            "WEBHOOKS TO PRIVATE ADDRESSES: whoever may make webhooks can reach what this server \
             reaches (--webhook-private-addresses)"
        );
    }
    let surroundings = Surroundings {
        timepiece: dispatcher.timepiece(),
        disk: Arc::new(disk::Room(dispatcher.clone())),
        ledger: dispatcher.ledger().clone(),
    };
    let delivery =
        Delivery::start_with(store.outbox, config.delivery.clone(), surroundings).await?;
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
        .with_proxies(config.proxies);
    let _probes = listen::serve_health(health, &app)?;
    let _noted = address::Noted::write(&data, address)?;
    say_ready(address);
    notify.ready();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let serving = tenterhook_api::serve(listener, app, async move {
        // It is told below, or never.
        stopped.await.unwrap_or_else(|_| Instant::now())
    });
    let mut serving = std::pin::pin!(serving);
    let mut living = std::pin::pin!(notify.live(async || {
        // Takes the one lock that all of the server's work needs.
        let _stats = dispatcher.stats();
    }));
    let signal = tokio::select! {
        ended = &mut serving => return ended.context("cannot serve any longer"),
        why = dispatcher.store_gone() => {
            dispatcher.note_leaving();
            anyhow::bail!("what writes to the database has ended, and nothing can be kept any more: {why}");
        }
        signal = signals.next() => signal,
        () = &mut living => unreachable!("it goes on for ever"),
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
            tracing::warn!(?signal, "stopped at once; what was running is run again");
        }
        () = &mut living => unreachable!("it goes on for ever"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Says that requests are answered from now on. Scripts wait for this very line.
fn say_ready(address: std::net::SocketAddr) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "listening on http://{address}");
}
