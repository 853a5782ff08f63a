//! Who hears of what is given back, at once and not as a task that waits for it.

use std::sync::Weak;

use parking_lot::RwLock;

use crate::amounts::Amounts;
use crate::holder::Holder;
use crate::resource::Resource;

/// Hears when some of a resource is given back: for whoever keeps a line of those who wait.
pub trait Listener: Send + Sync {
    /// Some was given back, or there is more. `room` says how much of it a holder could
    /// take now.
    fn freed(&self, room: &dyn Fn(Holder) -> u64);
}

/// Those who listen, each to one resource.
#[derive(Default)]
pub(crate) struct Listeners(RwLock<Vec<(Resource, Weak<dyn Listener>)>>);

impl Listeners {
    pub(crate) fn add(&self, resource: Resource, listener: Weak<dyn Listener>) {
        let mut listeners = self.0.write();
        listeners.retain(|(_, listener)| listener.strong_count() > 0);
        listeners.push((resource, listener));
    }

    /// Tells those who listen to something of which `amounts` has some.
    pub(crate) fn tell(&self, amounts: &Amounts, room: &dyn Fn(Resource, Holder) -> u64) {
        for (resource, listener) in &*self.0.read() {
            if amounts.get(*resource) > 0
                && let Some(listener) = listener.upgrade()
            {
                listener.freed(&|holder| room(*resource, holder));
            }
        }
    }
}
