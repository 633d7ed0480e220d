//! What happens to Nodes.
//!
//! In: chance. Out: events of Nodes; Pods that are not ready any more or are asked to go. Must never know: who replaces
//! those Pods.

use std::collections::BTreeSet;

use super::agenda::Step;
use super::cluster::Cluster;
use super::shelf::Id;
use super::state::{Kind, Node};

const ZONES: &[&str] = &["zone-1", "zone-2", "zone-3"];

// === impl Cluster ===

impl Cluster {
    /// A new Node.
    pub(super) fn add_node(&mut self) {
        let name = format!("node-{}", self.random.suffix(5));
        let meta = self.meta(name, None);
        let (id, now, zone) = (self.number(), self.now(), self.random.pick(ZONES));
        let changed = meta.created;
        let node = Node { meta, zone, is_heard: true, heartbeat: now, changed, pods: BTreeSet::new() };
        self.nodes.insert(id, node);
        self.added(Kind::Node, id);
        self.plan(1, 60, Step::Heartbeat(id));
    }

    /// A Node reports, as long as it is there.
    pub(super) fn heartbeat(&mut self, id: Id) {
        let now = self.now();
        let Some(node) = self.nodes.get_mut(id) else { return };
        if node.is_heard {
            node.heartbeat = now;
            self.modified(Kind::Node, id);
        }
        self.plan(50, 70, Step::Heartbeat(id));
    }

    /// Any Node is not heard of any more. Two others at least are left.
    pub(super) fn lose_node(&mut self) {
        let (draw, now) = (self.random.next(), self.now());
        let heard = self.nodes.iter().filter(|(_, node)| node.is_heard).count();
        let Some(id) = self.nodes.any(draw).filter(|_| heard > 2) else { return };
        let Some(node) = self.nodes.get_mut(id).filter(|node| node.is_heard) else { return };
        (node.is_heard, node.changed) = (false, now);
        let pods = node.pods.clone();
        self.modified(Kind::Node, id);
        for pod_id in pods {
            let Some(pod) = self.pods.get_mut(pod_id).filter(|pod| pod.is_ready) else { continue };
            (pod.is_ready, pod.changed) = (false, now);
            self.modified(Kind::Pod, pod_id);
            self.look_at_owner(pod_id);
        }
        self.plan(30, 60, Step::Evacuate(id));
        self.plan(90, 240, Step::Return(id));
    }

    /// Pods leave a Node that is still not heard of.
    pub(super) fn evacuate(&mut self, id: Id) {
        let Some(node) = self.nodes.get(id).filter(|node| !node.is_heard) else { return };
        for pod in node.pods.clone() {
            self.interrupt_job(pod);
            self.terminate(pod);
        }
    }

    /// A Node is heard of again; now and then another takes its place instead.
    pub(super) fn come_back(&mut self, id: Id) {
        let (now, is_replaced) = (self.now(), self.random.percent(30));
        let Some(node) = self.nodes.get_mut(id) else { return };
        if is_replaced {
            let pods = node.pods.clone();
            self.deleted(Kind::Node, id);
            for pod in pods {
                self.interrupt_job(pod);
                self.terminate(pod);
            }
            return self.add_node();
        }
        (node.is_heard, node.heartbeat, node.changed) = (true, now, now);
        let pods = node.pods.clone();
        self.modified(Kind::Node, id);
        for pod in pods {
            self.plan(1, 5, Step::BecomeReady(pod));
        }
    }
}
