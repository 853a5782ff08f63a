//! Signed webhooks: who subscribes to which events, and delivery with retries.
//!
//! A [`Subscription`] is an endpoint with a secret. [`Webhooks::offer`] stores a
//! [`Delivery`] for each before it returns; it is sent afterwards, signed as Standard
//! Webhooks specify, and retried with growing pauses until it succeeds or is given up.

mod attempt;
mod delivery;
mod destination;
mod dispatcher;
mod error;
mod kind;
mod notification;
mod outbox;
mod pause;
mod queue;
mod rules;
mod secret;
mod sender;
mod settings;
mod stats;
mod subscription;
mod surroundings;
mod sweep;
mod webhooks;

pub use crate::delivery::{Delivery, Status};
pub use crate::destination::Destinations;
pub use crate::error::Error;
pub use crate::kind::KINDS;
pub use crate::notification::Notification;
pub use crate::outbox::{NewDelivery, Outbox, QueueLimit, Retention, Wait};
pub use crate::secret::Secret;
pub use crate::settings::Settings;
pub use crate::stats::Counts;
pub use crate::subscription::{NewSubscription, Subscription, SubscriptionId};
pub use crate::surroundings::{Disk, Surroundings};
pub use crate::webhooks::{SUBSCRIPTIONS_MAX, Webhooks};
