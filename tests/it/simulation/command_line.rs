//! The simulator's command line: a scenario that cannot be is refused before anything runs.

use std::process::{Command, Stdio};

/// Runs a scenario's text, and returns the exit code and what was said.
fn run(text: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine.toml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_kadr-sim-under-test"))
        .args(["run", "mine.toml", "--mode", "model"])
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is written: {left:?}");
    (output.status.code(), said)
}

#[test]
fn a_scenario_that_cannot_be_is_refused_with_the_line_and_what_to_write() {
    const HEAD: &str = "name = 'mine'\nabout = 'mine'\n[arrivals]\norders_per_day = 100\n";
    for (rest, names) in [
        // A typo.
        ("[errors]\ntemporry = 0.1", ["line 6", "`errors.temporry`", "did you mean `errors.temporary`?"]),
        // A negative rate, and one that is too high.
        ("[errors]\ntemporary = -0.1", ["line 6", "`errors.temporary`", "write a number from 0 to 1"]),
        ("[errors]\nbilling = 8", ["line 6", "`errors.billing`", "as 0.08 for 8 %"]),
        // An impossible window.
        ("[day.windows]\npeak = '22:00-20:00'", ["line 6", "`day.windows.peak`", "ends before it begins"]),
        // An unknown fault.
        (
            "[[outage]]\nat = '20:00'\nminutes = 20\nwhat = 'maintenence'",
            ["line 8", "`outage[0].what`", "did you mean `maintenance`?"],
        ),
        // A metric nobody measures.
        ("[thresholds]\nwait = ['p(95) < 60']", ["line 6", "`thresholds.wait[0]`", "did you mean `wait_s`?"]),
    ] {
        let (code, said) = run(&format!("{HEAD}{rest}"));
        assert_eq!(code, Some(4), "{rest}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "one mistake, one line: {said}");
        for name in names.into_iter().chain(["mine.toml"]) {
            assert!(said.contains(name), "{rest}: no `{name}` in: {said}");
        }
    }
}

#[test]
fn every_mistake_of_a_scenario_is_told_at_once() {
    let text = "name = 'mine'\nabout = 'mine'\n[arrivals]\norders_per_day = -5\n[fleet]\nworkrs = 3\n";
    let (code, said) = run(text);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("line 4") && said.contains("line 6"), "{said}");
}
