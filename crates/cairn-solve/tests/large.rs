// SPDX-License-Identifier: MIT OR Apache-2.0
//! A universe of 20,000 packages: it works, and `--nocapture` prints how long it takes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Instant;

use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::{Evr, Nevra};
use cairn_solve::{Candidate, Job, Options, PackageId, Universe, solve};

const N_NAMES: u64 = 10_000;

/// Two versions of 10,000 packages that require up to twelve packages with lower numbers, half of
/// them through sonames, and recommend some; the first 400 and what they need are installed.
fn universe() -> Universe {
    let mut state = 1u64;
    let mut below = |limit: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let mut universe = Universe::default();
    let mut installed = Vec::new();
    for number in 0..N_NAMES {
        let mut candidate = Candidate { repository: 1, priority: 99, ..Candidate::default() };
        candidate.nevra = Nevra::new(format!("package{number}"), Evr::new(0, "1", "1"), "x86_64");
        candidate.provides = vec![
            Dependency::new(format!("libpackage{number}.so.1()(64bit)")),
            Dependency::new(format!("config(package{number})")),
        ];
        for _ in 0..below(13).min(number) {
            let other = below(number.min(2000));
            candidate.requires.push(if below(2) == 0 {
                Dependency::new(format!("libpackage{other}.so.1()(64bit)"))
            } else {
                Dependency::parse(&format!("package{other} >= 1")).unwrap()
            });
        }
        if number > 0 && below(4) == 0 {
            candidate.recommends.push(Dependency::new(format!("package{}", below(number))));
        }
        candidate.files = vec![format!("/usr/bin/tool{number}")];
        if number < 400 {
            installed.push(Candidate { repository: 0, user_installed: true, ..candidate.clone() });
        }
        let mut newer = candidate.clone();
        "2".clone_into(&mut newer.nevra.evr.release);
        universe.candidates.extend([candidate, newer]);
    }
    universe.candidates.extend(installed);
    universe
}

#[test]
fn twenty_thousand_packages() {
    let universe = universe();
    let named = |name: &str| -> Vec<PackageId> {
        let all = (0u32..).zip(&universe.candidates);
        all.filter(|(_, candidate)| candidate.nevra.name == name)
            .map(|(id, _)| PackageId(id))
            .collect()
    };
    let install = [Job::Install(named("package9999")), Job::Install(named("package9998"))];
    let remove = [Job::Remove(named("package300"))];
    let options = Options::default();
    for (what, jobs, n_expected) in [
        ("install", &install[..], 100),
        ("upgrade", &[Job::Upgrade(None)][..], 400),
        ("remove", &remove[..], 1),
    ] {
        let start = Instant::now();
        let solution = solve(&universe, jobs, &options).unwrap();
        println!("{what}: {} actions, {:?}", solution.actions.len(), start.elapsed());
        assert!(solution.actions.len() >= n_expected, "{what}: {}", solution.actions.len());
    }
}
