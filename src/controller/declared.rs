//! The objects that users declare, as they come, change and go.
//!
//! In: an API server, a kind in one group. Out: objects as they were written, one event each. Must never know: what an
//! object means.
//!
//! Objects are read as they are, never into types: one that does not fit its schema must not hide the others.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc;

use crate::api::{Group, VERSION};
use crate::cluster::events::{Events, Missed};
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::informer::Pace;

/// Identifies a declared object of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Its group.
    pub group: Group,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What one follower follows: a group, in one namespace or in all.
pub type Scope = (Group, Option<String>);

/// What happened to declared objects.
#[derive(Clone, Debug)]
pub enum DeclaredEvent {
    /// The object is there and looks like this.
    Applied(ObjectName, Box<serde_json::Value>),
    /// The object means what it did, and another part of it has changed: its status, as whoever leads writes it.
    Touched(ObjectName, Box<serde_json::Value>),
    /// The object is gone.
    Gone(ObjectName),
    /// Everything that one follower has to tell was told.
    Complete(Scope),
}

/// A kind whose objects are followed.
#[derive(Clone, Copy, Debug)]
pub struct DeclaredKind {
    /// CamelCase, singular.
    pub kind: &'static str,
    /// Lower case, plural.
    pub plural: &'static str,
}

/// How long to wait after a failure: short, since a definition that is installed now is looked for by somebody now.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is known of each object: enough to tell what is gone after a list, and what a write of its status alone is.
type Known = BTreeMap<ObjectName, Seen>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    uid: Option<String>,
    generation: Option<i64>,
}

/// Follows a kind in one group, in one namespace or in all, until nobody takes events any more. A change that raises no
/// generation, as that of a status or an annotation, is told as such.
pub async fn follow(
    client: Client,
    (group, kind): (Group, DeclaredKind),
    namespace: Option<String>,
    pace: Pace,
    events: mpsc::Sender<DeclaredEvent>,
) {
    let gvk = GroupVersionKind::gvk(group.name(), VERSION, kind.kind);
    let resource = ApiResource::from_gvk_with_plural(&gvk, kind.plural);
    let api: Api<DynamicObject> = match &namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let mut objects = Events::new(api, &pace, LONGEST_PAUSE);
    let mut follower = Follower { scope: (group, namespace), known: Known::new(), listed: None, events };
    loop {
        let told = match objects.next().await {
            Ok(event) => follower.event(event).await,
            Err(Missed { fault, is_news }) => {
                if is_news {
                    say(group, kind, &fault);
                }
                follower.missed(&fault).await
            }
        };
        if told.is_err() {
            return;
        }
    }
}

fn say(group: Group, kind: DeclaredKind, fault: &Fault) {
    let (kind, group) = (kind.plural, group.name());
    if fault.class == FaultClass::NotFound {
        tracing::info!("{kind}.{group} is not installed; install it with `celemetry init`");
    } else {
        tracing::warn!(%fault, "{kind}.{group} cannot be seen");
    }
}

struct Follower {
    scope: Scope,
    known: Known,
    /// What the list under way has shown.
    listed: Option<Known>,
    events: mpsc::Sender<DeclaredEvent>,
}

/// Nobody takes events any more.
struct Closed;

// === impl Follower ===

impl Follower {
    /// What was seen stands, but is waited for no longer: that the rest cannot be seen was told. A group that is not
    /// installed declares nothing.
    async fn missed(&mut self, fault: &Fault) -> Result<(), Closed> {
        match fault.class {
            FaultClass::NotFound => self.nothing_there().await,
            FaultClass::Forbidden => self.send(DeclaredEvent::Complete(self.scope.clone())).await,
            _ => Ok(()),
        }
    }

