//! The users of a simulated day: they order, tap twice, run out of credits, grow impatient, change their minds.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{
    Policy, Ports,
    services::{
        account,
        cancel_job::cancel_job,
        place_order::{NewOrder, OrderPlaced, PlaceOrderError, place_order},
    },
};
use bytes::Bytes;
use domain::{
    id::{ConfirmationId, JobId, UserId},
    money::Credits,
    prompt::{Brief, Template},
};
use rustc_hash::FxHashMap;
use tokio::task::JoinSet;

use crate::{
    provider::kie_model::ARTICLE,
    sample,
    scenario::{Arrival, ArrivalStream, Users as Habits},
    time::luck,
    trace::{Injected, Kind, Site},
    world::log::Log,
};

/// The first simulated user's id.
const FIRST_USER: i64 = 700_000_000;
/// The first of those who try without credits.
const FIRST_BROKE: i64 = 900_000_000;
/// Credits a user buys at once.
const PACK: u8 = 20;
/// How long a user waits before tapping again on a button that answered with an error, and how often.
const TAP_AGAIN: Duration = Duration::from_secs(3);
const TAPS_MAX: u32 = 10;

/// All users.
pub(super) struct Users {
    pub(super) ports: Ports,
    pub(super) policy: Arc<Policy>,
    pub(super) habits: Habits,
    pub(super) log: Log,
    pub(super) seed: u64,
    /// What each user is sure to have, and the packs bought so far.
    pub(super) purses: Mutex<FxHashMap<i64, Purse>>,
}

/// What a user is sure to have left; credits that came back are not counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Purse {
    credits: i64,
    packs: u32,
}

impl Users {
    /// Has everybody order; returns when the last of them is through with everything they do.
    pub(super) async fn live(self: Arc<Self>, arrivals: ArrivalStream) {
        let mut busy = JoinSet::new();
        for arrival in arrivals {
            self.ports.clock.sleep_until(arrival.at).await;
            busy.spawn(Arc::clone(&self).arrive(arrival));
            while busy.try_join_next().is_some() {}
        }
        while busy.join_next().await.is_some() {}
    }

    fn draw(&self, what: &str, number: u32) -> f64 {
        luck(self.seed, what, &[u64::from(number)])
    }

    async fn pause(&self, seconds: f64) {
        let clock = &self.ports.clock;
        clock.sleep_until(clock.now().after(Duration::from_secs_f64(seconds))).await;
    }

    fn told(&self, fault: Injected) {
        self.log.tell(Kind::Fault { site: Site::User, fault, job: None });
    }

    async fn arrive(self: Arc<Self>, arrival: Arrival) {
        let Some(order) = self.order_of(&arrival) else { return };
        let number = arrival.number;
        if order.user.value() < FIRST_BROKE {
            self.fill_purse(order.user, i64::from(arrival.quantity.videos())).await;
        } else {
            self.told(Injected::NoCredits);
        }
        let mut busy = JoinSet::new();
        if self.draw("double tap", number) < self.habits.double_tap {
            let (users, order, gap) = (Arc::clone(&self), order.clone(), self.draw("tap gap", number));
            busy.spawn(async move {
                users.pause(0.2 + gap).await;
                users.told(Injected::DoubleTap);
                users.place(&order).await;
            });
        }
        let jobs = self.place(&order).await;
        if self.draw("repeated order", number) < self.habits.repeated_order {
            let users = Arc::clone(&self);
            busy.spawn(async move { users.order_again(order, &arrival).await });
        }
        for (place, job) in jobs.into_iter().enumerate() {
            let draw = luck(self.seed, "cancel", &[u64::from(number), place as u64]);
            if draw < self.habits.cancel {
                let users = Arc::clone(&self);
                busy.spawn(async move { users.cancel(job, draw / users.habits.cancel).await });
            }
        }
        while busy.join_next().await.is_some() {}
    }

