// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what a person types to the solver's jobs, and from its solution to a plan.
//!
//! | module | is |
//! |---|---|
//! | [`request`] | arguments of `install`, `remove`, `upgrade`… → jobs, messages and problems |
//! | [`groups`] | comps groups and environments |
//! | [`plan`] | solution → [`Plan`], the value that is shown, confirmed and carried out |

pub mod groups;
pub mod plan;
pub mod request;

pub use groups::GroupSet;
pub use plan::{Plan, PlanAction, PlanItem};
pub use request::{Problem, Request, Settings};
