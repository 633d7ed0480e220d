//! Why a cluster cannot be asked, in words that help whoever reads them.
//!
//! In: errors of kube and what lies below. Out: [`ConnectError`]s. Must never know: what was asked.
//!
//! Texts of a kubeconfig, of a credential plugin and of an answer are never repeated: each may hold a token.

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kube::client::AuthError;
use kube::config::{KubeconfigError, LoadDataError};

/// Why a cluster cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// There is neither a kubeconfig nor a cluster around.
    #[error(
        "no cluster to connect to: there is no --kubeconfig, no KUBECONFIG, no ~/.kube/config, and this is no Pod"
    )]
    Nothing,
    /// A kubeconfig cannot be used.
    #[error("kubeconfig{}: {why}", file.as_deref().map(|file| format!(" {}", file.display())).unwrap_or_default())]
    Kubeconfig {
        /// The file that was asked for, if one was.
        file: Option<PathBuf>,
        /// What is wrong.
        why: String,
    },
    /// The files of the service account cannot be used.
    #[error("the service account of this Pod: {0}")]
    InCluster(String),
    /// The credentials or certificates cannot be used.
    #[error("the credentials of the kubeconfig or service account: {0}")]
    Credentials(String),
    /// The proxy cannot be used.
    #[error("the proxy {0}: only http:// proxies are supported")]
    Proxy(String),
    /// The server does not answer as it should.
    #[error("{server}: {why}")]
    Unreachable {
        /// Its URL.
        server: String,
        /// What happened.
        why: String,
    },
    /// The process is ending.
    #[error("interrupted")]
    Interrupted,
}

// === impl ConnectError ===

impl ConnectError {
    pub(super) fn kubeconfig(file: Option<&Path>, error: &KubeconfigError) -> Self {
        let why = match error {
            // Its text may quote the file.
            KubeconfigError::Parse(error) => match error.location() {
                Some(at) => format!("no kubeconfig: line {}, column {}", at.line(), at.column()),
                None => "no kubeconfig".to_owned(),
            },
            KubeconfigError::ReadConfig(error, read) if Some(read.as_path()) == file => error.to_string(),
            KubeconfigError::LoadCertificateAuthority(error) => data("certificate-authority", error),
            KubeconfigError::LoadClientCertificate(error) => data("client-certificate", error),
            KubeconfigError::LoadClientKey(error) => data("client-key", error),
            KubeconfigError::LoadContext(name) => format!("there is no context '{name}'"),
            KubeconfigError::LoadClusterOfContext(name) => format!("there is no cluster '{name}'"),
            KubeconfigError::CurrentContextNotSet => "current-context is not set".to_owned(),
            error => error.to_string(),
        };
        ConnectError::Kubeconfig { file: file.map(Path::to_owned), why }
    }
}

fn data(what: &str, error: &LoadDataError) -> String {
    match error {
        LoadDataError::DecodeBase64(_) => format!("{what}-data is no base64"),
        LoadDataError::ReadFile(error, file) => format!("{what} {}: {error}", file.display()),
        LoadDataError::NoBase64DataOrFile => format!("{what} is missing"),
    }
}

/// What kept kube from making a client.
pub(super) fn credentials(error: &kube::Error) -> ConnectError {
    let why = match error {
        kube::Error::Auth(AuthError::AuthExecRun { out, .. }) => {
            format!("the credential plugin failed ({})", out.status)
        }
        kube::Error::Auth(AuthError::AuthExecStart(error)) => {
            format!("the credential plugin cannot be run: {error}")
        }
        kube::Error::Auth(AuthError::AuthExecParse(_)) => {
            "what the credential plugin printed is no ExecCredential".to_owned()
        }
        kube::Error::InferKubeconfig(error) => return ConnectError::kubeconfig(None, error),
        error => root(error).to_string(),
    };
    ConnectError::Credentials(why)
}

/// What went wrong with a request, in a few words and without the body of an answer.
pub fn in_words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => match status.code {
            401 => "it does not know the credentials (401 Unauthorized)".to_owned(),
            403 => "it forbids the request (403 Forbidden)".to_owned(),
            code => format!("it answers with status {code}"),
        },
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            "it answers, but not as a Kubernetes API server does".to_owned()
        }
        kube::Error::Auth(_) => credentials(error).to_string(),
        error => {
            let root = root(error);
            match root.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                Some(ErrorKind::ConnectionRefused) => "nobody listens there (connection refused)".to_owned(),
                Some(ErrorKind::TimedOut) => "it cannot be reached in time".to_owned(),
                Some(_) => root.to_string(),
                None => tls(root).unwrap_or_else(|| root.to_string()),
            }
        }
    }
}

fn tls(root: &(dyn Error + 'static)) -> Option<String> {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    Some(match root.downcast_ref::<rustls::Error>()? {
        InvalidCertificate(error) => format!("its certificate is not trusted: {error}"),
        AlertReceived(alert) => format!("it refuses the connection: {alert:?}"),
        InvalidMessage(_) => "it does not speak TLS".to_owned(),
        error => error.to_string(),
    })
}

/// The first cause: what lies above only says through which layers it came.
fn root<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    let mut root = error;
    while let Some(cause) = cause(root) {
        root = cause;
    }
    root
}

/// The cause of an error. An I/O error does not name the error that it wraps as its cause, but that one's.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
