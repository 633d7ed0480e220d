//! Who is trusted, and who trusts us.

use celemetry::export::transport::{CertificateAuthority, ClientCertificate, Failure, Outcome, SinkTarget};
use hyper::Response;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::certificates::{Authority, Identity};
use super::server::{Reply, Server, send, status, target, whole};

const VERSIONS: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];

async fn start(config: ServerConfig) -> Server {
    Server::start(Some(config), |_| {
        Reply::With(Response::builder().header("grpc-status", "0").body(whole("")).unwrap())
    })
    .await
}

fn trusting(url: &str, authority: &Authority) -> SinkTarget {
    let ca = CertificateAuthority::from_pem(authority.pem().as_bytes()).unwrap();
    SinkTarget { ca: Some(ca), ..target(url) }
}

fn showing(target: SinkTarget, identity: &Identity) -> SinkTarget {
    let shown = ClientCertificate::from_pem(identity.pem().as_bytes(), identity.key().as_bytes()).unwrap();
    SinkTarget { certificate: Some(shown), ..target }
}

fn failed(failure: Failure) -> Outcome {
    Outcome::Retry { failure, after: None }
}

#[tokio::test]
async fn a_private_authority_is_trusted_without_a_client_certificate() {
    let authority = Authority::new();
    for versions in VERSIONS {
        let server = start(authority.identity("localhost").server(None, versions)).await;
        for scheme in ["https", "grpcs"] {
            let url = format!("{scheme}://localhost:{}", server.address.port());
            let outcome = send(trusting(&url, &authority)).await;
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{scheme} {outcome:?}");
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_prove_the_host_is_refused_and_nothing_is_sent() {
    let (authority, other) = (Authority::new(), Authority::new());
    let of_name = start(authority.identity("localhost").server(None, &[&TLS13])).await;
    let of_address = start(authority.identity("127.0.0.1").server(None, &[&TLS13])).await;
    let expired = start(authority.expired("localhost").server(None, &[&TLS13])).await;
    let cases = [
        ("127.0.0.1", &of_name, &authority, Failure::CertificateName),
        ("localhost", &of_address, &authority, Failure::CertificateName),
        ("localhost", &of_name, &other, Failure::CertificateUntrusted),
        ("localhost", &expired, &authority, Failure::CertificateExpired),
    ];
    for (host, server, trusted, failure) in cases {
        for scheme in ["https", "grpcs"] {
            let url = format!("{scheme}://{host}:{}", server.address.port());
            assert_eq!(send(trusting(&url, trusted)).await, failed(failure), "{url}");
        }
    }
    // The system's authorities know nothing of ours.
    let url = format!("https://localhost:{}", of_name.address.port());
    assert_eq!(send(target(&url)).await, failed(Failure::CertificateUntrusted));
    assert!(
        of_name.requests().is_empty() && of_address.requests().is_empty() && expired.requests().is_empty()
    );
}

#[tokio::test]
async fn a_sink_that_asks_for_a_certificate_gets_ours() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let (ours, strange) = (clients.identity("celemetry"), authority.identity("celemetry"));
    let late = clients.expired("celemetry");
    for versions in VERSIONS {
        let server = start(authority.identity("localhost").server(Some(&clients), versions)).await;
        for scheme in ["https", "grpcs"] {
            let target = trusting(&format!("{scheme}://localhost:{}", server.address.port()), &authority);
            let outcome = send(showing(target.clone(), &ours)).await;
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{scheme} {outcome:?}");
            for refused in [target.clone(), showing(target.clone(), &strange), showing(target, &late)] {
                let outcome = send(refused).await;
                assert_eq!(outcome, failed(Failure::ClientCertificateRefused), "{scheme} {versions:?}");
            }
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_sink_without_tls_is_no_sink_for_https() {
    let server = Server::start(None, |_| Reply::With(status(200))).await;
    let authority = Authority::new();
    let outcome = send(trusting(&format!("https://localhost:{}", server.address.port()), &authority)).await;
    assert_eq!(outcome, failed(Failure::Tls));
    assert!(server.requests().is_empty());
}
