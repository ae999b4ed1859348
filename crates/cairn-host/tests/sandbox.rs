// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Sandbox` and `chroot` with the host's own `/` as the tools tree. Where the machine forbids namespaces only the error is tested.
#![expect(clippy::print_stdout, reason = "says why a test was skipped")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use cairn_host::chroot::{self, Ending, Scriptlet};
use cairn_host::{
    HostError, Input, Invocation, Network, Root, Sandbox, Tool, user_namespaces_available,
};

/// Returns false and says so where namespaces are forbidden.
fn have_namespaces() -> bool {
    match user_namespaces_available() {
        Ok(()) => true,
        Err(error) => {
            assert!(error.hint().is_some());
            println!("skipped: {error}");
            false
        }
    }
}

fn sh(script: &str) -> Invocation {
    Invocation::new(Tool::Sh).args(["-c", script])
}

#[test]
fn caller_is_root_alone_and_the_tree_is_read_only() {
    if !have_namespaces() {
        return;
    }
    let sandbox = Sandbox::new("/").source_date(7);
    let output = sandbox.run(&sh("id -u; id -g; pwd; echo $HOME $SOURCE_DATE_EPOCH $CARGO; ls /tmp | wc -l; cat /proc/self/uid_map | wc -l")).unwrap();
    assert_eq!(output.stdout_text(), "0\n0\n/\n/tmp 7\n0\n1\n");
    let error = sandbox.run(&sh("echo x > /usr/cairn-test")).unwrap_err().to_string();
    assert!(error.contains("ead-only file system"), "{error}");
    let output = sandbox
        .run(&sh(
            "echo x > /tmp/y; echo z > /dev/null; head -c 2 /dev/zero | wc -c; ls -A /dev/fd/ >&2",
        ))
        .unwrap();
    assert_eq!(output.stdout_text(), "2\n");
}

#[test]
fn binds_are_visible_and_keep_their_access() {
    if !have_namespaces() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(dir.path().join("in.txt"), "hello\n").unwrap();
    let sandbox = Sandbox::new("/")
        .bind_read_only(dir.path().join("in.txt"), "/cairn-test/deep/in.txt")
        .bind_read_only(dir.path(), "/readonly")
        .bind(&out, "/out");
    sandbox
        .run(
            &sh("cat ../cairn-test/deep/in.txt > result; cat >> result")
                .cwd("/out")
                .stdin(Input::Bytes(b"more\n".to_vec())),
        )
        .unwrap();
    assert_eq!(fs::read_to_string(out.join("result")).unwrap(), "hello\nmore\n");
    assert!(sandbox.run(&sh("echo x > /readonly/x")).is_err());
    assert!(sandbox.run(&sh("echo x > /cairn-test/deep/in.txt")).is_err());
    assert_eq!(fs::read_to_string(dir.path().join("in.txt")).unwrap(), "hello\n");
}

#[test]
fn network_is_absent_unless_asked_for() {
    if !have_namespaces() {
        return;
    }
    let interfaces = |network| {
        Sandbox::new("/")
            .network(network)
            .run(&sh("cat /proc/net/dev | wc -l"))
            .unwrap()
            .stdout_text()
    };
    assert_eq!(interfaces(Network::None), "3\n", "two header lines and lo");
    assert_eq!(
        interfaces(Network::Host),
        format!("{}\n", fs::read_to_string("/proc/net/dev").unwrap().lines().count())
    );
}

