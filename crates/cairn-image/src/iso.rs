// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hybrid ISO images: the same bytes start from a CD or a USB stick, under BIOS and UEFI, with Secure Boot.
//!
//! On the medium: `/boot/{vmlinuz,initrd}`, `/boot/grub/grub.cfg`, `/live/root.img` (squashfs), `/SHA256SUMS`, and whatever the
//! caller adds (the package repository). UEFI starts shim and Debian's signed CD GRUB from an appended FAT image, BIOS
//! GRUB's El Torito image or, from a stick, its hybrid master boot record.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use cairn_host::{Input, Invocation, Root, Tool};
use sha2::{Digest, Sha256};

use crate::boot::{BootError, quote_for_grub, split_options};
use crate::error::ImageError;
use crate::filesystem::{Fat, Workshop};
use crate::guid::Guid;
use crate::manifest::{Manifest, Selection, write_tar};

/// Where [`customization`] lies on a medium; its menu reads it where it exists.
pub const CUSTOMIZATION: &str = "cairn/customize.cfg";
/// Where the answers of an unattended installation lie on a medium.
pub const ANSWERS: &str = "cairn/answers.toml";

/// Returns the file below `/boot` that marks a system as installed with `answers`: the medium that holds them starts it instead of
/// installing again.
pub fn installed_marker(answers: &[u8]) -> String {
    format!("{MARKERS}{}", installed_id(answers))
}

const MARKERS: &str = "loader/cairn-installed-";

fn installed_id(answers: &[u8]) -> String {
    hex::encode(&Sha256::digest(answers)[..8])
}

/// Returns the text of [`CUSTOMIZATION`] for a medium with `answers`: `options` are added to the kernel command line of every menu
/// entry, and the menu waits `timeout_seconds`.
pub fn customization(
    answers: &[u8],
    options: &[String],
    timeout_seconds: u32,
) -> Result<String, BootError> {
    let mut words = Vec::new();
    for option in options {
        words.extend(split_options(option)?.iter().map(|word| word.replace('\'', "'\\''")));
    }
    if let Some(word) = words.iter().find(|word| word.contains(' ')) {
        return Err(BootError::InvalidOptions { options: word.clone(), character: ' ' });
    }
    Ok(format!(
        "# Written by cairn iso customize.\nset timeout={timeout_seconds}\nset cairn_options='{}'\nset cairn_installed={}\n",
        words.join(" "),
        installed_id(answers)
    ))
}

/// Modules built into GRUB's El Torito image.
const MODULES: [&str; 26] = [
    "biosdisk",
    "chain",
    "ext2",
    "iso9660",
    "part_gpt",
    "part_msdos",
    "search",
    "search_fs_file",
    "search_label",
    "normal",
    "configfile",
    "linux",
    "test",
    "echo",
    "serial",
    "terminal",
    "sleep",
    "regexp",
    "reboot",
    "halt",
    "boot",
    "minicmd",
    "ls",
    "cat",
    "true",
    "all_video",
];

const LOADERS: [(&str, &str); 3] = [
    ("usr/lib/shim/shimx64.efi.signed", "EFI/BOOT/BOOTX64.EFI"),
    ("usr/lib/shim/mmx64.efi.signed", "EFI/BOOT/mmx64.efi"),
    ("usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "EFI/BOOT/grubx64.efi"),
];

/// One entry of the medium's boot menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsoEntry {
    /// Text in the menu.
    pub title: String,
    /// Identifier; GRUB's `default` takes it.
    pub id: String,
    /// Kernel command line.
    pub options: String,
}

/// What is decided before an ISO is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsoPlan {
    /// Volume identifier, at most 32 characters of A-Z, 0-9 and `_`; the live system finds its medium by it.
    pub volume_id: String,
    /// All identifiers on the medium follow from it.
    pub seed: String,
    /// Seconds the menu waits.
    pub timeout_seconds: u32,
    /// Speed of the first serial line, on which the menu is shown too.
    pub serial_speed: Option<u32>,
    /// Compression level of the squashfs (zstd, 1 to 22).
    pub compression_level: u32,
    /// The menu; the first entry is the default.
    pub entries: Vec<IsoEntry>,
}

