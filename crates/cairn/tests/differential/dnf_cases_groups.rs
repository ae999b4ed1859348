// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios of `dnf` about groups and environments: definitions that change, equal identifiers, excludes, oddities.

use crate::dnf_cases_actions::push;
use crate::dnf_scenario::Scenario;

/// Adds all scenarios.
pub fn all(all: &mut Vec<Scenario>) {
    changing_groups(all);
    groups_again(all);
    same_ids(all);
    excluded_groups(all);
    odd_groups(all);
    places_in_lists(all);
}

/// Two repositories that define the same groups differently.
fn changing(name: &str) -> Scenario {
    let a = ["mandatory:am", "default:ad", "optional:ao", "conditional:ac if cond"];
    let b = ["mandatory:bm", "default:bd", "optional:bo", "conditional:bc if cond"];
    Scenario::new(&format!("comps-{name}"), "am-1\nad-1\nao-1\nac-1\ncond-1")
        .group("ab", &a)
        .group("a", &a)
        .group("empty", &[])
        .environment("e", &["a"], &[])
        .environment("none", &[], &[])
        .environment("opt", &[], &["a"])
        .repository("two", "am-2\nad-2\nac-2\nbm-1\nbd-1\nbo-1\nbc-1")
        .option("enabled=0")
        .group("ab", &b)
        .group("a", &a)
        .group("b", &b)
        .environment("e", &["b"], &[])
}

fn changing_groups(all: &mut Vec<Scenario>) {
    let table: [(&str, &[&str]); _] = [
        ("new-versions", &["install cond", "group install a", "group upgrade --enable-repo=two a"]),
        ("nothing-new", &["group install --no-packages ab", "group upgrade ab"]),
        (
            "new-members",
            &["install cond", "group install --no-packages ab", "group upgrade --repo=two ab"],
        ),
        (
            "merged-members",
            &[
                "install cond",
                "group install --no-packages ab",
                "group upgrade --enable-repo=two ab",
            ],
        ),
        (
            "back",
            &[
                "install cond",
                "group install --no-packages ab",
                "group upgrade --repo=two ab",
                "group upgrade ab",
            ],
        ),
        (
            "members-excluded",
            &["install cond", "group install ab --exclude=am,ad,ao,ac", "group upgrade ab"],
        ),
        (
            "members-removed",
            &["install cond", "group install ab", "remove am ad ac", "group upgrade ab"],
        ),
        ("environment-same", &["group install --no-packages e", "group upgrade e"]),
        (
            "environment-new",
            &["install cond", "group install --no-packages e", "group upgrade --repo=two e"],
        ),
        (
            "environment-own-group",
            &[
                "group install --no-packages e",
                "group install --no-packages a",
                "group upgrade --repo=two e",
            ],
        ),
        (
            "environment-merged",
            &["install cond", "group install --no-packages e", "group upgrade --enable-repo=two e"],
        ),
        (
            "environment-back",
            &["group install --no-packages e", "group upgrade --repo=two e", "group upgrade e"],
        ),
        ("environment-excluded", &["group install e --exclude=am,ad,ao,ac", "group upgrade e"]),
        ("environment-removed", &["group install e", "remove am ad", "group upgrade e"]),
        ("empty", &["group install empty", "group upgrade empty", "group remove empty"]),
        ("environment-empty", &["group install none", "group upgrade none", "group remove none"]),
        ("environment-without", &["group install e", "group remove a", "group upgrade e"]),
        ("environment-optional", &["group install --no-packages opt a", "group upgrade opt"]),
        (
            "some-unknown",
            &[
                "group upgrade zz",
                "group install empty",
                "group upgrade zz empty --skip-unavailable",
            ],
        ),
        ("left-member-too", &["group install ab", "upgrade --repo=two @ab am"]),
        ("left-group-too", &["group install e", "group upgrade --repo=two e a"]),
        ("left-later", &["group install ab", "upgrade --repo=two @ab", "upgrade --repo=two"]),
        (
            "environment-command",
            &[
                "environment install e",
                "environment upgrade --repo=two e",
                "environment remove e",
                "environment install zz",
            ],
        ),
        (
            "infos",
            &[
                "group info --enable-repo=two ab",
                "environment info --enable-repo=two e",
                "group list --enable-repo=two",
                "environment list --enable-repo=two",
            ],
        ),
        ("condition-together", &["install @ab cond", "group remove ab"]),
        ("condition-there", &["install cond", "group install ab", "group remove ab"]),
        ("condition-later", &["group install ab", "install cond", "group upgrade ab"]),
        (
            "upgrade-everything",
            &["install cond @ab", "upgrade --enable-repo=two", "group list --installed"],
        ),
        ("with-and-without", &["group install ab", "swap @ab @b --enable-repo=two"]),
    ];
    push(all, changing, &table);
}

