//! A job that has not ended.

use domain::{failure::Failure, job::StateName, time::Timestamp};

use super::distribution::Group;
use crate::trace::{CallEnd, OutsideCall};

/// What is remembered of a job until it ends.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) order: u32,
    pub(super) group: Group,
    pub(super) video: u8,
    pub(super) placed_at: Timestamp,
    /// The bin of the day it was ordered in.
    pub(super) bin: usize,
    pub(super) state: StateName,
    /// When the provider first took a task for it and said so.
    pub(super) taken_at: Option<Timestamp>,
    pub(super) rendering_at: Option<Timestamp>,
    pub(super) delivering_at: Option<Timestamp>,
    pub(super) retries: u8,
    pub(super) attempts: u32,
    pub(super) delivery_failures: u8,
    /// The provider has a task for it that is not known to have failed.
    pub(super) has_task: bool,
    /// Whose task that is.
    pub(super) account: Option<u16>,
    /// The account whose line counts it as running.
    pub(super) running_on: Option<u16>,
    /// A refused upload whose step is not stored yet. No step carries its judgement.
    pub(super) upload_failed: Option<Failure>,
}

impl Live {
    pub(super) const fn new(order: u32, group: Group, video: u8, placed_at: Timestamp, bin: usize) -> Self {
        Self {
            order,
            group,
            video,
            placed_at,
            bin,
            state: StateName::Queued,
            taken_at: None,
            rendering_at: None,
            delivering_at: None,
            retries: 0,
            attempts: 0,
            delivery_failures: 0,
            has_task: false,
            account: None,
            running_on: None,
            upload_failed: None,
        }
    }

    pub(super) const fn called(&mut self, call: OutsideCall, end: CallEnd) {
        if matches!(call, OutsideCall::Upload) {
            self.upload_failed = match end {
                CallEnd::No(failure) => Some(failure),
                CallEnd::Yes | CallEnd::Unknown => None,
            };
        }
    }
}
