//! Lines as they are written, through the whole of `tracing`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tracing::subscriber::with_default;

use super::*;

/// Bytes that a test can look at.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines that `logging` leads to.
fn lines(settings: &Settings, logging: impl FnOnce()) -> Vec<String> {
    let paper = Paper::default();
    let subscriber = Registry::default().with(layer(settings, paper.clone()).unwrap());
    with_default(subscriber, logging);
    let bytes = paper.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// The one JSON line that `logging` leads to, without its time.
fn json_line(logging: impl FnOnce()) -> Json {
    let lines = lines(&Settings::default(), logging);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let mut line: Json = serde_json::from_str(&lines[0]).unwrap();
    let time = line.as_object_mut().unwrap().remove("time").unwrap();
    let time = time.as_str().unwrap();
    assert!(time.len() == 27 && time.ends_with('Z') && &time[10..11] == "T", "{time}");
    line
}

#[test]
fn a_line_is_a_json_object_with_the_fields_of_the_event_and_its_spans() {
    let line = json_line(|| {
        let outer = tracing::info_span!("reconcile", metric = "shop/pods", generation = 3);
        let _outer = outer.enter();
        let inner =
            tracing::info_span!("list", generation = 4, pages = tracing::field::Empty, otel.kind = "client");
        let _inner = inner.enter();
        inner.record("pages", 2);
        tracing::info!(target: "celemetry::cluster", ok = true, ratio = 0.5, level = "high", "listed");
    });
    let expected = json!({
        "level": "info",
        "target": "celemetry::cluster",
        "message": "listed",
        "ok": true,
        "ratio": 0.5,
        "field.level": "high",
        "generation": 4,
        "pages": 2,
        "metric": "shop/pods",
    });
    assert_eq!(line, expected);
}

#[test]
fn a_stranger_s_text_stays_within_its_value() {
    let text = "a\"b\\c\nd\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}e";
    let written = lines(&Settings::default(), || tracing::info!(target: "celemetry", text, "x"));
    assert_eq!(written.len(), 1);
    assert!(written[0].is_ascii() && !written[0].contains('\u{1b}'), "{written:?}");
    assert_eq!(serde_json::from_str::<Json>(&written[0]).unwrap()["text"], text);
    let settings = Settings { format: Format::Text, ..Settings::default() };
    let written = lines(&settings, || tracing::info!(target: "celemetry", text, "{text}"));
    assert_eq!(written.len(), 1);
    let escaped = r#"a\"b\\c\nd\u001b[31m\u007f\u0085\u2028\u202ee"#;
    assert!(written[0].ends_with(&format!(" INFO  celemetry: {escaped} text=\"{escaped}\"")), "{written:?}");
}

#[test]
fn values_are_cut() {
    let long = "ä".repeat(1_000);
    let line = json_line(|| tracing::info!(target: "celemetry", long, debug = ?long, "{long}"));
    let cut = format!("{}…", "ä".repeat(128));
    assert_eq!((&line["long"], &line["message"]), (&json!(cut), &json!(cut)));
    assert!(line["debug"].as_str().unwrap().len() < 300);
}

#[test]
fn what_quotes_answers_is_never_shown() {
    let settings = Settings { directives: Some("trace".to_owned()), ..Settings::default() };
    let written = lines(&settings, || {
        tracing::warn!(target: "kube_client::client", "s3cret");
        tracing::trace!(target: "kube_client::client", "s3cret");
        tracing::trace!(target: "kube_client::client::builder", "requesting");
    });
    assert_eq!(written.len(), 1);
    assert!(written[0].contains("requesting"));
}

#[test]
fn levels_and_directives_choose_what_is_shown() {
    let log = || {
        tracing::debug!(target: "celemetry::cluster", "1");
        tracing::info!(target: "celemetry::cluster", "2");
        tracing::info!(target: "kube_runtime::watcher", "3");
        tracing::warn!(target: "kube_runtime::watcher", "4");
        tracing::error!(target: "celemetry", "5");
    };
    let shown = |level, directives: Option<&str>| -> String {
        let directives = directives.map(str::to_owned);
        let settings = Settings { level, directives, ..Settings::default() };
        let messages = lines(&settings, log)
            .into_iter()
            .map(|line| serde_json::from_str::<Json>(&line).unwrap()["message"].as_str().unwrap().to_owned());
        messages.collect()
    };
    assert_eq!(shown(Level::Info, None), "245");
    assert_eq!(shown(Level::Debug, None), "1245");
    assert_eq!(shown(Level::Error, None), "45");
    assert_eq!(shown(Level::Info, Some("error")), "5");
    assert_eq!(shown(Level::Info, Some("off,celemetry=debug")), "125");
    let settings = Settings { directives: Some("celemetry=loud".to_owned()), ..Settings::default() };
    let error = filter(&settings).unwrap_err().to_string();
    assert!(error.starts_with("RUST_LOG: "), "{error}");
}

#[test]
fn times_are_written_as_zap_does() {
    for (time, least) in
        [(TimeEncoding::Epoch, 1e9), (TimeEncoding::Millis, 1e12), (TimeEncoding::Nanos, 1e18)]
    {
        let settings = Settings { time, ..Settings::default() };
        let written = lines(&settings, || tracing::info!(target: "celemetry", "x"));
        let line: Json = serde_json::from_str(&written[0]).unwrap();
        let number = line["time"].as_f64().unwrap();
        assert!(number > least && number < least * 100.0, "{time:?}: {number}");
    }
}

#[test]
fn a_flood_is_cut_and_counted() {
    let before = left_out();
    let written = lines(&Settings::default(), || {
        for _ in 0..1_000 {
            tracing::info!(target: "celemetry", "flood");
        }
        tracing::info!(target: "celemetry", "another message");
    });
    assert_eq!(written.len(), 61);
    assert!(left_out() >= before + 940);
}

#[test]
fn after_a_minute_a_message_is_said_again_with_how_often_it_was_not() {
    let metadata = Paper::default();
    let mut floods = Floods::default();
    let message = {
        let subscriber = Registry::default().with(layer(&Settings::default(), metadata).unwrap());
        with_default(subscriber, || {
            tracing::info_span!(target: "celemetry", "any").metadata().unwrap().callsite()
        })
    };
    let start = Instant::now();
    let passed: Vec<_> = (0..100).filter_map(|_| floods.pass(message.clone(), start)).collect();
    assert_eq!(passed, [0; 60]);
    assert_eq!(floods.pass(message.clone(), start + Duration::from_secs(59)), None);
    assert_eq!(floods.pass(message.clone(), start + Duration::from_secs(60)), Some(41));
    assert_eq!(floods.pass(message, start + Duration::from_secs(60)), Some(0));
}
