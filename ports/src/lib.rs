//! The traits Kadr's use cases need from the outside world.
//!
//! Each file is one port. A method is one domain step and one transaction; time is always an argument, so that
//! no implementation has a clock of its own. The laws an implementation is tested by stand in the trait's
//! documentation; the contract suite in `tests/it/contract` runs them on every implementation.
//!
//! Feature `mock` derives a `Mock…` of every port with mockall.

pub mod bot;
mod clock;
mod entropy;
mod error;
mod job_store;
mod ledger_store;
mod messenger;
mod order_store;
mod outbox;
mod photo_store;
mod photo_studio;
mod prompt_writer;
mod video_api;
mod work_signal;

pub use clock::Clock;
pub use entropy::Entropy;
pub use error::{ErrorKind, PortError};
pub use job_store::{
    Adoption, AfterStep, AttemptRecord, Census, Claim, Hastening, JobFilter, JobRecord, JobStore, KeyRoster,
    Lease, LeaseTerms, LeasedJob, RosterKey,
};
pub use ledger_store::{AuditFinding, AuditReport, LedgerStore, Posting};
pub use messenger::{Messenger, OrderText, TextRole, VideoMessage};
pub use order_store::{OrderStore, Placed};
pub use outbox::{Outbox, OutboxClaim, OutboxMessage};
pub use photo_store::{Photo, PhotoStore};
pub use photo_studio::{PhotoStudio, Prepared};
pub use prompt_writer::PromptWriter;
pub use video_api::{CALLBACK_PATH, ProviderRefusal, RenderStatus, Reply, VideoApi, VideoRequest};
pub use work_signal::{Topic, WorkSignal};

#[cfg(feature = "mock")]
pub use self::{
    clock::MockClock, entropy::MockEntropy, job_store::MockJobStore, ledger_store::MockLedgerStore,
    messenger::MockMessenger, order_store::MockOrderStore, outbox::MockOutbox, photo_store::MockPhotoStore,
    photo_studio::MockPhotoStudio, prompt_writer::MockPromptWriter, video_api::MockVideoApi,
    work_signal::MockWorkSignal,
};
