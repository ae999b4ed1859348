// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what a person types to the solver's jobs, and from its solution to a plan.
//!
//! | module | is |
//! |---|---|
//! | [`request`] | arguments of `install`, `remove`, `upgrade`… → jobs, messages and problems |
//! | [`groups`] | comps groups and environments |
//! | [`group_request`] | `@group`, `group` and `environment` → jobs and changes of groups |
//! | [`plan`] | solution → [`Plan`], the value that is shown, confirmed and carried out |

pub mod capability_request;
pub mod group_request;
pub mod groups;
pub mod plan;
pub mod request;

pub use group_request::GroupPackages;
pub use groups::{GroupChange, GroupSet};
pub use plan::{Plan, PlanAction, PlanItem};
pub use request::{Problem, Request, Settings};
