//! Loading, refusing and writing scenarios.

use super::*;
use crate::oracle::goals::GOALS;

const HEAD: &str = "name = 'x'\nabout = 'x'\n[arrivals]\norders_per_day = 100\n";

/// What a text is refused for, a line each.
fn refused(text: &str) -> Vec<String> {
    match Scenario::parse(text, "x.toml") {
        Err(ScenarioError::Wrong(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?} for\n{text}"),
    }
}

/// The one mistake of what stands after the head, from line 5 on.
fn mistake(rest: &str) -> String {
    let mistakes = refused(&format!("{HEAD}{rest}"));
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    mistakes.into_iter().next().unwrap()
}

#[test]
fn a_scenario_needs_little() {
    let scenario = Scenario::parse(HEAD, "x.toml").unwrap();
    assert_eq!((scenario.accounts.len(), scenario.fleet.workers), (1, 20));
}

#[test]
fn an_unknown_key_is_refused_with_the_key_that_may_be_meant() {
    for (rest, expected) in [
        (
            "[errors]\ntemporry = 0.1",
            "line 6, `errors.temporry`: there is no such key: did you mean `errors.temporary`?",
        ),
        ("[error]\nx = 0.1", "line 5, `error`: there is no such key: did you mean `errors`?"),
        ("workers = 3", "line 5, `arrivals.workers`: there is no such key: did you mean `fleet.workers`?"),
        (
            "[render]\nlognormal = { mean = 3, mean_s = 3, sigma = 1 }",
            "line 6, `render.lognormal.mean`: there is no such key: did you mean `render.lognormal.mean_s`?",
        ),
        (
            "[[account]]\nname = 'a'\nrunning = 3",
            "line 7, `account[0].running`: there is no such key: did you mean `account[0].running_max`?",
        ),
        (
            "[[outage]]\nat = '12:00'\nminutes = 1\nwhat = 'silent'\n[[outage]]\nat = '13:00'\nminute = 1\nminutes = 1\nwhat = 'silent'",
            "line 11, `outage[1].minute`: there is no such key: did you mean `outage[1].minutes`?",
        ),
    ] {
        assert_eq!(mistake(rest), format!("x.toml, {expected}"), "{rest}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_in_plain_words() {
    for (rest, expected) in [
        (
            "[errors]\ntemporary = '8 %'",
            "line 6, `errors.temporary`: this is the wrong type: string \"8 %\", expected a number",
        ),
        (
            "[fleet]\nworkers = -5",
            "line 6, `fleet.workers`: this value is not possible: integer `-5`, expected a whole number, 0 or more",
        ),
        (
            "[[kill]]\nat = '25:00'",
            "line 6, `kill[0].at`: `25:00` is no time of day: write HH:MM or HH:MM:SS, from 00:00 to 24:00",
        ),
        ("[[kill]]\nprocess = 0", "line 5, `kill[0].at`: this key is missing"),
        (
            "[day.windows]\npeak = '22:00-20:00'",
            "line 6, `day.windows.peak`: the window 22:00-20:00 ends before it begins: windows lie within one day",
        ),
        (
            "[[outage]]\nat = '20:00'\nminutes = 20\nwhat = 'maintenence'",
            "line 8, `outage[0].what`: `maintenence` is not known here: did you mean `maintenance`?",
        ),
        (
            "process = 'poison'",
            "line 5, `arrivals.process`: `poison` is not known here: did you mean `poisson`?",
        ),
        (
            "[account]\nname = 'a'",
            "line 5, `account`: this is a list of tables: write two brackets, as [[account]]",
        ),
    ] {
        assert_eq!(mistake(rest), format!("x.toml, {expected}"), "{rest}");
    }
}

#[test]
fn what_cannot_happen_is_refused() {
    for (rest, expected) in [
        (
            "[errors]\ntemporary = -0.1",
            "line 6, `errors.temporary`: -0.1 is no share: write a number from 0 to 1, as 0.08 for 8 %",
        ),
        (
            "[errors]\ntemporary = 8",
            "line 6, `errors.temporary`: 8 is no share: write a number from 0 to 1, as 0.08 for 8 %",
        ),
        (
            "[errors]\ntemporary = nan",
            "line 6, `errors.temporary`: NaN is no share: write a number from 0 to 1, as 0.08 for 8 %",
        ),
        (
            "[errors]\ntemporary = 0.6\ndead_link = 0.5",
            "line 5, `errors`: temporary, dead_link are shares of the same tasks and add up to 1.1: at most 1",
        ),
        ("size = { 2 = 1, 1 = 1 }", "line 5, `arrivals.size.2`: no order has 2 videos: write 1, 3 or 5"),
        (
            "size = { 1 = 0 }",
            "line 5, `arrivals.size`: no weight is more than 0, so there is nothing to choose from",
        ),
        ("size = { 1 = -1 }", "line 5, `arrivals.size.1`: -1 is no weight: write 0 or more"),
        (
            "template = { ugk = 1 }",
            "line 5, `arrivals.template.ugk`: there is no template `ugk`: write ugc, ad or own",
        ),
        (
            "curve = [['00:00', 1], ['20:00', 2],\n  ['09:00', 1]]",
            "line 6, `arrivals.curve[2]`: 09:00 does not come after 20:00: write the curve in the order of the day",
        ),
        ("curve = [['00:00', inf]]", "line 5, `arrivals.curve[0]`: inf is no weight: write 0 or more"),
        ("[users]\ncount = 0", "line 6, `users.count`: somebody has to order: write 1 or more"),
        (
            "[day]\nfrom = '12:00'\nto = '12:00'",
            "line 7, `day.to`: the day ends at 12:00 before it begins at 12:00: orders lie within one day",
        ),
        (
            "[day]\ntimezone = 'Europe/Berlin'",
            "line 6, `day.timezone`: `Europe/Berlin` is no time zone known here: write Europe/Moscow, UTC, or an offset such as +03:00",
        ),
        (
            "[day]\ndate = '2026-02-30'",
            "line 6, `day.date`: `2026-02-30` is no date: write YYYY-MM-DD, from 2000-01-01 to 2099-12-31",
        ),
        (
            "[fleet]\nworkers = 0",
            "line 6, `fleet.workers`: without a worker nothing happens: write 1 or more",
        ),
        (
            "[fleet]\nprocesses = 0",
            "line 6, `fleet.processes`: without a process nothing happens: write 1 or more",
        ),
        (
            "[fleet]\nworkers = 2\nprocesses = 3",
            "line 6, `fleet.workers`: 2 workers cannot be shared out among 3 processes: write at least as many",
        ),
        (
            "[fleet]\nlease_s = 0",
            "line 6, `fleet.lease_s`: 0 is too short or no time: write seconds, more than 0 and at most 86400",
        ),
        (
            "[model]\npoll_every_s = 0",
            "line 6, `model.poll_every_s`: 0 is too short or no time: write seconds, more than 0 and at most 86400",
        ),
        ("[model]\nid = 'sora2'", "line 6, `model.id`: there is no model `sora2`: did you mean `sora-2`?"),
        ("[latency]\nlook_s = -1", "line 6, `latency.look_s`: -1 is no time: write seconds, from 0 to 86400"),
        (
            "[[account]]\nname = 'a'\n[[account]]\nname = 'a'",
            "line 8, `account[1].name`: there is an account `a` already: give it another name",
        ),
        (
            "[[account]]\nkeys = 1",
            "line 5, `account[0].name`: an account needs a name of Latin letters, digits, - or _",
        ),
        (
            "[[account]]\nname = 'a'\ncredits = -1",
            "line 7, `account[0].credits`: -1 is no balance: write 0 or more, at most 1000000000000",
        ),
        (
            "[render]\nfixed_s = 3\nexponential_mean_s = 3",
            "line 5, `render`: fixed_s and exponential_mean_s are given: renders have one distribution",
        ),
        ("[render]\nlognormal = { sigma = 1 }", "line 6, `render.lognormal`: write mean_s or median_s"),
        (
            "[render]\nlognormal = { mean_s = 1, median_s = 1, sigma = 1 }",
            "line 6, `render.lognormal`: mean_s and median_s are given: write one of them",
        ),
        (
            "[render.lognormal]\nmean_s = 1\nsigma = -1",
            "line 7, `render.lognormal.sigma`: -1 is no such deviation: write 0 to 5",
        ),
        (
            "[day]\nto = '12:00'\n[[outage]]\nat = '20:00'\nminutes = 1\nwhat = 'gateway'",
            "line 8, `outage[0].at`: 20:00 is outside the day, which lasts from 00:00 to 12:00",
        ),
        (
            "[[outage]]\nat = '20:00'\nminutes = 1\nwhat = 'no-credits'\naccount = 'frist'",
            "line 9, `outage[0].account`: there is no account `frist`: did you mean `first`?",
        ),
        (
            "[[outage]]\nat = '20:00'\nminutes = 0\nwhat = 'gateway'",
            "line 7, `outage[0].minutes`: 0 is no duration: write minutes, more than 0 and at most 1440",
        ),
        (
            "[[kill]]\nat = '20:00'\nprocess = 1",
            "line 7, `kill[0].process`: there is no process 1: they are numbered from 0 to 0",
        ),
        (
            "[crashes]\nper_hour = -1",
            "line 6, `crashes.per_hour`: -1 is no rate: write kills an hour, from 0 to 3600",
        ),
        (
            "[llm]\nslow = 0.1",
            "line 5, `llm.slow_s`: some calls are slow, and this says they take no time: write seconds",
        ),
        (
            "[thresholds]\nwait = ['max < 3']",
            "line 6, `thresholds.wait[0]`: there is no metric `wait`: did you mean `wait_s`?",
        ),
        (
            "[thresholds]\n'wait_s{window=peek}' = ['max < 3']",
            "line 6, `thresholds.\"wait_s{window=peek}\"`: there is no window `peek`: did you mean `peak`?",
        ),
        (
            "[day]\nto = '12:00'\n[thresholds]\n'wait_s{window=peak}' = ['max < 3']",
            "line 8, `thresholds.\"wait_s{window=peak}\"`: the window `peak` (20:00-22:00) lies outside the day, which lasts from 00:00 to 12:00",
        ),
        (
            "[thresholds]\n'in_flight{account=frist}' = ['max < 3']",
            "line 6, `thresholds.\"in_flight{account=frist}\"`: there is no account `frist`: did you mean `first`?",
        ),
        (
            "[assumptions]\n'errors.temporry' = 'x'",
            "line 6, `assumptions.\"errors.temporry\"`: there is no key `errors.temporry`: did you mean `errors.temporary`?",
        ),
    ] {
        assert_eq!(mistake(rest), format!("x.toml, {expected}"), "{rest}");
    }
}

#[test]
fn numbers_of_orders_nobody_can_simulate_are_refused() {
    for (orders, expected) in [
        ("-5", "-5 orders are none: write more than 0"),
        ("0", "0 orders are none: write more than 0"),
        ("nan", "NaN orders are none: write more than 0"),
        ("6_000_000", "6000000 orders are more than can be simulated: at most 5000000"),
    ] {
        let text = format!("name = 'x'\nabout = 'x'\n[arrivals]\norders_per_day = {orders}");
        assert_eq!(refused(&text), [format!("x.toml, line 4, `arrivals.orders_per_day`: {expected}")]);
    }
}

#[test]
fn an_empty_list_of_accounts_is_refused() {
    let found = refused("name = 'x'\nabout = 'x'\naccount = []\n[arrivals]\norders_per_day = 1");
    assert_eq!(
        found,
        ["x.toml, line 3, `account`: without an account nothing is rendered: write one [[account]]"]
    );
}

#[test]
fn an_unknown_goal_is_refused_with_the_one_that_may_be_meant() {
    let text = "name = 'x'\nabout = 'x'\ngoals = [\n  'outage_survived',\n  'double_tap_dedup',\n]\n[arrivals]\norders_per_day = 1";
    let expected = "x.toml, line 5, `goals[1]`: there is no goal `double_tap_dedup`: did you mean \
                    `double_tap_deduplicated`?";
    assert_eq!(refused(text), [expected]);
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let found = refused("name = 'x'\nabout = \n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("x.toml, line 2: this is not TOML: "), "{found:?}");
    let twice = refused("name = 'x'\nabout = 'x'\nname = 'y'\n");
    assert!(twice[0].starts_with("x.toml, line 3: this is not TOML: duplicate key"), "{twice:?}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_the_order_of_the_lines() {
    let found = refused(
        "name = 'x'\nabout = 'x'\n[arrivals]\norders_per_day = 'many'\n[fleet]\nworkrs = 3\nprocesses = 'two'\n\
         [errors]\ntemporary = 2\n[[outage]]\nat = '20:00'\nminutes = 3\nwhat = 'flood'",
    );
    let places: Vec<_> = found.iter().filter_map(|line| line.split('`').nth(1)).collect();
    assert_eq!(
        places,
        ["arrivals.orders_per_day", "fleet.workrs", "fleet.processes", "errors.temporary", "outage[0].what"]
    );
}

#[test]
fn a_missing_section_is_told_once() {
    assert_eq!(refused("name = 'x'\nabout = 'x'"), ["x.toml, line 1, `arrivals`: this key is missing"]);
}

#[test]
fn a_scenario_changed_by_a_program_is_checked_without_lines() {
    let mut scenario = Scenario::load("smoke").unwrap().scenario;
    assert!(scenario.check("sweep").is_ok());
    scenario.fleet.workers = 0;
    let error = scenario.check("sweep").unwrap_err().to_string();
    assert_eq!(error, "sweep, `fleet.workers`: without a worker nothing happens: write 1 or more");
}

#[test]
fn every_built_in_scenario_loads_under_its_own_name() {
    for builtin in BUILT_IN {
        let loaded = Scenario::load(builtin.name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.scenario.name, builtin.name);
        assert!(loaded.text.starts_with("# "), "{}: the first line says what it answers", builtin.name);
        assert!(loaded.hash.len() == 12 && loaded.hash.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(!loaded.scenario.assumptions.is_empty(), "{}", builtin.name);
    }
}

#[test]
fn a_name_that_is_not_built_in_is_refused_with_one_that_is() {
    let error = Scenario::load("evening-peek").unwrap_err().to_string();
    assert_eq!(
        error,
        "no scenario `evening-peek` comes with the simulator: did you mean `evening-peak`?; a file is named with \
         its ending, as evening-peek.toml"
    );
    let error = Scenario::load("no/such.toml").unwrap_err().to_string();
    assert!(error.starts_with("scenario file no/such.toml cannot be read: "), "{error}");
}

#[test]
fn a_file_is_loaded_like_a_built_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let built_in = Scenario::load("crash-storm").unwrap();
    std::fs::write(&path, &built_in.text).unwrap();
    let loaded = Scenario::load(path.to_str().unwrap()).unwrap();
    assert_eq!((loaded.scenario, loaded.hash), (built_in.scenario, built_in.hash));
}

#[test]
fn a_scenario_that_is_written_reads_back_as_the_same() {
    let mut all: Vec<_> = BUILT_IN.iter().map(|b| Scenario::load(b.name).unwrap().scenario).collect();
    all.push(Scenario::parse(HEAD, "x").unwrap());
    // What a reduction leaves: empty where the default is not.
    let mut reduced = Scenario::load("swarm").unwrap().scenario;
    reduced.day.windows.clear();
    reduced.goals.clear();
    reduced.thresholds.clear();
    reduced.outages.truncate(1);
    reduced.kills.clear();
    reduced.errors = Errors { temporary: 0.123_456_789, ..Errors::default() };
    reduced.arrivals.size = [("5".to_owned(), 1.0)].into();
    all.push(reduced);
    for scenario in all {
        let text = scenario.to_toml();
        let back = Scenario::parse(&text, "written").unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(back, scenario, "{text}");
    }
}

#[test]
fn any_shares_are_written_exactly() {
    let mut scenario = Scenario::load("swarm").unwrap().scenario;
    for seed in 0..100 {
        scenario.errors.temporary = crate::time::chance(seed, "temporary") / 4.0;
        scenario.crashes.per_hour = crate::time::chance(seed, "crashes") * 100.0;
        scenario.latency.look_s = crate::time::chance(seed, "look") / 1e6;
        let back = Scenario::parse(&scenario.to_toml(), "written").unwrap();
        assert_eq!(back, scenario, "seed {seed}");
    }
}

#[test]
fn no_mutilated_scenario_goes_unexplained() {
    let text = Scenario::load("swarm").unwrap().text;
    let lines: Vec<_> = text.lines().collect();
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().join("\n");
    let cut = |n: usize| text.chars().take(n * 7).collect::<String>();
    let blanked = |n: usize| text.replacen(lines[n], &format!("{} x", lines[n]), 1);
    let all = (0..lines.len()).flat_map(|n| [without(n), cut(n), blanked(n)]);
    for text in all {
        if let Err(error) = Scenario::parse(&text, "x.toml") {
            let ScenarioError::Wrong(mistakes) = error else { panic!("{error}") };
            assert!(!mistakes.is_empty(), "{text}");
            for mistake in mistakes {
                let line = mistake.line.unwrap();
                assert!(line >= 1 && line <= text.lines().count() + 1, "{mistake}\n{text}");
                assert!(!mistake.problem.is_empty() && !mistake.problem.contains('\n'), "{mistake}");
            }
        }
    }
}

#[test]
fn a_written_scenario_leaves_out_what_is_the_default() {
    let text = Scenario::parse(HEAD, "x").unwrap().to_toml();
    assert_eq!(
        text,
        "about = \"x\"\nname = \"x\"\n\n[[account]]\nname = \"first\"\n\n[arrivals]\norders_per_day = 100.0\n"
    );
}

#[test]
fn every_goal_of_the_list_is_in_the_swarm() {
    let swarm = Scenario::load("swarm").unwrap().scenario;
    assert!(GOALS.iter().all(|(goal, _)| swarm.goals.iter().any(|name| name == goal)));
}

#[test]
fn the_peak_has_the_share_of_orders_its_scenario_promises() {
    let scenario = Scenario::load("ordinary-day").unwrap().scenario;
    let orders = OrderRate::of(&scenario.arrivals).orders_between(DayWindow::PEAK.from, DayWindow::PEAK.to);
    assert!((orders - 350.0).abs() < 1e-6, "{orders}");
    let swarm = Expected::of(&Scenario::load("swarm").unwrap().scenario);
    assert!((swarm.orders - 60.0).abs() < 1.0, "{}", swarm.orders);
    let million = Expected::of(&Scenario::load("launch-million").unwrap().scenario);
    assert!(million.videos() > 1_000_000.0);
}
