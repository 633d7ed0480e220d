//! Objects that are looked at again: compared after what was sent before, and what is wrong is evaluated anew.

use celemetry_engine::audit::{Seen, Verdict};

use super::*;

async fn audit(handle: &Handle, source: SourceId, name: &str) -> Verdict {
    let seen = Seen::There(row(handle, source, name).await);
    handle.audit(source, seen).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_object_is_compared_once_what_was_sent_before_has_been_applied() {
    let (handle, source, metric) = listed().await;
    let changes = handle.changes();
    for n in 0..500 {
        changes.send((source, pod(&handle, source, &format!("p{n}")).await)).await.unwrap();
    }
    assert_eq!(audit(&handle, source, "p499").await, Verdict::Equal);
    assert_eq!(audit(&handle, source, "missed").await, Verdict::Differs(vec![metric]));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_named_and_its_source_evaluated_anew_at_once_and_then_rarely() {
    let (handle, source, metric) = listed().await;
    let mut plans = handle.plans(source).await.unwrap().unwrap();
    let differs = || Verdict::Differs(vec![metric, MetricId(99)]);
    let before = plans.borrow_and_update().epoch();
    let names = handle.mend(source, differs()).await.unwrap();
    assert_eq!(names, [""], "the source of the test's metric, and nobody's");
    timeout(SECOND, plans.changed()).await.unwrap().unwrap();
    assert!(plans.borrow_and_update().epoch() > before);
    // Objects that are as they were are evaluated, too.
    begin(&handle, source).await;
    send(&handle, source, pod(&handle, source, "missed").await).await;
    send(&handle, source, Change::End).await;
    assert_eq!(audit(&handle, source, "missed").await, Verdict::Equal);
    handle.mend(source, differs()).await.unwrap();
    let asked = Instant::now();
    plans.changed().await.unwrap();
    assert!(asked.elapsed() > Duration::from_secs(590), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_is_not_evaluated_anew() {
    let (handle, source, metric) = listed().await;
    handle.remove_source(source).await.unwrap();
    assert_eq!(handle.mend(source, Verdict::Differs(vec![metric])).await.unwrap(), [""]);
    assert_eq!(handle.mend(source, Verdict::Equal).await.unwrap(), [""; 0]);
}
