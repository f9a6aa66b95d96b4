//! Charts, drawn as inline SVG that reflows.
//!
//! Positions are shares of the drawing's width and height, so that it fits any screen, while text and strokes keep
//! their size: shapes live in a nested drawing that is stretched, labels outside of it are not.

mod heat;
mod scale;

use std::fmt::Write;

use maud::{Markup, html};

use crate::report::{collector::Unit, format, instant};

pub(super) use heat::heat_map;
pub(super) use scale::{Scale, Times};

/// How a row of values is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A line through the bins' middles; gaps stay gaps.
    Line,
    /// The same, dashed.
    Dashed,
    /// The same, dotted.
    Dotted,
    /// A level that stays until the next bin, with its area filled.
    Level,
    /// Bars, on top of the bars before.
    Bars,
    /// An area, on top of the areas before.
    Area,
}

/// A row of values, one a bin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    /// 1 to 7.
    pub(super) color: usize,
    pub(super) shape: Shape,
    pub(super) values: Vec<Option<f64>>,
}

/// A stretch of time that is set off.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Band {
    pub(super) name: String,
    /// In hundredths of the width.
    pub(super) from: f64,
    pub(super) to: f64,
    /// Hatched instead of tinted: something was wrong.
    pub(super) is_trouble: bool,
}

/// A line that should not be crossed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    pub(super) name: String,
    pub(super) value: f64,
    /// The row it is for; nothing for one that is for all.
    pub(super) color: Option<usize>,
}

/// A chart over time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    /// A word, unique within the page.
    pub(super) id: &'static str,
    pub(super) title: String,
    /// What there is to see, in a sentence.
    pub(super) finding: String,
    pub(super) is_wide: bool,
    pub(super) unit: Unit,
    pub(super) times: Times,
    pub(super) rows: Vec<Row>,
    pub(super) bands: Vec<Band>,
    pub(super) limits: Vec<Limit>,
}

impl Chart {
    fn bins(&self) -> usize {
        self.rows.iter().map(|row| row.values.len()).max().unwrap_or(0)
    }

    /// The highest value there is to show.
    fn most(&self) -> f64 {
        let alone =
            self.rows.iter().filter(|row| !row.is_stacked()).flat_map(|row| row.values.iter().flatten());
        let stacked = (0..self.bins()).map(|bin| {
            let rows = self.rows.iter().filter(|row| row.is_stacked());
            rows.filter_map(|row| row.values.get(bin).copied().flatten()).sum::<f64>()
        });
        let limits = self.limits.iter().map(|limit| limit.value);
        alone.copied().chain(stacked).chain(limits).fold(0.0, f64::max)
    }

    /// The whole figure.
    pub(super) fn figure(&self) -> Markup {
        html! {
            figure class=(if self.is_wide { "card wide" } else { "card" }) {
                figcaption {
                    h3 { (self.title) }
                    p { (self.finding) }
                }
                (self.legend())
                div class="plot" { (self.drawing()) }
            }
        }
    }

    fn legend(&self) -> Markup {
        html! {
            ul class="legend" {
                @for row in &self.rows { li { (row.swatch()) (row.name) } }
                @for limit in &self.limits {
                    li {
                        svg aria-hidden="true" { line class=(limit.class()) x1="0" x2="20" y1="6" y2="6" {} }
                        (limit.name)
                    }
                }
                @for (place, band) in self.bands.iter().enumerate() {
                    @if self.bands.iter().take(place).all(|before| before.name != band.name) {
                        li {
                            svg aria-hidden="true" {
                                rect class=(if band.is_trouble { "trouble" } else { "band" }) width="20" height="12" {}
                                @if band.is_trouble {
                                    path class="hatch" d="M-2 8 6 0M2 12 14 0M10 12 22 0M18 12 24 6" {}
                                }
                            }
                            (band.name)
                        }
                    }
                }
            }
        }
    }

