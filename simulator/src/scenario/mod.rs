//! Scenarios: a day, a fleet, a provider and what goes wrong, in one TOML file.

mod schema;
mod time_of_day;

pub use schema::{
    Account, ArrivalProcess, Arrivals, Crashes, Database, Day, Errors, Fleet, Kill, Latency, Llm, LogNormal,
    MessengerFaults, Model, Outage, OutageKind, Render, Scenario, Users,
};
pub use time_of_day::{DayWindow, DayWindowError, TimeOfDay, TimeOfDayError};
