//! The engine alone, in a program of your own: no Kubernetes, no I/O, no clock.
//!
//! Question answered: how many orders are open, by country? Run: `cargo run -p celemetry-engine --example embed`

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use celemetry_engine::change::{Change, Origin};
use celemetry_engine::definition::Definition;
use celemetry_engine::row::{Decoder, Defaults};
use celemetry_engine::{Engine, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in open_orders()? {
        println!("{line}");
    }
    Ok(())
}

/// The series, a line each.
pub fn open_orders() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut engine = Engine::new(Options::default());
    let orders = engine.add_source();
    let open = Definition::count("shop.orders.open")
        .filter("object.state == 'open'")
        .by("country", "object.country");
    engine.register(&open, &[orders]).map_err(|errors| errors[0].clone())?;

    // A list: Begin, what there is, End. The field plan tells the decoder which fields anyone reads.
    let fields = engine.field_plan(orders).ok_or("the source was just added")?;
    let mut decoder = Decoder::new(fields.clone());
    engine.apply(orders, Change::Begin { epoch: fields.epoch() }, &mut |_| {});
    for order in [
        r#"{"metadata": {"uid": "1"}, "state": "open", "country": "FR", "lines": ["never", "read"]}"#,
        r#"{"metadata": {"uid": "2"}, "state": "open", "country": "JP"}"#,
        r#"{"metadata": {"uid": "3"}, "state": "paid", "country": "JP"}"#,
    ] {
        let row = decoder.decode(order.as_bytes(), Defaults::default())?;
        engine.apply(orders, Change::Upsert { row, origin: Origin::List }, &mut |_| {});
    }
    engine.apply(orders, Change::End, &mut |_| {});

    let snapshot = engine.flush_all();
    let mut lines = Vec::new();
    for table in snapshot.metrics.values() {
        for series in table.sorted() {
            let country = series.attributes.get("country").unwrap_or("unknown");
            lines.push(format!("{} in {country}: {}", table.info.name, series.number));
        }
    }
    Ok(lines)
}
