//! Room for waiting executions: deciding whether one can start, and trying again
//! whenever something was returned.
//!
//! The ledger decides how much there is and for whom; the queue, whose turn it is.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tenterhook_engine::{Kind, Program};
use tenterhook_ledger::{Amounts, Ledger, Resource, Shortage};
use tokio::sync::Notify;

use crate::dispatcher::Core;
use crate::id::AccountId;
use crate::runs::environment::limits;
use crate::runs::run::describe;
use crate::runs::scheduler::{Admission, Admitted, Loading, Next};
use crate::runs::work::NewExecution;
use crate::settings::SCRIPT_MAX_BYTES;

/// How often to check without a notification. Nothing depends on it.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Begins what waits for room whenever some is given back, until the dispatcher is gone
/// or stops.
pub(crate) async fn keep_asking(core: Weak<Core>, ledger: Ledger, starved: Arc<Notify>) {
    loop {
        // From now on, so that nothing is missed that is given back meanwhile.
        let freed = ledger.freed();
        let waits = {
            let Some(core) = core.upgrade() else {
                return;
            };
            core.scheduler.lock().unblock();
            core.begin_what_can()
        };
        if waits {
            let _late = tokio::time::timeout(LOOK_AGAIN, freed).await;
        } else {
            drop(freed);
            let _late = tokio::time::timeout(LOOK_AGAIN, starved.notified()).await;
        }
    }
}

impl Core {
    /// Begins as many attempts as there is room for.
    pub(crate) fn pump(self: &Arc<Self>) {
        if self.begin_what_can() {
            self.starved.notify_one();
        }
    }

    /// The same. Tells whether something waits for room.
    fn begin_what_can(self: &Arc<Self>) -> bool {
        let mut judge =
            |account, execution: &NewExecution, program: Option<&Result<Program, String>>| {
                self.judge(account, execution, program)
            };
        loop {
            let next = {
                let mut scheduler = self.scheduler.lock();
                match scheduler.next(&mut judge) {
                    Some(next) => next,
                    None => return scheduler.is_waited_for(),
                }
            };
            let core = Arc::clone(self);
            match next {
                Next::Run(start, admitted) => {
                    self.work
                        .spawn(async move { core.run(*start, admitted).await });
                }
                Next::Load(loading) => {
                    self.work
                        .spawn(async move { core.load_for_turn(loading).await });
                }
            }
        }
    }

    fn judge(
        &self,
        account: AccountId,
        execution: &NewExecution,
        program: Option<&Result<Program, String>>,
    ) -> Admission {
        let recipe = &execution.recipe;
        let (digest, kind) = (recipe.digest, recipe.content.kind);
        let program = match program {
            Some(Ok(program)) => program.clone(),
            Some(Err(error)) => return Admission::Run(Err(error.clone())),
            None => match self.programs.ready(digest, kind) {
                Some(program) => program,
                None => return self.judge_loading(account, kind),
            },
        };
        let limits = limits(&self.settings, execution);
        match self.engine.admit(account.holder(), &program, &limits) {
            Ok(permit) => Admission::Run(Ok(Admitted { program, permit })),
            Err(shortage) => no_room(&shortage),
        }
    }

    /// Loading a program wants a core, and holds its bytes.
    fn judge_loading(&self, account: AccountId, kind: Kind) -> Admission {
        let bytes = match kind {
            Kind::Script => SCRIPT_MAX_BYTES,
            Kind::Module | Kind::Component => self.settings.module_bytes,
        };
        let ledger = self.engine.ledger();
        let bytes = bytes.min(ledger.most(Resource::Memory));
        let amounts = Amounts::of(Resource::RunSlots, 1).and(Resource::Memory, bytes);
        match ledger.take(account.holder(), amounts) {
            Ok(guard) => Admission::Load(guard),
            Err(shortage) => no_room(&shortage),
        }
    }

    async fn load_for_turn(self: Arc<Self>, mut loading: Loading) {
        let recipe = &loading.execution.recipe;
        let program = self.programs.get(
            &self.engine,
            &*self.store,
            loading.account.holder(),
            recipe.digest,
            recipe.content.kind,
        );
        let program = tokio::select! {
            program = program => program.map_err(|error| describe(&error)),
            // It has not begun; the next start of the server finds it as it was.
            () = self.leaving.cancelled() => return,
        };
        // Before it is judged again, or it would be in its own way.
        loading.give_back();
        self.scheduler.lock().put_back(loading, program);
        self.pump();
    }
}

fn no_room(shortage: &Shortage) -> Admission {
    match shortage.is_lasting() {
        true => Admission::Run(Err(shortage.to_string())),
        // Another account may have room, whatever it is that this one finds none of.
        false => Admission::Wait,
    }
}
