// SPDX-License-Identifier: MIT OR Apache-2.0
//! `needs-restarting`, on a made-up `/proc`.

use crate::common::{Bench, package};
use cairn_rpm::build::FileSpec;
use expect_test::expect;

/// Long after everything that a test installs.
const LATE: u64 = 4_000_000_000;

fn proc_file(bench: &Bench, path: &str, text: &str) {
    let path = bench.root().join("proc").join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn process(bench: &Bench, number: u32, (begun, unit): (u64, &str), maps: &str) {
    let fields = vec!["0"; 18].join(" ");
    proc_file(
        bench,
        &format!("{number}/stat"),
        &format!("{number} (a b) S {fields} {} 0\n", begun * 100),
    );
    proc_file(bench, &format!("{number}/maps"), maps);
    proc_file(bench, &format!("{number}/cmdline"), "prog\0-x\0");
    proc_file(bench, &format!("{number}/cgroup"), &format!("0::/system.slice/{unit}\n"));
}

fn bench() -> Bench {
    let mut daemon = package("daemon", "1.0-1", &[]);
    daemon.files.push(FileSpec::regular("/usr/lib/systemd/system/old.service", "x"));
    daemon.files.push(FileSpec::regular("/usr/bin/daemon", "x"));
    let bench = Bench::new(vec![daemon, package("systemd", "1.0-1", &[])]);
    assert_eq!(bench.dnf("install -y daemon").code, 0);
    proc_file(&bench, "stat", "cpu 1\nbtime 1000\n");
    bench
}

#[test]
fn the_system() {
    let bench = bench();
    expect![[r#"
        exit 0
        --- out
        No core libraries or services have been updated since boot-up.
        Reboot should not be necessary.
    "#]]
    .assert_eq(&bench.dnf("needs-restarting").quiet());
    assert_eq!(bench.dnf("install -y systemd").code, 0);
    expect![[r#"
        exit 1
        --- out
        Core libraries or services have been updated since boot-up:
          * systemd

        Reboot is required to fully utilize these updates.
        More information: https://access.redhat.com/solutions/27943
    "#]]
    .assert_eq(&bench.dnf("needs-restarting -r").quiet());
    expect![[r#"
        exit 1
        --- out
        [
          {
            "documentation": "man:dnf-needs-restarting(8)",
            "packages": [
              "systemd"
            ],
            "reboot_required": true,
            "type": "reboot"
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("needs-restarting --json").quiet());
    proc_file(&bench, "stat", &format!("btime {LATE}\n"));
    assert_eq!(bench.dnf("needs-restarting").code, 0);
    proc_file(&bench, "stat", "nothing\n");
    expect![[r#"
        exit 1
        --- err
        error: /proc/stat does not say when the system was started
    "#]]
    .assert_eq(&bench.dnf("needs-restarting").quiet());
}

#[test]
fn processes_and_services() {
    let bench = bench();
    let code = |path: &str| format!("1-2 r-xp 0 fe:00 1 {path}\n");
    process(&bench, 7, (0, "old.service"), &code("/usr/bin/daemon"));
    process(&bench, 8, (LATE, "new.service"), &code("/usr/bin/daemon"));
    process(&bench, 9, (LATE, "gone.service"), &code("/usr/lib/x.so (deleted)"));
    process(&bench, 10, (0, "user-0.scope"), &code("/usr/bin/daemon"));
    process(&bench, 11, (0, "fine.service"), &code("/usr/bin/other"));
    expect![[r#"
        exit 1
        --- out
        gone.service
        old.service
    "#]]
    .assert_eq(&bench.dnf("needs-restarting -s").quiet());
    expect![[r#"
        exit 1
        --- out
        7 : prog -x
        9 : prog -x
        10 : prog -x
    "#]]
    .assert_eq(&bench.dnf("needs-restarting -p").quiet());
    expect![[r#"
        exit 1
        --- out
        10 : prog -x
    "#]]
    .assert_eq(&bench.dnf("needs-restarting -p -e").quiet());
    expect![[r#"
        exit 1
        --- out
        [
          {
            "type": "unit",
            "unit": "gone.service"
          },
          {
            "type": "unit",
            "unit": "old.service"
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("needs-restarting -s --json").quiet());
    expect![[r#"
        exit 1
        --- out
        [
          {
            "cmdline": [
              "prog",
              "-x"
            ],
            "package": "daemon",
            "pid": 10,
            "type": "process"
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("needs-restarting -p -e --json").quiet());
    for number in [7, 9, 10] {
        std::fs::remove_dir_all(bench.root().join(format!("proc/{number}"))).unwrap();
    }
    assert_eq!(bench.dnf("needs-restarting -s").quiet(), "exit 0\n");
}

#[test]
fn more_packages_that_a_restart_replaces() {
    let bench = bench();
    process(&bench, 7, (0, "old.service"), "1-2 r-xp 0 fe:00 1 /usr/bin/daemon\n");
    assert_eq!(bench.dnf("needs-restarting").code, 0);
    let write = |directory: &str, text: &str| {
        let directory = bench.root().join(directory);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("mine.conf"), text).unwrap();
    };
    write("usr/share/dnf5/suggest-reboot.d", "# ours\n\n  daemon \n");
    assert!(bench.dnf("needs-restarting").out.contains("  * daemon\n"));
    expect![[r#"
        exit 0
        --- err
        warning: old.service is of daemon, not to be restarted
        hint: restart the system
    "#]]
    .assert_eq(&bench.dnf("needs-restarting -s").quiet());
    write("etc/dnf/suggest-reboot.d", "other\n");
    assert_eq!(bench.dnf("needs-restarting").code, 0, "it replaces the other file");
    assert_eq!(bench.dnf("needs-restarting -s").out, "old.service\n");
}
