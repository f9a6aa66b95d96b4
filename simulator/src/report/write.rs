//! The files of a report.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    campaign::CampaignReport,
    compare::Comparison,
    data::RunReport,
    html::{campaign_page, comparison_page, run_page, sweep_page, what_if_page},
    json::to_json,
    junit::{campaign_to_junit, to_junit},
    sweep::{SweepTable, WhatIfTable},
};

/// Writes `report.html`, `report.json` and `junit.xml` into a folder, which is made if need be, and returns their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(dir: &Path, report: &RunReport) -> io::Result<Vec<PathBuf>> {
    write_with_baseline(dir, report, None)
}

/// The same with what moved since a baseline.
///
/// # Errors
/// When a file cannot be written.
pub fn write_with_baseline(
    dir: &Path,
    report: &RunReport,
    baseline: Option<&Comparison>,
) -> io::Result<Vec<PathBuf>> {
    let files = [
        ("report.html", run_page(report, baseline)),
        ("report.json", to_json(report)?),
        ("junit.xml", to_junit(report)?),
    ];
    write(dir, files)
}

/// Writes `campaign.html`, `campaign.json` and `junit.xml` into a folder, and returns their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write_campaign(
    dir: &Path,
    report: &CampaignReport,
    baseline: Option<&Comparison>,
) -> io::Result<Vec<PathBuf>> {
    let files = [
        ("campaign.html", campaign_page(report, baseline)),
        ("campaign.json", to_json(report)?),
        ("junit.xml", campaign_to_junit(report)?),
    ];
    write(dir, files)
}

/// Writes `sweep.html` and `sweep.json` into a folder, and returns their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write_sweep(dir: &Path, table: &SweepTable) -> io::Result<Vec<PathBuf>> {
    write(dir, [("sweep.html", sweep_page(table)), ("sweep.json", to_json(table)?)])
}

/// Writes `what-if.html` and `what-if.json` into a folder, and returns their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write_what_if(dir: &Path, table: &WhatIfTable) -> io::Result<Vec<PathBuf>> {
    write(dir, [("what-if.html", what_if_page(table)), ("what-if.json", to_json(table)?)])
}

/// Writes `compare.html` and `compare.json` into a folder, and returns their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write_comparison(dir: &Path, comparison: &Comparison) -> io::Result<Vec<PathBuf>> {
    write(dir, [("compare.html", comparison_page(comparison)), ("compare.json", to_json(comparison)?)])
}

fn write<const N: usize>(dir: &Path, files: [(&str, String); N]) -> io::Result<Vec<PathBuf>> {
    let named =
        |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    fs::create_dir_all(dir).map_err(|error| named(dir, error))?;
    let mut written = Vec::new();
    for (name, text) in files {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|error| named(&path, error))?;
        written.push(path);
    }
    Ok(written)
}
