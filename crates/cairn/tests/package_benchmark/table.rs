// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of results.

use std::fmt::Write as _;

use super::rows::{Goal, Row};
use super::stage::{Results, Stage};

/// The programs whose size is limited, and to how many MB.
const PROGRAM: (&str, f64) = ("dnf", 12.0);
const MB: f64 = 1e6;

/// Renders all rows as Markdown.
pub fn render(stage: &Stage, rows: &[Row], results: &Results) -> String {
    let mut text = String::from(
        "| work | program | wall s, median [min-max] | CPU s | peak MiB | result | goal |\n|---|---|---|---|---|---|---|\n",
    );
    for (number, row) in rows.iter().enumerate() {
        for run in &row.runs {
            let Some(costs) = results.get(&(number, run.name)) else { continue };
            let median = costs.median();
            let (least, most) = costs.range();
            let is_ours = std::ptr::eq(run, &row.runs[0]);
            let goals = if is_ours { judge(number, row, results) } else { String::new() };
            let _ = writeln!(
                text,
                "| {} | {} | {:.3} [{least:.3}-{most:.3}] | {:.3} | {:.1} | {} | {goals} |",
                if is_ours { row.name } else { "" },
                run.name,
                median.seconds,
                median.cpu,
                median.peak,
                costs.result
            );
        }
    }
    let size = std::fs::metadata(stage.program(PROGRAM.0)).unwrap().len() as f64 / MB;
    let verdict = verdict(size <= PROGRAM.1);
    let _ = writeln!(
        text,
        "| size of `{}` | | {size:.1} MB | | | | at most {} MB: {verdict} |",
        PROGRAM.0, PROGRAM.1
    );
    text
}

fn judge(number: usize, row: &Row, results: &Results) -> String {
    let median = |name| results.get(&(number, name)).map(|costs| costs.median());
    let Some(ours) = median(row.runs[0].name) else { return String::new() };
    let judge = |goal: &Goal| match *goal {
        Goal::Faster(times, name) => median(name).map(|other| {
            let found = other.seconds / ours.seconds;
            format!("{found:.1}x faster than {name}, wanted {times}x: {}", verdict(found >= times))
        }),
        Goal::Within(times, name) => median(name).map(|other| {
            let found = ours.seconds / other.seconds;
            format!("{found:.2}x of {name}, at most {times}x: {}", verdict(found <= times))
        }),
        Goal::Peak(limit) => {
            Some(format!("{:.1} MiB, at most {limit}: {}", ours.peak, verdict(ours.peak <= limit)))
        }
    };
    let judged: Vec<String> = row.goals.iter().filter_map(judge).collect();
    judged.join("; ")
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "PASS" } else { "MISS" }
}
