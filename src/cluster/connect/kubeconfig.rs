//! Where the API server is and by which credentials it is asked.
//!
//! In: a kubeconfig or a service account's files. Out: kube's configuration of a client. Must never know: connections.

use std::path::Path;

use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::config::{Kubeconfig, KubeconfigError};

use super::fault::ConnectError;

/// The variable by which a container knows that it runs in a cluster.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// The configuration of the client: of `file`, or of what the environment offers.
///
/// # Errors
/// Where there is none, or it cannot be read.
pub(super) fn configuration(file: Option<&Path>) -> Result<Config, ConnectError> {
    let refused = |error: KubeconfigError| ConnectError::kubeconfig(file, &error);
    let kubeconfig = match file {
        Some(file) => Some(Kubeconfig::read_from(file).map_err(refused)?),
        None => Kubeconfig::from_env().map_err(refused)?,
    };
    let in_cluster = std::env::var_os(IN_CLUSTER).is_some();
    match kubeconfig {
        Some(kubeconfig) => of_kubeconfig(kubeconfig).map_err(refused),
        None if in_cluster => {
            let config = Config::incluster().map_err(|error| ConnectError::InCluster(error.to_string()))?;
            Ok(finished(config, None))
        }
        None => match Kubeconfig::read() {
            Ok(kubeconfig) => of_kubeconfig(kubeconfig).map_err(refused),
            Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(ConnectError::Nothing)
            }
            Err(KubeconfigError::FindPath) => Err(ConnectError::Nothing),
            Err(error) => Err(refused(error)),
        },
    }
}

fn of_kubeconfig(mut kubeconfig: Kubeconfig) -> Result<Config, KubeconfigError> {
    let proxy = take_proxy(&mut kubeconfig);
    Ok(finished(Config::try_from(kubeconfig)?, proxy.as_deref()))
}

/// The proxy of the current context's cluster. It is taken out, because kube would mix it with the environment's, whose
/// exceptions it holds against the proxy instead of the server.
fn take_proxy(kubeconfig: &mut Kubeconfig) -> Option<String> {
    let current = kubeconfig.current_context.clone()?;
    let context = kubeconfig.contexts.iter().find(|context| context.name == current)?.context.as_ref()?;
    let name = context.cluster.clone();
    let cluster = kubeconfig.clusters.iter_mut().find(|cluster| cluster.name == name)?;
    cluster.cluster.as_mut()?.proxy_url.take().filter(|proxy| !proxy.is_empty())
}

/// What is the same wherever a configuration comes from.
fn finished(mut config: Config, proxy: Option<&str>) -> Config {
    let proxy = proxy.and_then(|proxy| proxy.parse().ok());
    config.proxy_url = proxy.or_else(|| proxy_of_environment(&config.cluster_url));
    config.default_retry = false;
    config
}

/// The proxy that `HTTPS_PROXY` and its kin name for `server`. As in Go, nothing on this machine is asked by a proxy.
fn proxy_of_environment(server: &http::Uri) -> Option<http::Uri> {
    let host = server.host()?.trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    if is_here {
        return None;
    }
    let intercept = Matcher::from_env().intercept(server)?;
    Some(intercept.uri().clone())
}
