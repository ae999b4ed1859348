// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte-compiles the Python modules of a package with the tools tree's interpreter.
//!
//! Debian does this on the installed machine (py3compile); a package that carries its `__pycache__` starts faster at once
//! and stays verifiable. Caches are of the unchecked-hash kind (PEP 552): no time stamps, so the bytes are reproducible.

use anyhow::{Context as _, Result};
use cairn_host::{Invocation, Root, Tool};
use cairn_rpm::build::{FileKind, FileSpec, PackageSpec};

use crate::ops::build::Build;
use crate::repack::Repacked;

/// Adds `__pycache__` files to every package that asks for them.
pub fn byte_compile(build: &Build<'_>, repacked: &mut Repacked) -> Result<()> {
    for (name, files) in &repacked.byte_compile {
        if let Some(spec) = repacked.packages.iter_mut().find(|spec| spec.name == *name) {
            compile(build, spec, files).with_context(|| format!("byte-compiling {name}"))?;
        }
    }
    Ok(())
}

fn compile(build: &Build<'_>, spec: &mut PackageSpec, files: &[String]) -> Result<()> {
    let directory =
        build.ctx.cache_dir("work")?.join(format!("python-{}-{}", std::process::id(), spec.name));
    let root = Root::create(&directory)?;
    for file in &spec.files {
        if let FileKind::Regular(bytes) = &file.kind
            && files.contains(&file.path)
        {
            let rel = file.path.trim_start_matches('/');
            root.mkdir_all(rel.rsplit_once('/').map_or("", |(parent, _)| parent), 0o755)?;
            root.write(rel, bytes, 0o644)?;
        }
    }
    let sandbox = build.tools.clone().bind(&directory, "/work");
    // `-s /work` strips the build directory from the recorded source paths, `-p /` puts the root before them.
    sandbox.run(&Invocation::new(Tool::Python3).args([
        "-m",
        "compileall",
        "-q",
        "-s",
        "/work",
        "-p",
        "/",
        "--invalidation-mode",
        "unchecked-hash",
        "/work",
    ]))?;
    add_caches(&root, spec, files)?;
    std::fs::remove_dir_all(&directory).with_context(|| format!("removing {}", directory.display()))
}

fn add_caches(root: &Root, spec: &mut PackageSpec, files: &[String]) -> Result<()> {
    let mut added: Vec<FileSpec> = Vec::new();
    for path in files {
        let Some((parent, name)) = path.rsplit_once('/') else { continue };
        let cache = format!("{parent}/__pycache__");
        let stem = name.trim_end_matches(".py");
        let rel = cache.trim_start_matches('/');
        if !root.exists(rel)? {
            continue;
        }
        let Some(source) = spec.files.iter().find(|file| file.path == *path).cloned() else {
            continue;
        };
        if !added.iter().any(|file| file.path == cache) {
            added.push(FileSpec {
                path: cache.clone(),
                kind: FileKind::Directory,
                mode: 0o755,
                ..source.clone()
            });
        }
        for compiled in root.read_dir(rel)? {
            if compiled.starts_with(&format!("{stem}.cpython-")) {
                let bytes = root.read(format!("{rel}/{compiled}"))?;
                added.push(FileSpec {
                    path: format!("{cache}/{compiled}"),
                    kind: FileKind::Regular(bytes),
                    mode: 0o644,
                    ..source.clone()
                });
            }
        }
    }
    spec.files.extend(added);
    spec.files.sort_by(|a, b| a.path.cmp(&b.path));
    spec.files.dedup_by(|a, b| a.path == b.path);
    Ok(())
}
