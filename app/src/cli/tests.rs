use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
};

use super::*;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Exit code, stdout and stderr of a command line that needs no database.
fn run(args: &[&str]) -> (u8, String, String) {
    let (results, notes) = (Page::default(), Page::default());
    let mut out = Output::new(Box::new(results.clone()), Box::new(notes.clone()));
    let code = run_with(["kadr"].iter().chain(args).map(OsString::from), &mut out);
    (code, results.text(), notes.text())
}

/// Exit code, stdout and stderr of `kadr classify` on some input.
fn classify(args: &[&str], input: &str) -> (u8, String, String) {
    let (results, notes) = (Page::default(), Page::default());
    let mut out = Output::new(Box::new(results.clone()), Box::new(notes.clone()));
    let cli = Cli::try_parse_from(["kadr", "classify"].iter().chain(args)).unwrap();
    out.set_json(cli.json);
    let Command::Classify(command) = cli.command else { panic!("not classify") };
    let ended = classify::run(&command, &mut input.as_bytes(), &mut out);
    let code = out.finish(ended);
    (code, results.text(), notes.text())
}

const PNG: &[u8] = crate::fixtures::PNG;

fn order<'a>(photo: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["order", "--user", "5", "--template", "ugc", "--photo", photo.to_str().unwrap()];
    args.extend(more);
    args
}

#[test]
fn bad_input_is_one_line_with_the_fix_and_exit_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let good = file("good.png", PNG);
    let text = file("text.jpg", b"hello");
    let empty = file("empty.jpg", b"");
    let big = dir.path().join("big.jpg");
    std::fs::File::create(&big).unwrap().set_len(30_000_000).unwrap();
    let missing = dir.path().join("missing.jpg");
    let long = "a".repeat(20_000);
    let usual = ["--brief", "a mug", "--count", "1"];
    for (args, part) in [
        (order(&text, &usual), "send a JPEG, PNG or WebP photo"),
        (order(&empty, &usual), "0 bytes"),
        (order(&big, &usual), "30000000 bytes and at most 20971520"),
        (order(&missing, &usual), "give the path of a JPEG, PNG or WebP file"),
        (order(dir.path(), &usual), "is a folder"),
        (order(&good, &["--brief", &long, "--count", "1"]), "20000 characters and at most 4096"),
        (order(&good, &["--brief", " ", "--count", "1"]), "the brief is empty"),
        (order(&good, &["--brief", "a mug", "--count", "2"]), "choose 1, 3 or 5"),
        (order(&good, &["--brief", "a mug", "--count", "1", "--model", "sora-9"]), "choose one of "),
        (order(&good, &["--brief", "a mug"]), "--count <1|3|5> (see `kadr order --help`)"),
        (vec!["order", "--template", "film"], "choose ugc, ad or own"),
        (vec!["credits", "grant", "--user", "-5", "--amount", "1"], "a positive number"),
        (vec!["credits", "grant", "--user", "5", "--amount", "0"], "at least 1 credit"),
        (vec!["jobs", "list", "--state", "broken"], "choose one of queued, "),
        (vec!["jobs", "show", "abc"], "32 hexadecimal digits"),
        (vec!["--config", "/nonexistent.toml", "models"], "--config or KADR_CONFIG"),
        (vec!["ordr"], "order"),
    ] {
        let (code, stdout, stderr) = run(&args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(part), "{part}: {stderr}");
    }
}

#[test]
fn help_and_version_are_answers() {
    for args in [["--help"], ["--version"]] {
        let (code, stdout, stderr) = run(&args);
        assert!(code == 0 && stdout.contains("kadr") && stderr.is_empty());
    }
    let (code, stdout, stderr) = run(&[]);
    assert!(code == 2 && stdout.is_empty() && stderr.contains("Usage: kadr"));
}

#[test]
fn models_are_listed_for_people_and_for_programs() {
    let (code, stdout, _) = run(&["models"]);
    assert!(code == 0 && stdout.contains("* sora-2 "), "{stdout}");
    let (_, stdout, _) = run(&["--json", "models"]);
    let models: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(models["models"].as_array().unwrap().iter().filter(|m| m["default"] == true).count(), 1);
}

#[test]
fn every_given_message_is_classified_and_keeps_its_other_fields() {
    let given = include_str!("../../../domain/tests/fixtures/kie-errors.jsonl");
    let (code, stdout, stderr) = classify(&["--jsonl"], given);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout.lines().count(), given.lines().count());
    for (asked, judged) in given.lines().zip(stdout.lines()) {
        let asked: serde_json::Value = serde_json::from_str(asked).unwrap();
        let judged: serde_json::Value = serde_json::from_str(judged).unwrap();
        for (field, value) in asked.as_object().unwrap() {
            assert_eq!(&judged[field], value, "{field} of {judged}");
        }
        assert!(judged["detail"].is_string() && judged["rule"].is_string());
    }
}

#[test]
fn numbers_may_be_texts_and_fields_may_be_missing() {
    let input =
        "{\"code\": \"402\"}\n\n{\"http_status\": 429, \"message\": null}\n{\"fail_code\": 500}\n{}\n";
    let (code, stdout, _) = classify(&["--jsonl"], input);
    let classes: Vec<_> = stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["class"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        (code, classes),
        (0, ["BILLING", "TEMPORARY", "TEMPORARY", "OTHER"].map(str::to_owned).to_vec())
    );
}

#[test]
fn a_malformed_line_is_named_after_the_lines_before_it_are_shown() {
    for bad in ["[1]", "{\"message\": 5}", "{\"message\":", "{\"code\": []}", "\u{feff}{}"] {
        let (code, stdout, stderr) = classify(&["--jsonl"], &format!("{{}}\n{bad}\n{{}}\n"));
        assert_eq!((code, stdout.lines().count()), (2, 1), "{bad}");
        assert!(stderr.starts_with("error: line 2: ") && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn plain_lines_are_messages() {
    let (code, stdout, _) = classify(&[], "Your account has insufficient credits\r\n");
    assert_eq!(
        (code, stdout.as_str()),
        (0, "BILLING account_credits  Your account has insufficient credits\n")
    );
}

#[test]
fn a_reader_who_left_is_no_error() {
    struct ClosedPipe;

    impl Write for ClosedPipe {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let notes = Page::default();
    let mut out = Output::new(Box::new(ClosedPipe), Box::new(notes.clone()));
    let code = run_with(["kadr", "models"].map(OsString::from), &mut out);
    assert_eq!((code, notes.text().as_str()), (0, ""));
}
