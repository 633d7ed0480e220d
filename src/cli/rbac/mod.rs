//! `celemetry rbac`: the rights that Metrics need, and those that celemetry itself does.
//!
//! In: Metrics and DataSinks from files; with a cluster, what it serves. Out: roles as YAML on standard output, the same
//! bytes for the same input. Must never know: how objects are observed.

mod kinds;
mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kube::Client;
use kube::discovery::{Discovery, verbs};

use super::input::read_documents;
use super::load::MetricsArgs;
use super::metrics::{Metrics, read_metrics};
use super::{Status, output, report};
use crate::api::{self, Group};
use crate::cluster::connect::{self, in_words};
use crate::controller::lease::LEASE;

use self::kinds::{Doubt, Kind, Kinds, Named};
use self::roles::{Role, Rule, Subject};

/// Print the roles that Metrics need, to observe exactly their targets, and those that the operator itself needs
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Ask the cluster of this kubeconfig what it serves, instead of guessing the plurals of custom kinds
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The same for the cluster of KUBECONFIG, of this Pod, or of ~/.kube/config
    #[arg(long)]
    discover: bool,
    /// Beginning of the roles' names
    #[arg(long, value_name = "NAME", default_value = "celemetry")]
    name: String,
    /// The operator's own namespace
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// The namespace of the DataSinks and their Secrets, as OPERATOR_CONFIG_NAMESPACE [default: that of --namespace]
    #[arg(long, value_name = "NAMESPACE")]
    config_namespace: Option<String>,
    /// Print bindings to this ServiceAccount of --namespace too
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// Print only the role for the targets
    #[arg(long)]
    targets_only: bool,
}

const MORE: &str = "\
Examples:
  # What may these Metrics see? Works without a cluster
  celemetry rbac -f examples/ --targets-only

  # Everything, for a ServiceAccount, with the names that the cluster knows
  celemetry rbac -f metrics/ --discover --namespace monitoring --service-account celemetry | kubectl apply -f -";

/// Every right to observe objects.
const OBSERVE: &[&str] = &["get", "list", "watch"];

/// Metrics that a comment names; the rest is counted.
const MOST_NAMED: usize = 5;

/// Targets, and who needs them.
#[derive(Debug, Default)]
struct Needs {
    named: BTreeMap<Named, BTreeSet<String>>,
    namespaces: BTreeSet<String>,
    remote: BTreeSet<String>,
    /// Secrets that DataSinks name.
    secrets: BTreeSet<String>,
    problems: Vec<String>,
}

/// A right that a Metric needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Right {
    /// The API group; `*` where it is not known.
    pub(super) group: String,
    /// The plural.
    pub(super) resource: String,
    pub(super) verbs: &'static [&'static str],
    /// What is to be known of it.
    pub(super) note: Option<String>,
}

/// The rights that the target's objects and namespaces need, without asking a cluster.
pub(super) fn rights_of(metric: &api::Metric) -> Vec<Right> {
    let spec = &metric.spec;
    let right = |rule: Rule, note: Option<String>| Right {
        group: rule.groups.concat(),
        resource: rule.resources.concat(),
        verbs: rule.verbs,
        note,
    };
    let named = Kinds::built_in().of_target(&spec.target.clone().unwrap_or_default());
    let targets = named.iter().map(|named| {
        let mut rule = target_rule(named, &BTreeSet::new());
        // The first says who needs it.
        let notes: Vec<String> = rule.comments.drain(1..).collect();
        right(rule, (!notes.is_empty()).then(|| notes.join("; ")))
    });
    let selector = spec.namespace_selector.as_deref().filter(|selector| !selector.trim().is_empty());
    let namespaces = selector.map(|_| right(rule(&[""], &["namespaces"], &["list", "watch"]), None));
    targets.chain(namespaces).collect()
}

/// Runs the command.
pub(super) fn rbac(args: &Args) -> Status {
    let (documents, errors) = read_documents(&args.metrics.metrics, &mut std::io::stdin().lock());
    let found = read_metrics(documents);
    let mut problems: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    problems.extend(errors.iter().map(ToString::to_string));
    found.notes.iter().for_each(|note| report::say(&format!("warning: {note}")));
    if found.metrics.is_empty() && problems.is_empty() {
        problems.push(format!("{}: no Metric there", args.metrics.metrics.join(", ")));
    }
    let kinds = match args.kinds() {
        Ok(kinds) => kinds,
        Err(error) => {
            report::say(&format!("error: {error}"));
            return Status::Unreachable;
        }
    };
    let needs = Needs::of(&found, &kinds);
    problems.extend(needs.problems.iter().cloned());
    for problem in &problems {
        report::say(&format!("error: {problem}"));
    }
    if !problems.is_empty() {
        return Status::Input;
    }
    output::write(args.render(&needs).as_bytes())
}