/// What goes onto an ISO.
#[derive(Debug, Clone, Copy)]
pub struct IsoContent<'a> {
    /// Content of the kernel image.
    pub kernel: &'a [u8],
    /// Content of the initial RAM disk.
    pub initrd: &'a [u8],
    /// Staging directory of the live root file system.
    pub live: &'a Root,
    /// Owners, modes and capabilities of the live root.
    pub manifest: &'a Manifest,
    /// Where the packaged boot loaders are: `/usr/lib/shim`, `/usr/lib/grub`.
    pub loaders: &'a Root,
    /// Further files, by their place on the medium.
    pub extra: Option<&'a Root>,
}

impl IsoPlan {
    /// Returns the name of the empty file by which GRUB recognises this medium among others.
    pub fn marker(&self) -> String {
        format!(".disk/{}", Guid::derive(&self.seed, "iso medium"))
    }

    /// Returns the medium's `/boot/grub/grub.cfg`.
    pub fn configuration(&self) -> Result<String, BootError> {
        let mut text = String::from("# Written by Cairn.\n");
        if let Some(speed) = self.serial_speed {
            text += &format!(
                "if serial --unit=0 --speed={speed}; then\n    terminal_input console serial\n    \
                 terminal_output console serial\nfi\n"
            );
        }
        text += &format!("search --no-floppy --set=root --file /{}\n", self.marker());
        text += &format!(
            "set timeout_style=menu\nset timeout={}\nset default=0\n",
            self.timeout_seconds
        );
        text += "set gfxpayload=1024x768x32,1024x768,auto\nset cairn_options=\n";
        text += &format!("if [ -f /{CUSTOMIZATION} ]; then\n    source /{CUSTOMIZATION}\nfi\n");
        for entry in &self.entries {
            let options: Vec<String> =
                split_options(&entry.options)?.iter().map(|word| quote_for_grub(word)).collect();
            text += &format!(
                "menuentry {} --id {} {{\n    linux /boot/vmlinuz {} ${{cairn_options}}\n    initrd /boot/initrd\n}}\n",
                quote_for_grub(&entry.title),
                quote_for_grub(&entry.id),
                options.join(" ")
            );
        }
        text += &installed_entry();
        text += "if [ \"${grub_platform}\" = efi ]; then\n    menuentry 'Firmware settings' --id firmware {\n        \
                 fwsetup\n    }\nfi\n";
        Ok(text)
    }
}

/// The menu entry for a machine that was installed with this medium's answers already: the default then, so that a medium that
/// stays in the machine does not install again and again.
fn installed_entry() -> String {
    format!(
        r#"if [ -n "${{cairn_installed}}" ]; then
    if search --no-floppy --set=cairn_boot --file /{MARKERS}${{cairn_installed}}; then
        regexp --set=1:cairn_disk '^([^,]+),' "${{cairn_boot}}"
        set default=installed
        set timeout=5
        menuentry 'Start the installed system' --id installed {{
            if [ "${{grub_platform}}" = efi ]; then
                # Not through shim: a shim does not start another one under Secure Boot. GRUB is the same, and checks what it loads.
                set root=${{cairn_disk}},gpt2
                set prefix=(${{root}})/EFI/debian
                configfile ${{prefix}}/grub.cfg
            else
                set root=${{cairn_disk}}
                chainloader +1
            fi
        }}
    fi
fi
"#
    )
}

