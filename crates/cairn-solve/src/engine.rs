// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs `resolvo` over rules. The only module that knows that crate.
//!
//! Every package is a solvable; a version set is "exactly this one" or "all of its name but this
//! one", so that a union of version sets is any list of packages in any order of preference, and
//! the rule that the candidates of one version set share a name holds by construction.
//!
//! *Helpers* are solvables that are no packages:
//! - `skip`: the last alternative of a soft root clause;
//! - `in` and `out` of a set of packages, which exclude each other: every package of the set
//!   requires `in`, so `out` stands for "nothing of the set is installed".
//!
//! Conditional rules enter only when a solution breaks one (then we solve again). Most never
//! matter, and an `out` decided early would forbid packages for no reason. resolvo's own conditions
//! are not used: the clause they become is not exact for a package that is not installed at all.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use resolvo::conflict::{ConflictCause, ConflictEdge, ConflictNode};
use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, Dependencies, DependencyProvider,
    Interner, KnownDependencies, NameId, Requirement, SolvableId, Solver, SolverCache, StringId,
    UnsolvableOrCancelled, VersionSetId, VersionSetUnionId,
};

use crate::index::Index;
use crate::rules::Rules;

/// What must hold for the system as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problem {
    /// Root clauses; earlier ones are decided first.
    pub(crate) roots: Vec<Root>,
    /// Packages that must not be in the solution.
    pub(crate) forbidden: BTreeSet<u32>,
}

/// One of `any_of`, in order of preference; unless it is soft.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) any_of: Vec<u32>,
    /// It holds also where of one of these sets nothing is installed.
    pub(crate) none_of: Vec<Vec<u32>>,
    pub(crate) is_soft: bool,
    /// For explanations.
    pub(crate) origin: Origin,
}

impl Root {
    pub(crate) fn hard(any_of: Vec<u32>, origin: Origin) -> Self {
        Self { any_of, none_of: Vec::new(), is_soft: false, origin }
    }

    pub(crate) fn soft(any_of: Vec<u32>, origin: Origin) -> Self {
        Self { any_of, none_of: Vec::new(), is_soft: true, origin }
    }
}

/// Why a root clause is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A job of the user.
    Job,
    /// The best version is wanted of this installed package.
    BestUpdate(u32),
    /// This installed package must stay, in some version.
    Keep(u32),
    /// A protected package must stay.
    Protected(u32),
    /// The running kernel must stay.
    RunningKernel(u32),
    /// Decided in an earlier stage.
    Fixed,
}

/// Part of a proof that there is no solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A root clause (index into `Problem::roots`).
    Root(usize),
    /// A package requires one of these; empty when nothing provides it.
    Requires(u32, Vec<u32>),
    /// Two packages exclude each other by a rule of the first.
    Conflicts(u32, u32),
    /// Two packages of one name.
    Exclusive(u32, u32),
    /// A package is forbidden.
    Forbidden(u32),
}

/// Rules computed so far, and conditional rules that turned out to matter.
pub(crate) struct Engine<'i, 'u> {
    pub(crate) index: &'i Index<'u>,
    rules: Vec<OnceCell<Rules>>,
    /// (package, index into its conditional rules).
    active: RefCell<BTreeSet<(u32, usize)>>,
}

impl<'i, 'u> Engine<'i, 'u> {
    pub(crate) fn new(index: &'i Index<'u>) -> Self {
        let n_packages = index.universe.candidates.len();
        let rules = std::iter::repeat_with(OnceCell::new).take(n_packages).collect();
        Self { index, rules, active: RefCell::default() }
    }

    pub(crate) fn rules(&self, id: u32) -> &Rules {
        self.rules[id as usize].get_or_init(|| Rules::of(self.index, id))
    }

    /// Returns a set of packages that meets the problem and everyone's rules.
    pub(crate) fn solve(&self, problem: &Problem) -> Result<BTreeSet<u32>, Vec<Fact>> {
        let mut active_roots = BTreeSet::new();
        loop {
            let selected = self.run(problem, &active_roots)?;
            let broken = self.broken_conditionals(&selected);
            let mut active = self.active.borrow_mut();
            let before = active.len() + active_roots.len();
            active.extend(broken);
            active_roots.extend(broken_roots(problem, &selected));
            if active.len() + active_roots.len() == before {
                return Ok(selected);
            }
        }
    }

