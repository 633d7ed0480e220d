//! Two operators of which one works: what happens to series, status and the API server when the lead changes hands.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::harness::plane::User;
use crate::harness::sink::Request;
use crate::harness::{Client, Operator, Plane, Sink, pod, stays, until};

tests![
    a_leader_that_is_stopped_hands_over_within_a_tick,
    a_leader_that_is_killed_is_followed_after_its_lease,
    a_leader_that_stood_still_for_longer_than_its_lease_exports_nothing_more,
    a_leader_that_cannot_reach_the_api_server_stops_exporting,
];

/// How long a Lease lasts here.
const LEASE: Duration = Duration::from_secs(4);
/// The debounce of the Metric.
const TICK: Duration = Duration::from_millis(500);
/// What a busy machine adds.
const SLACK: Duration = Duration::from_secs(3);

/// Two replicas, and a Metric that changes all the time.
struct Replicas<'p> {
    plane: &'p Plane,
    namespace: String,
    sink: Sink,
    metric: Json,
    pod: Json,
    one: Replica,
    two: Replica,
}

/// One of them. Each is another user, so that the API server tells them apart.
struct Replica {
    name: &'static str,
    user: User,
    operator: Operator,
}

/// A thread that changes a Pod's phase about ten times a second.
struct Changing {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

// === impl Replica ===

impl Replica {
    fn start(plane: &Plane, namespace: &str, name: &'static str, address: std::net::SocketAddr) -> Self {
        let user = plane.operator_user();
        let mut operator = Operator::on(&plane.kubeconfig_at(&user, address))
            .args(&[
                "--watch-namespace",
                namespace,
                "--heartbeat",
                "1s",
                "--log-format",
                "text",
                "--leader-elect",
            ])
            .args(&["--leader-elect-lease-duration", "4s", "--leader-elect-renew-deadline", "3s"])
            .args(&["--leader-elect-retry-period", "500ms"])
            .env("OPERATOR_CONFIG_NAMESPACE", namespace)
            .env("POD_NAMESPACE", namespace)
            .env("POD_NAME", name)
            .start();
        // One that waits for the lead is ready as well: an update of a Deployment would never get further otherwise.
        operator.wait_ready();
        Replica { name, user, operator }
    }

    /// Whether a request came from it.
    fn sent(&self, request: &Request) -> bool {
        request.points.iter().any(|point| point.resource["service.instance.id"] == self.name)
    }

    /// How often it wrote a status.
    fn statuses(&self, plane: &Plane) -> usize {
        let requests = plane.requests(&self.user).into_iter();
        requests.filter(|request| request.verb == "patch" && request.subresource == "status").count()
    }

    /// How often it read all Pods.
    fn lists(&self, plane: &Plane) -> usize {
        let requests = plane.requests(&self.user).into_iter();
        requests.filter(|request| request.resource == "pods" && request.reads_all()).count()
    }
}

// === impl Replicas ===

impl<'p> Replicas<'p> {
    fn start(plane: &'p Plane, hint: &str) -> Self {
        Self::start_by_way_of(plane, hint, plane.address())
    }

