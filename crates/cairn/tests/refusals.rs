// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `cairn` refuses: each bad input gives one line, a hint, a non-zero exit, and leaves nothing half-done.
//!
//! The real binary works on a small checkout with a fake mirror on the loopback interface.

mod checkout;

use checkout::{Checkout, script_account};
use expect_test::{Expect, expect};

/// Runs `cairn` and compares exit code and standard error; nothing may have been published.
fn check(checkout: &Checkout, arguments: &str, expected: Expect) {
    expected.assert_eq(&checkout.run(arguments));
    let left: Vec<String> = checkout.output();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn no_mirror() {
    let checkout = Checkout::new();
    let mut ctx = checkout.context();
    ctx.apt_config = checkout.path("etc-apt");
    std::fs::create_dir_all(&ctx.apt_config).unwrap();
    std::fs::write(ctx.apt_config.join("sources.list"), "deb http://h/ubuntu noble main\n")
        .unwrap();
    let distro = cairn::distro::Distro::load(&ctx.distro_dir()).unwrap();
    let overlays = cairn::overlay::Overlays::parse(&[]).unwrap();
    let error =
        cairn::ops::lock::relock(&ctx, &distro, &overlays, None, &cairn::ops::lock::Movement::All)
            .unwrap_err();
    expect![[r"
        error: no Debian mirror found in the apt configuration of this machine ([TMP]/etc-apt/sources.list)
        hint: name one with `--mirror URL`, the directory that holds `dists/`
    "]]
    .assert_eq(&checkout.filtered(&cairn::error::problem(&error).render("error")));
}

#[test]
fn a_lock_is_made_and_a_good_package_gets_as_far_as_the_repository() {
    let checkout = Checkout::new();
    checkout.lock();
    assert!(checkout.read("distro/cairn.lock").contains("name = \"good\""));
}

#[test]
fn bad_signature() {
    let checkout = Checkout::new();
    checkout
        .edit_mirror("dists/stable/InRelease", |text| text.replace("Origin: Test", "Origin: Evil"));
    check(
        &checkout,
        "lock",
        expect![[r#"
            exit 1
            error: stable: InRelease is not signed by a key of the Debian archive keyring: signature of key [KEY] does not match
            hint: use another mirror, or update distro/keys/debian-archive-keyring.gpg if Debian changed its keys
        "#]],
    );
    assert!(!checkout.exists("distro/cairn.lock"));
}

#[test]
fn signature_of_a_stranger() {
    let checkout = Checkout::new();
    checkout.publish_with(&checkout::stranger(), checkout::VALID);
    check(
        &checkout,
        "lock",
        expect![[r#"
            exit 1
            error: stable: InRelease is not signed by a key of the Debian archive keyring: signed by unknown key [KEY]
            hint: use another mirror, or update distro/keys/debian-archive-keyring.gpg if Debian changed its keys
        "#]],
    );
    assert!(!checkout.exists("distro/cairn.lock"));
}

#[test]
fn expired_release() {
    let checkout = Checkout::new();
    checkout.publish_with(checkout::archive_key(), "Sat, 01 Jan 2022 00:00:00 UTC");
    check(
        &checkout,
        "lock",
        expect![[r#"
        exit 1
        error: stable: Release expired on Sat, 01 Jan 2022 00:00:00 UTC: the mirror is stale or withholds updates
        hint: try another mirror with `--mirror URL`, and check this machine's clock
    "#]],
    );
    assert!(!checkout.exists("distro/cairn.lock"));
}

#[test]
fn index_that_is_not_the_signed_one() {
    let checkout = Checkout::new();
    checkout.edit_mirror("dists/stable/main/binary-amd64/Packages.xz", |_| "changed".into());
    check(
        &checkout,
        "lock",
        expect![[r#"
            exit 1
            error: stable main/binary-amd64/Packages.xz: index differs from the signed list (expected sha256 [SHA256], found [SHA256])
            hint: use another mirror with `--mirror URL`, or try again when this one has finished its update
        "#]],
    );
}

#[test]
fn unknown_overlay_key() {
    let checkout = Checkout::new();
    checkout.write("distro/packages/base.toml", "[package.good]\nsumary = \"x\"\n");
    check(
        &checkout,
        "lock",
        expect![[r#"
            exit 1
            error: [TMP]/distro/packages/base.toml:2:1: unknown field `sumary`
            hint: did you mean `summary`?
        "#]],
    );
    checkout.write("distro/packages/base.toml", "[package.good\n");
    check(
        &checkout,
        "lock",
        expect![[r#"
            exit 1
            error: [TMP]/distro/packages/base.toml:1:14: unclosed table, expected `]`
            hint: the keys of overlays are in docs/reference/overlays.md, those of other files in distro/README.md
        "#]],
    );
}

#[test]
fn unknown_key_of_the_definition() {
    let checkout = Checkout::new();
    let text = checkout.read("distro/distro.toml").replace("version =", "versoin =");
    checkout.write("distro/distro.toml", &text);
    check(
        &checkout,
        "lock",
        expect![[r#"
            exit 1
            error: [TMP]/distro/distro.toml:4:1: unknown field `versoin`, expected one of `name`, `id`, `version`, `upstream`, `tools`
            hint: did you mean `version`?
        "#]],
    );
}

#[test]
fn overlay_for_a_package_that_is_not_in_the_snapshot() {
    let checkout = Checkout::new();
    checkout.write("distro/packages/base.toml", "[package.god]\n");
    check(
        &checkout,
        "lock",
        expect![[r#"
        exit 1
        error: [TMP]/distro/packages/base.toml:1:10: overlay for package `god`, which is not in the snapshot
        hint: did you mean `good`?
    "#]],
    );
}

#[test]
fn damaged_lock() {
    let checkout = Checkout::new();
    checkout.write("distro/cairn.lock", "version = 1\nsource_date = 7\nfiles = []\n");
    check(
        &checkout,
        "build repo",
        expect![[r#"
        exit 1
        error: distro/cairn.lock:3:1: unknown field `files`, expected one of `version`, `source_date`, `file`
        hint: restore it with `git checkout distro/cairn.lock`, or remove it and run `cairn lock`
    "#]],
    );
    checkout.write("distro/cairn.lock", "version = 9\nsource_date = 7\nfile = []\n");
    check(
        &checkout,
        "build repo",
        expect![[r#"
        exit 1
        error: distro/cairn.lock has format 9, this program reads 1
        hint: use the program of the checkout that made the lock
    "#]],
    );
}

#[test]
fn mirror_serves_another_file_than_locked() {
    let checkout = Checkout::new();
    checkout.lock();
    checkout.edit_mirror("pool/good.deb", |text| text.replace('!', "?"));
    check(
        &checkout,
        "build repo",
        expect![[r#"
            exit 1
            error: `[MIRROR]/pool/good.deb` has the wrong SHA-256 (expected [SHA256], found [SHA256], after 3 tries)
            hint: the mirror may be in the middle of an update: try again later or use another mirror
        "#]],
    );
    checkout.edit_mirror("pool/good.deb", |_| "short".into());
    check(
        &checkout,
        "build repo",
        expect![[r#"
        exit 1
        error: `[MIRROR]/pool/good.deb` has the wrong size (expected 5312 bytes, found 5, after 3 tries)
        hint: the mirror may be in the middle of an update: try again later or use another mirror
    "#]],
    );
}

#[test]
fn locked_file_that_vanished() {
    let checkout = Checkout::new();
    checkout.lock();
    let before = checkout.read("distro/cairn.lock");
    std::fs::remove_file(checkout.path("mirror/pool/good.deb")).unwrap();
    check(
        &checkout,
        "build repo --locked",
        expect![[r#"
        exit 1
        error: the mirror no longer has good 1.0-1 (pool/good.deb)
        hint: run without `--locked` to move that entry forward, or `cairn lock --update NAME`
    "#]],
    );
    assert_eq!(checkout.read("distro/cairn.lock"), before);
}

#[test]
fn unaccounted_maintainer_script() {
    let checkout = Checkout::new();
    checkout.write("distro/packages/base.toml", "[package.scripted]\n");
    checkout.lock();
    check(
        &checkout,
        "build repo",
        expect![[r#"
        exit 1
        error: re-packaging scripted 1.0-1: package scripted: the maintainer script postinst is not accounted for (expected an account in [TMP]/distro/packages/base.toml:1:10, found none)
            postinst (debhelper's blocks left out):
              touch /etc/made-by-a-script
        hint: read them, reproduce what matters, then write under `[package.scripted.maintainer-scripts]`: postinst = { sha256 = "e161ee59ff5883e9", reason = "…" }
    "#]],
    );
    // With the account that the hint gives, the build gets past the script.
    checkout.write("distro/packages/base.toml", &script_account(&checkout.run("build repo")));
    assert!(!checkout.run("build repo").contains("maintainer script"));
}

#[test]
fn damaged_upstream_package() {
    let checkout = Checkout::new();
    checkout.write("distro/packages/base.toml", "[package.damaged]\n");
    checkout.lock();
    check(
        &checkout,
        "build repo",
        expect![[r#"
        exit 1
        error: re-packaging damaged 1.0-1: pool/damaged.deb: member header at byte 8 (expected 60 bytes, found 16 bytes)
        hint: the file matches its locked SHA-256 or it would not have been read: compare it with `dpkg-deb --info FILE`
    "#]],
    );
}

#[test]
fn output_that_cannot_be_written() {
    let checkout = Checkout::new();
    checkout.write("file", "");
    for out in ["file/out", "/proc/cairn"] {
        let text = checkout.run(&format!("build repo --out {out}"));
        assert!(text.starts_with("exit 1\nerror: creating the output directory "), "{text}");
        assert!(text.contains("\nhint: "), "{text}");
        assert!(!checkout.exists("cache/cairn/files"), "something was downloaded");
    }
}

#[test]
fn signing_keys() {
    let checkout = Checkout::new();
    let key = checkout::archive_key();
    let secret = key.to_armored_secret().unwrap();
    let build = "build repo --signing-key [TMP]/key";
    checkout.write_mode("key", &secret, 0o644);
    check(
        &checkout,
        build,
        expect![[r#"
        exit 1
        error: signing key [TMP]/key can be read by others (mode 0644, expected 0600)
        hint: run `chmod 600 [TMP]/key`
    "#]],
    );
    checkout.write_mode("key", &key.public_armored().unwrap(), 0o600);
    check(
        &checkout,
        build,
        expect![[r#"
            exit 1
            error: signing key [TMP]/key: key [KEY] is a public key (expected a secret key)
            hint: give the armored secret key (`gpg --export-secret-keys --armor`), without a passphrase
        "#]],
    );
    for name in ["passphrase", "expired"] {
        let path = cairn_testkit::package_directory().join(format!("tests/data/{name}.asc"));
        checkout.write_mode("key", &std::fs::read_to_string(path).unwrap(), 0o600);
        match name {
            "expired" => check(
                &checkout,
                build,
                expect![[r#"
                exit 1
                error: signing key [TMP]/key: key [KEY] expired on 2021-08-03
                hint: extend the key's validity, or sign with another key
            "#]],
            ),
            _ => check(
                &checkout,
                build,
                expect![[r#"
                exit 1
                error: signing key [TMP]/key: key [KEY]: the passphrase is missing or wrong
                hint: give the armored secret key (`gpg --export-secret-keys --armor`), without a passphrase
            "#]],
            ),
        }
    }
    checkout.write_mode("key", "not a key\n", 0o600);
    check(
        &checkout,
        build,
        expect![[r#"
            exit 1
            error: signing key [TMP]/key: not an OpenPGP key: not enough bytes in buffer: armor header
            hint: give the armored secret key (`gpg --export-secret-keys --armor`), without a passphrase
        "#]],
    );
    checkout.write_mode("key", "", 0o600);
    check(
        &checkout,
        build,
        expect![[r#"
            exit 1
            error: signing key [TMP]/key: not an OpenPGP key: not enough bytes in buffer: armor header
            hint: give the armored secret key (`gpg --export-secret-keys --armor`), without a passphrase
        "#]],
    );
    std::fs::remove_file(checkout.path("key")).unwrap();
    check(
        &checkout,
        build,
        expect![[r#"
        exit 1
        error: reading [TMP]/key: No such file or directory (os error 2)
        hint: check the path
    "#]],
    );
    assert!(
        !checkout.exists("cache/cairn/files"),
        "keys are checked before anything is downloaded"
    );
}

#[test]
fn forbidden_user_namespaces() {
    let checkout = Checkout::new();
    // In a namespace of its own, where nobody else notices, the limit is 0.
    let text = checkout.run_in_sandbox("echo 0 > /proc/sys/user/max_user_namespaces", "build repo");
    expect![[r#"
        exit 1
        error: this machine does not let this process create a user namespace (step: unshare): No space left on device (os error 28)
        hint: allow it with `sudo sysctl user.max_user_namespaces=10000`
    "#]]
    .assert_eq(&text);
    assert!(!checkout.exists("out"));
}

#[test]
fn full_disk() {
    let checkout = Checkout::new();
    checkout.write("distro/packages/base.toml", "inherit = [\"large\"]\n");
    checkout.lock();
    std::fs::create_dir(checkout.path("small")).unwrap();
    let mount = "mount -t tmpfs -o size=256k tmpfs /checkout/small && export XDG_CACHE_HOME=/checkout/small";
    let text = checkout.run_in_sandbox(mount, "build repo");
    expect![[r#"
        exit 1
        error: cannot write `/checkout/small/cairn/files/c0/[SHA256].part`: No space left on device (os error 28)
        hint: free some space on the file system of `/checkout/small/cairn/files/c0/[SHA256].part`
    "#]]
    .assert_eq(&text);
    assert!(checkout.output().is_empty());
}

#[test]
fn validity_of_an_index_that_is_no_number_of_days() {
    let checkout = Checkout::new();
    check(
        &checkout,
        "repo index [TMP]/mirror --valid-days 0",
        expect![[r#"
        exit 2
        error: invalid value '0' for '--valid-days <DAYS>': expected a number of days from 1 on, or `never`
    "#]],
    );
    assert!(!checkout.exists("mirror/repodata"));
}