    fn broken_conditionals(&self, selected: &BTreeSet<u32>) -> Vec<(u32, usize)> {
        let mut broken = Vec::new();
        for &id in selected {
            for (i, conditional) in self.rules(id).conditional.iter().enumerate() {
                let clause = &conditional.clause;
                if !is_met(&clause.any_of, &clause.none_of, selected) {
                    broken.push((id, i));
                }
            }
        }
        broken
    }

    fn run(
        &self,
        problem: &Problem,
        active_roots: &BTreeSet<usize>,
    ) -> Result<BTreeSet<u32>, Vec<Fact>> {
        let mut provider = Provider::new(self);
        let requirements = problem
            .roots
            .iter()
            .enumerate()
            .filter(|(number, root)| root.none_of.is_empty() || active_roots.contains(number))
            .map(|(_, root)| {
                let mut any_of = root.any_of.clone();
                any_of.extend(root.none_of.iter().map(|set| provider.out_of(set)));
                if root.is_soft {
                    any_of.push(provider.add_helper());
                }
                ConditionalRequirement::from(provider.requirement(&any_of))
            })
            .collect();
        let constraints = problem.forbidden.iter().map(|&id| all_but(id)).collect();
        provider.add_active_conditionals();
        let resolvo_problem =
            resolvo::Problem::new().requirements(requirements).constraints(constraints);
        let mut solver = Solver::new(provider);
        match solver.solve(resolvo_problem) {
            Ok(solvables) => {
                let n_packages = self.rules.len() as u32;
                let ids = solvables.into_iter().map(SolvableId::into_raw);
                Ok(ids.filter(|&id| id < n_packages).collect())
            }
            Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
                Err(facts(&conflict, &solver, problem))
            }
            Err(UnsolvableOrCancelled::Cancelled(_)) => Err(Vec::new()),
        }
    }
}

/// Returns the numbers of the roots with conditions that a solution does not meet.
fn broken_roots(problem: &Problem, selected: &BTreeSet<u32>) -> Vec<usize> {
    let roots = problem.roots.iter().enumerate();
    roots
        .filter(|(_, root)| {
            !root.none_of.is_empty() && !is_met(&root.any_of, &root.none_of, selected)
        })
        .map(|(number, _)| number)
        .collect()
}

/// Says whether one of `any_of` is selected, or of one of the sets nothing.
fn is_met(any_of: &[u32], none_of: &[Vec<u32>], selected: &BTreeSet<u32>) -> bool {
    let has_any = |ids: &[u32]| ids.iter().any(|id| selected.contains(id));
    has_any(any_of) || none_of.iter().any(|set| !has_any(set))
}

fn exactly(id: u32) -> VersionSetId {
    VersionSetId(2 * id)
}

fn all_but(id: u32) -> VersionSetId {
    VersionSetId(2 * id + 1)
}

/// What resolvo asks. Solvables: packages, then one that does not exist, then helpers. Names: groups,
/// then one without candidates, then those of the helpers.
struct Provider<'e, 'i, 'u> {
    engine: &'e Engine<'i, 'u>,
    n_packages: u32,
    n_groups: u32,
    /// The name (beyond the groups) of each helper.
    helper_names: Vec<u32>,
    n_helper_names: u32,
    unions: RefCell<Vec<Vec<VersionSetId>>>,
    union_ids: RefCell<BTreeMap<Vec<u32>, VersionSetUnionId>>,
    /// The helper that stands for "nothing of this set".
    outs: BTreeMap<Vec<u32>, u32>,
    /// Helpers a package requires because it is in a set.
    memberships: BTreeMap<u32, Vec<u32>>,
    /// Requirements of packages from conditional rules.
    conditional: BTreeMap<u32, Vec<Vec<u32>>>,
}

impl<'e, 'i, 'u> Provider<'e, 'i, 'u> {
    fn new(engine: &'e Engine<'i, 'u>) -> Self {
        Self {
            engine,
            n_packages: engine.rules.len() as u32,
            n_groups: engine.index.groups.len() as u32,
            helper_names: Vec::new(),
            n_helper_names: 0,
            unions: RefCell::default(),
            union_ids: RefCell::default(),
            outs: BTreeMap::new(),
            memberships: BTreeMap::new(),
            conditional: BTreeMap::new(),
        }
    }

