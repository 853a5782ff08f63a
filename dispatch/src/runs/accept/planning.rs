//! Planning what the events of one request owe, before any of it is stored.
//!
//! What is planned is charged as memory. A caller that goes away meanwhile has begun
//! nothing: its plan is dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tenterhook_engine::Digest;
use tenterhook_ledger::{Guard, Resource};
use time::OffsetDateTime;

use super::due::{due_executions, match_containers};
use super::room::Room;
use super::{Batch, Prepared};
use crate::disk::size;
use crate::dispatcher::Core;
use crate::error::Error;
use crate::id::{AccountId, Key, SourceId, TaskId};
use crate::registry::damaged;
use crate::registry::directory::Directory;
use crate::registry::hook_point::HookPointName;
use crate::runs::content;
use crate::runs::environment::Context;
use crate::runs::event::ReceivedEvent;
use crate::runs::plan::{self, TooMany};
use crate::runs::task::EventKey;
use crate::runs::work::{NewEvent, NewTask};
use crate::settings::EVENT_MAX_BYTES;

/// What is planned up to this size is in what every request is charged with. An account
/// whose runs have used up its memory can still post events.
const SMALL_BYTES: u64 = 64 * 1024;

/// How long a plan waits for memory: longer than most runs hold theirs, and shorter than
/// clients wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Executions, or KiB of events, that are planned before other work has its turn on the thread:
/// about 100 µs, and a few times that in an unoptimised build.
const AT_ONCE: u64 = 64;

/// What all events of one request have in common.
struct Request<'a> {
    account: AccountId,
    started_by: &'a str,
    compares: bool,
    chosen: Option<SourceId>,
    created_at: OffsetDateTime,
}

impl Core {
    /// Plans what events owe. Of the plans of one account that are for several events, one
    /// is made at a time: no account has more than one thread busy with them.
    pub(super) async fn plan_all(
        self: &Arc<Self>,
        account: AccountId,
        started_by: &str,
        events: Vec<ReceivedEvent>,
        compares: bool,
        chosen: Option<SourceId>,
    ) -> Result<Batch, Error> {
        self.check_going()?;
        let several = events.len() > 1;
        let entry = self.entry(account).await?;
        let _planning = match several {
            true => Some(entry.planning.lock().await),
            false => None,
        };
        let request = Request {
            account,
            started_by,
            compares,
            chosen,
            created_at: self.clock.now().wall,
        };
        let mut room = Room::of(&self.settings);
        let mut batch = Batch {
            prepared: Vec::with_capacity(events.len()),
            memory: self.engine.ledger().empty(account.holder()),
        };
        let (mut bytes, mut at_once) = (0, 0);
        let mut contents = HashMap::new();
        for (i, event) in events.into_iter().enumerate() {
            match_containers(&entry, event.attributes()).await?;
            let one = {
                let directory = entry.directory.read();
                self.plan(&request, event, &directory, &room)
                    .map_err(|error| in_batch(error, several.then_some(i)))?
            };
            let executions = one.new.executions.len();
            room.take(executions);
            bytes += one.bytes;
            at_once += 1 + executions as u64 + one.bytes / 1_024;
            self.find_memory(&mut batch.memory, bytes).await?;
            if several {
                check_repeats(&mut contents, &one.new, i)?;
            }
            batch.prepared.push(one);
            if at_once >= AT_ONCE {
                at_once = 0;
                tokio::task::yield_now().await;
            }
        }
        Ok(batch)
    }

    /// Charges what was planned so far, and waits until there is memory for it.
    pub(crate) async fn find_memory(&self, memory: &mut Guard, planned: u64) -> Result<(), Error> {
        let held = memory.amount(Resource::Memory);
        if planned <= SMALL_BYTES || planned <= held {
            return Ok(());
        }
        let mut end = None;
        loop {
            let freed = self.engine.ledger().freed();
            let shortage = match memory.grow(Resource::Memory, planned - held) {
                Ok(()) => return Ok(()),
                Err(shortage) if shortage.is_lasting() => return Err(Error::Shortage { shortage }),
                Err(shortage) => shortage,
            };
            let end = end.get_or_insert_with(|| self.clock.sleep(PATIENCE));
            tokio::select! {
                () = freed => {}
                () = end => return Err(Error::Shortage { shortage }),
            }
        }
    }

    fn plan(
        &self,
        request: &Request<'_>,
        mut event: ReceivedEvent,
        directory: &Directory,
        room: &Room,
    ) -> Result<Prepared, Error> {
        event.attributes().check()?;
        let content = request.compares.then(|| content::digest(&mut event));
        let name = HookPointName::parse(&event.attributes().kind)?;
        let mut executions = due_executions(directory, &name, event.attributes_mut(), room)?;
        if let Some(source) = request.chosen {
            if executions.len() >= room.most() {
                return Err(room.refuse(TooMany));
            }
            let lane = executions.last().map_or(0, |last| last.lane + 1);
            executions.push(plan::chosen(directory.source(Key::Id(source))?, lane));
        }
        let json = Bytes::from(event.to_json());
        if json.len() > EVENT_MAX_BYTES {
            return Err(Error::invalid(
                "data",
                "makes the event longer than 262144 bytes",
            ));
        }
        let attributes = event.attributes();
        let key = EventKey {
            source: attributes.source.clone(),
            id: attributes.id.clone(),
            kind: attributes.kind.clone(),
        };
        let context = if executions.is_empty() {
            Context::default()
        } else {
            Context::of(&event, &name, json.clone())
        };
        let warnings = context.warnings().to_vec();
        let new = NewTask {
            id: TaskId::generate(),
            account: request.account,
            name: attributes.kind.clone(),
            started_by: request.started_by.to_owned(),
            object: attributes.subject.clone(),
            event: Some(NewEvent { key, content, json }),
            created_at: request.created_at,
            owner: None,
            program: damaged::program_for(&executions),
            executions,
            warnings,
        };
        Ok(Prepared {
            bytes: size::of_task(&new),
            new,
            context: Arc::new(context),
            reserved: None,
        })
    }
}

/// Checks that an event of a batch is not another one of it with other content. The store
/// compares it with those that were accepted before.
fn check_repeats(
    contents: &mut HashMap<(String, String), Digest>,
    new: &NewTask,
    index: usize,
) -> Result<(), Error> {
    let Some((event, content)) = new
        .event
        .as_ref()
        .and_then(|event| Some((event, event.content?)))
    else {
        return Ok(());
    };
    let key = (event.key.source.clone(), event.key.id.clone());
    match *contents.entry(key).or_insert(content) == content {
        true => Ok(()),
        false => Err(Error::EventConflict { index: Some(index) }),
    }
}

/// Says of which of several events a field is.
pub(super) fn in_batch(error: Error, place: Option<usize>) -> Error {
    match (error, place) {
        (Error::Invalid { field, reason }, Some(i)) if field != "events" => Error::Invalid {
            field: format!("events[{i}].{field}"),
            reason,
        },
        (error, _) => error,
    }
}
