// SPDX-License-Identifier: MIT OR Apache-2.0
//! A machine that is installed: an empty disk, a medium with or without answers, the console, the login afterwards.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cairn::compose::WorkDirectory;
use cairn::ops::iso::{Customization, customize_with};
use cairn::vm::{
    Accel, Bus, Disk, DiskAccess, DiskFormat, Firmware, Forward, OnReboot, Reach, Ssh, Vm, VmSpec,
    free_port, generate_key,
};
use cairn_host::{Invocation, Tool};

use crate::lab::{Lab, MINUTE};

/// The longest an installation may take on a loaded machine without KVM.
pub const LIMIT: Duration = Duration::from_secs(40 * 60);
/// What the console shows when something else happens than expected.
const ACCIDENTS: [&str; 3] = ["emergency mode", "Kernel panic", "grub>"];

/// A machine under test.
pub struct Machine<'a> {
    pub lab: &'a Lab,
    pub name: &'static str,
    pub work: WorkDirectory,
    pub key: PathBuf,
    pub public: String,
    pub spec: VmSpec,
    pub port: u16,
}

impl<'a> Machine<'a> {
    /// A machine with an empty disk of 8 GiB and 1 GiB of memory.
    pub fn new(lab: &'a Lab, name: &'static str, firmware: Firmware, bus: Bus) -> Self {
        let work = WorkDirectory::create(&lab.ctx, &format!("test-{name}")).unwrap();
        let keys = work.path.join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let (key, public) = generate_key(&lab.tools, &keys).unwrap();
        let disk = work.path.join("disk.raw");
        std::fs::File::create(&disk).unwrap().set_len(8 << 30).unwrap();
        let mut spec = VmSpec::of_image(&disk, DiskFormat::Raw, work.path.join("machine"));
        spec.disks[0].bus = bus;
        spec.disks[0].access = DiskAccess::Write;
        spec.firmware = firmware;
        spec.accel = Accel::Auto;
        spec.on_reboot = OnReboot::Exit;
        spec.reach = Reach::Isolated;
        let port = free_port().unwrap();
        spec.forwards.push(Forward { host_port: port, guest_port: 22 });
        Self { lab, name, work, key, public, spec, port }
    }

    pub fn iso(&self) -> PathBuf {
        self.lab.out.join("cairn-linux-0.1-x86_64.iso")
    }

    /// Answers for this machine; `more` replaces the tables after `[[user]]`.
    pub fn answers(&self, more: &str) -> String {
        format!(
            "version = 1\n[system]\nhostname = \"srv-01\"\ntimezone = \"Europe/Berlin\"\n[[user]]\nname = \"admin\"\n\
             ssh_authorized_keys = [\"{}\"]\nsudo = \"nopasswd\"\n{more}",
            self.public
        )
    }

    /// Puts answers onto a copy of the medium.
    pub fn customize(&self, answers: &str) -> PathBuf {
        let file = self.work.path.join("answers.toml");
        std::fs::write(&file, answers).unwrap();
        let output = self.work.path.join("install.iso");
        let wanted = Customization {
            input: self.iso(),
            answers: file,
            // A loaded host may need minutes to show the guest its CD.
            kernel_args: ["no_timer_check", "systemd.default_device_timeout_sec=600"]
                .map(str::to_owned)
                .into(),
            output: output.clone(),
        };
        let date = self.lab.upstream.lock.source_date;
        customize_with(&self.lab.ctx, &self.lab.tools, date, &wanted).unwrap();
        output
    }

    pub fn with_medium(&self, iso: &Path, bus: Bus) -> VmSpec {
        let mut spec = self.spec.clone();
        let access = DiskAccess::ReadOnly;
        spec.disks.push(Disk { path: iso.to_owned(), format: DiskFormat::Raw, bus, access });
        spec
    }

    pub fn start(&self, spec: &VmSpec) -> Vm {
        Vm::start(spec, &self.lab.tools).unwrap()
    }

    /// Waits for one of `wanted` (returns which) or an accident.
    pub fn wait(&self, vm: &mut Vm, wanted: &[&str], limit: Duration) -> usize {
        let markers: Vec<&str> = wanted.iter().copied().chain(ACCIDENTS).collect();
        match vm.wait_for_any(&markers, limit) {
            Ok(index) if index < wanted.len() => index,
            other => panic!("{}: {other:?}\n{}", self.name, vm.console_text()),
        }
    }

