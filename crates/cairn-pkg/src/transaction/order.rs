// SPDX-License-Identifier: MIT OR Apache-2.0
//! The order of packages, as `rpmtsOrder` (rpm's lib/order.c) finds it: what a package requires comes before it, scriptlet requirements
//! above all; a loop is entered where it is farthest from what a scriptlet needs. What goes, goes after everything has come, dependents
//! first. Among packages that may come next, it is first the one that most others wait for, of equals the last.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cairn_rpm::dependency::{Dependency, RichDependency, sense};
use cairn_rpm::header::{FileEntry, Header};

use super::options::Overrides;
use super::set::Set;

/// One step of the package order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// Position in [`Set::added`].
    Add(usize),
    /// Position in [`Set::erased`].
    Erase(usize),
}

/// `RPMSENSE_POSTTRANS`, `_PREUNTRANS`, `_POSTUNTRANS`, `_KEYRING` and `_CONFIG`.
const POSTTRANS: u32 = 1 << 5;
const PREUNTRANS: u32 = 1 << 20;
const POSTUNTRANS: u32 = 1 << 21;
const KEYRING: u32 = 1 << 26;
const CONFIG: u32 = 1 << 28;
/// rpm's masks (include/rpm/rpmds.h): what a package's installation needs, what its removal needs, what orders nothing, what does
/// nevertheless, and what makes a `PreReq` one of the old kind.
const INSTALL: u32 =
    sense::SCRIPT_PRE | sense::SCRIPT_POST | sense::RPMLIB | KEYRING | sense::PRETRANS | POSTTRANS;
const ERASE: u32 = sense::SCRIPT_PREUN | sense::SCRIPT_POSTUN | PREUNTRANS | POSTUNTRANS;
const UNORDERED: u32 = sense::RPMLIB
    | CONFIG
    | sense::PRETRANS
    | POSTTRANS
    | PREUNTRANS
    | POSTUNTRANS
    | sense::SCRIPT_VERIFY
    | sense::META;
const ORDERED: u32 =
    sense::SCRIPT_PRE | sense::SCRIPT_POST | sense::SCRIPT_PREUN | sense::SCRIPT_POSTUN;
const ALL: u32 = sense::INTERP
    | ORDERED
    | sense::SCRIPT_VERIFY
    | sense::FIND_REQUIRES
    | sense::RPMLIB
    | KEYRING
    | sense::PRETRANS
    | POSTTRANS
    | PREUNTRANS
    | POSTUNTRANS
    | sense::PREREQ
    | sense::META
    | sense::MISSINGOK;

/// Sorts the packages that come (and renumbers who replaces whom) and returns the order of everything.
///
/// Where the operator wants to keep the order, each package is followed by what it replaces.
pub(crate) fn order(set: &mut Set, overrides: &Overrides) -> Vec<Element> {
    let mut asked: Vec<usize> = (0..set.added.len()).collect();
    asked.sort_by_key(|at| set.added[*at].asked);
    if overrides.keep_order {
        sort_added(set, &asked);
        return as_asked(set);
    }
    let colors = overrides.colors;
    let members: Vec<Member> = asked
        .iter()
        .map(|at| Member::new(&set.added[*at].package.header, &set.added[*at].files))
        .collect();
    let sorted = Order::new(&members, Direction::Needed, colors.preferred).sort();
    let positions: Vec<usize> = sorted.into_iter().map(|at| asked[at]).collect();
    drop(members);
    sort_added(set, &positions);
    let mut elements: Vec<Element> = (0..set.added.len()).map(Element::Add).collect();
    let erased = set.erased.iter();
    let members: Vec<Member> =
        erased.map(|erased| Member::new(&erased.header, &erased.files)).collect();
    let order = Order::new(&members, Direction::Dependents, colors.preferred);
    elements.extend(order.sort().into_iter().map(Element::Erase));
    elements
}

