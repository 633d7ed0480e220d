//! What happens to Deployments and their ReplicaSets.
//!
//! In: Deployments, their Pods, chance. Out: events of both; new Pods, Pods that are asked to go. Must never know: how
//! Pods become ready.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::agenda::Step;
use super::cluster::Cluster;
use super::shelf::Id;
use super::state::{App, Deployment, Kind, Owner, ReplicaSet};

/// Old ReplicaSets that a Deployment keeps.
const HISTORY: usize = 2;

// === impl Cluster ===

impl Cluster {
    /// A new Deployment, with its first ReplicaSet.
    pub(super) fn add_deployment(&mut self, app: Arc<App>, replicas: u64) {
        let meta = self.meta(app.name.clone(), Some(app.namespace.clone()));
        let id = self.number();
        let (ready, updated, total, sets) = (0, 0, 0, vec![]);
        self.deployments
            .insert(id, Deployment { meta, app, revision: 1, replicas, ready, updated, total, sets });
        self.added(Kind::Deployment, id);
        self.add_set(id);
        self.reconcile(id);
    }

    /// The ReplicaSet of a Deployment's newest version.
    fn add_set(&mut self, deployment: Id) {
        let hash = self.random.suffix(9);
        let Some(Deployment { meta, app, revision, .. }) = self.deployments.get(deployment) else { return };
        let (name, app, revision) = (format!("{}-{hash}", meta.name), app.clone(), *revision);
        let owner = Owner { kind: Kind::Deployment, id: deployment, name: meta.name.clone(), uid: meta.uid };
        let meta = self.meta(name, Some(app.namespace.clone()));
        let id = self.number();
        let (replicas, total, ready, pods) = (0, 0, 0, BTreeSet::new());
        let set = ReplicaSet { meta, owner, app, revision, hash, replicas, total, ready, pods };
        self.replica_sets.insert(id, set);
        self.added(Kind::ReplicaSet, id);
        if let Some(deployment) = self.deployments.get_mut(deployment) {
            deployment.sets.push(id);
        }
    }

    /// Any Deployment gets a new version.
    pub(super) fn roll_out(&mut self) {
        let draw = self.random.next();
        let Some(id) = self.deployments.any(draw) else { return };
        let Some(deployment) = self.deployments.get_mut(id) else { return };
        deployment.revision += 1;
        deployment.meta.generation += 1;
        self.modified(Kind::Deployment, id);
        self.add_set(id);
        self.soon(Step::Reconcile(id));
    }

    /// Any Deployment wants more or fewer Pods.
    pub(super) fn scale_one(&mut self) {
        let (draw, step, is_up) = (self.random.next(), self.random.between(1, 4), self.random.percent(50));
        let Some(id) = self.deployments.any(draw) else { return };
        let Some(deployment) = self.deployments.get_mut(id) else { return };
        let wanted = deployment.replicas;
        deployment.replicas = if is_up { wanted + step } else { wanted.saturating_sub(step) }.clamp(1, 12);
        if deployment.replicas != wanted {
            deployment.meta.generation += 1;
            self.modified(Kind::Deployment, id);
            self.soon(Step::Reconcile(id));
        }
    }

    /// Moves a Deployment towards what it wants: first more Pods of the newest version, as many as it may have beyond
    /// what it wants; then fewer of the old ones, as many as there are ready ones too many.
    pub(super) fn reconcile(&mut self, id: Id) {
        let Some(Deployment { replicas, sets, meta, .. }) = self.deployments.get(id) else { return };
        if meta.deleted.is_some() {
            return;
        }
        let (wanted, sets) = (*replicas, sets.clone());
        let Some((newest, old)) = sets.split_last() else { return };
        let of_newest = self.live(*newest);
        let total: u64 = sets.iter().map(|set| self.live(*set)).sum();
        let most = wanted + (wanted / 4).max(1);
        let room = if old.iter().all(|set| self.live(*set) == 0) { wanted } else { most };
        let more = wanted.saturating_sub(of_newest).min(room.saturating_sub(total));
        self.resize(*newest, of_newest.min(wanted) + more);
        for set in old.iter().rev() {
            let ready: u64 = sets.iter().map(|set| self.ready(*set)).sum();
            let unready = self.live(*set) - self.ready(*set);
            let spare = ready.saturating_sub(wanted).min(self.ready(*set)) + unready;
            self.resize(*set, self.live(*set) - spare);
        }
        self.forget_history(id);
        self.update_status(id);
    }

    /// How many live Pods a ReplicaSet has.
    fn live(&self, set: Id) -> u64 {
        self.replica_sets.get(set).map_or(0, |set| set.pods.len() as u64)
    }

