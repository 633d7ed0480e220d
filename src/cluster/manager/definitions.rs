//! Tells when an API server may have come to serve other kinds.
//!
//! In: the metadata of CustomResourceDefinitions and APIServices; of one definition, its selectable fields. Out: a nudge
//! for each change. Must never know: what is served.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use kube::{Api, Client};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::cluster::events::{Events, Missed};
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::informer::Pace;
use crate::cluster::resource::Resource;

/// Who may not see definitions looks for a change no more often than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a definition may take to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nudges at every change of a definition or an aggregated API, for ever. Who may not see them relies on being asked
/// now and then.
pub(super) async fn follow(client: Client, pace: Pace, changed: Arc<Notify>) {
    let definitions: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(client.clone());
    let services: Api<PartialObjectMeta<APIService>> = Api::all(client);
    tokio::join!(
        nudge(Events::new(definitions, &pace, LONGEST_PAUSE), &changed),
        nudge(Events::new(services, &pace, LONGEST_PAUSE), &changed),
    );
}

async fn nudge<K>(mut events: Events<PartialObjectMeta<K>>, changed: &Notify)
where
    K: kube::Resource<DynamicType = ()> + Clone + Debug + Send + 'static,
{
    loop {
        match events.next().await {
            Ok(Event::InitApply(_) | Event::Init) => {}
            Ok(_) => changed.notify_one(),
            Err(Missed { fault, is_news: true }) => {
                tracing::warn!(kind = %K::kind(&()), %fault, "new kinds are only noticed after a while");
            }
            Err(_) => {}
        }
    }
}

/// The selectable fields of a custom resource in the version that is watched; none of any other resource.
pub(super) async fn selectable_fields(client: &Client, resource: &Resource) -> Result<Vec<String>, Fault> {
    if !resource.group.contains('.') || resource.group.ends_with(".k8s.io") {
        return Ok(vec![]);
    }
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = format!("{}.{}", resource.plural, resource.group);
    let definition = match timeout(PATIENCE, api.get(&name)).await {
        Err(_) => return Err(Fault::new(FaultClass::Unreachable, "the API server does not answer")),
        Ok(Ok(definition)) => definition,
        Ok(Err(error)) => {
            let fault = Fault::of_kube(&error);
            // An aggregated API has no definition.
            return if fault.class == FaultClass::NotFound { Ok(vec![]) } else { Err(fault) };
        }
    };
    let version = definition.spec.versions.into_iter().find(|version| version.name == resource.version);
    let fields = version.and_then(|version| version.selectable_fields).unwrap_or_default();
    Ok(fields.into_iter().map(|field| field.json_path).collect())
}
