//! What is asked for.
//!
//! In: path, query and accepted types. Out: a question, or a refusal that says what is wrong with it. Must never know:
//! what is there.

use std::fmt;

use hyper::Uri;
use percent_encoding::percent_decode_str;

use super::refusal::Refusal;
use crate::simulator::Id;
use crate::simulator::state::{Kind, Selection};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// The server's version.
    Version,
    /// Whether it lives.
    Health,
    /// Which groups there are: of `/api`, or of `/apis`.
    Groups { is_core: bool },
    /// Which kinds a `group/version` has.
    Kinds { api_version: String },
    /// One object.
    Object(Selection),
    /// A list.
    List(Selection, ListOptions),
    /// What happens.
    Watch(Selection, WatchOptions),
    /// The objects of a kind of which there are none: the list, or a watch and after how many seconds it ends.
    Nothing { kind: &'static str, api_version: &'static str, watch: Option<Option<u64>> },
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListOptions {
    /// At most so many objects.
    pub(super) limit: Option<usize>,
    /// Where the page before ended.
    pub(super) go_on: Option<Token>,
    /// The state must not be older.
    pub(super) version: Option<u64>,
    /// The state must be this one.
    pub(super) is_exact: bool,
}

/// How a page of a list is asked for behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Of which resourceVersion the list is.
    pub(super) version: u64,
    /// With which object the page begins.
    pub(super) first: Id,
    /// How many objects came before it.
    pub(super) listed: usize,
}

/// From where a watch goes on, and how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WatchOptions {
    /// Behind which resourceVersion; `None` begins with all that is there.
    pub(super) version: Option<u64>,
    /// Whether to begin with all that is there and say where that ends.
    pub(super) sends_initial: bool,
    /// Whether bookmarks are wanted.
    pub(super) bookmarks: bool,
    /// After so many seconds it ends.
    pub(super) seconds: Option<u64>,
}

/// Which form of objects is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// All of them.
    Whole,
    /// Their metadata alone.
    Metadata,
}

/// Kinds of which there are no objects, but which programs watch.
const NOTHING: &[(&str, &str, &str)] = &[
    ("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition"),
    ("apiregistration.k8s.io/v1", "apiservices", "APIService"),
];

// === impl Question ===

impl Question {
    /// Reads a GET.
    pub(super) fn read(uri: &Uri) -> Result<Self, Refusal> {
        let parts: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
        let query = Query::read(uri.query().unwrap_or_default())?;
        let (api_version, rest) = match parts.as_slice() {
            ["version"] => return Ok(Question::Version),
            ["healthz" | "livez" | "readyz"] => return Ok(Question::Health),
            ["api"] => return Ok(Question::Groups { is_core: true }),
            ["apis"] => return Ok(Question::Groups { is_core: false }),
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return Err(Refusal::not_found(uri.path())),
        };
        let (namespace, plural, name) = match rest {
            [] => return Ok(Question::Kinds { api_version }),
            ["namespaces", namespace, plural] => (Some(*namespace), *plural, None),
            ["namespaces", namespace, plural, name] => (Some(*namespace), *plural, Some(*name)),
            [plural] => (None, *plural, None),
            [plural, name] => (None, *plural, Some(*name)),
            _ => return Err(Refusal::not_found(uri.path())),
        };
        for (known, known_plural, kind) in NOTHING {
            if (*known, *known_plural) == (api_version.as_str(), plural) && name.is_none() {
                let watch = query.is_watch.then_some(query.seconds);
                return Ok(Question::Nothing { kind, api_version: known, watch });
            }
        }
        let kind =
            Kind::ALL.into_iter().find(|kind| (kind.api_version(), kind.plural()) == (&api_version, plural));
        let kind = kind.filter(|kind| namespace.is_none() || kind.is_namespaced());
        let kind = kind.ok_or_else(|| Refusal::not_found(uri.path()))?;
        query.question(Selection {
            kind,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
        })
    }
}

/// The query of a request.
#[derive(Clone, Debug, Default)]
struct Query {
    is_watch: bool,
    sends_initial: bool,
    bookmarks: bool,
    limit: Option<usize>,
    seconds: Option<u64>,
    version: Option<u64>,
    version_match: Option<String>,
    go_on: Option<Token>,
    namespace: Option<String>,
    name: Option<String>,
}

// === impl Query ===

