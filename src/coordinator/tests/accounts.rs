//! What metrics cost, told from time to time.

use super::*;
use crate::telemetry::Telemetry;

fn reading(telemetry: &Telemetry, name: &str) -> Vec<u64> {
    telemetry.readings_of(name, 0, 0).iter().map(|reading| reading.value).collect()
}

#[tokio::test(start_paused = true)]
async fn accounts_follow_a_while_after_what_they_tell_and_go_with_their_metric() {
    let telemetry: Arc<Telemetry> = Arc::default();
    let settings = Settings { telemetry: Arc::clone(&telemetry), ..settings() };
    let (coordinator, handle) = MetricUpdateCoordinator::new(settings);
    tokio::spawn(coordinator.run());
    let source = handle.add_source().await.unwrap();
    let metric = handle.register(count("pods", &[source])).await.unwrap().unwrap();
    begin(&handle, source).await;
    send(&handle, source, pod(&handle, source, "a").await).await;
    send(&handle, source, Change::End).await;
    handle.settle().await.unwrap();
    sleep(6 * SECOND).await;
    assert_eq!(reading(&telemetry, "celemetry_metric_events_total"), [1]);
    assert_eq!(reading(&telemetry, "celemetry_metric_evaluations_total"), [1]);
    assert_eq!(reading(&telemetry, "celemetry_metric_series"), [1]);
    assert!(reading(&telemetry, "celemetry_metric_bytes")[0] > 0);
    for name in ["b", "c"] {
        send(&handle, source, pod(&handle, source, name).await).await;
    }
    handle.mend(source, celemetry_engine::audit::Verdict::Differs(vec![metric])).await.unwrap();
    sleep(6 * SECOND).await;
    assert_eq!(reading(&telemetry, "celemetry_metric_events_total"), [3]);
    assert_eq!(reading(&telemetry, "celemetry_metric_mismatches_total"), [1]);
    handle.remove(metric).await.unwrap();
    sleep(6 * SECOND).await;
    assert_eq!(reading(&telemetry, "celemetry_metric_events_total"), [0_u64; 0]);
}