/// Builds the ISO at `output`, which appears under its name only when it is complete.
///
/// The scratch directory needs room for the live root uncompressed (as a tar stream) and for the ISO.
pub fn build(
    workshop: &Workshop,
    plan: &IsoPlan,
    content: IsoContent<'_>,
    output: &Path,
) -> Result<(), ImageError> {
    check_volume_id(&plan.volume_id)?;
    let tree_path = workshop.scratch().join("iso");
    let tree = Root::create(&tree_path)?;
    tree.remove_all("")?;
    for directory in [".disk", "boot/grub", "live"] {
        tree.mkdir_all(directory, 0o755)?;
    }
    tree.write("boot/vmlinuz", content.kernel, 0o644)?;
    tree.write("boot/initrd", content.initrd, 0o644)?;
    tree.write("boot/grub/grub.cfg", plan.configuration()?.as_bytes(), 0o644)?;
    tree.write(".disk/info", plan.volume_id.as_bytes(), 0o644)?;
    tree.write(plan.marker(), b"", 0o644)?;
    make_squashfs(workshop, plan, content)?;
    make_boot_images(workshop, plan, content.loaders, &tree)?;
    write_digests(&tree, content.extra)?;
    let partial = workshop.scratch().join("image.iso");
    run_xorriso(workshop, plan, content.extra)?;
    move_into_place(&partial, output)?;
    tree.remove_all("")?;
    Ok(())
}

/// Makes `iso/live/root.img` from the live root.
fn make_squashfs(
    workshop: &Workshop,
    plan: &IsoPlan,
    content: IsoContent<'_>,
) -> Result<(), ImageError> {
    let tar_path = workshop.scratch().join("live.tar");
    let file = File::create(&tar_path).map_err(ImageError::io("create", &tar_path))?;
    let writer = BufWriter::with_capacity(1 << 20, file);
    write_tar(content.live, content.manifest, &Selection::all(), workshop.source_date(), writer)?;
    let tar = File::open(&tar_path).map_err(ImageError::io("open", &tar_path))?;
    // The date comes from SOURCE_DATE_EPOCH, which the sandbox sets (with -mkfs-time it would be a contradiction).
    workshop.sandbox().run(
        &Invocation::new(Tool::Sqfstar)
            .args(["-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level"])
            .arg(plan.compression_level.to_string())
            .args(["-b", "256K", "-reproducible"])
            .arg(workshop.inside("iso/live/root.img"))
            .stdin(Input::File(tar)),
    )?;
    std::fs::remove_file(&tar_path).map_err(ImageError::io("remove", &tar_path))
}

/// Makes the El Torito image (`iso/boot/grub/eltorito.img`), the FAT image with shim and GRUB (`efi.fat` in the scratch directory)
/// and a copy of GRUB's hybrid boot record (`boot_hybrid.img`).
fn make_boot_images(
    workshop: &Workshop,
    plan: &IsoPlan,
    loaders: &Root,
    tree: &Root,
) -> Result<(), ImageError> {
    let early =
        format!("search --set=root --file /{}\nset prefix=($root)/boot/grub\n", plan.marker());
    let image = workshop.make_grub_image("i386-pc-eltorito", ("/boot/grub", &early), &MODULES)?;
    tree.write("boot/grub/eltorito.img", &image, 0o644)?;
    let tools = workshop.tools()?;
    let hybrid = workshop.scratch().join("boot_hybrid.img");
    std::fs::write(&hybrid, tools.read("usr/lib/grub/i386-pc/boot_hybrid.img")?)
        .map_err(ImageError::io("write", &hybrid))?;
    let esp = Root::create(workshop.scratch().join("iso-esp"))?;
    esp.remove_all("")?;
    esp.mkdir_all("EFI/BOOT", 0o755)?;
    let mut size = 0;
    for (from, to) in LOADERS {
        if !loaders.exists(from)? {
            return Err(BootError::MissingLoader(format!("/{from}")).into());
        }
        let loader = loaders.read(from)?;
        size += loader.len() as u64;
        esp.write(to, &loader, 0o644)?;
    }
    let size = (size + (1 << 20)).next_multiple_of(1 << 20);
    let serial = Guid::derive(&plan.seed, "iso esp").to_serial();
    workshop.make_fat("efi", &Fat { label: "CAIRN-ESP".to_owned(), serial, size }, &esp)?;
    Ok(())
}

