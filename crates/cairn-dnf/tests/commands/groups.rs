// SPDX-License-Identifier: MIT OR Apache-2.0
//! `group`, `environment` and `mark`.

use crate::common::{Bench, comps, package};
use cairn_rpm::repodata::{Comps, Environment, Group, GroupPackage, GroupPackageKind};
use expect_test::expect;

fn group(id: &str, name: &str, packages: &[(&str, GroupPackageKind)]) -> Group {
    let member = |(name, kind): &(&str, GroupPackageKind)| GroupPackage {
        name: (*name).to_owned(),
        kind: kind.clone(),
    };
    Group {
        id: id.to_owned(),
        name: name.to_owned(),
        description: name.to_owned(),
        user_visible: true,
        packages: packages.iter().map(member).collect(),
        ..Group::default()
    }
}

fn world() -> Bench {
    let mut bench = Bench::usual();
    bench.add(vec![package("new", "1.0-1", &[])]);
    let mut comps: Comps = comps();
    comps.groups.push(group("more", "More", &[("new", GroupPackageKind::Default)]));
    comps.environments.push(Environment {
        id: "server".to_owned(),
        name: "Server".to_owned(),
        description: "A server".to_owned(),
        display_order: Some(3),
        groups: vec!["tools".to_owned()],
        options: vec![("more".to_owned(), false)],
    });
    bench.set_comps(comps);
    bench
}

