//! The rules one by one; and many candidates in a world where everything is late, lost or dead, of which never two lead.

use proptest::prelude::*;

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn held_by(holder: &str, renewal: u64) -> Option<Record> {
    Some(Record { holder: holder.to_owned(), duration: seconds(15), renewal: renewal.to_string() })
}

fn candidate(now: Instant) -> Candidate {
    Candidate::new("me".to_owned(), Terms::default(), now)
}

#[test]
fn a_lease_that_is_not_there_or_nobody_s_is_claimed_at_once() {
    let start = Instant::now();
    for record in [None, held_by("", 0)] {
        let mut me = candidate(start);
        assert_eq!(me.step(start), Step::Read);
        me.read(record, start);
        assert_eq!(me.step(start), Step::Claim);
        assert!(!me.leads(start));
    }
}

#[test]
fn a_holder_leads_from_sending_to_the_renew_deadline() {
    let start = Instant::now();
    let mut me = candidate(start);
    me.read(None, start);
    me.claimed(held_by("me", 1).unwrap(), start, start + seconds(3));
    assert!(me.leads(start + seconds(9)));
    assert!(!me.leads(start + seconds(10)));
    assert_eq!(me.step(start + seconds(1)), Step::Wait(start + seconds(2)));
    assert_eq!(me.step(start + seconds(2)), Step::Claim, "renewed every retry period");
}

#[test]
fn another_s_lease_is_taken_over_once_no_renewal_was_seen_for_its_duration() {
    let start = Instant::now();
    let mut me = candidate(start);
    me.read(held_by("other", 1), start);
    assert_eq!(me.step(start), Step::Wait(start + seconds(2)));
    assert_eq!(me.step(start + seconds(2)), Step::Read);
    me.read(held_by("other", 2), start + seconds(14));
    me.read(held_by("other", 2), start + seconds(28));
    assert_eq!(me.step(start + seconds(28)), Step::Wait(start + seconds(29)));
    assert_eq!(me.step(start + seconds(29)), Step::Claim);
}

#[test]
fn after_a_failure_the_lease_is_read_first_and_no_faster_than_the_retry_period() {
    let start = Instant::now();
    let mut me = candidate(start);
    me.read(held_by("other", 1), start);
    let late = start + seconds(20);
    assert_eq!(me.step(late), Step::Claim);
    me.failed(late);
    assert_eq!(me.step(late), Step::Wait(late + seconds(2)));
    assert_eq!(me.step(late + seconds(2)), Step::Read);
    me.read(held_by("me", 2), late + seconds(2));
    assert_eq!(me.step(late + seconds(2)), Step::Claim, "the claim had arrived; its answer had not");
    assert!(!me.leads(late + seconds(2)));
}

#[test]
fn a_refused_claim_is_followed_by_a_look() {
    let start = Instant::now();
    let mut me = candidate(start);
    me.read(None, start);
    me.outdated(start);
    assert_eq!(me.step(start), Step::Read);
    me.read(held_by("other", 1), start);
    assert_eq!(me.step(start), Step::Wait(start + seconds(2)));
}

#[test]
fn a_lease_that_somebody_else_took_ends_the_lead() {
    let start = Instant::now();
    let mut me = candidate(start);
    me.read(None, start);
    me.claimed(held_by("me", 1).unwrap(), start, start);
    assert!(me.leads(start));
    me.read(held_by("other", 2), start);
    assert!(!me.leads(start));
}

#[test]
fn a_change_is_looked_at_at_once_by_who_does_not_lead() {
    let start = Instant::now();
    let mut me = candidate(start);
    me.read(held_by("other", 1), start);
    me.nudge(start + seconds(1));
    assert_eq!(me.step(start + seconds(1)), Step::Read);
    me.read(held_by("", 2), start + seconds(1));
    assert_eq!(me.step(start + seconds(1)), Step::Claim);
    me.claimed(held_by("me", 3).unwrap(), start + seconds(1), start + seconds(1));
    me.nudge(start + seconds(1));
    assert_eq!(me.step(start + seconds(1)), Step::Wait(start + seconds(3)), "it was its own change");
}

#[test]
fn terms_that_are_not_safe_are_refused() {
    let terms = |duration, renew_deadline, retry_period| Terms { duration, renew_deadline, retry_period };
    assert_eq!(Terms::default().check(), Ok(()));
    for (terms, flag) in [
        (terms(seconds(10), seconds(10), seconds(2)), "--leader-elect-lease-duration"),
        (terms(Duration::from_millis(15_500), seconds(10), seconds(2)), "--leader-elect-lease-duration"),
        (terms(seconds(15), seconds(10), seconds(9)), "--leader-elect-renew-deadline"),
        (terms(seconds(15), seconds(10), seconds(0)), "--leader-elect-renew-deadline"),
    ] {
        let error = terms.check().unwrap_err();
        assert!(error.starts_with(flag), "{terms:?}: {error}");
    }
}

/// One process among several, with its own clock.
struct Process {
    candidate: Candidate,
    /// Its clock's speed in thousandths.
    speed: u64,
    asking: Option<Request>,
    /// Stands still until then.
    frozen_until: u64,
}

