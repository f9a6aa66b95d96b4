//! What commands run days on.

use crate::{
    cli::search::Bench,
    day::Mode,
    scenario::Scenario,
    search::{
        Runner,
        days::{ModelDays, WireDays},
    },
};

/// Scenarios by name or file, days in memory or over the wire.
pub(super) struct Workbench;

impl Bench for Workbench {
    fn scenario(&self, name: &str) -> Result<Scenario, String> {
        Scenario::load(name).map(|loaded| loaded.scenario).map_err(|error| error.to_string())
    }

    fn runner(&self, mode: Mode) -> Result<Box<dyn Runner + '_>, String> {
        Ok(match mode {
            Mode::Model => Box::new(ModelDays),
            Mode::Wire => Box::new(WireDays::start()?),
        })
    }
}