/// Brings the packages that come into the order of these positions.
fn sort_added(set: &mut Set, positions: &[usize]) {
    let mut new_position = vec![0; positions.len()];
    for (new, old) in positions.iter().enumerate() {
        new_position[*old] = new;
    }
    let mut sorted: Vec<_> = std::mem::take(&mut set.added).into_iter().enumerate().collect();
    sorted.sort_by_key(|(old, _)| new_position[*old]);
    set.added = sorted.into_iter().map(|(_, added)| added).collect();
    for erased in &mut set.erased {
        erased.replaced_by = erased.replaced_by.map(|old| new_position[old]);
    }
}

fn as_asked(set: &Set) -> Vec<Element> {
    let erased_by = |by: Option<usize>| {
        let erased = set.erased.iter().enumerate();
        erased.filter(move |(_, erased)| erased.replaced_by == by).map(|(at, _)| Element::Erase(at))
    };
    let mut elements: Vec<Element> = Vec::new();
    for at in 0..set.added.len() {
        elements.push(Element::Add(at));
        elements.extend(erased_by(Some(at)));
    }
    elements.extend(erased_by(None));
    elements
}

/// A package, as far as its place matters.
struct Member<'a> {
    header: &'a Header,
    files: &'a [FileEntry],
    color: u32,
}

impl<'a> Member<'a> {
    fn new(header: &'a Header, files: &'a [FileEntry]) -> Self {
        Self { header, files, color: header.dependency_color() }
    }
}

/// What comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// What others need.
    Needed,
    /// What needs others.
    Dependents,
}

/// A package and what it has to do with the others (`tsortInfo_s`). The newest relation is the last.
#[derive(Clone, Default)]
struct Node {
    color: u32,
    /// Who waits for it, and whether because of a scriptlet.
    followers: Vec<(usize, bool)>,
    /// For whom it waits.
    predecessors: Vec<(usize, bool)>,
    /// How many of these are left, and how many followers it had.
    waits: usize,
    awaited: usize,
    /// The loop it is in.
    component: Option<usize>,
    distance: usize,
    is_collected: bool,
}

/// A loop.
struct Loop {
    members: Vec<usize>,
    /// What is waited for outside of it.
    waits: usize,
}

/// `rpmtsOrder`.
struct Order {
    direction: Direction,
    preferred: u32,
    nodes: Vec<Node>,
    loops: Vec<Loop>,
    order: Vec<usize>,
}

