//! Pages for people: each is one file that fetches nothing, reads well on a phone, in the dark and on paper.

mod campaign;
mod charts;
mod page;
mod run;
mod svg;
mod tables;

pub use campaign::{campaign_page, comparison_page, sweep_page, what_if_page};
pub use run::run_page;