// === impl Args ===

impl Args {
    /// The kinds that are known: of a cluster, if one is to be asked.
    fn kinds(&self) -> Result<Kinds, String> {
        if !self.discover && self.kubeconfig.is_none() {
            return Ok(Kinds::built_in());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
        runtime.block_on(async {
            let settings = connect::Settings { kubeconfig: self.kubeconfig.clone(), cluster_name: None };
            let connected = connect::connect(&settings).await.map_err(|error| error.to_string())?;
            connected.check().await.map_err(|error| error.to_string())?;
            let kinds = served(connected.client).await;
            kinds.map_err(|error| format!("{}: {}", connected.server, in_words(&error)))
        })
    }

    fn render(&self, needs: &Needs) -> String {
        let mut out = String::new();
        let subject = self.service_account.as_deref();
        let subject = subject.map(|name| Subject { name, namespace: &self.namespace });
        let own = [self.operator_role(), self.sinks_role(needs), self.lease_role()];
        let own = own.into_iter().filter(|_| !self.targets_only);
        for role in std::iter::once(self.targets_role(needs)).chain(own) {
            role.print(subject.as_ref(), &mut out);
        }
        out
    }

    fn targets_role(&self, needs: &Needs) -> Role {
        let mut comments = vec!["What the Metrics look at.".to_owned()];
        if !needs.remote.is_empty() {
            let who = listed(&needs.remote);
            comments.push(format!("Not in it: what {who} look at, which is in another cluster."));
        }
        let mut rules: Vec<Rule> =
            needs.named.iter().map(|(named, metrics)| target_rule(named, metrics)).collect();
        if !needs.namespaces.is_empty() {
            rules.push(Rule {
                comments: vec![format!(
                    "Labels of namespaces, for the namespaceSelector of {}",
                    listed(&needs.namespaces)
                )],
                ..rule(&[""], &["namespaces"], &["list", "watch"])
            });
        }
        Role { name: format!("{}-targets", self.name), namespace: None, comments, rules }
    }

    fn operator_role(&self) -> Role {
        let groups = Group::ALL.map(Group::name);
        let said = |comment: &str, rule: Rule| Rule { comments: vec![comment.to_owned()], ..rule };
        Role {
            name: self.name.clone(),
            namespace: None,
            comments: vec!["What the operator itself needs, whatever the Metrics are.".to_owned()],
            rules: vec![
                said("Metrics and DataSinks", rule(&groups, &["datasinks", "metrics"], OBSERVE)),
                said("Their status", rule(&groups, &["datasinks/status", "metrics/status"], &["patch"])),
                said("Events about them", rule(&["events.k8s.io"], &["events"], &["create", "patch"])),
                said(
                    "Kinds that come, go and change version",
                    rule(&["apiextensions.k8s.io"], &["customresourcedefinitions"], OBSERVE),
                ),
                said(
                    "The same, of API servers behind the API server",
                    rule(&["apiregistration.k8s.io"], &["apiservices"], OBSERVE),
                ),
                said(
                    "The cluster's UID",
                    Rule { names: vec!["kube-system".to_owned()], ..rule(&[""], &["namespaces"], &["get"]) },
                ),
            ],
        }
    }

    fn sinks_role(&self, needs: &Needs) -> Role {
        let names: Vec<String> = needs.secrets.iter().cloned().collect();
        let mut comments =
            vec!["Credentials of DataSinks, read by name; Secrets are never listed or watched.".to_owned()];
        if names.is_empty() {
            comments.push(
                "Give the DataSinks' files too (-f), and only the Secrets that they name are allowed."
                    .to_owned(),
            );
        }
        Role {
            name: format!("{}-sinks", self.name),
            namespace: Some(self.config_namespace.clone().unwrap_or_else(|| self.namespace.clone())),
            comments,
            rules: vec![Rule { names, ..rule(&[""], &["secrets"], &["get"]) }],
        }
    }

    fn lease_role(&self) -> Role {
        let group = ["coordination.k8s.io"];
        let names = vec![LEASE.to_owned()];
        Role {
            name: format!("{}-lease", self.name),
            namespace: Some(self.namespace.clone()),
            comments: vec!["Leader election, with --leader-elect.".to_owned()],
            rules: vec![
                // An object that is not there yet cannot be allowed by name.
                rule(&group, &["leases"], &["create"]),
                Rule { names, ..rule(&group, &["leases"], &["get", "update", "watch"]) },
            ],
        }
    }
}

fn rule(groups: &[&str], resources: &[&str], verbs: &'static [&'static str]) -> Rule {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Rule { groups: texts(groups), resources: texts(resources), verbs, ..Rule::default() }
}

