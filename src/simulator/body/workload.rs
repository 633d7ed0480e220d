//! Deployments, ReplicaSets and Jobs.
//!
//! In: one of them. Out: JSON. Must never know: what happens to it.

use super::super::event::put;
use super::super::state::{App, Deployment, Job, Kind, Owner, ReplicaSet};
use super::{Managed, condition, metadata};

const OWNED_BY_AUTHOR: &str = r#"{"f:metadata":{"f:labels":{".":{},"f:app":{},"f:tier":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{".":{},"f:app":{},"f:tier":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},"f:name":{},"f:resources":{}}}}}}}"#;
const OWNED_BY_CONTROLLER: &str = r#"{"f:status":{"f:conditions":{},"f:observedGeneration":{},"f:readyReplicas":{},"f:replicas":{},"f:updatedReplicas":{}}}"#;

/// Writes a Deployment.
pub(in super::super) fn deployment(out: &mut String, deployment: &Deployment) {
    let Deployment { meta, app, revision, replicas, ready, updated, total, .. } = deployment;
    let annotations = format!(r#""deployment.kubernetes.io/revision":"{revision}""#);
    head(out, meta, app, "", &annotations, None);
    put(out, format_args!(r#","spec":{{"replicas":{replicas},"selector":{{"matchLabels":{{"app":"#));
    put(out, format_args!(r#""{}"}}}},"template":"#, app.name));
    template(out, app, *revision, "");
    out.push_str(r#","strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":0,"maxSurge":"25%"}},"revisionHistoryLimit":2,"progressDeadlineSeconds":600},"status":{"#);
    put(out, format_args!(r#""observedGeneration":{},"replicas":{total},"#, meta.generation));
    put(out, format_args!(r#""updatedReplicas":{updated},"readyReplicas":{ready},"#));
    put(out, format_args!(r#""availableReplicas":{ready},"conditions":["#));
    let available = if ready >= replicas { "True" } else { "False" };
    condition(out, "", "Available", available, meta.created, "MinimumReplicas");
    condition(out, ",", "Progressing", "True", meta.created, "NewReplicaSetAvailable");
    out.push_str("]}}");
}

/// Writes a ReplicaSet.
pub(in super::super) fn replica_set(out: &mut String, set: &ReplicaSet) {
    let ReplicaSet { meta, app, hash, replicas, total, ready, .. } = set;
    let hash = format!(r#","pod-template-hash":"{hash}""#);
    let annotations = format!(r#""deployment.kubernetes.io/desired-replicas":"{replicas}""#);
    head(out, meta, app, &hash, &annotations, Some(&set.owner));
    put(out, format_args!(r#","spec":{{"replicas":{replicas},"selector":{{"matchLabels":{{"app":"#));
    put(out, format_args!(r#""{}"{hash}}}}},"template":"#, app.name));
    template(out, app, set.revision, &hash);
    put(out, format_args!(r#"}},"status":{{"replicas":{total},"fullyLabeledReplicas":{total},"#));
    put(out, format_args!(r#""readyReplicas":{ready},"availableReplicas":{ready},"#));
    put(out, format_args!(r#""observedGeneration":{}}}}}"#, meta.generation));
}

/// Writes a Job.
pub(in super::super) fn job(out: &mut String, job: &Job) {
    let Job { meta, app, .. } = job;
    head(out, meta, app, "", "", None);
    out.push_str(r#","spec":{"parallelism":1,"completions":1,"backoffLimit":0,"template":"#);
    template(out, app, 1, "");
    put(out, format_args!(r#"}},"status":{{"startTime":"{}""#, meta.created));
    match job.ended {
        None => out.push_str(r#","active":1,"ready":0"#),
        Some((true, at)) => {
            put(out, format_args!(r#","completionTime":"{at}","succeeded":1,"conditions":["#));
            condition(out, "", "SuccessCriteriaMet", "True", at, "CompletionsReached");
            condition(out, ",", "Complete", "True", at, "CompletionsReached");
            out.push(']');
        }
        Some((false, at)) => {
            out.push_str(r#","failed":1,"conditions":["#);
            condition(out, "", "Failed", "True", at, "BackoffLimitExceeded");
            out.push(']');
        }
    }
    out.push_str("}}");
}

fn head(
    out: &mut String,
    meta: &super::super::state::Meta,
    app: &App,
    more_labels: &str,
    annotations: &str,
    owner: Option<&Owner>,
) {
    let labels = format!(r#""app":"{}","tier":"{}"{more_labels}"#, app.name, app.tier);
    let author = if owner.is_some_and(|owner| owner.kind == Kind::Deployment) {
        "kube-controller-manager"
    } else {
        "helm"
    };
    let entry = |manager, fields, is_of_status| Managed { manager, time: meta.created, fields, is_of_status };
    let managed =
        [entry(author, OWNED_BY_AUTHOR, false), entry("kube-controller-manager", OWNED_BY_CONTROLLER, true)];
    metadata(out, meta, &labels, annotations, owner, &managed);
}

/// Writes the template of Pods, with more labels.
fn template(out: &mut String, app: &App, revision: u64, more_labels: &str) {
    let App { name, tier, memory_mib, .. } = app;
    put(out, format_args!(r#"{{"metadata":{{"labels":{{"app":"{name}","tier":"{tier}"{more_labels}}}}},"#));
    put(out, format_args!(r#""spec":{{"containers":[{{"name":"main","image":"{}","#, app.image(revision)));
    match memory_mib {
        None => out.push_str(r#""resources":{}}"#),
        Some(mib) => {
            put(out, format_args!(r#""resources":{{"requests":{{"cpu":"100m","memory":"{mib}Mi"}}}}}}"#));
        }
    }
    out.push_str(r#"],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","schedulerName":"default-scheduler"}}"#);
}
