//! Pages of hostile names and texts: what is read back from a page, by a reader that takes the formats at their word, is
//! what was put in: families, texts, labels and numbers, each series once.
//!
//! Input: choices of metrics, series and texts.

#![no_main]

#[path = "../../../tests/operator/expected.rs"]
mod expected;
mod metrics;
mod reader;

use celemetry::export::profile::Profile;
use celemetry::export::prometheus::{Format, render};
use celemetry_engine::snapshot::{Number, Snapshot};
use libfuzzer_sys::fuzz_target;

use expected::{Expected, expected};
use reader::Family;

fuzz_target!(|input: metrics::Metrics| {
    let snapshot = input.snapshot();
    let expected = expected(&snapshot);
    for format in [Format::Text, Format::OpenMetrics] {
        check(&snapshot, &expected, format);
    }
    for profile in [Profile::UpstreamV1, Profile::UpstreamV1_2] {
        let mut page = String::new();
        let rendered = render(&snapshot, Format::OpenMetrics, profile, &mut page);
        let read = reader::read(&page, true).unwrap_or_else(|error| panic!("{error}\n{page}"));
        let samples: usize = read.iter().map(|family| family.samples.len()).sum();
        assert_eq!(samples, rendered.series, "{page}");
    }
});

fn check(snapshot: &Snapshot, expected: &[Expected], format: Format) {
    let mut page = String::new();
    let rendered = render(snapshot, format, Profile::Native, &mut page);
    let is_open = format == Format::OpenMetrics;
    let read = reader::read(&page, is_open).unwrap_or_else(|error| panic!("{error}\n{page}"));
    assert_eq!(read.len(), expected.len(), "families of\n{page}");
    for (family, expected) in read.iter().zip(expected) {
        assert_eq!((&family.name, &family.help), (&expected.name.name, &expected.help), "{page}");
        assert_eq!(family.unit, if is_open { expected.name.unit.as_str() } else { "" }, "{page}");
        check_samples(family, expected, is_open, &page);
    }
    assert_eq!(rendered.series, read.iter().map(|family| family.samples.len()).sum::<usize>());
}

fn check_samples(family: &Family, expected: &Expected, is_open: bool, page: &str) {
    assert_eq!(family.samples.len(), expected.samples.len(), "samples of {}\n{page}", family.name);
    for (labels, number) in &expected.samples {
        let text = family.samples.get(labels).unwrap_or_else(|| panic!("{labels:?} is not on\n{page}"));
        let same = match number {
            Number::Integer(number) => text.parse() == Ok(*number),
            // OpenMetrics tells integers and floats apart.
            Number::Double(number) => {
                let is_float = !is_open || text.contains(['.', 'e', 'N', 'I']);
                is_float && text.parse().is_ok_and(|read: f64| same(read, *number))
            }
        };
        assert!(same, "{labels:?} is {text}, not {number}\n{page}");
    }
}

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits()
}
