//! The event log: everything that is checked, counted, drawn or told of a run is derived from it.

mod digest;
mod event;
mod relay;
mod shared;
mod timeline;

pub use digest::{OutcomeDigest, TimelineDigest};
pub use event::{
    AccountNo, CallEnd, CallbackEnd, Creation, Event, Injected, JobNo, Kind, Observer, OrderNo, OutsideCall,
    ProcessNo, SendEnd, Site,
};
pub use relay::{Away, Relay};
pub use shared::Shared;
pub use timeline::{Keep, Timelines};
