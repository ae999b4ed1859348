// SPDX-License-Identifier: MIT OR Apache-2.0
//! Has the linker make the program smaller: relative relocations packed (glibc 2.36 and later read them) and, where it is the linker
//! that comes with Rust, functions with the same code kept once.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    // Rust brings its own linker for this target only (nothing is built for another one); others may not know the option.
    if cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")) {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}
