//! The commands over a bench whose runs are made up.

use clap::{CommandFactory, Parser};

use super::*;
use crate::search::{
    Tried,
    fake::{self, Fake, broken},
};

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// Breaks `holds` with seed 3, and nothing else.
struct Made;

impl Bench for Made {
    fn scenario(&self, name: &str) -> Result<Scenario, String> {
        if name == "none" { Err("there is no scenario `none`".to_owned()) } else { Ok(fake::scenario()) }
    }

    fn runner(&self, mode: Mode) -> Result<Box<dyn Runner + '_>, String> {
        let runner = Fake::new(|_, seed, mutant| {
            let broken = if seed == 3 || mutant.is_some() { vec![broken("holds")] } else { Vec::new() };
            let goals = [("a", 1), ("b", 1)].into();
            Ok(Tried { broken, goals, timeline_digest: seed.into(), ..Tried::default() })
        });
        Ok(Box::new(runner.in_mode(mode)))
    }
}

fn ends(line: &str) -> Result<Verdict, SearchError> {
    let line = Line::try_parse_from(["sim"].into_iter().chain(line.split(' '))).unwrap();
    run(&line.command, &Made)
}

#[test]
fn the_command_line_is_sound_and_every_command_has_examples() {
    Line::command().debug_assert();
    for command in Line::command().get_subcommands() {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(after.contains("cargo sim") && after.contains("Exit code"), "{}", command.get_name());
    }
}

#[test]
fn every_command_ends_with_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (json, out) = (path("sweep.json"), path("kept"));
    for (line, verdict) in [
        ("campaign any --seeds 2", Verdict::Pass),
        ("campaign any --seeds 3 --swarm", Verdict::InvariantBroken),
        (&format!("sweep any --workers 5,10 --accounts 1 --seeds 2 --json {json}"), Verdict::Pass),
        ("what-if any --seeds 2", Verdict::Pass),
        ("meta any --seeds 2", Verdict::Pass),
        ("modes any --seeds 2", Verdict::Pass),
        ("mutants --list", Verdict::Pass),
        ("mutants reaper-off limit-ignored", Verdict::Pass),
        (&format!("shrink any --seed 3 --out {out}"), Verdict::InvariantBroken),
        (&format!("replay {out}/failure.json"), Verdict::InvariantBroken),
    ] {
        assert_eq!(ends(line).unwrap(), verdict, "{line}");
    }
    assert!(fs::read_to_string(json).unwrap().contains("\"smallest\""));
}

#[test]
fn what_cannot_be_done_is_said() {
    let said = |line| ends(line).unwrap_err().to_string();
    assert_eq!(said("campaign none"), "there is no scenario `none`");
    assert_eq!(said("shrink any --seed 4"), "seed 4 breaks no invariant: there is nothing to shrink");
    assert!(said("replay nowhere.json").contains("nowhere.json cannot be read"));
}
