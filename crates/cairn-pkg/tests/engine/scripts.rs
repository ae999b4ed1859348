// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which scriptlets and triggers run, in which order and with which arguments.

use cairn_pkg::event::Event;
use cairn_pkg::transaction::{
    Action, Outcome, Overrides, Scriptlets, TransactionItem, TransactionOptions, run,
};
use cairn_rpm::build::{FileSpec, PackageSpec, TriggerScope, TriggerSpec};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::header::{ScriptletKind, TriggerKind};
use expect_test::{Expect, expect};

use crate::support::{Bench, check_clean, file, options, removal, script, snapshot, spec};

fn all_scriptlets(mut package: PackageSpec) -> PackageSpec {
    for kind in ScriptletKind::ALL {
        if *kind != ScriptletKind::Verify {
            package = script(package, *kind, "true");
        }
    }
    package
}

fn trigger(
    mut package: PackageSpec,
    scope: TriggerScope,
    kind: TriggerKind,
    target: &str,
    priority: u32,
) -> PackageSpec {
    package.triggers.push(TriggerSpec {
        scope,
        interpreter: "/bin/sh".to_owned(),
        body: Some("true".to_owned()),
        flags: 0,
        priority,
        conditions: vec![(kind, Dependency::new(target))],
    });
    package
}

fn collect(bench: &Bench, items: Vec<TransactionItem>) -> Outcome {
    let options = TransactionOptions { scriptlets: Scriptlets::Collect, ..options() };
    run(&bench.root, items, &options, &mut |_| ()).unwrap()
}

fn check(outcome: &Outcome, expected: Expect) {
    let line = |one: &cairn_pkg::scriptlet::CollectedScriptlet| {
        let args: Vec<String> = one.args.iter().map(ToString::to_string).collect();
        let args = if args.is_empty() { String::new() } else { format!(" {}", args.join(" ")) };
        let stdin = if one.stdin.is_empty() {
            String::new()
        } else {
            format!(" < {}", one.stdin.join(" "))
        };
        format!("{} {}{args}{stdin}\n", one.package.trim_end_matches(".noarch"), one.kind)
    };
    expected.assert_eq(&outcome.scriptlets.iter().map(line).collect::<String>());
}