impl Order {
    fn new(members: &[Member<'_>], direction: Direction, preferred: u32) -> Self {
        let nodes = members.iter().map(|member| Node { color: member.color, ..Node::default() });
        let mut order = Self {
            direction,
            preferred,
            nodes: nodes.collect(),
            loops: Vec::new(),
            order: Vec::with_capacity(members.len()),
        };
        Relations::new(members, direction, preferred).each(&mut |relation| order.relate(relation));
        order.find_loops();
        order
    }

    /// `addSingleRelation`. What is found twice in a row is one; turned round, rpm takes only the opposite of the newest for the same.
    fn relate(&mut self, relation: Relation) {
        let Relation { later, first, by_scriptlet, is_reversed } = relation;
        let newest = |list: &[(usize, bool)], other: usize| {
            list.last().is_some_and(|(newest, _)| *newest == other)
        };
        let mark = |list: &mut Vec<(usize, bool)>, other: usize| {
            let known = list.iter_mut().rev().find(|(at, _)| *at == other);
            known.into_iter().for_each(|(_, scriptlet)| *scriptlet |= by_scriptlet);
        };
        if !is_reversed && newest(&self.nodes[first].followers, later) {
            mark(&mut self.nodes[first].followers, later);
            mark(&mut self.nodes[later].predecessors, first);
            return;
        }
        if is_reversed && newest(&self.nodes[first].predecessors, later) {
            mark(&mut self.nodes[first].predecessors, later);
            mark(&mut self.nodes[later].followers, first);
            return;
        }
        self.nodes[first].followers.push((later, by_scriptlet));
        self.nodes[first].awaited += 1;
        self.nodes[later].predecessors.push((first, by_scriptlet));
        self.nodes[later].waits += 1;
    }

    /// `detectSCCs`.
    fn find_loops(&mut self) {
        let followers = |node: &Node| node.followers.iter().rev().map(|(at, _)| *at).collect();
        let graph: Vec<Vec<usize>> = self.nodes.iter().map(followers).collect();
        for members in components(&graph) {
            if members.len() < 2 {
                continue;
            }
            let inside: BTreeSet<usize> = members.iter().copied().collect();
            let waits = |at: &usize| {
                let inner = graph[*at].iter().filter(|follower| inside.contains(follower)).count();
                self.nodes[*at].waits as isize - inner as isize
            };
            let waits = members.iter().map(waits).sum::<isize>();
            for member in &members {
                self.nodes[*member].component = Some(self.loops.len());
            }
            self.loops.push(Loop { members, waits: usize::try_from(waits).unwrap_or(0) });
        }
    }

    /// Returns positions in the order in which the packages come or go.
    fn sort(mut self) -> Vec<usize> {
        let mut queue = VecDeque::new();
        for at in 0..self.nodes.len() {
            if self.nodes[at].waits == 0 {
                self.enqueue(&mut queue, at);
            }
        }
        for at in 0..self.loops.len() {
            if self.loops[at].waits == 0 {
                self.enqueue(&mut queue, self.loops[at].members[0]);
            }
        }
        while let Some(at) = queue.pop_front() {
            match self.nodes[at].component {
                Some(component) => self.collect_loop(component, &mut queue),
                None => self.collect(at, &mut queue, None),
            }
        }
        self.order
    }

    /// `addQ`: before the first that no more others wait for; of the less wanted color behind all others.
    fn enqueue(&self, queue: &mut VecDeque<usize>, at: usize) {
        let node = &self.nodes[at];
        let is_preferred = node.color == self.preferred;
        let last = node.color != 0 && is_preferred == (self.direction == Direction::Dependents);
        let place = queue.iter().position(|other| {
            let other = &self.nodes[*other];
            (!last || other.color == node.color) && other.awaited <= node.awaited
        });
        queue.insert(place.unwrap_or(queue.len()), at);
    }

    /// `collectTE`: appends a package and queues those that waited only for it. In a loop, what lies outside goes to the outer queue.
    fn collect(
        &mut self,
        at: usize,
        queue: &mut VecDeque<usize>,
        mut outer: Option<&mut VecDeque<usize>>,
    ) {
        self.order.push(at);
        let component = self.nodes[at].component;
        for (follower, _) in self.nodes[at].followers.clone().into_iter().rev() {
            if self.nodes[follower].is_collected {
                continue;
            }
            let theirs = self.nodes[follower].component;
            self.nodes[follower].waits -= 1;
            if self.nodes[follower].waits == 0 {
                match outer.as_deref_mut().filter(|_| theirs != component) {
                    Some(outer) => self.enqueue(outer, follower),
                    None => self.enqueue(queue, follower),
                }
            }
            let Some(other) = theirs.filter(|_| theirs != component) else { continue };
            self.loops[other].waits -= 1;
            if self.loops[other].waits == 0 {
                self.enqueue(outer.as_deref_mut().unwrap_or(queue), follower);
            }
        }
        self.nodes[at].is_collected = true;
    }

    /// `collectSCC`.
    fn collect_loop(&mut self, component: usize, outer: &mut VecDeque<usize>) {
        self.measure(component);
        let members = self.loops[component].members.clone();
        loop {
            let left = members.iter().filter(|member| !self.nodes[**member].is_collected);
            // Of equals the last.
            let Some(best) = left.copied().max_by_key(|member| self.nodes[*member].distance) else {
                return;
            };
            let mut inner = VecDeque::from([best]);
            while let Some(at) = inner.pop_front() {
                self.collect(at, &mut inner, Some(outer));
            }
        }
    }

    /// `dijkstra`: how far each package of a loop is from what a scriptlet needs.
    fn measure(&mut self, component: usize) {
        let members = self.loops[component].members.clone();
        let mut queue = VecDeque::new();
        for member in members {
            let needs = self.nodes[member].predecessors.iter();
            let is_near = needs.rev().any(|(needed, by_scriptlet)| {
                *by_scriptlet && self.nodes[*needed].component == Some(component)
            });
            self.nodes[member].distance = if is_near { 0 } else { usize::MAX };
            if is_near {
                queue.push_back(member);
            }
        }
        while let Some(at) = queue.pop_front() {
            let next = self.nodes[at].distance + 1;
            for (needed, _) in self.nodes[at].predecessors.clone().into_iter().rev() {
                let node = &mut self.nodes[needed];
                if node.component == Some(component) && node.distance > next {
                    node.distance = next;
                    queue.push_back(needed);
                }
            }
        }
    }
}

/// One package waits for another.
struct Relation {
    later: usize,
    first: usize,
    by_scriptlet: bool,
    /// The one that names the other comes first.
    is_reversed: bool,
}

/// A dependency and what kind it is of.
struct Wish {
    dependency: Dependency,
    /// Scriptlets of the package need it.
    by_scriptlet: bool,
    /// The package comes before what it names: `Supplements`, `Enhances`.
    is_reverse: bool,
}

/// What the packages say about each other.
struct Relations<'a> {
    direction: Direction,
    preferred: u32,
    members: &'a [Member<'a>],
    wishes: Vec<Vec<Wish>>,
    provides: BTreeMap<String, Vec<(usize, Dependency)>>,
    paths: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Relations<'a> {
    fn new(members: &'a [Member<'a>], direction: Direction, preferred: u32) -> Self {
        let wishes: Vec<Vec<Wish>> =
            members.iter().map(|member| wishes(member.header, direction)).collect();
        let all = wishes.iter().flatten();
        let names: BTreeSet<&str> = all.map(|wish| wish.dependency.name.as_str()).collect();
        let mut provides: BTreeMap<String, Vec<(usize, Dependency)>> = BTreeMap::new();
        let mut paths: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, member) in members.iter().enumerate() {
            for provide in member.header.provides() {
                if names.contains(provide.name.as_str()) {
                    provides.entry(provide.name.clone()).or_default().push((at, provide));
                }
            }
            for file in member.files.iter().filter(|file| names.contains(file.path.as_str())) {
                paths.entry(&file.path).or_default().push(at);
            }
        }
        Self { direction, preferred, members, wishes, provides, paths }
    }

    fn each(&self, relate: &mut dyn FnMut(Relation)) {
        for (at, wishes) in self.wishes.iter().enumerate() {
            for wish in wishes {
                let Some(other) = self.provider(at, &wish.dependency) else { continue };
                if other == at {
                    continue;
                }
                let is_reversed = wish.is_reverse == (self.direction == Direction::Needed);
                let (later, first) = if is_reversed { (other, at) } else { (at, other) };
                relate(Relation { later, first, by_scriptlet: wish.by_scriptlet, is_reversed });
            }
        }
    }

    /// `rpmalSatisfiesDepend`: one provider; best of the preferred color, then the package itself, then the first.
    fn provider(&self, at: usize, wanted: &Dependency) -> Option<usize> {
        let by_path = self.paths.get(wanted.name.as_str()).map_or(&[][..], Vec::as_slice);
        let named = self.provides.get(&wanted.name).map_or(&[][..], Vec::as_slice);
        let named = named
            .iter()
            .filter(|(_, provide)| wanted.is_satisfied_by(provide))
            .map(|(provider, _)| *provider);
        let providers: Vec<usize> =
            if by_path.is_empty() { named.collect() } else { by_path.to_vec() };
        let score = |provider: usize| {
            let has_color = self.preferred != 0 && self.members[provider].color == self.preferred;
            2 * u8::from(has_color) + u8::from(provider == at)
        };
        // Of equals the first.
        providers.into_iter().rev().max_by_key(|provider| score(*provider))
    }
}

