//! An order's way to its video, as users and operators see it.

mod command_line;
mod killed;
mod models;
pub(crate) mod process;
mod trials;
