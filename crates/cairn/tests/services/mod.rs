// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the medium offers beside the base starts and answers: a query, a PING, a container, an export.

/// Runs a shell command as an administrator and returns what it writes; a failure ends the test.
pub type Shell<'a> = &'a dyn Fn(&str) -> String;

/// A root file system of this machine's own files, as the image `localhost/tiny`.
const MAKE_IMAGE: &str = r#"set -e
d=$(mktemp -d)
for program in /usr/bin/bash /usr/bin/cat /usr/bin/id; do
    cp --parents "$program" $(ldd "$program" | grep -o '/[^ ]*') "$d"
done
mkdir "$d/etc"
echo 'tiny:x:0:0::/:/usr/bin/bash' > "$d/etc/passwd"
tar -C "$d" -cf /var/tmp/tiny.tar .
rm -r "$d"
podman import --quiet /var/tmp/tiny.tar localhost/tiny"#;

/// PostgreSQL: a query, also after a restart.
pub fn postgresql(run: Shell<'_>) {
    run("sudo dnf -y install postgresql-server postgresql");
    run("sudo postgresql-setup --initdb && sudo systemctl start postgresql");
    let query = "sudo -u postgres psql -Atc";
    assert_eq!(run(&format!("{query} 'select 6 * 7'")).trim(), "42");
    run(&format!("{query} 'create table t as select generate_series(1, 1000) as n'"));
    run("sudo systemctl restart postgresql");
    assert_eq!(run(&format!("{query} 'select sum(n) from t'")).trim(), "500500");
    run("sudo systemctl stop postgresql");
}

/// Valkey: a PING, and a value that outlives a restart.
pub fn valkey(run: Shell<'_>) {
    run("sudo dnf -y install valkey");
    run("sudo systemctl start valkey-server");
    assert_eq!(run("valkey-cli ping").trim(), "PONG");
    assert_eq!(run("valkey-cli set answer 42 && valkey-cli save").trim(), "OK\nOK");
    run("sudo systemctl restart valkey-server");
    assert_eq!(run("valkey-cli get answer").trim(), "42");
    run("sudo systemctl stop valkey-server");
}

/// podman: a container of root, with a network.
pub fn podman(run: Shell<'_>) {
    run("sudo dnf -y install podman");
    run(&format!("sudo bash -c '{}'", MAKE_IMAGE.replace('\'', "'\\''")));
    let container = "podman run --rm localhost/tiny /usr/bin/bash -c";
    assert_eq!(run(&format!("sudo {container} 'echo $((6 * 7))'")).trim(), "42");
    let devices = run(&format!("sudo {container} 'cat < /proc/net/dev'"));
    assert!(devices.contains("eth0"), "{devices}");
}

/// podman: containers of an ordinary user, with and without a network; needs what [`podman`] left behind.
pub fn podman_of_a_user(run: Shell<'_>) {
    let container = "podman run --rm localhost/tiny /usr/bin/bash -c";
    run("podman import --quiet /var/tmp/tiny.tar localhost/tiny");
    assert_eq!(
        run(&format!("{container} 'id -u; cat /proc/self/uid_map | cat'")).lines().next(),
        Some("0")
    );
    assert_eq!(
        run("podman run --rm --network none localhost/tiny /usr/bin/bash -c 'echo ok'").trim(),
        "ok"
    );
}

/// containerd: the same image as a container; needs what [`podman`] left behind.
pub fn containerd(run: Shell<'_>) {
    run("sudo dnf -y install containerd");
    run("sudo systemctl start containerd");
    run("sudo podman save --quiet --format oci-archive -o /var/tmp/tiny.oci localhost/tiny");
    run("sudo ctr image import /var/tmp/tiny.oci");
    let answer =
        run("sudo ctr run --rm localhost/tiny:latest one /usr/bin/bash -c 'echo $((6 * 7))'");
    assert_eq!(answer.trim(), "42");
    run("sudo systemctl stop containerd");
}

/// NFS: an export, mounted over the loopback interface, is read and written.
pub fn nfs(run: Shell<'_>) {
    run("sudo dnf -y install nfs-server nfs-utils");
    run("sudo mkdir -p /srv/share /mnt/share && echo here | sudo tee /srv/share/file");
    run(
        "echo '/srv/share 127.0.0.1(rw,no_root_squash,no_subtree_check)' | sudo tee /etc/exports.d/test.exports",
    );
    run("sudo systemctl start nfs-server");
    assert!(run("sudo exportfs -v").contains("/srv/share"));
    run("sudo mount -t nfs4 127.0.0.1:/srv/share /mnt/share");
    assert_eq!(run("findmnt -no FSTYPE /mnt/share").trim(), "nfs4");
    assert_eq!(run("cat /mnt/share/file").trim(), "here");
    run("echo there | sudo tee /mnt/share/other");
    assert_eq!(run("cat /srv/share/other").trim(), "there");
    run("sudo umount /mnt/share && sudo systemctl stop nfs-server");
}
