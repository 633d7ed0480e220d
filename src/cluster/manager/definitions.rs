//! Tells when an API server may have come to serve other kinds.
//!
//! In: the metadata of CustomResourceDefinitions and APIServices; of one definition, its selectable fields. Out: a nudge
//! for each change. Must never know: what is served.

use std::sync::Arc;

use futures_util::{StreamExt, pin_mut};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio::sync::Notify;

use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::resource::Resource;

/// Nudges at every change of a definition or an aggregated API, for ever. Who may not see them relies on being asked
/// now and then.
pub(super) async fn follow(client: Client, changed: Arc<Notify>) {
    tokio::join!(
        follow_kind::<CustomResourceDefinition>(client.clone(), &changed),
        follow_kind::<APIService>(client, &changed),
    );
}

async fn follow_kind<K>(client: Client, changed: &Notify)
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::ClusterResourceScope> + Clone + std::fmt::Debug,
    K: serde::de::DeserializeOwned + Send + 'static,
{
    let events =
        watcher(Api::<PartialObjectMeta<K>>::all(client), watcher::Config::default()).default_backoff();
    pin_mut!(events);
    let mut told = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(watcher::Event::InitApply(_) | watcher::Event::Init) => {}
            Ok(_) => {
                told = None;
                changed.notify_one();
            }
            Err(error) => {
                let fault = Fault::of_watcher(&error);
                if told.replace(fault.class) != Some(fault.class) {
                    tracing::warn!(kind = %K::kind(&()), %fault, "new kinds are only noticed after a while");
                }
            }
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
    let definition = match api.get(&name).await {
        Ok(definition) => definition,
        Err(error) => {
            let fault = Fault::of_kube(&error);
            // An aggregated API has no definition.
            return if fault.class == FaultClass::NotFound { Ok(vec![]) } else { Err(fault) };
        }
    };
    let version = definition.spec.versions.into_iter().find(|version| version.name == resource.version);
    let fields = version.and_then(|version| version.selectable_fields).unwrap_or_default();
    Ok(fields.into_iter().map(|field| field.json_path).collect())
}
