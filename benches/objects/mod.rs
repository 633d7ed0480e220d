//! Objects such as an API server sends them, each different, all made from a number.

use std::fmt::Write;

/// A small generator of numbers that look random (SplitMix64; Steele, Lea, Flood 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[(self.next() % choices.len() as u64) as usize]
    }

    fn uid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-9{:03x}-{:012x}",
            a >> 32,
            a & 0xffff,
            b & 0xfff,
            (b >> 12) & 0xfff,
            b >> 16
        )
    }

    fn time(&mut self) -> String {
        let n = self.next();
        format!(
            "2026-0{}-{:02}T{:02}:{:02}:{:02}Z",
            n % 9 + 1,
            n % 27 + 1,
            n % 23,
            (n >> 8) % 60,
            (n >> 16) % 60
        )
    }
}

/// The JSON of the Pod with number `n`: about 6 KB, a third of it `metadata.managedFields`.
pub(crate) fn pod(n: u64) -> String {
    let mut numbers = Numbers(n);
    let app =
        numbers.pick(&["checkout", "cart", "search", "payments-gateway", "recommendation", "mail", "web"]);
    let namespace = numbers.pick(&["shop", "shop-staging", "platform", "team-a", "team-blue-production"]);
    let hash = format!("{:x}", numbers.next() >> 28);
    let mut out = String::with_capacity(7000);
    out += r#"{"kind":"Pod","apiVersion":"v1","metadata":"#;
    metadata(&mut out, &mut numbers, app, namespace, &hash);
    out += r#","spec":"#;
    spec(&mut out, &mut numbers, app);
    out += r#","status":"#;
    status(&mut out, &mut numbers, app);
    out.push('}');
    out
}

