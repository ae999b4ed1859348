// SPDX-License-Identifier: MIT OR Apache-2.0
//! A checkout with a definition of three packages, and the archive they come from.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use cairn::context::Context;
use cairn_rpm::signature::SigningKey;

/// A `Valid-Until` that these tests will not see.
pub const VALID: &str = "Fri, 01 Jan 2100 00:00:00 UTC";

/// When everything was made: 2021-01-01.
const TIME: u32 = 1_609_459_200;

const DEFINITION: &str = r#"
name = "Test Linux"
id = "test"
version = "1"
[upstream]
kind = "apt"
suites = ["stable"]
components = ["main"]
architecture = "amd64"
keyring = "keys/archive.gpg"
[tools]
packages = []
skip = []
[tools.test]
packages = []
[tools.reference]
packages = []
skip = []
"#;

/// The key of the archive; making one takes a while, so there is one for all tests.
pub fn archive_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate("Archive <archive@example.invalid>", TIME).unwrap())
}

/// A key that nobody trusts.
pub fn stranger() -> SigningKey {
    SigningKey::generate("Stranger <stranger@example.invalid>", TIME).unwrap()
}

/// The checkout, its mirror and the server of that.
pub struct Checkout {
    directory: tempfile::TempDir,
    mirror: String,
}

