// SPDX-License-Identifier: MIT OR Apache-2.0
//! The laboratory of the image tests: tools trees, the built repository, guests.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn::compose::WorkDirectory;
use cairn::context::Context;
use cairn::deb::{Deb, EntryKind};
use cairn::lock::Use;
use cairn::ops::upstream::{self, Generation, Upstream, Vanishing};
use cairn::vm::{
    Accel, Credential, Disk, Firmware, Forward, OnReboot, Reach, Ssh, Vm, VmSpec, free_port,
    generate_key,
};
use cairn_host::{Invocation, Sandbox, Tool};
use cairn_rpm::package::Package;

pub const MINUTE: Duration = Duration::from_secs(60);

const IDLE_MARKER: &str = "idle-memory-mib=";
const IDLE_END: &str = " is-used";

/// Runs in the guest: a session would count itself, so it waits for the end of all.
const IDLE_REPORT: &str = r#"while [ "$(loginctl list-sessions --no-legend)" ] || systemctl --quiet is-active "user@*"; do sleep 1; done; awk "/^MemTotal/ { total = \$2 } /^MemAvailable/ { print \"idle-memory-mib=\" int((total - \$2) / 1024) \" is-used\" }" /proc/meminfo > /dev/ttyS0"#;

/// Files that a running system changes or that the image builder writes.
pub const EXPECTED_CHANGES: &[&str] = &[
    "/etc/fstab",
    "/etc/kernel/cmdline",
    "/etc/machine-id",
    "/etc/pki/rpm-gpg/RPM-GPG-KEY-cairn",
    "/etc/yum.repos.d/cairn.repo",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/resolv.conf",
];

pub struct Lab {
    pub ctx: Context,
    pub upstream: Upstream,
    pub tools: Sandbox,
    pub out: PathBuf,
}

impl Lab {
    pub fn open() -> Self {
        let printer =
            Arc::new(cairn_ui::Printer::new(cairn_ui::Verbosity::Quiet, cairn_ui::Color::Never));
        let ctx = Context::open(printer, &cairn_testkit::package_directory(), None).unwrap();
        let upstream = upstream::open(
            &ctx,
            &[Use::Os, Use::Tools, Use::Test],
            Vanishing::MoveForward,
            Generation::Current,
        )
        .unwrap();
        let tools = cairn::tools::open_test(&ctx, &upstream.lock).unwrap();
        let out = ctx.project.join("out");
        assert!(
            out.join("repo/repodata/repomd.xml").is_file(),
            "run `cargo cairn build disk` first"
        );
        Self { ctx, upstream, tools, out }
    }

    /// Runs a peer program in the tools tree, with the repository at /repo; returns its standard output.
    pub fn peer(&self, words: &[&str]) -> String {
        let tool = match words[0] {
            "sh" => Tool::Sh,
            "dnf" => Tool::Dnf,
            other => panic!("add {other} to Lab::peer"),
        };
        let sandbox = self.tools.clone().bind_read_only(self.out.join("repo"), "/repo");
        let output = sandbox.run_unchecked(&Invocation::new(tool).args(&words[1..])).unwrap();
        assert!(output.success(), "{words:?}: {}{}", output.stdout_text(), output.stderr_text());
        output.stdout_text()
    }

