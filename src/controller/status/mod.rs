//! What is said about declared objects: their statuses, and Events where something begins or ends.
//!
//! In: facts about one object at a time, through its slot. Out: server-side applies of statuses, and Events, only as
//! leader. Must never know: how a fact was found out, the insides of any other module.
//!
//! `facts → verdict → condition` is pure; so is when what is written (`pacing`), and which Events there are. One task,
//! the [`StatusWriter`], does all the writing.
//!
//! # Which fault is said where
//!
//! Ready says upstream's reason where upstream has one, and the condition that is about the part at fault says which
//! fault it is. Ready's message tells every fault, a line each; its reason is that of the first in the order of this
//! table. Error is the opposite of Ready, with the reason `ErrorDetected` or `NoError`. Available follows Synced, with
//! the reasons `MonitoringActive` and `MonitoringInactive`.
//!
//! | fault of a Metric | condition | status | reason | Ready |
//! | --- | --- | --- | --- | --- |
//! | none known yet: not looked at | all | Unknown | `Reconciling` | Unknown `Reconciling` |
//! | a defect of the spec | Synced, Exported | False | `InvalidSpec` | False `InvalidSpec` |
//! | — of `spec.name` alone | Synced, Exported | False | `InvalidSpec` | False `MetricCreationFailed` |
//! | — of an expression | ExpressionsValid | False | `InvalidExpression` | False `InvalidSpec` |
//! | the name belongs to an older Metric | Exported | False | `NameConflict` | False `NameConflict` |
//! | the name is nobody's to have | Exported | False | `NameConflict` | False `InvalidMetricName` |
//! | no such DataSink | Exported | False | `DataSinkNotFound` | False `DataSinkUnavailable` |
//! | no such Secret | Exported | False | `SecretNotFound` | False `DataSinkUnavailable` |
//! | no such key in it | Exported | False | `SecretKeyNotFound` | False `DataSinkUnavailable` |
//! | no right to read it | Exported | False | `SecretForbidden` | False `DataSinkUnavailable` |
//! | it cannot be read for now | Exported | False | `SecretUnreadable` | False `DataSinkUnavailable` |
//! | the DataSink's spec is defective | Exported | False | `InvalidDataSink` | False `OTLPClientCreationFailed` |
//! | its endpoint is none | Exported | False | `InvalidEndpoint` | False `OTLPClientCreationFailed` |
//! | its address is forbidden | Exported | False | `EndpointForbidden` | False `OTLPClientCreationFailed` |
//! | its credentials are no use | Exported | False | `InvalidCredentials` | False `OTLPClientCreationFailed` |
//! | the cluster cannot be addressed | Synced | False | `ClusterUnavailable` | False `QueryConfigCreationFailed` |
//! | no such kind in the cluster, or not any more | Synced | False | `TargetNotFound` | False `MonitoringFailed` |
//! | several such kinds | Synced | False | `TargetAmbiguous` | False `MonitoringFailed` |
//! | no right to list | Synced | False | `Forbidden` | False `MonitoringFailed` |
//! | the API server gives no usable answer | Synced | False | `TargetUnreachable` | False `MonitoringFailed` |
//! | — for so long that series were withdrawn | Exported | False | `Stale` | as the source's fault |
//! | no connection to the sink | Exported | False | `EndpointRefused` | False `MetricExportFailed` |
//! | its host has no address | Exported | False | `EndpointNotResolved` | False `MetricExportFailed` |
//! | its host moved to a forbidden address | Exported | False | `EndpointForbidden` | False `MetricExportFailed` |
//! | TLS: name, trust, validity | Exported | False | `TLSError` | False `MetricExportFailed` |
//! | no answer in time | Exported | False | `ExportTimeout` | False `MetricExportFailed` |
//! | it cannot serve | Exported | False | `SinkUnavailable` | False `MetricExportFailed` |
//! | it asks for fewer requests | Exported | False | `SinkThrottled` | False `MetricExportFailed` |
//! | it does not accept the credentials | Exported | False | `Unauthenticated` | False `MetricExportFailed` |
//! | they do not suffice | Exported | False | `PermissionDenied` | False `MetricExportFailed` |
//! | nothing is at its path | Exported | False | `EndpointNotFound` | False `MetricExportFailed` |
//! | it refuses requests for good | Exported | False | `ExportRejected` | False `MetricExportFailed` |
//! | one point is too large for it | Exported | False | `RequestTooLarge` | False `MetricExportFailed` |
//! | its answers are not OTLP | Exported | False | `InvalidResponse` | False `MetricExportFailed` |
//! | it refuses some points | Exported | False | `PointsRejected` | – |
//! | no right to watch: polled | Synced | True | `WatchForbidden` | – |
//! | undecodable objects, throttling and the like | Synced | True | `Degraded` | – |
//! | the first list is under way | Synced | False | `Listing` | Unknown `Reconciling` |
//! | — | Exported, WithinLimits | Unknown | `Listing` | |
//! | its DataSink is being read | Exported | Unknown | `Reconciling` | Unknown `Reconciling` |
//! | nothing was sent yet | Exported | Unknown | `NotTriedYet` | – |
//! | no sink is asked for | Exported | True | `ScrapeOnly` | – |
//! | an expression had no value for an object | ExpressionsValid | True | `EvaluationErrors` | – |
//! | a warning | ExpressionsValid | True | `ValidWithWarnings` | – |
//! | more series than the limit | WithinLimits | False | `SeriesLimitExceeded` | – |
//! | a sum beyond 64 bits | WithinLimits | False | `SumBeyond64Bits` | – |
//! | none | Synced | True | `ListComplete` | True `ReconciliationSucceeded` |
//! | none | Exported | True | `ExportSucceeded` | |
//! | none | ExpressionsValid, WithinLimits | True | `Valid`, `WithinLimits` | |
//!
//! A DataSink has the one condition Ready, with the reasons of Exported: `InvalidSpec`, those of its Secrets and of its
//! endpoint, those of its last request; True with `ExportSucceeded`, `NotTriedYet` or `PointsRejected`.
//!
//! Upstream's `OrchestratorCreationFailed` has no counterpart here and is never said.

mod facts;
mod verdict;
mod held;
mod sink;
mod target;
mod metric;
mod data_sink;
mod slot;
mod content;
mod bucket;
mod pacing;
mod request;
mod writer;
mod event;

pub use data_sink::data_sink_status;
pub use facts::{
    DataSinkFacts, ExportFailure, Lookup, MetricFacts, NameState, SinkDefect, SinkState, SourceFacts,
    SourceFault, SourceState, TargetState,
};
pub use metric::metric_status;
pub use slot::{DataSinkStatusSlot, MetricStatusSlot, ObjectRef, StatusHandle};
pub use writer::StatusWriter;

#[cfg(test)]
mod tests;
