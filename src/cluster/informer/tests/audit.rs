//! Looks at objects again: what is asked, and what differences are worth.

use super::*;

fn differs() -> Verdict {
    Verdict::Differs(vec![MetricId(1)])
}

fn bookmark(version: u32) -> String {
    format!("{{\"type\":\"BOOKMARK\",\"object\":{{\"metadata\":{{\"resourceVersion\":\"{version}\"}}}}}}\n")
}

/// An informer that knows the object `a` as of 7, whose watch brings `events`, and that is then shown `looks`.
fn audited(events: &[String], looks: Vec<Answer>, verdicts: &[Verdict]) -> Bench {
    // It goes on saying the last of them, so that it is not silent.
    let last = events.last().cloned().unwrap_or_else(|| bookmark(7));
    let watch = Answer::Slow(events.to_vec(), vec![last; 1_000]);
    let mut answers = vec![list(7, "", &["a"]), watch];
    answers.extend(looks);
    audited_with(answers, verdicts)
}

fn audited_with(answers: Vec<Answer>, verdicts: &[Verdict]) -> Bench {
    // No other request comes between.
    let never = Duration::from_secs(1_000_000);
    let pace = Pace { page_size: 2, rewind_check: never, ..Pace::default() };
    let bench = Bench::open_with(pace, 64, Mode::Watch, answers, 60);
    bench.clerk.verdicts.lock().unwrap().extend(verdicts.iter().cloned());
    bench.run()
}