    /// Serves the repository until the test process ends; returns the address as guests see it.
    pub fn serve_repository(&self) -> String {
        let directory = self.out.join("repo");
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            cairn::serve::serve(&directory, "127.0.0.1:0".parse().unwrap(), |address| {
                sender.send(address).unwrap()
            })
        });
        format!("http://10.0.2.2:{}/", receiver.recv().unwrap().port())
    }

    /// SHA-256 of a file inside an upstream .deb.
    pub fn upstream_digest(&self, package: &str, path: &str) -> String {
        let file = self
            .upstream
            .lock
            .find(package, Use::Os)
            .unwrap_or_else(|| panic!("{package} is not locked"));
        let deb = self.read_deb(&file.sha256, &file.path);
        let content = deb.entries.iter().find_map(|entry| match &entry.kind {
            EntryKind::File(bytes) if entry.path == path => Some(bytes),
            _ => None,
        });
        cairn::digest::sha256_hex(content.unwrap_or_else(|| panic!("{package} has no {path}")))
    }

    fn read_deb(&self, sha256: &str, name: &str) -> Deb {
        let bytes = std::fs::read(cairn::fetch::cached_path(&self.ctx.cache, sha256)).unwrap();
        Deb::parse(name, &bytes).unwrap()
    }

    /// Versions of the cloud kernel: the previous one and the current one.
    pub fn kernels(&self) -> (String, String) {
        let version = |one: Use| {
            let file = self
                .upstream
                .lock
                .used_for(one)
                .find(|file| file.name.ends_with("-cloud-amd64"))
                .unwrap_or_else(|| panic!("no cloud kernel is locked for {one:?}"));
            file.name.trim_start_matches("linux-image-").to_owned()
        };
        (version(Use::Previous), version(Use::Os))
    }

    /// Version and digest of the cloud kernel as upstream signed it.
    pub fn upstream_kernel(&self) -> Kernel {
        let file = self
            .upstream
            .lock
            .used_for(Use::Os)
            .find(|file| {
                file.name.starts_with("linux-image-6.12") && file.name.ends_with("-cloud-amd64")
            })
            .unwrap();
        let version = file.name.trim_start_matches("linux-image-").to_owned();
        let digest = self.upstream_digest(&file.name, &format!("/boot/vmlinuz-{version}"));
        Kernel { version, digest }
    }

    /// SHA-256 that the header of one of our packages records for `path`.
    pub fn repository_digest(&self, path: &str) -> String {
        for entry in std::fs::read_dir(self.out.join("repo/packages")).unwrap() {
            let file = std::fs::File::open(entry.unwrap().path()).unwrap();
            let package = Package::parse(&mut std::io::BufReader::new(file)).unwrap();
            if let Some(found) = package.header.files().into_iter().find(|file| file.path == path) {
                return found.digest;
            }
        }
        panic!("no package has {path}")
    }
}

pub struct Kernel {
    pub version: String,
    pub digest: String,
}

/// Tells whether a line of `ss -Hltun` is a socket that other machines reach. DHCP's client socket on its interface is not a service.
pub fn listens_off_host(line: &str) -> bool {
    let local = line.split_whitespace().nth(4).unwrap_or_default();
    !(local.starts_with("127.")
        || local.starts_with("[::1]")
        || local.ends_with(":68")
        || local.ends_with(":546"))
}

/// A running guest that a key was let into.
pub struct Guest {
    vm: std::cell::RefCell<Option<Vm>>,
    ssh: Ssh,
    tools: Sandbox,
    key: PathBuf,
    port: u16,
    _work: WorkDirectory,
}

impl Guest {
    /// Boots the default image and logs in once the console shows the login prompt.
    pub fn boot(lab: &Lab, name: &str, firmware: Firmware, seed: &[(&str, &str)]) -> Self {
        let image = lab.out.join("cairn-linux-0.1-x86_64.raw");
        Self::boot_image(lab, &image, name, firmware, seed)
    }

    /// Boots any disk image.
    pub fn boot_image(
        lab: &Lab,
        image: &Path,
        name: &str,
        firmware: Firmware,
        seed: &[(&str, &str)],
    ) -> Self {
        Self::boot_prepared(lab, image, name, |spec, work, public| {
            spec.firmware = firmware;
            if !seed.is_empty() {
                let files: Vec<(String, String)> = seed
                    .iter()
                    .map(|(name, text)| ((*name).to_owned(), text.replace("@KEY@", public.trim())))
                    .collect();
                let borrowed: Vec<(&str, &[u8])> =
                    files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
                spec.seed = Some(cairn::ops::vm::seed(&lab.tools, work, &borrowed).unwrap());
                enlarge(&mut spec.disks[0], work);
            }
        })
    }

