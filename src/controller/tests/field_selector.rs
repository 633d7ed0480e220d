//! Field selectors: the grammar, the fields of each kind, and what an API server makes of absent ones.

use crate::controller::parse_field_selector;

fn found(text: &str, group: Option<&str>, kind: Option<&str>) -> String {
    match parse_field_selector(text, group, kind, &[]) {
        Ok(selector) => {
            let requirement = selector.requirements.iter().map(|requirement| {
                let operator = if requirement.equal { "=" } else { "!=" };
                format!("{}{operator}{:?}", requirement.path.join("."), requirement.value)
            });
            let warning = selector.warnings.iter().map(|warning| format!("warning: {warning}"));
            requirement.chain(warning).collect::<Vec<_>>().join("; ")
        }
        Err(error) => format!("{}: {}", error.at.column, error.at.message),
    }
}

fn check(kind: &str, text: &str, expected: &str) {
    assert_eq!(found(text, None, Some(kind)), expected, "{kind} {text}");
}

#[test]
fn grammar() {
    check("Pod", "", "");
    check("Pod", ",", "");
    check("Pod", "status.phase=Running", "status.phase=\"Running\"");
    check("Pod", "status.phase==Running", "status.phase=\"Running\"");
    check("Pod", "status.phase!=Running", "status.phase!=\"Running\"");
    check("Pod", "status.phase=", "status.phase=\"\"");
    check("Pod", "status.phase=a,,metadata.name!=b,", "status.phase=\"a\"; metadata.name!=\"b\"");
    check("Pod", r"metadata.name=a\,b\=c\\d", r#"metadata.name="a,b=c\\d""#);
    check("Pod", "metadata.name=a!b", "metadata.name=\"a!b\"");
    check("Pod", "metadata.name= a", "metadata.name=\" a\"");
    check("Pod", "metadata.name=ä,status.phase=b", "metadata.name=\"ä\"; status.phase=\"b\"");
    check("Pod", "a,b", "1: 'a' has no operator (=, ==, !=)");
    check("Pod", "metadata.name=ä,b", "17: 'b' has no operator (=, ==, !=)");
    check("Pod", "metadata.name=a=b", r"16: '=' within a value is written '\='");
    check("Pod", "metadata.name===b", r"16: '=' within a value is written '\='");
    check("Pod", r"metadata.name=a\b", r"16: a backslash escapes only '\', ',' and '='");
    check("Pod", r"metadata.name=a\", r"16: a backslash escapes only '\', ',' and '='");
}

#[test]
fn fields_are_those_of_the_kind() {
    check("pod", "spec.nodeName=a", "spec.nodeName=\"a\"");
    check("Secret", "type!=Opaque", "type!=\"Opaque\"");
    check("Namespace", "status.phase=Active", "status.phase=\"Active\"");
    check("Event", "involvedObject.kind=Pod,reason=a", "involvedObject.kind=\"Pod\"; reason=\"a\"");
    check("ReplicaSet", "status.replicas=3", "status.replicas=\"3\"");
    check("CertificateSigningRequest", "spec.signerName=a", "spec.signerName=\"a\"");
    check("Widget", "metadata.namespace=a", "metadata.namespace=\"a\"");
    let only = "objects of this kind are not selected by the field";
    check(
        "Widget",
        "metadata.name=a,status.phase=b",
        &format!("17: {only} 'status.phase', only by metadata.name, metadata.namespace"),
    );
    check(
        "Node",
        "spec.x=b",
        &format!("1: {only} 'spec.x', only by metadata.name, metadata.namespace, spec.unschedulable"),
    );
}

#[test]
fn another_group_has_other_fields() {
    assert_eq!(found("status.phase=a", Some(""), Some("Pod")), "status.phase=\"a\"");
    assert_eq!(
        found("status.phase=a", Some("example.org"), Some("Pod")),
        "1: objects of this kind are not selected by the field 'status.phase', only by metadata.name, metadata.namespace"
    );
    assert_eq!(found("metadata.name=a", None, None), "metadata.name=\"a\"");
}

#[test]
fn absent_reads_as_an_api_server_reads_it() {
    check("Pod", "spec.hostNetwork=false", "spec.hostNetwork!=\"true\"");
    check("Pod", "spec.hostNetwork!=false", "spec.hostNetwork=\"true\"");
    check("Pod", "spec.hostNetwork=true", "spec.hostNetwork=\"true\"");
    check("Node", "spec.unschedulable=false", "spec.unschedulable!=\"true\"");
    check("Job", "status.successful=1", "status.succeeded=\"1\"");
    check("Job", "status.successful!=0", "status.succeeded!=\"\"; status.succeeded!=\"0\"");
    check(
        "Job",
        "status.successful=0",
        "1: 'status.successful=0' cannot be told from an absent field here; write it as spec.filter: \
         !has(object.status.succeeded) || object.status.succeeded == 0",
    );
    check(
        "Pod",
        "status.podIPs=10.0.0.1",
        "status.podIPs.none=\"10.0.0.1\"; warning: status.podIPs: an API server compares it with the empty text; status.podIP is filled",
    );
    check(
        "Event",
        "source=kubelet",
        "source.component=\"kubelet\"; warning: source: read from source.component alone; an API server takes reportingComponent where that is empty",
    );
}
