//! Definitions brought to an API server.
//!
//! In: a client, a definition. Out: what it changed, once it is served. Must never know: what is printed.

use std::time::Duration;

use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::loss::lost;
use crate::cluster::connect::in_words;

/// What became of one definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installed {
    /// Its name.
    pub(super) name: String,
    /// What was done.
    pub(super) change: Change,
    /// What it had that is no longer there.
    pub(super) lost: Vec<String>,
}

/// What was done with a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It was not there.
    Created,
    /// It was there, and different.
    Configured,
    /// It was there.
    Unchanged,
}

/// Why a definition is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InstallError {
    /// The server does not answer.
    #[error("{name}: {why}")]
    Unreachable {
        /// The definition.
        name: String,
        /// What happened.
        why: String,
    },
    /// The right is missing.
    #[error(
        "{name}: forbidden: the right to get, create and patch customresourcedefinitions.apiextensions.k8s.io is needed"
    )]
    Forbidden {
        /// The definition.
        name: String,
    },
    /// The server does not take it.
    #[error("{name}: the API server refuses it: {message}")]
    Refused {
        /// The definition.
        name: String,
        /// The server's reason.
        message: String,
    },
    /// Another definition has its names.
    #[error("{name}: the API server does not accept its names: {message}")]
    Names {
        /// The definition.
        name: String,
        /// The server's reason.
        message: String,
    },
    /// It took too long.
    #[error("{name}: not served after {} s", after.as_secs())]
    Late {
        /// The definition.
        name: String,
        /// How long it was waited for.
        after: Duration,
    },
}

/// How long one request may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is looked whether a definition is served. That takes an API server a fraction of a second.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Brings `definition` to the server; fields that others have set are taken over.
///
/// # Errors
/// Where the server cannot be reached, or refuses.
pub(super) async fn apply(client: &Client, definition: &Value) -> Result<Installed, InstallError> {
    let (api, name) = (api(client), name(definition));
    let before = asked(&name, api.get_opt(&name)).await?;
    let lost = before.as_ref().map(|before| lost(&before.data, definition)).unwrap_or_default();
    let params = PatchParams::apply("celemetry").force();
    let after = asked(&name, api.patch(&name, &params, &Patch::Apply(definition))).await?;
    let change = match before {
        None => Change::Created,
        Some(before) if before.metadata.generation == after.metadata.generation => Change::Unchanged,
        Some(_) => Change::Configured,
    };
    Ok(Installed { name, change, lost })
}

/// Waits until the server serves `definition`.
///
/// # Errors
/// Where it does not, or not in time.
pub(super) async fn established(
    client: &Client,
    definition: &Value,
    within: Duration,
) -> Result<(), InstallError> {
    let (api, name, deadline) = (api(client), name(definition), Instant::now() + within);
    loop {
        let found = asked(&name, api.get_opt(&name)).await?;
        let conditions = found.map(|found| found.data["status"]["conditions"].clone()).unwrap_or_default();
        let condition = |of: &str, status: &str| {
            let mut all = conditions.as_array().into_iter().flatten();
            all.find(|one| one["type"] == of && one["status"] == status)
        };
        if condition("Established", "True").is_some() {
            return Ok(());
        }
        if let Some(conflict) = condition("NamesAccepted", "False") {
            let message = conflict["message"].as_str().unwrap_or_default().to_owned();
            return Err(InstallError::Names { name, message });
        }
        if Instant::now() >= deadline {
            return Err(InstallError::Late { name, after: within });
        }
        sleep(LOOK_AGAIN).await;
    }
}

fn api(client: &Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    Api::all_with(client.clone(), &ApiResource::from_gvk(&kind))
}

fn name(definition: &Value) -> String {
    definition["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

async fn asked<T>(name: &str, asking: impl Future<Output = kube::Result<T>>) -> Result<T, InstallError> {
    let name = name.to_owned();
    match timeout(ANSWER_TIMEOUT, asking).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) if status.code == 403 => Err(InstallError::Forbidden { name }),
        // What it says is about the definition, which is ours.
        Ok(Err(kube::Error::Api(status))) if [400, 409, 422].contains(&status.code) => {
            Err(InstallError::Refused { name, message: status.message })
        }
        Ok(Err(error)) => Err(InstallError::Unreachable { name, why: in_words(&error) }),
        Err(_) => {
            let why = format!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
            Err(InstallError::Unreachable { name, why })
        }
    }
}
