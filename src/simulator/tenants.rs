//! What happens to namespaces and Databases.
//!
//! In: chance. Out: events of both; Deployments that come and go with a namespace. Must never know: Pods.

use std::sync::Arc;

use super::agenda::Step;
use super::cluster::Cluster;
use super::shelf::Id;
use super::state::{Database, Kind, Namespace};

const TEAMS: &[&str] = &["blue", "green", "red"];
const ENGINES: &[&str] = &["postgres", "mysql"];

// === impl Cluster ===

impl Cluster {
    /// A new namespace.
    pub(super) fn add_namespace(&mut self, name: &str) -> Id {
        let (meta, team) = (self.meta(name.to_owned(), None), self.random.pick(TEAMS));
        let id = self.number();
        self.namespaces.insert(id, Namespace { meta, team });
        self.added(Kind::Namespace, id);
        id
    }

    /// A namespace comes for a while, with a Deployment.
    pub(super) fn open_preview(&mut self) {
        let name = format!("preview-{}", self.random.suffix(4));
        let id = self.add_namespace(&name);
        let number = usize::try_from(self.random.below(10)).unwrap_or_default();
        let app = self.app(number, name.as_str().into());
        let replicas = self.random.between(1, 4);
        self.add_deployment(Arc::new(app), replicas);
        self.plan(120, 400, Step::Close(id));
    }

    /// It goes, and all Deployments, Jobs and Databases in it.
    pub(super) fn close(&mut self, id: Id) {
        let now = self.now();
        let Some(namespace) = self.namespaces.get_mut(id) else { return };
        namespace.meta.deleted = Some(now);
        let name = namespace.meta.name.clone();
        self.modified(Kind::Namespace, id);
        let there = |namespace: &str| namespace == name;
        let deployments = self.deployments.iter().filter(|(_, it)| there(it.meta.namespace()));
        let deployments: Vec<Id> = deployments.map(|(id, _)| id).collect();
        let jobs = self.jobs.iter().filter(|(_, job)| there(job.meta.namespace()));
        let jobs: Vec<Id> = jobs.map(|(id, _)| id).collect();
        let databases = self.databases.iter().filter(|(_, it)| there(it.meta.namespace()));
        let databases: Vec<Id> = databases.map(|(id, _)| id).collect();
        deployments.into_iter().for_each(|deployment| self.remove_deployment(deployment));
        jobs.into_iter().for_each(|job| self.expire(job));
        databases.into_iter().for_each(|database| self.deleted(Kind::Database, database));
        // By then every Pod that was asked to go is gone; one that an eviction left behind stays a little longer.
        self.plan(130, 140, Step::Vanish(id));
    }

    /// It is gone.
    pub(super) fn vanish(&mut self, id: Id) {
        self.deleted(Kind::Namespace, id);
    }

    /// Any namespace changes hands.
    pub(super) fn hand_over(&mut self) {
        let (draw, team) = (self.random.next(), self.random.pick(TEAMS));
        let Some(id) = self.namespaces.any(draw) else { return };
        if let Some(namespace) = self.namespaces.get_mut(id)
            && namespace.team != team
        {
            namespace.team = team;
            self.modified(Kind::Namespace, id);
        }
    }

    /// A new Database. Its controller has seen those that are there from the beginning.
    pub(super) fn add_database(&mut self, namespace: Arc<str>) {
        let name = format!("db-{}", self.random.suffix(4));
        let meta = self.meta(name, Some(namespace));
        let (engine, storage_gib) = (self.random.pick(ENGINES), 10 * self.random.between(1, 20));
        let ready = self.is_founding().then_some((true, meta.created));
        let id = self.number();
        self.databases.insert(id, Database { meta, engine, storage_gib, ready });
        self.added(Kind::Database, id);
        if !self.is_founding() {
            self.plan(5, 40, Step::Observe(id));
        }
    }

    /// A Database's controller has looked at it: it serves.
    pub(super) fn observe(&mut self, id: Id) {
        let now = self.now();
        if let Some(database) = self.databases.get_mut(id) {
            database.ready = Some((true, now));
            self.modified(Kind::Database, id);
        }
    }

    /// A Database comes, goes or breaks.
    pub(super) fn change_database(&mut self) {
        let (draw, what, now) = (self.random.next(), self.random.below(100), self.now());
        let Some(id) = self.databases.any(draw) else { return };
        let namespace = self.namespaces.any(draw / 7).and_then(|id| self.namespaces.get(id));
        let open = namespace.filter(|namespace| namespace.meta.deleted.is_none());
        let many = self.scale / 25;
        match what {
            0..15 if (self.databases.len() as u64) < many => {
                let Some(namespace) = open.map(|namespace| namespace.meta.name.as_str().into()) else {
                    return;
                };
                self.add_database(namespace);
            }
            15..25 if self.databases.len() > 2 => self.deleted(Kind::Database, id),
            _ => {
                let Some(database) = self.databases.get_mut(id) else { return };
                let Some((true, _)) = database.ready else { return };
                database.ready = Some((false, now));
                self.modified(Kind::Database, id);
                self.plan(20, 90, Step::Observe(id));
            }
        }
    }
}
