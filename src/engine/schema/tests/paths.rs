//! Findings in JSONPaths of both dialects, as tables of one-line cases.

use super::table::check;
use crate::definition::Language;

const KUBECTL: &[(&str, &[&str])] = &[
    ("status.phas", &["at:1:8: status has no field 'phas' (did you mean 'phase'?)"]),
    ("{.status.phas}", &["at:1:10: status has no field 'phas' (did you mean 'phase'?)"]),
    ("metadata.labels.app\\.kubernetes\\.io/name", &[]),
    (
        "metadata.label.app\\.kubernetes\\.io/name",
        &["at:1:10: metadata has no field 'label' (did you mean 'labels'?)"],
    ),
    (
        "spec.containers.name",
        &["at:1:17: spec.containers is a list and has no field 'name'; its elements have one"],
    ),
    ("spec.containers[*].imag", &["at:1:20: spec.containers[*] has no field 'imag' (did you mean 'image'?)"]),
    (
        "spec.containers[?(@.nam==\"a\")].image",
        &["at:1:21: spec.containers[*] has no field 'nam' (did you mean 'name'?)"],
    ),
    (
        "spec.containers[?(@.name==1)].imag",
        &[
            "at:1:21: spec.containers[*].name is a string, which cannot be compared with an integer",
            "at:1:31: spec.containers[*] has no field 'imag' (did you mean 'image'?)",
        ],
    ),
    ("metadata.labels[0]", &["at:1:10: metadata.labels is a map and has no elements"]),
    ("spec.replicas[*]", &["at:1:6: spec.replicas is an integer and has no elements"]),
    ("metadata.labels[*]", &["at:1:10: metadata.labels is a map and has no elements"]),
    ("metadata.labels.*", &[]),
    ("spec[0].replicas", &["at:1:1: spec is a map and has no elements"]),
    ("spec.containers[0][0]", &["at:1:6: spec.containers[*] is a map and has no elements"]),
    ("spec.containers[*].limits[*]", &["at:1:20: spec.containers[*].limits is a map and has no elements"]),
    ("spec.containers[*].limits.cpu", &[]),
    ("spec.containers[?(@.limits.cpu)].name", &[]),
    (
        "spec.containers[?(@.limit.cpu)].name",
        &["at:1:21: spec.containers[*] has no field 'limit' (did you mean 'limits'?)"],
    ),
    ("spec[?(@.name)].name", &["at:1:1: spec is a map and has no elements"]),
    ("spec.free[0][*].x[?(@.y)].z", &[]),
    (
        "spec.containers['name','imag']",
        &[
            "at:1:18: spec.containers is a list and has no field 'name'; its elements have one",
            "at:1:25: spec.containers is a list and has no field 'imag'",
        ],
    ),
    (
        "spec.containers[*]['name','imag']",
        &["at:1:28: spec.containers[*] has no field 'imag' (did you mean 'image'?)"],
    ),
    ("..containerPort", &[]),
    ("..anything", &[]),
    ("status..phase", &[]),
    ("status..phas", &["at:1:9: there is no field 'phas' in status or below (did you mean 'phase'?)"]),
    (
        "status..conditions..typ",
        &["at:1:21: there is no field 'typ' in status..conditions or below (did you mean 'type'?)"],
    ),
    ("spec.containers..limits..cpu", &[]),
    ("status..[0]", &["at:1:1: status is a map and has no elements"]),
    ("status..[?(@.type==\"a\")]", &["at:1:1: status is a map and has no elements"]),
    ("status.conditions..[0]", &[]),
    ("metadata..[*]", &["at:1:1: metadata is a map and has no elements"]),
    ("spec.*.image", &[]),
    (
        "spec.containers[?(@.ports==1)]",
        &["at:1:21: spec.containers[*].ports is a list, which cannot be compared with an integer"],
    ),
    (
        "spec.containers[?(@.ports[0].containerPort==1.5)]",
        &[
            "at:1:30: spec.containers[*].ports[*].containerPort is an integer, which cannot be compared with a double",
        ],
    ),
    ("spec.containers[?(@.ports[0].containerPort>1)]", &[]),
    (
        "status.conditions[?(@.status==true)]",
        &["at:1:23: status.conditions[*].status is a string, which cannot be compared with a bool"],
    ),
    ("..", &[]),
    (".", &[]),
    ("spec['replicas','weight']", &[]),
    ("spec['replica','weight']", &["at:1:7: spec has no field 'replica' (did you mean 'replicas'?)"]),
    ("spec.*", &[]),
];

