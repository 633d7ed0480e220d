//! Who asked the API server for what: its audit log.
//!
//! In: the log that the server writes, a line a stage of a request. Out: requests, counted exactly.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What the server logs: of consumers, that they asked, never what was in it.
pub(super) const POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: None, users: [admin, system:apiserver, system:anonymous]}
  - {level: Metadata}
";

/// One request of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub(crate) verb: String,
    /// Empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    /// Empty for a path that is no resource, such as discovery's.
    pub(crate) resource: String,
    /// `status`, or empty.
    pub(crate) subresource: String,
    /// Empty for all namespaces, and for what has none.
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) path: String,
    /// Decoded: `limit`, `continue`, `resourceVersion`, `fieldSelector`, …
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) code: u16,
    pub(crate) agent: String,
    /// When it came in, by the server's clock, RFC 3339 in UTC with microseconds: sorts as text.
    pub(crate) at: String,
    /// Whether it is over. Only a watch is here before that.
    pub(crate) over: bool,
}

/// Where the server writes.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("audit.log")
}

/// Everything so far.
pub(super) fn read(folder: &Path) -> Vec<Request> {
    let text = fs::read_to_string(file(folder)).unwrap_or_default();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut requests: Vec<Request> = vec![];
    // The last line may be half written.
    for event in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let id = event["auditID"].as_str().unwrap_or_default().to_owned();
        let request = Request::of(&event);
        match numbers.get(&id) {
            Some(number) => requests[*number] = request,
            None => {
                numbers.insert(id, requests.len());
                requests.push(request);
            }
        }
    }
    requests
}

// === impl Request ===

impl Request {
    fn of(event: &Value) -> Self {
        let text =
            |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let uri = text("/requestURI");
        let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        };
        Self {
            user: text("/user/username"),
            verb: text("/verb"),
            group: text("/objectRef/apiGroup"),
            version: text("/objectRef/apiVersion"),
            resource: text("/objectRef/resource"),
            subresource: text("/objectRef/subresource"),
            namespace: text("/objectRef/namespace"),
            name: text("/objectRef/name"),
            path: path.to_owned(),
            query: query.split('&').filter(|part| !part.is_empty()).map(pair).collect(),
            code: event.pointer("/responseStatus/code").and_then(Value::as_u64).map_or(0, |code| code as u16),
            agent: text("/userAgent"),
            at: text("/requestReceivedTimestamp"),
            over: text("/stage") == "ResponseComplete",
        }
    }

    /// Whether it is of this verb on this resource itself.
    pub(crate) fn is(&self, verb: &str, resource: &str) -> bool {
        self.verb == verb && self.resource == resource && self.subresource.is_empty()
    }

    /// Whether it is a LIST of one object by its name.
    pub(crate) fn reads_one(&self) -> bool {
        let selects = |selector: &String| selector.split(',').any(|part| part.starts_with("metadata.name="));
        self.verb == "list" && self.query.get("fieldSelector").is_some_and(selects)
    }

    /// Whether it began to read as many objects as there are: a LIST without `limit=1` and not by name, or a watch that
    /// begins with all of them. How many pages follow depends on what others have made, and does not matter.
    pub(crate) fn reads_all(&self) -> bool {
        let set = |name: &str, value: &str| self.query.get(name).is_some_and(|own| own == value);
        let goes_on = self.query.contains_key("continue");
        let asks = (self.verb == "list" && !set("limit", "1") && !goes_on && !self.reads_one())
            || (self.verb == "watch" && set("sendInitialEvents", "true"));
        // One that was refused read nothing; a server under load refuses some.
        asks && self.code < 400
    }
}

/// Percent-decoded, `+` being a space.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = vec![];
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            plain => plain,
        });
    }
    String::from_utf8_lossy(&plain).into_owned()
}
