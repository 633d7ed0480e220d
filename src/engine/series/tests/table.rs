//! The table against a plain map, over several pages, while readers hold older ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::snapshot::{Attributes, MetricTable};

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::Integer),
        any::<u64>().prop_map(|n| Number::Double(f64::from_bits(n)))
    ]
}

fn attributes(slot: u32) -> Arc<Attributes> {
    Arc::new(Attributes::new([("slot".into(), slot.to_string().into())]))
}

fn check(table: &MetricTable, model: &BTreeMap<u32, Number>) {
    let rows: BTreeMap<u32, Number> = table.iter().map(|series| (series.slot, series.number)).collect();
    assert_eq!(&rows, model);
    assert_eq!((table.len(), table.is_empty()), (model.len(), model.is_empty()));
    for series in table.iter() {
        assert_eq!(series.attributes, &attributes(series.slot));
    }
    let sorted: Vec<String> =
        table.sorted().iter().map(|series| series.attributes.get("slot").unwrap().into()).collect();
    assert!(sorted.is_sorted());
}

proptest! {
    #[test]
    fn a_table_holds_what_was_put_there(steps in prop::collection::vec((0..200_u32, 0..3_u8, number()), 0..300)) {
        let mut table = MetricTable::new(Arc::default(), MetricShape::CountOfObjects);
        let mut model = BTreeMap::new();
        let mut held = Vec::new();
        for (step, (slot, action, number)) in steps.into_iter().enumerate() {
            match (model.contains_key(&slot), action) {
                (false, _) => table.insert(slot, attributes(slot), number),
                (true, 0) => prop_assert_eq!(table.remove(slot), Some(attributes(slot))),
                (true, 1) => prop_assert!(!table.replace(slot, model[&slot])),
                (true, _) => prop_assert_eq!(table.replace(slot, number), model[&slot] != number),
            }
            match (model.contains_key(&slot), action) {
                (true, 0) => drop(model.remove(&slot)),
                (true, 1) => {}
                _ => drop(model.insert(slot, number)),
            }
            if step % 50 == 0 {
                held.push((table.clone(), model.clone()));
            }
        }
        check(&table, &model);
        for (table, model) in held {
            check(&table, &model);
        }
        for slot in model.into_keys() {
            table.remove(slot);
        }
        prop_assert!(table.is_empty() && table.iter().next().is_none());
        prop_assert_eq!(table.remove(7), None);
    }
}
