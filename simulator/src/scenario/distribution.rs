//! How long renders take.

use std::time::Duration;

use rand_distr::{Distribution, Exp1, StandardNormal};

use super::schema::Render;
use crate::time::generator;

/// The shortest and longest log-normal render, in seconds: nothing is rendered within a second, and the tail of
/// the formula is longer than the provider's.
const LOGNORMAL_BOUNDS: (f64, f64) = (1.0, 3.0 * 3_600.0);

/// The median and sigma of a scenario that says nothing: the provider model's own guess for clips of 10 s.
const AS_OBSERVED: (f64, f64) = (150.0, 0.4);

/// The distribution of render times at the provider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RenderTimes {
    /// Log-normal, kept between 1 s and 3 h.
    LogNormal {
        /// The median, in seconds.
        median_s: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// Always the same.
    Fixed {
        /// So many seconds.
        seconds: f64,
    },
    /// Exponential, at least a millisecond.
    Exponential {
        /// The mean, in seconds.
        mean_s: f64,
    },
}

impl RenderTimes {
    /// A scenario's distribution; without one log-normal with a median of 150 s and sigma 0.4, as the provider's
    /// model has it.
    #[must_use]
    pub fn of(render: &Render) -> Self {
        if let Some(lognormal) = render.lognormal {
            let sigma = lognormal.sigma;
            // The mean of a log-normal is its median times e to the half variance.
            let from_mean = |mean: f64| mean / (sigma * sigma / 2.0).exp();
            let median_s =
                lognormal.median_s.or_else(|| lognormal.mean_s.map(from_mean)).unwrap_or(AS_OBSERVED.0);
            Self::LogNormal { median_s, sigma }
        } else if let Some(seconds) = render.fixed_s {
            Self::Fixed { seconds }
        } else if let Some(mean_s) = render.exponential_mean_s {
            Self::Exponential { mean_s }
        } else {
            Self::LogNormal { median_s: AS_OBSERVED.0, sigma: AS_OBSERVED.1 }
        }
    }

    /// The time of one render: the same for the same seed and name, whatever else is drawn.
    #[must_use]
    pub fn sample(&self, seed: u64, name: &str) -> Duration {
        let mut draws = generator(seed, &format!("render time of {name}"));
        let seconds = match *self {
            Self::LogNormal { median_s, sigma } => {
                let normal: f64 = StandardNormal.sample(&mut draws);
                (median_s * (sigma * normal).exp()).clamp(LOGNORMAL_BOUNDS.0, LOGNORMAL_BOUNDS.1)
            }
            Self::Fixed { seconds } => seconds,
            Self::Exponential { mean_s } => {
                let unit: f64 = Exp1.sample(&mut draws);
                (mean_s * unit).max(0.001)
            }
        };
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// The mean, in seconds, without regard to the bounds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::LogNormal { median_s, sigma } => median_s * (sigma * sigma / 2.0).exp(),
            Self::Fixed { seconds } => seconds,
            Self::Exponential { mean_s } => mean_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::schema::LogNormal;

    fn lognormal(mean_s: Option<f64>, median_s: Option<f64>, sigma: f64) -> Render {
        Render { lognormal: Some(LogNormal { mean_s, median_s, sigma }), ..Render::default() }
    }

    fn samples(times: RenderTimes, count: u32) -> Vec<f64> {
        let mut samples: Vec<_> = (0..count).map(|n| times.sample(5, &n.to_string()).as_secs_f64()).collect();
        samples.sort_by(f64::total_cmp);
        samples
    }

    fn mean(samples: &[f64]) -> f64 {
        samples.iter().sum::<f64>() / f64::from(u32::try_from(samples.len()).unwrap())
    }

    fn assert_near(found: f64, expected: f64, share: f64) {
        assert!((found / expected - 1.0).abs() < share, "{found} instead of {expected}");
    }

    #[test]
    fn a_lognormal_has_the_mean_and_the_median_it_was_given() {
        let by_mean = RenderTimes::of(&lognormal(Some(300.0), None, 0.4));
        assert_near(by_mean.mean(), 300.0, 1e-9);
        assert_near(mean(&samples(by_mean, 20_000)), 300.0, 0.02);
        let by_median = RenderTimes::of(&lognormal(None, Some(150.0), 0.4));
        assert_near(samples(by_median, 20_000)[10_000], 150.0, 0.02);
        assert_eq!(RenderTimes::of(&Render::default()), by_median);
    }

    #[test]
    fn an_exponential_has_its_mean_and_its_variance() {
        let times = RenderTimes::of(&Render { exponential_mean_s: Some(240.0), ..Render::default() });
        let samples = samples(times, 40_000);
        let squares: Vec<_> = samples.iter().map(|s| (s - 240.0).powi(2)).collect();
        assert_near(mean(&samples), times.mean(), 0.02);
        assert_near(mean(&squares), 240.0_f64.powi(2), 0.05);
    }

    #[test]
    fn a_fixed_time_is_always_the_same() {
        let times = RenderTimes::of(&Render { fixed_s: Some(60.0), ..Render::default() });
        assert_eq!(samples(times, 10), [60.0; 10]);
    }

    #[test]
    fn no_lognormal_render_is_shorter_than_a_second_or_longer_than_three_hours() {
        let wild = samples(RenderTimes::of(&lognormal(None, Some(100.0), 5.0)), 2_000);
        assert_eq!((wild[0], wild[1_999]), (1.0, 10_800.0));
    }

    #[test]
    fn the_same_name_takes_the_same_time_and_another_seed_another_one() {
        let times = RenderTimes::of(&Render::default());
        assert_eq!(times.sample(1, "7/1"), times.sample(1, "7/1"));
        assert_ne!(times.sample(1, "7/1"), times.sample(1, "7/2"));
        assert_ne!(times.sample(1, "7/1"), times.sample(2, "7/1"));
    }
}
