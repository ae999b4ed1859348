// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--offline`, `offline` and `system-upgrade`.

use crate::common::{Bench, package, without_times};
use expect_test::expect;

const DIRECTORY: &str = "usr/lib/sysimage/libdnf5/offline";

#[test]
fn from_storing_to_carrying_out() {
    let bench = Bench::usual();
    assert_eq!(
        bench.dnf("offline status").quiet(),
        "exit 0\n--- out\nNo offline transaction is stored.\n"
    );
    expect![[r#"
        exit 1
        --- err
        No offline transaction is stored.
    "#]]
    .assert_eq(&bench.dnf("offline reboot").quiet());
    assert_eq!(bench.dnf("install -y foo-1.0").code, 0);
    expect![[r#"
        exit 0
        --- out
        Package          Arch   Version Repository      Size
        Upgrading:
         foo             noarch 0:2.0-1 t            6.0   B
           replacing foo noarch 0:1.0-1 t            6.0   B
        Installing weak dependencies:
         bar             noarch 0:1.0-1 t            6.0   B

        Transaction Summary:
         Installing:         1 package
         Upgrading:          1 package
         Replacing:          1 package

        --- err
        Transaction stored to be performed offline. Run `dnf5 offline reboot` to reboot and run the transaction. To cancel the transaction and delete the downloaded files, use `dnf5 offline clean`.
        Complete!
    "#]].assert_eq(&bench.dnf("upgrade --offline -y").quiet());
    assert_eq!(bench.rpm("-q foo").out, "foo-1.0-1.noarch\n");
    let stored = bench.read(&format!("{DIRECTORY}/transaction.json")).unwrap();
    expect![[r#"
        {
          "rpms":[
            {
              "nevra":"bar-1.0-1.noarch",
              "action":"Install",
              "reason":"Weak Dependency",
              "repo_id":"t",
              "package_path":"[TMP]/root/var/lib/dnf/offline/packages/bar-1.0-1.noarch.rpm"
            },
            {
              "nevra":"foo-2.0-1.noarch",
              "action":"Upgrade",
              "reason":"User",
              "repo_id":"t",
              "package_path":"[TMP]/root/var/lib/dnf/offline/packages/foo-2.0-1.noarch.rpm"
            },
            {
              "nevra":"foo-1.0-1.noarch",
              "action":"Replaced",
              "reason":"User",
              "repo_id":"@System"
            }
          ],
          "version":"1.0"
        }
    "#]]
    .assert_eq(&bench.filtered(format!("{}\n", stored.replace("\\/", "/")).as_bytes()));
    let state = bench.read(&format!("{DIRECTORY}/offline-transaction-state.toml")).unwrap();
    let mask = |line: &str| {
        if line.starts_with("cmd_line") { "cmd_line = COMMAND".to_owned() } else { line.to_owned() }
    };
    expect![[r#"
        [offline-transaction-state]
        rpmdb_cookie = "[SHA]"
        module_platform_id = ""
        poweroff_after = false
        verb = "upgrade"
        system_releasever = ""
        target_releasever = "1"
        cachedir = "var/cache/libdnf5"
        status = "download-complete"
        cmd_line = COMMAND
        state_version = 2

    "#]]
    .assert_eq(&without_times(&state.lines().map(|line| mask(line) + "\n").collect::<String>()));
    expect![[r#"
        exit 0
        --- err
        Trigger file does not exist. Exiting.
    "#]]
    .assert_eq(&bench.dnf("offline _execute").quiet());
    // Another root is never restarted.
    let ran = bench.dnf("offline reboot");
    assert_eq!(ran.code, 0, "{}", ran.text());
    let expected = "The system will now reboot to perform the offline transaction initiated by the following command:\n\t";
    assert!(ran.out.starts_with(expected), "{}", ran.out);
    assert_eq!(ran.err, "Another root, not rebooting.\n");
    let link = std::fs::read_link(bench.root().join("system-update")).unwrap();
    assert_eq!(link.to_str(), Some("/usr/lib/sysimage/libdnf5/offline"));
    bench.empty_repository();
    let ran = bench.dnf("offline _execute -y");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert_eq!(bench.rpm("-qa").out, "libfoo-1.0-1.noarch\nfoo-2.0-1.noarch\nbar-1.0-1.noarch\n");
    assert!(!bench.root().join(DIRECTORY).exists());
    assert!(std::fs::symlink_metadata(bench.root().join("system-update")).is_err());
    assert!(
        bench
            .read("usr/lib/sysimage/libdnf5/nevras.toml")
            .unwrap()
            .contains("\"foo-2.0-1.noarch\" = {from_repo = \"t\"}")
    );
}

#[test]
fn what_changed_meanwhile_is_refused_once() {
    let bench = Bench::usual();
    assert_eq!(bench.dnf("install -y bar --offline").code, 0);
    assert_eq!(bench.dnf("offline reboot --poweroff").code, 0);
    let ran = bench.dnf("install -y libfoo");
    assert_eq!(ran.code, 0);
    assert!(
        ran.err.contains("warning: the stored offline transaction will not fit"),
        "{}",
        ran.err
    );
    assert!(!bench.dnf("install -y baz").err.contains("warning: the stored"), "said once");
    let ran = bench.dnf("offline reboot");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("The system has been modified since"), "{}", ran.err);
    expect![[r#"
        exit 1
        --- err
        error: The installed packages have changed since the transaction was stored.
        hint: store it again
        Another root, not rebooting.
    "#]]
    .assert_eq(&bench.dnf("offline _execute -y").quiet());
    assert!(
        std::fs::symlink_metadata(bench.root().join("system-update")).is_err(),
        "no endless loop"
    );
    expect![[r#"
        exit 1
        --- err
        error: The stored transaction was started already.
        hint: `dnf offline clean` drops it
    "#]]
    .assert_eq(&bench.dnf("offline reboot").quiet());
    assert_eq!(bench.dnf("offline clean").quiet(), "exit 0\n");
    assert_eq!(bench.rpm("-q bar").code, 1);
}

#[test]
fn system_upgrade() {
    let mut bench = Bench::usual();
    assert_eq!(bench.dnf("install -y bar").code, 0);
    assert_eq!(bench.dnf("group install -y tools --no-packages").code, 0);
    bench.add(vec![package("bar", "3.0-1", &[])]);
    let ran = bench.dnf("system-upgrade download -y --refresh");
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(
        bench.read(&format!("{DIRECTORY}/transaction.json")).unwrap().contains("bar-3.0-1.noarch")
    );
    assert!(ran.out.contains("Upgrading groups:\n Tools"), "{}", ran.out);
    assert_eq!(bench.dnf("system-upgrade status").code, 0);
    assert_eq!(bench.dnf("system-upgrade clean").code, 0);
    assert_eq!(bench.dnf("offline-upgrade download -y bar --no-allow-downgrade").code, 0);
    assert!(bench.dnf("offline-upgrade status").out.contains("offline-upgrade download -y bar"));
    assert_eq!(bench.dnf("offline-upgrade clean").code, 0);
    assert_eq!(bench.dnf("offline-distrosync download -y --skip-broken").code, 0);
    assert_eq!(bench.dnf("offline-distrosync clean").code, 0);
    expect![[r#"
        exit 2
        --- err
        error: `system-upgrade download` needs the release to upgrade to
        hint: add --releasever=VERSION
    "#]]
    .assert_eq(&bench.plain_dnf("system-upgrade download").quiet());
}
