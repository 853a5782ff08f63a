//! Signed webhooks: who wants which notifications, and sending until they arrive.
//!
//! A [`Subscription`] is an address with a secret. [`Delivery::offer`] stores what
//! is owed to each before it answers; it is sent afterwards, signed as Standard
//! Webhooks say, and again with growing pauses until it was taken or given up.

mod delivery;
mod destination;
mod error;
mod letter;
mod outbox;
mod subscription;

pub use crate::delivery::{Delivery, Settings};
pub use crate::destination::Destinations;
pub use crate::error::Error;
pub use crate::letter::{Fate, Letter};
pub use crate::outbox::{NewLetter, Outbox};
pub use crate::subscription::{NewSubscription, Secret, Subscription, SubscriptionId};
