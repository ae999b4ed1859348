// SPDX-License-Identifier: MIT OR Apache-2.0
//! File capabilities: the text of `cap_from_text(3)` to the bytes of the `security.capability` attribute.

/// Names of the capabilities, by number (linux/capability.h of 6.12).
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

const REVISION_2: u32 = 0x0200_0000;
const EFFECTIVE: u32 = 1;

/// A capability text that cannot be stored on a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid file capabilities `{text}`: {reason}")]
pub struct CapabilityError {
    /// The text as given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(Default)]
struct Sets {
    effective: u64,
    inheritable: u64,
    permitted: u64,
}

/// Returns the 20 bytes of a version 2 `security.capability` attribute for a text such as `cap_net_raw=ep`.
///
/// An effective set other than empty or "everything permitted or inheritable" cannot be stored and is an error.
pub fn encode_capabilities(text: &str) -> Result<[u8; 20], CapabilityError> {
    let fail = |reason: String| CapabilityError { text: text.to_owned(), reason };
    let mut sets = Sets::default();
    for clause in text.split_whitespace() {
        apply_clause(clause, &mut sets).map_err(fail)?;
    }
    let stored = sets.permitted | sets.inheritable;
    if stored == 0 {
        return Err(fail("no capability is permitted or inheritable".to_owned()));
    }
    if sets.effective != 0 && sets.effective != stored {
        return Err(fail(
            "the effective set must be empty or hold every capability named".to_owned(),
        ));
    }
    let magic = REVISION_2 | if sets.effective == 0 { 0 } else { EFFECTIVE };
    let words = [
        magic,
        sets.permitted as u32,
        sets.inheritable as u32,
        (sets.permitted >> 32) as u32,
        (sets.inheritable >> 32) as u32,
    ];
    let mut bytes = [0; 20];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    Ok(bytes)
}

fn apply_clause(clause: &str, sets: &mut Sets) -> Result<(), String> {
    let operators_at =
        clause.find(['=', '+', '-']).ok_or_else(|| format!("`{clause}` has no `=`, `+` or `-`"))?;
    let (names, mut operations) = clause.split_at(operators_at);
    let mask = parse_names(names, operations.starts_with('='))?;
    while let Some(operator) = operations.chars().next() {
        let rest = &operations[1..];
        let end = rest.find(['=', '+', '-']).unwrap_or(rest.len());
        let (flags, next) = rest.split_at(end);
        apply_operation(operator, flags, mask, sets)?;
        operations = next;
    }
    Ok(())
}

fn parse_names(names: &str, assigns: bool) -> Result<u64, String> {
    let all = (1_u64 << NAMES.len()) - 1;
    if names.eq_ignore_ascii_case("all") || (names.is_empty() && assigns) {
        return Ok(all);
    }
    let mut mask = 0;
    for name in names.split(',') {
        let lower = name.to_ascii_lowercase();
        let number = NAMES
            .iter()
            .position(|known| *known == lower)
            .ok_or_else(|| format!("unknown capability `{name}`"))?;
        mask |= 1 << number;
    }
    Ok(mask)
}

fn apply_operation(operator: char, flags: &str, mask: u64, sets: &mut Sets) -> Result<(), String> {
    if operator == '=' {
        for set in [&mut sets.effective, &mut sets.inheritable, &mut sets.permitted] {
            *set &= !mask;
        }
    }
    for flag in flags.chars() {
        let set = match flag {
            'e' => &mut sets.effective,
            'i' => &mut sets.inheritable,
            'p' => &mut sets.permitted,
            other => return Err(format!("unknown flag `{other}`")),
        };
        if operator == '-' {
            *set &= !mask;
        } else {
            *set |= mask;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_attribute_bytes() {
        for (text, expected) in [
            ("cap_net_raw=ep", "0100000200200000000000000000000000000000"),
            ("cap_net_raw+ep", "0100000200200000000000000000000000000000"),
            ("= cap_net_raw+ep", "0100000200200000000000000000000000000000"),
            ("cap_net_raw=p", "0000000200200000000000000000000000000000"),
            ("cap_setgid,cap_setuid=ep", "01000002c0000000000000000000000000000000"),
            ("cap_setgid=ep cap_setuid+ep", "01000002c0000000000000000000000000000000"),
            ("CAP_BPF=eip", "0100000200000000000000008000000080000000"),
            ("cap_net_raw=eip cap_net_raw-i", "0100000200200000000000000000000000000000"),
        ] {
            assert_eq!(hex::encode(encode_capabilities(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn wrong_texts_are_refused() {
        for (text, reason) in [
            ("cap_net_raw", "`cap_net_raw` has no `=`, `+` or `-`"),
            ("cap_nope=ep", "unknown capability `cap_nope`"),
            ("cap_net_raw=x", "unknown flag `x`"),
            ("", "no capability is permitted or inheritable"),
            (
                "cap_net_raw=ep cap_chown=p",
                "the effective set must be empty or hold every capability named",
            ),
        ] {
            assert_eq!(encode_capabilities(text).unwrap_err().reason, reason, "{text}");
        }
    }
}
