//! What moved from one run, or campaign, to another.

use serde::{Deserialize, Serialize};

use super::{
    campaign::CampaignReport,
    collector::Unit,
    data::{Judged, RunReport, short},
    format,
    key_metrics::{Better, KeyMetric, key_metrics},
};

/// Two runs or campaigns beside each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What the first one is.
    pub before: String,
    /// What the second one is.
    pub after: String,
    /// Every number that moved, in the order of the report.
    pub moved: Vec<Moved>,
    /// Numbers that stayed the same.
    pub unmoved: u64,
    /// What makes the comparison doubtful, if anything.
    pub doubts: Vec<String>,
}

/// One number that moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// Its name.
    pub name: String,
    /// Before; nothing if it could not be measured.
    pub before: Option<f64>,
    /// After.
    pub after: Option<f64>,
    /// By how much, in the metric's unit.
    pub absolute: Option<f64>,
    /// By how much, as a share of what it was.
    pub relative: Option<f64>,
    /// Whether it is better now; nothing for a number that only describes.
    pub is_better: Option<bool>,
    /// Whether it moved further than the seeds of either campaign lie apart; nothing for single runs, whose noise is
    /// unknown.
    pub beyond_noise: Option<bool>,
}

/// What moved from one run to another.
#[must_use]
pub fn compare(before: &RunReport, after: &RunReport) -> Comparison {
    let mut doubts = Vec::new();
    if before.scenario.hash != after.scenario.hash {
        doubts.push("the scenarios differ".to_owned());
    }
    if before.seed != after.seed {
        doubts.push("the seeds differ, so some of what moved is chance".to_owned());
    }
    if before.schema != after.schema {
        doubts.push("the reports have different forms".to_owned());
    }
    let (old, new) = (with_margins(before), with_margins(after));
    let rows = new.iter().map(|metric| {
        let old = old.iter().find(|old| old.name == metric.name).and_then(|old| old.value);
        moved(&metric.name, metric.better, old, metric.value, None)
    });
    comparison(title(before), title(after), rows.collect(), doubts)
}

/// What moved from one campaign to another, by the medians. Something moved beyond noise if the ranges of the seeds do
/// not even touch.
#[must_use]
pub fn compare_campaigns(before: &CampaignReport, after: &CampaignReport) -> Comparison {
    let mut doubts = Vec::new();
    if before.scenario.hash != after.scenario.hash {
        doubts.push("the scenarios differ".to_owned());
    }
    let seeds = |report: &CampaignReport| report.seeds.iter().map(|row| row.seed).collect::<Vec<_>>();
    if seeds(before) != seeds(after) {
        doubts.push("the seeds differ".to_owned());
    }
    let rows = after.metrics.iter().map(|new| {
        let old = before.metrics.iter().find(|old| old.name == new.name);
        let apart = old.map(|old| new.min > old.max || new.max < old.min);
        moved(&new.name, new.better, old.map(|old| old.median), Some(new.median), apart)
    });
    let name = |report: &CampaignReport| {
        let seeds = u64::try_from(report.seeds.len()).unwrap_or(u64::MAX);
        format!("{}, {}", report.scenario.name, format::count(seeds, "seed"))
    };
    comparison(name(before), name(after), rows.collect(), doubts)
}

fn title(report: &RunReport) -> String {
    let commit = report.versions.commit.as_ref().map(|commit| format!(", {commit}")).unwrap_or_default();
    format!("{}, seed {}{commit}", report.scenario.name, report.seed)
}

/// The key metrics, and how far each threshold is from its limit.
fn with_margins(report: &RunReport) -> Vec<KeyMetric> {
    let margin = |threshold: &Judged| KeyMetric {
        name: format!("{} margin of {}", threshold.metric, threshold.expression),
        value: threshold.margin,
        better: Better::Higher,
    };
    let margins = report.thresholds.iter().map(margin);
    key_metrics(report).into_iter().chain(margins).collect()
}

fn comparison(before: String, after: String, rows: Vec<Moved>, doubts: Vec<String>) -> Comparison {
    let all = rows.len();
    let moved: Vec<_> = rows.into_iter().filter(|row| row.before != row.after).collect();
    let unmoved = u64::try_from(all - moved.len()).unwrap_or(u64::MAX);
    Comparison { before, after, moved, unmoved, doubts }
}

fn moved(
    name: &str,
    better: Better,
    before: Option<f64>,
    after: Option<f64>,
    beyond_noise: Option<bool>,
) -> Moved {
    let absolute = before.zip(after).map(|(before, after)| short(after - before));
    let relative = absolute.zip(before).filter(|(_, before)| before.abs() > f64::EPSILON);
    let is_better = absolute.filter(|by| by.abs() > f64::EPSILON).and_then(|by| match better {
        Better::Lower => Some(by < 0.0),
        Better::Higher => Some(by > 0.0),
        Better::Neither => None,
    });
    Moved {
        name: name.to_owned(),
        before,
        after,
        absolute,
        relative: relative.map(|(by, before)| short(by / before.abs())),
        is_better,
        beyond_noise,
    }
}

impl Moved {
    /// Before, after and by how much, as people read it.
    #[must_use]
    pub(super) fn told(&self) -> [String; 4] {
        let unit = Unit::of(&self.name);
        let tell =
            |value: Option<f64>| value.map_or_else(|| "\u{2013}".to_owned(), |v| format::value(v, unit));
        let sign = |value: f64| if value > 0.0 { "+" } else { "" };
        let absolute = self
            .absolute
            .map_or_else(String::new, |by| format!("{}{}", sign(by), format::difference(by, unit)));
        let relative =
            self.relative.map_or_else(String::new, |by| format!("{}{}", sign(by), format::percent(by)));
        [tell(self.before), tell(self.after), absolute, relative]
    }

    /// What to think of it, in a word or two.
    #[must_use]
    pub(super) const fn judgement(&self) -> &'static str {
        match (self.is_better, self.beyond_noise) {
            (Some(true), Some(false)) => "better, within noise",
            (Some(false), Some(false)) => "worse, within noise",
            (Some(true), _) => "better",
            (Some(false), _) => "worse",
            (None, Some(false)) => "within noise",
            (None, _) => "",
        }
    }
}

impl Comparison {
    /// The comparison as lines of text, aligned.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("before  {}", self.before), format!("after   {}", self.after)];
        lines.extend(self.doubts.iter().map(|doubt| format!("note    {doubt}")));
        lines.push(String::new());
        let head = ["metric", "before", "after", "by", ""].map(str::to_owned);
        let rows = self.moved.iter().map(|row| {
            let [before, after, absolute, relative] = row.told();
            let name = row.name.clone();
            ([name, before, after, absolute, relative], row.judgement())
        });
        let rows: Vec<_> = std::iter::once((head, "")).chain(rows).collect();
        let mut widths = [0; 5];
        for (cells, _) in &rows {
            widths
                .iter_mut()
                .zip(cells)
                .for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
        }
        let [name_width, rest @ ..] = widths;
        for ([name, cells @ ..], judgement) in rows {
            let numbers: Vec<_> =
                cells.iter().zip(rest).map(|(cell, width)| format!("{cell:>width$}")).collect();
            lines.push(
                format!("{name:<name_width$}  {}  {judgement}", numbers.join("  ")).trim_end().to_owned(),
            );
        }
        lines.push(format!("{} did not move", format::count(self.unmoved, "other number")));
        lines
    }
}
