// SPDX-License-Identifier: MIT OR Apache-2.0
//! The only door to the outside world: files below a [`Root`], programs ([`Tool`], [`Invocation`], [`Sandbox`]), scriptlets
//! ([`chroot`]), the network ([`fetch`]) and the [`Clock`].
//!
//! Nothing here knows about packages or images. Every function that touches the machine returns [`HostError`] (or
//! [`fetch::FetchError`]), which names the path, URL or command line concerned and has a `hint()`.
//! `unsafe` code lives in the private module `sys` alone.

pub mod chroot;
mod clock;
pub mod early;
mod entered;
mod error;
#[cfg(feature = "faults")]
pub mod fault;
pub mod fetch;
mod invocation;
pub mod paths;
mod root;
mod sandbox;
mod sys;
mod tool;

pub use clock::Clock;
pub use error::HostError;
pub use invocation::{Child, Input, Invocation, Output, Sink};
pub use root::{FileKind, Held, Lock, Root, Stat};
pub use sandbox::{Access, Bind, Network, Sandbox, user_namespaces_available};
pub use sys::Mapping;
pub use tool::Tool;

/// The result of everything in this crate but [`fetch`].
pub type Result<T> = std::result::Result<T, HostError>;
