//! Objects of a stream that are shown again, as its sources read them.
//!
//! In: the routes of a stream, the bytes of an object. Out: what each source that means the object sees of it. Must never
//! know: what is done with it.

use celemetry_engine::audit::Seen;
use celemetry_engine::change::SourceId;
use celemetry_engine::row::{DecodeError, Decoder, Defaults};

use super::router::{Route, decode};
use super::target::Target;

/// Reads objects as a [`Router`](super::router::Router) over the same routes does, and remembers none.
#[derive(Debug)]
pub struct Rereader {
    lanes: Vec<(Target, SourceId, Decoder)>,
}

// === impl Rereader ===

impl Rereader {
    /// Reads objects of these sources.
    pub fn new(routes: Vec<Route>) -> Self {
        let lane = |route: Route| (route.target, route.source, Decoder::new(route.plan));
        Rereader { lanes: routes.into_iter().map(lane).collect() }
    }

    /// What each source sees of an object; nothing where none means it.
    ///
    /// # Errors
    /// Where the object cannot be decoded.
    pub fn read(&mut self, object: &[u8]) -> Result<Vec<(SourceId, Seen)>, DecodeError> {
        let mut seen = vec![];
        for (target, source, decoder) in &mut self.lanes {
            let row = decode(decoder, object, Defaults::default())?;
            if target.matches(row.api_version(), row.kind()) {
                seen.push((*source, Seen::There(row)));
            }
        }
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use celemetry_engine::row::{FieldPlan, HashSeed};

    use super::*;

    #[test]
    fn every_source_that_means_an_object_sees_it() {
        let route = |kind: &str, source: u32| Route {
            target: Target::new(None, None, Some(kind)),
            source: SourceId(source),
            plan: Arc::new(FieldPlan::new(HashSeed::default())),
        };
        let mut rereader = Rereader::new(vec![route("Pod", 0), route("Node", 1), route("", 2)]);
        let mut sources = |object: &str| -> Option<Vec<u32>> {
            let seen = rereader.read(object.as_bytes()).ok()?;
            Some(seen.into_iter().map(|(source, _)| source.0).collect())
        };
        assert_eq!(sources(r#"{"kind":"Pod","metadata":{"uid":"1"}}"#), Some(vec![0, 2]));
        assert_eq!(sources(r#"{"kind":"Node","metadata":{"uid":"2"}}"#), Some(vec![1, 2]));
        assert_eq!(sources("{"), None);
    }
}