fn metadata(out: &mut String, numbers: &mut Numbers, app: &str, namespace: &str, hash: &str) {
    let suffix = numbers.next() % 100_000;
    write!(
        out,
        r#"{{"name":"{app}-{hash}-{suffix:05}","generateName":"{app}-{hash}-","namespace":"{namespace}","uid":"{}","#,
        numbers.uid()
    )
    .expect("a string");
    write!(out, r#""resourceVersion":"{}","creationTimestamp":"{}","#, numbers.next() >> 36, numbers.time())
        .expect("a string");
    let (tier, version) = (numbers.pick(&["frontend", "backend", "batch"]), numbers.next() % 90);
    write!(
        out,
        r#""labels":{{"app":"{app}","app.kubernetes.io/component":"{tier}","app.kubernetes.io/instance":"{app}-{namespace}","app.kubernetes.io/managed-by":"Helm","app.kubernetes.io/name":"{app}","app.kubernetes.io/version":"1.{version}.0","pod-template-hash":"{hash}","team":"{}","tier":"{tier}"}},"#,
        numbers.pick(&["blue", "green", "observability", "core"])
    )
    .expect("a string");
    write!(
        out,
        r#""annotations":{{"checksum/config":"{:016x}{:016x}","prometheus.io/port":"{}","prometheus.io/scrape":"true""#,
        numbers.next(),
        numbers.next(),
        8000 + numbers.next() % 2000
    )
    .expect("a string");
    if numbers.next().is_multiple_of(4) {
        let note = r#","example.org/note":"{\"restarted-by\":\"rollout\",\"reason\":\"config change\"}""#;
        *out += note;
    }
    write!(
        out,
        r#"}},"ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"{app}-{hash}","uid":"{}","controller":true,"blockOwnerDeletion":true}}],"#,
        numbers.uid()
    )
    .expect("a string");
    managed_fields(out, numbers);
}

fn managed_fields(out: &mut String, numbers: &mut Numbers) {
    let owner = numbers.uid();
    write!(
        out,
        r#""managedFields":[{{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"{}","fieldsType":"FieldsV1","fieldsV1":{{"f:metadata":{{"f:annotations":{{".":{{}},"f:checksum/config":{{}},"f:prometheus.io/port":{{}},"f:prometheus.io/scrape":{{}}}},"f:generateName":{{}},"f:labels":{{".":{{}},"f:app":{{}},"f:app.kubernetes.io/component":{{}},"f:app.kubernetes.io/instance":{{}},"f:app.kubernetes.io/managed-by":{{}},"f:app.kubernetes.io/name":{{}},"f:app.kubernetes.io/version":{{}},"f:pod-template-hash":{{}},"f:team":{{}},"f:tier":{{}}}},"f:ownerReferences":{{".":{{}},"k:{{\"uid\":\"{owner}\"}}":{{}}}}}},"#,
        numbers.time()
    )
    .expect("a string");
    *out += r#""f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:env":{".":{},"k:{\"name\":\"LOG_LEVEL\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"POD_NAME\"}":{".":{},"f:name":{},"f:valueFrom":{".":{},"f:fieldRef":{}}}},"f:image":{},"f:imagePullPolicy":{},"f:livenessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:name":{},"f:protocol":{}}},"f:resources":{".":{},"f:limits":{".":{},"f:memory":{}},"f:requests":{".":{},"f:cpu":{},"f:memory":{}}},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}},"#;
    write!(
        out,
        r#"{{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"{}","fieldsType":"FieldsV1","fieldsV1":{{"f:status":{{"f:conditions":{{"k:{{\"type\":\"ContainersReady\"}}":{{".":{{}},"f:lastTransitionTime":{{}},"f:status":{{}},"f:type":{{}}}},"k:{{\"type\":\"Ready\"}}":{{".":{{}},"f:lastTransitionTime":{{}},"f:status":{{}},"f:type":{{}}}}}},"f:containerStatuses":{{}},"f:hostIP":{{}},"f:phase":{{}},"f:podIP":{{}},"f:startTime":{{}}}}}},"subresource":"status"}}]}}"#,
        numbers.time()
    )
    .expect("a string");
}

fn spec(out: &mut String, numbers: &mut Numbers, app: &str) {
    let token = format!("kube-api-access-{:05x}", numbers.next() & 0xfffff);
    write!(
        out,
        r#"{{"volumes":[{{"name":"{token}","projected":{{"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}},{{"configMap":{{"name":"kube-root-ca.crt","items":[{{"key":"ca.crt","path":"ca.crt"}}]}}}},{{"downwardAPI":{{"items":[{{"path":"namespace","fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.namespace"}}}}]}}}}],"defaultMode":420}}}}],"containers":["#
    )
    .expect("a string");
    container(out, numbers, "main", app, &token);
    if numbers.next().is_multiple_of(3) {
        out.push(',');
        container(out, numbers, "proxy", "mesh/proxy", &token);
    }
    write!(
        out,
        r#"],"restartPolicy":"Always","terminationGracePeriodSeconds":{},"dnsPolicy":"ClusterFirst","serviceAccountName":"{app}","serviceAccount":"{app}","nodeName":"node-{}.eu-central-1.compute.internal","securityContext":{{}},"schedulerName":"default-scheduler","tolerations":[{{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}},{{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}}],"priority":{},"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"}}"#,
        numbers.next() % 90 + 10,
        numbers.next() % 200,
        numbers.next() % 1000
    )
    .expect("a string");
}

fn container(out: &mut String, numbers: &mut Numbers, name: &str, image: &str, token: &str) {
    write!(
        out,
        r#"{{"name":"{name}","image":"registry.example.org/{image}:1.{}.{}","ports":[{{"name":"http","containerPort":8080,"protocol":"TCP"}}],"env":[{{"name":"LOG_LEVEL","value":"{}"}},{{"name":"POD_NAME","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.name"}}}}}}],"resources":{{"limits":{{"memory":"{}Mi"}},"requests":{{"cpu":"{}m","memory":"{}Mi"}}}},"volumeMounts":[{{"name":"{token}","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}}],"livenessProbe":{{"httpGet":{{"path":"/healthz","port":8080,"scheme":"HTTP"}},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}}"#,
        numbers.next() % 40,
        numbers.next() % 20,
        numbers.pick(&["debug", "info", "warning"]),
        numbers.next() % 4000 + 64,
        numbers.next() % 2000 + 10,
        numbers.next() % 2000 + 64
    )
    .expect("a string");
}

fn status(out: &mut String, numbers: &mut Numbers, app: &str) {
    let phase = numbers.pick(&["Running", "Running", "Running", "Pending", "Succeeded"]);
    write!(out, r#"{{"phase":"{phase}","conditions":["#).expect("a string");
    for (at, kind) in ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .iter()
        .enumerate()
    {
        let comma = if at > 0 { "," } else { "" };
        write!(
            out,
            r#"{comma}{{"type":"{kind}","status":"{}","lastProbeTime":null,"lastTransitionTime":"{}"}}"#,
            numbers.pick(&["True", "False"]),
            numbers.time()
        )
        .expect("a string");
    }
    let ip = numbers.next();
    write!(
        out,
        r#"],"hostIP":"10.0.{}.{}","podIP":"10.{}.{}.{}","startTime":"{}","containerStatuses":[{{"name":"main","state":{{"running":{{"startedAt":"{}"}}}},"lastState":{{}},"ready":true,"restartCount":{},"image":"registry.example.org/{app}:1","imageID":"registry.example.org/{app}@sha256:{:016x}{:016x}{:016x}{:016x}","containerID":"containerd://{:016x}{:016x}{:016x}{:016x}","started":true}}],"qosClass":"Burstable"}}"#,
        ip % 256,
        (ip >> 8) % 256,
        (ip >> 16) % 256,
        (ip >> 24) % 256,
        (ip >> 32) % 256,
        numbers.time(),
        numbers.time(),
        numbers.next() % 30,
        numbers.next(), numbers.next(), numbers.next(), numbers.next(),
        numbers.next(), numbers.next(), numbers.next(), numbers.next()
    )
    .expect("a string");
}
