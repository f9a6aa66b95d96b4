//! Thresholds: what a run has to reach, such as `wait_s{window=peak}` with `p(95) < 60`.

use std::{collections::BTreeMap, fmt};

use super::nearest::did_you_mean;

/// What a threshold may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in scenarios and reports.
    pub name: &'static str,
    /// What it measures, in one line; units are in the name or here.
    pub meaning: &'static str,
    /// What it is made of, which says how it can be summed up.
    pub kind: MetricKind,
    /// The labels it can be narrowed down by.
    pub labels: &'static [&'static str],
}

/// What a metric is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// One number a job: `p(N)`, `min`, `med`, `avg`, `max`, `count`.
    Samples,
    /// One number in all: `value`.
    Value,
    /// A number at every moment: `avg` over time, and `max`.
    Level,
    /// Many numbers of which only the largest tells anything: `max`.
    Peak,
}

impl MetricKind {
    /// What can be written for it, in words for an error.
    const fn aggregates(self) -> &'static str {
        match self {
            Self::Samples => "p(N), min, med, avg, max or count",
            Self::Value => "value",
            Self::Level => "avg or max",
            Self::Peak => "max",
        }
    }

    const fn allows(self, aggregate: Aggregate) -> bool {
        use Aggregate as A;
        match self {
            Self::Samples => !matches!(aggregate, A::Value),
            Self::Value => matches!(aggregate, A::Value),
            Self::Level => matches!(aggregate, A::Average | A::Max),
            Self::Peak => matches!(aggregate, A::Max),
        }
    }
}

/// Labels of a metric that belongs to jobs.
const OF_JOBS: &[&str] = &["window", "size"];

const fn metric(
    name: &'static str,
    kind: MetricKind,
    labels: &'static [&'static str],
    meaning: &'static str,
) -> Metric {
    Metric { name, meaning, kind, labels }
}

/// Every metric there is, with exactly the labels and aggregates that a run's report can measure.
///
/// A job belongs to the window its order was placed in.
pub const METRICS: &[Metric] = &[
    metric(
        "wait_s",
        MetricKind::Samples,
        OF_JOBS,
        "seconds from the order to the provider's yes to its task",
    ),
    metric("render_s", MetricKind::Samples, OF_JOBS, "seconds from that yes to the finished render"),
    metric("delivery_s", MetricKind::Samples, OF_JOBS, "seconds from the finished render to the video sent"),
    metric(
        "total_s",
        MetricKind::Samples,
        OF_JOBS,
        "seconds from the order to the video sent, delivered jobs only",
    ),
    metric("settle_s", MetricKind::Samples, OF_JOBS, "seconds from the order to the video or the refund"),
    metric("refunded_ratio", MetricKind::Value, OF_JOBS, "jobs refunded, of all jobs"),
    metric(
        "provider_refunded_ratio",
        MetricKind::Value,
        &[],
        "jobs refunded because the provider failed, was down or had no room, of all jobs",
    ),
    metric("delivered_ratio", MetricKind::Value, OF_JOBS, "jobs delivered, of all jobs"),
    metric(
        "lost_submission_ratio",
        MetricKind::Value,
        &[],
        "submissions given up without an answer, of all submissions",
    ),
    metric("queue_depth", MetricKind::Level, &[], "jobs the provider has not taken yet"),
    metric(
        "in_flight",
        MetricKind::Peak,
        &["account"],
        "tasks running at once on an account; on the busiest one if none is named",
    ),
    metric("videos_per_hour", MetricKind::Peak, &[], "videos sent in a clock hour"),
    metric(
        "provider_credits_per_video",
        MetricKind::Value,
        &[],
        "provider credits charged for each video sent",
    ),
];

/// How a metric's numbers become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregate {
    /// The N-th percentile, from 0 to 100.
    Percentile(f64),
    /// The smallest.
    Min,
    /// The middle one: the 50th percentile.
    Median,
    /// The mean.
    Average,
    /// The largest.
    Max,
    /// How many there are.
    Count,
    /// The number itself.
    Value,
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(percentile) => write!(f, "p({percentile})"),
            Self::Min => f.write_str("min"),
            Self::Median => f.write_str("med"),
            Self::Average => f.write_str("avg"),
            Self::Max => f.write_str("max"),
            Self::Count => f.write_str("count"),
            Self::Value => f.write_str("value"),
        }
    }
}

/// How the number is compared with the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// Longer signs before those they begin with.
    const ALL: [Self; 6] =
        [Self::AtMost, Self::AtLeast, Self::Equal, Self::NotEqual, Self::Less, Self::Greater];

    /// Its sign.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

/// Something a run has to reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// One of [`METRICS`].
    pub metric: String,
    /// What it is narrowed down to, by one label at most: a `window`, a `size`, an `account`.
    pub labels: BTreeMap<String, String>,
    /// How its numbers become one.
    pub aggregate: Aggregate,
    /// How that one is compared.
    pub comparison: Comparison,
    /// With what, in the metric's unit.
    pub limit: f64,
    /// The last three as they were written: `p(95) < 60`.
    pub expression: String,
}

