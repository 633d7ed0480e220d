//! The attributes of a series as they leave the process.
//!
//! In: a metric's names, a series' own attributes. Out: pairs sorted by name, each name once. Must never know: a format.

use std::collections::BTreeMap;
use std::iter::from_fn;
use std::sync::Arc;

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::Attributes;

/// The attributes that tell two metrics of one name apart: the namespace and the name of the declaring object.
pub(super) const TELLING_APART: [&str; 2] = ["celemetry.metric.name", "celemetry.metric.namespace"];

/// The values of [`TELLING_APART`].
pub(super) fn apart(info: &MetricInfo) -> [(&str, &str); 2] {
    let [name, namespace] = TELLING_APART;
    [(name, info.object.as_str()), (namespace, info.namespace.as_str())]
}

/// The metric's attributes and the series' own, which come first where both have a name.
pub(super) fn merged<'a>(
    info: &'a MetricInfo,
    own: &'a Attributes,
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let mut base = info.base_attributes.iter().map(|(name, text)| (&**name, &**text)).peekable();
    let mut own = own.iter().peekable();
    from_fn(move || match (base.peek(), own.peek()) {
        (Some((of_all, _)), Some((of_this, _))) if of_all < of_this => base.next(),
        (Some((of_all, _)), Some((of_this, _))) => {
            if of_all == of_this {
                base.next();
            }
            own.next()
        }
        (Some(_), None) => base.next(),
        (None, _) => own.next(),
    })
}

/// As [`merged`]; with `is_apart` those that tell metrics apart take the place of others of their names.
pub(super) fn told_apart<'a>(
    info: &'a MetricInfo,
    own: &'a Attributes,
    is_apart: bool,
) -> Vec<(&'a str, &'a str)> {
    if !is_apart {
        return merged(info, own).collect();
    }
    let mut pairs: BTreeMap<_, _> = merged(info, own).collect();
    pairs.extend(apart(info));
    pairs.into_iter().collect()
}

/// As [`told_apart`], to be kept. Shared with the table where nothing is added.
pub(super) fn shared(info: &MetricInfo, own: &Arc<Attributes>, is_apart: bool) -> Arc<Attributes> {
    if info.base_attributes.is_empty() && !is_apart {
        return Arc::clone(own);
    }
    let pairs = told_apart(info, own, is_apart);
    Arc::new(Attributes::new(pairs.into_iter().map(|(name, text)| (Arc::from(name), Box::from(text)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(pairs: &[(&str, &str)]) -> Arc<Attributes> {
        Arc::new(Attributes::new(pairs.iter().map(|(name, text)| (Arc::from(*name), Box::from(*text)))))
    }

    fn info(base: &[(&str, &str)]) -> MetricInfo {
        let base_attributes =
            base.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let (object, namespace) = ("pods".to_owned(), "team".to_owned());
        MetricInfo { object, namespace, base_attributes, ..MetricInfo::default() }
    }

    #[test]
    fn a_series_own_attributes_come_before_those_of_its_metric() {
        for (base, own, expected) in [
            (&[][..], &[][..], &[][..]),
            (&[("a", "1")], &[], &[("a", "1")]),
            (&[], &[("a", "1")], &[("a", "1")]),
            (&[("a", "1"), ("c", "1")], &[("b", "2"), ("c", "2")], &[("a", "1"), ("b", "2"), ("c", "2")]),
            (&[("b", "1")], &[("a", "2"), ("b", "2"), ("c", "2")], &[("a", "2"), ("b", "2"), ("c", "2")]),
            (&[("y", "1"), ("z", "1")], &[("a", "2")], &[("a", "2"), ("y", "1"), ("z", "1")]),
        ] {
            let (info, own) = (info(base), attributes(own));
            assert_eq!(merged(&info, &own).collect::<Vec<_>>(), expected);
            assert_eq!(shared(&info, &own, false).iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn what_tells_metrics_apart_takes_the_place_of_a_series_own() {
        let own = attributes(&[("celemetry.metric.name", "forged"), ("a", "1"), ("z", "1")]);
        let expected = [
            ("a", "1"),
            ("celemetry.metric.name", "pods"),
            ("celemetry.metric.namespace", "team"),
            ("z", "1"),
        ];
        assert_eq!(told_apart(&info(&[]), &own, true), expected);
        assert_eq!(shared(&info(&[]), &own, true).iter().collect::<Vec<_>>(), expected);
        assert!(Arc::ptr_eq(&shared(&info(&[]), &own, false), &own));
    }
}