    async fn event(&mut self, event: watcher::Event<DynamicObject>) -> Result<(), Closed> {
        match event {
            watcher::Event::Init => self.listed = Some(Known::new()),
            watcher::Event::InitApply(object) => {
                let (name, seen) = self.identify(&object);
                self.listed.get_or_insert_default().insert(name, seen);
                self.applied(object).await?;
            }
            watcher::Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                let gone: Vec<_> =
                    self.known.keys().filter(|name| !listed.contains_key(*name)).cloned().collect();
                for name in gone {
                    self.gone(name).await?;
                }
                self.send(DeclaredEvent::Complete(self.scope.clone())).await?;
            }
            watcher::Event::Apply(object) => self.applied(object).await?,
            watcher::Event::Delete(object) => {
                let (name, _) = self.identify(&object);
                self.gone(name).await?;
            }
        }
        Ok(())
    }

    async fn nothing_there(&mut self) -> Result<(), Closed> {
        for name in std::mem::take(&mut self.known).into_keys() {
            self.send(DeclaredEvent::Gone(name)).await?;
        }
        self.send(DeclaredEvent::Complete(self.scope.clone())).await
    }

    async fn applied(&mut self, object: DynamicObject) -> Result<(), Closed> {
        let (name, seen) = self.identify(&object);
        let replaced = self.known.get(&name).is_some_and(|known| known.uid != seen.uid);
        if replaced {
            self.gone(name.clone()).await?;
        }
        let is_touched = self.known.insert(name.clone(), seen.clone()).as_ref() == Some(&seen);
        // An object that came as JSON can go as JSON.
        let Ok(value) = serde_json::to_value(&object) else { return Ok(()) };
        let told = if is_touched { DeclaredEvent::Touched } else { DeclaredEvent::Applied };
        self.send(told(name, Box::new(value))).await
    }

    async fn gone(&mut self, name: ObjectName) -> Result<(), Closed> {
        self.known.remove(&name);
        self.send(DeclaredEvent::Gone(name)).await
    }

    fn identify(&self, object: &DynamicObject) -> (ObjectName, Seen) {
        let name = ObjectName {
            group: self.scope.0,
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
        };
        (name, Seen { uid: object.uid(), generation: object.metadata.generation })
    }

    async fn send(&self, event: DeclaredEvent) -> Result<(), Closed> {
        self.events.send(event).await.map_err(|_| Closed)
    }
}

// === impl ObjectName ===

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, uid: &str, generation: i64) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "metrics.openmcp.cloud/v1alpha1", "kind": "Metric",
            "metadata": {"name": name, "namespace": "n", "uid": uid, "generation": generation},
        }))
        .unwrap()
    }

    /// What is told of these events: `+a`, `~a` for a new status alone, `-a`, `.` for a complete list.
    async fn told(changes: Vec<watcher::Event<DynamicObject>>) -> Vec<String> {
        let (events, mut inbox) = mpsc::channel(64);
        let scope = (Group::OpenMcp, None);
        let mut follower = Follower { scope, known: Known::new(), listed: None, events };
        for change in changes {
            assert!(follower.event(change).await.is_ok());
        }
        drop(follower);
        let mut told = vec![];
        while let Some(event) = inbox.recv().await {
            told.push(match event {
                DeclaredEvent::Applied(name, _) => format!("+{}", name.name),
                DeclaredEvent::Touched(name, _) => format!("~{}", name.name),
                DeclaredEvent::Gone(name) => format!("-{}", name.name),
                DeclaredEvent::Complete(_) => ".".to_owned(),
            });
        }
        told
    }

    #[tokio::test]
    async fn a_new_generation_is_told_apart_from_a_new_status() {
        use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};
        let (a, b) = (|generation| object("a", "1", generation), |generation| object("b", "2", generation));
        let events =
            vec![Init, InitApply(a(1)), InitApply(b(1)), InitDone, Apply(a(1)), Apply(a(2)), Delete(b(1))];
        assert_eq!(told(events).await, ["+a", "+b", ".", "~a", "+a", "-b"]);
    }

    #[tokio::test]
    async fn what_may_not_be_seen_is_not_waited_for_and_not_gone() {
        let (events, mut inbox) = mpsc::channel(64);
        let scope = (Group::OpenMcp, None);
        let mut follower = Follower { scope, known: Known::new(), listed: None, events };
        assert!(follower.event(watcher::Event::Apply(object("a", "1", 1))).await.is_ok());
        assert!(follower.missed(&Fault::new(FaultClass::Unreachable, "")).await.is_ok());
        assert!(follower.missed(&Fault::new(FaultClass::Forbidden, "no")).await.is_ok());
        drop(follower);
        assert!(matches!(inbox.recv().await, Some(DeclaredEvent::Applied(..))));
        assert!(matches!(inbox.recv().await, Some(DeclaredEvent::Complete(_))));
        assert!(inbox.recv().await.is_none());
    }

    #[tokio::test]
    async fn what_a_later_list_does_not_show_is_gone() {
        use watcher::Event::{Init, InitApply, InitDone};
        let events = vec![
            Init,
            InitApply(object("a", "1", 1)),
            InitApply(object("b", "2", 1)),
            InitDone,
            Init,
            InitApply(object("b", "2", 1)),
            InitDone,
        ];
        assert_eq!(told(events).await, ["+a", "+b", ".", "~b", "-a", "."]);
    }

    #[tokio::test]
    async fn an_object_that_was_made_anew_under_its_name_is_gone_first() {
        use watcher::Event::Apply;
        let events = vec![Apply(object("a", "1", 1)), Apply(object("a", "2", 1))];
        assert_eq!(told(events).await, ["+a", "-a", "+a"]);
    }
}
