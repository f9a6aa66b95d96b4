//! Orders as they come, one after the other.

use std::time::Duration;

use domain::{order::Quantity, prompt::Template, time::Timestamp};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use rand_distr::{Distribution, Exp1};

use super::{
    calendar::{Calendar, CalendarError},
    rate::OrderRate,
    schema::{ArrivalProcess, Scenario},
};
use crate::time::{chance_of, generator};

/// An order that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The how many-th of the day, from 0.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// How many videos.
    pub quantity: Quantity,
    /// How they are written.
    pub template: Template,
}

/// The orders of a day in the order of their times; each is drawn when it is asked for.
///
/// Times, sizes and templates have streams of their own under the seed, so that a scenario with other sizes has its
/// orders at the same instants.
#[derive(Debug, Clone)]
pub struct ArrivalStream {
    midnight: Timestamp,
    /// The last instant at which an order may come.
    last: Timestamp,
    rate: OrderRate,
    process: ArrivalProcess,
    /// Orders expected from midnight to the last arrival.
    place: f64,
    /// Orders expected from midnight to the end.
    end: f64,
    begin: f64,
    sizes: Weighted<Quantity>,
    templates: Weighted<Template>,
    number: u32,
    times: ChaCha8Rng,
    size_draws: ChaCha8Rng,
    template_draws: ChaCha8Rng,
}

impl ArrivalStream {
    /// The orders of a scenario under a seed.
    ///
    /// # Errors
    /// The scenario's day names no instants.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, CalendarError> {
        let (day, arrivals) = (&scenario.day, &scenario.arrivals);
        let rate = OrderRate::of(arrivals);
        let [begin, end] = [day.from, day.to].map(|time| rate.orders_until(f64::from(time.seconds())));
        let size_of = |word: &String| word.parse().ok().and_then(|n: u8| Quantity::try_from(n).ok());
        let sizes = arrivals.size.iter().filter_map(|(word, w)| Some((size_of(word)?, *w)));
        let templates = arrivals.template.iter().filter_map(|(word, w)| Some((Template::parse(word)?, *w)));
        let calendar = Calendar::of(day)?;
        Ok(Self {
            midnight: calendar.midnight(),
            last: Timestamp::from_millis(calendar.to().as_millis() - 1),
            rate,
            process: arrivals.process,
            place: begin,
            end,
            begin,
            sizes: Weighted::of(sizes, Quantity::One),
            templates: Weighted::of(templates, Template::UgcBlogger),
            number: 0,
            times: generator(seed, "order times"),
            size_draws: generator(seed, "order sizes"),
            template_draws: generator(seed, "order templates"),
        })
    }

    /// How many orders are to be expected in all.
    #[must_use]
    pub fn expected(&self) -> f64 {
        (self.end - self.begin).max(0.0)
    }
}

impl Iterator for ArrivalStream {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        // On the scale of expected orders every process has the rate one: the next Poisson arrival is an
        // exponential step away, whatever the curve does in between, and the n-th even one stands at n and a half.
        match self.process {
            ArrivalProcess::Poisson => {
                let step: f64 = Exp1.sample(&mut self.times);
                self.place += step;
            }
            ArrivalProcess::Even => self.place = self.begin + f64::from(self.number) + 0.5,
        }
        if self.place >= self.end {
            self.place = f64::INFINITY;
            return None;
        }
        let second = self.rate.second_of(self.place)?;
        let since_midnight = Duration::try_from_secs_f64(second).ok()?;
        let number = self.number;
        self.number = number.checked_add(1)?;
        Some(Arrival {
            number,
            // Rounding may have put the very last one on the end itself.
            at: self.midnight.after(since_midnight).min(self.last),
            quantity: self.sizes.draw(&mut self.size_draws),
            template: self.templates.draw(&mut self.template_draws),
        })
    }
}

/// Things with weights.
#[derive(Debug, Clone)]
struct Weighted<T> {
    /// Each with the sum of the weights up to it, as a share of all.
    upper: Vec<(f64, T)>,
    otherwise: T,
}

impl<T: Copy> Weighted<T> {
    /// `otherwise` is drawn where nothing has a weight.
    fn of(items: impl Iterator<Item = (T, f64)>, otherwise: T) -> Self {
        let items: Vec<_> = items.filter(|(_, weight)| *weight > 0.0).collect();
        let all: f64 = items.iter().map(|(_, weight)| weight).sum();
        let mut sum = 0.0;
        let upper: Vec<_> = items
            .into_iter()
            .map(|(item, weight)| {
                sum += weight / all;
                (sum, item)
            })
            .collect();
        // The last one also takes what rounding leaves above the sum.
        let otherwise = upper.last().map_or(otherwise, |(_, last)| *last);
        Self { upper, otherwise }
    }

