//! What stands between a client and a server: the wire, and words put into the server's mouth.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use crate::harness::{Client, End, Plane, Proxy, Relay, Reply, pod, until, until_equal};

tests![
    a_proxy_passes_cuts_darkens_and_refuses,
    a_relay_passes_what_it_was_told_nothing_about,
    a_relay_says_on_any_page_that_it_is_gone,
    a_relay_speaks_within_a_watch,
];

fn a_proxy_passes_cuts_darkens_and_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::before(listener.local_addr().unwrap());
    // A server that sends back what it gets.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || std::io::copy(&mut stream.try_clone().unwrap(), &mut &stream));
        }
    });
    let connect = || {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        stream
    };
    let echo = |stream: &mut TcpStream| -> std::io::Result<()> {
        stream.write_all(b"hello")?;
        stream.read_exact(&mut [0; 5])
    };
    // A connection of its own for every look: an echo that comes late answers no later one.
    let passes = || {
        until("the proxy to pass", || {
            let mut stream = connect();
            echo(&mut stream).map(|()| stream).map_err(|error| error.to_string())
        })
    };

    let mut first = passes();
    proxy.cut();
    first.set_read_timeout(None).unwrap();
    assert_eq!(first.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    let mut second = passes();
    proxy.darken();
    assert_eq!(echo(&mut second).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "no answer, no end");
    passes();
    proxy.black_hole();
    assert_eq!(
        echo(&mut connect()).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "accepted, no answer"
    );
    proxy.pass();
    passes();
    assert_eq!(echo(&mut second).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "dark for good");

    proxy.refuse();
    assert!(TcpStream::connect(proxy.address()).is_err());
    until_equal("no connections", &0, || proxy.open());
    proxy.pass();
    passes();
}

fn a_relay_passes_what_it_was_told_nothing_about() {
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let namespace = plane.namespace("relay");
    let client = through(&plane, &relay);
    let made = pod(&namespace, "web").phase("Running").create(&client);
    assert_eq!(plane.client().read(&made).unwrap()["status"]["phase"], "Running");
    client.delete(&made);
    assert_eq!(plane.client().read(&made), None);
    let mut kubectl = plane.kubectl(&plane.operator_user());
    let output = kubectl
        .arg(format!("--server=https://{}", relay.address()))
        .args(["get", "namespaces"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(&namespace), "{output:?}");
}

/// The administrator by way of a relay.
fn through(plane: &Plane, relay: &Relay) -> Client {
    Client::new(relay.address(), "token-of-admin", plane.authority().client())
}

fn a_relay_says_on_any_page_that_it_is_gone() {
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let namespace = plane.namespace("relay");
    for number in 0..5 {
        pod(&namespace, &format!("p{number}")).create(plane.client());
    }
    let client = through(&plane, &relay);
    relay.once("list", "pods", [Reply::Pass, Reply::Pass, Reply::gone(), Reply::throttled(7)]);
    let mut token = String::new();
    let mut statuses = vec![];
    for _ in 0..4 {
        let path = format!("/api/v1/namespaces/{namespace}/pods?limit=2&continue={token}");
        let page = client.send(&Method::GET, &path, "application/json", String::new()).unwrap();
        statuses.push(page.status.as_u16());
        let page: Value = serde_json::from_str(&page.body).unwrap();
        token = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(statuses, [200, 200, 410, 429]);
    assert!(relay.is_spent());
    assert_eq!(client.list("v1", "Pod", Some(&namespace)).len(), 5, "and passes again");
    relay.always("list", "pods", Reply::status(403, "Forbidden"));
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let status = || client.send(&Method::GET, &path, "application/json", String::new()).unwrap().status;
    assert_eq!((status().as_u16(), status().as_u16()), (403, 403));
    relay.pass();
    assert_eq!(status(), 200);
}

fn a_relay_speaks_within_a_watch() {
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let namespace = plane.namespace("relay");
    for number in 0..3 {
        pod(&namespace, &format!("p{number}")).create(plane.client());
    }
    let client = through(&plane, &relay);
    let garbage = |end| Reply::After { lines: 1, bytes: b"garbage\n".to_vec(), end };
    relay.once(
        "watch",
        "pods",
        [Reply::error_event(2, 410, "Expired"), garbage(End::GoOn), Reply::broken(0)],
    );
    let path = format!("/api/v1/namespaces/{namespace}/pods?watch=true&resourceVersion=0&timeoutSeconds=1");
    let lines = || -> Result<Vec<String>, String> {
        let watch = client.send(&Method::GET, &path, "application/json", String::new())?;
        let kind = |line: &str| match serde_json::from_str::<Value>(line) {
            Ok(event) => event["type"].as_str().unwrap().to_owned(),
            Err(_) => line.to_owned(),
        };
        Ok(watch.body.lines().map(kind).collect())
    };
    assert_eq!(lines().unwrap(), ["ADDED", "ADDED", "ERROR"]);
    let mut spoken = lines().unwrap();
    assert!(spoken.contains(&"garbage".to_owned()), "{spoken:?}");
    spoken.retain(|line| line == "ADDED");
    assert_eq!(spoken.len(), 3, "and what the server said, too");
    assert!(!relay.is_spent());
    lines().unwrap_err();
    assert!(relay.is_spent());
    assert_eq!(lines().unwrap(), ["ADDED"; 3]);
    // A watch that ends before the words' turn leaves them to the next one.
    relay.once("watch", "pods", [Reply::error_event(4, 410, "Expired")]);
    assert_eq!(lines().unwrap(), ["ADDED"; 3]);
    assert!(!relay.is_spent());
    pod(&namespace, "p3").create(plane.client());
    until("the words", || match lines()?.join(" ") {
        said if said == "ADDED ADDED ADDED ADDED ERROR" => Ok(()),
        said => Err(said),
    });
    assert!(relay.is_spent());
}