    fn drawing(&self) -> Markup {
        let scale = Scale::to(self.most(), self.unit);
        let bins = self.bins().max(1);
        let pattern = format!("hatch-{}", self.id);
        html! {
            svg role="img" aria-label=(format!("{}. {}", self.title, self.finding)) {
                defs {
                    pattern id=(pattern) width="6" height="6" patternUnits="userSpaceOnUse"
                        patternTransform="rotate(45)" {
                        line class="hatch" x1="0" x2="0" y1="0" y2="6" {}
                    }
                }
                @for band in &self.bands {
                    @let (x, width) = (percent(band.from), percent((band.to - band.from).max(0.15)));
                    @if band.is_trouble {
                        rect class="trouble" x=(x) y="0" width=(width) height="100%" {}
                        rect x=(x) y="0" width=(width) height="100%" fill=(format!("url(#{pattern})")) {}
                    } @else {
                        rect class="band" x=(x) y="0" width=(width) height="100%" {}
                    }
                }
                @for (value, text) in &scale.ticks {
                    @let y = percent(scale.y(*value));
                    line class=(if *value > 0.0 { "grid" } else { "axis" }) x1="0" x2="100%" y1=(y) y2=(y) {}
                    text x="-8" y=(y) dy="4" text-anchor="end" { (text) }
                }
                @for tick in self.times.ticks() {
                    @let x = percent(tick.x);
                    g class=[tick.is_odd.then_some("odd")] {
                        svg x=(x) y="100%" overflow="visible" {
                            line class="axis" x1="0" x2="0" y1="0" y2="5" {}
                            text x="0" y="19" text-anchor="middle" { (tick.text) }
                        }
                    }
                }
                svg viewBox=(format!("0 0 {bins} 100")) preserveAspectRatio="none" width="100%" height="100%" {
                    (self.shapes(&scale))
                }
                @for limit in &self.limits {
                    @let y = percent(scale.y(limit.value));
                    line class=(limit.class()) x1="0" x2="100%" y1=(y) y2=(y) {}
                }
                svg viewBox=(format!("0 0 {bins} 100")) preserveAspectRatio="none" width="100%" height="100%" {
                    @for bin in 0..bins {
                        @if let Some(tip) = self.tip(bin, bins) {
                            rect class="tip" x=(bin) y="0" width="1" height="100" { title { (tip) } }
                        }
                    }
                }
            }
        }
    }

    fn shapes(&self, scale: &Scale) -> Markup {
        let mut base = vec![0.0; self.bins()];
        html! {
            @for row in &self.rows {
                @match row.shape {
                    Shape::Line | Shape::Dashed | Shape::Dotted => {
                        path class=(row.line_class()) vector-effect="non-scaling-stroke" d=(row.line(scale)) {}
                    }
                    Shape::Level => {
                        path class=(format!("f{} pale", row.color)) d=(row.level(scale, true)) {}
                        path class=(row.line_class()) vector-effect="non-scaling-stroke"
                            d=(row.level(scale, false)) {}
                    }
                    Shape::Bars | Shape::Area => {
                        path class=(format!("f{}", row.color)) d=(row.stack(scale, &mut base)) {}
                    }
                }
            }
        }
    }

    /// What a bin says when it is pointed at; nothing if nothing happened in it.
    fn tip(&self, bin: usize, bins: usize) -> Option<String> {
        let value = |row: &Row| row.values.get(bin).copied().flatten();
        if self.rows.iter().all(|row| value(row).is_none_or(|value| value == 0.0)) {
            return None;
        }
        let whole = self.times.to.as_millis() - self.times.from.as_millis();
        let (bin, bins) = (i64::try_from(bin).unwrap_or(0), i64::try_from(bins).unwrap_or(1));
        let clock = |bin: i64| {
            let at = domain::time::Timestamp::from_millis(self.times.from.as_millis() + whole * bin / bins);
            instant::local(at, self.times.utc_offset_s, "%H:%M")
        };
        let mut tip = format!("{}\u{2013}{}", clock(bin), clock(bin + 1));
        for row in &self.rows {
            if let Some(value) = value(row) {
                write!(tip, "\n{}: {}", row.name, format::value(value, self.unit)).ok();
            }
        }
        Some(tip)
    }
}