    /// Adds a helper with a name of its own.
    fn add_helper(&mut self) -> u32 {
        self.helper_names.push(self.n_helper_names);
        self.n_helper_names += 1;
        self.n_packages + self.helper_names.len() as u32
    }

    /// Adds `in` and `out`, which share a name.
    fn add_helper_pair(&mut self) -> (u32, u32) {
        let inside = self.add_helper();
        self.helper_names.push(self.n_helper_names - 1);
        (inside, inside + 1)
    }

    fn add_active_conditionals(&mut self) {
        let active = self.engine.active.borrow().clone();
        for (id, i) in active {
            let clause = &self.engine.rules(id).conditional[i].clause;
            let mut any_of = clause.any_of.clone();
            any_of.extend(clause.none_of.iter().map(|set| self.out_of(set)));
            self.conditional.entry(id).or_default().push(any_of);
        }
    }

    /// Returns the helper that stands for "nothing of this set is installed".
    fn out_of(&mut self, set: &[u32]) -> u32 {
        if let Some(&out) = self.outs.get(set) {
            return out;
        }
        let (inside, out) = self.add_helper_pair();
        for &member in set {
            self.memberships.entry(member).or_default().push(inside);
        }
        self.outs.insert(set.to_vec(), out);
        out
    }

    fn requirement(&self, any_of: &[u32]) -> Requirement {
        match any_of {
            [] => Requirement::Single(exactly(self.nothing())),
            [id] => Requirement::Single(exactly(*id)),
            _ => {
                let mut ids = self.union_ids.borrow_mut();
                if let Some(id) = ids.get(any_of) {
                    return Requirement::Union(*id);
                }
                let mut unions = self.unions.borrow_mut();
                let id = VersionSetUnionId(unions.len() as u32);
                unions.push(any_of.iter().map(|&id| exactly(id)).collect());
                ids.insert(any_of.to_vec(), id);
                Requirement::Union(id)
            }
        }
    }

    /// Returns the packages and helpers of a requirement.
    fn members(&self, requirement: Requirement) -> Vec<u32> {
        let sets = match requirement {
            Requirement::Single(set) => vec![set],
            Requirement::Union(union) => self.unions.borrow()[union.0 as usize].clone(),
        };
        sets.into_iter().map(|set| set.0 / 2).filter(|&id| id != self.nothing()).collect()
    }

    /// The solvable that does not exist: numbered after the packages, with a name of its own that
    /// has no candidates.
    fn nothing(&self) -> u32 {
        self.n_packages
    }

    fn name_of(&self, id: u32) -> NameId {
        let name = if id < self.n_packages {
            self.engine.index.group_of[id as usize]
        } else if id == self.nothing() {
            self.n_groups
        } else {
            self.n_groups + 1 + self.helper_names[(id - self.n_packages - 1) as usize]
        };
        NameId::from_raw(name)
    }

    fn package_dependencies(&self, id: u32) -> KnownDependencies {
        let rules = self.engine.rules(id);
        let mut requirements = Vec::with_capacity(rules.requires.len());
        if !rules.missing.is_empty() {
            requirements.push(self.requirement(&[]));
        }
        requirements.extend(rules.requires.iter().map(|rule| self.requirement(&rule.any_of)));
        let extra = self.conditional.get(&id).into_iter().flatten();
        requirements.extend(extra.map(|any_of| self.requirement(any_of)));
        let memberships = self.memberships.get(&id).into_iter().flatten();
        requirements.extend(memberships.map(|&inside| self.requirement(&[inside])));
        let mut seen = BTreeSet::new();
        requirements.retain(|requirement| seen.insert(*requirement));
        let others: BTreeSet<u32> = rules.conflicts.iter().map(|conflict| conflict.other).collect();
        KnownDependencies {
            requirements: requirements.into_iter().map(ConditionalRequirement::from).collect(),
            constrains: others.into_iter().map(all_but).collect(),
        }
    }
}

