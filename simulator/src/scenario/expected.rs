//! What a scenario amounts to by arithmetic alone, before anything is simulated.

use std::{sync::LazyLock, time::Duration};

use adapters::kie::Catalogue;
use domain::{id::ModelId, model::RenderTiming, order::Quantity};

use super::{distribution::RenderTimes, rate::OrderRate, schema::Scenario, time_of_day::TimeOfDay};

/// Expected numbers of a scenario. Outages, kills and queues are left out: those are what the simulation is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Orders from the day's beginning to its end.
    pub orders: f64,
    /// Videos an order buys on average.
    pub videos_per_order: f64,
    /// The hour with the most orders.
    pub busiest_hour: TimeOfDay,
    /// Orders in that hour.
    pub busiest_orders: f64,
    /// Submissions each video needs, with the retries after temporary failures.
    pub submissions_per_video: f64,
    /// The mean time of a render, in seconds.
    pub render_s: f64,
    /// Tasks running at once in the busiest hour, if nothing had to wait: its rate times the mean render, in Erlangs.
    pub offered: f64,
    /// Tasks all accepted accounts together may run at once.
    pub slots: u64,
    /// Seconds a worker spends on each video; with the render, where workers are held during it.
    pub worker_s_per_video: f64,
    /// When renders are looked at: the catalogue's times, and the scenario's where it has its own.
    pub looks: Looks,
    /// The provider's price of one video, in its credits, where the catalogue knows it.
    pub price: Option<f64>,
}

/// When renders are looked at, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Looks {
    /// The first look after the task was accepted.
    pub first_s: f64,
    /// Between later looks, at least.
    pub every_s: f64,
    /// What renders usually take.
    pub typical_s: f64,
    /// When a render is given up.
    pub give_up_s: f64,
}

impl Looks {
    /// How often a render that takes so many seconds is looked at, as the product does it.
    fn count(&self, render_s: f64) -> u32 {
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let timing = RenderTiming {
            first_poll: time(self.first_s),
            poll_every: time(self.every_s),
            typical: time(self.typical_s),
            give_up: time(self.give_up_s),
        };
        let ends = time(render_s.min(self.give_up_s));
        let (mut at, mut looks) = (timing.next_poll_in(Duration::ZERO), 1);
        while at < ends {
            at += timing.next_poll_in(at);
            looks += 1;
        }
        looks
    }
}

impl Expected {
    /// Works the numbers out.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let (day, arrivals) = (&scenario.day, &scenario.arrivals);
        let rate = OrderRate::of(arrivals);
        let (busiest_hour, busiest_orders) = rate.busiest_hour(day.from, day.to);
        let weight = |size: Quantity| arrivals.size.get(&size.to_string()).copied().unwrap_or(0.0);
        let weights: f64 = Quantity::ALL.into_iter().map(weight).sum();
        let videos: f64 = Quantity::ALL.into_iter().map(|q| weight(q) * f64::from(q.videos())).sum();
        let videos_per_order = if weights > 0.0 { videos / weights } else { 0.0 };
        let failing = scenario.errors.temporary + scenario.errors.unknown;
        let submissions_per_video = 1.0 + failing + failing.powi(2) + failing.powi(3);
        let render_s = RenderTimes::of(&scenario.render).mean();
        let a_second = busiest_orders * videos_per_order / 3_600.0;
        let slots = scenario.accounts.iter().filter(|a| a.accepted).map(|a| u64::from(a.running_max)).sum();
        let (looks, price) = of_model(scenario);
        let mut expected = Self {
            orders: rate.orders_between(day.from, day.to),
            videos_per_order,
            busiest_hour,
            busiest_orders,
            submissions_per_video,
            render_s,
            offered: a_second * render_s * submissions_per_video,
            slots,
            worker_s_per_video: 0.0,
            looks,
            price,
        };
        expected.worker_s_per_video = expected.work(scenario);
        expected
    }

    /// Videos from the day's beginning to its end.
    #[must_use]
    pub fn videos(&self) -> f64 {
        self.orders * self.videos_per_order
    }

    /// Videos ordered in the busiest hour.
    #[must_use]
    pub fn busiest_videos(&self) -> f64 {
        self.busiest_orders * self.videos_per_order
    }

    /// Workers at work at once in the busiest hour, if nothing had to wait.
    #[must_use]
    pub fn workers_busy(&self) -> f64 {
        self.busiest_videos() / 3_600.0 * self.worker_s_per_video
    }

    fn work(&self, scenario: &Scenario) -> f64 {
        let (latency, arrivals) = (&scenario.latency, &scenario.arrivals);
        let own = arrivals.template.get("own").copied().unwrap_or(0.0);
        let all: f64 = arrivals.template.values().sum();
        // An own prompt is not written by the language model.
        let written = if all > 0.0 { 1.0 - own / all } else { 1.0 };
        let looks = f64::from(self.looks.count(self.render_s));
        let watching =
            if scenario.fleet.hold_worker_during_render { self.render_s } else { looks * latency.look_s };
        written * latency.write_s
            + latency.upload_s
            + self.submissions_per_video * (latency.create_s + watching)
            + latency.download_s
            + latency.video_s
    }
}

/// The catalogue of models, read once.
pub(super) fn catalogue() -> Option<&'static Catalogue> {
    static CATALOGUE: LazyLock<Option<Catalogue>> = LazyLock::new(|| Catalogue::builtin().ok());
    CATALOGUE.as_ref()
}

fn of_model(scenario: &Scenario) -> (Looks, Option<f64>) {
    let model = &scenario.model;
    let id = ModelId::new(&model.id).ok();
    let found = catalogue().zip(id).and_then(|(catalogue, id)| catalogue.model(&id));
    // A model nobody knows has no times of its own; such a scenario is refused when it is loaded.
    let timing =
        |of: fn(&RenderTiming) -> Duration| found.map_or(1.0, |found| of(&found.video.timing).as_secs_f64());
    let looks = Looks {
        first_s: model.first_poll_s.unwrap_or_else(|| timing(|t| t.first_poll)),
        every_s: model.poll_every_s.unwrap_or_else(|| timing(|t| t.poll_every)),
        typical_s: model.typical_s.unwrap_or_else(|| timing(|t| t.typical)),
        give_up_s: model.give_up_s.unwrap_or_else(|| timing(|t| t.give_up)),
    };
    (looks, found.and_then(|found| found.price.to_string().parse().ok()))
}
