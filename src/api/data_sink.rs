//! The kind DataSink: where metrics are pushed, and by which credentials.
//!
//! In: what users write. Out: what `controller` turns into a pipeline's settings, and what the status says. Must never
//! know: what a Secret holds, transports.

use std::borrow::Cow;

use kube::core::{NamespaceResourceScope, ObjectMeta, Resource, TypeMeta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::crd::{Column, Declared};
use super::group::{Group, VERSION};

/// Where metrics are pushed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataSink {
    /// `apiVersion` and `kind`, where they are written.
    #[serde(flatten)]
    pub types: Option<TypeMeta>,
    /// Name, namespace, generation and so on.
    pub metadata: ObjectMeta,
    /// What is asked for.
    pub spec: DataSinkSpec,
    /// What was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DataSinkStatus>,
}

/// What a DataSink asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["connection"]))]
pub struct DataSinkSpec {
    /// Where to connect to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// How to prove who sends. Default: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
}

/// Where to connect to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["endpoint"]))]
pub struct Connection {
    /// URL of an OTLP receiver. `http` and `https` speak OTLP over HTTP to exactly this path (without one: `/v1/metrics`),
    /// `grpc` and `grpcs` OTLP over gRPC. `https` and `grpcs` are encrypted, the other two are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = ENDPOINT_PATTERN))]
    pub endpoint: Option<String>,
}

/// How to prove who sends: exactly one way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "(has(self.apiKey) && !has(self.certificate)) || (!has(self.apiKey) && has(self.certificate))",
    "message": "exactly one of apiKey and certificate is needed",
}]))]
pub struct Authentication {
    /// A key that goes along with every request, as `Authorization: Api-Token KEY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
    /// A client certificate, shown when the connection is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// A key that goes along with every request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["secretKeyRef"]))]
pub struct ApiKey {
    /// Where the key stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeySelector>,
}

/// A client certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["clientCertSecretKeyRef", "clientKeySecretKeyRef"]))]
pub struct Certificate {
    /// Where the certificate stands, as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert_secret_key_ref: Option<SecretKeySelector>,
    /// Where the certificate's private key stands, as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key_secret_key_ref: Option<SecretKeySelector>,
    /// Where the authority that the receiver's certificate must come from stands, as PEM. Default: those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_cert_secret_key_ref: Option<SecretKeySelector>,
}

/// One entry of a Secret in the DataSink's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["key"], "x-kubernetes-map-type" = "atomic"))]
pub struct SecretKeySelector {
    /// Key in the Secret's data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Name of the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = ""))]
    pub name: Option<String>,
    /// Accepted as Kubernetes writes such references; an entry that is named is always needed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// What was seen of a DataSink.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DataSinkStatus {
    /// The aspects of its state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// The same in both groups. The old group's own pattern misspells `grpc`, so that no such endpoint could be admitted;
/// whatever it admits and means something is admitted here too.
const ENDPOINT_PATTERN: &str = "^(http|https|grpc|grpcs)://.*$";

// === impl DataSink ===

impl DataSink {
    /// The namespace; what has none is taken to be in `default`, as kubectl does.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().filter(|namespace| !namespace.is_empty()).unwrap_or("default")
    }
}

impl Declared for DataSink {
    const KIND: &'static str = "DataSink";
    const PLURAL: &'static str = "datasinks";
    const DESCRIPTION: &'static str = "A receiver that metrics are pushed to.";
    const COLUMNS: &'static [Column] = &[
        Column { name: "ENDPOINT", path: ".spec.connection.endpoint", kind: "string" },
        Column { name: "AGE", path: ".metadata.creationTimestamp", kind: "date" },
    ];
    type Spec = DataSinkSpec;
    type Status = DataSinkStatus;
}

impl Resource for DataSink {
    type DynamicType = Group;
    type Scope = NamespaceResourceScope;

    fn kind(_: &Group) -> Cow<'_, str> {
        Cow::Borrowed(Self::KIND)
    }

    fn group(group: &Group) -> Cow<'_, str> {
        Cow::Borrowed(group.name())
    }

    fn version(_: &Group) -> Cow<'_, str> {
        Cow::Borrowed(VERSION)
    }

    fn plural(_: &Group) -> Cow<'_, str> {
        Cow::Borrowed(Self::PLURAL)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
