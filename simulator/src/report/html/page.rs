//! What every page has: its frame, its verdict, its tables.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::{data::Verdict, format};

const STYLE: &str = include_str!("style.css");
/// Nothing is fetched from anywhere: the page has all it needs, and browsers are told so.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A whole page.
pub(super) fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}

/// A class of the style sheet.
pub(super) const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::ThresholdMissed => "missed",
        Verdict::InvariantBroken => "broken",
        Verdict::GoalNotReached => "unreached",
    }
}

/// The verdict in shape, colour and words.
pub(super) fn banner(verdict: Verdict, title: &str, why: &str) -> Markup {
    html! {
        div class=(format!("verdict {}", class(verdict))) role="status" {
            (icon(verdict))
            b { (title) }
            span { (why) }
        }
    }
}

/// A shape for each verdict: disc, triangle, octagon, open ring.
fn icon(verdict: Verdict) -> Markup {
    html! {
        svg viewBox="0 0 44 44" aria-hidden="true" fill="currentColor" {
            @match verdict {
                Verdict::Pass => {
                    circle cx="22" cy="22" r="20" {}
                    path d="M13 23l6.5 6.5L32 16" fill="none" stroke="var(--card)" stroke-width="4.5" {}
                }
                Verdict::ThresholdMissed => {
                    path d="M22 3 43 40H1Z" stroke="currentColor" stroke-linejoin="round" stroke-width="2" {}
                    path d="M22 15v13" stroke="var(--card)" stroke-width="4.5" {}
                    circle cx="22" cy="34" r="2.6" fill="var(--card)" {}
                }
                Verdict::InvariantBroken => {
                    path d="M14 2h16l12 12v16L30 42H14L2 30V14Z" {}
                    path d="M15 15l14 14M29 15 15 29" stroke="var(--card)" stroke-width="4.5" {}
                }
                Verdict::GoalNotReached => {
                    circle cx="22" cy="22" r="18" fill="none" stroke="currentColor" stroke-width="4"
                        stroke-dasharray="7 5" {}
                    circle cx="22" cy="22" r="5" {}
                }
            }
        }
    }
}

/// Yes or no, in shape, colour and a word.
pub(super) fn mark(is_good: bool, word: &str) -> Markup {
    let (class, sign) = if is_good { ("mark pass", "\u{2713}") } else { ("mark broken", "\u{2717}") };
    html! { span class=(class) { (sign) span { "\u{00a0}" (word) } } }
}

/// A key figure.
pub(super) fn tile(name: &str, value: &str, beside: &str) -> Markup {
    html! {
        div class="card" {
            dt { (name) }
            dd { (value) }
            @if !beside.is_empty() { dd { (beside) } }
        }
    }
}

/// What a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words.
    Words,
    /// Numbers.
    Number,
    /// Something a narrow screen can do without.
    Extra,
}

impl Kind {
    const fn class(self) -> Option<&'static str> {
        match self {
            Self::Words => None,
            Self::Number => Some("n"),
            Self::Extra => Some("n extra"),
        }
    }
}

/// A column of a table: its heading and what it holds.
pub(super) type Column<'a> = (&'a str, Kind);

/// Rows of a table under a heading of their own, if they have one. The first cell of a row names it.
pub(super) struct Rows {
    pub(super) heading: Option<Markup>,
    pub(super) rows: Vec<Vec<Markup>>,
}

/// A table that scrolls sideways when there is no room for it. The first cell of a row names it.
pub(super) fn table(caption: &str, columns: &[Column<'_>], rows: &[Vec<Markup>]) -> Markup {
    groups(caption, columns, &[Rows { heading: None, rows: rows.to_vec() }])
}

/// The same with groups of rows set apart.
pub(super) fn groups(caption: &str, columns: &[Column<'_>], groups: &[Rows]) -> Markup {
    let class = |place: usize| columns.get(place).and_then(|(_, kind)| kind.class());
    html! {
        div class="scroll card" tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead {
                    tr {
                        @for (place, (name, _)) in columns.iter().enumerate() {
                            th scope="col" class=[class(place)] { (name) }
                        }
                    }
                }
                @for group in groups {
                    tbody class="group" {
                        @if let Some(heading) = &group.heading {
                            tr { th class="heading" scope="rowgroup" colspan=(columns.len()) { (heading) } }
                        }
                        @for row in &group.rows {
                            tr {
                                @for (place, cell) in row.iter().enumerate() {
                                    @if place == 0 {
                                        th scope="row" class=[class(place)] { (cell) }
                                    } @else {
                                        td class=[class(place)] { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Plain text as a cell.
pub(super) fn text(text: impl AsRef<str>) -> Markup {
    html! { (text.as_ref()) }
}

/// A count as a cell; zero is quiet.
pub(super) fn figure(value: u64) -> Markup {
    html! {
        @if value == 0 { span class="soft" { "0" } } @else { (format::number(value)) }
    }
}

/// A bar from 0 to a value, and a stroke at its limit.
pub(super) fn gauge(value: f64, limit: f64, is_good: bool) -> Markup {
    let whole = (value.max(limit) * 1.1).max(f64::MIN_POSITIVE);
    let share = |value: f64| format!("{:.1}%", (value / whole * 100.0).clamp(0.0, 100.0));
    html! {
        svg aria-hidden="true" {
            rect class="mute" y="4" width="100%" height="6" rx="3" {}
            rect class=(if is_good { "fpass" } else { "fmissed" }) y="4" width=(share(value)) height="6" rx="3" {}
            line class="ink" x1=(share(limit)) x2=(share(limit)) y1="0" y2="14" {}
        }
    }
}

/// Names and what they are.
pub(super) fn facts(rows: &[(&str, String)]) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in rows {
                dt { (name) }
                dd { (value) }
            }
        }
    }
}

/// Inputs nobody has measured.
pub(super) fn assumptions(of: &std::collections::BTreeMap<String, String>) -> Markup {
    html! {
        @if !of.is_empty() {
            h2 id="assumptions" { "Assumed, not measured" }
            p { "The result is only as good as these inputs. Whoever can measure one should replace it." }
            (table(
                "Inputs and where they come from",
                &[("input", Kind::Words), ("source", Kind::Words)],
                &of.iter().map(|(key, source)| vec![html! { code { (key) } }, text(source)]).collect::<Vec<_>>(),
            ))
        }
    }
}
