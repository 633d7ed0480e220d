//! A test's own part of a control plane: a namespace, and an operator that follows the Metrics in it and no others.
//!
//! In: a plane, what is special about this operator. Out: Metrics, and what becomes of them in status, on `/metrics` and
//! in the API server's audit log. Flags that bound waiting are short, so that a test needs seconds.

use std::ffi::OsString;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::client::Client;
use super::operator::Operator;
use super::plane::audit::Request;
use super::plane::{Plane, User};
use super::pod::{Pod, pod};
use super::until;

/// A running operator and what it looks after.
pub(crate) struct Scene<'p> {
    pub(crate) plane: &'p Plane,
    pub(crate) user: User,
    pub(crate) namespace: String,
    pub(crate) operator: Operator,
}

/// One that is yet to be started.
pub(crate) struct Setting<'p> {
    plane: &'p Plane,
    hint: String,
    user: Option<User>,
    address: SocketAddr,
    profile: String,
    loopback_sinks: bool,
    environment: Vec<(String, OsString)>,
    arguments: Vec<String>,
}

/// The groups of our kinds, the new one first.
pub(crate) const GROUPS: [&str; 2] = ["metrics.open-control-plane.io", "metrics.openmcp.cloud"];

// === impl Scene ===

impl<'p> Scene<'p> {
    /// A scene on this plane, in a namespace whose name begins with `hint`.
    pub(crate) fn on(plane: &'p Plane, hint: &str) -> Setting<'p> {
        Setting {
            plane,
            hint: hint.to_owned(),
            user: None,
            address: plane.address(),
            profile: "native".to_owned(),
            loopback_sinks: true,
            environment: vec![],
            arguments: vec![],
        }
    }

    /// The administrator.
    pub(crate) fn client(&self) -> &'p Client {
        self.plane.client()
    }

    /// A Pod of this namespace, to be made.
    pub(crate) fn pod(&self, name: &str) -> Pod {
        pod(&self.namespace, name)
    }

    /// A Metric of this namespace as [`metric_in`](Self::metric_in), in the new group.
    pub(crate) fn metric(&self, name: &str, spec: &Value) -> Value {
        self.metric_in(GROUPS[0], name, spec)
    }

    /// A Metric over the Pods of this namespace whose metric has the same name, with `_` for `-`, unless `spec` says
    /// otherwise, field by field. A field that `spec` says is null is left out.
    pub(crate) fn metric_in(&self, group: &str, name: &str, spec: &Value) -> Value {
        let usual = json!({
            "name": name.replace('-', "_"), "target": {"kind": "Pod", "version": "v1"}, "namespaces": [self.namespace],
            "flush": {"debounce": "200ms"},
        });
        let given = spec.as_object().unwrap().clone();
        let mut spec = usual;
        spec.as_object_mut().unwrap().extend(given);
        spec.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        json!({
            "apiVersion": format!("{group}/v1alpha1"), "kind": "Metric",
            "metadata": {"namespace": self.namespace, "name": name}, "spec": spec,
        })
    }

    /// Declares such a Metric, or makes it so. Returns the object as it was sent.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "so that a test gives it as it is written")]
    pub(crate) fn declare(&self, name: &str, spec: Value) -> Value {
        let metric = self.metric(name, &spec);
        self.client().apply(&metric);
        metric
    }

    /// Declares a DataSink of this namespace at this URL, or makes it so. Returns the object as it was sent.
    #[track_caller]
    pub(crate) fn declare_sink(&self, name: &str, endpoint: &str) -> Value {
        self.declare_sink_with(name, endpoint, &Value::Null)
    }

    /// The same with `authentication`, unless that is null.
    #[track_caller]
    pub(crate) fn declare_sink_with(&self, name: &str, endpoint: &str, authentication: &Value) -> Value {
        let mut sink = json!({
            "apiVersion": format!("{}/v1alpha1", GROUPS[0]), "kind": "DataSink",
            "metadata": {"namespace": self.namespace, "name": name},
            "spec": {"connection": {"endpoint": endpoint}},
        });
        if !authentication.is_null() {
            sink["spec"]["authentication"] = authentication.clone();
        }
        self.client().apply(&sink);
        sink
    }

