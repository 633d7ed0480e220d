//! Pods: five to six kilobytes each, a third of it `managedFields`.
//!
//! In: a Pod. Out: JSON. Must never know: what happens to it.

use super::super::event::put;
use super::super::moment::Moment;
use super::super::state::{Container, ContainerState, Kind, Phase, Pod};
use super::{Managed, condition, metadata};

/// What the controller that created the Pod owns of it.
const OWNED_BY_CONTROLLER: &str = r#"{"f:metadata":{"f:annotations":{".":{},"f:checksum/config":{},"f:prometheus.io/port":{},"f:prometheus.io/scrape":{}},"f:generateName":{},"f:labels":{".":{},"f:app":{},"f:app.kubernetes.io/component":{},"f:app.kubernetes.io/managed-by":{},"f:app.kubernetes.io/name":{},"f:pod-template-hash":{},"f:tier":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"owner\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:env":{".":{},"k:{\"name\":\"LOG_LEVEL\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"POD_NAME\"}":{".":{},"f:name":{},"f:valueFrom":{".":{},"f:fieldRef":{}}}},"f:image":{},"f:imagePullPolicy":{},"f:livenessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:name":{},"f:protocol":{}}},"f:resources":{".":{},"f:limits":{".":{},"f:memory":{}},"f:requests":{".":{},"f:cpu":{},"f:memory":{}}},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}"#;

/// What the kubelet owns of it.
const OWNED_BY_KUBELET: &str = r#"{"f:status":{"f:conditions":{"k:{\"type\":\"ContainersReady\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Initialized\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Ready\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:containerStatuses":{},"f:hostIP":{},"f:phase":{},"f:podIP":{},"f:podIPs":{".":{},"k:{\"ip\":\"own\"}":{".":{},"f:ip":{}}},"f:startTime":{}}}"#;