#[test]
fn lists() {
    let bench = world();
    expect![[r#"
        exit 0
        --- out
        ID                   Name  Installed
        more                 More         no
        tools                Tools        no
        Groups: 2 (0 installed, 2 available)
    "#]]
    .assert_eq(&bench.dnf("group list").quiet());
    expect![[r#"
        exit 0
        --- out
        Id                   : tools
        Name                 : Tools
        Description          : Some tools
        Installed            : no
        Order                : 
        Langonly             : 
        Uservisible          : yes
        Repositories         : t
        Mandatory packages   : foo
        Optional packages    : bar

    "#]]
    .assert_eq(&bench.dnf("group info tools").quiet());
    expect![[r#"
        exit 0
        --- out
        ID                   Name   Installed
        server               Server        no
    "#]]
    .assert_eq(&bench.dnf("environment list").quiet());
    expect![[r#"
        exit 0
        --- out
        Id                   : server
        Name                 : Server
        Description          : A server
        Order                : 3
        Installed            : False
        Repositories         : t
        Required groups      : tools
        Optional groups      : more

    "#]]
    .assert_eq(&bench.dnf("environment info server").quiet());
    expect![[r#"
        exit 0
        --- err
        No matches found.
    "#]]
    .assert_eq(&bench.dnf("group info nothing").quiet());
    expect![[r#"
        exit 0
        --- err
        No matches found.
    "#]]
    .assert_eq(&bench.dnf("environment list nothing").quiet());
    expect![[r#"
        exit 0
        --- out
        [
          {
            "id": "more",
            "installed": false,
            "name": "More"
          },
          {
            "id": "tools",
            "installed": false,
            "name": "Tools"
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("group list --json").quiet());
    expect![[r#"
        exit 0
        --- out
        [
          {
            "conditional_packages": [],
            "default_packages": [
              "new"
            ],
            "description": "More",
            "id": "more",
            "installed": false,
            "langonly": null,
            "mandatory_packages": [],
            "name": "More",
            "optional_packages": [],
            "order": null,
            "repositories": [
              "t"
            ],
            "uservisible": true
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("group info more --json").quiet());
    expect![[r#"
        exit 0
        --- out
        [
          {
            "default_groups": [],
            "description": "A server",
            "id": "server",
            "installed": false,
            "name": "Server",
            "optional_groups": [
              "more"
            ],
            "order": 3,
            "repositories": [
              "t"
            ],
            "required_groups": [
              "tools"
            ]
          }
        ]
    "#]]
    .assert_eq(&bench.dnf("environment info --json").quiet());
    assert_eq!(bench.dnf("environment list --installed --json").out, "[]\n");
    assert_eq!(bench.dnf("group list --contains-pkgs=n*").out.lines().count(), 3);
}

#[test]
fn environments_come_and_go() {
    let bench = world();
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Installing group/module packages:
         foo    noarch 0:2.0-1 t            6.0   B
        Installing dependencies:
         libfoo noarch 0:1.0-1 t            6.0   B
        Installing weak dependencies:
         bar    noarch 0:1.0-1 t            6.0   B
        Installing groups dependencies:
         Tools
        Installing environmental groups:
         Server

        Transaction Summary:
         Installing:         3 packages

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("environment install -y server").quiet());
    let state = |name: &str| bench.read(&format!("usr/lib/sysimage/libdnf5/{name}")).unwrap();
    expect![[r#"
        version = "1.0"

        [groups]
        [groups.tools]
        package_types = ["mandatory", "default", "conditional"]
        packages = ["foo"]
        userinstalled = false
        version = "1.0"

        [environments]
        server = {groups = ["tools"]}
    "#]]
    .assert_eq(&(state("groups.toml") + &state("environments.toml")));
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <comps>
          <environment>
            <id>server</id>
            <name>Server</name>
            <description>A server</description>
            <display_order>3</display_order>
            <grouplist>
              <groupid>tools</groupid>
            </grouplist>
            <optionlist>
              <groupid>more</groupid>
            </optionlist>
          </environment>
        </comps>
    "#]]
    .assert_eq(&state("comps_groups/environments/server.xml"));
    assert!(state("comps_groups/groups/tools.xml").contains("<packagereq type=\"mandatory\">foo"));
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
        --- err
        Group "tools" is already installed.
        Package "foo-2.0-1.noarch" is already installed.
        Environmental group "server" is already installed.
    "#]]
    .assert_eq(&bench.dnf("install -y @server").quiet());
    // The groups are known without any repository.
    expect![[r#"
        exit 0
        --- out
        ID                   Name   Installed
        server               Server       yes
    "#]]
    .assert_eq(&bench.plain_dnf("environment list").quiet());
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Removing:
         foo    noarch 0:2.0-1 t            6.0   B
        Removing unused dependencies:
         bar    noarch 0:1.0-1 t            6.0   B
         libfoo noarch 0:1.0-1 t            6.0   B
        Removing groups:
         Tools
        Removing environmental groups:
         Server

        Transaction Summary:
         Removing:           3 packages

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.plain_dnf("environment remove -y server").quiet());
    assert!(bench.read("usr/lib/sysimage/libdnf5/comps_groups/groups/tools.xml").is_none());
    assert_eq!(bench.rpm("-qa").out, "");
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
        --- err
        No groups to remove for argument: server
    "#]]
    .assert_eq(&bench.dnf("environment remove -y server").quiet());
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        No match for argument: nothing
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
    "#]]
    .assert_eq(&bench.dnf("environment install -y nothing").quiet());
    assert_eq!(bench.dnf("environment install -y server --with-optional").code, 0);
    assert_eq!(bench.rpm("-q new").out, "new-1.0-1.noarch\n");
}

#[test]
fn a_group_follows_its_definition() {
    let mut bench = world();
    assert_eq!(bench.dnf("install -y foo-1.0").code, 0);
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        No match for argument: tools
        You can try to add to command line:
          --skip-unavailable to skip unavailable packages
    "#]]
    .assert_eq(&bench.dnf("group upgrade -y tools").quiet());
    expect![[r#"
        exit 0
        --- out
        Package          Arch   Version Repository      Size
        Upgrading:
         foo             noarch 0:2.0-1 t            6.0   B
           replacing foo noarch 0:1.0-1 t            6.0   B
        Installing weak dependencies:
         bar             noarch 0:1.0-1 t            6.0   B
        Installing groups:
         Tools

        Transaction Summary:
         Installing:         1 package
         Upgrading:          1 package
         Replacing:          1 package

        --- err
        Package "foo-1.0-1.noarch" is already installed.
        Complete!
    "#]]
    .assert_eq(&bench.dnf("group install -y tools").quiet());
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
        --- err
        Group "tools" is already installed.
        Package "foo-2.0-1.noarch" is already installed.
    "#]]
    .assert_eq(&bench.dnf("group install -y tools").quiet());
    let mandatory = GroupPackageKind::Mandatory;
    let members = [("foo", mandatory.clone()), ("new", mandatory.clone())];
    bench.set_comps(Comps { groups: vec![group("tools", "Tools", &members)], ..Comps::default() });
    expect![[r#"
        exit 0
        --- out
        Package Arch   Version Repository      Size
        Installing group/module packages:
         new    noarch 0:1.0-1 t            6.0   B
        Upgrading groups:
         Tools

        Transaction Summary:
         Installing:         1 package

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("group upgrade -y tools --refresh").quiet());
    bench.set_comps(Comps {
        groups: vec![group("tools", "Tools", &members[..1])],
        ..Comps::default()
    });
    assert_eq!(bench.dnf("group upgrade -y tools --refresh").code, 0);
    assert_eq!(bench.rpm("-q new").code, 0, "a package that left the group stays");
    assert_eq!(bench.rpm("-q foo").out, "foo-2.0-1.noarch\n");
}

#[test]
fn groups_without_packages() {
    let bench = world();
    assert_eq!(bench.dnf("group install -y tools --no-packages").code, 0);
    assert_eq!(bench.rpm("-qa").out, "");
    assert_eq!(bench.dnf("install -y foo").code, 0);
    assert_eq!(bench.dnf("group remove -y tools --no-packages").code, 0);
    assert_eq!(bench.rpm("-q foo").code, 0);
}

#[test]
fn mark() {
    let bench = world();
    assert_eq!(bench.dnf("install -y foo-1.0 new").code, 0);
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        Group state for "tools" not found.
    "#]]
    .assert_eq(&bench.dnf("mark group tools new -y").quiet());
    expect![[r#"
        exit 1
        --- err
        Failed to resolve the transaction:
        No match for argument: nothing
    "#]]
    .assert_eq(&bench.dnf("mark dependency nothing -y").quiet());
    expect![[r#"
        exit 0
        --- out
        Package               Arch   Version Repository      Size
        Changing reason:
         new                  noarch 0:1.0-1 @System      6.0   B
           User -> Dependency

        Transaction Summary:
         Changing reason:    1 package

        --- err
        No match for argument: nothing
        Complete!
    "#]]
    .assert_eq(&bench.dnf("mark dependency nothing new -y --skip-unavailable").quiet());
    expect![[r#"
        exit 0
        --- out
        Nothing to do.
        --- err
        Package "new-1.0-1.noarch" is already installed with reason "Dependency".
    "#]]
    .assert_eq(&bench.dnf("mark dependency new -y").quiet());
    assert_eq!(bench.dnf("mark weak new -y").code, 0);
    assert_eq!(bench.dnf("mark user new -y").code, 0);
    assert_eq!(bench.dnf("group install -y tools").code, 0);
    assert_eq!(bench.dnf("mark group tools new -y").code, 0);
    assert_eq!(bench.dnf("repoquery --installed --qf '%{reason}\\n' new").out, "Group\n");
    assert_eq!(bench.dnf("group remove -y tools").code, 0);
    assert_eq!(bench.rpm("-q new").code, 1);
}

#[test]
fn a_member_that_is_nowhere_keeps_no_group_away() {
    let mut bench = Bench::usual();
    let members = [("absent", GroupPackageKind::Mandatory), ("bar", GroupPackageKind::Mandatory)];
    bench.set_comps(Comps { groups: vec![group("part", "Part", &members)], ..comps() });
    let ran = bench.dnf("group install -y part");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("No match for group package: absent"), "{}", ran.err);
    assert_eq!(bench.rpm("-q bar").code, 0);
    let ran = bench.dnf("group remove -y part");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let history = bench.dnf("history info");
    assert!(history.out.contains("Group"), "{}", history.out);
}

#[test]
fn a_group_of_an_environment_is_wanted_or_removed() {
    let mut bench = world();
    assert_eq!(bench.dnf("environment install -y server").code, 0);
    expect![[r#"
        exit 0
        --- out
        Package               Arch   Version Repository      Size
        Changing reason of installed groups:
         Tools
           Dependency -> User

        Transaction Summary:

        --- err
        Package "foo-2.0-1.noarch" is already installed.
        Complete!
    "#]]
    .assert_eq(&bench.dnf("group install -y tools").quiet());
    assert_eq!(bench.dnf("group remove -y tools").code, 0);
    // What was removed from an environment stays away; what is new in it comes.
    let upgrade = "environment upgrade -y server --refresh";
    assert_eq!(bench.dnf(upgrade).code, 0);
    assert_eq!(bench.rpm("-qa").out, "");
    let mut comps = comps();
    comps.groups.push(group("more", "More", &[("new", GroupPackageKind::Default)]));
    comps.environments.push(Environment {
        id: "server".to_owned(),
        name: "Server".to_owned(),
        groups: vec!["tools".to_owned(), "more".to_owned()],
        ..Environment::default()
    });
    bench.set_comps(comps);
    assert_eq!(bench.dnf(upgrade).code, 0);
    assert_eq!(bench.rpm("-qa").out, "new-1.0-1.noarch\n");
}

#[test]
fn a_lost_definition_is_found_again() {
    let bench = world();
    assert_eq!(bench.dnf("environment install -y server").code, 0);
    let directory = bench.root().join("usr/lib/sysimage/libdnf5/comps_groups");
    std::fs::remove_dir_all(&directory).unwrap();
    let nameless = bench.plain_dnf("group list").out;
    assert!(nameless.contains("tools") && !nameless.contains("Tools"), "{nameless}");
    assert_eq!(bench.dnf("group list").code, 0);
    let named = bench.plain_dnf("group list").out;
    assert!(named.contains("Tools"), "{named}");
    let named = bench.plain_dnf("environment list").out;
    assert!(named.contains("Server"), "{named}");
}

#[test]
fn a_changed_reason_is_taken_back() {
    let bench = world();
    assert_eq!(bench.dnf("environment install -y server").code, 0);
    assert_eq!(bench.dnf("group install -y tools").code, 0);
    expect![[r#"
        exit 0
        --- out
        Package               Arch   Version Repository      Size
        Changing reason of installed groups:
         Tools
           User -> Dependency

        Transaction Summary:

        --- err
        Complete!
    "#]]
    .assert_eq(&bench.dnf("history undo last -y").quiet());
    assert_eq!(bench.dnf("history redo 2 -y").code, 0);
    let removed = bench.dnf("environment remove -y server");
    assert_eq!(removed.code, 0, "{}", removed.err);
    assert!(bench.dnf("group list --installed").out.contains("tools"), "the user wants it");
}