    /// The first reaches the API server by way of this address.
    fn start_by_way_of(plane: &'p Plane, hint: &str, address: std::net::SocketAddr) -> Self {
        let namespace = plane.namespace(hint);
        let (client, sink) = (plane.client(), Sink::start());
        let declared = |kind: &str, name: &str, spec: Json| {
            let metadata = json!({"namespace": namespace, "name": name});
            json!({"apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
        };
        client.create(&declared("DataSink", "default", json!({"connection": {"endpoint": sink.http()}})));
        let metric = declared(
            "Metric",
            "pods",
            json!({"name": "replicated.pods", "target": {"kind": "Pod"}, "namespaces": [namespace], "dataSinkRef": {},
                "flush": {"debounce": "500ms"}, "projections": [{"name": "phase", "fieldPath": "status.phase"}]}),
        );
        client.create(&metric);
        let pod = pod(&namespace, "changing").create(client);
        let one = Replica::start(plane, &namespace, "replica-one", address);
        until("the first to export", || {
            if sink.requests().is_empty() { Err(one.operator.tail()) } else { Ok(()) }
        });
        client.wait_condition(&metric, "Ready", "True");
        let two = Replica::start(plane, &namespace, "replica-two", plane.address());
        Replicas { plane, namespace, sink, metric, pod, one, two }
    }

    /// Everything that the sink got so far, by who sent it: `true` for the first.
    fn senders(&self) -> Vec<(bool, Instant)> {
        let requests = self.sink.requests();
        requests.iter().map(|request| (self.one.sent(request), request.arrived)).collect()
    }

    /// Waits until the second has exported.
    #[track_caller]
    fn wait_second(&self) {
        until("the second to export", || {
            let senders = self.senders();
            let has = senders.iter().any(|(first, _)| !first);
            if has {
                Ok(())
            } else {
                Err(format!("{} requests\n{}", senders.len(), self.two.operator.tail()))
            }
        });
    }

    /// That the first sent nothing after the second began. Gives the time between the last of the one and the first of
    /// the other.
    #[track_caller]
    fn gap(&self) -> Duration {
        let senders = self.senders();
        let second = senders.iter().position(|(first, _)| !first).expect("the second has sent");
        let late = senders[second..].iter().filter(|(first, _)| *first).count();
        assert_eq!(late, 0, "of {} requests of the first came after the second had begun", senders.len());
        let (_, last) = senders[..second].last().expect("the first has sent");
        senders[second].1 - *last
    }

    /// That the standby, so far, has written nothing, shows nothing and has all lists behind it.
    #[track_caller]
    fn standby_is_warm_and_silent(&self) {
        assert!(self.one.statuses(self.plane) > 0);
        assert_eq!(self.two.statuses(self.plane), 0, "only a leader writes status");
        assert!(
            self.two.operator.metrics().find("replicated_pods", &[]).is_empty(),
            "who scrapes both sees it once"
        );
        assert!(!self.one.operator.metrics().find("replicated_pods", &[]).is_empty());
        assert!(self.two.lists(self.plane) > 0);
        let written: BTreeSet<String> = self
            .plane
            .requests(&self.two.user)
            .into_iter()
            .filter(|request| ["create", "update", "patch", "delete"].contains(&&*request.verb))
            // The harness asks for it what it may.
            .filter(|request| request.group != "authorization.k8s.io")
            .map(|request| request.resource)
            .collect();
        assert!(written.iter().all(|resource| resource == "leases"), "{written:?}");
    }

    /// The condition Ready of the Metric.
    fn ready(&self) -> Json {
        self.plane.client().wait_condition(&self.metric, "Ready", "True")
    }
}

// === impl Changing ===

impl Changing {
    fn begin(client: &Client, pod: &Json) -> Self {
        let (client, pod, ends) = (client.clone(), pod.clone(), Arc::new(AtomicBool::new(false)));
        let ending = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            let phases = ["Pending", "Running", "Failed", "Succeeded"].iter().cycle();
            let mut changes = 0;
            for phase in phases.take_while(|_| !ending.load(Ordering::Relaxed)) {
                client.patch_status(&pod, &json!({"phase": phase}));
                changes += 1;
                sleep(Duration::from_millis(100));
            }
            changes
        });
        Self { ends, thread }
    }

