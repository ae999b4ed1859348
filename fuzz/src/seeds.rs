// SPDX-License-Identifier: MIT OR Apache-2.0
//! Good inputs, which the fuzzer starts from.

use std::sync::OnceLock;

use cairn_pkg::repos::key_list::WrittenList;
use cairn_rpm::build::{BuildOptions, FileSpec, PackageSpec, build_package};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Evr;
use cairn_rpm::package::{LEAD_LENGTH, Package};
use cairn_rpm::repodata::index::{IndexBuilder, index_primary};
use cairn_rpm::repodata::{Limits, RepoPackage, RepodataOptions, build_repodata};
use cairn_rpm::signature::SigningKey;

/// 2024-01-01.
const TIME: u32 = 1_704_067_200;

/// Returns the good inputs of a target.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let package = small_package();
    let parsed = Package::parse(&mut &package[..]).expect("the package is good");
    let header = parsed.header.source_bytes().to_vec();
    match target {
        "package" => vec![package],
        "sealed" => {
            let length = u32::try_from(header.len()).expect("it is small").to_be_bytes();
            let payload = &package[usize::try_from(parsed.header_end).expect("it is small")..];
            vec![[&length, &header[..], payload].concat()]
        }
        "header" => vec![header],
        "payload" => {
            let start = usize::try_from(parsed.header_end).expect("it is small");
            vec![zstd::decode_all(&package[start..]).expect("the payload is good")]
        }
        "repomd" => metadata(&package, "repomd"),
        "primary" => metadata(&package, "primary"),
        "index" => {
            let primary = metadata(&package, "primary");
            let mut builder = IndexBuilder::new(Vec::new()).expect("memory can be written to");
            let limits = Limits::for_size(1 << 20);
            index_primary(primary[0].as_slice(), &limits, &mut builder).expect("it is good");
            let index = builder.finish([0; 32]).expect("memory can be written to");
            primary.into_iter().chain([index]).collect()
        }
        "filelists" => metadata(&package, "filelists"),
        "comps" => vec![
            b"<comps><group><id>a</id><name>A</name><packagelist><packagereq type=\"mandatory\">b</packagereq></packagelist></group></comps>".to_vec(),
        ],
        "repofile" => vec![
            b"[a]\nname=A $basearch\nbaseurl=http://h/a\n http://h/b\ngpgcheck=1\nenabled=1\npriority=9\n".to_vec(),
        ],
        "key" => {
            let key = signing_key();
            let keys = vec![key.public_armored().expect("it is a key")];
            vec![
                WrittenList { version: 1, threshold: 1, keys }.to_text().into_bytes(),
                key.sign_detached_armored(b"data", TIME).expect("it signs").repeat(2).into_bytes(),
                key.public_armored().expect("it is a key").into_bytes(),
                key.sign_detached(b"data", TIME).expect("it signs"),
            ]
        }
        "deb" => vec![deb()],
        "overlay" => vec![
            b"inherit = [\"a\"]\n[package.b]\nname = \"c\"\ndrop = [\"/usr/**\"]\n[[package.b.file]]\npath = \"/x\"\nkind = \"dir\"\n".to_vec(),
        ],
        "lock" => vec![
            b"version = 1\nsource_date = 7\nfile = [\n  { name = \"a\", version = \"1\", arch = \"all\", source = \"a\", suite = \"s\", path = \"p\", size = 1, sha256 = \"00\", uses = [\"os\"] },\n]\n".to_vec(),
        ],
        "journal" => vec![b"CAIRNJNL\x01\0\0\0".to_vec()],
        "dependency" => {
            ["a >= 1:2.0~rc1-3", "((a or b = 1) and (c if d else e))", "(a with b) ", "a-1.0-2.x86_64"]
                .map(|text| text.as_bytes().to_vec())
                .to_vec()
        }
        "updateinfo" => vec![
            b"<updates><update type=\"security\"><id>A-1</id><title>t</title><issued date=\"2024-01-01\"/><severity>Low</severity><references><reference href=\"h\" id=\"CVE-1\" type=\"cve\"/></references><pkglist><collection><package name=\"a\" version=\"1\" release=\"1\" epoch=\"0\" arch=\"noarch\"><filename>a.rpm</filename></package></collection></pkglist></update></updates>".to_vec(),
        ],
        "mirrors" => vec![
            b"http://h/a/\n# b\nfile:///c\n".to_vec(),
            b"<metalink><url protocol=\"http\" preference=\"9\">http://h/a/repodata/repomd.xml</url></metalink>".to_vec(),
        ],
        "answers" => vec![
            b"version = 1\n[system]\nhostname = \"a\"\ntimezone = \"UTC\"\n[[user]]\nname = \"b\"\nssh_authorized_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEVWRUVWRUVWRUVWRUVWRUVWRUVWRUVWRUVWRUVWRUVW c\"]\nsudo = \"nopasswd\"\n[storage]\ndisk = { min_size = \"8 GiB\" }\nlayout = \"lvm\"\nfilesystem = \"xfs\"\n[software]\nprofile = \"default\"\nroles = []\npackages = [\"d\"]\nrepository = \"\"\n[finish]\naction = \"reboot\"\n".to_vec(),
        ],
        "release" => vec![
            b"Suite: s\nDate: Sat, 01 Jan 2024 00:00:00 UTC\nValid-Until: Sat, 08 Jan 2024 00:00:00 UTC\nSHA256:\n 00 7 main/binary-amd64/Packages.xz\n".to_vec(),
            b"Package: a\nVersion: 1:2-3\nArchitecture: amd64\nDepends: b (>= 1), c | d\nFilename: pool/a.deb\nSize: 7\nSHA256: 00\n\n".to_vec(),
        ],
        "boot" => vec![
            b"title T\nversion 1\nlinux /l\ninitrd /i\noptions a b\n".to_vec(),
            format!("{:#<1024}", "# GRUB Environment Block\nsaved_entry=a\n").into_bytes(),
        ],
        _ => Vec::new(),
    }
}

