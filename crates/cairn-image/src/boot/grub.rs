// SPDX-License-Identifier: MIT OR Apache-2.0
//! Texts for GRUB: the static `grub.cfg` and one snippet per boot entry.
//!
//! Debian's signed GRUB 2.12 is the target: no `blscfg`, no arithmetic, no modules beyond its own. The counter of a new
//! entry therefore goes 3 → 2 → 1 → 0 through nested `if`s. `fallback` takes no identifiers there (measured), and GRUB
//! would wait in its menu for ever when a default entry cannot be loaded: an entry on trial restarts the machine instead.

use super::{BlsEntry, BootError};

/// How often a new entry is tried before the previous one is booted again.
pub const TRIES: u32 = 3;
/// Variable: entry that is known to work.
pub const SAVED: &str = "saved_entry";
/// Variable: entry for the next boot only.
pub const NEXT: &str = "next_entry";
/// Variable: entry on trial.
pub const TRIAL: &str = "cairn_trial";
/// Variable: tries that are left for the entry on trial.
pub const TRIES_LEFT: &str = "cairn_tries";
/// Most snippets that `grub.cfg` looks at.
pub const MENU_LIMIT: usize = 20;

/// How GRUB finds the `/boot` file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootSearch {
    /// By label; the disk GRUB was started from is looked at first.
    Label(String),
    /// By file system UUID; the disk GRUB was started from is looked at first.
    Uuid(String),
}

/// What can be set in `grub.cfg`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrubSettings {
    /// Seconds the menu waits; 0 boots at once (a key held down still opens the menu).
    pub timeout_seconds: u32,
    /// Speed of the first serial line (115200), on which the menu is shown too; `None` for no serial line.
    pub serial_speed: Option<u32>,
    /// Where the entries are.
    pub boot: BootSearch,
    /// Kernel options added while an entry is on trial: a panic must lead to the next try.
    pub trial_options: String,
}

impl Default for GrubSettings {
    fn default() -> Self {
        Self {
            timeout_seconds: 2,
            serial_speed: Some(115_200),
            boot: BootSearch::Label("cairn-boot".to_owned()),
            trial_options: "panic=30".to_owned(),
        }
    }
}

const CONFIGURATION: &str = r#"# Written by Cairn; never changed by adding or removing kernels.
# Entries: /loader/cairn/NN-*.cfg on the boot file system, derived from /loader/entries/*.conf by cairn-boot.
@SERIAL@
load_env saved_entry next_entry cairn_trial cairn_tries

regexp --set=1:cairn_disk '^([^,]*)' "${root}"
search --no-floppy --set=cairn_boot --hint="${cairn_disk}," @SEARCH@
if [ -z "${cairn_boot}" ]; then
    echo 'No file system @WHERE@ found: nothing to boot'
    sleep 10
fi

set default=0
set cairn_try=
set cairn_options=
set cairn_again=
if [ -n "${saved_entry}" ]; then
    set default="${saved_entry}"
fi
if [ -n "${next_entry}" ]; then
    set default="${next_entry}"
    set next_entry=
    if save_env next_entry; then
        set cairn_again=yes
    fi
elif [ -n "${cairn_trial}" ]; then
    if [ "${cairn_tries}" = 3 ]; then
        set cairn_tries=2
        set cairn_try=yes
    else
        if [ "${cairn_tries}" = 2 ]; then
            set cairn_tries=1
            set cairn_try=yes
        else
            if [ "${cairn_tries}" = 1 ]; then
                set cairn_tries=0
                set cairn_try=yes
            fi
        fi
    fi
    if [ -n "${cairn_try}" ]; then
        if save_env cairn_tries; then
            set default="${cairn_trial}"
            set cairn_again=yes
            set cairn_options='@TRIAL@'
            echo "Trying ${cairn_trial} (${cairn_tries} more tries)"
        fi
    else
        echo "${cairn_trial} did not come up: booting ${saved_entry}"
    fi
fi
export cairn_boot
export cairn_options
export cairn_again

function cairn_failed {
    if [ -n "${cairn_again}" ]; then
        echo 'The entry could not be loaded: starting again'
        sleep 5
        reboot
    fi
}

set timeout_style=@STYLE@
set timeout=@TIMEOUT@

for cairn_number in @NUMBERS@; do
    for cairn_snippet in (${cairn_boot})/loader/cairn/${cairn_number}-*.cfg; do
        if [ -f "${cairn_snippet}" ]; then
            source "${cairn_snippet}"
        fi
    done
done

if [ "${grub_platform}" = efi ]; then
    menuentry 'Firmware settings' --id firmware {
        fwsetup
    }
fi
"#;

const SERIAL: &str = "
if serial --unit=0 --speed=@SPEED@; then
    terminal_input console serial
    terminal_output console serial
fi";

