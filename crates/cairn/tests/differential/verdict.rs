// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the comparison with each peer found, and the table of it.

use crate::Outcome;
use crate::known::Known;
use std::fmt;

/// How many lines of a difference are printed.
const SHOWN: usize = 40;

/// The comparison with one peer.
pub struct Verdict<'a> {
    program: &'static str,
    peer: &'static str,
    known: &'a Known,
    row: Row,
}

/// Scenarios by what came of them.
#[derive(Debug, Default)]
struct Row {
    program: &'static str,
    peer: &'static str,
    agree: usize,
    known: usize,
    unlisted: usize,
    /// Where the peers of one program do not agree among themselves, there is nothing to follow for the second.
    undecided: usize,
}

impl<'a> Verdict<'a> {
    pub fn new(program: &'static str, peer: &'static str, known: &'a Known) -> Self {
        Self { program, peer, known, row: Row { program, peer, ..Row::default() } }
    }

    /// Compares all kinds.
    pub fn judge(&mut self, scenario: &str, kinds: &[&str], theirs: &Outcome, ours: &Outcome) {
        let differ = kinds.iter().copied().filter(|kind| theirs.part(kind) != ours.part(kind));
        let (known, unlisted): (Vec<&str>, Vec<&str>) =
            differ.partition(|kind| self.known.lists(scenario, kind));
        for kind in &unlisted {
            let lines = diff(theirs.part(kind), ours.part(kind));
            println!("== {}/{scenario}: {kind}, against {}\n{lines}", self.program, self.peer);
        }
        match (known.is_empty(), unlisted.is_empty()) {
            (_, false) => self.row.unlisted += 1,
            (false, true) => self.row.known += 1,
            (true, true) => self.row.agree += 1,
        }
    }

    /// Compares the kinds in which both peers agree.
    pub fn judge_where_agreed(
        &mut self,
        scenario: &str,
        kinds: &[&str],
        [first, second]: [&Outcome; 2],
        ours: &Outcome,
    ) {
        let agreed = |kind: &&str| first.part(kind) == second.part(kind);
        let agreed: Vec<&str> = kinds.iter().copied().filter(agreed).collect();
        if agreed.len() < kinds.len() {
            self.row.undecided += 1;
        }
        if !agreed.is_empty() {
            self.judge(scenario, &agreed, second, ours);
        }
    }
}

/// Lines of the one that the other does not have, and the reverse.
fn diff(theirs: &str, ours: &str) -> String {
    let (their, our): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    let mut text = String::new();
    let lines = |who: &str, lines: &[&str], others: &[&str]| -> Vec<String> {
        let only = lines.iter().filter(|line| !others.contains(line));
        only.map(|line| format!("  {who}: {line}\n")).collect()
    };
    let both = [lines("peer", &their, &our), lines("ours", &our, &their)].concat();
    let shown = both.len().min(SHOWN);
    text.push_str(&both[..shown].concat());
    if shown < both.len() {
        text.push_str(&format!("  … {} lines more\n", both.len() - shown));
    }
    if text.is_empty() {
        text = format!("  peer: {}\n  ours: {}\n", their.join(" | "), our.join(" | "));
    }
    text
}

/// All comparisons.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    unused: Vec<String>,
}

impl Table {
    pub fn add<const N: usize>(&mut self, verdicts: [Verdict<'_>; N]) {
        self.rows.extend(verdicts.map(|verdict| verdict.row));
    }

    /// When everything ran: what is listed must differ.
    pub fn check_known(&mut self, known: &Known) {
        if crate::wanted().is_none() {
            self.unused.extend(known.unused());
        }
    }

    /// Stops when something differs that is not listed, or is listed and does not.
    pub fn check(&self) {
        let unlisted: usize = self.rows.iter().map(|row| row.unlisted).sum();
        let unused = &self.unused;
        assert!(
            unlisted == 0 && unused.is_empty(),
            "{unlisted} scenarios differ (above)\n{}",
            unused.join("\n")
        );
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| ours | peer | scenarios | agree | known | unlisted | peers differ in a part |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|")?;
        for Row { program, peer, agree, known, unlisted, undecided, .. } in &self.rows {
            let all = agree + known + unlisted;
            writeln!(
                f,
                "| {program} | {peer} | {all} | {agree} | {known} | {unlisted} | {undecided} |"
            )?;
        }
        Ok(())
    }
}