    /// Installs from a medium that needs no keys; the machine switches itself off.
    pub fn install(&self, spec: &VmSpec) {
        let start = Instant::now();
        let mut vm = self.start(spec);
        self.wait(&mut vm, &["Installing with"], LIMIT);
        let begin = start.elapsed();
        match self.wait(&mut vm, &["cairn-install: complete", "cairn-install: failed"], LIMIT) {
            0 => {}
            _ => panic!("{}\n{}", self.name, vm.console_text()),
        }
        println!(
            "{}: installer after {:.0} s, complete after {:.0} s more",
            self.name,
            begin.as_secs_f32(),
            (start.elapsed() - begin).as_secs_f32()
        );
        vm.wait_for_end(5 * MINUTE).unwrap();
    }

    /// What the installer says when it fails.
    pub fn failure(&self, spec: &VmSpec) -> String {
        let mut vm = self.start(spec);
        self.wait(&mut vm, &["cairn-install: failed: "], LIMIT);
        vm.wait_for("\n", MINUTE).unwrap();
        let text = vm.console_text();
        let line = text.lines().rev().find(|line| line.contains("cairn-install: failed: "));
        line.unwrap().trim().to_owned()
    }

    /// Starts the installed system and logs in.
    pub fn boot(&self, spec: &VmSpec) -> (Vm, Ssh) {
        let start = Instant::now();
        let mut vm = self.start(spec);
        self.wait(&mut vm, &["login:"], 10 * MINUTE);
        let ssh = Ssh::new(&self.lab.tools, &self.key, "admin", self.port);
        ssh.wait_until_reachable(5 * MINUTE)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", self.name, vm.console_text()));
        println!("{}: logged in after {:.0} s", self.name, start.elapsed().as_secs_f32());
        (vm, ssh)
    }

    /// The disk of the machine was never written to.
    pub fn assert_untouched(&self) {
        let disk = std::fs::metadata(&self.spec.disks[0].path).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::blocks(&disk), 0, "the disk was written");
    }

    /// Makes a volume with the label that the installer looks for.
    pub fn answers_volume(&self, answers: &str) -> Disk {
        let directory = self.work.path.join("volume");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("answers.toml"), answers).unwrap();
        let path = self.work.path.join("answers.img");
        std::fs::File::create(&path).unwrap().set_len(4 << 20).unwrap();
        let sandbox = self.lab.tools.clone().bind(&self.work.path, "/work");
        let make = Invocation::new(Tool::Mke2fs).args(["-q", "-F", "-t", "ext4", "-L"]);
        let files = ["CAIRN-ANSWERS", "-d", "/work/volume", "/work/answers.img"];
        sandbox.run(&make.args(files)).unwrap();
        let (format, access) = (DiskFormat::Raw, DiskAccess::Write);
        Disk { path, format, bus: Bus::Sata, access }
    }

    /// The disk's digest, without holes being read from the host's disk twice.
    pub fn digest(path: &Path) -> String {
        cairn::digest::sha256_file(path).unwrap()
    }
}

/// Runs a command that must succeed.
pub fn check(ssh: &Ssh, command: &str) -> String {
    ssh.check(command, 10 * MINUTE).unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Starts an entry of the medium's menu, counted from 1.
pub fn choose_entry(machine: &Machine<'_>, vm: &mut Vm, entry: usize) {
    machine.wait(vm, &["Check this medium"], 5 * MINUTE);
    for _ in 1..entry {
        vm.send("\x0e").unwrap();
    }
    vm.send("\n").unwrap();
}

/// The rescue shell on the serial line.
pub struct Shell<'a> {
    machine: &'a Machine<'a>,
    pub vm: Vm,
    count: usize,
}

impl<'a> Shell<'a> {
    /// Chooses the rescue shell in the menu of a medium that starts, and waits for its prompt.
    pub fn rescue(machine: &'a Machine<'a>, mut vm: Vm) -> Self {
        choose_entry(machine, &mut vm, 3);
        machine.wait(&mut vm, &["cairn-live ~]#"], LIMIT);
        Self { machine, vm, count: 0 }
    }

    /// Runs a line that must succeed.
    pub fn run(&mut self, line: &str) {
        self.count += 1;
        let number = self.count;
        // The echo of what is typed must not look like the answer.
        self.vm.send(&format!("{line} && echo 'ok'-{number}- || echo 'bad'-{number}-\n")).unwrap();
        let (good, bad) = (format!("ok-{number}-"), format!("bad-{number}-"));
        let outcome = self.machine.wait(&mut self.vm, &[&good, &bad], LIMIT);
        assert_eq!(outcome, 0, "{line}\n{}", self.vm.console_text());
    }
}
