//! A declared metric becomes what the engine compiles, where to look, and when to send.
//!
//! In: a kind of `api`, as lenient as it was read. Out: a [`Lowered`], or every defect with its place. Must never
//! know: rows, series, clusters.
//!
//! Defaults, upstream's quirks and the profiles end here: behind this file nobody knows how a user wrote a metric.

mod base_attributes;
mod findings;
mod formula;
mod placement;
mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::definition::{
    Definition, FieldRequirement, LabelRequirement, MetricInfo, TextForm, ValueFrom,
};

use crate::api;
use crate::cluster::target::is_kind_outside_namespaces;

use self::base_attributes::give_way;
use self::findings::Findings;
use super::field_selector::{FieldSelectorReason, parse_field_selector};
use super::selector::{SelectorError, is_dns_label, parse_label_selector};
use super::warning::{Warning, WarningKind};

pub use self::base_attributes::{BaseAttributes, base_attributes};
pub use self::placement::{RemoteCluster, matches};
pub use celemetry_engine::error::CompileError as LowerError;

/// How long a metric waits after its first change that has not left yet.
pub const DEFAULT_DEBOUNCE: Duration = Duration::from_secs(1);
/// The period of a polled metric, and the upper bound of the heartbeat of a watched one: upstream's default.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(600);

/// What a metric means once nobody needs to know how it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowered {
    /// What the engine compiles.
    pub definition: Definition,
    /// The objects to look at.
    pub target: Target,
    /// What the API server has to select by; `None` where the definition does it.
    pub field_selector: Option<String>,
    /// Which namespaces count, by their labels; `None` where labels do not matter.
    pub namespace_selector: Option<Vec<LabelRequirement>>,
    /// Whether only the metadata of objects is asked for, so that nothing that Secrets hold ever comes here.
    pub metadata_only: bool,
    /// The DataSink that series are sent to.
    pub data_sink: Option<String>,
    /// The access to another cluster.
    pub remote: Option<RemoteCluster>,
    /// By watching, or by listing every `interval`.
    pub mode: Mode,
    /// How long the metric waits after its first change that has not left yet.
    pub debounce: Duration,
    /// The period, or the upper bound of the heartbeat.
    pub interval: Duration,
    /// What the user should know although it is no error.
    pub warnings: Vec<Warning>,
}

/// A kind of objects; an omitted part matches anything, and the kind is compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// API group; `None` where it is left open, never empty.
    pub group: Option<String>,
    /// API version; `None` where it is left open.
    pub version: Option<String>,
    /// Kind; `None` where it is left open.
    pub kind: Option<String>,
}

/// How objects are observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Watched.
    #[default]
    EventDriven,
    /// Listed every interval.
    Polling,
}

/// Which behaviour is asked for where metrics-operator's versions and we differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Exactly metrics-operator v1.0.0.
    UpstreamV1,
    /// metrics-operator of the time of v1.2.
    UpstreamV12,
    /// Ours.
    #[default]
    Native,
}

/// Where the objects come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Objects {
    /// From files, a pipe or a simulation: there are no namespaces to ask, no other clusters and no sinks.
    #[default]
    Input,
    /// From an API server.
    Cluster,
}

/// What lowering depends on besides the metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LowerOptions<'a> {
    /// The process's profile.
    pub profile: Profile,
    /// Where the objects come from.
    pub objects: Objects,
    /// The mode of a metric that names none.
    pub default_mode: Mode,
    /// Whether the series get the profile's own attributes.
    pub base_attributes: BaseAttributes<'a>,
    /// Whether what Secrets hold may be read.
    pub allow_secret_data: bool,
    /// The fields that a custom target's definition lets the API server select by, as JSONPaths such as `.spec.color`.
    pub selectable_fields: &'a [String],
}

/// Lowers a Metric.
///
/// # Errors
/// Every defect that can be seen without compiling an expression, each with its place.
pub fn lower(metric: &api::Metric, options: LowerOptions<'_>) -> Result<Lowered, Vec<LowerError>> {
    let (lowered, errors) = lower_in_part(metric, options);
    if errors.is_empty() { Ok(lowered) } else { Err(errors) }
}