#[test]
fn feeding_missing_programs_and_missing_binds() {
    if !have_namespaces() {
        return;
    }
    let count = Invocation::new(Tool::Sh).args(["-c", "wc -c"]).stdin(Input::Bytes(Vec::new()));
    let output = Sandbox::new("/")
        .run_feeding(&count, &mut |stdin| {
            for _ in 0..100 {
                stdin.write_all(&[b'x'; 10_000])?;
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(output.stdout_text(), "1000000\n");
    let error = Sandbox::new("/").run(&Invocation::new(Tool::VirtFwVars)).unwrap_err();
    assert_eq!(error.to_string(), "program `virt-fw-vars` not found in the tools tree `/`");
    let error = Sandbox::new("/").bind("/no/such", "/x").run(&sh("true")).unwrap_err();
    assert_eq!(error.to_string(), "cannot bind `/no/such`");
    let error = Sandbox::new("/").bind("/etc", "/usr/no-such-dir").run(&sh("true")).unwrap_err();
    assert!(error.to_string().contains("(step: create /usr/no-such-dir)"), "{error}");
}

#[test]
fn a_spawned_program_dies_with_its_handle() {
    if !have_namespaces() {
        return;
    }
    let mut child = Sandbox::new("/").spawn(&sh("echo ready; exec sleep 1000")).unwrap();
    let mut line = [0; 6];
    std::io::Read::read_exact(&mut child.take_stdout().unwrap(), &mut line).unwrap();
    assert_eq!(&line, b"ready\n");
    assert_eq!(child.try_wait().unwrap(), None);
    let proc = format!("/proc/{}", child.id());
    assert!(fs::exists(&proc).unwrap());
    drop(child);
    assert!(!fs::exists(&proc).unwrap());
}

fn scriptlet<'a>(interpreter: &'a [String], body: &'a str, args: &'a [String]) -> Scriptlet<'a> {
    Scriptlet {
        interpreter,
        body: Some(body),
        args,
        env: &[],
        stdin: b"",
        time_limit: Duration::from_secs(20),
    }
}

#[test]
fn scriptlets_in_the_system_root() {
    let root = Root::open("/").unwrap();
    assert!(chroot::is_system_root(&root).unwrap());
    let interpreter = ["/bin/sh".to_owned()];
    let args = ["1".to_owned()];
    let output = chroot::Runner::new(&root)
        .run(&scriptlet(&interpreter, "echo arg $1; pwd; echo err >&2; exit 4", &args))
        .unwrap();
    assert_eq!((output.ending, output.text.as_str()), (Ending::Exited(4), "arg 1\n/\nerr\n"));
    let trigger = Scriptlet {
        stdin: b"/usr/lib/a\n/usr/lib/b\n",
        ..scriptlet(&interpreter, "cat; echo $X", &[])
    };
    let env = [("X".to_owned(), "y".to_owned())];
    let output = chroot::Runner::new(&root).run(&Scriptlet { env: &env, ..trigger }).unwrap();
    assert_eq!(output.text, "/usr/lib/a\n/usr/lib/b\ny\n");
    // Large input that is not read does not block.
    let unread = vec![b'x'; 1 << 20];
    assert!(
        chroot::Runner::new(&root)
            .run(&Scriptlet { stdin: &unread, ..scriptlet(&interpreter, "true", &[]) })
            .unwrap()
            .success()
    );
    let program = ["/bin/echo".to_owned(), "hi".to_owned()];
    let bare = Scriptlet { body: None, ..scriptlet(&program, "", &args) };
    assert_eq!(chroot::Runner::new(&root).run(&bare).unwrap().text, "hi 1\n");
}

#[test]
fn scriptlets_time_out_and_daemons_do_not_block() {
    let root = Root::open("/").unwrap();
    let interpreter = ["/bin/sh".to_owned()];
    let slow = Scriptlet {
        time_limit: Duration::from_millis(150),
        ..scriptlet(&interpreter, "sleep 50 & sleep 50", &[])
    };
    assert_eq!(chroot::Runner::new(&root).run(&slow).unwrap().ending, Ending::TimedOut);
    let daemon = chroot::Runner::new(&root)
        .run(&scriptlet(&interpreter, "sleep 3 & echo started", &[]))
        .unwrap();
    assert_eq!((daemon.ending, daemon.text.as_str()), (Ending::Exited(0), "started\n"));
    let killed =
        chroot::Runner::new(&root).run(&scriptlet(&interpreter, "kill -15 $$", &[])).unwrap();
    assert_eq!(killed.ending, Ending::Killed(15));
    let missing = ["/no/such/interpreter".to_owned()];
    let error = chroot::Runner::new(&root).run(&scriptlet(&missing, "", &[])).unwrap_err();
    assert!(matches!(error, HostError::NotFound { .. }), "{error}");
}

/// A root made of copies of a shell and its libraries, so that chroot finds something to run.
fn small_root() -> Option<(tempfile::TempDir, Root)> {
    let dir = tempfile::tempdir().ok()?;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).ok()?;
    let libraries = Invocation::new(Tool::Sh)
        .args(["-c", "ldd /bin/sh | grep -o '/[^ ]*'"])
        .run()
        .ok()?
        .stdout_text();
    for path in libraries.lines().chain(["/bin/sh"]) {
        let target = dir.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(target.parent()?).ok()?;
        fs::copy(path, target).ok()?;
    }
    fs::create_dir(dir.path().join("proc")).ok()?;
    let root = Root::open(dir.path()).ok()?;
    Some((dir, root))
}

