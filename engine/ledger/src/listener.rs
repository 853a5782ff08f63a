//! Listeners for returned resources: called at once, not as a task that waits.

use std::sync::Weak;

use parking_lot::RwLock;

use crate::amounts::Amounts;
use crate::holder::Holder;
use crate::resource::Resource;

/// Is notified when some of a resource is returned, for callers that keep a queue of
/// waiters.
pub trait Listener: Send + Sync {
    /// Called when some was returned, or when there is more of it. `room` returns how much
    /// a holder could take now.
    fn freed(&self, room: &dyn Fn(Holder) -> u64);
}

/// The listeners, each for one resource.
#[derive(Default)]
pub(crate) struct Listeners(RwLock<Vec<(Resource, Weak<dyn Listener>)>>);

impl Listeners {
    pub(crate) fn add(&self, resource: Resource, listener: Weak<dyn Listener>) {
        let mut listeners = self.0.write();
        listeners.retain(|(_, listener)| listener.strong_count() > 0);
        listeners.push((resource, listener));
    }

    /// Notifies the listeners for each resource of which `amounts` has some.
    pub(crate) fn notify(&self, amounts: &Amounts, room: &dyn Fn(Resource, Holder) -> u64) {
        for (resource, listener) in &*self.0.read() {
            if amounts.get(*resource) > 0
                && let Some(listener) = listener.upgrade()
            {
                listener.freed(&|holder| room(*resource, holder));
            }
        }
    }
}