#[test]
fn order_of_an_upgrade() {
    let bench = Bench::new();
    let items = vec![bench.item(Action::Install, &all_scriptlets(spec("a", "1-1", &[])))];
    check(
        &collect(&bench, items),
        expect![[r"
            a-1-1 %pretrans 1
            a-1-1 %pre 1
            a-1-1 %post 1
            a-1-1 %posttrans 1
        "]],
    );
    let items = vec![bench.item(Action::Upgrade, &all_scriptlets(spec("a", "2-1", &[])))];
    check(
        &collect(&bench, items),
        expect![[r"
            a-2-1 %pretrans 2
            a-1-1 %preuntrans 1
            a-2-1 %pre 2
            a-2-1 %post 2
            a-1-1 %preun 1
            a-1-1 %postun 1
            a-2-1 %posttrans 2
            a-1-1 %postuntrans 1
        "]],
    );
    check(
        &collect(&bench, vec![removal("a-2-1.noarch")]),
        expect![[r"
            a-2-1 %preuntrans 0
            a-2-1 %preun 0
            a-2-1 %postun 0
            a-2-1 %postuntrans 0
        "]],
    );
}

/// `OrderWithRequires` needs nothing, and orders what is there.
#[test]
fn ordered_without_being_needed() {
    let bench = Bench::new();
    let mut first = script(spec("a", "1-1", &[]), ScriptletKind::PostInstall, "true");
    first.order_with_requires = vec![Dependency::new("z"), Dependency::new("nowhere")];
    let last = script(spec("z", "1-1", &[]), ScriptletKind::PostInstall, "true");
    let items = vec![bench.item(Action::Install, &first), bench.item(Action::Install, &last)];
    check(
        &collect(&bench, items),
        expect![[r"
            z-1-1 %post 1
            a-1-1 %post 1
        "]],
    );
}

#[test]
fn package_triggers() {
    let bench = Bench::new();
    let mut watcher = spec("watcher", "1-1", &[]);
    for kind in [
        TriggerKind::PreInstall,
        TriggerKind::Install,
        TriggerKind::Uninstall,
        TriggerKind::PostUninstall,
    ] {
        watcher = trigger(watcher, TriggerScope::Package, kind, "target", 0);
    }
    let items = vec![bench.item(Action::Install, &watcher)];
    check(&collect(&bench, items), expect![[""]]);
    let items = vec![bench.item(Action::Install, &all_scriptlets(spec("target", "1-1", &[])))];
    check(
        &collect(&bench, items),
        expect![[r"
            target-1-1 %pretrans 1
            watcher-1-1 %triggerprein 1 0
            target-1-1 %pre 1
            target-1-1 %post 1
            watcher-1-1 %triggerin 1 1
            target-1-1 %posttrans 1
        "]],
    );
    let items = vec![bench.item(Action::Upgrade, &spec("target", "2-1", &[]))];
    check(
        &collect(&bench, items),
        expect![[r"
            target-1-1 %preuntrans 1
            watcher-1-1 %triggerprein 1 1
            watcher-1-1 %triggerin 1 2
            watcher-1-1 %triggerun 1 1
            target-1-1 %preun 1
            target-1-1 %postun 1
            watcher-1-1 %triggerpostun 1 1
            target-1-1 %postuntrans 1
        "]],
    );
    // The watcher's own triggers are set off by what is installed.
    let mut second = watcher.clone();
    second.evr = cairn_rpm::evr::Evr::parse("2-1").unwrap();
    let items = vec![bench.item(Action::Upgrade, &second)];
    check(
        &collect(&bench, items),
        expect![[r"
            watcher-2-1 %triggerprein 1 1
            watcher-2-1 %triggerin 2 1
            watcher-1-1 %triggerun 1 1
        "]],
    );
}

#[test]
fn file_triggers() {
    let bench = Bench::new();
    let mut cache = spec("cache", "1-1", &[file("/usr/share/icons/own", "o")]);
    cache = trigger(
        cache,
        TriggerScope::TransactionFile,
        TriggerKind::Install,
        "/usr/share/icons",
        100,
    );
    cache = trigger(
        cache,
        TriggerScope::TransactionFile,
        TriggerKind::PostUninstall,
        "/usr/share/icons",
        100,
    );
    cache = trigger(cache, TriggerScope::File, TriggerKind::Install, "/usr/share/icons", 200);
    cache = script(cache, ScriptletKind::PostInstall, "true");
    let app = script(
        spec("app", "1-1", &[file("/usr/share/icons/app", "a"), file("/usr/bin/app", "a")]),
        ScriptletKind::PostInstall,
        "true",
    );
    let items = vec![bench.item(Action::Install, &cache), bench.item(Action::Install, &app)];
    check(
        &collect(&bench, items),
        expect![[r#"
            app-1-1 %post 1
            cache-1-1 %post 1
            cache-1-1 %filetriggerin 1 1 < /usr/share/icons/own
            cache-1-1 %filetriggerin 1 1 < /usr/share/icons/app
            cache-1-1 %transfiletriggerin 1 < /usr/share/icons/app /usr/share/icons/own
        "#]],
    );
    let high = trigger(
        spec("high", "1-1", &[]),
        TriggerScope::TransactionFile,
        TriggerKind::Install,
        "/usr/share/icons/",
        2_000_000,
    );
    collect(&bench, vec![bench.item(Action::Install, &high)]);
    let items = vec![
        bench.item(Action::Upgrade, &spec("app", "2-1", &[file("/usr/share/icons/app", "b")])),
    ];
    check(
        &collect(&bench, items),
        expect![[r"
            cache-1-1 %filetriggerin 1 2 < /usr/share/icons/app
            high-1-1 %transfiletriggerin 1 < /usr/share/icons/app
            cache-1-1 %transfiletriggerin 1 < /usr/share/icons/app
            cache-1-1 %transfiletriggerpostun 1
        "]],
    );
}

#[test]
fn lua_needs_nothing_in_the_root_and_others_do() {
    let bench = Bench::new();
    let options = TransactionOptions { scriptlets: Scriptlets::Run, ..options() };
    let body = "local f = io.open('/from-lua', 'w') f:write(arg[2]) f:close() print('done')";
    let mut lua = script(spec("a", "1-1", &[file("/a", "a")]), ScriptletKind::PreTransaction, body);
    lua.scriptlets.get_mut(&ScriptletKind::PreTransaction).unwrap().interpreter =
        vec!["<lua>".to_owned()];
    let mut said = String::new();
    run(&bench.root, vec![bench.item(Action::Install, &lua)], &options, &mut |event| {
        if let Event::ScriptletOutput { text, .. } = event {
            said.push_str(&text);
        }
    })
    .unwrap();
    assert_eq!(said, "done\n");
    assert_eq!(bench.root.read("from-lua").unwrap(), b"1");

    let mut broken = script(spec("c", "1-1", &[]), ScriptletKind::PreInstall, "error('no')");
    broken.scriptlets.get_mut(&ScriptletKind::PreInstall).unwrap().interpreter =
        vec!["<lua>".to_owned()];
    let error = run(&bench.root, vec![bench.item(Action::Install, &broken)], &options, &mut |_| ())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "c-1-1.noarch: %pre lua script failed; nothing was installed or removed"
    );
    let before = snapshot(&bench.root);
    let post = script(spec("b", "1-1", &[file("/b", "b")]), ScriptletKind::PostInstall, "true");
    let error = run(&bench.root, vec![bench.item(Action::Install, &post)], &options, &mut |_| ())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "b-1-1.noarch: %post needs `/bin/sh`, which is not installed by this transaction"
    );
    assert_eq!(snapshot(&bench.root), before);
}

#[test]
fn silenced_kinds_do_not_run() {
    let bench = Bench::new();
    let items = vec![bench.item(Action::Install, &all_scriptlets(spec("a", "1-1", &[])))];
    let overrides = Overrides {
        silenced: ["%pre", "%posttrans"].into_iter().map(str::to_owned).collect(),
        ..Overrides::default()
    };
    let options = TransactionOptions { scriptlets: Scriptlets::Collect, overrides, ..options() };
    check(
        &run(&bench.root, items, &options, &mut |_| ()).unwrap(),
        expect![[r"
            a-1-1 %pretrans 1
            a-1-1 %post 1
        "]],
    );
}

/// A package with the host's shell, `None` where it cannot be copied simply.
fn shell() -> Option<PackageSpec> {
    let libraries = ["/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"];
    let mut files = vec![
        file("/bin/sh", "").with_mode(0o755),
        FileSpec::directory("/var/tmp").with_mode(0o1777),
    ];
    files[0].kind = cairn_rpm::build::FileKind::Regular(std::fs::read("/bin/dash").ok()?);
    for library in libraries {
        let mut entry = file(library, "").with_mode(0o755);
        entry.kind = cairn_rpm::build::FileKind::Regular(std::fs::read(library).ok()?);
        files.push(entry);
    }
    Some(spec("shell", "1-1", &files))
}

#[test]
fn pretrans_moves_a_directory_out_of_the_way() {
    let bench = Bench::new();
    let options = || TransactionOptions { scriptlets: Scriptlets::Run, ..options() };
    bench.install(&[spec("a", "1-1", &[FileSpec::directory("/opt/a")])]).unwrap();
    let new = spec("a", "2-1", &[FileSpec::symlink("/opt/a", "b")]);
    let mut new = script(new, ScriptletKind::PreTransaction, "posix.rmdir('/opt/a')");
    new.scriptlets.get_mut(&ScriptletKind::PreTransaction).unwrap().interpreter =
        vec!["<lua>".to_owned()];
    let item = || vec![bench.item(Action::Upgrade, &new)];
    let test = TransactionOptions { test_only: true, ..options() };
    run(&bench.root, item(), &test, &mut |_| ()).unwrap();
    run(&bench.root, item(), &options(), &mut |_| ()).unwrap();
    assert_eq!(bench.root.read_link("opt/a").unwrap().to_str(), Some("b"));
    check_clean(&bench.root);

    // If it does not, nothing happens.
    let bench = Bench::new();
    bench
        .install(&[spec("a", "1-1", &[file("/opt/a/f", "f"), FileSpec::directory("/opt/a")])])
        .unwrap();
    let before = snapshot(&bench.root);
    run(&bench.root, vec![bench.item(Action::Upgrade, &new)], &options(), &mut |_| ()).unwrap_err();
    assert_eq!(snapshot(&bench.root), before);
    check_clean(&bench.root);
}

#[test]
fn scriptlets_run_in_the_root() {
    let Some(shell) = shell() else { return };
    let bench = Bench::new();
    let options = || TransactionOptions { scriptlets: Scriptlets::Run, ..options() };
    let mut outputs = Vec::new();
    let mut events = |event| {
        if let cairn_pkg::event::Event::ScriptletOutput { kind, text, .. } = event {
            outputs.push(format!("{kind}: {}", text.trim()));
        }
    };
    let mut noisy = script(
        spec("noisy", "1-1", &[file("/usr/share/noisy", "n")]),
        ScriptletKind::PostInstall,
        "read x < /usr/share/noisy; echo $1 $x",
    );
    noisy = script(noisy, ScriptletKind::PreInstall, "test -e /bin/sh && echo late pre");
    noisy = trigger(noisy, TriggerScope::TransactionFile, TriggerKind::Install, "/usr/share", 1);
    noisy.triggers[0].body = Some("while read p; do echo got $p; done".to_owned());
    let items = vec![bench.item(Action::Install, &shell), bench.item(Action::Install, &noisy)];
    let outcome = run(&bench.root, items, &options(), &mut events).unwrap();
    assert_eq!(outcome.failures, Vec::<String>::new());
    assert_eq!(
        outputs,
        ["%pre: late pre", "%post: 1 n", "%transfiletriggerin: got /usr/share/noisy"]
    );
    check_clean(&bench.root);

    let before = snapshot(&bench.root);
    let failing = script(
        spec("bad", "1-1", &[file("/usr/share/bad", "b")]),
        ScriptletKind::PreInstall,
        "exit 3",
    );
    let error =
        run(&bench.root, vec![bench.item(Action::Install, &failing)], &options(), &mut |_| ())
            .unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad-1-1.noarch: %pre scriptlet failed, exit status 3; nothing was installed or removed"
    );
    assert_eq!(snapshot(&bench.root), before);
    check_clean(&bench.root);

    let failing = script(
        spec("sad", "1-1", &[file("/usr/share/sad", "s")]),
        ScriptletKind::PostInstall,
        "exit 4",
    );
    let outcome =
        run(&bench.root, vec![bench.item(Action::Install, &failing)], &options(), &mut |_| ())
            .unwrap();
    assert_eq!(outcome.failures, ["%post(sad-1-1.noarch) scriptlet failed, exit status 4"]);
    assert!(bench.root.exists("usr/share/sad").unwrap());
}