const RFC9535: &[(&str, &[&str])] = &[
    ("$.status.phas", &["at:1:10: status has no field 'phas' (did you mean 'phase'?)"]),
    ("$['status']['phas']", &["at:1:14: status has no field 'phas' (did you mean 'phase'?)"]),
    (
        "$.spec.containers[?@.nam == 'a'].imag",
        &[
            "at:1:22: spec.containers[*] has no field 'nam' (did you mean 'name'?)",
            "at:1:34: spec.containers[*] has no field 'imag' (did you mean 'image'?)",
        ],
    ),
    (
        "$.spec.containers[?@.name > 1]",
        &["at:1:22: spec.containers[*].name is a string, which has no order with an integer"],
    ),
    (
        "$.spec.containers[?match(@.ports, 'a')]",
        &["at:1:28: only a string matches a pattern, and spec.containers[*].ports is a list"],
    ),
    (
        "$.spec.containers[?@.name == $.kin]",
        &["at:1:32: the object has no field 'kin' (did you mean 'kind'?)"],
    ),
    ("$..image", &[]),
    ("$..imag", &[]),
    ("$.spec.containers..name", &[]),
    ("$.spec.containers..nam", &[]),
    ("$.status..typ", &["at:1:11: there is no field 'typ' in status or below (did you mean 'type'?)"]),
    (
        "$.status..['type','statu']",
        &["at:1:20: there is no field 'statu' in status or below (did you mean 'status'?)"],
    ),
    (
        "$.status..*.statu",
        &["at:1:13: there is no field 'statu' in status or below (did you mean 'status'?)"],
    ),
    (
        "$.status..[?@.statu == 'a']",
        &["at:1:15: there is no field 'statu' in status or below (did you mean 'status'?)"],
    ),
    ("$.status..[?@.status == 'a']", &[]),
    ("$.status..[0].typ", &["at:1:15: status..[*] has no field 'typ' (did you mean 'type'?)"]),
    ("$.metadata..[0]", &["at:1:3: there is no list in metadata or below"]),
    ("$.metadata..[*]", &[]),
    ("$.spec[?@.name == 'a']", &[]),
    ("$.metadata.labels[0]", &["at:1:12: metadata.labels is a map and has no elements"]),
    ("$.metadata.labels[1:]", &["at:1:12: metadata.labels is a map and has no elements"]),
    ("$.metadata.labels[*]", &[]),
    ("$.metadata.labels[?@ == 'a']", &[]),
    (
        "$.metadata.labels[?@ == 1]",
        &["at:1:12: metadata.labels.* is a string, which never equals an integer"],
    ),
    ("$.metadata.labels[?@.x]", &["at:1:22: metadata.labels.* is a string and has no fields"]),
    ("$.kind[*]", &["at:1:3: kind is a string and has no elements"]),
    ("$.spec.replicas[?@.x]", &["at:1:8: spec.replicas is an integer and has no elements"]),
    (
        "$.spec.containers[0,1].imag",
        &["at:1:24: spec.containers[*] has no field 'imag' (did you mean 'image'?)"],
    ),
    (
        "$.spec.containers[-1:].imag",
        &["at:1:24: spec.containers[*] has no field 'imag' (did you mean 'image'?)"],
    ),
    ("$['spec','status'].phas", &["at:1:20: spec has no field 'phas'"]),
    ("$['spec','status'].phase", &[]),
    (
        "$.spec.containers[?@.ports[?@.containerPor == 1]]",
        &["at:1:31: spec.containers[*].ports[*] has no field 'containerPor' (did you mean 'containerPort'?)"],
    ),
    (
        "$.spec.containers[?!@.imag]",
        &["at:1:23: spec.containers[*] has no field 'imag' (did you mean 'image'?)"],
    ),
    ("$.spec.containers[?@.name == @.ports]", &[]),
    (
        "$.spec.containers[?@.name < @.ports]",
        &["at:1:31: spec.containers[*].name is a string, which has no order with a list"],
    ),
    ("$.spec[?@ > true]", &[]),
    ("$[?@.paused < true]", &["at:1:6: spec.paused is a bool, which has no order with a bool"]),
    ("$.spec.containers[?length(@.name) > 1]", &[]),
    (
        "$.spec.containers[?length(@.ports[0].containerPort) > 1]",
        &[
            "at:1:38: only a string, a list or a map has a length, and spec.containers[*].ports[*].containerPort is an integer",
        ],
    ),
    ("$.spec.containers[?count(@.*) > 1]", &[]),
    (
        "$.spec.containers[?count(@.imag) > 1]",
        &["at:1:28: spec.containers[*] has no field 'imag' (did you mean 'image'?)"],
    ),
    ("$.spec.*", &[]),
    ("$.metadata.labels['a.b']", &[]),
];

#[test]
fn paths_of_kubectl_are_looked_at_alike() {
    check(Language::Kubectl, KUBECTL);
}

#[test]
fn paths_of_the_rfc_are_looked_at_alike() {
    check(Language::Rfc9535, RFC9535);
}
