//! What happens to Jobs.
//!
//! In: chance. Out: events of Jobs and of their Pods. Must never know: how Pods begin.

use std::sync::Arc;

use super::agenda::Step;
use super::cluster::Cluster;
use super::shelf::Id;
use super::state::{App, ContainerState, Job, Kind, Owner, Phase};

const APPS: &[&str] = &["backup", "report", "reindex"];

// === impl Cluster ===

impl Cluster {
    /// A new Job, with its Pod, in any namespace.
    pub(super) fn add_job(&mut self) {
        let draw = self.random.next();
        let namespace = self.namespaces.any(draw).and_then(|id| self.namespaces.get(id));
        let Some(namespace) = namespace.filter(|namespace| namespace.meta.deleted.is_none()) else { return };
        let namespace: Arc<str> = namespace.meta.name.as_str().into();
        let name = self.random.pick(APPS).to_owned();
        let memory_mib = Some(128 * self.random.between(1, 4));
        let app = App { name, namespace, tier: "batch", is_meshed: false, memory_mib };
        let app = Arc::new(app);
        let name = format!("{}-{}", app.name, self.now().0 / 60);
        let name = format!("{name}-{}", self.random.suffix(3));
        let meta = self.meta(name.clone(), Some(app.namespace.clone()));
        let id = self.number();
        let owner = Owner { kind: Kind::Job, id, name: name.clone(), uid: meta.uid };
        self.jobs.insert(id, Job { meta, app: app.clone(), pod: None, ended: None });
        self.added(Kind::Job, id);
        let pod = self.add_pod(owner, app, 1, name);
        if let Some(job) = self.jobs.get_mut(id) {
            job.pod = Some(pod);
        }
    }

    /// A Job's Pod ends, mostly well, and the Job with it.
    pub(super) fn finish(&mut self, pod_id: Id) {
        let (now, is_well) = (self.now(), self.random.percent(85));
        let Some(pod) = self.pods.get_mut(pod_id).filter(|pod| pod.meta.deleted.is_none()) else { return };
        pod.phase = if is_well { Phase::Succeeded } else { Phase::Failed };
        pod.changed = now;
        pod.containers[0].state = ContainerState::Terminated(if is_well { 0 } else { 1 });
        let job = pod.owner.id;
        self.modified(Kind::Pod, pod_id);
        self.end_job(job, is_well);
    }

    fn end_job(&mut self, id: Id, is_well: bool) {
        let now = self.now();
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.ended = Some((is_well, now));
        self.modified(Kind::Job, id);
        self.plan(60, 180, Step::Expire(id));
    }

    /// A Job's Pod was asked to go before it had ended: the Job has failed.
    pub(super) fn interrupt_job(&mut self, pod: Id) {
        let owner = self.pods.get(pod).map(|pod| pod.owner.id);
        let is_running = |id: &Id| self.jobs.get(*id).is_some_and(|job| job.ended.is_none());
        if let Some(job) = owner.filter(is_running) {
            self.end_job(job, false);
        }
    }

    /// A Job is taken away, with its Pod.
    pub(super) fn expire(&mut self, id: Id) {
        let pod = self.jobs.get(id).and_then(|job| job.pod);
        self.deleted(Kind::Job, id);
        if let Some(pod) = pod {
            self.terminate(pod);
        }
    }
}