/// Lowers what can be lowered of a Metric, and gives every defect of the rest, which is left out of the definition. So
/// whoever only checks a Metric can compile its sound expressions too.
pub fn lower_in_part(metric: &api::Metric, options: LowerOptions<'_>) -> (Lowered, Vec<LowerError>) {
    let mut findings = Findings::default();
    let spec = &metric.spec;
    let target = target(spec.target.as_ref(), &mut findings);
    let value =
        spec.value_from.as_ref().and_then(|from| formula::value(from, options.profile, &mut findings));
    let mut projections = formula::projections(&spec.projections, options.profile, &mut findings);
    let mut info = info(metric, &target, value.as_ref(), options.profile, &mut findings);
    if let BaseAttributes::Added { cluster } = options.base_attributes {
        info.base_attributes = base_attributes(options.profile, spec.target.as_ref(), cluster);
        give_way(&mut info.base_attributes, &mut projections);
    }
    let (fields, field_selector) = fields(spec.field_selector.as_deref(), &target, options, &mut findings);
    let definition = Definition {
        info: Arc::new(info),
        tenant: metric.namespace().into(),
        labels: labels("spec.labelSelector", spec.label_selector.as_deref(), &mut findings),
        fields,
        namespaces: namespaces(&spec.namespaces, &target, &mut findings),
        filter: spec.filter.as_deref().and_then(|text| formula::cel("spec.filter", text)),
        for_each: spec
            .for_each
            .as_ref()
            .and_then(|for_each| formula::for_each(for_each, options.profile, &mut findings)),
        projections,
        value,
        text: options.profile.text_form(),
        max_series: settings::max_series(spec.limits.as_ref(), &mut findings),
        confidential: target.may_be_secrets(),
    };
    let mode = settings::mode(spec.mode.as_deref(), options, &mut findings);
    let debounce = spec.flush.as_ref().and_then(|flush| flush.debounce.as_deref());
    let debounce = settings::duration("spec.flush.debounce", debounce, DEFAULT_DEBOUNCE, &mut findings);
    let interval = settings::interval(spec.interval.as_deref(), &mut findings);
    settings::check_what_needs_a_cluster(spec, options, &mut findings);
    let namespace_selector =
        placement::namespace_selector(spec.namespace_selector.as_deref(), options, &mut findings);
    let in_cluster = options.objects == Objects::Cluster;
    let metadata_only = in_cluster && definition.confidential && !options.allow_secret_data;
    // Of a target that names nothing something else is wrong.
    if metadata_only && target != Target::default() {
        findings.warn(
            "spec.target",
            "of Secrets only the metadata is read; what they hold needs --allow-secret-data",
        );
    }
    let (data_sink, remote) = (placement::data_sink(spec), placement::remote(spec));
    let (warnings, errors) = findings.into_parts();
    let lowered = Lowered {
        definition,
        target,
        field_selector,
        namespace_selector,
        metadata_only,
        data_sink,
        remote,
        mode,
        debounce,
        interval,
        warnings,
    };
    (lowered, errors)
}

fn info(
    metric: &api::Metric,
    target: &Target,
    value: Option<&ValueFrom>,
    profile: Profile,
    findings: &mut Findings,
) -> MetricInfo {
    let spec = &metric.spec;
    let name = spec.name.clone().unwrap_or_default();
    settings::check_name(&name, findings);
    let object = metric.metadata.name.clone().unwrap_or_default();
    if object.is_empty() {
        findings.error("metadata.name", "is missing");
    }
    let unit = match spec.unit.as_deref().filter(|unit| !unit.is_empty()) {
        Some(unit) => settings::unit(unit, findings),
        None => settings::default_unit(target, value, spec.for_each.is_some(), profile),
    };
    let namespace = metric.namespace().to_owned();
    MetricInfo {
        source: format!("Metric/{namespace}/{object}"),
        namespace,
        object,
        name,
        description: spec.description.clone().unwrap_or_default(),
        unit,
        scope: profile.scope().to_owned(),
        base_attributes: vec![],
    }
}