/// Writes `/SHA256SUMS` over everything on the medium but the El Torito image, which xorriso patches.
fn write_digests(tree: &Root, extra: Option<&Root>) -> Result<(), ImageError> {
    let mut lines = Vec::new();
    for root in std::iter::once(tree).chain(extra) {
        let mut files = Vec::new();
        root.walk("", &mut |path, stat| {
            if stat.is_file() {
                files.push(path.to_path_buf());
            }
            Ok(())
        })?;
        for path in files.iter().filter(|path| !path.ends_with("boot/grub/eltorito.img")) {
            lines.push(format!("{}  {}\n", digest(root, path)?, path.display()));
        }
    }
    lines.sort_by(|one, other| one[64..].cmp(&other[64..]));
    Ok(tree.write("SHA256SUMS", lines.concat().as_bytes(), 0o644)?)
}

fn digest(root: &Root, path: &Path) -> Result<String, ImageError> {
    let mut file = BufReader::with_capacity(1 << 16, root.open_read(path)?);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n_bytes = file
            .read(&mut buffer)
            .map_err(ImageError::io("read", root.path_for_display().join(path)))?;
        if n_bytes == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&buffer[..n_bytes]);
    }
}

fn run_xorriso(
    workshop: &Workshop,
    plan: &IsoPlan,
    extra: Option<&Root>,
) -> Result<(), ImageError> {
    let mut sandbox = workshop.sandbox().clone();
    let mut sources = vec![format!("/={}", workshop.inside("iso"))];
    if let Some(extra) = extra {
        sandbox = sandbox.bind_read_only(extra.path_for_display(), "/extra");
        sources.push("/=/extra".to_owned());
    }
    sandbox.run(
        &Invocation::new(Tool::Xorriso)
            .args([
                "-as",
                "mkisofs",
                "-quiet",
                "-V",
                &plan.volume_id,
                "-iso-level",
                "3",
                "-r",
                "-J",
                "-joliet-long",
            ])
            .args([
                "-o",
                &workshop.inside("image.iso"),
                "--grub2-mbr",
                &workshop.inside("boot_hybrid.img"),
            ])
            .arg("--set_all_file_dates")
            .arg(format!("={}", workshop.source_date()))
            .args(["-partition_offset", "16", "--mbr-force-bootable"])
            .args([
                "-append_partition",
                "2",
                "0xEF",
                &workshop.inside("efi.fat"),
                "-appended_part_as_gpt",
            ])
            .args(["-iso_mbr_part_type", "0x83", "-c", "/boot/grub/boot.cat"])
            .args(["-b", "/boot/grub/eltorito.img", "-no-emul-boot", "-boot-load-size", "4"])
            .args(["-boot-info-table", "--grub2-boot-info", "-eltorito-alt-boot"])
            .args(["-e", "--interval:appended_partition_2:all::", "-no-emul-boot", "-graft-points"])
            .args(sources),
    )?;
    Ok(())
}

/// Renames where possible; `output` may lie on another file system than the scratch directory.
fn move_into_place(image: &Path, output: &Path) -> Result<(), ImageError> {
    if std::fs::rename(image, output).is_ok() {
        return Ok(());
    }
    let mut partial = output.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    std::fs::copy(image, &partial).map_err(ImageError::io("write", &partial))?;
    std::fs::rename(&partial, output).map_err(ImageError::io("rename", &partial))?;
    std::fs::remove_file(image).map_err(ImageError::io("remove", image))
}