#[test]
fn scriptlets_in_another_root() {
    let Some((dir, root)) = small_root().filter(|_| have_namespaces()) else { return };
    std::os::unix::fs::symlink("/etc", dir.path().join("dev")).unwrap();
    let interpreter = ["/bin/sh".to_owned()];
    let body =
        "echo in root > /made; read a b < /proc/self/comm; echo $a; for f in /*; do echo $f; done";
    let output = chroot::Runner::new(&root).run(&scriptlet(&interpreter, body, &[])).unwrap();
    assert!(output.success(), "{output:?}");
    assert_eq!(fs::read_to_string(dir.path().join("made")).unwrap(), "in root\n");
    assert!(output.text.starts_with("sh\n/bin\n"), "{}", output.text);
    assert!(!output.text.contains("/srv"), "{}", output.text);
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0, "the script file is gone");
    assert_eq!(fs::read_dir(dir.path().join("proc")).unwrap().count(), 0, "no mount is left");
}

#[test]
fn scriptlets_of_one_runner_share_the_root_and_leave_nothing() {
    let Some((dir, root)) = small_root().filter(|_| have_namespaces()) else { return };
    let here = || {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        (mounts, std::env::current_dir().unwrap(), fs::read_link("/proc/self/ns/mnt").unwrap())
    };
    let before = here();
    let interpreter = ["/bin/sh".to_owned()];
    let mut runner = chroot::Runner::new(&root);
    let mut run = |body: &str| runner.run(&scriptlet(&interpreter, body, &[])).unwrap();
    assert!(run("umask 077; echo first > /made").success());
    let output = run("read word < /made; echo $word; umask; pwd; read x < /proc/self/stat");
    assert_eq!((output.success(), output.text.as_str()), (true, "first\n0022\n/\n"));
    let missing = ["/bin/none".to_owned()];
    let error = runner.run(&scriptlet(&missing, "", &[])).unwrap_err();
    assert!(matches!(error, HostError::NotFound { .. }), "{error:?}");
    drop(runner);
    assert_eq!(here(), before);
    assert_eq!(fs::read_dir(dir.path().join("proc")).unwrap().count(), 0);
}

#[test]
fn a_tree_without_users_gets_root() {
    let Some((dir, _root)) = small_root().filter(|_| have_namespaces()) else { return };
    fs::create_dir(dir.path().join("etc")).unwrap();
    fs::write(dir.path().join("etc/own.conf"), "own\n").unwrap();
    let script =
        "read a < /etc/passwd; echo $a; read a < /etc/own.conf; echo $a; echo x > /etc/own.conf";
    let output = Sandbox::new(dir.path()).run_unchecked(&sh(script)).unwrap();
    assert_eq!(output.stdout_text(), "root:x:0:0:root:/tmp:/bin/sh\nown\n");
    assert!(!output.success(), "the tree stays read-only");
    assert!(!dir.path().join("etc/passwd").exists());
}
