// SPDX-License-Identifier: MIT OR Apache-2.0
//! The order of packages: what a package requires comes before it, scriptlet requirements above all; loops are broken where they
//! hurt least. What goes, goes after everything has come, dependents first. Among
//! packages that may come next, the choice is rpm's (`addQ` in lib/order.c): first what most others wait for, of equals the last.

use std::collections::{BTreeMap, BTreeSet};

use cairn_rpm::dependency::{Dependency, RichDependency, sense};
use cairn_rpm::header::Header;

use super::set::Set;

/// One step of the package order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// Position in [`Set::added`].
    Add(usize),
    /// Position in [`Set::erased`].
    Erase(usize),
}

/// Requirements that a scriptlet of the package depends on.
const HARD: u32 = sense::PREREQ
    | sense::SCRIPT_PRE
    | sense::SCRIPT_POST
    | sense::SCRIPT_PREUN
    | sense::SCRIPT_POSTUN;
/// `RPMSENSE_POSTTRANS` and `RPMSENSE_CONFIG`.
const POSTTRANS: u32 = 1 << 5;
const CONFIG: u32 = 1 << 28;
const UNORDERED: u32 = sense::RPMLIB | CONFIG | sense::PRETRANS | POSTTRANS | sense::META;

/// Sorts the packages that come (and renumbers who replaces whom) and returns the order of everything.
///
/// With `keep` the packages that come stay in their present order.
pub(crate) fn order(set: &mut Set, keep: bool) -> Vec<Element> {
    let headers: Vec<(&Header, Vec<&str>)> = set
        .added
        .iter()
        .map(|added| {
            (&added.package.header, added.files.iter().map(|file| file.path.as_str()).collect())
        })
        .collect();
    let positions =
        if keep { (0..headers.len()).collect() } else { sort(&headers, Direction::Needed) };
    drop(headers);
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

    let mut elements: Vec<Element> = (0..set.added.len()).map(Element::Add).collect();
    let headers: Vec<(&Header, Vec<&str>)> = set
        .erased
        .iter()
        .map(|erased| {
            (&erased.header, erased.files.iter().map(|file| file.path.as_str()).collect())
        })
        .collect();
    elements.extend(sort(&headers, Direction::Dependents).into_iter().map(Element::Erase));
    elements
}

/// What comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// What others need.
    Needed,
    /// What needs others.
    Dependents,
}

/// Returns positions in the order in which the packages come or go.
fn sort(packages: &[(&Header, Vec<&str>)], direction: Direction) -> Vec<usize> {
    let graph = graph(packages);
    let mut components = components(&graph);
    components.sort_by_key(|component| (component.len() > 1, component.first().copied()));
    let mut order = Vec::with_capacity(packages.len());
    for at in component_order(&graph, &components, direction) {
        let component = &components[at];
        if let [single] = component.as_slice() {
            order.push(*single);
            continue;
        }
        // A loop: only requirements of scriptlets count inside of it.
        let members: BTreeSet<usize> = component.iter().copied().collect();
        let (mut done, mut inner) = (BTreeSet::new(), Vec::new());
        for member in &members {
            visit(*member, &members, &graph, &mut done, &mut inner);
        }
        if direction == Direction::Dependents {
            inner.reverse();
        }
        order.extend(inner);
    }
    order
}

/// Returns the components in order: a queue of those that wait for nothing, sorted by how many wait for them.
fn component_order(
    graph: &[BTreeMap<usize, bool>],
    components: &[Vec<usize>],
    direction: Direction,
) -> Vec<usize> {
    let mut component_of = vec![0; graph.len()];
    for (at, component) in components.iter().enumerate() {
        component.iter().for_each(|member| component_of[*member] = at);
    }
    let mut waits_for = vec![BTreeSet::new(); components.len()];
    let mut awaited_by = vec![BTreeSet::new(); components.len()];
    for (at, needed) in graph.iter().enumerate() {
        for other in needed.keys() {
            let (mut later, mut first) = (component_of[at], component_of[*other]);
            if direction == Direction::Dependents {
                std::mem::swap(&mut later, &mut first);
            }
            if later != first {
                waits_for[later].insert(first);
                awaited_by[first].insert(later);
            }
        }
    }
    let mut queue: Vec<usize> = Vec::new();
    let enqueue = |queue: &mut Vec<usize>, at: usize| {
        let place = queue.iter().position(|other| awaited_by[*other].len() <= awaited_by[at].len());
        queue.insert(place.unwrap_or(queue.len()), at);
    };
    for (at, first) in waits_for.iter().enumerate() {
        if first.is_empty() {
            enqueue(&mut queue, at);
        }
    }
    let mut order = Vec::with_capacity(components.len());
    while !queue.is_empty() {
        let at = queue.remove(0);
        order.push(at);
        for later in awaited_by[at].iter().rev() {
            waits_for[*later].remove(&at);
            if waits_for[*later].is_empty() {
                enqueue(&mut queue, *later);
            }
        }
    }
    order
}

fn visit(
    at: usize,
    members: &BTreeSet<usize>,
    graph: &[BTreeMap<usize, bool>],
    done: &mut BTreeSet<usize>,
    order: &mut Vec<usize>,
) {
    if !done.insert(at) {
        return;
    }
    for (next, hard) in &graph[at] {
        if *hard && members.contains(next) {
            visit(*next, members, graph, done, order);
        }
    }
    order.push(at);
}

/// For each package the packages it needs, and whether one of its scriptlets needs them.
fn graph(packages: &[(&Header, Vec<&str>)]) -> Vec<BTreeMap<usize, bool>> {
    let mut provides: BTreeMap<String, Vec<(usize, Dependency)>> = BTreeMap::new();
    let mut paths: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (header, files)) in packages.iter().enumerate() {
        for provide in header.provides() {
            provides.entry(provide.name.clone()).or_default().push((at, provide));
        }
        for path in files {
            paths.entry(path).or_default().push(at);
        }
    }
    let providers = |requirement: &Dependency| -> Vec<usize> {
        let named = provides.get(&requirement.name).map_or(&[][..], Vec::as_slice);
        let named = named
            .iter()
            .filter(|(_, provide)| requirement.is_satisfied_by(provide))
            .map(|(at, _)| *at);
        named.chain(paths.get(requirement.name.as_str()).into_iter().flatten().copied()).collect()
    };
    let mut graph = vec![BTreeMap::new(); packages.len()];
    for (at, (header, _)) in packages.iter().enumerate() {
        let requirements = header.requires().into_iter().chain(header.order_with_requires());
        for requirement in requirements {
            if requirement.sense & UNORDERED != 0 && requirement.sense & HARD == 0 {
                continue;
            }
            let hard = requirement.sense & HARD != 0;
            let mut needed = Vec::new();
            if requirement.is_rich() {
                if let Ok(rich) = RichDependency::parse(&requirement.name) {
                    rich.for_each_simple(&mut |member| needed.extend(providers(member)));
                }
            } else {
                needed = providers(&requirement);
            }
            // A requirement the package meets itself orders nothing.
            if needed.contains(&at) {
                continue;
            }
            for provider in needed {
                *graph[at].entry(provider).or_insert(false) |= hard;
            }
        }
    }
    graph
}

/// Strongly connected components (Tarjan), needed ones first.
fn components(graph: &[BTreeMap<usize, bool>]) -> Vec<Vec<usize>> {
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
    graph: &'a [BTreeMap<usize, bool>],
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
        self.graph[at].keys().rev().copied().collect()
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
        component.sort_unstable();
        self.found.push(component);
    }
}