impl Interner for Provider<'_, '_, '_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        solvable.into_raw()
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        name.into_raw()
    }

    fn display_version_set(&self, version_set: VersionSetId) -> impl Display + '_ {
        version_set.0
    }

    fn display_string(&self, string: StringId) -> impl Display + '_ {
        string.0
    }

    fn version_set_name(&self, version_set: VersionSetId) -> NameId {
        self.name_of(version_set.0 / 2)
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.name_of(solvable.into_raw())
    }

    fn version_sets_in_union(
        &self,
        union: VersionSetUnionId,
    ) -> impl Iterator<Item = VersionSetId> {
        self.unions.borrow()[union.0 as usize].clone().into_iter()
    }

    fn resolve_condition(&self, _: ConditionId) -> Condition {
        unreachable!("no requirement has a condition")
    }
}

impl DependencyProvider for Provider<'_, '_, '_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        version_set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let wants_equal = version_set.0.is_multiple_of(2) != inverse;
        let id = version_set.0 / 2;
        let is_wanted = |candidate: &SolvableId| (candidate.into_raw() == id) == wants_equal;
        candidates.iter().copied().filter(is_wanted).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates<SolvableId>> {
        let name = name.into_raw();
        let mut found = Candidates::default();
        if name < self.n_groups {
            let index = self.engine.index;
            let members = index.groups[name as usize].iter();
            found.candidates = members
                .filter(|&&id| index.is_allowed[id as usize])
                .map(|&id| SolvableId::from_raw(id))
                .collect();
            found.allow_multiple = index.installonly[name as usize];
        } else if let Some(name) = name.checked_sub(self.n_groups + 1) {
            let start = self.helper_names.partition_point(|&other| other < name);
            let end = self.helper_names.partition_point(|&other| other <= name);
            found.candidates = (start..end)
                .map(|i| SolvableId::from_raw(self.n_packages + 1 + i as u32))
                .collect();
        }
        Some(found)
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, _: &mut [SolvableId]) {
        // Version sets hold one solvable each: the order of a union is the preference.
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let id = solvable.into_raw();
        Dependencies::Known(if id < self.n_packages {
            self.package_dependencies(id)
        } else {
            KnownDependencies::default()
        })
    }
}

/// Turns resolvo's conflict into facts.
fn facts(
    conflict: &resolvo::conflict::Conflict,
    solver: &Solver<Provider<'_, '_, '_>>,
    problem: &Problem,
) -> Vec<Fact> {
    let provider = solver.provider();
    let graph = conflict.graph(solver).graph;
    let mut facts: Vec<Fact> = Vec::new();
    let mut seen = BTreeSet::new();
    for edge in graph.raw_edges() {
        let node = |i: usize| match graph.raw_nodes()[i].weight {
            ConflictNode::Solvable(solvable) => Some(solvable.into_raw()),
            ConflictNode::Root | ConflictNode::UnresolvedDependency | ConflictNode::Excluded(_) => {
                None
            }
        };
        let (source, target) = (node(edge.source().index()), node(edge.target().index()));
        let fact = match (edge.weight, source, target) {
            (ConflictEdge::Requires(requirement), source, _) => {
                if !seen.insert((source, requirement)) {
                    continue;
                }
                let members = provider.members(requirement);
                match source {
                    Some(id) => Fact::Requires(id, members),
                    None => match find_root(problem, &members) {
                        Some(root) => Fact::Root(root),
                        None => continue,
                    },
                }
            }
            (ConflictEdge::Conflict(ConflictCause::Constrains(_)), Some(a), Some(b)) => {
                Fact::Conflicts(a, b)
            }
            (ConflictEdge::Conflict(ConflictCause::Constrains(_)), None, Some(b)) => {
                Fact::Forbidden(b)
            }
            (ConflictEdge::Conflict(ConflictCause::ForbidMultipleInstances), Some(a), Some(b)) => {
                Fact::Exclusive(a, b)
            }
            _ => continue,
        };
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }
    facts
}

fn find_root(problem: &Problem, members: &[u32]) -> Option<usize> {
    // What has conditions goes on with helpers.
    let is_start = |root: &Root| !root.any_of.is_empty() && members.starts_with(&root.any_of);
    let is_it = |root: &Root| root.any_of == members || !root.none_of.is_empty() && is_start(root);
    problem.roots.iter().position(is_it)
}
