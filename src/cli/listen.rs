//! Where a command serves what it shows.
//!
//! In: a flag. Out: a server, or why there is none. Must never know: what is served.

use std::net::SocketAddr;

use super::values::address;
use super::{Status, report};
use crate::admin::{self, Server};

/// Where the pages are, for all commands that show series while they run.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ListenArgs {
    /// Address of /metrics, /healthz and /readyz; `:PORT` is every address of this host [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
}

// === impl ListenArgs ===

impl ListenArgs {
    /// The server, if it can listen. That the usual port is taken is no reason not to run; that one asked for is, is.
    pub(super) async fn bind(self) -> Result<Option<Server>, Status> {
        let mut settings = admin::Settings::default();
        settings.listen = self.listen.unwrap_or(settings.listen);
        match Server::bind(settings).await {
            Ok(server) => {
                report::say(&format!("serving http://{}/metrics", server.address()));
                Ok(Some(server))
            }
            Err(error) if self.listen.is_none() => {
                report::say(&format!(
                    "warning: not serving /metrics: {error}; choose an address with --listen"
                ));
                Ok(None)
            }
            Err(error) => {
                report::say(&format!("error: {error}"));
                Err(Status::Usage)
            }
        }
    }
}
