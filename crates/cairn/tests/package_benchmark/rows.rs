// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is measured: the rows of the table, with the command of each program.

use super::stage::{Run, Who};

/// One row of the table.
pub struct Row {
    /// What is done.
    pub name: &'static str,
    /// Ours first.
    pub runs: Vec<Run>,
    /// What is wanted.
    pub goals: &'static [Goal],
}

/// What is wanted of our program.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// At least so many times faster than that program.
    Faster(f64, &'static str),
    /// At most so many times the time of that program.
    Within(f64, &'static str),
    /// At most so many MiB.
    Peak(f64),
}

/// What a small server needs, and what a large desktop does.
const SMALL: &str = "openssh-server nginx systemd systemd-sysv linux-image-cloud-amd64 grub-efi-amd64 sudo curl rsync vim-tiny python3 \
    nftables chrony lvm2 mdadm cryptsetup apparmor less man-db bash-completion rsyslog cron logrotate tmux htop strace tcpdump lsof gdisk \
    iproute2 iputils-ping dbus ca-certificates gnupg xfsprogs btrfs-progs e2fsprogs parted unzip zstd jq screen";
const LARGE: &str =
    "postgresql podman gnome-shell libreoffice kde-plasma-desktop nginx texlive-latex-extra";
/// What is installed from our own repository: the default image's packages, a web server, more storage and tools.
const INSTALLED: &str = "cairn-release cairn-repos common-licenses filesystem netbase media-types setup bash glibc glibc-common ncurses \
    ncurses-base bsdutils bzip2 coreutils diffutils findutils gawk-mawk grep gzip hostname less nano procps-ng sed tar which xz zstd \
    dosfstools e2fsprogs fdisk login util-linux util-linux-core pam pam-config shadow-utils sudo dbus-broker kmod nss-myhostname \
    nss-resolve nss-systemd systemd systemd-pam systemd-resolved systemd-sysv systemd-udev tzdata ca-certificates chrony curl iproute \
    iputils openssh-clients openssh-server openssh-sftp-server openssl apparmor nftables dnf cloud-init nginx lvm2 mdadm cryptsetup";

/// Where the installed root of each program is.
const OURS: &str = "/run/work/ours";
const DNF5: &str = "/run/work/dnf5";
const DNF4: &str = "/run/work/dnf4";

/// Options of one program for one of the repositories.
struct Dnf {
    who: Who,
    name: &'static str,
    program: &'static str,
    root: &'static str,
    options: &'static str,
}

const DNFS: [Dnf; 3] = [
    Dnf {
        who: Who::Ours,
        name: "cairn dnf",
        program: "/run/programs/dnf",
        root: OURS,
        options: "--setopt=cachedir=/run/work/ours/cache",
    },
    Dnf {
        who: Who::Sid,
        name: "dnf5",
        program: "dnf5",
        root: DNF5,
        options: "--setopt=cachedir=/run/work/dnf5/cache --setopt=system_cachedir=/run/work/dnf5/cache --setopt=logdir=/tmp",
    },
    Dnf {
        who: Who::Trixie,
        name: "dnf4",
        program: "dnf",
        root: DNF4,
        options: "--setopt=cachedir=/run/work/dnf4/cache --setopt=persistdir=/tmp/persist --setopt=logdir=/tmp --setopt=reposdir=/none",
    },
];

impl Dnf {
    /// A command on the large repository.
    fn universe(&self, words: &str) -> String {
        self.command("big,file:///run/universe", words)
    }

    fn repository(&self, words: &str) -> String {
        self.command("cairn,file:///run/repository", words)
    }

    fn command(&self, repository: &str, words: &str) -> String {
        let Self { program, root, options, .. } = self;
        format!(
            "{program} --installroot={root} {options} --repofrompath={repository} --setopt=install_weak_deps=0 --setopt=gpgcheck=0 \
             --setopt=pkg_gpgcheck=0 --setopt=repo_gpgcheck=0 --setopt=metadata_expire=86400 --setopt=keepcache=1 --releasever=13 {words}"
        )
    }

    fn run(&self, prepare: &str, command: String, result: &'static str) -> Run {
        let prepare = prepare.replace("ROOT", self.root);
        let expected: &[i32] = if command.contains("--assumeno") { &[0, 1] } else { &[0] };
        Run { who: self.who, name: self.name, prepare, command, expected, result }
    }
}

/// All rows.
pub fn all() -> Vec<Row> {
    let dnf = |prepare: &str, words: &str, result: &'static str| -> Vec<Run> {
        DNFS.iter().map(|dnf| dnf.run(prepare, dnf.universe(words), result)).collect()
    };
    let solve = |names: &str| dnf("", &format!("--assumeno install {names}"), SOLVED);
    let four = &[Goal::Faster(4.0, "dnf5"), Goal::Peak(40.0)];
    let five = &[Goal::Faster(5.0, "dnf5")];
    vec![
        Row {
            name: "first load of the metadata",
            runs: dnf("rm -rf ROOT; mkdir -p ROOT", "makecache", ""),
            goals: &[Goal::Faster(4.0, "dnf5"), Goal::Peak(64.0)],
        },
        Row { name: "solve, small", runs: solve(SMALL), goals: four },
        Row { name: "solve, large", runs: solve(LARGE), goals: four },
        Row { name: "search openssl", runs: dnf("", "search openssl", LINES), goals: five },
        Row { name: "provides libssl3", runs: dnf("", "provides libssl3", MATCHES), goals: five },
        Row { name: "list", runs: dnf("", "list", LINES), goals: five },
        install(),
        query("rpm -qa", "-qa", Goal::Within(1.0, "rpm 4.20"), &[0]),
        query("rpm -Va", "-Va", Goal::Within(0.6, "rpm 4.20"), &[0, 1]),
        index(),
    ]
}

