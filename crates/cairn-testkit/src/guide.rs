// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command lines that the guide in `docs/guide` shows, so that the programs' tests can check that they understand them.

use anyhow::{Context as _, Result};

/// A command line of the guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuideCommand {
    /// `FILE:LINE`.
    pub place: String,
    /// The arguments, without the program.
    pub arguments: Vec<String>,
}

/// Returns every command line of `program` in the `console` blocks of `docs/guide/*.md`.
///
/// `$ cargo cairn …` is a command line of `cairn`; `# dnf …` one of `dnf`.
pub fn guide_commands(program: &str) -> Result<Vec<GuideCommand>> {
    let directory = crate::package_directory().join("../../docs/guide");
    let mut found = Vec::new();
    for entry in directory.read_dir().with_context(|| format!("reading {}", directory.display()))? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.extend(
            commands_in(&text, program).into_iter().map(|(line, arguments)| GuideCommand {
                place: format!("{name}:{line}"),
                arguments,
            }),
        );
    }
    Ok(found)
}

fn commands_in(text: &str, program: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut is_console = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            is_console = language == "console";
            continue;
        }
        let command = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# "));
        let Some(command) = command.filter(|_| is_console) else { continue };
        let command = command.strip_prefix("cargo ").unwrap_or(command);
        if let Some(rest) = command.strip_prefix(program).filter(|rest| rest.starts_with(' ')) {
            found.push((index + 1, words(rest)));
        }
    }
    found
}

/// Splits as a shell does, as far as the guide needs: blanks, single and double quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::commands_in;

    #[test]
    fn only_console_blocks_of_the_program_count() {
        let text = "$ cargo cairn no\n```console\n$ cargo cairn build disk --out 'a b'\n# dnf install x\n# cairn-boot list\n```\n```yaml\n# dnf y\n```\n";
        let words = |program| format!("{:?}", commands_in(text, program));
        assert_eq!(words("cairn"), r#"[(3, ["build", "disk", "--out", "a b"])]"#);
        assert_eq!(words("dnf"), r#"[(4, ["install", "x"])]"#);
    }
}