/// Writes a Pod.
pub(in super::super) fn pod(out: &mut String, pod: &Pod) {
    let app = &pod.app;
    let mut labels = String::new();
    put(&mut labels, format_args!(r#""app":"{}","app.kubernetes.io/component":"{}","#, app.name, app.tier));
    put(&mut labels, format_args!(r#""app.kubernetes.io/managed-by":"Helm","tier":"{}","#, app.tier));
    let key = if pod.owner.kind == Kind::Job { "batch.kubernetes.io/job-name" } else { "pod-template-hash" };
    put(&mut labels, format_args!(r#""app.kubernetes.io/name":"{}","{key}":"{}""#, app.name, pod.hash));
    let annotations = format!(
        r#""checksum/config":"{:032x}","prometheus.io/port":"8080","prometheus.io/scrape":"true""#,
        pod.owner.uid.0
    );
    let manager = |manager, time, fields, is_of_status| Managed { manager, time, fields, is_of_status };
    let managed = [
        manager("kube-controller-manager", pod.meta.created, OWNED_BY_CONTROLLER, false),
        manager("kubelet", pod.changed, OWNED_BY_KUBELET, true),
    ];
    metadata(out, &pod.meta, &labels, &annotations, Some(&pod.owner), &managed);
    spec(out, pod);
    status(out, pod);
    out.push('}');
}

fn spec(out: &mut String, pod: &Pod) {
    let token = format!("kube-api-access-{:05x}", pod.meta.uid.0 & 0xf_ffff);
    put(out, format_args!(r#","spec":{{"volumes":[{{"name":"{token}","projected":{{"sources":["#));
    out.push_str(r#"{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],"defaultMode":420}}],"containers":["#);
    for (at, container) in pod.containers.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        container_spec(out, container, &token);
    }
    let policy = if pod.owner.kind == Kind::Job { "Never" } else { "Always" };
    put(out, format_args!(r#"],"restartPolicy":"{policy}","terminationGracePeriodSeconds":30,"#));
    put(out, format_args!(r#""dnsPolicy":"ClusterFirst","serviceAccountName":"{0}","#, pod.app.name));
    if let Some((_, node)) = &pod.node {
        put(out, format_args!(r#""nodeName":"{node}","#));
    }
    out.push_str(r#""securityContext":{},"schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"}"#);
}

fn container_spec(out: &mut String, container: &Container, token: &str) {
    let Container { name, image, .. } = container;
    put(out, format_args!(r#"{{"name":"{name}","image":"{image}","ports":[{{"name":"http","#));
    out.push_str(r#""containerPort":8080,"protocol":"TCP"}],"env":[{"name":"LOG_LEVEL","value":"info"},{"name":"POD_NAME","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}}],"resources":"#);
    match container.memory_mib {
        None => out.push_str("{}"),
        Some(mib) => put(
            out,
            format_args!(
                r#"{{"limits":{{"memory":"{}Mi"}},"requests":{{"cpu":"100m","memory":"{mib}Mi"}}}}"#,
                mib * 2
            ),
        ),
    }
    put(out, format_args!(r#","volumeMounts":[{{"name":"{token}","readOnly":true,"#));
    out.push_str(r#""mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"livenessProbe":{"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}"#);
}

fn status(out: &mut String, pod: &Pod) {
    let Pod { changed, meta, .. } = pod;
    put(out, format_args!(r#","status":{{"phase":"{}","conditions":["#, pod.phase.name()));
    let has_begun = pod.started.is_some();
    let conditions = [
        ("PodScheduled", pod.node.is_some()),
        ("Initialized", has_begun),
        ("ContainersReady", pod.is_ready),
        ("Ready", pod.is_ready),
    ];
    for (at, (kind, holds)) in conditions.into_iter().enumerate() {
        let (comma, status) = (if at > 0 { "," } else { "" }, if holds { "True" } else { "False" });
        condition(out, comma, kind, status, if holds { meta.created } else { *changed }, "");
    }
    out.push(']');
    if let Some(reason) = pod.reason {
        put(out, format_args!(r#","reason":"{reason}","message":"The node had not enough memory.""#));
    }
    if let (Some(started), Some((node, _))) = (pod.started, &pod.node) {
        let [_, _, .., a, b, c] = meta.uid.0.to_be_bytes();
        put(out, format_args!(r#","hostIP":"10.0.0.{}","podIP":"10.{a}.{b}.{c}","#, node.0 % 250 + 1));
        put(out, format_args!(r#""podIPs":[{{"ip":"10.{a}.{b}.{c}"}}],"startTime":"{started}""#));
        out.push_str(r#","containerStatuses":["#);
        for (at, container) in pod.containers.iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            container_status(out, pod, container, started);
        }
        out.push(']');
    }
    out.push_str(r#","qosClass":"Burstable"}"#);
}

fn container_status(out: &mut String, pod: &Pod, container: &Container, started: Moment) {
    let Container { name, image, restarts, state, .. } = container;
    put(out, format_args!(r#"{{"name":"{name}","state":"#));
    match state {
        ContainerState::Waiting(reason) => put(out, format_args!(r#"{{"waiting":{{"reason":"{reason}"}}}}"#)),
        ContainerState::Running(since) => {
            put(out, format_args!(r#"{{"running":{{"startedAt":"{since}"}}}}"#));
        }
        ContainerState::Terminated(status) => {
            let reason = if *status == 0 { "Completed" } else { "Error" };
            put(out, format_args!(r#"{{"terminated":{{"exitCode":{status},"reason":"{reason}","#));
            put(out, format_args!(r#""startedAt":"{started}","finishedAt":"{}"}}}}"#, pod.changed));
        }
    }
    let runs = matches!(state, ContainerState::Running(_));
    let is_ready = runs && pod.is_ready && pod.phase == Phase::Running;
    let id = pod.meta.uid.0;
    put(out, format_args!(r#","lastState":{{}},"ready":{is_ready},"started":{runs},"#));
    put(out, format_args!(r#""restartCount":{restarts},"image":"{image}","#));
    put(
        out,
        format_args!(r#""imageID":"{image}@sha256:{id:064x}","containerID":"containerd://{id:064x}"}}"#),
    );
}