/// Groups and environments that are asked for once more, or together with what brings them.
fn groups_again(all: &mut Vec<Scenario>) {
    let table: [(&str, &[&str]); _] = [
        ("again-group", &["group install ab", "remove am", "group install ab", "group remove ab"]),
        ("again-group-new", &["group install ab", "group install --enable-repo=two ab"]),
        ("again-group-optional", &["group install ab", "group install --with-optional ab"]),
        ("again-group-bare", &["group install ab", "remove am", "group install --no-packages ab"]),
        ("again-group-of-environment", &["group install e", "group install a", "group remove e"]),
        ("again-by-environment", &["group install a", "group install e", "group remove e"]),
        ("again-environment", &["group install e", "group install e"]),
        ("again-environment-without", &["group install e", "group remove a", "group install e"]),
        ("again-environment-new", &["group install e", "group install --enable-repo=two e"]),
        (
            "again-environment-optional",
            &["group install opt", "group install --with-optional opt", "group remove opt"],
        ),
        (
            "again-stored",
            &["group install e", "group install a --store ./t", "replay ./t", "group remove e"],
        ),
        (
            "again-undone",
            &["group install e", "group install a", "history undo last", "group remove e"],
        ),
        ("together-group-first", &["group install a e", "group remove e"]),
        ("together-environment-first", &["group install e a", "group remove e"]),
        ("together-removed", &["group install e a", "group remove a e"]),
        ("together-upgraded", &["group install e a", "group upgrade e a"]),
        (
            "together-both-ways",
            &[
                "install @ab @^e",
                "do --action=remove @ab @^e --action=install @b --enable-repo=two",
            ],
        ),
        ("together-swapped", &["group install e ab", "swap @^e @b --enable-repo=two"]),
    ];
    push(all, changing, &table);
}

/// A group and an environment with one ID.
fn same_ids(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(&format!("same-id-{name}"), "a-1\nc-1\nz-1")
            .group("inner", &["mandatory:a"])
            .group("s", &["mandatory:c"])
            .environment("s", &["inner"], &[])
            .repository("two", "b-1\nd-1")
            .option("enabled=0")
            .group("inner", &["mandatory:b"])
            .group("s", &["mandatory:d"])
            .environment("s", &["inner"], &[])
    };
    let kept = "$ find usr/lib/sysimage/libdnf5/comps_groups | sort > kept";
    let table: [(&str, &[&str]); _] = [
        ("group", &["group install s", kept]),
        ("environment", &["environment install s", kept]),
        ("both", &["install @s", kept]),
        ("group-removed", &["install @s", "group remove s", kept]),
        ("environment-removed", &["install @s", "environment remove s", kept]),
        ("both-removed", &["install @s", "remove @s", kept]),
        ("group-upgraded", &["install @s", "group upgrade --enable-repo=two s", kept]),
        ("environment-upgraded", &["install @s", "environment upgrade --enable-repo=two s", kept]),
        ("both-upgraded", &["install @s", "upgrade --enable-repo=two @s", kept]),
    ];
    push(all, make, &table);
}

/// `excludegroups` and `excludeenvs`.
fn excluded_groups(all: &mut Vec<Scenario>) {
    let make = |name: &str| {
        Scenario::new(&format!("comps-excluded-{name}"), "a-1\nc-1\nd-1")
            .group("ag", &["mandatory:a"])
            .group("cg", &["mandatory:c"])
            .environment("ae", &["ag"], &[])
            .environment("ace", &["ag", "cg"], &[])
    };
    let table: [(&str, &[&str]); _] = [
        (
            "group",
            &["group install ag --setopt=excludegroups=ag", "group list --setopt=excludegroups=ag"],
        ),
        (
            "environment",
            &[
                "group install ae --setopt=excludeenvs=ae",
                "environment list --setopt=excludeenvs=ae",
            ],
        ),
        ("inner", &["group install ace --setopt=excludegroups=ag"]),
        ("inner-all", &["group install ace --setopt=excludegroups=ag,cg"]),
        ("globs", &["group install *g *e --setopt=excludegroups=a* --setopt=excludeenvs=ae"]),
        ("unknown", &["group install ag --setopt=excludegroups=zz --setopt=excludeenvs=zz"]),
        ("none", &["group install ae ace", "group remove ae ace"]),
        ("off", &["group install ag --setopt=excludegroups=ag --setopt=disable_excludes=*"]),
        ("off-main", &["group install ae --setopt=excludeenvs=ae --setopt=disable_excludes=main"]),
        (
            "off-other",
            &["group install ag --setopt=excludegroups=ag --setopt=disable_excludes=base"],
        ),
    ];
    push(all, make, &table);
}

