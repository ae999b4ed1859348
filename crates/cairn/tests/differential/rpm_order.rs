// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios about the order of packages. Only `%post` and `%postun` write to the trace: when the others run is another question.

use crate::scenario::{Pkg, Scenario};

/// Kinds of relations, the more frequent ones first.
const KINDS: [&str; 12] = [
    "Requires",
    "Requires(pre)",
    "Requires(post)",
    "Requires(preun)",
    "Requires(postun)",
    "Requires",
    "OrderWithRequires",
    "Recommends",
    "Supplements",
    "Requires(meta)",
    "Requires(posttrans)",
    "Recommends(post)",
];

pub fn order(all: &mut Vec<Scenario>) {
    let named: [(&str, &[(&str, &str)]); 20] = [
        ("unrelated", &[]),
        ("chain", &[("a", "Requires: b"), ("b", "Requires: c"), ("c", "Requires: d")]),
        ("pair", &[("a", "Requires: b"), ("b", "Requires: a")]),
        ("pair-pre", &[("a", "Requires(pre): b"), ("b", "Requires: a")]),
        ("pair-preun", &[("a", "Requires(preun): b"), ("b", "Requires: a")]),
        ("ring", &[("a", "Requires: b"), ("b", "Requires: c"), ("c", "Requires: a")]),
        ("ring-post", &[("a", "Requires: b"), ("b", "Requires(post): c"), ("c", "Requires: a")]),
        (
            "ring-both",
            &[("a", "Requires(pre): b"), ("b", "Requires(post): c"), ("c", "Requires: a")],
        ),
        (
            "two-rings",
            &[
                ("a", "Requires: b"),
                ("b", "Requires: a"),
                ("c", "Requires: d"),
                ("d", "Requires: c"),
                ("a", "Requires: c"),
            ],
        ),
        (
            "ring-and-rest",
            &[
                ("a", "Requires: b"),
                ("b", "Requires: a"),
                ("b", "Requires: c"),
                ("d", "Requires: a"),
            ],
        ),
        ("weak", &[("a", "Recommends: b"), ("b", "Suggests: c"), ("c", "Supplements: d")]),
        ("weak-post", &[("a", "Recommends(post): b"), ("c", "Suggests(pre): d")]),
        ("hint", &[("a", "OrderWithRequires: b"), ("b", "OrderWithRequires(post): c")]),
        ("rich", &[("a", "Requires: (b and c)"), ("b", "Requires: (c or d)")]),
        ("rich-if", &[("a", "Requires: (b if c)"), ("b", "Requires: (d if a else c)")]),
        ("rich-with", &[("a", "Requires: (b with b-cap)"), ("b", "Requires: (c without x)")]),
        ("file", &[("a", "Requires: /usr/share/b"), ("b", "Requires: /usr/share/d")]),
        ("provide", &[("a", "Requires: cap"), ("c", "Provides: cap"), ("b", "Provides: cap")]),
        ("meta", &[("a", "Requires(meta): b"), ("c", "Requires(meta,post): d")]),
        ("late", &[("a", "Requires(posttrans): b"), ("c", "Requires(pretrans): d")]),
    ];
    for (name, relations) in named {
        let packages = ["a", "b", "c", "d"].map(|name| {
            let tags = relations.iter().filter(|(of, _)| *of == name);
            tags.fold(traced(name, "1"), |package, (_, tag)| package.tag(*tag))
        });
        all.push(together(name, &packages));
    }
    for seed in 0..24 {
        all.push(together(&format!("random-{seed}"), &random(seed)));
    }
    upgrades(all);
}

fn traced(name: &str, version: &str) -> Pkg {
    Pkg::new(name, version)
        .tag(format!("Provides: {name}-cap"))
        .file(&format!("/usr/share/{name}"), "", version)
        .traced("%post")
        .traced("%postun")
}

/// All packages come together, and go together.
fn together(name: &str, packages: &[Pkg]) -> Scenario {
    let files: Vec<String> = packages.iter().map(|one| format!("@{}", one.label())).collect();
    let names: Vec<&str> = packages.iter().map(|one| one.name.as_str()).collect();
    Scenario::new(format!("order-{name}"), packages)
        .rpm(format!("-i --nodeps {}", files.join(" ")))
        .rpm(format!("-e --nodeps {}", names.join(" ")))
}

/// Seven packages with about ten relations.
fn random(seed: u64) -> Vec<Pkg> {
    // Any numbers will do, the same at each run (Knuth's MMIX).
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let mut packages: Vec<Pkg> = names.iter().map(|name| traced(name, "1")).collect();
    for _ in 0..8 + next(5) {
        let (from, to, kind) = (next(names.len()), next(names.len()), KINDS[next(KINDS.len())]);
        let suffix = ["", "-cap"][next(2)];
        let package = packages[from].clone();
        packages[from] = package.tag(format!("{kind}: {}{suffix}", names[to]));
    }
    packages
}

fn upgrades(all: &mut Vec<Scenario>) {
    let versions = |name: &str, tag: &str| {
        [traced(name, "1").tag(tag.to_owned()), traced(name, "2").tag(tag.to_owned())]
    };
    let packages =
        [versions("a", "Requires: b"), versions("b", "Requires: c"), versions("c", "Provides: x")]
            .concat();
    let base = |name: &str| {
        Scenario::new(format!("order-upgrade-{name}"), &packages).rpm("-i @a-1 @b-1 @c-1")
    };
    all.push(base("all").rpm("-U @a-2 @b-2 @c-2"));
    all.push(base("given").rpm("-U --noorder @a-2 @b-2 @c-2"));
    all.push(base("freshen").rpm("-F @c-2 @a-2 @b-2"));
    all.push(base("downgrade").rpm("-U @c-2 @a-2 @b-2").rpm("-U --oldpackage @a-1 @b-1 @c-1"));
    let obsoleting = traced("n", "1").tag("Obsoletes: a").tag("Obsoletes: b");
    let packages = [traced("a", "1"), traced("b", "1").tag("Requires: a"), obsoleting];
    all.push(
        Scenario::new("order-obsoletes", &packages).rpm("-i @a-1 @b-1").rpm("-U @n-1").rpm("-qa"),
    );
}