/// A request under way. Times are the world's, in milliseconds.
struct Request {
    claims: bool,
    /// The version that the claim is conditional on.
    version: u64,
    /// When it was sent, on the sender's clock.
    sent: Instant,
    arrives: u64,
    /// When the answer is there; `None`: never, and the sender gives up.
    answered: Option<u64>,
    given_up: u64,
    answer: Option<Answer>,
}

enum Answer {
    Record(Option<Record>),
    Claimed(Record),
    Refused,
}

/// The API server's side: the record, and its version.
#[derive(Default)]
struct Store {
    record: Option<Record>,
    version: u64,
}

struct World {
    start: Instant,
    now: u64,
    random: u64,
    store: Store,
    processes: Vec<Process>,
    /// What each process knows the version to be.
    versions: Vec<u64>,
    born: u64,
    calm: bool,
}

impl World {
    fn new(seed: u64, processes: usize) -> Self {
        let mut world = World {
            start: Instant::now(),
            now: 0,
            random: seed | 1,
            store: Store::default(),
            processes: vec![],
            versions: vec![0; processes],
            born: 0,
            calm: false,
        };
        for _ in 0..processes {
            let process = world.birth();
            world.processes.push(process);
        }
        world
    }

    /// Below `n`.
    fn draw(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % n
    }

    fn birth(&mut self) -> Process {
        self.born += 1;
        let speed = 900 + self.draw(201);
        let now = self.start + Duration::from_micros(self.now * speed);
        let candidate = Candidate::new(format!("p{}", self.born), Terms::default(), now);
        Process { candidate, speed, asking: None, frozen_until: 0 }
    }

    fn clock(&self, process: usize) -> Instant {
        self.start + Duration::from_micros(self.now * self.processes[process].speed)
    }

    fn tick(&mut self) {
        self.now += 50;
        for index in 0..self.processes.len() {
            self.arrive(index);
            if !self.calm {
                match self.draw(4_000) {
                    0 => self.processes[index] = self.birth(),
                    1..=3 => self.processes[index].frozen_until = self.now + self.draw(30_000),
                    _ => {}
                }
            }
            if self.processes[index].frozen_until <= self.now {
                self.answer(index);
                self.act(index);
            }
        }
    }

    /// A request arrives whatever has become of its sender.
    fn arrive(&mut self, index: usize) {
        let identity = self.processes[index].candidate.identity.clone();
        let Some(request) = &mut self.processes[index].asking else { return };
        if request.answer.is_some() || request.arrives > self.now {
            return;
        }
        let store = &mut self.store;
        request.answer = Some(if !request.claims {
            self.versions[index] = store.version;
            Answer::Record(store.record.clone())
        } else if request.version == store.version {
            store.version += 1;
            let renewal = store.version.to_string();
            let record = Record { holder: identity, duration: seconds(15), renewal };
            store.record = Some(record.clone());
            self.versions[index] = store.version;
            Answer::Claimed(record)
        } else {
            Answer::Refused
        });
    }

    fn answer(&mut self, index: usize) {
        let (now, clock) = (self.now, self.clock(index));
        let process = &mut self.processes[index];
        let Some(request) = process.asking.take_if(|request| {
            request.answered.is_some_and(|answered| answered <= now) || request.given_up <= now
        }) else {
            return;
        };
        let in_time = request.answered.is_some_and(|answered| answered <= now);
        match request.answer.filter(|_| in_time) {
            Some(Answer::Record(record)) => process.candidate.read(record, clock),
            Some(Answer::Claimed(record)) => process.candidate.claimed(record, request.sent, clock),
            Some(Answer::Refused) => process.candidate.outdated(request.sent),
            None => process.candidate.failed(request.sent),
        }
    }

    fn act(&mut self, index: usize) {
        let clock = self.clock(index);
        if self.processes[index].asking.is_some() {
            return;
        }
        let claims = match self.processes[index].candidate.step(clock) {
            Step::Wait(_) => return,
            Step::Read => false,
            Step::Claim => true,
        };
        let late =
            if self.calm { 100 } else { [50, 50, 200, 200, 500, 500, 2_000, 12_000][self.draw(8) as usize] };
        let arrives = self.now + self.draw(late);
        let answered = arrives + self.draw(late);
        let lost = !self.calm && self.draw(5) == 0;
        self.processes[index].asking = Some(Request {
            claims,
            version: self.versions[index],
            sent: clock,
            arrives,
            answered: (!lost).then_some(answered),
            given_up: self.now + 15_000,
            answer: None,
        });
    }

    fn leaders(&self) -> Vec<usize> {
        let leads = |index: &usize| self.processes[*index].candidate.leads(self.clock(*index));
        (0..self.processes.len()).filter(leads).collect()
    }
}

proptest! {
    #[test]
    fn never_two_lead_and_in_the_end_one_does(seed: u64, processes in 1..5usize) {
        let mut world = World::new(seed, processes);
        let mut led = 0;
        for _ in 0..6_000 {
            world.tick();
            let leaders = world.leaders();
            prop_assert!(leaders.len() <= 1, "at {} ms: {leaders:?}", world.now);
            led += leaders.len();
        }
        prop_assert!(led > 400, "of five minutes the lead was held for {} ms only", led * 50);
        world.calm = true;
        for _ in 0..1_400 {
            world.tick();
            prop_assert!(world.leaders().len() <= 1);
        }
        prop_assert_eq!(world.leaders().len(), 1);
    }
}