    /// Boots any disk image in a machine to which `prepare` gives what it needs besides (specification, work directory, public key).
    pub fn boot_prepared(
        lab: &Lab,
        image: &Path,
        name: &str,
        prepare: impl FnOnce(&mut VmSpec, &Path, &str),
    ) -> Self {
        let work = WorkDirectory::create(&lab.ctx, &format!("test-{name}")).unwrap();
        let keys = work.path.join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let (key, public) = generate_key(&lab.tools, &keys).unwrap();
        let mut spec =
            VmSpec::of_image(image, cairn::vm::DiskFormat::Raw, work.path.join("machine"));
        spec.on_reboot = OnReboot::Restart;
        spec.accel = Accel::Auto;
        spec.reach = Reach::Open;
        let port = free_port().unwrap();
        spec.forwards.push(Forward { host_port: port, guest_port: 22 });
        spec.credentials.push(Credential {
            name: "ssh.authorized_keys.root".into(),
            value: public.clone().into_bytes(),
        });
        prepare(&mut spec, &work.path, &public);
        let start = std::time::Instant::now();
        let mut vm = Vm::start(&spec, &lab.tools).unwrap();
        match vm.wait_for_any(&["login:", "emergency mode", "Kernel panic"], 8 * MINUTE) {
            Ok(0) => {}
            other => panic!("{name}: {other:?}\n{}", tail(&vm.console_text())),
        }
        println!("{name}: login prompt after {:.1} s", start.elapsed().as_secs_f32());
        let ssh = Ssh::new(&lab.tools, &key, "root", port);
        ssh.wait_until_reachable(4 * MINUTE)
            .unwrap_or_else(|error| panic!("{name}: {error}\n{}", tail(&vm.console_text())));
        Self { vm: Some(vm).into(), ssh, tools: lab.tools.clone(), key, port, _work: work }
    }

    /// Serves the repository to the guest and points its dnf at it.
    pub fn use_repository(&self, lab: &Lab) {
        let url = lab.serve_repository();
        let repo = format!(
            "[cairn]\\nname=Cairn Linux\\nbaseurl={url}\\nenabled=1\\ngpgcheck=1\\nrepo_gpgcheck=1\\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-cairn\\n"
        );
        self.check(&format!("printf '{repo}' > /etc/yum.repos.d/cairn.repo"), MINUTE);
    }

    /// The same guest, logged in as somebody else.
    pub fn as_user(&self, user: &str) -> Ssh {
        Ssh::new(&self.tools, &self.key, user, self.port)
    }

    /// Runs a command that must succeed.
    pub fn check(&self, command: &str, limit: Duration) -> String {
        self.ssh.check(command, limit).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Runs a command and returns its standard output whatever its status.
    pub fn run(&self, command: &str, limit: Duration) -> String {
        self.ssh.run(command, limit).unwrap().stdout_text()
    }

    /// Runs a command and returns its exit status.
    pub fn status(&self, command: &str) -> i32 {
        self.ssh.run(command, 2 * MINUTE).unwrap().status
    }

    /// Memory in use (`MemTotal - MemAvailable`) once nobody is logged in, in MiB.
    pub fn idle_memory_mib(&self) -> u64 {
        self.check(&format!("systemd-run --no-block bash -c '{IDLE_REPORT}'"), MINUTE);
        let mut vm = self.vm.borrow_mut();
        let vm = vm.as_mut().unwrap();
        vm.wait_for(IDLE_MARKER, 5 * MINUTE).unwrap();
        vm.wait_for(IDLE_END, MINUTE).unwrap();
        let text = vm.console_text();
        let value = text.rsplit(IDLE_MARKER).next().and_then(|rest| rest.split(' ').next());
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{}", tail(&text)))
    }

    /// Restarts the guest and logs in again once it is up.
    pub fn reboot(&self) {
        // The connection ends with the guest, so the status of ssh says nothing.
        let _ = self.ssh.run("systemctl reboot", MINUTE);
        let mut vm = self.vm.borrow_mut();
        let vm = vm.as_mut().unwrap();
        match vm.wait_for_any(&["login:", "emergency mode", "Kernel panic"], 8 * MINUTE) {
            Ok(0) => {}
            other => panic!("after reboot: {other:?}\n{}", tail(&vm.console_text())),
        }
        self.ssh
            .wait_until_reachable(4 * MINUTE)
            .unwrap_or_else(|error| panic!("{error}\n{}", tail(&vm.console_text())));
    }

    /// Shuts the guest down and waits for its end.
    pub fn power_off(&self) {
        let mut vm = self.vm.borrow_mut().take().unwrap();
        // The connection ends with the guest, so the status of ssh says nothing.
        let _ = self.ssh.run("systemctl poweroff", MINUTE);
        vm.wait_for_end(3 * MINUTE).unwrap();
    }
}

/// Gives the guest a larger disk than the image: a sparse copy, enlarged.
fn enlarge(disk: &mut Disk, directory: &Path) {
    let copy = directory.join("disk.raw");
    let status =
        Invocation::new(Tool::Cp).args(["--sparse=always"]).arg(&disk.path).arg(&copy).run();
    status.unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&copy).unwrap();
    file.set_len(8 << 30).unwrap();
    disk.path = copy;
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
