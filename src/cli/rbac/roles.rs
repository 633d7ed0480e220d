//! Roles as YAML, with comments that say what each right is for.
//!
//! In: rules. Out: YAML documents, the same bytes for the same rules. Must never know: Metrics, clusters.

/// A ClusterRole, or a Role of one namespace.
#[derive(Clone, Debug, Default)]
pub(super) struct Role {
    /// Its name.
    pub(super) name: String,
    /// The namespace that it is about; `None`: the whole cluster.
    pub(super) namespace: Option<String>,
    /// What it is for, a line each.
    pub(super) comments: Vec<String>,
    /// The rights.
    pub(super) rules: Vec<Rule>,
}

/// Rights on resources.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    /// What they are for, a line each.
    pub(super) comments: Vec<String>,
    /// API groups.
    pub(super) groups: Vec<String>,
    /// Resources, and subresources after a slash.
    pub(super) resources: Vec<String>,
    /// Names of objects; empty: all.
    pub(super) names: Vec<String>,
    /// What may be done.
    pub(super) verbs: &'static [&'static str],
}

/// Who gets a role.
#[derive(Clone, Debug)]
pub(super) struct Subject<'a> {
    /// Name of a ServiceAccount.
    pub(super) name: &'a str,
    /// Its namespace.
    pub(super) namespace: &'a str,
}

const API: &str = "rbac.authorization.k8s.io";

// === impl Role ===

impl Role {
    /// The role as a YAML document, and its binding to `subject`, if there is one.
    pub(super) fn print(&self, subject: Option<&Subject<'_>>, out: &mut String) {
        out.push_str("---\n");
        comments("", &self.comments, out);
        self.head("", out);
        out.push_str(if self.rules.is_empty() { "rules: []\n" } else { "rules:\n" });
        for rule in &self.rules {
            rule.print(out);
        }
        let Some(Subject { name, namespace }) = subject else { return };
        out.push_str("---\n");
        self.head("Binding", out);
        let role =
            format!("roleRef:\n  apiGroup: {API}\n  kind: {}\n  name: {}\n", self.kind(), text(&self.name));
        let subject = format!(
            "subjects:\n- kind: ServiceAccount\n  name: {}\n  namespace: {}\n",
            text(name),
            text(namespace)
        );
        out.extend([role, subject]);
    }

    fn kind(&self) -> &'static str {
        if self.namespace.is_some() { "Role" } else { "ClusterRole" }
    }

    fn head(&self, binding: &str, out: &mut String) {
        out.push_str(&format!("apiVersion: {API}/v1\nkind: {}{binding}\nmetadata:\n", self.kind()));
        out.push_str(&format!("  name: {}\n", text(&self.name)));
        if let Some(namespace) = &self.namespace {
            out.push_str(&format!("  namespace: {}\n", text(namespace)));
        }
    }
}

// === impl Rule ===

impl Rule {
    fn print(&self, out: &mut String) {
        comments("", &self.comments, out);
        out.push_str(&format!("- apiGroups: {}\n", list(&self.groups)));
        out.push_str(&format!("  resources: {}\n", list(&self.resources)));
        if !self.names.is_empty() {
            out.push_str(&format!("  resourceNames: {}\n", list(&self.names)));
        }
        out.push_str(&format!("  verbs: [{}]\n", self.verbs.join(", ")));
    }
}

fn comments(indent: &str, lines: &[String], out: &mut String) {
    for line in lines {
        // Names in it come from users.
        let line: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        out.push_str(format!("{indent}# {line}").trim_end());
        out.push('\n');
    }
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|each| text(each)).collect::<Vec<_>>().join(", "))
}

/// A YAML scalar that is a string whatever it says.
fn text(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-' || byte == b'/';
    let words = ["", "true", "false", "null", "yes", "no", "on", "off", "y", "n", "-"];
    let dotted = text.split('.').all(|part| part.bytes().next().is_some_and(|b| b.is_ascii_lowercase()));
    let is_plain = text.bytes().all(|byte| plain(byte) || byte.is_ascii_digit() || byte == b'.') && dotted;
    if is_plain && !words.contains(&text) {
        text.to_owned()
    } else {
        // JSON's strings are YAML's.
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_strings() {
        for (written, expected) in [
            ("pods", "pods"),
            ("metrics/status", "metrics/status"),
            ("metrics.k8s.io", "metrics.k8s.io"),
            ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io"),
            ("82620e19.metrics.open-control-plane.io", "\"82620e19.metrics.open-control-plane.io\""),
            ("", "\"\""),
            ("*", "\"*\""),
            ("no", "\"no\""),
            ("1e3", "\"1e3\""),
            ("a: b", "\"a: b\""),
            ("a\nb", "\"a\\nb\""),
        ] {
            assert_eq!(text(written), expected);
        }
    }

    #[test]
    fn a_comment_stays_in_its_line() {
        let role =
            Role { name: "a".to_owned(), comments: vec!["x\nkind: Pod".to_owned()], ..Role::default() };
        let mut out = String::new();
        role.print(None, &mut out);
        assert!(out.starts_with("---\n# x\u{fffd}kind: Pod\napiVersion: "), "{out}");
    }
}
