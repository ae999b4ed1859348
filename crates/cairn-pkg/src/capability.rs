// SPDX-License-Identifier: MIT OR Apache-2.0
//! File capabilities: from the text in a package header (`cap_net_raw=ep`) to the `security.capability` attribute and back.
//!
//! Format: `struct vfs_cap_data` revision 2 of `linux/capability.h`.

/// The extended attribute that holds a file's capabilities.
pub const ATTRIBUTE: &str = "security.capability";

/// Capability names by number, `linux/capability.h`.
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

/// Capability sets of a file as bit masks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Granted whatever the caller has.
    pub permitted: u64,
    /// Kept if the caller has them inheritable.
    pub inheritable: u64,
    /// The permitted ones are switched on at start.
    pub effective: bool,
}

impl Capabilities {
    /// Parses the text form of libcap: clauses like `cap_net_raw,cap_net_admin=ep` or `cap_setuid+p`. `None` if it is not valid.
    pub fn parse(text: &str) -> Option<Self> {
        let mut sets = Self::default();
        let mut effective = 0;
        for clause in text.split_whitespace() {
            let at = clause.find(['=', '+', '-'])?;
            let (names, mut rest) = clause.split_at(at);
            let mut mask = 0;
            for name in names.split(',').filter(|name| !name.is_empty() && *name != "all") {
                mask |= 1 << NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
            }
            if names.is_empty() || names.split(',').any(|name| name == "all") {
                mask = (1 << NAMES.len()) - 1;
            }
            while let Some(operator) = rest.chars().next() {
                rest = &rest[1..];
                let flags: &str = &rest[..rest.find(['=', '+', '-']).unwrap_or(rest.len())];
                rest = &rest[flags.len()..];
                if operator == '=' {
                    (sets.permitted, sets.inheritable, effective) =
                        (sets.permitted & !mask, sets.inheritable & !mask, effective & !mask);
                }
                for flag in flags.chars() {
                    let set = match flag {
                        'e' => &mut effective,
                        'p' => &mut sets.permitted,
                        'i' => &mut sets.inheritable,
                        _ => return None,
                    };
                    if operator == '-' { *set &= !mask } else { *set |= mask }
                }
            }
        }
        sets.effective = effective != 0;
        Some(sets)
    }

    /// Returns the value of the `security.capability` attribute.
    pub fn to_attribute(self) -> Vec<u8> {
        let magic = REVISION_2 | if self.effective { EFFECTIVE } else { 0 };
        let halves = [
            self.permitted as u32,
            self.inheritable as u32,
            (self.permitted >> 32) as u32,
            (self.inheritable >> 32) as u32,
        ];
        [magic].into_iter().chain(halves).flat_map(u32::to_le_bytes).collect()
    }

    /// Reads the value of a `security.capability` attribute (revision 2 or 3).
    pub fn from_attribute(value: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            Some(u64::from(u32::from_le_bytes(value.get(at * 4..at * 4 + 4)?.try_into().ok()?)))
        };
        Some(Self {
            permitted: word(1)? | word(3)? << 32,
            inheritable: word(2)? | word(4)? << 32,
            effective: word(0)? & u64::from(EFFECTIVE) != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_to_attribute() {
        for (text, expected) in [
            ("cap_net_raw=ep", "0100000200200000000000000000000000000000"),
            ("cap_net_raw+ep", "0100000200200000000000000000000000000000"),
            ("cap_setuid,cap_setgid=p", "00000002c0000000000000000000000000000000"),
            ("cap_bpf=ei", "0100000200000000000000000000000080000000"),
        ] {
            let parsed = Capabilities::parse(text).unwrap();
            assert_eq!(hex::encode(parsed.to_attribute()), expected, "{text}");
            assert_eq!(Capabilities::from_attribute(&parsed.to_attribute()), Some(parsed));
        }
        assert_eq!(Capabilities::parse("cap_nonsense=ep"), None);
        assert_eq!(Capabilities::parse("cap_net_raw"), None);
    }
}
