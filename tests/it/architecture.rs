//! What the house does not contain, proved by looking.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every file below `folder` (relative to the root) whose name ends in one of `endings`.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// `file:line: text` of every line of those files that `is_wrong`, tests beside the code left out.
fn lines(files: &[PathBuf], is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let name = file.strip_prefix(root()).unwrap().display();
        let code = text.lines().take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"));
        let wrong = code.enumerate().filter(|(_, line)| is_wrong(line));
        found.extend(wrong.map(|(n, line)| format!("{name}:{}: {}", n + 1, line.trim())));
    }
    found
}

fn dependencies(package: &str, table: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    manifest
        .get(table)
        .and_then(toml::Value::as_table)
        .map(|t| t.keys().cloned().collect())
        .unwrap_or_default()
}

const PACKAGES: [&str; 6] = ["domain", "ports", "adapters", "app", "simulator", "tests"];

#[test]
fn the_domain_depends_on_std_and_thiserror_alone() {
    assert_eq!(dependencies("domain", "dependencies"), BTreeSet::from(["thiserror".to_owned()]));
}

#[test]
fn dependencies_point_one_way() {
    let allowed = [
        ("domain", &[][..]),
        ("ports", &["domain"][..]),
        ("adapters", &["domain", "ports"][..]),
        ("app", &["domain", "ports", "adapters"][..]),
        ("simulator", &["domain", "ports", "adapters", "app"][..]),
    ];
    for (package, may) in allowed {
        for other in dependencies(package, "dependencies") {
            let is_ours = PACKAGES.contains(&other.as_str());
            assert!(!is_ours || may.contains(&other.as_str()), "{package} must not know {other}");
        }
    }
}

fn is_of_the_composition(file: &Path) -> bool {
    file.ends_with("app/src/compose.rs")
        || file.parent().is_some_and(|folder| folder.ends_with("app/src/compose"))
}

#[test]
fn only_the_composition_root_names_adapters() {
    let sources: Vec<_> =
        files("app/src", &[".rs"]).into_iter().filter(|f| !is_of_the_composition(f)).collect();
    let found = lines(&sources, |line| line.contains("adapters::") && !line.trim_start().starts_with("//"));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn statements_take_time_as_a_parameter() {
    let mut sources = files("migrations", &[".sql"]);
    sources.extend(files("adapters/src/postgres", &[".rs", ".sql"]));
    let clocks = ["now()", "current_timestamp", "clock_timestamp", "localtimestamp", "statement_timestamp"];
    let found = lines(&sources, |line| {
        let line = line.to_lowercase();
        clocks.iter().any(|clock| line.contains(clock) && !line.contains(&format!("::{clock}")))
    });
    // The trigger that records what an operator typed: psql gives it no other clock.
    let unexpected: Vec<_> =
        found.iter().filter(|line| !line.starts_with("migrations/0001_create_ledger.sql")).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn wire_formats_live_in_adapters() {
    let mut sources = files("domain/src", &[".rs"]);
    sources.extend(files("ports/src", &[".rs"]));
    sources.extend(files("app/src/services", &[".rs"]));
    sources.extend(files("app/src/workers", &[".rs"]));
    let found = lines(&sources, |line| {
        ["serde", "reqwest", "sqlx"].iter().any(|word| line.contains(&format!("{word}::")))
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn texts_for_users_live_in_the_texts() {
    let mut sources = Vec::new();
    for package in ["domain/src", "ports/src", "adapters/src", "app/src"] {
        sources.extend(files(package, &[".rs"]));
    }
    sources.retain(|file| {
        let name = file.to_string_lossy().into_owned();
        // `prompt.rs` recognises a language model's refusal in Russian; it says nothing to anybody.
        !name.contains("/texts/")
            && !name.ends_with("domain/src/prompt.rs")
            && !name.contains("tests")
            && !name.contains("fixtures")
    });
    let found = lines(&sources, |line| {
        let code = line.split("//").next().unwrap_or_default();
        code.chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c))
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_left_undone() {
    let mut sources = Vec::new();
    for package in PACKAGES {
        sources.extend(files(package, &[".rs"]));
    }
    let words = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    let found = lines(&sources, |line| words.iter().any(|word| line.contains(word)));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_source_file_belongs_to_its_crate() {
    let mut orphans = Vec::new();
    for folder in ["domain/src", "ports/src", "adapters/src", "app/src", "simulator/src", "tests/it"] {
        for file in files(folder, &[".rs"]) {
            let (parent, stem) =
                (file.parent().unwrap(), file.file_stem().unwrap().to_string_lossy().into_owned());
            // `x/mod.rs` is declared above `x`; `x/y.rs` in `x/mod.rs`, or in `x.rs` beside the folder.
            let (parent, name) = if stem == "mod" {
                (parent.parent().unwrap(), parent.file_name().unwrap().to_string_lossy().into_owned())
            } else {
                (parent, stem)
            };
            if ["lib", "main"].contains(&name.as_str()) {
                continue;
            }
            let beside = parent.with_extension("rs");
            let mut above = ["mod.rs", "lib.rs", "main.rs"].map(|above| parent.join(above)).to_vec();
            above.push(beside);
            let declaration = format!("mod {name};");
            let declares = |above: &PathBuf| {
                fs::read_to_string(above)
                    .is_ok_and(|text| text.lines().any(|line| line.trim().ends_with(&declaration)))
            };
            if !above.iter().any(declares) {
                orphans.push(file.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    assert!(orphans.is_empty(), "never compiled: {orphans:#?}");
}

#[test]
fn a_file_is_short_enough_to_read() {
    let mut sources = Vec::new();
    for package in PACKAGES {
        sources.extend(files(package, &[".rs"]));
    }
    let long: Vec<_> = sources
        .iter()
        .filter(|file| fs::read_to_string(file).unwrap().lines().count() > 600)
        .map(|file| file.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    assert!(long.is_empty(), "over 600 lines: {long:#?}");
}

#[test]
fn every_law_named_in_contributing_has_its_test() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let laws =
        text.split("## The laws").nth(1).expect("a section on the laws").split("\n## ").next().unwrap();
    let mut sources = String::new();
    for package in PACKAGES {
        for file in files(package, &[".rs"]) {
            sources.push_str(&fs::read_to_string(file).unwrap());
        }
    }
    let rows: Vec<_> = laws.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert!(rows.len() > 20, "the table of laws is there");
    let named = rows.iter().flat_map(|row| row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    let missing: Vec<_> = named.filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}