/// A threshold that cannot be read: what is wrong and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ThresholdError(String);

impl Threshold {
    /// Reads a metric with its label, if any, and an expression.
    ///
    /// Whether a label's window, size or account exists is the scenario's business.
    ///
    /// # Errors
    /// [`ThresholdError`] for an unknown metric or label, or an expression that does not fit the metric.
    pub fn parse(metric_key: &str, expression: &str) -> Result<Self, ThresholdError> {
        let (metric, labels) = metric_of(metric_key)?;
        let (aggregate, comparison, limit) = expression_of(expression.trim())?;
        if !metric.kind.allows(aggregate) {
            return Err(ThresholdError(format!(
                "`{}` has no `{aggregate}`: write {}",
                metric.name,
                metric.kind.aggregates()
            )));
        }
        let (metric, expression) = (metric.name.to_owned(), expression.trim().to_owned());
        Ok(Self { metric, labels, aggregate, comparison, limit, expression })
    }

    /// The metric with its label: `wait_s{window=peak}`.
    #[must_use]
    pub fn subject(&self) -> String {
        if self.labels.is_empty() {
            return self.metric.clone();
        }
        let labels: Vec<_> = self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}{{{}}}", self.metric, labels.join(","))
    }

    /// Whether a number is as the threshold wants it. What is no number never is.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "`==` and `!=` are meant for counts and for exactly zero")]
    pub fn holds(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Less => value < self.limit,
            Comparison::AtMost => value <= self.limit,
            Comparison::Greater => value > self.limit,
            Comparison::AtLeast => value >= self.limit,
            Comparison::Equal => value == self.limit,
            Comparison::NotEqual => !value.is_nan() && value != self.limit,
        }
    }

    /// How far a number is on the right side of the limit, in the metric's unit; negative on the wrong side.
    #[must_use]
    pub fn margin(&self, value: f64) -> f64 {
        match self.comparison {
            Comparison::Less | Comparison::AtMost => self.limit - value,
            Comparison::Greater | Comparison::AtLeast => value - self.limit,
            Comparison::Equal => -(value - self.limit).abs(),
            Comparison::NotEqual => (value - self.limit).abs(),
        }
    }
}

fn metric_of(key: &str) -> Result<(&'static Metric, BTreeMap<String, String>), ThresholdError> {
    let key = key.trim();
    let (name, labels) = match key.split_once('{') {
        None => (key, ""),
        Some((name, rest)) => match rest.strip_suffix('}') {
            Some(labels) => (name.trim(), labels),
            None => {
                return Err(ThresholdError(format!("`{key}` is not closed: write {key}}}")));
            }
        },
    };
    let Some(metric) = METRICS.iter().find(|metric| metric.name == name) else {
        let names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        return Err(ThresholdError(format!("there is no metric `{name}`{}", did_you_mean(name, &names))));
    };
    let mut found = BTreeMap::new();
    for label in labels.split(',').map(str::trim).filter(|label| !label.is_empty()) {
        let (word, value) = label
            .split_once('=')
            .map(|(word, value)| (word.trim(), value.trim()))
            .filter(|(_, value)| !value.is_empty())
            .ok_or_else(|| ThresholdError(format!("`{label}` is no label: write {{window=peak}}")))?;
        if !metric.labels.contains(&word) {
            let hint = match metric.labels {
                [] => ": it has none".to_owned(),
                labels => did_you_mean(word, labels),
            };
            return Err(ThresholdError(format!("`{name}` has no label `{word}`{hint}")));
        }
        if found.insert(word.to_owned(), value.to_owned()).is_some() {
            return Err(ThresholdError(format!("the label `{word}` is given twice")));
        }
    }
    if found.len() > 1 {
        return Err(ThresholdError(format!("`{key}` has {} labels: write one at most", found.len())));
    }
    Ok((metric, found))
}

fn expression_of(expression: &str) -> Result<(Aggregate, Comparison, f64), ThresholdError> {
    let form = || ThresholdError(format!("`{expression}` cannot be read: write for example `p(95) < 60`"));
    let at = expression.find(['<', '>', '=', '!']).ok_or_else(form)?;
    let (left, rest) = expression.split_at(at);
    let (comparison, right) = Comparison::ALL
        .into_iter()
        .find_map(|c| rest.strip_prefix(c.as_str()).map(|right| (c, right.trim())))
        .ok_or_else(form)?;
    let aggregate = aggregate_of(left.trim())?;
    let limit = right.parse::<f64>().ok().filter(|limit| limit.is_finite()).ok_or_else(|| {
        ThresholdError(format!(
            "`{right}` is no number: write it plainly, seconds without a unit, shares from 0 to 1"
        ))
    })?;
    Ok((aggregate, comparison, limit))
}

