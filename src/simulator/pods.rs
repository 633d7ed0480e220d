//! What happens to Pods.
//!
//! In: Pods, chance. Out: events of Pods; whoever owns them looks at them again. Must never know: why Pods come and go.

use std::sync::Arc;

use super::agenda::Step;
use super::cluster::Cluster;
use super::shelf::Id;
use super::state::{App, Container, ContainerState, Kind, Owner, Phase, Pod};

// === impl Cluster ===

impl Cluster {
    /// A new Pod that waits for a node; while the cluster is put up one that is ready.
    pub(super) fn add_pod(&mut self, owner: Owner, app: Arc<App>, revision: u64, hash: String) -> Id {
        let name = format!("{}-{}", owner.name, self.random.suffix(5));
        let meta = self.meta(name, Some(app.namespace.clone()));
        let waiting = ContainerState::Waiting("ContainerCreating");
        let container =
            |name, image, memory_mib| Container { name, image, memory_mib, restarts: 0, state: waiting };
        let mut containers = vec![container("main", app.image(revision), app.memory_mib)];
        if app.is_meshed {
            containers.push(container("proxy", "registry.example.org/mesh/proxy:3.1".into(), Some(48)));
        }
        let changed = meta.created;
        let pod = Pod {
            meta,
            owner,
            app,
            hash,
            node: None,
            phase: Phase::Pending,
            is_ready: false,
            reason: None,
            started: None,
            changed,
            containers,
        };
        let id = self.number();
        self.pods.insert(id, pod);
        self.added(Kind::Pod, id);
        if self.is_founding() {
            self.schedule(id);
            self.start(id);
            self.become_ready(id);
        } else {
            self.plan(0, 3, Step::Schedule(id));
        }
        id
    }

    /// Gives a Pod a node. Now and then, and where no node is there, it has to wait.
    pub(super) fn schedule(&mut self, id: Id) {
        let (draw, has_to_wait) = (self.random.next(), self.random.percent(5) && !self.is_founding());
        let node = self.nodes.any(draw).and_then(|node| Some((node, self.nodes.get_mut(node)?)));
        let Some(pod) = self.pods.get_mut(id).filter(|pod| pod.meta.deleted.is_none()) else { return };
        match node {
            Some((node_id, node)) if node.is_heard && !has_to_wait => {
                node.pods.insert(id);
                pod.node = Some((node_id, node.meta.name.as_str().into()));
                self.modified(Kind::Pod, id);
                if !self.is_founding() {
                    self.plan(1, 8, Step::Start(id));
                }
            }
            _ => self.plan(5, 40, Step::Schedule(id)),
        }
    }

    /// A Pod's containers begin, unless their images cannot be had.
    pub(super) fn start(&mut self, id: Id) {
        let (now, is_pulled) = (self.now(), self.is_founding() || !self.random.percent(6));
        let Some(pod) = self.pods.get_mut(id).filter(|pod| pod.meta.deleted.is_none()) else { return };
        let begun = pod.started.get_or_insert(now);
        let begun = *begun;
        pod.changed = now;
        for container in &mut pod.containers {
            container.state = match is_pulled {
                true => ContainerState::Running(begun),
                false => ContainerState::Waiting("ImagePullBackOff"),
            };
        }
        pod.phase = if is_pulled { Phase::Running } else { Phase::Pending };
        let is_of_job = pod.owner.kind == Kind::Job;
        self.modified(Kind::Pod, id);
        match (is_pulled, is_of_job) {
            _ if self.is_founding() => {}
            (false, _) => self.plan(10, 40, Step::Start(id)),
            (true, true) => self.plan(15, 60, Step::Finish(id)),
            (true, false) => self.plan(2, 10, Step::BecomeReady(id)),
        }
    }

    /// A Pod that runs becomes ready, where its node is heard of.
    pub(super) fn become_ready(&mut self, id: Id) {
        let now = self.now();
        let Some(pod) = self.pods.get_mut(id) else { return };
        let is_heard = |node| self.nodes.get(node).is_some_and(|node| node.is_heard);
        let stays = pod.meta.deleted.is_none() && pod.owner.kind == Kind::ReplicaSet;
        let can = stays && pod.all_run() && pod.node.as_ref().is_some_and(|(node, _)| is_heard(*node));
        if pod.phase != Phase::Running || pod.is_ready || !can {
            return;
        }
        (pod.is_ready, pod.changed) = (true, now);
        self.modified(Kind::Pod, id);
        self.look_at_owner(id);
    }

    /// A container of any Pod crashes; now and then the whole Pod is evicted.
    pub(super) fn mishap(&mut self) {
        let (draw, is_evicted) = (self.random.next(), self.random.percent(10));
        let Some(id) = self.pods.any(draw) else { return };
        let now = self.now();
        let Some(pod) = self.pods.get_mut(id) else { return };
        if !pod.is_ready || pod.meta.deleted.is_some() || pod.owner.kind == Kind::Job {
            return;
        }
        (pod.is_ready, pod.changed) = (false, now);
        if is_evicted {
            (pod.phase, pod.reason) = (Phase::Failed, Some("Evicted"));
            pod.containers.iter_mut().for_each(|container| container.state = ContainerState::Terminated(137));
            self.modified(Kind::Pod, id);
            self.leave_owner(id);
            self.plan(30, 120, Step::Remove(id));
        } else {
            let crashed = &mut pod.containers[0];
            crashed.restarts += 1;
            crashed.state = ContainerState::Waiting("CrashLoopBackOff");
            self.modified(Kind::Pod, id);
            self.look_at_owner(id);
            self.plan(10, 60, Step::Recover(id));
        }
    }

    /// A container that crashed runs again.
    pub(super) fn recover(&mut self, id: Id) {
        let now = self.now();
        let Some(pod) = self.pods.get_mut(id) else { return };
        if pod.phase != Phase::Running || pod.meta.deleted.is_some() {
            return;
        }
        for container in pod.containers.iter_mut().filter(|c| matches!(c.state, ContainerState::Waiting(_))) {
            container.state = ContainerState::Running(now);
        }
        pod.changed = now;
        self.modified(Kind::Pod, id);
        self.plan(2, 10, Step::BecomeReady(id));
    }

    /// A Pod is asked to go.
    pub(super) fn terminate(&mut self, id: Id) {
        let now = self.now();
        let Some(pod) = self.pods.get_mut(id).filter(|pod| pod.meta.deleted.is_none()) else { return };
        pod.meta.deleted = Some(now.after(30));
        (pod.is_ready, pod.changed) = (false, now);
        self.modified(Kind::Pod, id);
        self.leave_owner(id);
        self.plan(1, 6, Step::Remove(id));
    }

    /// A Pod is gone.
    pub(super) fn remove(&mut self, id: Id) {
        let Some((node, _)) = self.pods.get(id).map(|pod| pod.node.clone()).unwrap_or_default() else {
            return self.deleted(Kind::Pod, id);
        };
        if let Some(node) = self.nodes.get_mut(node) {
            node.pods.remove(&id);
        }
        self.deleted(Kind::Pod, id);
    }
}

// === impl Pod ===

impl Pod {
    /// Whether every container runs.
    pub(super) fn all_run(&self) -> bool {
        self.containers.iter().all(|container| matches!(container.state, ContainerState::Running(_)))
    }
}
