// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rich dependencies as clauses (conjunctive normal form) over sets of packages.

use std::collections::BTreeSet;

use cairn_rpm::dependency::{Dependency, RichDependency};

use crate::index::Index;

/// Most clauses one dependency may become.
const CLAUSE_LIMIT: usize = 1024;

/// "One of `any_of` is installed, or of one of the sets in `none_of` nothing is installed."
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clause {
    /// Packages, in order of preference.
    pub(crate) any_of: Vec<u32>,
    /// Sets of packages.
    pub(crate) none_of: Vec<Vec<u32>>,
}

/// A dependency that becomes too many clauses.
#[derive(Debug)]
pub(crate) struct TooComplex;

/// Returns the clauses that together say "`rich` holds" (or, negated, "does not hold").
pub(crate) fn clauses(
    index: &Index<'_>,
    rich: &RichDependency,
    is_negated: bool,
    favoured: &BTreeSet<u32>,
) -> Result<Vec<Clause>, TooComplex> {
    let go = |part: &RichDependency, negated: bool| clauses(index, part, negated, favoured);
    match (rich, is_negated) {
        (RichDependency::Simple(_) | RichDependency::With(_) | RichDependency::Without(..), _) => {
            let packages = matching(index, rich);
            Ok(vec![if is_negated {
                Clause { any_of: Vec::new(), none_of: vec![packages] }
            } else {
                let dependency = first_simple(rich);
                let any_of = index.sort_alternatives(packages, dependency, favoured);
                Clause { any_of, none_of: Vec::new() }
            }])
        }
        (RichDependency::And(parts), false) | (RichDependency::Or(parts), true) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(go(part, is_negated)?);
            }
            limit(all)
        }
        (RichDependency::Or(parts), false) | (RichDependency::And(parts), true) => {
            let mut product = vec![Clause::default()];
            for part in parts {
                product = either(&product, &go(part, is_negated)?)?;
            }
            Ok(product)
        }
        // (A if B else C) is (A or not B) and (C or B).
        (RichDependency::If { requirement, condition, otherwise }, false) => {
            let mut all = either(&go(requirement, false)?, &go(condition, true)?)?;
            if let Some(otherwise) = otherwise {
                all.extend(either(&go(otherwise, false)?, &go(condition, false)?)?);
            }
            limit(all)
        }
        // Its negation is (not A and B) or (not C and not B), without C just the first half.
        (RichDependency::If { requirement, condition, otherwise }, true) => {
            let mut first = go(requirement, true)?;
            first.extend(go(condition, false)?);
            let Some(otherwise) = otherwise else { return limit(first) };
            let mut second = go(otherwise, true)?;
            second.extend(go(condition, true)?);
            either(&first, &second)
        }
        // (A unless B else C) is (A and not B) or (C and B).
        (RichDependency::Unless { requirement, condition, otherwise }, false) => {
            let mut first = go(requirement, false)?;
            first.extend(go(condition, true)?);
            let Some(otherwise) = otherwise else { return limit(first) };
            let mut second = go(otherwise, false)?;
            second.extend(go(condition, false)?);
            either(&first, &second)
        }
        (RichDependency::Unless { requirement, condition, otherwise }, true) => {
            let mut all = either(&go(requirement, true)?, &go(condition, false)?)?;
            if let Some(otherwise) = otherwise {
                all.extend(either(&go(otherwise, true)?, &go(condition, true)?)?);
            }
            limit(all)
        }
    }
}

/// Returns the allowed packages that satisfy a plain, `with` or `without` dependency.
fn matching(index: &Index<'_>, rich: &RichDependency) -> Vec<u32> {
    match rich {
        RichDependency::Simple(dependency) => allowed_providers(index, dependency),
        RichDependency::With(parts) => {
            let mut sets = parts.iter().map(|part| matching(index, part));
            let mut common = sets.next().unwrap_or_default();
            for set in sets {
                common.retain(|id| set.binary_search(id).is_ok());
            }
            common
        }
        RichDependency::Without(first, second) => {
            let unwanted = matching(index, second);
            let mut found = matching(index, first);
            found.retain(|id| unwanted.binary_search(id).is_err());
            found
        }
        // Inside `with` rpm allows only the two above and `or`.
        RichDependency::Or(parts) | RichDependency::And(parts) => {
            let mut all: Vec<u32> = parts.iter().flat_map(|part| matching(index, part)).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
        RichDependency::If { requirement, .. } | RichDependency::Unless { requirement, .. } => {
            matching(index, requirement)
        }
    }
}

pub(crate) fn allowed_providers(index: &Index<'_>, dependency: &Dependency) -> Vec<u32> {
    let mut found = index.providers(dependency);
    found.retain(|&id| index.is_allowed[id as usize]);
    found
}

fn first_simple(rich: &RichDependency) -> Option<&Dependency> {
    let mut first = None;
    rich.for_each_simple(&mut |dependency| {
        first.get_or_insert(dependency);
    });
    first
}

/// Returns the clauses of "all of `a`, or all of `b`".
fn either(a: &[Clause], b: &[Clause]) -> Result<Vec<Clause>, TooComplex> {
    if a.len() * b.len() > CLAUSE_LIMIT {
        return Err(TooComplex);
    }
    let mut product = Vec::with_capacity(a.len() * b.len());
    for left in a {
        for right in b {
            let mut clause = left.clone();
            for &id in &right.any_of {
                if !clause.any_of.contains(&id) {
                    clause.any_of.push(id);
                }
            }
            clause.none_of.extend(right.none_of.iter().cloned());
            product.push(clause);
        }
    }
    Ok(product)
}

fn limit(clauses: Vec<Clause>) -> Result<Vec<Clause>, TooComplex> {
    if clauses.len() > CLAUSE_LIMIT { Err(TooComplex) } else { Ok(clauses) }
}

/// Says whether a rich (or plain) dependency holds for a set of packages.
pub(crate) fn holds(
    index: &Index<'_>,
    rich: &RichDependency,
    is_selected: &dyn Fn(u32) -> bool,
) -> bool {
    let go = |part: &RichDependency| holds(index, part, is_selected);
    match rich {
        RichDependency::Simple(dependency) => {
            index.providers(dependency).into_iter().any(is_selected)
        }
        RichDependency::With(_) | RichDependency::Without(..) => {
            matching(index, rich).into_iter().any(is_selected)
        }
        RichDependency::And(parts) => parts.iter().all(go),
        RichDependency::Or(parts) => parts.iter().any(go),
        RichDependency::If { requirement, condition, otherwise } => {
            if go(condition) {
                go(requirement)
            } else {
                otherwise.as_deref().is_none_or(go)
            }
        }
        RichDependency::Unless { requirement, condition, otherwise } => {
            if go(condition) {
                otherwise.as_deref().is_some_and(go)
            } else {
                go(requirement)
            }
        }
    }
}
