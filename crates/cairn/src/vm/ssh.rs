// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands in a guest over ssh, with the client of the tools tree and a key made for the machine.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cairn_host::{Input, Invocation, Network, Output, Root, Sandbox, Tool};

use super::{Result, VmError};

/// How long nobody may listen while the server of a guest reads its configuration again.
const RELOAD: Duration = Duration::from_secs(30);

/// How to reach a guest. Connect after the console shows that sshd runs: early attempts only cost time.
#[derive(Debug, Clone)]
pub struct Ssh {
    tools: Sandbox,
    key: PathBuf,
    user: String,
    port: u16,
}

/// Makes an Ed25519 key without a passphrase as `dir/key` (mode 0600) and returns its path and the public line.
pub fn generate_key(tools: &Sandbox, dir: &Path) -> Result<(PathBuf, String)> {
    let root = Root::create(dir)?;
    root.remove_all("key")?;
    root.remove_all("key.pub")?;
    let invocation = Invocation::new(Tool::SshKeygen).args([
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        "cairn-vm",
        "-f",
        "/keys/key",
    ]);
    tools.clone().bind(dir, "/keys").run(&invocation)?;
    let public = root.read_to_string("key.pub")?;
    Ok((dir.join("key"), public.trim().to_owned()))
}

impl Ssh {
    /// A client for `user` at port `port` of the host's loopback interface, with the private key in the file `key`.
    pub fn new(tools: &Sandbox, key: impl Into<PathBuf>, user: &str, port: u16) -> Self {
        Self { tools: tools.clone(), key: key.into(), user: user.to_owned(), port }
    }

    /// Runs a shell command line in the guest. Its exit status is in the result; 255 means that ssh itself failed.
    pub fn run(&self, command: &str, limit: Duration) -> Result<Output> {
        self.run_with_input(command, Vec::new(), limit)
    }

    /// Runs a shell command line that reads `input`.
    ///
    /// The first boot of a machine makes further host keys behind the login and reloads sshd, which for a moment refuses connections:
    /// what was not begun because of that is tried again.
    pub fn run_with_input(&self, command: &str, input: Vec<u8>, limit: Duration) -> Result<Output> {
        let deadline = Instant::now() + RELOAD;
        loop {
            let output = self.run_once(command, input.clone(), limit)?;
            if !is_refused(&output) || Instant::now() >= deadline {
                return Ok(output);
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn run_once(&self, command: &str, input: Vec<u8>, limit: Duration) -> Result<Output> {
        let options = [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "UserKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=no",
            "LogLevel=ERROR",
            // A guest under TCG needs seconds for the key exchange.
            "ConnectTimeout=30",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=8",
        ];
        let invocation = Invocation::new(Tool::Ssh)
            .args(["-F", "/dev/null", "-i", "/key", "-p", &self.port.to_string()])
            .args(options.iter().flat_map(|option| ["-o", option]))
            .args([&format!("{}@127.0.0.1", self.user), "--", command])
            .stdin(Input::Bytes(input))
            .time_limit(limit);
        let sandbox = self.tools.clone().network(Network::Host).bind_read_only(&self.key, "/key");
        Ok(sandbox.run_unchecked(&invocation)?)
    }

    /// Runs a shell command line that must succeed and returns its standard output as text.
    pub fn check(&self, command: &str, limit: Duration) -> Result<String> {
        let output = self.run(command, limit)?;
        if output.success() {
            return Ok(output.stdout_text());
        }
        Err(VmError::Host(cairn_host::HostError::Failed {
            command: format!("ssh {}@guest {command}", self.user),
            status: format!("exit status {}", output.status),
            stderr_tail: format!("{} {}", output.stdout_text().trim(), output.stderr_text().trim()),
        }))
    }

    /// Tries to log in until it works.
    pub fn wait_until_reachable(&self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            let output = self.run_once("true", Vec::new(), Duration::from_mins(1));
            if matches!(&output, Ok(output) if output.success()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let found =
                    output.map_or_else(|error| error.to_string(), |output| output.stderr_text());
                return Err(VmError::TimedOut {
                    awaited: "a login over ssh".to_owned(),
                    limit,
                    console_tail: found,
                });
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

/// Says whether the server closed the connection before the key exchange, so that no command was run.
fn is_refused(output: &Output) -> bool {
    output.status == 255 && output.stderr_text().contains("kex_exchange_identification:")
}