/// Returns what orders a package, one capability at a time.
fn wishes(header: &Header, direction: Direction) -> Vec<Wish> {
    let mut wishes = Vec::new();
    // Whether it is weak, and whether it is about the other's need.
    let lists = [
        (header.requires(), false, false),
        (header.recommends(), true, false),
        (header.suggests(), true, false),
        (header.supplements(), true, true),
        (header.enhances(), true, true),
        (header.order_with_requires(), false, false),
    ];
    for (dependencies, is_weak, is_reverse) in lists {
        for dependency in dependencies {
            let flags = dependency.sense;
            if flags & UNORDERED != 0 && flags & ORDERED == 0 {
                continue;
            }
            let mask = if direction == Direction::Needed { INSTALL } else { ERASE };
            let mut by_scriptlet = flags & mask != 0 || flags & ALL == sense::PREREQ;
            // A weak one of a scriptlet orders, but is no reason to keep a loop in order.
            if is_weak || flags & sense::MISSINGOK != 0 {
                if !by_scriptlet {
                    continue;
                }
                by_scriptlet = false;
            }
            let mut add = |dependency| wishes.push(Wish { dependency, by_scriptlet, is_reverse });
            if !dependency.is_rich() {
                add(dependency);
            } else if let Ok(rich) = RichDependency::parse(&dependency.name) {
                each_ordering(&rich, &mut |one| add(one.clone()));
            }
        }
    }
    wishes
}

