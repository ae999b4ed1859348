// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must be refused: unsigned, changed, old and misplaced metadata and packages; wrong configuration.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use cairn_pkg::repos::key_list::WrittenList;
use cairn_rpm::signature::SigningKey;
use common::{Bench, TIME, fixtures, key};
use expect_test::{Expect, expect};
use sha2::Digest as _;

fn check(bench: &Bench, command: &str, expected: Expect) {
    let ran = bench.dnf(command);
    assert_eq!(bench.rpm("-qa").out, "", "nothing may be installed");
    let quiet = |line: &&str| !line.starts_with("Updating and loading");
    let err: String = ran.err.lines().filter(quiet).map(|l| format!("{l}\n")).collect();
    expected.assert_eq(&format!("exit {}\n{err}", ran.code));
}

#[test]
fn index_without_signature() {
    let bench = Bench::usual();
    std::fs::remove_file(bench.repository().join("repodata/repomd.xml.asc")).unwrap();
    let ran = bench.dnf("install -y bar");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("error: repository t: repomd.xml.asc: metadata is not signed"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("hint: "), "{}", ran.err);
}

#[test]
fn changed_index() {
    let bench = Bench::usual();
    let path = bench.repository().join("repodata/repomd.xml");
    let text = std::fs::read_to_string(&path).unwrap().replace("<revision>100<", "<revision>999<");
    std::fs::write(&path, text).unwrap();
    let ran = bench.dnf("install -y bar");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("repository t: repomd.xml.asc: signature of key"), "{}", ran.err);
}

