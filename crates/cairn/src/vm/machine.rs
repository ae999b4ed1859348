// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running machine.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use base64::Engine as _;
use cairn_host::{Child, Input, Invocation, Network, Root, Sandbox, Tool};
use serde_json::{Value, json};

use super::arguments::{
    self, Engine, OVMF_DIR, WORK_DIR, credential_file, disk_path, firmware_files,
};
use super::console::{Console, Found};
use super::qmp::Qmp;
use super::{Accel, Bus, Credential, DiskAccess, Firmware, Result, VmError, VmSpec, kvm_works};

/// A running machine. QEMU is killed when this value is dropped, or when the thread that started it ends.
#[derive(Debug)]
pub struct Vm {
    child: Child,
    stdin: Option<ChildStdin>,
    console: Console,
    stderr: Console,
    /// Byte of the console's text from which the next marker is searched.
    searched: usize,
    qmp: Option<Qmp>,
    work_dir: std::path::PathBuf,
    engine: Engine,
}

/// Lines of the console that an error carries.
const TAIL_LINES: usize = 25;

impl Vm {
    /// Starts the machine. `tools` holds QEMU and, for UEFI, OVMF.
    pub fn start(spec: &VmSpec, tools: &Sandbox) -> Result<Self> {
        let work = Root::create(&spec.work_dir)?;
        // A socket that an earlier machine left behind would be connected to.
        work.remove_all("qmp")?;
        prepare_firmware(spec.firmware, tools, &work)?;
        write_credentials(&spec.credentials, &work)?;
        let log = create_log(&spec.serial_log)?;
        let engine = match spec.accel {
            Accel::Kvm => Engine::Kvm,
            Accel::Auto if kvm_works(tools, &spec.work_dir) => Engine::Kvm,
            Accel::Auto | Accel::Tcg => Engine::Tcg,
        };
        let invocation = Invocation::new(Tool::QemuSystem)
            .args(arguments::arguments(spec, engine))
            // Overlays of snapshots are made there.
            .env("TMPDIR", WORK_DIR)
            .stdin(Input::Bytes(Vec::new()));
        let mut child = sandbox_for(spec, tools).spawn(&invocation)?;
        let (Some(stdout), Some(stderr)) = (child.take_stdout(), child.take_stderr()) else {
            unreachable!("both streams of this invocation are captured");
        };
        let stdin = child.take_stdin();
        let (console, _) = Console::follow(stdout, Some(log));
        let (stderr, _) = Console::follow(stderr, None);
        Ok(Self {
            child,
            stdin,
            console,
            stderr,
            searched: 0,
            qmp: None,
            work_dir: spec.work_dir.clone(),
            engine,
        })
    }

    /// Returns what executes the guest.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Returns all that the guest has written to its console, without escape sequences.
    pub fn console_text(&self) -> String {
        self.console.text()
    }

    /// Waits until `marker` appears on the console behind the one found before.
    pub fn wait_for(&mut self, marker: &str, limit: Duration) -> Result<()> {
        self.wait_for_any(&[marker], limit).map(drop)
    }

    /// Waits until one of `markers` appears on the console behind the one found before, and returns which: for a success and the
    /// failures that may come instead (`emergency mode`, `Kernel panic`).
    pub fn wait_for_any(&mut self, markers: &[&str], limit: Duration) -> Result<usize> {
        let awaited = || format!("`{}` on the console", markers.join("` or `"));
        match self.console.wait_for(markers, &mut self.searched, limit) {
            Found::Marker(index) => Ok(index),
            Found::TimedOut => Err(VmError::TimedOut {
                awaited: awaited(),
                limit,
                console_tail: self.console.tail(TAIL_LINES),
            }),
            Found::Ended => {
                let status = self.child.wait()?;
                Err(self.died(awaited(), status))
            }
        }
    }

