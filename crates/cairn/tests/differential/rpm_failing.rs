// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios in which one package of several fails, and in which files belong to accounts that come with packages.

use crate::scenario::{Pkg, Scenario};

/// One package of several fails.
pub fn failures(all: &mut Vec<Scenario>) {
    for section in ["%pretrans", "%pre", "%post", "%posttrans", "%triggerprein -- b"] {
        let name = section.split_whitespace().next().unwrap().trim_start_matches('%');
        let failing = |version: &str| {
            Pkg::new("a", version)
                .file("/usr/share/a", "", version)
                .section(section, &format!("echo {name} >> /trace; exit 3"))
        };
        let plain = |name: &str, version: &str| {
            Pkg::new(name, version).file(&format!("/usr/share/{name}"), "", version)
        };
        let packages = [
            plain("a", "1"),
            failing("2"),
            plain("b", "1"),
            plain("b", "2"),
            plain("c", "1").tag("Requires: a"),
            plain("c", "2").tag("Requires: a"),
        ];
        all.push(
            Scenario::new(format!("one-fails-{name}-install"), &packages)
                .rpm("-i @a-2 @b-1 @c-1")
                .rpm("-qa | sort"),
        );
        all.push(
            Scenario::new(format!("one-fails-{name}-upgrade"), &packages)
                .rpm("-i @a-1 @b-1 @c-1")
                .rpm("-U @a-2 @b-2 @c-2")
                .rpm("-qa | sort"),
        );
    }
    for section in ["%preun", "%postun", "%preuntrans", "%postuntrans", "%triggerun -- b"] {
        let name = section.split_whitespace().next().unwrap().trim_start_matches('%');
        let failing = Pkg::new("a", "1")
            .file("/usr/share/a", "", "1")
            .section(section, &format!("echo {name} >> /trace; exit 3"));
        let other = Pkg::new("b", "1").file("/usr/share/b", "", "1");
        all.push(
            Scenario::new(format!("one-fails-{name}-erase"), &[failing, other])
                .rpm("-i @a-1 @b-1")
                .rpm("-e a b")
                .rpm("-qa | sort"),
        );
    }
}

/// Files that belong to accounts which come with packages. Everything has the numbers of root, because the sandbox has no others:
/// whether a name is known shows in the setuid bit.
pub fn accounts(all: &mut Vec<Scenario>) {
    let setup = Pkg::new("setup", "1")
        .file("/etc/passwd", "%config", "root:x:0:0:root:/root:/bin/sh\none:x:0:0::/:/bin/sh")
        .file("/etc/group", "%config", "root:x:0:\nmany:x:0:");
    let owned = |name: &str| {
        Pkg::new(name, "1")
            .tag("Requires: setup")
            .tag("Provides: user(one)")
            .tag("Provides: group(many)")
            .file(&format!("/usr/share/{name}"), "%attr(4750,one,many)", "x")
            .directory(&format!("/usr/lib/{name}"), "%attr(2770,root,many)")
    };
    all.push(
        Scenario::new("accounts-fresh-root", &[setup.clone(), owned("a"), owned("b")])
            .shell("rm etc/passwd etc/group")
            .rpm("-i @setup-1 @a-1 @b-1")
            .rpm("-V a b"),
    );
    all.push(
        Scenario::new("accounts-afterwards", &[setup, owned("a")])
            .shell("rm etc/passwd etc/group")
            .rpm("-i @setup-1")
            .rpm("-i @a-1")
            .rpm("-V a"),
    );
    let lines = Pkg::new("l", "1")
        .file("/usr/lib/sysusers.d/l.conf", "", "u lu 610 - /var/l\ng lg 611")
        .file("/usr/share/l", "", "x");
    let made = ": > etc/shadow; : > etc/gshadow; chmod 600 etc/shadow etc/gshadow";
    all.push(
        Scenario::new("accounts-sysusers", std::slice::from_ref(&lines))
            .shell(made)
            .rpm("-i --define '_tmppath /tmp' @l-1")
            .rpm("-V l"),
    );
    all.push(
        Scenario::new("accounts-nosysusers", &[lines]).rpm("-i --nosysusers @l-1").rpm("-V l"),
    );
    let nobody = Pkg::new("n", "1").file("/usr/share/n", "%attr(6755,nosuch,nosuch)", "x").file(
        "/usr/share/m",
        "%attr(6755,nosuch,root)",
        "x",
    );
    all.push(Scenario::new("accounts-unknown", &[nobody]).rpm("-i --nodeps @n-1").rpm("-V n"));
    let late = Pkg::new("p", "1")
        .file("/usr/share/p", "%attr(4750,pu,root)", "x")
        .tag("Provides: user(pu)")
        .section("%pre", "echo pu:x:0:0::/:/bin/sh >> /etc/passwd");
    all.push(Scenario::new("accounts-by-pre", &[late]).rpm("-i @p-1").rpm("-V p"));
}