impl Checkout {
    /// Makes a checkout without a lock, and a mirror that is in order.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let served = directory.path().join("mirror");
        std::fs::create_dir_all(&served).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            cairn::serve::serve(&served, "127.0.0.1:0".parse().unwrap(), |address| {
                sender.send(address).unwrap();
            })
        });
        let mirror = format!("http://{}", receiver.recv().unwrap());
        let checkout = Self { directory, mirror };
        checkout.write("distro/distro.toml", DEFINITION);
        checkout.write("distro/packages/_defaults.toml", "");
        checkout.write("distro/packages/base.toml", "inherit = [\"good\"]\n");
        checkout.write("distro/files/empty", "");
        checkout.write("distro/workspace.toml", "");
        checkout.write("crates/empty", "");
        checkout.write("Cargo.toml", "");
        checkout.write("Cargo.lock", "");
        let keyring = archive_key().public_binary().unwrap();
        let path = checkout.path("distro/keys/archive.gpg");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, keyring).unwrap();
        checkout.publish_with(archive_key(), VALID);
        checkout
    }

    /// Publishes the archive, signed by `key`.
    pub fn publish_with(&self, key: &SigningKey, valid_until: &str) {
        let mut index = String::new();
        for (name, bytes) in [
            ("good", deb("good", None)),
            ("scripted", deb("scripted", Some("#!/bin/sh\nset -e\ntouch /etc/made-by-a-script\n"))),
            ("large", deb_with("large", None, &incompressible())),
            ("damaged", b"!<arch>\nand nothing else".to_vec()),
        ] {
            self.write_bytes(&format!("mirror/pool/{name}.deb"), &bytes);
            index.push_str(&format!(
                "Package: {name}\nVersion: 1.0-1\nArchitecture: amd64\nFilename: pool/{name}.deb\nSize: {}\nSHA256: {}\n\n",
                bytes.len(),
                cairn::digest::sha256_hex(&bytes)
            ));
        }
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
        encoder.write_all(index.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        self.write_bytes("mirror/dists/stable/main/binary-amd64/Packages.xz", &packed);
        let release = format!(
            "Origin: Test\r\nDate: Fri, 01 Jan 2021 00:00:00 UTC\r\nValid-Until: {valid_until}\r\nSHA256:\r\n {} {} main/binary-amd64/Packages.xz",
            cairn::digest::sha256_hex(&packed),
            packed.len()
        );
        let signature = key.sign_detached_armored(release.as_bytes(), TIME).unwrap();
        let signed = format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n{signature}",
            release.replace("\r\n", "\n")
        );
        self.write("mirror/dists/stable/InRelease", &signed);
    }

    /// Changes a file of the mirror.
    pub fn edit_mirror(&self, name: &str, change: impl Fn(String) -> String) {
        let path = self.path("mirror").join(name);
        // One character a byte: packages are not text.
        let text: String = std::fs::read(&path).unwrap().into_iter().map(char::from).collect();
        let changed: Vec<u8> = change(text).chars().map(|c| u8::try_from(c).unwrap()).collect();
        std::fs::write(&path, changed).unwrap();
    }

    /// Makes the lock.
    pub fn lock(&self) {
        let text = self.run("lock");
        assert!(text.starts_with("exit 0\n"), "{text}");
    }

    /// Runs `cairn` on the checkout; returns exit code and standard error, without progress.
    pub fn run(&self, arguments: &str) -> String {
        let output = self.command(arguments).output().unwrap();
        let status = output.status.code().unwrap_or(-1);
        self.troubles(status, &String::from_utf8_lossy(&output.stderr))
    }

    fn troubles(&self, status: i32, stderr: &str) -> String {
        let err = self.filtered(stderr);
        let mut text = format!("exit {status}\n");
        for line in err.lines().filter(|line| is_trouble(line)) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The command, ready to start.
    #[allow(clippy::disallowed_methods, reason = "tests start the binary")]
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
        let directory = self.directory.path().to_str().unwrap();
        command.arg("--project").arg(self.directory.path());
        command.arg("--mirror").arg(&self.mirror);
        command.args(arguments.split_whitespace().map(|word| word.replace("[TMP]", directory)));
        command
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("XDG_CONFIG_HOME", self.path("config"));
        command.env("NO_COLOR", "1");
        command
    }

    /// Runs `prepare` and then `cairn` in namespaces of their own, with the host's programs; returns what [`Checkout::run`] does.
    pub fn run_in_sandbox(&self, prepare: &str, arguments: &str) -> String {
        let toolchain = Path::new(env!("CARGO")).parent().unwrap().display();
        let script = format!(
            "set -e; export PATH={toolchain}:$PATH XDG_CACHE_HOME=/checkout/cache XDG_CONFIG_HOME=/checkout/config NO_COLOR=1; \
             {prepare}; exec /cairn --project /checkout --mirror {} {arguments}",
            self.mirror
        );
        let sandbox = cairn_host::Sandbox::new("/")
            .bind_read_only(env!("CARGO_BIN_EXE_cairn"), "/cairn")
            .bind(self.directory.path(), "/checkout")
            .network(cairn_host::Network::Host);
        let output = sandbox
            .run_unchecked(&cairn_host::Invocation::new(cairn_host::Tool::Sh).args(["-c", &script]))
            .unwrap();
        self.troubles(output.status, &output.stderr_text())
    }

    /// The surroundings that the command would have.
    pub fn context(&self) -> Context {
        let printer =
            Arc::new(cairn_ui::Printer::new(cairn_ui::Verbosity::Quiet, cairn_ui::Color::Never));
        Context::open(printer, self.directory.path(), None).unwrap()
    }

    /// Names of what lies in the output directory.
    pub fn output(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path("out")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Replaces what differs from run to run.
    pub fn filtered(&self, text: &str) -> String {
        let text = text
            .replace(self.directory.path().to_str().unwrap(), "[TMP]")
            .replace(&self.mirror, "[MIRROR]");
        without_digests(&text)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    pub fn write_mode(&self, name: &str, text: &str, mode: u32) {
        self.write(name, text);
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Masks digests and fingerprints.
fn without_digests(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let n_hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (shown, length) = match n_hex {
            64 => ("[SHA256]", 64),
            40 => ("[KEY]", 40),
            0 => (&rest[..c.len_utf8()], c.len_utf8()),
            n => (&rest[..n], n),
        };
        out.push_str(shown);
        rest = &rest[length..];
    }
    out
}

/// Lines about what went wrong, in contrast to those about what is done.
fn is_trouble(line: &str) -> bool {
    ["error: ", "hint: ", "warning: ", "  ", "thread "].iter().any(|start| line.starts_with(start))
}

/// Takes the account of a maintainer script out of the hint that asks for it.
pub fn script_account(text: &str) -> String {
    let (_, rest) = text.split_once("write under `[").expect("the hint names the table");
    let (table, line) = rest.trim().split_once("]`: ").expect("the hint has the line");
    format!("[{table}]\n{}\n", line.replace('…', "it is only a test"))
}

/// Text that takes some space whatever is done to it.
fn incompressible() -> String {
    let mut digest = String::new();
    let mut text = String::new();
    for _ in 0..16_384 {
        digest = cairn::digest::sha256_hex(digest.as_bytes());
        text.push_str(&digest);
    }
    text
}

/// A package with one file, and a `postinst` if there is one.
fn deb(name: &str, postinst: Option<&str>) -> Vec<u8> {
    deb_with(name, postinst, "content\n")
}

fn deb_with(name: &str, postinst: Option<&str>, content: &str) -> Vec<u8> {
    let control = format!(
        "Package: {name}\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: T <t@example.invalid>\nDescription: a test\n"
    );
    let mut members = vec![("./control", control.as_str())];
    members.extend(postinst.map(|script| ("./postinst", script)));
    let copyright = format!("./usr/share/doc/{name}/copyright");
    let path = format!("./usr/share/{name}");
    let content = [(path.as_str(), content), (copyright.as_str(), "License: MIT\n")];
    let mut bytes = b"!<arch>\n".to_vec();
    for (member, data) in [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar", archive(&members)),
        ("data.tar", archive(&content)),
    ] {
        bytes.extend(
            format!("{member:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", data.len())
                .bytes(),
        );
        bytes.extend(&data);
        bytes.resize(bytes.len().next_multiple_of(2), b'\n');
    }
    bytes
}

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(u64::from(TIME));
        header.set_size(text.len() as u64);
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}
