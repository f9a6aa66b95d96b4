//! The outbox.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{
    id::{NoticeId, OrderId, WorkerId},
    notice::{Audience, Notice},
    time::Timestamp,
};
use ports::{ErrorKind, Outbox, OutboxClaim, OutboxMessage, PortError};

use super::{MemStores, world::World};

/// A message with what the outbox knows about it.
#[derive(Debug, Clone)]
pub(super) struct OutboxRow {
    pub(super) notice: Notice,
    pub(super) due_at: Timestamp,
    pub(super) failures: u32,
    pub(super) lease: i64,
}

/// Messages of one order to one audience go out one after the other.
type Line = (OrderId, bool);

fn line(notice: &Notice) -> Line {
    (notice.order, notice.audience == Audience::Operator)
}

impl World {
    /// The waiting row behind a claimed message, if the claim still holds.
    fn claimed(&mut self, message: &OutboxMessage) -> Result<(u64, &mut OutboxRow), PortError> {
        let lost =
            || PortError::new(ErrorKind::Conflict, "the message was claimed by somebody else meanwhile");
        let id = u64::try_from(message.id.value()).map_err(|_| lost())?;
        if !self.outbox_waiting.contains(&id) {
            return Err(lost());
        }
        let row = self.outbox.get_mut(&id).filter(|row| row.lease == message.lease).ok_or_else(lost)?;
        Ok((id, row))
    }
}

#[async_trait]
impl Outbox for MemStores {
    async fn claim_due(
        &self,
        _worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<OutboxClaim, PortError> {
        let mut world = self.lock();
        let world = &mut *world;
        let mut claim = OutboxClaim::default();
        let mut lines: BTreeSet<Line> = BTreeSet::new();
        for id in &world.outbox_waiting {
            if claim.messages.len() == limit as usize {
                break;
            }
            let Some(row) = world.outbox.get_mut(id) else { continue };
            // Only the first of a line may go; the others wait behind it.
            let heads_line = lines.insert(line(&row.notice));
            if row.due_at > now {
                claim.next_due_at = Some(claim.next_due_at.map_or(row.due_at, |at| at.min(row.due_at)));
            } else if heads_line {
                row.due_at = lease_until;
                row.lease += 1;
                claim.messages.push(OutboxMessage {
                    id: NoticeId::new(u128::from(*id)),
                    notice: row.notice.clone(),
                    failures: row.failures,
                    lease: row.lease,
                    is_followed: false,
                });
            }
        }
        for message in &mut claim.messages {
            let (id, line_of) = (message.id.value(), line(&message.notice));
            let behind = world.outbox_waiting.iter().filter(|waiting| u128::from(**waiting) > id);
            let mut rows = behind.filter_map(|id| world.outbox.get(id));
            message.is_followed = rows.any(|row| line(&row.notice) == line_of);
        }
        if claim.messages.len() == limit as usize {
            claim.next_due_at = None;
        } else if !claim.messages.is_empty() {
            claim.next_due_at = Some(claim.next_due_at.map_or(lease_until, |at| at.min(lease_until)));
        }
        Ok(claim)
    }

    async fn sent(&self, message: &OutboxMessage, _now: Timestamp) -> Result<(), PortError> {
        let mut world = self.lock();
        let (id, _) = world.claimed(message)?;
        world.outbox_waiting.remove(&id);
        world.outbox.remove(&id);
        Ok(())
    }

    async fn postpone(&self, message: &OutboxMessage, at: Timestamp, _why: &str) -> Result<(), PortError> {
        let mut world = self.lock();
        let (_, row) = world.claimed(message)?;
        row.due_at = at;
        row.failures += 1;
        Ok(())
    }

    async fn give_up(&self, message: &OutboxMessage, now: Timestamp, _why: &str) -> Result<(), PortError> {
        self.sent(message, now).await
    }
}
