//! Webhooks and their deliveries as this API reads and shows them.

use tenterhook_delivery::{self as delivery, NewSubscription, Subscription};
use tenterhook_wire::{CreatedWebhook, Delivery, NewWebhook, Webhook};

use crate::native::words;
use crate::time_text::time_text;

/// Reads a webhook to create.
pub(super) fn read(given: NewWebhook) -> NewSubscription {
    NewSubscription {
        url: given.url,
        events: given.events,
        project: given.project,
        secret: given.secret,
    }
}

/// Shows a webhook.
pub(super) fn webhook(own: Subscription) -> Webhook {
    let pause = own.paused_until;
    Webhook {
        id: own.id.to_string(),
        url: own.url,
        events: own.events,
        project: own.project,
        enabled: own.enabled,
        paused_until: pause
            .filter(|until| *until > tenterhook_dispatch::now())
            .map(time_text),
        created_at: time_text(own.created_at),
    }
}

/// Shows a new webhook with its secret.
pub(super) fn created_webhook(own: Subscription) -> CreatedWebhook {
    CreatedWebhook {
        secret: own.secret.reveal(),
        about: webhook(own),
    }
}

/// Shows a delivery.
pub(super) fn delivery(own: delivery::Delivery) -> Delivery {
    Delivery {
        id: own.id.to_string(),
        event: own.kind,
        status: words::delivery_status(own.status),
        attempts: own.attempts,
        response: own.response,
        created_at: time_text(own.created_at),
        due_at: own.due_at.map(time_text),
    }
}