/// Groups without a name, of an environment that names more than there is, whose packages need each other.
fn odd_groups(all: &mut Vec<Scenario>) {
    let unnamed = "<group><id>u</id><default>true</default><uservisible>true</uservisible><packagelist><packagereq type=\"mandatory\">a</packagereq></packagelist></group>\n\
                   <environment><id>ue</id><grouplist><groupid>u</groupid></grouplist></environment>\n\
                   <group><id>w</id><name>Without</name><uservisible>true</uservisible></group>\n\
                   <group><id>hidden</id><name>Hidden</name><uservisible>false</uservisible><packagelist/></group>\n";
    let make = |name: &str| {
        Scenario::new(
            &format!("comps-odd-{name}"),
            "a-1\nb-1 | Requires: c\nc-1 | Requires: d\nd-1\ne-1 | Requires: e-self | Provides: e-self",
        )
        .comps(unnamed)
        .group("g", &["mandatory:a"])
        .group("one", &["mandatory:b"])
        .group("two", &["mandatory:c"])
        .group("three", &["mandatory:d"])
        .group("self", &["mandatory:e"])
        .environment("n", &["g", "absent"], &[])
    };
    let table: [(&str, &[&str]); _] = [
        ("unnamed", &["group install u", "group info u", "group list", "group remove u"]),
        ("unnamed-environment", &["group install ue", "environment info ue", "environment list"]),
        ("without-list", &["group install w", "group info w"]),
        (
            "hidden",
            &[
                "group list",
                "group list --hidden",
                "group list hidden",
                "group install hidden",
                "group list",
                "group list --installed",
            ],
        ),
        ("absent-group", &["group install n", "environment info n"]),
        ("absent-group-at", &["install @^n", "remove @^n"]),
        ("shared-member", &["group install g", "group install u", "group remove g"]),
        ("needs-other", &["group install one two", "group remove one two"]),
        ("needs-far", &["group install one three", "group remove one three"]),
        ("self", &["group install self", "group remove self"]),
        (
            "dependency-excluded",
            &["group install --exclude=d one", "group install --exclude=d one --skip-broken"],
        ),
        (
            "definition-lost",
            &[
                "group install g",
                "$ rm -r usr/lib/sysimage/libdnf5/comps_groups",
                "group info --installed",
                "group info --installed --disable-repo=*",
                "group list --installed --disable-repo=*",
                "group remove g --disable-repo=*",
            ],
        ),
        (
            "absent-repository",
            &[
                "group install g",
                "group install --disable-repo=* g",
                "group upgrade g --disable-repo=*",
            ],
        ),
    ];
    push(all, make, &table);
}

/// Groups and environments with places in lists, of one language, selected by default.
fn places_in_lists(all: &mut Vec<Scenario>) {
    let group = |id: &str, more: &str| {
        format!(
            "<group><id>{id}</id><name>Group {id}</name><description>About {id}</description><uservisible>true</uservisible>{more}\
             <packagelist><packagereq type=\"mandatory\">{id}</packagereq></packagelist></group>\n"
        )
    };
    let environment = "<environment><id>env-d</id><name>D</name><description>About</description><display_order>7</display_order>\
                       <grouplist><groupid>one</groupid></grouplist><optionlist><groupid default=\"true\">two</groupid>\
                       <groupid>three</groupid></optionlist></environment>\n\
                       <environment><id>env-c</id><name>C</name><description/><display_order>9</display_order><grouplist/></environment>\n\
                       <environment><id>env-a</id><name>A</name><description/><grouplist/></environment>\n";
    let make = |name: &str| {
        Scenario::new(&format!("comps-places-{name}"), "one-1\ntwo-1\nthree-1")
            .comps(&group("two", "<display_order>30</display_order>"))
            .comps(&group("one", "<display_order>200</display_order>"))
            .comps(&group("three", "<langonly>de</langonly>"))
            .comps(environment)
    };
    let table: [(&str, &[&str]); _] = [
        ("lists", &["group list", "environment list", "group info", "environment info"]),
        ("installed", &["group install one", "group list", "group info", "group list --hidden"]),
        (
            "by-name",
            &[
                "group list 'Group *'",
                "group list 'GROUP o*'",
                "group list ONE",
                "environment list c ENV-*",
            ],
        ),
        ("by-package", &["group list --contains-pkgs=t*", "group info --contains-pkgs=one"]),
        (
            "default",
            &["environment install env-d", "group upgrade env-d", "environment remove env-d"],
        ),
        ("optional", &["group install --with-optional env-d", "group remove env-d"]),
        (
            "default-removed",
            &["group install env-d", "group remove two", "group upgrade env-d", "group list"],
        ),
        (
            "default-lost",
            &[
                "group install env-d",
                "$ rm -r usr/lib/sysimage/libdnf5/comps_groups/environments",
                "group remove two",
                "group upgrade env-d",
            ],
        ),
        (
            "default-and-optional",
            &["group install --with-optional env-d", "group upgrade env-d", "group remove env-d"],
        ),
    ];
    push(all, make, &table);
}