/// The list that shows the object `a` at each of these versions, and is itself of a later one.
fn looks(versions: &[u32]) -> Vec<Answer> {
    let look = |version: &u32| {
        let item = object("a", *version);
        let metadata = r#""metadata":{"resourceVersion":"60"}"#;
        Answer::Whole(200, format!(r#"{{"kind":"PodList","apiVersion":"v1",{metadata},"items":[{item}]}}"#))
    };
    versions.iter().map(look).collect()
}

#[tokio::test(start_paused = true)]
async fn objects_are_looked_at_again_by_name_and_compared() {
    let bench = audited(&[], looks(&[7, 7]), &[]);
    assert_eq!(bench.notes(4).await, ["a@7", "equal", "a@7", "equal"]);
    let expected = ["list", "watch 7", "one metadata.name=a", "one metadata.name=a"];
    assert_eq!(bench.server.requests()[..4], expected);
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_a_mismatch_once_a_second_look_at_the_same_version_finds_it_too() {
    let bench = audited(&[], looks(&[7, 7]), &[differs(), differs()]);
    assert_eq!(bench.notes(3).await, ["a@7", "a@7", "mismatch Pod/n/a"]);
    let bench = audited(&[], looks(&[7, 7]), &[differs(), Verdict::Equal]);
    assert_eq!(bench.notes(3).await, ["a@7", "a@7", "equal"]);
}

#[tokio::test(start_paused = true)]
async fn a_difference_that_is_found_before_the_watch_has_come_as_far_counts_for_nothing() {
    let begun = Instant::now();
    let bench = audited(&[], looks(&[9, 9, 9]), &[differs(), differs(), Verdict::Equal]);
    assert_eq!(bench.notes(4).await, ["a@9", "a@9", "a@9", "equal"]);
    assert!(begun.elapsed() >= Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_never_comes_is_a_mismatch_after_a_while_and_at_once_where_later_ones_have_come() {
    let begun = Instant::now();
    let bench = audited(&[], looks(&[9, 9, 9]), &[differs(), differs(), differs()]);
    assert_eq!(bench.notes(4).await, ["a@9", "a@9", "a@9", "mismatch Pod/n/a"]);
    assert!(begun.elapsed() >= Duration::from_secs(120), "{:?}", begun.elapsed());
    let begun = Instant::now();
    let bench = audited(&[bookmark(10)], looks(&[9, 9]), &[differs(), differs()]);
    assert_eq!(bench.notes(3).await, ["a@9", "a@9", "mismatch Pod/n/a"]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn while_no_watch_is_open_no_event_is_late() {
    let mut answers = vec![list(7, "", &["a"]), Answer::Lasting(Duration::from_secs(10))];
    answers.extend(looks(&[9]));
    answers.extend((0..12).map(|_| status(503, "ServiceUnavailable")));
    answers.push(Answer::Slow(vec![], vec![bookmark(7); 1_000]));
    answers.extend(looks(&[9]));
    let mut bench = audited_with(answers, &[differs(), Verdict::Equal]);
    bench.phase(|state| matches!(state.phase, Phase::Failed { .. })).await;
    let failed = Instant::now();
    bench.phase(|state| state.phase == Phase::Watching).await;
    assert!(failed.elapsed() >= Duration::from_secs(120), "{:?}", failed.elapsed());
    let reopened = Instant::now();
    assert_eq!(bench.notes(3).await, ["a@9", "a@9", "equal"]);
    assert!(reopened.elapsed() >= Duration::from_secs(115), "{:?}", reopened.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_changes_from_look_to_look_is_left_alone() {
    let all = [differs(), differs(), differs(), differs(), differs()];
    let bench = audited(&[bookmark(50)], looks(&[11, 12, 13, 14, 15]), &all);
    assert_eq!(bench.notes(6).await, ["a@11", "a@12", "a@13", "a@14", "a@15", "Moving"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_without_a_version_is_never_a_mismatch() {
    let item = r#"{"metadata":{"name":"a","namespace":"n","uid":"a"}}"#;
    let metadata = r#""metadata":{"resourceVersion":"60"}"#;
    let text = format!(r#"{{"kind":"PodList","apiVersion":"v1",{metadata},"items":[{item}]}}"#);
    let looks = (0..5).map(|_| Answer::Whole(200, text.clone())).collect();
    let all = [differs(), differs(), differs(), differs(), differs()];
    let bench = audited(&[bookmark(50)], looks, &all);
    assert_eq!(bench.notes(6).await[5], "Moving");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_compared_with_nothing() {
    let nothing = || list(10, "", &[]);
    let bench = audited(&[bookmark(10)], vec![nothing(), nothing()], &[differs(), differs()]);
    assert_eq!(bench.notes(3).await, ["gone", "gone", "mismatch Pod/n/a"]);
    let told = event("DELETED", "a", 9);
    let bench = audited(&[told], vec![], &[]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.notes(0).await, [""; 0], "nothing is left to look at");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_a_mismatch_however_much_happens_to_others() {
    // The watch is never as far as the list that shows that nothing is there.
    let mut answers = vec![list(7, "", &["a"]), Answer::Slow(vec![], (10..200).map(bookmark).collect())];
    answers.extend((1..10).map(|look| list(100 * look, "", &[])));
    let bench = audited_with(answers, &[differs(), differs(), differs(), differs(), differs()]);
    assert_eq!(bench.notes(4).await, ["gone", "gone", "gone", "mismatch Pod/n/a"]);
}

#[tokio::test(start_paused = true)]
async fn what_an_api_server_refuses_or_does_not_understand_is_no_verdict() {
    let bench =
        audited(&[], vec![status(403, "Forbidden"), list(7, "", &["a", "b"]), list(7, "", &["b"])], &[]);
    assert_eq!(bench.notes(3).await, ["Refused", "Refused", "Refused"]);
    let deep = "[".repeat(200) + &"]".repeat(200);
    let item = format!(r#"{{"metadata":{{"uid":"a","name":"a","namespace":"n"}},"x":{deep}}}"#);
    let broken = format!(
        r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"9"}},"items":[{item}]}}"#
    );
    let bench = audited(&[], vec![Answer::Whole(200, broken)], &[]);
    assert_eq!(bench.notes(1).await, ["Undecodable"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_begins_ends_a_look_that_is_in_doubt() {
    let mut bench = audited(&[], vec![], &[differs()]);
    {
        let mut script = bench.server.0.lock().unwrap();
        script.answers.extend([list(9, "", &["a"]), list(9, "", &["a"])]);
    }
    bench.expect(&["begin 1", "+a@7", "end"]).await;
    assert_eq!(bench.notes(1).await, ["a@9"]);
    bench.plans.send_replace(plan(2));
    bench.expect(&["begin 2", "+a@9", "end"]).await;
    assert_eq!(bench.notes(2).await[1], "Unsettled");
}

#[tokio::test(start_paused = true)]
async fn a_history_that_went_back_is_noticed_by_a_look_too() {
    let mut bench =
        audited(&[bookmark(50)], vec![list(8, "", &["a"]), list(8, "", &["b"]), Answer::Open(vec![])], &[]);
    bench.expect(&["begin 1", "+a@7", "end", "begin 1", "+b@8", "end"]).await;
}

#[tokio::test(start_paused = true)]
async fn looks_are_shared_among_sources_and_none_is_made_where_none_is_wanted() {
    let turns = Arc::new(Turns::new(6));
    let turn = || Turn { turns: Arc::clone(&turns), taken: false };
    let (mut one, mut other) = (turn(), turn());
    let seconds = |turn: &mut Turn| turn.next().unwrap().duration_since(Instant::now()).as_secs();
    assert!((5..=15).contains(&seconds(&mut one)));
    assert!((10..=30).contains(&seconds(&mut other)));
    assert!((10..=30).contains(&seconds(&mut one)));
    other.give_up();
    assert!((5..=15).contains(&seconds(&mut one)), "what has no objects takes no turns");
    assert!((10..=30).contains(&seconds(&mut other)), "until it has some");
    drop(other);
    assert!((5..=15).contains(&seconds(&mut one)));
    let none = Arc::new(Turns::new(0));
    assert_eq!(Turn { turns: none, taken: false }.next(), None);
}
