//! A Metric's way to its DataSink.
//!
//! In: the DataSinks that there are, the Metric's registration. Out: a route to the one that it names. Must never know:
//! what is counted.

use std::time::Duration;

use super::task::MetricTask;
use crate::api::Group;
use crate::controller::declared::ObjectName;
use crate::export::pipeline::Route;

/// A way to a sink.
pub(super) struct Routed {
    sink: ObjectName,
    opened: u64,
    interval: Duration,
    pub(super) route: Route,
}

// === impl MetricTask ===

impl MetricTask {
    /// Sends the series where the Metric says. The new way is there before the old one goes.
    pub(super) fn route(&mut self) {
        self.find_sink();
        let view = self.sink.as_mut().map(|(name, view)| (name.clone(), view.borrow_and_update().clone()));
        let pipeline = view.and_then(|(name, view)| Some((name, view.opened, view.pipeline?)));
        let (Some(placed), Some((sink, opened, pipeline))) = (&self.placed, pipeline) else {
            self.routed = None;
            return;
        };
        let interval = placed.schedule.interval;
        let is_right =
            |routed: &Routed| routed.sink == sink && routed.opened == opened && routed.interval == interval;
        if !self.routed.as_ref().is_some_and(is_right) {
            let route = pipeline.route(placed.registered.id(), interval);
            self.routed = Some(Routed { sink, opened, interval, route });
        }
    }

    /// Finds the DataSink that the Metric names: of its own group, or of the other.
    fn find_sink(&mut self) {
        let named = match &self.declaration.lowered {
            Some(lowered) => lowered.data_sink.clone(),
            // With a defect the way before stands.
            None => return,
        };
        let Some(name) = named else {
            self.sink = None;
            return;
        };
        let namespace = self.declaration.namespace_of_sinks(&self.context.settings);
        let Some(sinks) = &mut self.sinks else { return };
        let sinks = sinks.borrow_and_update().clone();
        let found = Group::ALL
            .into_iter()
            .map(|group| ObjectName { group, namespace: namespace.clone(), name: name.clone() })
            .filter_map(|name| Some((name.clone(), sinks.get(&name)?.clone())))
            .min_by_key(|(name, _)| name.group != self.name.group);
        if self.sink.as_ref().map(|(name, _)| name) != found.as_ref().map(|(name, _)| name) {
            self.sink = found;
        } else if let (Some((_, held)), Some((_, found))) = (&mut self.sink, found)
            && !held.same_channel(&found)
        {
            // The same name is another DataSink by now, whose pipelines are numbered anew.
            *held = found;
            self.routed = None;
        }
    }
}
