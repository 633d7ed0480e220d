//! Field selectors in the form that kubectl takes, for objects that no API server has selected.
//!
//! In: `status.phase=Running,spec.nodeName!=a` and the kind. Out: requirements on fields. Must never know: rows, metrics.
//!
//! An API server does not select by arbitrary fields but by a short list for each kind, over text that it makes of
//! the decoded object: an absent bool is `false` there, an absent number `0`. The grammar is that of
//! `k8s.io/apimachinery/pkg/fields.ParseSelector`; the lists are those of the API reference of Kubernetes 1.34.

use celemetry_engine::definition::FieldRequirement;

use super::selector::SelectorError;

/// A field selector that can be checked on an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    /// All must hold.
    pub requirements: Vec<FieldRequirement>,
    /// Where the answer may surprise.
    pub warnings: Vec<String>,
}

/// Why a field selector cannot be checked on objects here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}")]
pub struct FieldSelectorError {
    /// What an API server is to make of it.
    pub reason: FieldSelectorReason,
    /// What is wrong, and where.
    pub at: SelectorError,
}

/// What an API server makes of a selector that cannot be checked here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldSelectorReason {
    /// It is no field selector, and refused.
    Malformed,
    /// Kubernetes does not select objects of this kind, which is its own, by that field: it is refused.
    NotOfKind,
    /// Only the API server can tell.
    ServerOnly,
}

/// Parses `text` for objects of `kind` (compared without case; `None` where a target leaves it open) in `group`
/// (`None` where it is left open). `custom` are the fields that a custom kind's definition names, as JSONPaths such as
/// `.spec.color`.
///
/// # Errors
/// Where the text is no field selector, or names a field that the API server does not select this kind by.
pub fn parse_field_selector(
    text: &str,
    group: Option<&str>,
    kind: Option<&str>,
    custom: &[String],
) -> Result<FieldSelector, FieldSelectorError> {
    let custom = custom.iter().filter_map(|path| path.strip_prefix('.'));
    let fields: Vec<Selectable<'_>> = selectable_fields(group, kind)
        .into_iter()
        .chain(custom.map(|name| field(name, Reading::Text)))
        .collect();
    let mut selector = FieldSelector::default();
    let mut at = 0;
    for term in split_terms(text) {
        if !term.is_empty() {
            add_term(&mut selector, term, &fields).map_err(|defect| {
                let Defect { offset, message, reason } = defect;
                let reason = match reason {
                    FieldSelectorReason::NotOfKind if !is_own_kind(group, kind) => {
                        FieldSelectorReason::ServerOnly
                    }
                    reason => reason,
                };
                FieldSelectorError { reason, at: SelectorError::at(text, at + offset, message) }
            })?;
        }
        at += term.len() + 1;
    }
    Ok(selector)
}

/// How an API server makes text of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Text,
    /// Absent is `false`.
    Bool,
    /// Absent is `0`.
    Count,
    /// Accepted by an API server, which then compares with the empty text.
    NeverFilled,
    /// The first of two fields that is not empty; the second is named.
    OrElse(&'static str),
}

/// A field that an API server selects by: its name there, and where it lies if that is elsewhere.
#[derive(Clone, Copy, Debug)]
struct Selectable<'f> {
    name: &'f str,
    path: &'f str,
    reading: Reading,
}

const fn field(name: &str, reading: Reading) -> Selectable<'_> {
    Selectable { name, path: name, reading }
}

const ANY_KIND: &[Selectable<'static>] =
    &[field("metadata.name", Reading::Text), field("metadata.namespace", Reading::Text)];

/// Group, kind and fields. The group tells core kinds from others of the same name.
const CORE_KINDS: &[(&str, &str, &[Selectable<'static>])] = &[
    (
        "",
        "Pod",
        &[
            field("spec.nodeName", Reading::Text),
            field("spec.restartPolicy", Reading::Text),
            field("spec.schedulerName", Reading::Text),
            field("spec.serviceAccountName", Reading::Text),
            field("spec.hostNetwork", Reading::Bool),
            field("status.phase", Reading::Text),
            field("status.podIP", Reading::Text),
            // No list has members, so this path is always absent.
            Selectable { name: "status.podIPs", path: "status.podIPs.none", reading: Reading::NeverFilled },
            field("status.nominatedNodeName", Reading::Text),
        ],
    ),
    ("", "Node", &[field("spec.unschedulable", Reading::Bool)]),
    ("", "Namespace", &[field("status.phase", Reading::Text)]),
    ("", "Secret", &[field("type", Reading::Text)]),
    (
        "",
        "Event",
        &[
            field("involvedObject.kind", Reading::Text),
            field("involvedObject.namespace", Reading::Text),
            field("involvedObject.name", Reading::Text),
            field("involvedObject.uid", Reading::Text),
            field("involvedObject.apiVersion", Reading::Text),
            field("involvedObject.resourceVersion", Reading::Text),
            field("involvedObject.fieldPath", Reading::Text),
            field("reason", Reading::Text),
            field("reportingComponent", Reading::Text),
            Selectable {
                name: "source",
                path: "source.component",
                reading: Reading::OrElse("reportingComponent"),
            },
            field("type", Reading::Text),
        ],
    ),
    ("", "ReplicationController", &[field("status.replicas", Reading::Count)]),
    ("apps", "ReplicaSet", &[field("status.replicas", Reading::Count)]),
    (
        "batch",
        "Job",
        &[Selectable { name: "status.successful", path: "status.succeeded", reading: Reading::Count }],
    ),
    ("certificates.k8s.io", "CertificateSigningRequest", &[field("spec.signerName", Reading::Text)]),
];

/// Further kinds of Kubernetes, whose objects are selected by name and namespace alone.
const PLAIN_KINDS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "ConfigMap",
            "Endpoints",
            "LimitRange",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "PodTemplate",
            "ResourceQuota",
            "Service",
            "ServiceAccount",
        ],
    ),
    ("apps", &["ControllerRevision", "DaemonSet", "Deployment", "StatefulSet"]),
    ("batch", &["CronJob"]),
];

