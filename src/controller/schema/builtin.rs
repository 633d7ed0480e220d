//! The kinds of Kubernetes itself, as the crate of its types describes them.
//!
//! In: types. Out: schemas. Must never know: which version of Kubernetes a cluster runs.

use celemetry_engine::schema::Schema;
use k8s_openapi::Resource;
use k8s_openapi::api::{
    admissionregistration, apps, autoscaling, batch, certificates, coordination, core, discovery, events,
    flowcontrol, networking, node, policy, rbac, resource, scheduling, storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema as JsonSchemaOf};
use serde_json::Value;

use super::lowering::{Definitions, Lowering};

/// The version of Kubernetes whose kinds are known.
pub const KUBERNETES: &str = "1.34";

/// A kind of Kubernetes.
#[derive(Debug)]
pub(super) struct Builtin {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    schema: fn(&mut SchemaGenerator) -> JsonSchemaOf,
}

/// Everything that can be listed.
pub(super) const BUILTIN: &[Builtin] = &[
    Builtin::of::<admissionregistration::v1::MutatingWebhookConfiguration>(),
    Builtin::of::<admissionregistration::v1::ValidatingAdmissionPolicy>(),
    Builtin::of::<admissionregistration::v1::ValidatingAdmissionPolicyBinding>(),
    Builtin::of::<admissionregistration::v1::ValidatingWebhookConfiguration>(),
    Builtin::of::<apiextensions::v1::CustomResourceDefinition>(),
    Builtin::of::<apiregistration::v1::APIService>(),
    Builtin::of::<apps::v1::ControllerRevision>(),
    Builtin::of::<apps::v1::DaemonSet>(),
    Builtin::of::<apps::v1::Deployment>(),
    Builtin::of::<apps::v1::ReplicaSet>(),
    Builtin::of::<apps::v1::StatefulSet>(),
    Builtin::of::<autoscaling::v1::HorizontalPodAutoscaler>(),
    Builtin::of::<autoscaling::v2::HorizontalPodAutoscaler>(),
    Builtin::of::<batch::v1::CronJob>(),
    Builtin::of::<batch::v1::Job>(),
    Builtin::of::<certificates::v1::CertificateSigningRequest>(),
    Builtin::of::<coordination::v1::Lease>(),
    Builtin::of::<core::v1::ComponentStatus>(),
    Builtin::of::<core::v1::ConfigMap>(),
    Builtin::of::<core::v1::Endpoints>(),
    Builtin::of::<core::v1::Event>(),
    Builtin::of::<core::v1::LimitRange>(),
    Builtin::of::<core::v1::Namespace>(),
    Builtin::of::<core::v1::Node>(),
    Builtin::of::<core::v1::PersistentVolume>(),
    Builtin::of::<core::v1::PersistentVolumeClaim>(),
    Builtin::of::<core::v1::Pod>(),
    Builtin::of::<core::v1::PodTemplate>(),
    Builtin::of::<core::v1::ReplicationController>(),
    Builtin::of::<core::v1::ResourceQuota>(),
    Builtin::of::<core::v1::Secret>(),
    Builtin::of::<core::v1::Service>(),
    Builtin::of::<core::v1::ServiceAccount>(),
    Builtin::of::<discovery::v1::EndpointSlice>(),
    Builtin::of::<events::v1::Event>(),
    Builtin::of::<flowcontrol::v1::FlowSchema>(),
    Builtin::of::<flowcontrol::v1::PriorityLevelConfiguration>(),
    Builtin::of::<networking::v1::IPAddress>(),
    Builtin::of::<networking::v1::Ingress>(),
    Builtin::of::<networking::v1::IngressClass>(),
    Builtin::of::<networking::v1::NetworkPolicy>(),
    Builtin::of::<networking::v1::ServiceCIDR>(),
    Builtin::of::<node::v1::RuntimeClass>(),
    Builtin::of::<policy::v1::PodDisruptionBudget>(),
    Builtin::of::<rbac::v1::ClusterRole>(),
    Builtin::of::<rbac::v1::ClusterRoleBinding>(),
    Builtin::of::<rbac::v1::Role>(),
    Builtin::of::<rbac::v1::RoleBinding>(),
    Builtin::of::<resource::v1::DeviceClass>(),
    Builtin::of::<resource::v1::ResourceClaim>(),
    Builtin::of::<resource::v1::ResourceClaimTemplate>(),
    Builtin::of::<resource::v1::ResourceSlice>(),
    Builtin::of::<scheduling::v1::PriorityClass>(),
    Builtin::of::<storage::v1::CSIDriver>(),
    Builtin::of::<storage::v1::CSINode>(),
    Builtin::of::<storage::v1::CSIStorageCapacity>(),
    Builtin::of::<storage::v1::StorageClass>(),
    Builtin::of::<storage::v1::VolumeAttachment>(),
    Builtin::of::<storage::v1::VolumeAttributesClass>(),
];

// === impl Builtin ===

impl Builtin {
    const fn of<K: Resource + JsonSchema>() -> Self {
        Builtin { group: K::GROUP, version: K::VERSION, kind: K::KIND, schema: K::json_schema }
    }

    /// The schema of its objects. Those of a later release may have more.
    pub(super) fn schema(&self) -> Schema {
        let (root, definitions) = described(self.schema);
        Lowering::new(&definitions, None).object(&root).dated()
    }
}

/// What every object has under `metadata`, and the definitions that it refers to.
pub(super) fn object_metadata() -> (Value, Definitions) {
    described(ObjectMeta::json_schema)
}

/// What a type describes itself as.
fn described(of: fn(&mut SchemaGenerator) -> JsonSchemaOf) -> (Value, Definitions) {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let root = of(&mut generator).to_value();
    (root, generator.take_definitions(false))
}