/// Calls for each capability of a rich dependency that orders: not for conditions.
fn each_ordering<'a>(rich: &'a RichDependency, add: &mut dyn FnMut(&'a Dependency)) {
    match rich {
        RichDependency::Simple(one) => add(one),
        RichDependency::And(parts) | RichDependency::Or(parts) => {
            parts.iter().for_each(|part| each_ordering(part, add));
        }
        RichDependency::With(parts) => {
            parts.iter().take(1).for_each(|part| each_ordering(part, add));
        }
        RichDependency::If { requirement, .. } | RichDependency::Unless { requirement, .. } => {
            each_ordering(requirement, add);
        }
        RichDependency::Without(first, _) => each_ordering(first, add),
    }
}

/// Returns the strongly connected components (Tarjan) in the order in which rpm finds them, each from where it was entered.
fn components(graph: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search {
        graph,
        next: 0,
        index: vec![None; graph.len()],
        low: vec![0; graph.len()],
        stack: Vec::new(),
        on_stack: vec![false; graph.len()],
        found: Vec::new(),
    };
    for at in 0..graph.len() {
        if search.index[at].is_none() {
            search.run(at);
        }
    }
    search.found
}

struct Search<'a> {
    graph: &'a [Vec<usize>],
    next: usize,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    stack: Vec<usize>,
    on_stack: Vec<bool>,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// Iterative, so that a long chain of requirements cannot overflow the stack.
    fn run(&mut self, start: usize) {
        let mut calls = vec![(start, self.enter(start))];
        while let Some((at, todo)) = calls.last_mut() {
            let at = *at;
            let Some(next) = todo.pop() else {
                calls.pop();
                if let Some((caller, _)) = calls.last() {
                    self.low[*caller] = self.low[*caller].min(self.low[at]);
                }
                self.leave(at);
                continue;
            };
            match self.index[next] {
                None => {
                    let todo = self.enter(next);
                    calls.push((next, todo));
                }
                Some(index) if self.on_stack[next] => self.low[at] = self.low[at].min(index),
                Some(_) => {}
            }
        }
    }

    fn enter(&mut self, at: usize) -> Vec<usize> {
        self.index[at] = Some(self.next);
        self.low[at] = self.next;
        self.next += 1;
        self.stack.push(at);
        self.on_stack[at] = true;
        self.graph[at].iter().rev().copied().collect()
    }

    fn leave(&mut self, at: usize) {
        if self.index[at] != Some(self.low[at]) {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack[member] = false;
            component.push(member);
            if member == at {
                break;
            }
        }
        component.reverse();
        self.found.push(component);
    }
}