    fn draw(&self, draws: &mut ChaCha8Rng) -> T {
        let drawn = chance_of(draws.next_u64());
        self.upper.iter().find(|(upper, _)| drawn < *upper).map_or(self.otherwise, |(_, item)| *item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::time_of_day::TimeOfDay;

    fn scenario(orders_per_day: f64) -> Scenario {
        let text = format!(
            "name = 'x'\nabout = 'x'\n[arrivals]\norders_per_day = {orders_per_day:?}\n\
             curve = [['00:00', 0.5], ['09:00', 1.0], ['20:00', 4.0], ['22:00', 1.0]]"
        );
        Scenario::parse(&text, "test").unwrap()
    }

    fn time(text: &str) -> TimeOfDay {
        text.parse().unwrap()
    }

    fn count(scenario: &Scenario, seed: u64) -> f64 {
        f64::from(u32::try_from(ArrivalStream::new(scenario, seed).unwrap().count()).unwrap())
    }

    #[test]
    fn over_many_seeds_as_many_orders_come_as_expected() {
        let scenario = scenario(300.0);
        let counts: Vec<_> = (0..400).map(|seed| count(&scenario, seed)).collect();
        let mean = counts.iter().sum::<f64>() / 400.0;
        let variance = counts.iter().map(|c| (c - 300.0).powi(2)).sum::<f64>() / 400.0;
        // Four standard errors of a Poisson count's mean, and of its variance (sqrt(2/n) of it, nearly).
        assert!((mean - 300.0).abs() < 4.0 * (300.0_f64 / 400.0).sqrt(), "{mean}");
        assert!((variance / 300.0 - 1.0).abs() < 4.0 * (2.0_f64 / 400.0).sqrt(), "{variance}");
    }

    #[test]
    fn only_the_asked_part_of_the_day_is_produced_in_ascending_order() {
        let mut scenario = scenario(20_000.0);
        (scenario.day.from, scenario.day.to) = (time("19:30"), time("22:30"));
        let calendar = Calendar::of(&scenario.day).unwrap();
        for process in [ArrivalProcess::Poisson, ArrivalProcess::Even] {
            scenario.arrivals.process = process;
            let all: Vec<_> = ArrivalStream::new(&scenario, 3).unwrap().collect();
            assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at));
            assert!(all.iter().all(|a| calendar.from() <= a.at && a.at < calendar.to()));
            assert!(all.iter().enumerate().all(|(n, a)| usize::try_from(a.number).unwrap() == n));
            let expected = ArrivalStream::new(&scenario, 3).unwrap().expected();
            let found = f64::from(u32::try_from(all.len()).unwrap());
            assert!((found - expected).abs() < 4.0 * expected.sqrt(), "{found} instead of {expected}");
        }
    }

    #[test]
    fn the_peak_has_its_share() {
        let scenario = scenario(50_000.0);
        let calendar = Calendar::of(&scenario.day).unwrap();
        let between = |from: &str, to: &str| {
            let (from, to) = (calendar.at(time(from)), calendar.at(time(to)));
            let within =
                ArrivalStream::new(&scenario, 9).unwrap().filter(|a| from <= a.at && a.at < to).count();
            f64::from(u32::try_from(within).unwrap())
        };
        let ratio = between("20:00", "22:00") / between("12:00", "14:00");
        assert!((ratio - 4.0).abs() < 0.25, "{ratio}");
    }

    #[test]
    fn even_orders_stand_at_equal_distances_along_the_curve() {
        let mut scenario = scenario(24.0);
        scenario.arrivals.curve.clear();
        scenario.arrivals.process = ArrivalProcess::Even;
        let calendar = Calendar::of(&scenario.day).unwrap();
        let times: Vec<_> = ArrivalStream::new(&scenario, 1).unwrap().map(|a| a.at).collect();
        assert_eq!(times.len(), 24);
        assert_eq!(times[0], calendar.at(time("00:30")));
        assert_eq!(times[23], calendar.at(time("23:30")));
    }

    #[test]
    fn the_same_seed_gives_the_same_orders_and_another_one_others() {
        let scenario = scenario(500.0);
        let all = |seed| ArrivalStream::new(&scenario, seed).unwrap().collect::<Vec<_>>();
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
    }

    #[test]
    fn other_sizes_do_not_move_the_times_or_the_templates() {
        let before = scenario(500.0);
        let mut after = before.clone();
        after.arrivals.size = [("5".to_owned(), 1.0)].into();
        let [before, after] =
            [&before, &after].map(|s| ArrivalStream::new(s, 7).unwrap().collect::<Vec<_>>());
        let rest = |all: &[Arrival]| all.iter().map(|a| (a.at, a.template)).collect::<Vec<_>>();
        assert_eq!(rest(&before), rest(&after));
        assert!(after.iter().all(|a| a.quantity == Quantity::Five));
    }

    #[test]
    fn sizes_and_templates_come_in_their_proportions_and_never_without_weight() {
        let mut scenario = scenario(40_000.0);
        scenario.arrivals.template.insert("own".to_owned(), 0.0);
        let all: Vec<_> = ArrivalStream::new(&scenario, 2).unwrap().collect();
        let share = |is: &dyn Fn(&Arrival) -> bool| {
            let [part, whole] = [all.iter().filter(|a| is(a)).count(), all.len()];
            f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap())
        };
        for (quantity, expected) in [(Quantity::One, 0.60), (Quantity::Three, 0.25), (Quantity::Five, 0.15)] {
            let found = share(&|a| a.quantity == quantity);
            assert!((found - expected).abs() < 0.01, "{quantity}: {found}");
        }
        assert!((share(&|a| a.template == Template::UgcBlogger) - 2.0 / 3.0).abs() < 0.01);
        assert!(share(&|a| a.template == Template::OwnPrompt).abs() < f64::EPSILON);
    }

    #[test]
    fn a_million_orders_are_drawn_one_at_a_time() {
        let scenario = scenario(1_000_000.0);
        let found = count(&scenario, 1);
        assert!((found - 1_000_000.0).abs() < 4_000.0, "{found}");
    }
}