    /// How many of them are ready.
    fn ready(&self, set: Id) -> u64 {
        let pods = self.replica_sets.get(set).into_iter().flat_map(|set| &set.pods);
        pods.filter(|pod| self.pods.get(**pod).is_some_and(|pod| pod.is_ready)).count() as u64
    }

    /// Gives a ReplicaSet so many live Pods; those that are not ready go first.
    fn resize(&mut self, id: Id, wanted: u64) {
        let Some(set) = self.replica_sets.get_mut(id) else { return };
        if set.replicas != wanted {
            set.replicas = wanted;
            set.meta.generation += 1;
            self.modified(Kind::ReplicaSet, id);
        }
        while self.live(id) < wanted {
            let Some(set) = self.replica_sets.get(id) else { return };
            let ReplicaSet { meta, app, revision, hash, .. } = set;
            let owner = Owner { kind: Kind::ReplicaSet, id, name: meta.name.clone(), uid: meta.uid };
            let pod = self.add_pod(owner, app.clone(), *revision, hash.clone());
            if let Some(set) = self.replica_sets.get_mut(id) {
                set.pods.insert(pod);
            }
        }
        let Some(set) = self.replica_sets.get(id) else { return };
        let surplus = (set.pods.len() as u64).saturating_sub(wanted);
        let mut going: Vec<Id> = set.pods.iter().copied().collect();
        going.sort_by_key(|pod| self.pods.get(*pod).is_some_and(|pod| pod.is_ready));
        for pod in going.into_iter().take(usize::try_from(surplus).unwrap_or(usize::MAX)) {
            self.terminate(pod);
        }
    }

    fn forget_history(&mut self, id: Id) {
        let Some(deployment) = self.deployments.get(id) else { return };
        let old = deployment.sets.split_last().map_or(&[][..], |(_, old)| old);
        let idle: Vec<Id> = old.iter().copied().filter(|set| self.live(*set) == 0).collect();
        let many = idle.len().saturating_sub(HISTORY);
        for set in idle.into_iter().take(many) {
            self.deleted(Kind::ReplicaSet, set);
            if let Some(deployment) = self.deployments.get_mut(id) {
                deployment.sets.retain(|kept| *kept != set);
            }
        }
    }

    /// Writes what is true of a Deployment and its ReplicaSets into their status.
    fn update_status(&mut self, id: Id) {
        let Some(deployment) = self.deployments.get(id) else { return };
        let sets = deployment.sets.clone();
        for set in &sets {
            let (total, ready) = (self.live(*set), self.ready(*set));
            if let Some(known) = self.replica_sets.get_mut(*set)
                && (known.total, known.ready) != (total, ready)
            {
                (known.total, known.ready) = (total, ready);
                self.modified(Kind::ReplicaSet, *set);
            }
        }
        let total = sets.iter().map(|set| self.live(*set)).sum();
        let ready = sets.iter().map(|set| self.ready(*set)).sum();
        let updated = sets.last().map_or(0, |set| self.live(*set));
        if let Some(known) = self.deployments.get_mut(id)
            && (known.total, known.ready, known.updated) != (total, ready, updated)
        {
            (known.total, known.ready, known.updated) = (total, ready, updated);
            self.modified(Kind::Deployment, id);
        }
    }

    /// A Pod has changed: its Deployment is going to look at it.
    pub(super) fn look_at_owner(&mut self, pod: Id) {
        let set = self.pods.get(pod).map(|pod| pod.owner.id);
        let deployment = set.and_then(|set| self.replica_sets.get(set)).map(|set| set.owner.id);
        if let Some(deployment) = deployment.filter(|_| !self.is_founding()) {
            self.soon(Step::Reconcile(deployment));
        }
    }

    /// A Pod does not count any more for its ReplicaSet.
    pub(super) fn leave_owner(&mut self, pod: Id) {
        let set = self.pods.get(pod).map(|pod| pod.owner.id);
        if let Some(set) = set.and_then(|set| self.replica_sets.get_mut(set)) {
            set.pods.remove(&pod);
        }
        self.look_at_owner(pod);
    }

    /// A Deployment goes, with all its ReplicaSets and Pods.
    pub(super) fn remove_deployment(&mut self, id: Id) {
        let sets = self.deployments.get(id).map(|deployment| deployment.sets.clone()).unwrap_or_default();
        self.deleted(Kind::Deployment, id);
        for set in sets {
            let pods = self.replica_sets.get(set).map(|set| set.pods.clone()).unwrap_or_default();
            pods.into_iter().for_each(|pod| self.terminate(pod));
            self.deleted(Kind::ReplicaSet, set);
        }
    }
}