    fn end(self) -> usize {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn a_leader_that_is_stopped_hands_over_within_a_tick() {
    let plane = Plane::shared();
    let mut replicas = Replicas::start(&plane, "handover");
    let changing = Changing::begin(plane.client(), &replicas.pod);
    stays(Duration::from_secs(3), "the first leads alone", || {
        if replicas.senders().iter().all(|(first, _)| *first) { Ok(()) } else { Err("two".to_owned()) }
    });
    replicas.standby_is_warm_and_silent();
    let (before, lists) = (replicas.ready(), replicas.two.lists(&plane));
    assert!(replicas.one.operator.terminate().success());
    replicas.wait_second();
    let gap = replicas.gap();
    assert!(gap < TICK + SLACK / 2, "{gap:?}");
    assert!(changing.end() > 10);
    // It was warm: nothing was listed anew, and nothing has become less true by the change.
    assert_eq!(replicas.two.lists(&plane), lists);
    until("a status of the second", || {
        if replicas.two.statuses(&plane) > 0 { Ok(()) } else { Err(replicas.two.operator.tail()) }
    });
    assert_eq!(replicas.ready()["lastTransitionTime"], before["lastTransitionTime"]);
    assert!(!replicas.two.operator.metrics().find("replicated_pods", &[]).is_empty());
    assert_eq!(replicas.sink.series("replicated.pods").len(), 1, "one Pod is one series");
}

fn a_leader_that_is_killed_is_followed_after_its_lease() {
    let plane = Plane::shared();
    let mut replicas = Replicas::start(&plane, "killed");
    let changing = Changing::begin(plane.client(), &replicas.pod);
    until("changes", || if replicas.sink.requests().len() > 5 { Ok(()) } else { Err(String::new()) });
    replicas.one.operator.kill();
    replicas.wait_second();
    let gap = replicas.gap();
    assert!(gap > LEASE / 2 && gap < LEASE + TICK + SLACK, "{gap:?}");
    assert!(changing.end() > 10);
    // What the first knew of the series that went meanwhile nobody knows; what lives is right.
    let (first, second) = (&replicas.one, &replicas.two);
    let third = Replica::start(&plane, &replicas.namespace, "replica-one", plane.address());
    replicas.one = Replica { name: first.name, ..third };
    assert!(second.operator.readyz().is_ok());
    let heard = replicas.senders().len();
    until("more of the second", || {
        if replicas.senders().len() > heard + 2 { Ok(()) } else { Err(replicas.two.operator.tail()) }
    });
    assert!(replicas.senders()[heard..].iter().all(|(first, _)| !first), "who comes back waits");
}

fn a_leader_that_stood_still_for_longer_than_its_lease_exports_nothing_more() {
    let plane = Plane::shared();
    let mut replicas = Replicas::start(&plane, "frozen");
    let changing = Changing::begin(plane.client(), &replicas.pod);
    until("changes", || if replicas.sink.requests().len() > 5 { Ok(()) } else { Err(String::new()) });
    replicas.one.operator.pause();
    replicas.wait_second();
    let statuses = replicas.one.statuses(&plane);
    replicas.one.operator.resume();
    // All its timers are due at once, and it has yet to learn that it does not lead any more.
    let heard = replicas.senders().len();
    until("ticks of the second", || {
        if replicas.senders().len() > heard + 6 { Ok(()) } else { Err(replicas.two.operator.tail()) }
    });
    replicas.gap();
    assert_eq!(replicas.one.statuses(&plane), statuses);
    // It is of use as a standby.
    assert!(replicas.two.operator.terminate().success());
    until("the first to lead again", || {
        let senders = replicas.senders();
        if senders.last().is_some_and(|(first, _)| *first) {
            Ok(())
        } else {
            Err(replicas.one.operator.tail())
        }
    });
    assert!(changing.end() > 10);
}

fn a_leader_that_cannot_reach_the_api_server_stops_exporting() {
    let plane = Plane::shared();
    let proxy = crate::harness::Proxy::before(plane.address());
    let replicas = Replicas::start_by_way_of(&plane, "partitioned", proxy.address());
    let changing = Changing::begin(plane.client(), &replicas.pod);
    until("changes", || if replicas.sink.requests().len() > 5 { Ok(()) } else { Err(String::new()) });
    proxy.black_hole();
    replicas.wait_second();
    let heard = replicas.senders().len();
    until("ticks of the second", || {
        if replicas.senders().len() > heard + 6 { Ok(()) } else { Err(replicas.two.operator.tail()) }
    });
    let gap = replicas.gap();
    assert!(gap < LEASE + TICK + SLACK, "{gap:?}");
    proxy.pass();
    proxy.cut();
    let heard = replicas.senders().len();
    until("ticks of the second", || {
        if replicas.senders().len() > heard + 6 { Ok(()) } else { Err(replicas.two.operator.tail()) }
    });
    replicas.gap();
    assert!(changing.end() > 10);
}
