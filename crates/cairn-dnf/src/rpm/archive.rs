// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm2cpio` and `rpm2archive`: the files of a package as an archive.
//!
//! As in rpm, package by package: `-` or no argument reads standard input and writes standard output; `rpm2archive` makes a
//! compressed tar archive, beside the package where standard output is a terminal; `rpm2cpio` always writes to standard output,
//! uncompressed.

use super::query::os_text;
use crate::failure::{CommandResult, Failure, complain};
use cairn_rpm::header::{FileEntry, mode};
use cairn_rpm::package::Package;
use cairn_rpm::payload::PayloadReader;
use cairn_ui::{Printer, exit};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal as _, Read, Write};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Tar,
    Cpio,
}

/// Runs one of the two programs.
pub fn run(name: &str, arguments: &[String], printer: &Printer) -> CommandResult {
    let is_cpio = name == "rpm2cpio";
    let mut form = if is_cpio { Form::Cpio } else { Form::Tar };
    let mut compress = !is_cpio;
    let mut paths = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-n" | "--nocompression" => compress = false,
            "-f" | "--format" => form = parse_form(name, rest.next())?,
            "--help" | "-?" | "--usage" => {
                printer.raw(&format!(
                    "Usage: {name} [OPTIONS]* <FILES>\n\
                     \x20 -n, --nocompression     create uncompressed archive\n\
                     \x20 -f, --format=STRING     archive format (pax|cpio)\n"
                ));
                return Ok(exit::SUCCESS);
            }
            other => match other.strip_prefix("--format=") {
                Some(value) => form = parse_form(name, Some(&value.to_owned()))?,
                None if other.len() > 1 && other.starts_with('-') => {
                    return Err(usage(name, &format!("{other}: unknown option")));
                }
                None => paths.push(other.to_owned()),
            },
        }
    }
    if paths.is_empty() {
        paths.push("-".to_owned());
    }
    for path in &paths {
        if let Err(message) = convert(path, form, compress, is_cpio) {
            // In rpm, too, one program does both.
            complain(&format!("rpm2archive: {path}: {message}"));
            return Ok(exit::FAILURE);
        }
    }
    Ok(exit::SUCCESS)
}

fn usage(name: &str, message: &str) -> Failure {
    Failure::lines(vec![format!("{name}: {message}")])
}

fn parse_form(name: &str, value: Option<&String>) -> Result<Form, Failure> {
    match value.map(String::as_str) {
        Some("pax") => Ok(Form::Tar),
        Some("cpio") => Ok(Form::Cpio),
        Some(other) => Err(usage(name, &format!("unknown archive format {other}"))),
        None => Err(usage(name, "--format: missing argument")),
    }
}

fn convert(path: &str, form: Form, compress: bool, to_output: bool) -> Result<(), String> {
    let text = |error: io::Error| os_text(&error);
    let input: Box<dyn Read> =
        if path == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(text)?) };
    let mut reader = BufReader::new(input);
    let chain = |error: &dyn std::error::Error| cairn_pkg::repos::error::chain(error);
    let package = Package::parse(&mut reader).map_err(|error| chain(&error))?;
    let files = package.header.files();
    let payload = package.payload(reader).map_err(|error| chain(&error))?;
    let is_terminal = io::stdout().is_terminal();
    let is_standard = path == "-" || to_output || !is_terminal;
    let output: Box<dyn Write> = if is_standard {
        if is_terminal {
            return Err("refusing to output archive data to a terminal".to_owned());
        }
        Box::new(io::stdout())
    } else {
        let end = match (form, compress) {
            (Form::Tar, true) => "tgz",
            (Form::Tar, false) => "tar",
            (Form::Cpio, true) => "cpio.gz",
            (Form::Cpio, false) => "cpio",
        };
        Box::new(File::create(format!("{path}.{end}")).map_err(text)?)
    };
    let mut output = BufWriter::new(output);
    if compress {
        let mut encoder = GzEncoder::new(&mut output, Compression::default());
        write(form, &files, payload, &mut encoder)?;
        encoder.finish().map_err(text)?;
    } else {
        let mut counted = Counted { inner: &mut output, count: 0 };
        write(form, &files, payload, &mut counted)?;
        if is_standard {
            // As libarchive, which rpm writes with, does there.
            let missing = counted.count.next_multiple_of(BLOCK) - counted.count;
            io::copy(&mut io::repeat(0).take(missing), &mut output).map_err(text)?;
        }
    }
    output.flush().map_err(text)
}

/// Size in bytes that the length of an archive is a multiple of.
const BLOCK: u64 = 10240;

