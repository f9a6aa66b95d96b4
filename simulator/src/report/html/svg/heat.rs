//! A heat map of a sweep.

use maud::{Markup, html};

use super::percent;
use crate::report::{format, sweep::SweepTable};

/// Upper edges of the shades, in seconds of waiting; the darkest has none.
pub(in crate::report::html) const SHADES: [f64; 5] = [5.0, 30.0, 120.0, 600.0, 3_600.0];

const ROW: u32 = 44;
const COLUMN: u32 = 98;

/// The shade of a wait, from 0.
pub(in crate::report::html) fn shade(seconds: f64) -> usize {
    SHADES.iter().take_while(|edge| seconds > **edge).count()
}

/// Accounts downwards, workers to the right; a tick where enough seeds pass, a frame around the smallest of those.
pub(in crate::report::html) fn heat_map(table: &SweepTable) -> Markup {
    let columns = u32::try_from(table.workers.len()).unwrap_or(0) + 1;
    let rows = u32::try_from(table.accounts.len()).unwrap_or(0) + 1;
    let (width, height) = (100.0 / f64::from(columns), rows * ROW);
    let x = |column: usize, within: f64| {
        percent((f64::from(u32::try_from(column).unwrap_or(0)) + 1.0 + within) * width)
    };
    let y = |row: usize| (u32::try_from(row).unwrap_or(0) + 1) * ROW;
    let label = "95th percentile of the wait in the main window, by workers and accounts; the table below has the \
                 same numbers";
    html! {
        div class="scroll card" {
            svg class="heat" role="img" aria-label=(label) width="100%" height=(height)
                style=(format!("min-width:{}px;display:block", columns * COLUMN)) {
                text class="head" x=(percent(width / 2.0)) y=(ROW / 2) { "accounts" }
                @for (column, workers) in table.workers.iter().enumerate() {
                    text class="head" x=(x(column, 0.5)) y=(ROW / 2) { (workers) }
                }
                @for (row, accounts) in table.accounts.iter().enumerate() {
                    text class="head" x=(percent(width / 2.0)) y=(y(row) + ROW / 2) { (accounts) }
                    @for (column, workers) in table.workers.iter().enumerate() {
                        @if let Some(cell) = table.cell(*workers, *accounts) {
                            @let wait = cell.p95_wait_s_median;
                            @let shade = wait.map_or(0, shade);
                            @let told = wait.map_or_else(|| "\u{2013}".to_owned(), format::duration);
                            @let is_enough = cell.is_enough(table.required_share);
                            rect class=(format!("h{shade}")) x=(x(column, 0.0)) y=(y(row)) width=(percent(width))
                                height=(ROW) {
                                title {
                                    (workers) " workers, " (accounts) " accounts: " (told) ", "
                                    (cell.passed) " of " (cell.seeds) " seeds pass"
                                }
                            }
                            text class=(format!("on{shade}")) x=(x(column, 0.5)) y=(y(row) + ROW / 2)
                                pointer-events="none" {
                                (told) @if is_enough { " \u{2713}" }
                            }
                        }
                    }
                }
                @if let Some((workers, accounts)) = table.smallest {
                    @let column = table.workers.iter().position(|n| *n == workers).unwrap_or(0);
                    @let row = table.accounts.iter().position(|n| *n == accounts).unwrap_or(0);
                    rect class="best" x=(x(column, 0.0)) y=(y(row)) width=(percent(width)) height=(ROW) {}
                }
            }
        }
    }
}
