//! An application and its containers, as Astra's execution hooks see them.
//!
//! The operator's platform keeps the list; a hook runs once for each container
//! that it matches.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::error::Error;
use crate::id::{AppId, Number};
use crate::registry::label::Label;
use crate::registry::rules;

/// An application with its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its identifier, Astra's `appID`.
    pub id: AppId,
    /// Counted per account from 1.
    pub number: Number,
    /// Unique within the account.
    pub name: String,
    /// Whether it is replicated to another site; only then it can fail over.
    pub replicated: bool,
    /// Where its hooks run, in the order given.
    pub containers: Vec<Container>,
    /// When it was entered.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub modified_at: OffsetDateTime,
}

/// A container of an application: what matching criteria are matched against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    // The aliases are for rows that earlier versions have stored.
    /// The pod that it is in.
    #[serde(alias = "podName")]
    pub pod_name: String,
    /// The labels of that pod.
    #[serde(default, alias = "podLabels")]
    pub pod_labels: Vec<Label>,
    /// Its image.
    #[serde(alias = "containerImage")]
    pub container_image: String,
    /// Its own name.
    #[serde(alias = "containerName")]
    pub container_name: String,
    /// The namespace of its pod.
    #[serde(alias = "namespaceName")]
    pub namespace_name: String,
}

/// An application to enter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewApp {
    /// See [`App::id`]; a UUID of version 4 or 5, as Astra's clients take no other.
    /// Default: a new one.
    pub id: Option<AppId>,
    /// See [`App::name`]; 1 to 255 bytes without control characters.
    pub name: String,
    /// See [`App::replicated`].
    pub replicated: bool,
    /// See [`App::containers`]; at most 1,024, none named twice, every text 1 to 255
    /// bytes without control characters, at most 64 labels and 4 KiB each. All
    /// apps of an account have at most 20,000.
    pub containers: Vec<Container>,
}

/// What to change of an application; `None` keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppChange {
    /// See [`NewApp::name`].
    pub name: Option<String>,
    /// See [`NewApp::replicated`].
    pub replicated: Option<bool>,
    /// See [`NewApp::containers`]; replaces all.
    pub containers: Option<Vec<Container>>,
}

/// Most containers of one application.
const CONTAINERS_MAX: usize = 1_024;

/// Most labels of one pod.
const POD_LABELS_MAX: usize = 64;

/// Most bytes of all texts of one container: every execution keeps its own.
const CONTAINER_MAX_BYTES: usize = 4 * 1024;

impl App {
    /// Checks the rules that [`NewApp`] states.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !matches!(self.id.as_uuid().get_version_num(), 4 | 5) {
            return Err(Error::invalid("id", "must be a UUID of version 4 or 5"));
        }
        rules::name("name", &self.name)?;
        if self.containers.len() > CONTAINERS_MAX {
            return Err(Error::invalid("containers", "must not be more than 1024"));
        }
        self.containers.iter().try_for_each(Container::check)?;
        let mut places = HashSet::with_capacity(self.containers.len());
        if !self
            .containers
            .iter()
            .all(|container| places.insert(container.place()))
        {
            return Err(Error::invalid(
                "containers",
                "must not name a container of a pod twice",
            ));
        }
        Ok(())
    }
}

impl Container {
    /// What identifies it.
    fn place(&self) -> (&str, &str, &str) {
        (&self.namespace_name, &self.pod_name, &self.container_name)
    }

    fn check(&self) -> Result<(), Error> {
        rules::name("containers.pod_name", &self.pod_name)?;
        rules::name("containers.container_image", &self.container_image)?;
        rules::name("containers.container_name", &self.container_name)?;
        rules::name("containers.namespace_name", &self.namespace_name)?;
        if self.pod_labels.len() > POD_LABELS_MAX {
            return Err(Error::invalid(
                "containers.pod_labels",
                "must not be more than 64",
            ));
        }
        for label in &self.pod_labels {
            rules::label("containers.pod_labels", label)?;
        }
        if self.size_bytes() > CONTAINER_MAX_BYTES {
            return Err(Error::invalid(
                "containers",
                "must not be longer than 4096 bytes each",
            ));
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        let labels = self.pod_labels.iter();
        let labels: usize = labels.map(|l| l.name.len() + l.value.len()).sum();
        self.pod_name.len()
            + self.container_image.len()
            + self.container_name.len()
            + self.namespace_name.len()
            + labels
    }
}