    /// What an arrival orders; `None` never happens with checked scenarios.
    fn order_of(&self, arrival: &Arrival) -> Option<NewOrder> {
        let number = arrival.number;
        let broke = self.draw("no credits", number) < self.habits.no_credits;
        let id = if broke {
            FIRST_BROKE + i64::from(number)
        } else {
            let count = f64::from(self.habits.count.max(1));
            #[expect(clippy::cast_possible_truncation, reason = "the count of users is far below 2^53")]
            let place = (self.draw("user", number) * count) as i64;
            FIRST_USER + place
        };
        let article = format!("{ARTICLE}{number:06}");
        let brief = match arrival.template {
            Template::OwnPrompt => {
                format!("The steel travel mug ({article}) stands on a wooden table, steam rises.")
            }
            Template::UgcBlogger | Template::AdVideo => {
                format!(
                    "Термокружка, 450 мл, матовая сталь, {article}. Для походов: держит тепло восемь часов."
                )
            }
        };
        Some(NewOrder {
            user: UserId::new(id),
            confirmation: ConfirmationId::new(format!("tap:{number}")).ok(),
            photo: Bytes::from_static(sample::SMALL_PHOTO),
            template: arrival.template,
            brief: Brief::new(&brief).ok()?,
            wishes: None,
            quantity: arrival.quantity,
            model: None,
        })
    }

    /// Buys credits if the user may not have enough for an order of this price.
    async fn fill_purse(&self, user: UserId, price: i64) {
        let pack = {
            let mut purses = self.purses.lock().unwrap_or_else(PoisonError::into_inner);
            let purse = purses.entry(user.value()).or_default();
            purse.credits -= price;
            (purse.credits < 0).then(|| {
                purse.credits += i64::from(PACK);
                purse.packs += 1;
                purse.packs
            })
        };
        let Some(pack) = pack else { return };
        let reference = format!("pack {pack} of {}", user.value());
        for _ in 0..TAPS_MAX {
            if account::grant(&self.ports, user, Credits::of(PACK), Some(&reference)).await.is_ok() {
                return;
            }
            self.pause(TAP_AGAIN.as_secs_f64()).await;
        }
    }

    /// Confirms an order, again when the button answers with an error; returns its jobs if this tap placed it.
    async fn place(&self, order: &NewOrder) -> Vec<JobId> {
        let _tapping = order.confirmation.as_ref().map(|tap| self.log.tapping(tap.as_str()));
        for _ in 0..TAPS_MAX {
            match place_order(&self.ports, &self.policy, order.clone()).await {
                Ok(OrderPlaced::Placed { jobs, .. }) => return jobs,
                Err(PlaceOrderError::Store(_)) => self.pause(TAP_AGAIN.as_secs_f64()).await,
                Err(PlaceOrderError::InsufficientCredits { user, needed, available }) => {
                    let (needed, available) = (needed.value(), available.value());
                    self.log.tell(Kind::Refused { user, needed, available });
                    return Vec::new();
                }
                Ok(OrderPlaced::Duplicate { .. }) | Err(_) => return Vec::new(),
            }
        }
        Vec::new()
    }

    /// Orders the same a second time some seconds later, as if the first had been lost.
    async fn order_again(&self, first: NewOrder, arrival: &Arrival) {
        self.pause(5.0 + 40.0 * self.draw("repeated order gap", arrival.number)).await;
        self.told(Injected::RepeatedOrder);
        let confirmation = ConfirmationId::new(format!("tap again:{}", arrival.number)).ok();
        self.fill_purse(first.user, i64::from(arrival.quantity.videos())).await;
        self.place(&NewOrder { confirmation, ..first }).await;
    }

    /// Changes their mind about one video. `draw` is uniform in `0.0..1.0`.
    async fn cancel(&self, job: JobId, draw: f64) {
        self.pause(-(1.0 - draw).ln() * self.habits.cancel_after_s).await;
        let number = self.log.job(job);
        let granted = match cancel_job(&self.ports, &self.policy, job).await {
            Ok(_) => true,
            Err(error) if error.kind() == ports::ErrorKind::Rejected => false,
            // Nobody knows; the job's own events tell.
            Err(_) => return,
        };
        if let Some(job) = number {
            self.log.tell(Kind::CancelAsked { job, granted });
        }
    }
}
