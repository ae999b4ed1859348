// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which packages of the repositories a command has to read.
//!
//! A solver never looks at packages that nothing wanted can lead to. [`Closure`] finds, in the indexes, everything that can be led to:
//! what a package may require or recommend, in every version and from every provider, what may replace it, and what supplements it.
//! It is larger than any solution and much smaller than a distribution, and the solver finds in it what it would find in the whole.

use super::glob;
use super::spec::{BINARY_DIRECTORIES, possible_names};
use cairn_rpm::dependency::{Dependency, RichDependency};
use cairn_rpm::repodata::index::{List, PackageIndex, StringId};
use cairn_rpm::repodata::is_primary_path;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What leads from a package to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Requires.
    Strong,
    /// Requires, Recommends and Supplements.
    All,
}

/// Packages of several indexes, found by following dependencies.
#[derive(Debug)]
pub struct Closure<'a> {
    indexes: &'a [PackageIndex<'a>],
    links: Links,
    chosen: Vec<Bits>,
    /// Strings whose providers are chosen.
    demanded: Vec<Bits>,
    /// Strings whose supplementers are chosen.
    offered: Vec<Bits>,
    /// Chosen packages whose dependencies are not followed yet.
    queue: Vec<(usize, u32)>,
    wants_filelists: bool,
}

impl<'a> Closure<'a> {
    /// Starts with nothing.
    pub fn new(indexes: &'a [PackageIndex<'a>], links: Links) -> Self {
        let strings = || indexes.iter().map(|index| Bits::new(index.n_strings())).collect();
        Self {
            indexes,
            links,
            chosen: indexes.iter().map(|index| Bits::new(index.len())).collect(),
            demanded: strings(),
            offered: strings(),
            queue: Vec::new(),
            wants_filelists: false,
        }
    }

    /// Adds what a person may mean by `spec`: as a package, a capability or a file. `false` when only all packages can answer.
    pub fn add_spec(&mut self, spec: &str) -> bool {
        if spec.starts_with('@') || glob::is_pattern(spec) {
            return false;
        }
        for name in possible_names(spec) {
            self.demand(name);
        }
        if let Ok(capability) = Dependency::parse(spec) {
            self.demand(&capability.name);
        }
        for directory in BINARY_DIRECTORIES {
            self.demand(&format!("{directory}/{spec}"));
        }
        true
    }

    /// Adds an installed package or a package file: its other versions, what it needs, and what it may bring along.
    pub fn add_package(&mut self, package: &cairn_solve::Candidate) {
        self.demand(&package.nevra.name);
        self.replaced(&package.nevra.name);
        self.offer(&package.nevra.name);
        for dependency in &package.requires {
            self.require(&dependency.name);
        }
        if self.links == Links::All {
            package.recommends.iter().for_each(|dependency| self.require(&dependency.name));
            package.provides.iter().for_each(|dependency| self.offer(&dependency.name));
            package.files.iter().for_each(|path| self.offer(path));
        }
    }

    /// Follows everything. Returns the packages of each index, in order, or `None` when file lists could lead further.
    pub fn finish(mut self) -> Option<Vec<Vec<u32>>> {
        while let Some((repository, number)) = self.queue.pop() {
            self.follow(repository, number);
        }
        (!self.wants_filelists).then(|| self.chosen.iter().map(Bits::numbers).collect())
    }

    fn follow(&mut self, repository: usize, number: u32) {
        let indexes = self.indexes;
        let package = indexes[repository].package(number);
        self.demand_id(repository, package.name_id());
        self.replaced(package.name());
        for name in package.names(List::Requires) {
            self.require_id(repository, name);
        }
        if self.links == Links::All {
            for name in package.names(List::Recommends) {
                self.require_id(repository, name);
            }
            self.offer(package.name());
            let offers = package.names(List::Provides).chain(package.file_ids());
            offers.for_each(|name| self.offer_id(repository, name));
        }
    }

    /// Chooses the packages that have or provide a name, wherever they are.
    fn demand(&mut self, name: &str) {
        for spelling in spellings(name) {
            for repository in 0..self.indexes.len() {
                if let Some(id) = self.indexes[repository].lookup(&spelling) {
                    self.demand_here(repository, id);
                }
            }
        }
    }

    fn demand_id(&mut self, repository: usize, id: StringId) {
        if !self.demanded[repository].contains(id.0) {
            self.demand(self.indexes[repository].string(id));
            // Whatever a damaged index makes of it, it is done.
            self.demanded[repository].insert(id.0);
        }
    }

    fn demand_here(&mut self, repository: usize, id: StringId) {
        if self.demanded[repository].insert(id.0) {
            for number in self.indexes[repository].provided_by(id) {
                self.choose(repository, number);
            }
        }
    }

    /// Demands what a dependency names: of a rich one every part.
    fn require(&mut self, name: &str) {
        if name.starts_with('(') {
            if let Ok(rich) = RichDependency::parse(name) {
                let mut names = Vec::new();
                rich.for_each_simple(&mut |simple| names.push(simple.name.clone()));
                names.iter().for_each(|name| self.require(name));
            }
            return;
        }
        self.wants_filelists |= name.starts_with('/') && !is_primary_path(name);
        self.demand(name);
    }

    fn require_id(&mut self, repository: usize, id: StringId) {
        if !self.demanded[repository].contains(id.0) {
            self.require(self.indexes[repository].string(id));
            self.demanded[repository].insert(id.0);
        }
    }

    /// Chooses what obsoletes packages of a name.
    fn replaced(&mut self, name: &str) {
        for repository in 0..self.indexes.len() {
            let index = &self.indexes[repository];
            if let Some(id) = index.lookup(name) {
                for number in index.obsoleted_by(id) {
                    self.choose(repository, number);
                }
            }
        }
    }

    /// Chooses what supplements a name.
    fn offer(&mut self, name: &str) {
        if self.links == Links::Strong {
            return;
        }
        for spelling in spellings(name) {
            for repository in 0..self.indexes.len() {
                let index = &self.indexes[repository];
                if let Some(id) = index.lookup(&spelling)
                    && self.offered[repository].insert(id.0)
                {
                    for number in index.supplemented_by(id) {
                        self.choose(repository, number);
                    }
                }
            }
        }
    }

    fn offer_id(&mut self, repository: usize, id: StringId) {
        if !self.offered[repository].contains(id.0) {
            self.offer(self.indexes[repository].string(id));
            self.offered[repository].insert(id.0);
        }
    }

    fn choose(&mut self, repository: usize, number: u32) {
        if self.chosen[repository].insert(number) {
            self.queue.push((repository, number));
        }
    }
}