/// Whether all fields that objects of a kind are selected by are known: where a group is left open, an API server is asked
/// for Kubernetes' own kind among others.
fn is_own_kind(group: Option<&str>, kind: Option<&str>) -> bool {
    let plain = PLAIN_KINDS.iter().flat_map(|(group, kinds)| kinds.iter().map(move |kind| (*group, *kind)));
    CORE_KINDS.iter().map(|(group, kind, _)| (*group, *kind)).chain(plain).any(|(own_group, own_kind)| {
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(own_kind))
            && group.is_none_or(|group| group == own_group)
    })
}

fn selectable_fields(group: Option<&str>, kind: Option<&str>) -> Vec<Selectable<'static>> {
    let of_kind = CORE_KINDS
        .iter()
        .filter(|(own_group, own_kind, _)| {
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case(own_kind))
                && group.is_none_or(|group| group == *own_group)
        })
        .flat_map(|(_, _, fields)| *fields);
    ANY_KIND.iter().chain(of_kind).copied().collect()
}

/// Splits at every comma that no backslash precedes.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = vec![];
    let mut start = 0;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

/// A defect of a term.
#[derive(Debug)]
struct Defect {
    /// Where it is, in bytes.
    offset: usize,
    message: String,
    reason: FieldSelectorReason,
}

fn add_term(selector: &mut FieldSelector, term: &str, fields: &[Selectable<'_>]) -> Result<(), Defect> {
    let Some((name, operator, value)) = split_operator(term) else {
        return Err(malformed(0, format!("'{term}' has no operator (=, ==, !=)")));
    };
    let value_at = name.len() + operator.len();
    let value = unescape(value).map_err(|defect| Defect { offset: value_at + defect.offset, ..defect })?;
    let Some(field) = fields.iter().find(|field| field.name == name) else {
        let known = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
        return Err(Defect {
            offset: 0,
            message: format!("objects of this kind are not selected by the field '{name}', only by {known}"),
            reason: FieldSelectorReason::NotOfKind,
        });
    };
    let equal = operator != "!=";
    match field.reading {
        Reading::Text => selector.require(field, value, equal),
        // An absent bool reads as empty here and as `false` there, so "is false" is asked as "is not true".
        Reading::Bool if value == "false" => selector.require(field, "true".to_owned(), !equal),
        Reading::Bool => selector.require(field, value, equal),
        Reading::Count if value == "0" && equal => {
            let message = format!(
                "'{term}' cannot be told from an absent field here; write it as spec.filter: !has(object.{path}) || object.{path} == 0",
                path = field.path
            );
            return Err(Defect { offset: 0, message, reason: FieldSelectorReason::ServerOnly });
        }
        Reading::Count => {
            if value == "0" {
                selector.require(field, String::new(), false);
            }
            selector.require(field, value, equal);
        }
        Reading::NeverFilled => {
            selector.warnings.push(format!(
                "{name}: an API server compares it with the empty text; status.podIP is filled"
            ));
            selector.require(field, value, equal);
        }
        Reading::OrElse(second) => {
            selector.warnings.push(format!(
                "{name}: read from {} alone; an API server takes {second} where that is empty",
                field.path
            ));
            selector.require(field, value, equal);
        }
    }
    Ok(())
}

fn malformed(offset: usize, message: String) -> Defect {
    Defect { offset, message, reason: FieldSelectorReason::Malformed }
}

/// The name, the operator and the value, at the first operator.
fn split_operator(term: &str) -> Option<(&str, &str, &str)> {
    term.char_indices().find_map(|(at, _)| {
        let operator = ["!=", "==", "="].into_iter().find(|operator| term[at..].starts_with(operator))?;
        Some((&term[..at], operator, &term[at + operator.len()..]))
    })
}

/// Takes the backslash from `\\`, `\,` and `\=`; anything else that is escaped, or should be, is refused.
fn unescape(value: &str) -> Result<String, Defect> {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped @ ('\\' | ',' | '='))) => text.push(escaped),
                _ => return Err(malformed(at, r"a backslash escapes only '\', ',' and '='".to_owned())),
            },
            '=' => return Err(malformed(at, r"'=' within a value is written '\='".to_owned())),
            _ => text.push(character),
        }
    }
    Ok(text)
}

// === impl FieldSelector ===

impl FieldSelector {
    fn require(&mut self, field: &Selectable<'_>, value: String, equal: bool) {
        let path = field.path.split('.').map(str::to_owned).collect();
        self.requirements.push(FieldRequirement { path, value, equal });
    }
}