fn check_volume_id(volume_id: &str) -> Result<(), ImageError> {
    let allowed = |character: char| {
        character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_'
    };
    if volume_id.is_empty() || volume_id.len() > 32 || !volume_id.chars().all(allowed) {
        return Err(ImageError::InvalidVolumeId(volume_id.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menu_of_the_medium() {
        let plan = IsoPlan {
            volume_id: "CAIRN".into(),
            seed: "seed".into(),
            timeout_seconds: 5,
            serial_speed: Some(115_200),
            compression_level: 19,
            entries: vec![IsoEntry {
                title: "Install Cairn Linux".into(),
                id: "install".into(),
                options: "live.label=CAIRN console=tty0 x=\"a b\"".into(),
            }],
        };
        expect_test::expect![[r##"
            # Written by Cairn.
            if serial --unit=0 --speed=115200; then
                terminal_input console serial
                terminal_output console serial
            fi
            search --no-floppy --set=root --file /.disk/b4c9d305-dfa9-8024-bc97-8196b35caaf0
            set timeout_style=menu
            set timeout=5
            set default=0
            set gfxpayload=1024x768x32,1024x768,auto
            set cairn_options=
            if [ -f /cairn/customize.cfg ]; then
                source /cairn/customize.cfg
            fi
            menuentry 'Install Cairn Linux' --id install {
                linux /boot/vmlinuz live.label=CAIRN console=tty0 'x=a b' ${cairn_options}
                initrd /boot/initrd
            }
            if [ -n "${cairn_installed}" ]; then
                if search --no-floppy --set=cairn_boot --file /loader/cairn-installed-${cairn_installed}; then
                    regexp --set=1:cairn_disk '^([^,]+),' "${cairn_boot}"
                    set default=installed
                    set timeout=5
                    menuentry 'Start the installed system' --id installed {
                        if [ "${grub_platform}" = efi ]; then
                            # Not through shim: a shim does not start another one under Secure Boot. GRUB is the same, and checks what it loads.
                            set root=${cairn_disk},gpt2
                            set prefix=(${root})/EFI/debian
                            configfile ${prefix}/grub.cfg
                        else
                            set root=${cairn_disk}
                            chainloader +1
                        fi
                    }
                fi
            fi
            if [ "${grub_platform}" = efi ]; then
                menuentry 'Firmware settings' --id firmware {
                    fwsetup
                }
            fi
        "##]]
        .assert_eq(&plan.configuration().unwrap());
        for volume_id in ["", "cairn", "A B", &"A".repeat(33)] {
            assert!(
                matches!(check_volume_id(volume_id), Err(ImageError::InvalidVolumeId(_))),
                "{volume_id}"
            );
        }
    }

    #[test]
    fn customization_sets_options_for_every_entry() {
        let options = ["cairn.auto".to_owned(), "a=1 b=2".to_owned()];
        assert_eq!(
            customization(b"x", &options, 1).unwrap(),
            "# Written by cairn iso customize.\nset timeout=1\nset cairn_options='cairn.auto a=1 b=2'\nset cairn_installed=2d711642b726b044\n"
        );
        assert_eq!(installed_marker(b"x"), "loader/cairn-installed-2d711642b726b044");
        for refused in ["a='x'", "a=\"x y\"", "a\nb"] {
            assert!(customization(b"", &[refused.to_owned()], 1).is_err(), "{refused}");
        }
    }

    #[test]
    fn digests_cover_both_trees_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let tree = Root::create(directory.path().join("tree")).unwrap();
        let extra = Root::create(directory.path().join("extra")).unwrap();
        tree.mkdir_all("boot/grub", 0o755).unwrap();
        extra.mkdir_all("Packages", 0o755).unwrap();
        tree.write("boot/vmlinuz", b"k", 0o644).unwrap();
        tree.write("boot/grub/eltorito.img", b"x", 0o644).unwrap();
        extra.write("Packages/a.rpm", b"a", 0o644).unwrap();
        write_digests(&tree, Some(&extra)).unwrap();
        let text = tree.read_to_string("SHA256SUMS").unwrap();
        let names: Vec<&str> = text.lines().map(|line| &line[66..]).collect();
        assert_eq!(names, ["Packages/a.rpm", "boot/vmlinuz"]);
    }
}