fn target(target: Option<&api::Target>, findings: &mut Findings) -> Target {
    let Some(target) = target else {
        findings.error("spec.target", "is missing");
        return Target::default();
    };
    let part = |part: &Option<String>| part.clone().filter(|text| !text.is_empty());
    let target =
        Target { group: part(&target.group), version: part(&target.version), kind: part(&target.kind) };
    if target == Target::default() {
        findings.error("spec.target", "names nothing: it needs at least one of kind, group and version");
    }
    target
}

fn labels(
    place: &str,
    selector: Option<&str>,
    findings: &mut Findings,
) -> Vec<celemetry_engine::definition::LabelRequirement> {
    parse_label_selector(selector.unwrap_or_default()).unwrap_or_else(|error| {
        findings.selector_error(place, &error);
        vec![]
    })
}

/// What the definition selects by fields, and what is left for the API server, which selects by other fields as well and
/// refuses what it cannot. Its answer is asked for, too, where the definition's may differ.
fn fields(
    selector: Option<&str>,
    target: &Target,
    options: LowerOptions<'_>,
    findings: &mut Findings,
) -> (Vec<FieldRequirement>, Option<String>) {
    let place = "spec.fieldSelector";
    let Some(text) = selector.filter(|text| !text.is_empty()) else { return (vec![], None) };
    let (group, kind) = (target.group.as_deref(), target.kind.as_deref());
    let parsed = parse_field_selector(text, group, kind, options.selectable_fields);
    match (parsed, options.objects) {
        (Ok(selector), Objects::Cluster) if selector.warnings.is_empty() => (selector.requirements, None),
        (Err(error), Objects::Cluster) if error.reason != FieldSelectorReason::Malformed => {
            if error.reason == FieldSelectorReason::NotOfKind {
                let message = format!("{}: the API server refuses it, unless it is newer", error.at);
                findings.warn_of(WarningKind::Schema, place, &message);
            }
            (vec![], Some(text.to_owned()))
        }
        (Ok(_), Objects::Cluster) => (vec![], Some(text.to_owned())),
        (Ok(selector), Objects::Input) => {
            selector.warnings.iter().for_each(|warning| findings.warn(place, warning));
            (selector.requirements, None)
        }
        (Err(error), _) => {
            findings.selector_error(place, &error.at);
            (vec![], None)
        }
    }
}

fn namespaces(names: &[String], target: &Target, findings: &mut Findings) -> Option<BTreeSet<String>> {
    for (index, name) in names.iter().enumerate() {
        if !is_dns_label(name) || name.len() > 63 {
            findings.error(
                &format!("spec.namespaces[{index}]"),
                &format!("'{name}' cannot be the name of a namespace"),
            );
        }
    }
    let kind = target.kind.as_deref().unwrap_or_default();
    if !names.is_empty() && is_kind_outside_namespaces(target.group.as_deref(), kind) {
        findings.warn("spec.namespaces", &format!("a {kind} is in no namespace: ignored"));
        return None;
    }
    (!names.is_empty()).then(|| names.iter().cloned().collect())
}

// === impl Target ===

impl Target {
    /// Whether Secrets are among the objects.
    /// Whether it names Secrets, and nothing else.
    pub fn are_secrets(&self) -> bool {
        self.kind.is_some() && self.may_be_secrets()
    }

    fn may_be_secrets(&self) -> bool {
        self.group.is_none() && self.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("Secret"))
    }
}

// === impl Profile ===

impl Profile {
    /// How this profile writes values as attributes.
    pub fn text_form(self) -> TextForm {
        match self {
            Profile::UpstreamV1 | Profile::UpstreamV12 => TextForm::Go,
            Profile::Native => TextForm::Native,
        }
    }

    /// The instrumentation scope of a Metric's series in OTLP.
    fn scope(self) -> &'static str {
        match self {
            Profile::UpstreamV1 | Profile::UpstreamV12 => "metric",
            Profile::Native => "celemetry",
        }
    }
}

impl Findings {
    fn selector_error(&mut self, place: &str, error: &SelectorError) {
        self.error_at(place, (error.line, error.column), &error.message);
    }
}

#[cfg(test)]
mod tests;
