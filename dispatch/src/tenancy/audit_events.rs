//! Events about the tenant's own doings: `OnAudit` and `PostConfigChanged`.
//!
//! Where no hook waits for them they cost a look into memory. They are not
//! audited themselves, which ends every loop.

use std::sync::Arc;

use serde_json::{Value, json};
use tenterhook_sdk::Event;
use time::format_description::well_known::Rfc3339;

use crate::clock::now;
use crate::dispatcher::Core;
use crate::error::Error;
use crate::id::{AccountId, Number};
use crate::registry::hook_point::HookPointName;
use crate::runs::accept::Events;
use crate::tenancy::audit::{AuditRecord, Origin};

/// Longest body that an audit event carries, in bytes: it fits into a variable.
const BODY_MAX_BYTES: usize = 16 * 1024;

/// Longest other text of an audit event, in bytes.
const TEXT_MAX_BYTES: usize = 2 * 1024;

/// Who starts the tasks of these events.
const STARTED_BY: &str = "tenterhook";

/// A change of a tenant's configuration.
pub(crate) struct ConfigChange {
    pub(crate) object: &'static str,
    pub(crate) number: Number,
    pub(crate) name: String,
    pub(crate) operation: &'static str,
    /// The server that was changed, if it still is there.
    pub(crate) server: Option<Number>,
}

impl Events<'_> {
    /// Fires `OnAudit` for a request, if any hook of the account waits for it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Stopping`].
    pub async fn audit(
        self,
        account: AccountId,
        record: AuditRecord,
        origin: Origin,
    ) -> Result<(), Error> {
        if origin == Origin::Hook || !self.core.has_hooks(account, "OnAudit").await? {
            return Ok(());
        }
        let data = data(record);
        let event = event("OnAudit", "/tenterhook/audit", data);
        self.accept(account, STARTED_BY, vec![event])
            .await
            .map(|_| ())
    }
}

impl Core {
    /// Fires `PostConfigChanged`, if any hook of the account waits for it.
    ///
    /// It is only logged if this fails: the change itself is made.
    pub(crate) async fn config_changed(self: &Arc<Self>, account: AccountId, change: ConfigChange) {
        match self.has_hooks(account, "PostConfigChanged").await {
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => return log(&error),
        }
        let mut event = event(
            "PostConfigChanged",
            "/tenterhook/config",
            json!({
                "object": change.object,
                "objectId": change.number,
                "objectName": change.name,
                "operation": change.operation,
            }),
        );
        if let Some(server) = change.server {
            event
                .extensions
                .insert("serverid".into(), server.get().into());
        }
        if let Err(error) = (Events {
            core: self,
            compares: true,
        })
        .accept(account, STARTED_BY, vec![event])
        .await
        {
            log(&error);
        }
    }

    async fn has_hooks(self: &Arc<Self>, account: AccountId, event: &str) -> Result<bool, Error> {
        let name = HookPointName::parse(event).expect("it stands in the catalog");
        let entry = self.entry(account).await?;
        let directory = entry.directory.read();
        Ok(!directory.waiting_for(&name).is_empty())
    }
}

fn event(kind: &str, source: &str, data: Value) -> Event {
    Event {
        time: Some(
            now()
                .format(&Rfc3339)
                .expect("the present has four digits of year"),
        ),
        ..Event::new(
            tenterhook_clock::new_id().to_string(),
            source,
            kind,
            Some(data),
        )
    }
}

fn data(mut record: AuditRecord) -> Value {
    for text in [
        &mut record.category,
        &mut record.operation,
        &mut record.username,
        &mut record.ip,
        &mut record.method,
        &mut record.endpoint,
    ] {
        shorten(text, TEXT_MAX_BYTES);
    }
    shorten(&mut record.body, BODY_MAX_BYTES);
    if serde_json::to_string(&record.query_params).map_or(0, |text| text.len()) > BODY_MAX_BYTES {
        record.query_params.clear();
    }
    let mut data =
        serde_json::to_value(&record).expect("a record holds nothing that JSON cannot say");
    data["id"] = tenterhook_clock::new_id().to_string().into();
    data["time"] = now()
        .format(&Rfc3339)
        .expect("the present has four digits of year")
        .into();
    data
}

fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
}

fn log(error: &Error) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "cannot fire `PostConfigChanged`"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_becomes_the_parameters_that_the_catalog_names() {
        let data = data(AuditRecord::default());
        let point = HookPointName::parse("OnAudit").unwrap().point().unwrap();
        for parameter in point.parameters {
            assert!(data.get(parameter.name).is_some(), "{}", parameter.name);
        }
        assert_eq!(data.as_object().unwrap().len(), point.parameters.len());
    }

    #[test]
    fn a_long_body_is_shortened_between_characters() {
        let mut text = "ä".repeat(BODY_MAX_BYTES);
        shorten(&mut text, BODY_MAX_BYTES - 1);
        assert!(text.ends_with("ä…"));
    }
}
