//! Scenarios: a day, a fleet, a provider and what goes wrong, in one TOML file.

mod arrivals;
mod calendar;
mod distribution;
mod rate;
mod schema;
mod time_of_day;

pub use arrivals::{Arrival, Arrivals};
pub use calendar::{Calendar, CalendarError, NamedWindow};
pub use distribution::RenderTimes;
pub use schema::{
    Account, ArrivalProcess, Arrivals as ArrivalsPlan, Crashes, Database, Day, Errors, Fleet, Kill, Latency,
    Llm, LogNormal, MessengerFaults, Model, Outage, OutageKind, Render, Scenario, Users,
};
pub use time_of_day::{DayWindow, DayWindowError, TimeOfDay, TimeOfDayError};