    /// Sends text to the guest's console; end a line with `\n`.
    pub fn send(&mut self, text: &str) -> Result<()> {
        let written = match &mut self.stdin {
            Some(stdin) => stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()),
            None => Ok(()),
        };
        written.map_err(|source| VmError::file("write to the console of", &self.work_dir, source))
    }

    /// Waits until QEMU ends (the guest powered off) and returns its exit status, -N for signal N.
    pub fn wait_for_end(&mut self, limit: Duration) -> Result<i32> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return if status == 0 {
                    Ok(0)
                } else {
                    Err(self.died("it was powered off".to_owned(), status))
                };
            }
            if Instant::now() >= deadline {
                let awaited = "the guest to power off".to_owned();
                return Err(VmError::TimedOut {
                    awaited,
                    limit,
                    console_tail: self.console.tail(TAIL_LINES),
                });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Tells whether QEMU is still running.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Presses the power button; the guest shuts down by itself.
    pub fn power_down(&mut self) -> Result<()> {
        self.qmp("system_powerdown", &json!({})).map(drop)
    }

    /// Resets the machine, as the reset button does.
    pub fn reset(&mut self) -> Result<()> {
        self.qmp("system_reset", &json!({})).map(drop)
    }

    /// Ends QEMU in order, without telling the guest.
    pub fn quit(mut self) -> Result<()> {
        self.qmp("quit", &json!({}))?;
        self.child.wait()?;
        Ok(())
    }

    /// Pulls the plug: QEMU is killed at once, unwritten data of the guest is lost. For tests of crash safety.
    pub fn kill(mut self) -> Result<()> {
        Ok(self.child.kill()?)
    }

    /// Saves what the screen shows as a PNG file.
    pub fn screenshot(&mut self, output: &Path) -> Result<()> {
        self.qmp(
            "screendump",
            &json!({ "filename": format!("{WORK_DIR}/screen.png"), "format": "png" }),
        )?;
        let saved = self.work_dir.join("screen.png");
        std::fs::copy(&saved, output)
            .map(drop)
            .map_err(|source| VmError::file("copy the screen to", output, source))
    }

    /// Runs a QMP command and returns what it returns.
    pub fn qmp(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let mut qmp = match self.qmp.take() {
            Some(qmp) => qmp,
            None => Qmp::connect(&self.work_dir)?,
        };
        let result = qmp.execute(command, arguments);
        self.qmp = Some(qmp);
        result
    }

    fn died(&self, awaited: String, status: i32) -> VmError {
        VmError::GuestDied {
            awaited,
            status,
            stderr: self.stderr.tail(5),
            console_tail: self.console.tail(TAIL_LINES),
        }
    }
}

/// Returns a TCP port of the loopback interface that is free at the moment.
pub fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn sandbox_for(spec: &VmSpec, tools: &Sandbox) -> Sandbox {
    let mut sandbox = tools.clone().network(Network::Host).bind(&spec.work_dir, WORK_DIR);
    for (index, disk) in spec.disks.iter().enumerate() {
        sandbox = match disk.access {
            DiskAccess::Write if disk.bus != Bus::Cdrom => {
                sandbox.bind(&disk.path, disk_path(index))
            }
            DiskAccess::Write | DiskAccess::Snapshot | DiskAccess::ReadOnly => {
                sandbox.bind_read_only(&disk.path, disk_path(index))
            }
        };
    }
    match &spec.seed {
        Some(seed) => sandbox.bind_read_only(seed, arguments::SEED_PATH),
        None => sandbox,
    }
}

fn create_log(path: &Path) -> Result<File> {
    let dir = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    dir.and_then(|()| File::create(path)).map_err(|source| VmError::file("create", path, source))
}

/// Gives the machine its own copy of the UEFI variables, unless it has one.
fn prepare_firmware(firmware: Firmware, tools: &Sandbox, work: &Root) -> Result<()> {
    let Some((_, variables)) = firmware_files(firmware) else { return Ok(()) };
    if work.exists("vars.fd")? {
        return Ok(());
    }
    let bytes = Root::open(tools.tools_tree())?.read(format!("{OVMF_DIR}/{variables}"))?;
    Ok(work.write("vars.fd", &bytes, 0o600)?)
}

fn write_credentials(credentials: &[Credential], work: &Root) -> Result<()> {
    for (index, credential) in credentials.iter().enumerate() {
        let value = base64::engine::general_purpose::STANDARD.encode(&credential.value);
        let line = format!("io.systemd.credential.binary:{}={value}", credential.name);
        work.write(credential_file(index), line.as_bytes(), 0o600)?;
    }
    Ok(())
}