/// Number of packages in a transaction that was declined, as each program sums it up.
const SOLVED: &str = "grep -hEio \"install(ing:)? +[0-9]+ +packages\" /run/work/log.out /run/work/log.err | grep -Eo \"[0-9]+\"";
const LINES: &str = "grep -Ec \"(x86_64|noarch)\" /run/work/log.out";
const MATCHES: &str = "grep -c \"^Repo\" /run/work/log.out";
const PACKAGES: &str = "rpm --root $(cat /run/work/last-root) -qa | wc -l";

fn install() -> Row {
    let mut runs: Vec<Run> = DNFS
        .iter()
        .map(|dnf| {
            let prepare = "rm -rf ROOT; mkdir -p ROOT; echo ROOT > /run/work/last-root";
            let refresh = dnf.repository("makecache");
            let mut run = dnf.run(
                &format!("{prepare}; {refresh} > /dev/null 2>&1"),
                dnf.repository(&format!("-y install {INSTALLED}")),
                PACKAGES,
            );
            run.expected = &[0, 1];
            run
        })
        .collect();
    let archive = "test -e /run/work/root.tar.zst || tar -C /run/work/ours --exclude=./cache --exclude=./usr/lib/sysimage --exclude=./var/lib/cairn \
                   --exclude=./var/cache/libdnf5 -c . | zstd -q -9 -o /run/work/root.tar.zst";
    runs.push(Run {
        who: Who::Trixie,
        name: "zstd | tar",
        prepare: format!("{archive}; rm -rf /run/work/limit; mkdir /run/work/limit"),
        command: "zstd -dc /run/work/root.tar.zst | tar -C /run/work/limit -x".to_owned(),
        expected: &[0],
        result: "",
    });
    Row {
        name: "install of about 200 packages",
        runs,
        goals: &[Goal::Within(2.0, "zstd | tar"), Goal::Faster(2.0, "dnf5")],
    }
}

/// Both on the root that ours installed.
fn query(name: &'static str, option: &str, goal: Goal, expected: &'static [i32]) -> Row {
    let run = |who, name, program: &str| Run {
        who,
        name,
        prepare: String::new(),
        command: format!("{program} --root {OURS} {option}"),
        expected,
        result: "wc -l < /run/work/log.out",
    };
    let goals: &'static [Goal] = Box::leak(Box::new([goal]));
    let runs = vec![
        run(Who::Ours, "cairn rpm", "/run/work/rpm"),
        run(Who::Trixie, "rpm 4.20", "rpm"),
        run(Who::Sid, "rpm 6", "rpm"),
    ];
    Row { name, runs, goals }
}

fn index() -> Row {
    let prepare = |name: &str| {
        format!(
            "rm -rf /run/work/{name}; mkdir /run/work/{name}; ln -s /run/repository/packages /run/work/{name}/packages"
        )
    };
    let result = "ls /run/repository/packages | wc -l";
    let runs = vec![
        Run {
            who: Who::Ours,
            name: "cairn repo index",
            prepare: prepare("index"),
            command: "/run/programs/cairn repo index /run/work/index".to_owned(),
            expected: &[0],
            result,
        },
        Run {
            who: Who::Trixie,
            name: "createrepo_c",
            prepare: prepare("createrepo"),
            command: "createrepo_c --quiet --general-compress-type=zstd /run/work/createrepo"
                .to_owned(),
            expected: &[0],
            result,
        },
    ];
    Row { name: "index of a repository", runs, goals: &[Goal::Within(1.0, "createrepo_c")] }
}
