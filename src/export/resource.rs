//! Who sends: the attributes of the resource in OTLP.
//!
//! In: what the process knows of itself and its cluster, and what OpenTelemetry's variables say. Out: attributes, sorted
//! by name. Must never know: the environment itself.
//!
//! Source: OpenTelemetry, "Resource SDK" and "General SDK configuration": `OTEL_RESOURCE_ATTRIBUTES` is a list of
//! `key=value` in the form of W3C Baggage, values percent-encoded; one that cannot be read is ignored as a whole;
//! `OTEL_SERVICE_NAME` goes before a `service.name` in it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// What the process knows of itself and its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Unlike that of any other instance: the Pod's name, or something random.
    pub instance: String,
    /// What the cluster is called.
    pub cluster: String,
    /// The UID of the namespace `kube-system`, which stands for the cluster's.
    pub cluster_uid: Option<String>,
}

/// What OpenTelemetry's variables say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// `OTEL_SERVICE_NAME`
    pub service_name: Option<String>,
    /// `OTEL_RESOURCE_ATTRIBUTES`
    pub attributes: Option<String>,
}

/// The attributes; what the variables say replaces what the process knows.
pub fn attributes(identity: &Identity, variables: &Variables) -> Vec<(String, String)> {
    let mut attributes = BTreeMap::from([
        ("service.name".to_owned(), "celemetry".to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id".to_owned(), identity.instance.clone()),
        ("k8s.cluster.name".to_owned(), identity.cluster.clone()),
    ]);
    attributes.extend(identity.cluster_uid.iter().map(|uid| ("k8s.cluster.uid".to_owned(), uid.clone())));
    attributes.extend(variables.attributes.as_deref().and_then(parse).unwrap_or_default());
    let name = variables.service_name.iter().filter(|name| !name.is_empty());
    attributes.extend(name.map(|name| ("service.name".to_owned(), name.clone())));
    attributes.into_iter().collect()
}

fn parse(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let decode = |text: &str| Some(percent_decode_str(text.trim()).decode_utf8().ok()?.into_owned());
            Some((decode(key)?, decode(value)?)).filter(|(key, _)| !key.is_empty())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, expected: &[(&str, &str)]) {
        let identity = Identity { instance: "pod-1".into(), cluster: "prod".into(), cluster_uid: None };
        let variables = Variables { service_name: Some(name.into()), attributes: Some(text.into()) };
        let attributes: BTreeMap<_, _> = attributes(&identity, &variables).into_iter().collect();
        for (key, value) in expected {
            assert_eq!(attributes.get(*key).map(String::as_str), Some(*value), "{key} of {text}");
        }
    }

    #[test]
    fn the_process_says_what_it_is() {
        check(
            "",
            "",
            &[("service.name", "celemetry"), ("k8s.cluster.name", "prod"), ("service.instance.id", "pod-1")],
        );
    }

    #[test]
    fn variables_say_it_better() {
        check("a", "service.name=b,team=x%2Cy", &[("service.name", "a"), ("team", "x,y")]);
        check(
            "",
            " service.name = b , k8s.cluster.name=c",
            &[("service.name", "b"), ("k8s.cluster.name", "c")],
        );
    }

    #[test]
    fn variables_that_cannot_be_read_are_ignored_as_a_whole() {
        check("", "service.name=b,nonsense", &[("service.name", "celemetry")]);
        check("", "service.name=b,=c", &[("service.name", "celemetry")]);
        check("", "service.name=%ff", &[("service.name", "celemetry")]);
    }
}