/// Returns the static `/EFI/debian/grub.cfg`.
pub fn configuration(settings: &GrubSettings) -> String {
    let (search, place) = match &settings.boot {
        BootSearch::Label(label) => {
            (format!("--label {}", quote(label)), format!("with the label {label}"))
        }
        BootSearch::Uuid(uuid) => {
            (format!("--fs-uuid {}", quote(uuid)), format!("with the UUID {uuid}"))
        }
    };
    let serial = settings.serial_speed.map(|speed| SERIAL.replace("@SPEED@", &speed.to_string()));
    let numbers: Vec<String> = (0..MENU_LIMIT).map(|number| format!("{number:02}")).collect();
    CONFIGURATION
        .replace("@SERIAL@", &serial.unwrap_or_default())
        .replace("@SEARCH@", &search)
        .replace("@WHERE@", &place.replace('\'', ""))
        .replace("@TRIAL@", &settings.trial_options.replace('\'', ""))
        .replace("@STYLE@", if settings.timeout_seconds == 0 { "hidden" } else { "menu" })
        .replace("@TIMEOUT@", &settings.timeout_seconds.to_string())
        .replace("@NUMBERS@", &numbers.join(" "))
}

/// Returns the snippet for one entry.
pub fn snippet(entry: &BlsEntry) -> Result<String, BootError> {
    let mut words: Vec<String> =
        split_options(&entry.options)?.iter().map(|word| quote(word)).collect();
    words.push("${cairn_options}".to_owned());
    let initrds: Vec<String> =
        entry.initrds.iter().map(|path| format!("(${{cairn_boot}}){}", quote(path))).collect();
    let initrd = if initrds.is_empty() {
        "true".to_owned()
    } else {
        format!("initrd {}", initrds.join(" "))
    };
    Ok(format!(
        r#"# Derived from /loader/entries/{id}.conf by cairn-boot: changes here are lost.
menuentry {title} --id {quoted_id} {{
    set cairn_loaded=
    if linux (${{cairn_boot}}){linux} {options}; then
        if {initrd}; then
            set cairn_loaded=yes
        fi
    fi
    if [ -z "${{cairn_loaded}}" ]; then
        cairn_failed
    fi
}}
"#,
        id = entry.id,
        title = quote(&entry.title),
        quoted_id = quote(&entry.id),
        linux = quote(&entry.linux),
        options = words.join(" "),
    ))
}

/// Splits a kernel command line as the kernel does: blanks separate, except inside double quotes, which are dropped.
///
/// GRUB puts words with blanks in quotes again, and would put a backslash before quotes and backslashes, so those are refused.
pub(crate) fn split_options(options: &str) -> Result<Vec<String>, BootError> {
    if let Some(character) =
        options.chars().find(|character| matches!(character, '\\' | '\'') || character.is_control())
    {
        return Err(BootError::InvalidOptions { options: options.to_owned(), character });
    }
    if !options.matches('"').count().is_multiple_of(2) {
        return Err(BootError::InvalidOptions { options: options.to_owned(), character: '"' });
    }
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in options.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().expect("never empty").push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    Ok(words)
}

/// Quotes a word for GRUB's script language where needed.
pub(crate) fn quote(word: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./=,:+@%~".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn entry(options: &str) -> BlsEntry {
        BlsEntry {
            id: "cairn-6.12.1".into(),
            title: "Cairn's Linux".into(),
            linux: "/cairn/6.12.1/linux".into(),
            initrds: vec!["/cairn/6.12.1/initrd".into()],
            options: options.into(),
            ..BlsEntry::default()
        }
    }

    #[test]
    fn snippets() {
        let options = r#"root=LABEL=cairn-root  ro dyndbg="file x.c +p" a;b $HOME x=${y}"#;
        expect![[r##"
            # Derived from /loader/entries/cairn-6.12.1.conf by cairn-boot: changes here are lost.
            menuentry 'Cairn'\''s Linux' --id cairn-6.12.1 {
                set cairn_loaded=
                if linux (${cairn_boot})/cairn/6.12.1/linux root=LABEL=cairn-root ro 'dyndbg=file x.c +p' 'a;b' '$HOME' 'x=${y}' ${cairn_options}; then
                    if initrd (${cairn_boot})/cairn/6.12.1/initrd; then
                        set cairn_loaded=yes
                    fi
                fi
                if [ -z "${cairn_loaded}" ]; then
                    cairn_failed
                fi
            }
        "##]].assert_eq(&snippet(&entry(options)).unwrap());
    }

    #[test]
    fn options_that_grub_would_change_are_refused() {
        for options in ["a\\b", "it's", "a\nb", "a=\"b"] {
            assert!(
                matches!(snippet(&entry(options)), Err(BootError::InvalidOptions { .. })),
                "{options}"
            );
        }
    }

    #[test]
    fn configuration_has_no_placeholders_left() {
        let text = configuration(&GrubSettings::default());
        assert!(!text.contains('@'), "{text}");
        assert!(text.contains("--label cairn-boot\n"));
        assert!(text.contains("set timeout=2\n"));
        let settings = GrubSettings {
            timeout_seconds: 0,
            serial_speed: None,
            boot: BootSearch::Uuid("8f3c".into()),
            trial_options: String::new(),
        };
        let text = configuration(&settings);
        assert!(!text.contains("serial"));
        assert!(text.contains("--fs-uuid 8f3c\n") && text.contains("timeout_style=hidden"));
    }
}