fn signing_key() -> SigningKey {
    SigningKey::generate_from_seed("Fuzz <fuzz@example.invalid>", TIME, [1; 32])
        .expect("a key is made")
}

/// A package with two files and dependencies of every kind.
pub fn small_package() -> Vec<u8> {
    // Made once: it costs as much as thousands of inputs.
    static PACKAGE: OnceLock<Vec<u8>> = OnceLock::new();
    PACKAGE.get_or_init(make_package).clone()
}

fn make_package() -> Vec<u8> {
    let mut spec = PackageSpec::new("x", Evr::new(0, "1.0", "1"), "noarch");
    spec.summary = "A test".into();
    spec.license = "MIT".into();
    spec.requires = vec![Dependency::parse("(a if b)").expect("it is one")];
    spec.files =
        vec![FileSpec::directory("/usr/share/x"), FileSpec::regular("/usr/share/x/file", "text\n")];
    build_package(&spec, &BuildOptions::new(TIME), None).expect("the package is good")
}

/// The lead of a package file.
pub fn lead() -> Vec<u8> {
    small_package()[..usize::try_from(LEAD_LENGTH).expect("it is small")].to_vec()
}

fn metadata(package: &[u8], kind: &str) -> Vec<Vec<u8>> {
    let parsed = Package::parse(&mut &package[..]).expect("the package is good");
    let entry = RepoPackage::from_package(&parsed, "x.rpm", package.len() as u64, &"0".repeat(64));
    let options = RepodataOptions {
        revision: "1".into(),
        timestamp: u64::from(TIME),
        zstd_level: 1,
        content_tags: Vec::new(),
        distro_tags: Vec::new(),
    };
    let files = build_repodata(&[entry], None, &options).expect("the metadata is good");
    let found = files.into_iter().filter(|file| file.path.contains(kind));
    found.map(|file| zstd::decode_all(&file.bytes[..]).unwrap_or(file.bytes)).collect()
}

/// An `ar` archive with the members of a package, empty.
fn deb() -> Vec<u8> {
    let control = b"Package: a\nVersion: 1\nArchitecture: all\nDescription: a\n";
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, data) in [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar", tar(control)),
        ("data.tar", tar(b"x")),
    ] {
        bytes.extend(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", data.len())
                .bytes(),
        );
        bytes.extend(&data);
        bytes.resize(bytes.len().next_multiple_of(2), b'\n');
    }
    bytes
}

/// A tar archive with one file `./control`.
fn tar(content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..9].copy_from_slice(b"./control");
    header[100..107].copy_from_slice(b"0000644");
    header[108..115].copy_from_slice(b"0000000");
    header[116..123].copy_from_slice(b"0000000");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[263..265].copy_from_slice(b"00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = [&header[..], content].concat();
    bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
    bytes
}