    /// A Secret of this namespace with these entries, to be made.
    pub(crate) fn secret(&self, name: &str, entries: &Value) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": self.namespace, "name": name},
            "stringData": entries,
        })
    }

    /// Waits until the Metric's latest generation is Ready.
    #[track_caller]
    pub(crate) fn wait_ready(&self, metric: &Value) {
        self.wait_reason(metric, "Ready", "ReconciliationSucceeded");
    }

    /// Waits until a condition of the latest generation of a Metric or a DataSink has this reason. Returns its message.
    #[track_caller]
    pub(crate) fn wait_reason(&self, declared: &Value, kind: &str, reason: &str) -> String {
        let found = |object: &Value| {
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let of_kind = |condition: &Value| {
                condition["type"] == kind
                    && condition["observedGeneration"] == object["metadata"]["generation"]
            };
            conditions.into_iter().find(|one| of_kind(one)).filter(|one| one["reason"] == reason)
        };
        let what = format!("reason {reason} of condition {kind}");
        let object = until(&what, || {
            let object = self.client().read(declared).ok_or("there is no such object")?;
            let log = || self.operator.tail();
            found(&object).map(|_| object.clone()).ok_or_else(|| format!("{:#}\n{}", object["status"], log()))
        });
        found(&object).unwrap()["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a metric on `/metrics` has exactly these series.
    #[track_caller]
    pub(crate) fn sees(&self, name: &str, expected: &[(&str, f64)]) {
        self.operator.wait_family(name, expected);
    }

    /// What the operator asked the API server for, of objects of this kind.
    pub(crate) fn requests(&self, verb: &str, resource: &str) -> Vec<Request> {
        self.plane.requests(&self.user).into_iter().filter(|request| request.is(verb, resource)).collect()
    }

    /// The watches of this kind that are open now.
    pub(crate) fn open_watches(&self, resource: &str) -> Vec<Request> {
        let watches = self.requests("watch", resource).into_iter();
        watches.filter(|request| request.code == 200 && !request.over).collect()
    }

    /// How many lists of all objects of this kind were begun.
    pub(crate) fn full_lists(&self, resource: &str) -> usize {
        let requests = self.plane.requests(&self.user).into_iter();
        requests.filter(|request| request.resource == resource && request.reads_all()).count()
    }

    /// What was asked for of this kind lately, and what the operator says, for a test that fails.
    pub(crate) fn lately(&self, resource: &str) -> String {
        const LAST: usize = 16;
        let requests = self.plane.requests(&self.user).into_iter();
        let line = |of: Request| format!("{} {} {} {:?} {}\n", of.at, of.verb, of.path, of.query, of.code);
        let lines: Vec<_> = requests.filter(|request| request.resource == resource).map(line).collect();
        lines[lines.len().saturating_sub(LAST)..].concat() + &self.operator.tail()
    }
}

// === impl Setting ===

impl<'p> Setting<'p> {
    /// Another user than one with all the rights that the operator needs.
    pub(crate) fn user(mut self, user: User) -> Self {
        self.user = Some(user);
        self
    }

    /// By way of this address: that of a proxy before the API server.
    pub(crate) fn by_way_of(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Another profile than `native`.
    pub(crate) fn profile(mut self, profile: &str) -> Self {
        profile.clone_into(&mut self.profile);
        self
    }

    /// Without the flag that lets sinks be on this host.
    pub(crate) fn no_loopback_sinks(mut self) -> Self {
        self.loopback_sinks = false;
        self
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Further arguments.
    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Starts the operator and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(self) -> Scene<'p> {
        let namespace = self.plane.namespace(&self.hint);
        let user = self.user.unwrap_or_else(|| self.plane.operator_user());
        let kubeconfig = self.plane.kubeconfig_at(&user, self.address);
        let mut start = Operator::on(&kubeconfig)
            .instead("--profile", &self.profile)
            .args(&["--watch-namespace", &namespace])
            .args(&["--log-format", "text", "--zap-log-level", "debug"])
            .env("OPERATOR_CONFIG_NAMESPACE", &namespace);
        if !self.arguments.iter().any(|argument| argument == "--stale-after") {
            start = start.args(&["--stale-after", "3s"]);
        }
        if !self.arguments.iter().any(|argument| argument == "--audit-per-minute") {
            // Looks at objects would be requests that a test has not laid down.
            start = start.args(&["--audit-per-minute", "0"]);
        }
        if !self.loopback_sinks {
            start = start.without("--allow-loopback-sinks");
        }
        for argument in &self.arguments {
            start = start.arg(argument);
        }
        for (name, value) in self.environment {
            start = start.env(&name, value);
        }
        let mut operator = start.start();
        operator.wait_ready();
        Scene { plane: self.plane, user, namespace, operator }
    }
}
