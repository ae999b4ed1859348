// SPDX-License-Identifier: MIT OR Apache-2.0
//! The QEMU Machine Protocol: one JSON object per line over a Unix socket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Result, VmError};

/// A connection after the capabilities handshake.
#[derive(Debug)]
pub(super) struct Qmp {
    stream: BufReader<UnixStream>,
}

/// How long QEMU may take to open its socket and to answer.
const LIMIT: Duration = Duration::from_secs(20);

impl Qmp {
    /// Connects to the socket `qmp` in `work_dir`.
    pub(super) fn connect(work_dir: &Path) -> Result<Self> {
        let path = work_dir.join("qmp");
        let failed = |source| VmError::file("connect to", &path, source);
        // A socket's path may have 107 bytes; through the directory's descriptor it is short wherever the directory lies.
        let dir = std::fs::File::open(work_dir).map_err(failed)?;
        let short = format!("/proc/self/fd/{}/qmp", dir.as_raw_fd());
        let deadline = Instant::now() + LIMIT;
        let stream = loop {
            match UnixStream::connect(&short) {
                Ok(stream) => break stream,
                Err(source) if Instant::now() >= deadline => return Err(failed(source)),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        stream.set_read_timeout(Some(LIMIT)).map_err(failed)?;
        let mut qmp = Self { stream: BufReader::new(stream) };
        qmp.read("greeting")?;
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Runs a command and returns what it returns; events that come between are passed over.
    pub(super) fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let failed = |reason: String| VmError::Qmp { command: command.to_owned(), reason };
        let line = format!("{}\n", json!({ "execute": command, "arguments": arguments }));
        self.stream
            .get_mut()
            .write_all(line.as_bytes())
            .map_err(|cause| failed(cause.to_string()))?;
        loop {
            let answer = self.read(command)?;
            if let Some(value) = answer.get("return") {
                return Ok(value.clone());
            }
            if let Some(error) = answer.get("error") {
                return Err(failed(error["desc"].as_str().unwrap_or("unknown error").to_owned()));
            }
        }
    }

    fn read(&mut self, command: &str) -> Result<Value> {
        let failed = |reason: String| VmError::Qmp { command: command.to_owned(), reason };
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => Err(failed("the connection was closed".to_owned())),
            Ok(_) => serde_json::from_str(&line).map_err(|cause| failed(cause.to_string())),
            Err(cause) => Err(failed(cause.to_string())),
        }
    }
}
