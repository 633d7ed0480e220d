//! Who may ask the API server for what.
//!
//! In: rules. Out: users with tokens; each begins with no rights but discovery, and has requests of its own in the audit
//! log.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use http::Method;
use serde_json::{Value, json};

use super::Plane;
use crate::harness::client::merge;
use crate::harness::wait::until_equal;

/// A user of one plane.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct User {
    pub(crate) name: String,
}

/// A rule of RBAC. `*` means all.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    verbs: Vec<String>,
}

/// How many users a plane has.
const USERS: usize = 500;

pub(super) const ADMIN: &str = "admin";
pub(super) const ADMIN_TOKEN: &str = "token-of-admin";

/// A rule: `rule("apps", "deployments", "get,list,watch")`. Several, separated by commas, in each.
pub(crate) fn rule(groups: &str, resources: &str, verbs: &str) -> Rule {
    let split = |list: &str| list.split(',').map(str::to_owned).collect();
    Rule { groups: split(groups), resources: split(resources), verbs: split(verbs) }
}

/// Where the API server reads its tokens.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("tokens.csv")
}

/// Writes that file.
pub(super) fn write(folder: &Path) {
    let mut lines = format!("{ADMIN_TOKEN},{ADMIN},{ADMIN},system:masters\n");
    for number in 1..=USERS {
        let user = User::number(number);
        writeln!(lines, "{},{name},{name},", user.token(), name = user.name).unwrap();
    }
    std::fs::write(file(folder), lines).unwrap();
}

// === impl Rule ===

impl Rule {
    fn json(&self) -> Value {
        json!({"verbs": self.verbs, "apiGroups": self.groups, "resources": self.resources})
    }
}

// === impl User ===

impl User {
    fn number(number: usize) -> Self {
        Self { name: format!("consumer-{number:03}") }
    }

    /// What the user shows. It must appear nowhere.
    pub(crate) fn token(&self) -> String {
        format!("token-of-{}", self.name)
    }
}

// === impl Plane ===

impl Plane {
    /// A user that nobody else is, without any rights.
    ///
    /// # Panics
    ///
    /// After 500 of them.
    pub(crate) fn user(&self) -> User {
        let number = self.next_user.fetch_add(1, Ordering::Relaxed);
        assert!(number <= USERS, "more than {USERS} users");
        User::number(number)
    }

    /// A user that nobody else is, with these rights.
    #[track_caller]
    pub(crate) fn user_with(&self, rules: &[Rule]) -> User {
        let user = self.user();
        self.allow(&user, rules);
        user
    }

    /// A user with the rights that the operator needs: to read everything, and to write what it is for.
    #[track_caller]
    pub(crate) fn operator_user(&self) -> User {
        self.user_with(&[
            rule("*", "*", "get,list,watch"),
            rule("metrics.open-control-plane.io,metrics.openmcp.cloud", "*", "*"),
            rule("apiextensions.k8s.io", "customresourcedefinitions", "*"),
            rule("coordination.k8s.io", "leases", "*"),
            rule(",events.k8s.io", "events", "create,patch,update"),
        ])
    }

    /// Gives the user exactly these rights in the whole cluster, and waits until they hold.
    #[track_caller]
    pub(crate) fn allow(&self, user: &User, rules: &[Rule]) {
        const GROUP: &str = "rbac.authorization.k8s.io";
        let rules: Vec<Value> = rules.iter().map(Rule::json).collect();
        let of_user = |kind: &str, rest: Value| {
            let metadata = json!({"name": user.name});
            merge(json!({"apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": metadata}), rest)
        };
        let refer = |kind: &str| json!({"apiGroup": GROUP, "kind": kind, "name": user.name});
        self.client().apply(&of_user("ClusterRole", json!({"rules": rules})));
        let binding = json!({"roleRef": refer("ClusterRole"), "subjects": [refer("User")]});
        self.client().apply(&of_user("ClusterRoleBinding", binding));
        // The authorizer learns of it by a watch of its own.
        until_equal("the rights", &Ok(rules), || self.rights(user));
    }

    /// Takes everything from the user, and waits until that holds.
    #[track_caller]
    pub(crate) fn forbid(&self, user: &User) {
        self.allow(user, &[]);
    }

    /// What the API server lets this user do, beside what everyone may.
    fn rights(&self, user: &User) -> Result<Vec<Value>, String> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "metadata": {},
            "spec": {"namespace": "default"},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let answer =
            self.client_of(user).send(&Method::POST, path, "application/json", review.to_string())?;
        let answer: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
        let rules =
            answer["status"]["resourceRules"].as_array().cloned().ok_or_else(|| answer.to_string())?;
        let of_everyone = |rule: &Value| {
            ["authorization.k8s.io", "authentication.k8s.io"]
                .iter()
                .any(|group| rule["apiGroups"] == json!([group]))
        };
        Ok(rules.into_iter().filter(|rule| !of_everyone(rule)).collect())
    }
}
