//! Leader election on a real API server, with exactly the rights that `celemetry rbac` prints.

use std::time::{Duration, Instant};

use celemetry::cluster::connect;
use celemetry::controller::lease::{self, Election, LEASE, Terms};
use serde_json::{Value, json};

use crate::harness::plane::users::User;
use crate::harness::{Plane, rule, runtime, stays, until};

tests![
    a_lease_is_handed_over_when_it_is_given_back_and_taken_when_its_holder_dies,
    a_leader_whose_api_server_is_gone_steps_down_and_leads_again,
];

/// Short, so that tests need not wait long.
const TERMS: Terms = Terms {
    duration: Duration::from_secs(3),
    renew_deadline: Duration::from_secs(2),
    retry_period: Duration::from_millis(500),
};

fn candidate(plane: &Plane) -> User {
    plane.user_with(&[rule("coordination.k8s.io", "leases", "create,get,update,watch")])
}

fn stand(plane: &Plane, user: &User, namespace: &str, identity: &str) -> Election {
    let settings = connect::Settings { kubeconfig: Some(plane.kubeconfig(user)), cluster_name: None };
    let (namespace, identity) = (namespace.to_owned(), identity.to_owned());
    runtime().block_on(async {
        let connected = connect::connect(&settings).await.unwrap();
        let settings = lease::Settings { namespace, name: LEASE.to_owned(), identity, terms: TERMS };
        lease::elect(connected.client, settings)
    })
}

fn leads(election: &Election, wanted: bool) -> Duration {
    let began = Instant::now();
    let leadership = election.leadership();
    until("the lead", || match leadership.holds() == wanted {
        true => Ok(()),
        false => Err(format!("holds: {}", !wanted)),
    });
    began.elapsed()
}

fn the_lease(namespace: &str) -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"namespace": namespace, "name": LEASE}})
}

fn a_lease_is_handed_over_when_it_is_given_back_and_taken_when_its_holder_dies() {
    let plane = Plane::shared();
    let namespace = plane.namespace("electing");
    let user = candidate(&plane);
    let first = stand(&plane, &user, &namespace, "first");
    leads(&first, true);
    let second = stand(&plane, &user, &namespace, "second");
    stays(TERMS.duration * 2, "second waits", || match second.leadership().holds() {
        true => Err("leads".to_owned()),
        false => Ok(()),
    });
    assert!(first.leadership().holds());
    let holder =
        |namespace| plane.client().read(&the_lease(namespace)).unwrap()["spec"]["holderIdentity"].clone();
    assert_eq!(holder(&namespace), "first");

    let began = Instant::now();
    runtime().block_on(first.release());
    leads(&second, true);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(holder(&namespace), "second");

    let third = stand(&plane, &user, &namespace, "third");
    stays(Duration::from_secs(1), "third waits", || match third.leadership().holds() {
        true => Err("leads".to_owned()),
        false => Ok(()),
    });
    drop(second);
    let gap = leads(&third, true);
    assert!(gap > TERMS.renew_deadline && gap < TERMS.duration + Duration::from_secs(2), "{gap:?}");
}

fn a_leader_whose_api_server_is_gone_steps_down_and_leads_again() {
    let plane = Plane::own();
    let namespace = plane.namespace("electing");
    let user = candidate(&plane);
    let leader = stand(&plane, &user, &namespace, "first");
    leads(&leader, true);
    plane.pause_server();
    let took = leads(&leader, false);
    assert!(took <= TERMS.renew_deadline + Duration::from_millis(200), "{took:?}");
    plane.resume_server();
    leads(&leader, true);
    plane.kill_server();
    leads(&leader, false);
    plane.start_server();
    leads(&leader, true);
}
