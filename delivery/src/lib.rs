//! Signed webhooks: who wants which notifications, and sending until they arrive.
//!
//! A [`Subscription`] is an address with a secret. [`Delivery::offer`] stores what
//! is owed to each before it answers; it is sent afterwards, signed as Standard
//! Webhooks say, and again with growing pauses until it was taken or given up.

mod delivery;
mod destination;
mod error;
mod kind;
mod lane;
mod letter;
mod office;
mod outbox;
mod pause;
mod post;
mod rules;
mod secret;
mod settings;
mod settle;
mod subscription;
mod surroundings;
mod sweep;
mod tally;

pub use crate::delivery::{Delivery, SUBSCRIPTIONS_MAX};
pub use crate::destination::Destinations;
pub use crate::error::Error;
pub use crate::kind::KINDS;
pub use crate::letter::{Fate, Letter};
pub use crate::outbox::{Keep, NewLetter, Outbox, Room, Wait};
pub use crate::secret::Secret;
pub use crate::settings::Settings;
pub use crate::subscription::{NewSubscription, Subscription, SubscriptionId};
pub use crate::surroundings::{Disk, Surroundings};
pub use crate::tally::Counts;