impl Query {
    fn read(text: &str) -> Result<Self, Refusal> {
        let mut query = Query::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8_lossy().into_owned();
            query.take(name, value)?;
        }
        Ok(query)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), Refusal> {
        if value.is_empty() {
            return Ok(());
        }
        let invalid = || Refusal::bad_request(format!("invalid {name}: {value:?}"));
        let is_true = value == "true" || value == "1";
        match name {
            "watch" => self.is_watch = is_true,
            "sendInitialEvents" => self.sends_initial = is_true,
            "allowWatchBookmarks" => self.bookmarks = is_true,
            "limit" => self.limit = Some(value.parse().map_err(|_| invalid())?).filter(|limit| *limit > 0),
            "timeoutSeconds" => self.seconds = Some(value.parse().map_err(|_| invalid())?),
            "resourceVersion" => self.version = Some(value.parse().map_err(|_| invalid())?),
            "resourceVersionMatch" => self.version_match = Some(value),
            "continue" => self.go_on = Some(Token::read(&value).ok_or_else(invalid)?),
            "fieldSelector" => value.split(',').try_for_each(|requirement| self.field(requirement))?,
            "labelSelector" => return Err(Refusal::bad_request("label selectors are not simulated")),
            _ => {}
        }
        Ok(())
    }

    fn field(&mut self, requirement: &str) -> Result<(), Refusal> {
        match requirement.split_once("==").or_else(|| requirement.split_once('=')) {
            Some(("metadata.name", name)) => self.name = Some(name.to_owned()),
            Some(("metadata.namespace", namespace)) => self.namespace = Some(namespace.to_owned()),
            _ => return Err(Refusal::bad_request(format!("field label not supported: {requirement}"))),
        }
        Ok(())
    }

    fn question(self, mut selection: Selection) -> Result<Question, Refusal> {
        if selection.name.is_some() && !self.is_watch {
            return Ok(Question::Object(selection));
        }
        selection.name = selection.name.or(self.name);
        selection.namespace = selection.namespace.or(self.namespace);
        let is_exact = match self.version_match.as_deref() {
            None | Some("NotOlderThan") => false,
            Some("Exact") if !self.is_watch && self.version.is_some_and(|version| version > 0) => true,
            Some(other) => {
                return Err(Refusal::bad_request(format!("invalid resourceVersionMatch: {other:?}")));
            }
        };
        let Query {
            is_watch, sends_initial, bookmarks, limit, seconds, version, go_on, version_match, ..
        } = self;
        if !is_watch {
            return Ok(Question::List(selection, ListOptions { limit, go_on, version, is_exact }));
        }
        if sends_initial != version_match.is_some() {
            let message = "sendInitialEvents and resourceVersionMatch=NotOlderThan go together in a watch";
            return Err(Refusal::bad_request(message));
        }
        let version = version.filter(|version| *version > 0);
        Ok(Question::Watch(selection, WatchOptions { version, sends_initial, bookmarks, seconds }))
    }
}

// === impl Form ===

impl Form {
    /// The form that the accepted types ask for.
    pub(super) fn accepted(accept: &str) -> Self {
        if accept.contains("as=PartialObjectMetadata") { Form::Metadata } else { Form::Whole }
    }
}

// === impl Token ===

impl Token {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next();
        let (version, first, listed) = (part()?.parse().ok()?, part()?.parse().ok()?, part()?.parse().ok()?);
        Some(Token { version, first: Id(first), listed })
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.version, self.first.0, self.listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, expected: &str) {
        let read = Question::read(&uri.parse().unwrap());
        let read = match read {
            Ok(question) => format!("{question:?}"),
            Err(refusal) => format!("{} {}", refusal.code.as_u16(), refusal.status()),
        };
        assert!(read.contains(expected), "{uri}: {read}");
    }

    #[test]
    fn questions_are_read_from_paths_and_queries() {
        check("/api/v1/pods", "List(Selection { kind: Pod, namespace: None, name: None }");
        check("/api/v1/namespaces/shop/pods?limit=5&continue=12.7.5", r#"namespace: Some("shop")"#);
        check("/api/v1/pods?continue=12.7.5", "go_on: Some(Token { version: 12, first: Id(7), listed: 5 })");
        check("/apis/apps/v1/namespaces/shop/deployments/web", r#"Object(Selection { kind: Deployment"#);
        check(
            "/api/v1/namespaces/shop",
            r#"Object(Selection { kind: Namespace, namespace: None, name: Some("shop")"#,
        );
        check("/api/v1/pods?watch=true&resourceVersion=7&allowWatchBookmarks=true", "version: Some(7)");
        check("/api/v1/pods?watch=1&resourceVersion=0", "version: None");
        check("/api/v1/pods?fieldSelector=metadata.name%3Dweb", r#"name: Some("web")"#);
        check(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?watch=1&timeoutSeconds=2",
            "watch: Some(Some(2))",
        );
        check("/apis/batch/v1", r#"Kinds { api_version: "batch/v1" }"#);
    }

    #[test]
    fn what_cannot_be_answered_is_refused_with_its_reason() {
        check("/api/v1/secrets", "404");
        check("/api/v1/namespaces/shop/nodes", "404");
        check("/elsewhere", "404");
        check("/api/v1/pods?limit=many", "400");
        check("/api/v1/pods?continue=x", "400");
        check("/api/v1/pods?labelSelector=a%3Db", "not simulated");
        check("/api/v1/pods?fieldSelector=status.phase%3DRunning", "field label not supported");
        check("/api/v1/pods?watch=1&sendInitialEvents=true", "go together");
        check("/api/v1/pods?watch=1&resourceVersionMatch=Exact", "resourceVersionMatch");
    }
}
