//! Scenarios: a day, a fleet, a provider and what goes wrong, in one TOML file.

mod arrivals;
mod builtin;
mod calendar;
mod check;
mod distribution;
mod document;
mod error;
mod expected;
mod explain;
mod keys;
mod load;
mod nearest;
mod place;
mod rate;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod threshold;
mod time_of_day;
mod write;

pub use arrivals::{Arrival, ArrivalStream};
pub use builtin::{BUILT_IN, Builtin};
pub use calendar::{Calendar, CalendarError, NamedWindow, WINDOWS_MAX};
pub use distribution::RenderTimes;
pub use error::{Mistake, ScenarioError};
pub use expected::{Expected, Looks};
pub use explain::explain;
pub use load::Loaded;
pub use rate::OrderRate;
pub use schema::{
    Account, ArrivalProcess, Arrivals, Callbacks, Crashes, Database, Day, Errors, Fleet, Kill, Latency, Llm,
    LogNormal, MessengerFaults, Model, Outage, OutageKind, Render, Scenario, Users,
};
pub use threshold::{Aggregate, Comparison, METRICS, Metric, MetricKind, Threshold, ThresholdError};
pub use time_of_day::{DayWindow, DayWindowError, TimeOfDay, TimeOfDayError};
