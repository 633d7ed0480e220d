//! Clusters that are there, not there, and not what they seem; all of them on loopback.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::*;

/// A folder that is gone after the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("celemetry-connect-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that answers every connection's first request with `answer`, and what it was asked.
async fn server(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(vec![]));
    let heads = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).await.unwrap_or_default();
            heads.lock().await.push(String::from_utf8_lossy(&head[..length]).to_lowercase());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (format!("http://{address}"), asked)
}

/// A kubeconfig with lines of the cluster and of the user.
fn kubeconfig(folder: &Folder, server: &str, cluster: &str, user: &str) -> PathBuf {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         contexts: [{{name: here, context: {{cluster: c, user: u, namespace: shop}}}}]\n\
         clusters:\n- name: c\n  cluster:\n    server: {server}\n{cluster}\n\
         users:\n- name: u\n  user:\n    as: alice\n{user}\n"
    );
    folder.file("kubeconfig", &text)
}

async fn connected(file: &Path) -> Result<Connected, ConnectError> {
    connect(&Settings { kubeconfig: Some(file.to_owned()), cluster_name: None }).await
}

const VERSION: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 185\r\n\r\n\
    {\"major\":\"1\",\"minor\":\"36\",\"gitVersion\":\"v1.36.3\",\"gitCommit\":\"a\",\"gitTreeState\":\"clean\",\
    \"buildDate\":\"2026-01-01T00:00:00Z\",\"goVersion\":\"go1.26\",\"compiler\":\"gc\",\"platform\":\"linux/amd64\"}";

#[tokio::test]
async fn a_cluster_is_asked_with_the_credentials_of_its_kubeconfig() {
    let folder = Folder::new("asked");
    let (url, asked) = server(VERSION).await;
    let token = folder.file("token", "s3cret\n");
    let user = format!("    tokenFile: {}", token.file_name().unwrap().to_str().unwrap());
    let found = connected(&kubeconfig(&folder, &url, "", &user)).await.unwrap();
    assert_eq!((found.cluster.as_str(), found.namespace.as_str()), ("localhost", "shop"));
    assert_eq!(found.server, url);
    assert_eq!(found.check().await.unwrap(), "v1.36.3");
    let heads = asked.lock().await;
    for line in [
        "get /version http/1.1\r\n",
        "authorization: bearer s3cret\r\n",
        "impersonate-user: alice\r\n",
        "user-agent: celemetry/",
    ] {
        assert!(heads[0].contains(line), "{line}: {heads:?}");
    }
    assert!(!format!("{found:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_request_that_fails_is_made_once() {
    let folder = Folder::new("once");
    let (url, asked) = server("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    let found = connected(&kubeconfig(&folder, &url, "", "    token: s3cret")).await.unwrap();
    let error = found.check().await.unwrap_err().to_string();
    assert_eq!(error, format!("{url}: it answers with status 503"));
    assert_eq!(asked.lock().await.len(), 1);
    assert!(asked.lock().await[0].contains("authorization: bearer s3cret\r\n"));
}

#[tokio::test]
async fn what_is_wrong_with_a_server_is_said_in_words() {
    let folder = Folder::new("words");
    let status = |code: u16| -> &'static str {
        let body = format!(r#"{{"kind":"Status","status":"Failure","message":"s3cret","code":{code}}}"#);
        format!("HTTP/1.1 {code} No\r\ncontent-length: {}\r\n\r\n{body}", body.len()).leak()
    };
    for (answer, expected) in [
        (status(401), "it does not know the credentials (401 Unauthorized)"),
        (status(403), "it forbids the request (403 Forbidden)"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\ns3cret",
            "it answers, but not as a Kubernetes API server does",
        ),
    ] {
        let (url, _) = server(answer).await;
        let found = connected(&kubeconfig(&folder, &url, "", "    token: s3cret")).await.unwrap();
        assert_eq!(found.check().await.unwrap_err().to_string(), format!("{url}: {expected}"));
    }
    let (url, _) = server("no tls").await;
    let url = url.replace("http", "https");
    let found = connected(&kubeconfig(&folder, &url, "", "")).await.unwrap();
    assert_eq!(found.check().await.unwrap_err().to_string(), format!("{url}: it does not speak TLS"));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let found = connected(&kubeconfig(&folder, &format!("https://{free}"), "", "")).await.unwrap();
    assert_eq!(
        found.check().await.unwrap_err().to_string(),
        format!("https://{free}: nobody listens there (connection refused)")
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_kubeconfig_is_said_without_its_text() {
    let folder = Folder::new("refused");
    let url = "http://127.0.0.1:1";
    let good = std::fs::read_to_string(kubeconfig(&folder, url, "", "")).unwrap();
    for (text, expected) in [
        ("a: [s3cret".to_owned(), "no kubeconfig: line 1, column "),
        (good.replace("current-context: here", ""), "current-context is not set"),
        (good.replace("current-context: here", "current-context: there"), "there is no context 'there'"),
        (good.replace("cluster: c,", "cluster: d,"), "there is no cluster 'd'"),
        (good.replace("as: alice", "client-certificate-data: s3cret!"), "client-certificate-data is no"),
        (good.replace("as: alice", "tokenFile: none"), "none: No such file or directory"),
        (good.replace("as: alice", "exec: {command: /none, args: [s3cret]}"), "plugin cannot be run"),
        (
            good.replace("as: alice", "exec: {command: sh, args: [-c, echo s3cret; false]}"),
            "the credential plugin failed (exit status: 1)",
        ),
        (
            good.replace("as: alice", "exec: {command: sh, args: [-c, 'echo \"[s3cret\"']}"),
            "what the credential plugin printed is no ExecCredential",
        ),
        (
            good.replace(url, "http://127.0.0.1:1\n    proxy-url: socks5://me:s3cret@127.0.0.1:9"),
            "the proxy socks5://127.0.0.1:9: only http:// proxies are supported",
        ),
    ] {
        let file = folder.file("changed", &text);
        let error = connected(&file).await.unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("s3cret"), "{expected}: {error}");
    }
    let missing = connected(Path::new("/none/kubeconfig")).await.unwrap_err().to_string();
    assert_eq!(missing, "kubeconfig /none/kubeconfig: No such file or directory (os error 2)");
}

#[tokio::test]
async fn a_proxy_of_the_kubeconfig_is_used_with_its_user() {
    let folder = Folder::new("proxy");
    let (proxy, asked) =
        server("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    let proxy = proxy.replace("http://", "    proxy-url: http://me:pass%40word@");
    let file = kubeconfig(&folder, "https://api.invalid:6443", &proxy, "");
    let error = connected(&file).await.unwrap().check().await.unwrap_err().to_string();
    assert!(
        error.starts_with("https://api.invalid:6443: ") && error.contains("proxy authorization"),
        "{error}"
    );
    let heads = asked.lock().await;
    assert!(heads[0].starts_with("connect api.invalid:6443 http/1.1\r\n"), "{heads:?}");
    assert!(heads[0].contains("proxy-authorization: basic bwu6cgfzc0b3b3jk\r\n"), "{heads:?}");
}

#[test]
fn clusters_are_named_as_metrics_operator_names_them() {
    for (url, expected) in [
        ("https://127.0.0.1:6443", "localhost"),
        ("https://localhost:6443", "localhost"),
        ("https://10.0.0.1", "10.0.0.1"),
        ("https://[fd00::1]:6443", "fd00::1"),
        ("https://api.shop.svc:443/k8s/clusters/c-1", "api.shop.svc"),
    ] {
        assert_eq!(name_of(&Config::new(url.parse().unwrap())), expected, "{url}");
    }
}

#[tokio::test]
async fn the_name_that_is_asked_for_is_the_cluster_s() {
    let folder = Folder::new("name");
    let file = kubeconfig(&folder, "http://127.0.0.1:1", "", "");
    let settings = Settings { kubeconfig: Some(file), cluster_name: Some("shop-eu".to_owned()) };
    assert_eq!(connect(&settings).await.unwrap().cluster, "shop-eu");
}