impl Limit {
    fn class(&self) -> String {
        self.color.map_or_else(|| "limit".to_owned(), |color| format!("limit s{color}"))
    }
}

impl Row {
    const fn is_stacked(&self) -> bool {
        matches!(self.shape, Shape::Bars | Shape::Area)
    }

    fn line_class(&self) -> String {
        let dash = match self.shape {
            Shape::Dashed => " dash",
            Shape::Dotted => " dot",
            Shape::Line | Shape::Level | Shape::Bars | Shape::Area => "",
        };
        format!("line s{}{dash}", self.color)
    }

    fn swatch(&self) -> Markup {
        html! {
            svg aria-hidden="true" {
                @match self.shape {
                    Shape::Line | Shape::Dashed | Shape::Dotted => {
                        line class=(self.line_class()) x1="0" x2="20" y1="6" y2="6" {}
                    }
                    Shape::Level => {
                        rect class=(format!("f{} pale", self.color)) y="2" width="20" height="10" {}
                        line class=(self.line_class()) x1="0" x2="20" y1="2" y2="2" {}
                    }
                    Shape::Bars | Shape::Area => {
                        rect class=(format!("f{}", self.color)) x="3" width="12" height="12" rx="2" {}
                    }
                }
            }
        }
    }

    /// Through the middles of the bins; a value between two gaps is a short dash.
    fn line(&self, scale: &Scale) -> String {
        let mut path = String::new();
        let has = |bin: usize| self.values.get(bin).is_some_and(Option::is_some);
        for (bin, value) in self.values.iter().enumerate() {
            let Some(y) = value.map(|value| scale.y(value)) else { continue };
            let (before, after) = (bin > 0 && has(bin - 1), has(bin + 1));
            match (before, after) {
                (false, false) => write!(path, "M{bin}.1 {y:.2}h.8"),
                (false, true) => write!(path, "M{bin}.5 {y:.2}"),
                (true, _) => write!(path, "L{bin}.5 {y:.2}"),
            }
            .ok();
        }
        path
    }

    fn level(&self, scale: &Scale, is_closed: bool) -> String {
        let mut path = String::new();
        let mut last = f64::NAN;
        for (bin, value) in self.values.iter().enumerate() {
            let y = scale.y(value.unwrap_or(0.0));
            if bin == 0 {
                write!(path, "M0 {y:.2}").ok();
            } else if (y - last).abs() > 0.004 {
                write!(path, "H{bin}V{y:.2}").ok();
            }
            last = if bin == 0 || (y - last).abs() > 0.004 { y } else { last };
        }
        write!(path, "H{}", self.values.len()).ok();
        if is_closed {
            path.push_str("V100H0Z");
        }
        path
    }

    /// On top of what is there already, which grows by this row.
    fn stack(&self, scale: &Scale, base: &mut [f64]) -> String {
        let mut path = String::new();
        let tops: Vec<_> =
            self.values.iter().zip(base.iter()).map(|(value, base)| base + value.unwrap_or(0.0)).collect();
        if self.shape == Shape::Area {
            for (bin, top) in tops.iter().enumerate() {
                let y = scale.y(*top);
                write!(path, "{}{bin} {y:.2}H{}", if bin == 0 { "M" } else { "L" }, bin + 1).ok();
            }
            for (bin, low) in base.iter().enumerate().take(tops.len()).rev() {
                write!(path, "L{} {:.2}H{bin}", bin + 1, scale.y(*low)).ok();
            }
            path.push('Z');
        } else {
            for (bin, (top, low)) in tops.iter().zip(base.iter()).enumerate() {
                if top > low {
                    let (high, low) = (scale.y(*top), scale.y(*low));
                    write!(path, "M{bin}.08 {low:.2}V{high:.2}h.84V{low:.2}Z").ok();
                }
            }
        }
        base.iter_mut().zip(tops).for_each(|(base, top)| *base = top);
        path
    }
}

/// A share of the drawing, as an attribute.
fn percent(hundredths: f64) -> String {
    let text = format!("{hundredths:.2}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
