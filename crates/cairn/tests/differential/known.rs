// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lists of known differences: scenario (`*` at its end for any), kinds with commas between, reason.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// See the module.
pub struct Known {
    file: &'static str,
    lines: Vec<Line>,
    used: RefCell<BTreeSet<usize>>,
}

struct Line {
    number: usize,
    scenario: String,
    kinds: String,
}

impl Known {
    pub fn read(file: &'static str, text: &str, kinds: &[&str]) -> Self {
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let parse = |(at, line): (usize, &str)| {
            let mut words = line.split_whitespace();
            let (scenario, listed) = (words.next().unwrap(), words.next().unwrap());
            let unknown = listed.split(',').find(|kind| !kinds.contains(kind));
            assert!(unknown.is_none(), "{file}:{}: unknown kind {unknown:?}", at + 1);
            assert!(words.next().is_some(), "{file}:{}: gives no reason", at + 1);
            Line { number: at + 1, scenario: scenario.to_owned(), kinds: listed.to_owned() }
        };
        Self { file, lines: lines.map(parse).collect(), used: RefCell::default() }
    }

    /// Whether the difference is listed; remembers that it is there.
    pub fn lists(&self, scenario: &str, kind: &str) -> bool {
        let fits = |line: &&Line| {
            line.kinds.split(',').any(|one| one == kind)
                && match line.scenario.strip_suffix('*') {
                    Some(start) => scenario.starts_with(start),
                    None => scenario == line.scenario,
                }
        };
        let found = self.lines.iter().find(fits);
        self.used.borrow_mut().extend(found.map(|line| line.number));
        found.is_some()
    }

    /// What is listed and does not differ.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let unused = self.lines.iter().filter(|line| !used.contains(&line.number));
        let tell = |line: &Line| {
            let Line { number, scenario, kinds } = line;
            format!("{}:{number}: `{scenario} {kinds}` does not differ any more", self.file)
        };
        unused.map(tell).collect()
    }
}
