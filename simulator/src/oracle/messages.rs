//! Messages: written with a step, sent at least once, closed once, in order.

use domain::{job::Step, notice::Audience};

use super::{
    jobs::{Said, Stage, mark},
    print,
    roll::Place,
    tally::{Law, Scene},
    watch::Oracle,
};
use crate::trace::{JobNo, Kind, OrderNo, SendEnd};

impl Oracle {
    /// Puts a stored step's messages in line.
    pub(super) fn write_notices(&mut self, scene: Scene, order: OrderNo, step: &Step) {
        let Some(open) = self.orders.get_mut(order.0) else { return };
        for notice in &step.notices {
            let job = notice.video.map(|(number, _)| {
                JobNo(open.first_job.0.saturating_add(u32::from(number).saturating_sub(1)))
            });
            let is_for_us = match notice.audience {
                Audience::User(user) => user == open.user,
                Audience::Operator => true,
            };
            let is_right = is_for_us && job == scene.job && notice.order == step.job.order;
            self.tally.hold(scene, Law::MessagesInOrder, is_right, || {
                format!("{:?} is for {:?} about job {job:?}", notice.kind, notice.audience)
            });
            let print = print::of_notice(&notice.kind);
            open.line(notice.audience).open.push_back(Said { job, print });
            self.open_messages += 1;
        }
    }

    pub(super) fn notice_closed(&mut self, scene: Scene, order: OrderNo, kind: &Kind<'_>) {
        let Kind::NoticeClosed { job, audience, notice, given_up, .. } = *kind else { return };
        let scene = Scene { job, ..scene };
        if !self.is_placed(scene, order, "a message was closed") {
            return;
        }
        let closed = Said { job, print: print::of_notice(notice) };
        let open = self.orders.get_mut(order.0);
        let line = open.map(|open| open.line(audience));
        let place = line.as_ref().and_then(|line| line.open.iter().position(|said| *said == closed));
        self.tally.hold(scene, Law::MessagesInOrder, place == Some(0), || match place {
            Some(place) => format!("{notice:?} was closed before {place} messages that were written earlier"),
            None => format!("{notice:?} was closed, and is not open"),
        });
        if let (Some(line), Some(place)) = (line, place) {
            let is_out = given_up || place != 0 || line.confirmed_at.is_some();
            self.tally.hold(scene, Law::MessagesInOrder, is_out, || {
                format!("{notice:?} counts as sent, and the messenger never confirmed it")
            });
            line.open.remove(place);
            if place == 0 {
                line.confirmed_at = None;
            }
            self.open_messages -= 1;
        }
        self.close_order(order);
    }

    pub(super) fn text_sent(&mut self, scene: Scene, order: OrderNo, audience: Audience, end: SendEnd) {
        if !self.is_placed(scene, order, "a text was sent") {
            return;
        }
        let open = self.orders.get_mut(order.0);
        let line = open.map(|open| open.line(audience)).filter(|line| !line.open.is_empty());
        // A sending is cut off after two thirds of its claim, so the next claim's lies a third later at least.
        let least = self.setup.lease.lease / 3;
        let (is_right, why) = match &line {
            None => (false, "nothing was to be said".to_owned()),
            Some(line) => match line.confirmed_at {
                Some(before) if scene.at.since(before) < least => {
                    (false, format!("it was confirmed {} ms before", scene.at.since(before).as_millis()))
                }
                _ => (true, String::new()),
            },
        };
        self.tally.hold(scene, Law::NoMessageTwice, is_right, || format!("a text to {audience:?}: {why}"));
        if let (Some(line), SendEnd::Sent) = (line, end) {
            line.confirmed_at = Some(scene.at);
        }
    }

    pub(super) fn video_sent(&mut self, scene: Scene, job: JobNo, end: SendEnd, arrived: bool) {
        let place = self.jobs.place(job.0);
        let live = self.jobs.get_mut(job.0);
        // A worker that lost the job may still be handing its video over.
        let is_made = match (&live, place) {
            (Some(live), _) => live.stage == Stage::Delivering,
            (None, Place::Over(mark)) => matches!(mark, mark::DONE | mark::REFUNDED_LATE),
            (None, _) => false,
        };
        self.tally.hold(scene, Law::NoPrematureMessage, is_made, || {
            format!("a video was sent of a job that is {:?}", live.as_ref().map(|live| live.stage))
        });
        if let Some(live) = live {
            live.arrived |= arrived;
            live.confirmed_in_hold |= arrived && end == SendEnd::Sent;
            live.hears(scene.at);
        } else if arrived && place == Place::Over(mark::REFUNDED_LATE) {
            self.tally.note("arrived_although_refunded");
        }
    }

    fn is_placed(&mut self, scene: Scene, order: OrderNo, what: &str) -> bool {
        let is_known = self.orders.place(order.0) != Place::Unknown;
        self.tally.hold(scene, Law::NoPrematureMessage, is_known, || {
            format!("{what} about order {}, which is not placed", order.0)
        });
        is_known
    }

    /// Forgets an order of which nothing is open.
    pub(super) fn close_order(&mut self, order: OrderNo) {
        if self.orders.get(order.0).is_some_and(super::jobs::Order::is_over) {
            self.orders.close(order.0, mark::DONE);
        }
    }
}