/// Returns a name, and of a file the other name it has where /usr is merged.
fn spellings(name: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let other = match name.strip_prefix("/usr/") {
        Some(rest) => Some(format!("/{rest}")),
        None => name.starts_with('/').then(|| format!("/usr{name}")),
    };
    std::iter::once(Cow::Borrowed(name)).chain(other.map(Cow::Owned))
}

/// Returns the packages that have one of these names, provide it, or have a file of that path that primary.xml lists.
pub fn with_names(index: &PackageIndex<'_>, names: &[String]) -> Vec<u32> {
    let ids = names.iter().filter_map(|name| index.lookup(name));
    let mut numbers: Vec<u32> = ids.flat_map(|id| index.provided_by(id)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Returns, by index, all versions of the packages whose name or summary has the words (in any case): more than a search finds, never
/// less.
pub fn with_words(indexes: &[PackageIndex<'_>], words: &[String]) -> Vec<Vec<u32>> {
    let mut names = BTreeSet::new();
    for index in indexes {
        for number in matching(index, words) {
            names.insert(index.package(number).name());
        }
    }
    let with_names = |index: &PackageIndex<'_>| {
        let ids = names.iter().filter_map(|name| index.lookup(name));
        let mut numbers: Vec<u32> = ids.flat_map(|id| index.provided_by(id)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    indexes.iter().map(with_names).collect()
}

/// Returns the packages whose name or summary has the words.
fn matching(index: &PackageIndex<'_>, words: &[String]) -> Vec<u32> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let is_simple = words.iter().all(|word| word.is_ascii() && !glob::is_pattern(word));
    let has =
        |text: &str, word: &str| !text.is_ascii() || contains(text.as_bytes(), word.as_bytes());
    (0..index.len() as u32)
        .filter(|number| {
            let package = index.package(*number);
            !is_simple
                || words
                    .iter()
                    .all(|word| has(package.name(), word) || has(package.summary(), word))
        })
        .collect()
}

/// Says whether ASCII text has a lower-case word in any case.
fn contains(text: &[u8], word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else { return true };
    let (lower, upper) = (*first, first.to_ascii_uppercase());
    let mut start = 0;
    while let Some(found) = memchr::memchr2(lower, upper, &text[start..]) {
        start += found + 1;
        if text[start..].get(..rest.len()).is_some_and(|here| here.eq_ignore_ascii_case(rest)) {
            return true;
        }
    }
    false
}

/// A set of small numbers.
#[derive(Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(size: usize) -> Self {
        Self(vec![0; size.div_ceil(64)])
    }

    /// Adds a number; `false` when it is there, or too large.
    fn insert(&mut self, number: u32) -> bool {
        let Some(word) = self.0.get_mut(number as usize / 64) else { return false };
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn contains(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    fn numbers(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        for (start, word) in (0..).step_by(64).zip(&self.0) {
            let mut word = *word;
            while word != 0 {
                numbers.push(start + word.trailing_zeros());
                word &= word - 1;
            }
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_rpm::evr::{Evr, Nevra};
    use cairn_rpm::repodata::RepoPackage;
    use cairn_rpm::repodata::index::IndexBuilder;
    use cairn_solve::{Candidate, Job, Options, PackageId, Universe, solve};
    use proptest::prelude::*;

    const NAMES: usize = 12;

    fn indexed(packages: &[RepoPackage]) -> Vec<u8> {
        let mut builder = IndexBuilder::new(Vec::new()).unwrap();
        packages.iter().for_each(|package| builder.add(package).unwrap());
        builder.finish([0; 32]).unwrap()
    }

    fn candidate(package: &RepoPackage) -> Candidate {
        Candidate {
            nevra: package.nevra.clone(),
            repository: 1,
            priority: 99,
            provides: package.provides.clone(),
            requires: package.requires.clone(),
            conflicts: package.conflicts.clone(),
            obsoletes: package.obsoletes.clone(),
            recommends: package.recommends.clone(),
            supplements: package.supplements.clone(),
            suggests: package.suggests.clone(),
            ..Candidate::default()
        }
    }

    /// Solves `install NAME` beside installed packages; returns what changes, or the first line of why not.
    fn solved(
        installed: &[Candidate],
        available: &[Candidate],
        name: &str,
        weak: bool,
    ) -> Result<Vec<String>, String> {
        let candidates = installed.iter().chain(available).cloned().collect();
        let universe = Universe { candidates, repositories: Vec::new() };
        let wanted = universe.candidates.iter().enumerate().filter(|(_, c)| c.nevra.name == name);
        let jobs = [Job::Install(wanted.map(|(id, _)| PackageId(id as u32)).collect())];
        let options = Options { install_weak_deps: weak, ..Options::default() };
        match solve(&universe, &jobs, &options) {
            Ok(solution) => Ok(solution
                .actions
                .iter()
                .map(|a| format!("{:?} {}", a.kind, universe.candidate(a.package).nevra))
                .collect()),
            Err(explanation) => Err(explanation.lines.join("\n")),
        }
    }

    fn dependency() -> impl Strategy<Value = Dependency> {
        let name = || (0..NAMES).prop_map(|n| format!("p{n}"));
        prop_oneof![
            6 => name().prop_map(Dependency::new),
            2 => (name(), 1..4).prop_map(|(name, v)| Dependency::parse(&format!("{name} >= {v}")).unwrap()),
            1 => (0..4).prop_map(|n| Dependency::new(format!("virtual{n}"))),
            1 => (0..3).prop_map(|n| Dependency::new(format!("/usr/bin/tool{n}"))),
            1 => (0..3).prop_map(|n| Dependency::new(format!("/bin/tool{n}"))),
            1 => (name(), name()).prop_map(|(a, b)| Dependency::parse(&format!("({a} or {b})")).unwrap()),
            1 => (name(), name()).prop_map(|(a, b)| Dependency::parse(&format!("({a} if {b})")).unwrap()),
        ]
    }

    fn few(most: usize) -> impl Strategy<Value = Vec<Dependency>> {
        proptest::collection::vec(dependency(), 0..=most)
    }

    fn package() -> impl Strategy<Value = RepoPackage> {
        let lists = (few(2), few(1), few(1), few(1), few(1));
        let provides = proptest::option::of(prop_oneof![
            (0..4).prop_map(|n| format!("virtual{n}")),
            (0..3).prop_map(|n| format!("/usr/bin/tool{n}")),
        ]);
        (0..NAMES, 1_u32..4, lists, provides).prop_map(|(name, version, lists, provided)| {
            let (requires, recommends, conflicts, supplements, obsoletes) = lists;
            let name = format!("p{name}");
            let plain = |list: Vec<Dependency>| -> Vec<Dependency> {
                let others = list.into_iter().filter(|d| d.name.starts_with('p') && d.name != name);
                others.collect()
            };
            let (conflicts, obsoletes) = (plain(conflicts), plain(obsoletes));
            RepoPackage {
                nevra: Nevra::new(&*name, Evr::new(0, version.to_string(), "1"), "noarch"),
                provides: provided.into_iter().map(Dependency::new).collect(),
                // Obsoletes that hit everything leave nothing to solve.
                obsoletes: if version == 3 { obsoletes } else { Vec::new() },
                requires,
                recommends,
                conflicts,
                supplements,
                ..RepoPackage::default()
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, max_global_rejects: 100_000, ..ProptestConfig::default() })]

        /// The solver finds in the closure what it finds in everything.
        #[test]
        fn closure_is_enough(
            packages in proptest::collection::vec(package(), 1..40),
            here in proptest::collection::vec(package(), 0..4),
            wanted in 0..NAMES,
            weak in any::<bool>(),
        ) {
            let mut packages = packages;
            packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
            packages.dedup_by(|a, b| a.nevra == b.nevra);
            for (number, package) in packages.iter_mut().enumerate() {
                package.pkgid = format!("{number:064x}");
            }
            let mut here = here;
            here.sort_by(|a, b| a.nevra.cmp(&b.nevra));
            here.dedup_by(|a, b| a.nevra.name == b.nevra.name);
            let installed: Vec<Candidate> = here
                .iter()
                .map(|package| Candidate { repository: 0, user_installed: true, ..candidate(package) })
                .collect();
            let name = format!("p{wanted}");
            prop_assume!(packages.iter().any(|package| package.nevra.name == name));

            let bytes = indexed(&packages);
            let indexes = [PackageIndex::open(&bytes, &[0; 32]).unwrap()];
            let links = if weak { Links::All } else { Links::Strong };
            let mut closure = Closure::new(&indexes, links);
            prop_assert!(closure.add_spec(&name));
            installed.iter().for_each(|package| closure.add_package(package));
            let chosen = closure.finish().expect("no file lists are wanted");
            let all: Vec<Candidate> = packages.iter().map(candidate).collect();
            let some: Vec<Candidate> =
                chosen[0].iter().map(|number| all[*number as usize].clone()).collect();
            prop_assert_eq!(
                solved(&installed, &some, &name, weak),
                solved(&installed, &all, &name, weak)
            );
        }
    }

    /// Found by the test above: what supplements `/bin/tool` comes with `/usr/bin/tool`.
    #[test]
    fn files_have_two_names() {
        let named = |name: &str, number: u32| RepoPackage {
            nevra: Nevra::new(name, Evr::new(0, "1", "1"), "noarch"),
            pkgid: format!("{number:064x}"),
            ..RepoPackage::default()
        };
        let tool = Dependency::new("/usr/bin/tool");
        let packages = [
            RepoPackage { provides: vec![tool], ..named("a", 0) },
            RepoPackage { supplements: vec![Dependency::new("/bin/tool")], ..named("b", 1) },
            named("c", 2),
        ];
        let bytes = indexed(&packages);
        let indexes = [PackageIndex::open(&bytes, &[0; 32]).unwrap()];
        for (links, expected) in [(Links::All, vec![0, 1]), (Links::Strong, vec![0])] {
            let mut closure = Closure::new(&indexes, links);
            assert!(closure.add_spec("a"));
            assert_eq!(closure.finish(), Some(vec![expected]));
        }
    }

    #[test]
    fn words_in_any_case() {
        for (text, word, found) in
            [("OpenSSL toolkit", "openssl", true), ("open", "openssl", false), ("a", "", true)]
        {
            assert_eq!(contains(text.as_bytes(), word.as_bytes()), found, "{text} {word}");
        }
    }
}
