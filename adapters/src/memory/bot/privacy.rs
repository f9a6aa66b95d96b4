//! Forgetting what users sent.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{
    id::{OrderId, PhotoId, UserId},
    job::{Job, State},
    prompt::Brief,
    time::Timestamp,
};
use ports::{PortError, bot::Privacy};

use crate::memory::{MemStores, world::World};

fn finished_at(job: &Job) -> Option<Timestamp> {
    match &job.state {
        State::Done { at } | State::Refunded { at, .. } | State::Cancelled { at } => Some(*at),
        _ => None,
    }
}

impl World {
    /// Orders that are not forgotten and whose jobs are all finished, with the time the last of them was.
    fn finished_orders(&self) -> Vec<(OrderId, Timestamp)> {
        let mut orders: Vec<_> =
            self.orders.values().filter(|o| !self.bot.forgotten.contains(&o.id)).collect();
        orders.sort_unstable_by_key(|order| (order.placed_at, order.id));
        let ended = |id: OrderId| {
            let jobs = self.jobs.values().filter(|row| row.job.order == id);
            jobs.map(|row| finished_at(&row.job)).try_fold(None, |last, at| Some(last.max(Some(at?))))?
        };
        orders.into_iter().filter_map(|order| Some((order.id, ended(order.id)?))).collect()
    }

    fn forget_finished(&mut self, orders: &[OrderId]) {
        for id in orders {
            if let Some(order) = self.orders.get_mut(id) {
                order.request.brief = Brief::forgotten();
                order.request.wishes = None;
            }
            if let Some(status) = self.bot.orders.get_mut(id).and_then(|row| row.status.as_mut()) {
                status.text.clear();
            }
            for row in self.jobs.values_mut().filter(|row| row.job.order == *id) {
                (row.job.prompt, row.job.photo) = (None, None);
                if let Some(video) = self.bot.videos.get_mut(&row.job.id) {
                    video.file = None;
                }
                for attempt in self.attempts_by_job.get(&row.job.id).into_iter().flatten() {
                    if let Some(attempt) = self.attempts.get_mut(attempt) {
                        attempt.record.evidence = None;
                    }
                }
            }
            self.bot.forgotten.insert(*id);
        }
    }

    /// Photos that an order which is not forgotten names.
    fn photos_in_use(&self) -> BTreeSet<PhotoId> {
        let remembered = self.orders.values().filter(|order| !self.bot.forgotten.contains(&order.id));
        remembered.map(|order| order.request.photo).collect()
    }
}

#[async_trait]
impl Privacy for MemStores {
    async fn forget_user(&self, user: UserId) -> Result<(), PortError> {
        let mut world = self.lock();
        let world = &mut *world;
        if let Some(chat) = world.bot.chats.get_mut(&user) {
            chat.dialogue.clear();
        }
        world.bot.replies.clear(user);
        for update in world.bot.parked.values_mut().filter(|update| update.chat == user) {
            update.body.clear();
        }
        let is_theirs = |id: &OrderId| world.orders.get(id).is_some_and(|order| order.request.user == user);
        let orders: Vec<_> =
            world.finished_orders().into_iter().map(|(id, _)| id).filter(is_theirs).collect();
        let of_order = |id: &OrderId| world.orders.get(id).map(|order| order.request.photo);
        let photos: Vec<_> = orders.iter().filter_map(of_order).collect();
        world.forget_finished(&orders);
        let in_use = world.photos_in_use();
        for photo in photos.iter().filter(|photo| !in_use.contains(photo)) {
            world.photos.remove(photo);
        }
        Ok(())
    }

    async fn forget_older(&self, before: Timestamp, limit: u32) -> Result<usize, PortError> {
        let mut world = self.lock();
        let world = &mut *world;
        let old =
            world.bot.parked.values_mut().filter(|update| update.at < before && !update.body.is_empty());
        old.take(limit as usize).for_each(|update| update.body.clear());
        let ended = world.finished_orders().into_iter().filter(|(_, at)| *at < before);
        let orders: Vec<_> = ended.map(|(id, _)| id).take(limit as usize).collect();
        world.forget_finished(&orders);
        let in_use = world.photos_in_use();
        let stored_at = &world.bot.photos_stored_at;
        let mut photos: Vec<_> = world
            .photos
            .keys()
            .filter_map(|id| Some((*stored_at.get(id)?, *id)))
            .filter(|(at, id)| *at < before && !in_use.contains(id))
            .collect();
        photos.sort_unstable();
        photos.truncate(limit as usize);
        for (_, id) in &photos {
            world.photos.remove(id);
            world.bot.photos_stored_at.remove(id);
        }
        Ok(orders.len() + photos.len())
    }
}