fn target_rule(named: &Named, metrics: &BTreeSet<String>) -> Rule {
    let mut comments = vec![listed(metrics)];
    match named.doubt {
        None => {}
        Some(Doubt::Plural) => comments.push(format!(
            "'{}' is a guess, the regular plural: --kubeconfig or --discover asks the cluster",
            named.resource
        )),
        Some(Doubt::Group) => comments.push(format!(
            "Every group, and '{}' is a guess: give the target's group, or let --kubeconfig or --discover ask the cluster",
            named.resource
        )),
        Some(Doubt::EveryKind) => {
            comments.push("The target names no kind, so it is every kind of the group".to_owned());
        }
    }
    if named.resource == "secrets" && named.group.is_empty() {
        comments.push("The right shows what Secrets hold; celemetry asks for their metadata alone, unless --allow-secret-data".to_owned());
    }
    Rule { comments, ..rule(&[&named.group], &[&named.resource], OBSERVE) }
}

fn listed(metrics: &BTreeSet<String>) -> String {
    let named: Vec<&str> = metrics.iter().take(MOST_NAMED).map(String::as_str).collect();
    let more = metrics.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// What a cluster serves that can be listed.
async fn served(client: Client) -> kube::Result<Kinds> {
    let discovery = match Discovery::new(client.clone()).run_aggregated().await {
        Ok(discovery) => discovery,
        // An API server before 1.30 is asked group by group.
        Err(_) => Discovery::new(client).run().await?,
    };
    let mut known = vec![];
    for group in discovery.groups_alphabetical() {
        for version in group.versions() {
            for (resource, capabilities) in group.versioned_resources(version) {
                let kind = Kind { group: resource.group, kind: resource.kind, plural: resource.plural };
                let is_whole = !kind.plural.contains('/') && capabilities.supports_operation(verbs::LIST);
                if is_whole && !known.contains(&kind) {
                    known.push(kind);
                }
            }
        }
    }
    Ok(Kinds::served(known))
}

// === impl Right ===

impl Right {
    /// As `kubectl auth can-i` has it: `deployments.apps`, `pods`.
    pub(super) fn resource(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }
}

// === impl Needs ===

impl Needs {
    fn of(found: &Metrics, kinds: &Kinds) -> Self {
        let mut needs = Needs::default();
        for placed in &found.metrics {
            let spec = &placed.metric.spec;
            let name = placed.metric.metadata.name.as_deref().unwrap_or_default();
            let name = format!("{}/{name}", placed.metric.namespace());
            if spec.remote_cluster_access_ref.is_some() {
                needs.remote.insert(name);
                continue;
            }
            let target = spec.target.clone().unwrap_or_default();
            if target.kind.is_none() && target.group.is_none() && target.version.is_none() {
                needs.problems.push(format!("{}: Metric {name}: spec.target names nothing", placed.place));
                continue;
            }
            let resources = kinds.of_target(&target);
            if resources.is_empty() {
                needs.problems.push(format!(
                    "{}: Metric {name}: the cluster serves nothing like spec.target",
                    placed.place
                ));
            }
            for named in resources {
                needs.named.entry(named).or_default().insert(name.clone());
            }
            if spec.namespace_selector.as_deref().is_some_and(|selector| !selector.trim().is_empty()) {
                needs.namespaces.insert(name);
            }
        }
        for placed in &found.sinks {
            needs.secrets.extend(secrets(&placed.sink));
        }
        needs
    }
}

/// Names of the Secrets that a DataSink needs.
fn secrets(sink: &api::DataSink) -> BTreeSet<String> {
    let Some(authentication) = &sink.spec.authentication else { return BTreeSet::new() };
    let key = authentication.api_key.iter().map(|key| &key.secret_key_ref);
    let certificates = authentication.certificate.iter().flat_map(|certificate| {
        [
            &certificate.client_cert_secret_key_ref,
            &certificate.client_key_secret_key_ref,
            &certificate.ca_cert_secret_key_ref,
        ]
    });
    let names = key.chain(certificates).flatten().filter_map(|selector| selector.name.clone());
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests;
