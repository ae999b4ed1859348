// SPDX-License-Identifier: MIT OR Apache-2.0
//! The boot loader files on the EFI system partition: Microsoft-signed shim, Debian-signed GRUB, byte for byte as packaged.
//!
//! `EFI/BOOT` is where firmware looks on its own (removable media, fresh virtual machines), `EFI/debian` where an entry
//! in the firmware's boot list points, and the prefix built into the signed GRUB.

use cairn_host::Root;

use crate::boot::BootError;

/// (file of the packages, its places on the ESP). All are needed.
const LOADERS: [(&str, &[&str]); 3] = [
    ("usr/lib/shim/shimx64.efi.signed", &["EFI/BOOT/BOOTX64.EFI", "EFI/debian/shimx64.efi"]),
    ("usr/lib/shim/mmx64.efi.signed", &["EFI/BOOT/mmx64.efi", "EFI/debian/mmx64.efi"]),
    (
        "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
        &["EFI/BOOT/grubx64.efi", "EFI/debian/grubx64.efi"],
    ),
];

/// For shim's fallback program, which enters `EFI/debian` in the firmware's boot list. Beside `BOOTX64.EFI` it would
/// cost every first boot a reset, so it lies in `EFI/debian` only, for machines whose boot list was lost.
const FALLBACK: [(&str, &[&str]); 2] = [
    ("usr/lib/shim/fbx64.efi.signed", &["EFI/debian/fbx64.efi"]),
    ("usr/lib/shim/BOOTX64.CSV", &["EFI/debian/BOOTX64.CSV"]),
];

/// Copies the boot loaders from `source` (an installed system or the tools tree) where they are missing or differ.
/// Returns the paths written.
///
/// shim and GRUB are replaced one file at a time, each atomically; GRUB first, as an old shim starts a new GRUB.
pub fn install(source: &Root, esp: &Root) -> Result<Vec<String>, BootError> {
    let mut written = Vec::new();
    for (from, places) in LOADERS.iter().rev() {
        if !source.exists(from)? {
            return Err(BootError::MissingLoader(format!("/{from}")));
        }
        copy(source, esp, from, places, &mut written)?;
    }
    for (from, places) in FALLBACK {
        if source.exists(from)? {
            copy(source, esp, from, places, &mut written)?;
        }
    }
    Ok(written)
}

/// Tells whether `source` holds all boot loaders.
pub fn is_available(source: &Root) -> Result<bool, BootError> {
    for (from, _) in LOADERS {
        if !source.exists(from)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the paths on the ESP that are missing or differ from the files in `source`.
pub fn differences(source: &Root, esp: &Root) -> Result<Vec<String>, BootError> {
    let mut different = Vec::new();
    for (from, places) in LOADERS {
        let wanted = if source.exists(from)? { Some(source.read(from)?) } else { None };
        for place in places {
            let same = match &wanted {
                Some(wanted) => holds(esp, place, wanted)?,
                None => esp.exists(place)?,
            };
            if !same {
                different.push((*place).to_owned());
            }
        }
    }
    Ok(different)
}

fn copy(
    source: &Root,
    esp: &Root,
    from: &str,
    places: &[&str],
    written: &mut Vec<String>,
) -> Result<(), BootError> {
    let content = source.read(from)?;
    for place in places {
        if holds(esp, place, &content)? {
            continue;
        }
        if let Some((directory, _)) = place.rsplit_once('/') {
            esp.mkdir_all(directory, 0o755)?;
        }
        esp.write_atomic(place, &content, 0o644)?;
        written.push((*place).to_owned());
    }
    Ok(())
}

fn holds(esp: &Root, place: &str, content: &[u8]) -> Result<bool, BootError> {
    let same_size =
        esp.symlink_metadata(place)?.is_some_and(|stat| stat.size == content.len() as u64);
    Ok(same_size && esp.read(place)? == content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_are_copied_once_and_when_they_differ() {
        let directory = tempfile::tempdir().unwrap();
        let source = Root::create(directory.path().join("source")).unwrap();
        let esp = Root::create(directory.path().join("esp")).unwrap();
        let error = install(&source, &esp).unwrap_err();
        assert_eq!(
            error.to_string(),
            "boot loader file `/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed` is missing"
        );
        for (from, _) in LOADERS.iter().chain(&FALLBACK[..1]) {
            source.mkdir_all(from.rsplit_once('/').unwrap().0, 0o755).unwrap();
            source.write(from, from.as_bytes(), 0o644).unwrap();
        }
        let written = install(&source, &esp).unwrap();
        expect_test::expect![[r#"
            EFI/BOOT/grubx64.efi
            EFI/debian/grubx64.efi
            EFI/BOOT/mmx64.efi
            EFI/debian/mmx64.efi
            EFI/BOOT/BOOTX64.EFI
            EFI/debian/shimx64.efi
            EFI/debian/fbx64.efi"#]]
        .assert_eq(&written.join("\n"));
        assert!(install(&source, &esp).unwrap().is_empty());
        assert!(differences(&source, &esp).unwrap().is_empty());
        esp.write("EFI/BOOT/grubx64.efi", b"old", 0o644).unwrap();
        assert_eq!(differences(&source, &esp).unwrap(), ["EFI/BOOT/grubx64.efi"]);
        assert_eq!(install(&source, &esp).unwrap(), ["EFI/BOOT/grubx64.efi"]);
    }
}