/// Counts what is written.
struct Counted<W> {
    inner: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn write<R: Read>(
    form: Form,
    files: &[FileEntry],
    payload: PayloadReader<R>,
    output: &mut impl Write,
) -> Result<(), String> {
    match form {
        Form::Tar => tar(files, payload, output),
        Form::Cpio => cpio(files, payload, output),
    }
}

fn tar<R: Read>(
    files: &[FileEntry],
    mut payload: PayloadReader<R>,
    output: &mut impl Write,
) -> Result<(), String> {
    let mut archive = tar::Builder::new(output);
    let text = |error: io::Error| error.to_string();
    while let Some(mut entry) = payload.next_entry().map_err(|error| error.to_string())? {
        let file = &files[entry.file_index];
        let links = entry.hard_links.clone();
        // The data comes with one member of a set; the others follow it as links.
        if !links.is_empty() && entry.size != file.size {
            continue;
        }
        let mut header = tar_header(file)?;
        header.set_size(if file.is_regular() { entry.size } else { 0 });
        let name = member(file);
        if file.is_symlink() {
            link_to(&mut archive, &mut header, &file.link_target).map_err(text)?;
            append(&mut archive, &mut header, &name, io::empty()).map_err(text)?;
        } else {
            append(&mut archive, &mut header, &name, &mut entry).map_err(text)?;
            for other in links.iter().filter(|other| files[**other].path != file.path) {
                let mut header = tar_header(&files[*other])?;
                header.set_entry_type(tar::EntryType::Link);
                header.set_size(0);
                let other = member(&files[*other]);
                link_to(&mut archive, &mut header, &name).map_err(text)?;
                append(&mut archive, &mut header, &other, io::empty()).map_err(text)?;
            }
        }
    }
    archive.finish().map_err(text)
}

/// Longest name that a header of a tar archive holds.
const SHORT_NAME: usize = 100;

/// Appends a member under its name as it is; the library would take `./` from it.
fn append(
    archive: &mut tar::Builder<impl Write>,
    header: &mut tar::Header,
    name: &str,
    content: impl Read,
) -> io::Result<()> {
    let short = shortened(archive, tar::EntryType::GNULongName, name)?;
    let field = &mut header.as_old_mut().name;
    field.fill(0);
    field[..short.len()].copy_from_slice(short);
    header.set_cksum();
    archive.append(header, content)
}

/// Makes a member a link.
fn link_to(
    archive: &mut tar::Builder<impl Write>,
    header: &mut tar::Header,
    target: &str,
) -> io::Result<()> {
    let short = shortened(archive, tar::EntryType::GNULongLink, target)?;
    header.set_link_name_literal(short)
}

/// Returns what of a name fits into a header, after the whole name where it is longer.
fn shortened<'n>(
    archive: &mut tar::Builder<impl Write>,
    kind: tar::EntryType,
    name: &'n str,
) -> io::Result<&'n [u8]> {
    let bytes = name.as_bytes();
    if bytes.len() <= SHORT_NAME {
        return Ok(bytes);
    }
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64 + 1);
    let field = &mut header.as_old_mut().name;
    field[..LONG_NAME.len()].copy_from_slice(LONG_NAME);
    header.set_cksum();
    archive.append(&header, bytes.chain(&[0][..]))?;
    Ok(&bytes[..SHORT_NAME])
}

/// The name of a member that holds the next one's name.
const LONG_NAME: &[u8] = b"././@LongLink";

/// The name in the archive; files of source packages have relative paths.
fn member(file: &FileEntry) -> String {
    let end = if file.is_directory() { "/" } else { "" };
    format!("./{}{end}", file.path.trim_matches('/'))
}

fn tar_header(file: &FileEntry) -> Result<tar::Header, String> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(match file.kind() {
        mode::DIRECTORY => tar::EntryType::Directory,
        mode::SYMLINK => tar::EntryType::Symlink,
        mode::CHARACTER => tar::EntryType::Char,
        mode::BLOCK => tar::EntryType::Block,
        mode::FIFO => tar::EntryType::Fifo,
        _ => tar::EntryType::Regular,
    });
    header.set_mode(u32::from(file.mode & 0o7777));
    header.set_mtime(u64::from(file.mtime));
    header.set_username(&file.user).map_err(|error| error.to_string())?;
    header.set_groupname(&file.group).map_err(|error| error.to_string())?;
    header.set_uid(0);
    header.set_gid(0);
    if matches!(file.kind(), mode::CHARACTER | mode::BLOCK) {
        let set = header
            .set_device_major(u32::from(file.rdev >> 8))
            .and_then(|()| header.set_device_minor(u32::from(file.rdev & 0xff)));
        set.map_err(|error| error.to_string())?;
    }
    Ok(header)
}

fn cpio<R: Read>(
    files: &[FileEntry],
    mut payload: PayloadReader<R>,
    output: &mut impl Write,
) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    while let Some(mut entry) = payload.next_entry().map_err(|error| error.to_string())? {
        let file = &files[entry.file_index];
        let size = if file.is_symlink() { file.link_target.len() as u64 } else { entry.size };
        let name = member(file);
        cpio_header(file, entry.file_index, size, name.trim_end_matches('/'), output)
            .map_err(text)?;
        if file.is_symlink() {
            output.write_all(file.link_target.as_bytes()).map_err(text)?;
        } else {
            io::copy(&mut entry, output).map_err(text)?;
        }
        pad(size, output).map_err(text)?;
    }
    let end = FileEntry { nlink: 1, ..FileEntry::default() };
    cpio_header(&end, 0, 0, "TRAILER!!!", output).map_err(text)
}

/// Writes an entry of the format that `cpio -H newc` writes.
fn cpio_header(
    file: &FileEntry,
    index: usize,
    size: u64,
    name: &str,
    output: &mut impl Write,
) -> io::Result<()> {
    let inode = if file.inode == 0 { index as u64 } else { u64::from(file.inode) };
    let (major, minor) = (u64::from(file.rdev >> 8), u64::from(file.rdev & 0xff));
    let length = name.len() as u64 + 1;
    let (nlink, mtime) = (u64::from(file.nlink), u64::from(file.mtime));
    let fields =
        [inode, u64::from(file.mode), 0, 0, nlink, mtime, size, 0, 0, major, minor, length, 0];
    let mut header = String::from("070701");
    fields.iter().for_each(|field| header.push_str(&format!("{field:08x}")));
    output.write_all(header.as_bytes())?;
    output.write_all(name.as_bytes())?;
    output.write_all(&[0])?;
    pad(header.len() as u64 + length, output)
}

fn pad(length: u64, output: &mut impl Write) -> io::Result<()> {
    let missing = length.next_multiple_of(4) - length;
    output.write_all(&[0; 3][..missing as usize])
}