fn aggregate_of(word: &str) -> Result<Aggregate, ThresholdError> {
    if let Some(percentile) = word.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')')) {
        let number = percentile.trim().parse::<f64>().ok().filter(|p| (0.0..=100.0).contains(p));
        return number.map(Aggregate::Percentile).ok_or_else(|| {
            ThresholdError(format!("`{percentile}` is no percentile: write a number from 0 to 100"))
        });
    }
    let known = [
        ("min", Aggregate::Min),
        ("med", Aggregate::Median),
        ("avg", Aggregate::Average),
        ("max", Aggregate::Max),
        ("count", Aggregate::Count),
        ("value", Aggregate::Value),
    ];
    if let Some((_, aggregate)) = known.into_iter().find(|(name, _)| *name == word) {
        return Ok(aggregate);
    }
    let is_percentile = word.strip_prefix('p').is_some_and(|n| n.parse::<f64>().is_ok());
    let hint = if is_percentile {
        format!(": did you mean `p({})`?", word.trim_start_matches('p'))
    } else {
        did_you_mean(word, &["p(95)", "min", "med", "avg", "max", "count", "value"])
    };
    Err(ThresholdError(format!("`{word}` is no way to sum up{hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(metric: &str, expression: &str) -> String {
        Threshold::parse(metric, expression).unwrap_err().to_string()
    }

    #[test]
    fn a_threshold_is_read_with_its_label() {
        let threshold = Threshold::parse("wait_s{ window = peak }", " p(99.5) <= 60 ").unwrap();
        assert_eq!(threshold.metric, "wait_s");
        assert_eq!(threshold.labels["window"], "peak");
        assert_eq!(
            (threshold.aggregate, threshold.comparison, threshold.limit),
            (Aggregate::Percentile(99.5), Comparison::AtMost, 60.0)
        );
        assert_eq!(threshold.subject(), "wait_s{window=peak}");
        assert_eq!(threshold.expression, "p(99.5) <= 60");
    }

    #[test]
    fn every_comparison_does_what_its_sign_says() {
        for (expression, holding, failing) in [
            ("value<0.05", 0.04, 0.05),
            ("value <= 0.05", 0.05, 0.06),
            ("value > 0.05", 0.06, 0.05),
            ("value >= 0.05", 0.05, 0.04),
            ("value == 0", 0.0, 0.1),
            ("value != 0", 0.1, 0.0),
        ] {
            let threshold = Threshold::parse("refunded_ratio", expression).unwrap();
            assert!(threshold.holds(holding) && !threshold.holds(failing), "{expression}");
            assert!(!threshold.holds(f64::NAN), "{expression}");
            assert!(threshold.margin(holding) >= 0.0 && threshold.margin(failing) <= 0.0, "{expression}");
        }
        let threshold = Threshold::parse("wait_s", "max < 60").unwrap();
        assert_eq!((threshold.margin(45.0), threshold.margin(70.0)), (15.0, -10.0));
    }

    #[test]
    fn every_metric_takes_what_its_kind_says_and_nothing_else() {
        let all = ["p(95) < 1", "min < 1", "med < 1", "avg < 1", "max < 1", "count < 1", "value < 1"];
        for metric in METRICS {
            let taken = all.iter().filter(|e| Threshold::parse(metric.name, e).is_ok()).count();
            let expected = match metric.kind {
                MetricKind::Samples => 6,
                MetricKind::Level => 2,
                MetricKind::Value | MetricKind::Peak => 1,
            };
            assert_eq!(taken, expected, "{}", metric.name);
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_what_to_write() {
        for (metric, expression, expected) in [
            ("wait", "p(95) < 60", "there is no metric `wait`: did you mean `wait_s`?"),
            ("wait_s{windw=peak}", "p(95) < 60", "`wait_s` has no label `windw`: did you mean `window`?"),
            (
                "wait_s{window=peak",
                "p(95) < 60",
                "`wait_s{window=peak` is not closed: write wait_s{window=peak}",
            ),
            ("wait_s{window:peak}", "p(95) < 60", "`window:peak` is no label: write {window=peak}"),
            ("wait_s{size=1,size=3}", "max < 60", "the label `size` is given twice"),
            (
                "wait_s{window=peak,size=3}",
                "max < 60",
                "`wait_s{window=peak,size=3}` has 2 labels: write one at most",
            ),
            ("wait_s{template=ugc}", "max < 60", "`wait_s` has no label `template`: there is window, size"),
            (
                "videos_per_hour{window=peak}",
                "max > 1",
                "`videos_per_hour` has no label `window`: it has none",
            ),
            ("wait_s", "p95 < 60", "`p95` is no way to sum up: did you mean `p(95)`?"),
            ("wait_s", "mx < 60", "`mx` is no way to sum up: did you mean `max`?"),
            ("wait_s", "p(101) < 60", "`101` is no percentile: write a number from 0 to 100"),
            ("wait_s", "max", "`max` cannot be read: write for example `p(95) < 60`"),
            ("wait_s", "max = 3", "`max = 3` cannot be read: write for example `p(95) < 60`"),
            (
                "wait_s",
                "max < 60s",
                "`60s` is no number: write it plainly, seconds without a unit, shares from 0 to 1",
            ),
            ("wait_s", "value < 60", "`wait_s` has no `value`: write p(N), min, med, avg, max or count"),
            ("refunded_ratio", "p(95) < 1", "`refunded_ratio` has no `p(95)`: write value"),
        ] {
            assert_eq!(error(metric, expression), expected, "{metric} {expression}");
        }
    }
}