#[test]
fn older_index() {
    let mut bench = Bench::usual();
    bench.publish_as(200);
    let newer = bench.dnf("makecache");
    assert_eq!(newer.code, 0);
    fixtures::keep("repositories", "41 first this", &bench.repository(), &newer.err);
    bench.publish_as(100);
    let older = bench.dnf("makecache --refresh");
    fixtures::keep("repositories", "41 then this", &bench.repository(), &older.err);
    check(
        &bench,
        "makecache --refresh",
        expect![[r"
        exit 1
        error: repository t: metadata is older than what this machine has already trusted (100 < 200): possible rollback
        hint: the mirror may be stale; if the repository was really reset, run `dnf clean trust --repo=t`
    "]],
    );
    assert_eq!(bench.dnf("clean trust").code, 0);
    assert_eq!(bench.dnf("makecache --refresh").code, 0);
}

/// Row 42: metadata that has expired, a clock that was set back, and a date that is none.
#[test]
fn expired_index() {
    let bench = Bench::usual();
    let index = bench.repository().join("repodata/repomd.xml");
    let plain = std::fs::read_to_string(&index).unwrap();
    let publish = |until: &str| {
        let tags = format!("<tags><content>cairn-valid-until={until}</content></tags></repomd>");
        std::fs::write(&index, plain.replace("</repomd>", &tags)).unwrap();
        bench.sign_index();
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    publish(&(now - 3 * 86_400 - 60).to_string());
    check(
        &bench,
        "install -y bar",
        expect![[r"
            exit 1
            error: repository t: metadata expired 3 days ago: mirror stale or update withheld
            hint: use another mirror, or ask the repository's owner for new metadata
        "]],
    );
    publish("tomorrow");
    check(
        &bench,
        "install -y bar",
        expect![[r"
            exit 1
            error: repository t: cairn-valid-until=tomorrow is not a number
            hint: the repository is damaged or not one: tell its owner
        "]],
    );
    publish("1700000000");
    let ran = bench.dnf("install -y bar");
    assert!(ran.err.contains("metadata expired "), "{}", ran.err);
    fixtures::keep("repositories", "42 expired", &bench.repository(), &ran.err);
    publish(&(now + 86_400).to_string());
    assert_eq!(bench.dnf("makecache").code, 0);
    let seen = std::fs::read_dir(bench.root().join("var/lib/cairn/trust")).unwrap().next();
    let seen = seen.unwrap().unwrap().path();
    let text = format!("{{\"revision\":\"100\",\"time\":{}}}", now + 7 * 86_400 + 3600);
    std::fs::write(&seen, text).unwrap();
    check(
        &bench,
        "makecache --refresh",
        expect![[r#"
            exit 1
            error: repository t: system clock is 7 days earlier than when this repository was last seen
            hint: set the clock; if it was wrong before and is right now, run `dnf clean trust --repo=t`
        "#]],
    );
    assert_eq!(bench.dnf("clean trust").code, 0);
    assert_eq!(bench.dnf("makecache --refresh").code, 0);
}

/// Goal B4: the keys of a repository are replaced. Machines follow from list to list; what only retired keys have signed is refused.
#[test]
fn replaced_keys() {
    let bench = Bench::usual();
    let new = |n: u8| SigningKey::generate_from_seed("New <new@example.invalid>", TIME, [n; 32]);
    let (old, a, b) = (key(), &new(1).unwrap(), &new(2).unwrap());
    let sign = |data: &[u8], by: &[&SigningKey]| -> String {
        by.iter().map(|key| key.sign_detached_armored(data, TIME).unwrap()).collect()
    };
    let index = bench.repository().join("repodata/repomd.xml");
    let plain = std::fs::read_to_string(&index).unwrap();
    let publish = |revision: u32, list: u32, by: &[&SigningKey]| {
        let tags = format!("<tags><content>cairn-keys={list}</content></tags></repomd>");
        let text = plain.replace("</repomd>", &tags);
        let text = text.replace("<revision>100<", &format!("<revision>{revision}<"));
        std::fs::write(&index, &text).unwrap();
        std::fs::write(index.with_extension("xml.asc"), sign(text.as_bytes(), by)).unwrap();
    };
    let lists = bench.repository().join("repodata/keys");
    std::fs::create_dir(&lists).unwrap();
    let write = |version: u32, threshold: usize, keys: &[&SigningKey], by: &[&SigningKey]| {
        let keys = keys.iter().map(|key| key.public_armored().unwrap()).collect();
        let text = WrittenList { version, threshold, keys }.to_text();
        std::fs::write(lists.join(format!("{version}.json")), &text).unwrap();
        std::fs::write(lists.join(format!("{version}.json.asc")), sign(text.as_bytes(), by))
            .unwrap();
    };
    let refresh = |expected: Expect| {
        let ran = bench.dnf("makecache --refresh");
        let quiet = |line: &&str| !line.starts_with("Updating and loading");
        let err: String = ran.err.lines().filter(quiet).map(|l| format!("{l}\n")).collect();
        let err = err
            .replace(&old.fingerprint(), "OLD")
            .replace(&bench.path("").display().to_string(), "/");
        expected.assert_eq(&format!("exit {}\n{err}", ran.code));
    };

    // From one key to two of three.
    write(1, 2, &[old, a, b], &[old, b]);
    publish(101, 1, &[old]);
    refresh(expect![[r#"
        exit 1
        warning: repository t has new keys: list 1
        error: repository t: repomd.xml.asc: signed by 1 of the keys of key list 1, expected at least 2
        hint: the mirror is being updated, or the metadata was changed: try again later
    "#]]);
    publish(101, 1, &[old, old]);
    refresh(expect![[r#"
        exit 1
        error: repository t: repomd.xml.asc: signed by 1 of the keys of key list 1, expected at least 2
        hint: the mirror is being updated, or the metadata was changed: try again later
    "#]]);
    publish(101, 1, &[b, old]);
    refresh(expect![[r#"
        exit 0
         t                                      100% | [SIZE]
        Repositories loaded.
    "#]]);
    assert_eq!(bench.dnf("install -y bar").code, 0);
    // The old key retires; no list may be left out.
    write(3, 1, &[a, b], &[a, b]);
    publish(102, 3, &[a, b]);
    refresh(expect![[r#"
        exit 1
        error: repository t: cannot download repodata/keys/2.json: cannot read `[TMP]/repo/repodata/keys/2.json`: No such file or directory (os error 2)
        hint: check the network and the baseurl, or leave the repository out with --disablerepo=t
    "#]]);
    write(2, 1, &[a, b], &[a, a]);
    refresh(expect![[r#"
        exit 1
        error: repository t: repodata/keys/2.json: signed by 1 of the keys of key list 1, expected at least 2
        hint: this machine does not trust the new keys: ask the repository's owner, put the right keys into `gpgkey`, then run `dnf clean trust --repo=t`
    "#]]);
    write(2, 1, &[a, b], &[a, old]);
    refresh(expect![[r#"
        exit 0
        warning: repository t has new keys: list 3; no longer trusted: OLD
         t                                      100% | [SIZE]
        Repositories loaded.
    "#]]);
    let ran = bench.dnf("install -y libfoo");
    assert_ne!(ran.code, 0, "{}", ran.text());
    assert!(ran.err.contains(&format!("key {}", old.fingerprint())), "{}", ran.err);
    publish(103, 1, &[old, b]);
    refresh(expect![[r#"
        exit 0
         t                                      100% | [SIZE]
        Repositories loaded.
    "#]]);
    publish(103, 1, &[old]);
    refresh(expect![[r#"
        exit 1
        error: repository t: repomd.xml.asc: signed by unknown key OLD
        hint: the mirror is being updated, or the metadata was changed: try again later
    "#]]);
    // Who begins anew follows all of them.
    publish(103, 3, &[b]);
    assert_eq!(bench.dnf("clean trust").code, 0);
    refresh(expect![[r#"
        exit 0
        warning: repository t has new keys: list 3; no longer trusted: OLD
         t                                      100% | [SIZE]
        Repositories loaded.
    "#]]);
}

/// A metalink says what the index of its mirrors is; the ones before it are allowed where it says so.
#[test]
fn index_other_than_the_metalink_says() {
    let bench = Bench::usual();
    let repository = bench.repository();
    let index = std::fs::read(repository.join("repodata/repomd.xml")).unwrap();
    let right = hex::encode(sha2::Sha256::digest(&index));
    let wrong = "0".repeat(64);
    let hash =
        |value: &str| format!("<verification><hash type=\"sha256\">{value}</hash></verification>");
    let makecache = |verification: &str| {
        let metalink = format!(
            "<metalink><files><file name=\"repomd.xml\">{verification}<resources><url protocol=\"file\" preference=\"100\">\
             file://{}/repodata/repomd.xml</url></resources></file></files></metalink>",
            repository.display()
        );
        std::fs::write(bench.path("metalink"), metalink).unwrap();
        let option = format!("--setopt=m.metalink=file://{}", bench.path("metalink").display());
        bench.plain_dnf(&format!("makecache --refresh --setopt=m.repo_gpgcheck=0 {option}"))
    };
    std::fs::create_dir_all(bench.root().join("etc/yum.repos.d")).unwrap();
    let file = format!("[m]\nmetalink=file://{}\n", bench.path("metalink").display());
    std::fs::write(bench.root().join("etc/yum.repos.d/m.repo"), file).unwrap();
    assert_eq!(makecache(&hash(&right)).code, 0);
    assert_eq!(makecache("<hash type=\"md5\">00</hash>").code, 0);
    let alternate = format!(
        "{}<mm0:alternates><mm0:alternate>{}</mm0:alternate></mm0:alternates>",
        hash(&wrong),
        hash(&right)
    );
    assert_eq!(makecache(&alternate).code, 0);
    let ran = makecache(&hash(&wrong));
    assert_eq!(ran.code, 1);
    let expected =
        format!("repodata/repomd.xml: checksum mismatch (expected {wrong}, found {right})");
    assert!(ran.err.contains(&format!("error: repository m: {expected}")), "{}", ran.err);
}

#[test]
fn html_instead_of_an_index() {
    let bench = Bench::usual();
    std::fs::write(
        bench.repository().join("repodata/repomd.xml"),
        "<!DOCTYPE html>\n<html>Not Found</html>\n",
    )
    .unwrap();
    bench.sign_index();
    let ran = bench.dnf("install -y bar");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error: repository t: repomd.xml line 1: "), "{}", ran.err);
}

#[test]
fn changed_primary() {
    let bench = Bench::usual();
    let directory = bench.repository().join("repodata");
    let primary = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().contains("primary"))
        .unwrap();
    let mut bytes = std::fs::read(&primary).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&primary, bytes).unwrap();
    let ran = bench.dnf("install -y bar");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("checksum mismatch (expected "), "{}", ran.err);
}

#[test]
fn changed_package() {
    let bench = Bench::usual();
    let path = bench.repository().join("bar-1.0-1.noarch.rpm");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let ran = bench.dnf("install -y bar");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error: "), "{}", ran.err);
    assert_eq!(bench.rpm("-qa").out, "");
    assert!(!bench.root().join("usr/share/bar").exists());
}

#[test]
fn configuration_errors() {
    let bench = Bench::usual();
    let directory = bench.root().join("etc/yum.repos.d");
    std::fs::create_dir_all(&directory).unwrap();
    let with = |text: &str| {
        std::fs::write(directory.join("x.repo"), text).unwrap();
        let ran = bench.plain_dnf("repolist");
        format!("exit {}\n{}{}", ran.code, ran.out, ran.err)
    };
    expect![[r#"
        exit 1
        error: /etc/yum.repos.d/x.repo:3: gpgcheck: "maybe" is not yes/no
        hint: write `gpgcheck=1` or `gpgcheck=0`
    "#]]
    .assert_eq(&with("[x]\nbaseurl=http://h/\ngpgcheck=maybe\n"));
    expect![[r#"
        exit 0
        repo id repo name
        x       x
        warning: /etc/yum.repos.d/x.repo:3: unknown key "gpgchek" in [x]
        hint: did you mean `gpgcheck`?
    "#]]
    .assert_eq(&with("[x]\nbaseurl=http://h/\ngpgchek=1\n"));
    expect![[r"
        exit 1
        error: /etc/yum.repos.d/x.repo:1: [x]: no baseurl, mirrorlist or metalink
        hint: add `baseurl=URL`, or `enabled=0`
    "]]
    .assert_eq(&with("[x]\nname=X\n"));
    expect![[r"
        exit 1
        error: /etc/yum.repos.d/x.repo:2: baseurl: undefined variable $nothing
        hint: write its value into /etc/dnf/vars/nothing, or give --setvar=nothing=VALUE
    "]]
    .assert_eq(&with("[x]\nbaseurl=http://h/$nothing\n"));
    expect![[r#"
        exit 1
        error: /etc/yum.repos.d/x.repo:3: gpgkey: "http://h/key" is not a local file (expected file://)
        hint: put the key into /etc/pki/rpm-gpg and name it as file:///etc/pki/rpm-gpg/NAME
    "#]]
    .assert_eq(&with("[x]\nbaseurl=http://h/\ngpgkey=http://h/key\n"));
    expect![[r#"
        exit 1
        error: /etc/yum.repos.d/x.repo:1: repository id "../x" has the character '/'
        hint: use letters, digits and - _ . : only
    "#]]
    .assert_eq(&with("[../x]\nbaseurl=http://h/\n"));
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(directory.join("x.repo"), "[x]\nbaseurl=http://h/\n").unwrap();
    std::fs::set_permissions(directory.join("x.repo"), std::fs::Permissions::from_mode(0o666))
        .unwrap();
    let ran = bench.plain_dnf("repolist");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("x.repo: file is writable by everyone"), "{}", ran.err);
}

#[test]
fn wrong_arguments() {
    let bench = Bench::usual();
    let run = |arguments: &str| {
        let ran = bench.plain_dnf(arguments);
        format!("exit {}\n{}", ran.code, ran.err)
    };
    expect![[r#"
        exit 2
        error: unknown command "instal"
        hint: did you mean `install`?
    "#]]
    .assert_eq(&run("instal foo"));
    expect![[r#"
        exit 2
        error: unknown argument "--bogus"
        hint: `dnf --help` lists commands, `dnf COMMAND --help` its arguments
    "#]]
    .assert_eq(&run("install --bogus"));
    expect![[r"
        exit 2
        error: missing argument <SPEC>...
        hint: `dnf --help` lists commands, `dnf COMMAND --help` its arguments
    "]]
    .assert_eq(&run("install"));
    expect![[r#"
        exit 2
        error: --repo: no repository matches "nothing"
        hint: `dnf repolist --all` lists them
    "#]]
    .assert_eq(&run("--repo=nothing list"));
    expect![[r#"
        exit 2
        error: --setopt: unknown key "gpgchek" in [main]
        hint: did you mean `gpgcheck`?
    "#]]
    .assert_eq(&run("--setopt=gpgchek=0 list"));
}

/// `%_keyring fs`: keys are files, and nothing in the database.
#[test]
fn keys_as_files() {
    let bench = Bench::usual();
    let keyring = "--define '_keyring fs' --define '_keyringpath /keys'";
    let package = "foo-1.0-1.noarch.rpm";
    assert_eq!(bench.rpm(&format!("{keyring} --import ../KEY")).text(), "exit 0\n");
    let names: Vec<_> = std::fs::read_dir(bench.root().join("keys")).unwrap().collect();
    assert_eq!(names.len(), 1);
    assert_eq!(bench.rpm("-q gpg-pubkey").code, 1);
    assert_eq!(bench.rpm(&format!("{keyring} -K {package}")).code, 0);
    assert_eq!(bench.rpm(&format!("-K {package}")).code, 1, "the database has no key");
    let name = names[0].as_ref().unwrap().file_name().into_string().unwrap();
    let key = name.trim_start_matches("gpg-pubkey-").trim_end_matches(".key").to_owned();
    let list = bench.rpm(&format!("{keyring} --list {key}"));
    assert!(list.code == 0 && list.out.starts_with(&key), "{}", list.text());
    assert_eq!(bench.rpm(&format!("{keyring} --delete {key}")).text(), "exit 0\n");
    assert_eq!(bench.rpm(&format!("{keyring} -K {package}")).code, 1);
}

/// `%_pkgverify_flags` leave digests and signatures out of what proves a package.
#[test]
fn what_verification_leaves_out() {
    let bench = Bench::usual();
    assert_eq!(bench.rpm("--import ../KEY").code, 0);
    let verified = |flags: &str, level: &str| {
        let ran = bench.rpm(&format!(
            "-i --test --nodeps --define '_pkgverify_flags {flags}' --define '_pkgverify_level {level}' foo-1.0-1.noarch.rpm"
        ));
        format!("{} {}", ran.code, ran.err.trim())
    };
    assert_eq!(verified("0", "all"), "0 ");
    let refused = "1 package foo-1.0-1.noarch does not verify: ";
    assert_eq!(verified("0xc0c00", "signature"), format!("{refused}no signature"));
    assert_eq!(verified("0x30300", "digest"), format!("{refused}no digest"));
    assert_eq!(verified("0x100", "digest"), "0 ");
}
