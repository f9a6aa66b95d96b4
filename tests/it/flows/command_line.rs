//! The command line: bad input gets one clear line, and nothing is charged.

use std::{io::Write, process::Stdio};

use simulator::world::{Outside, OutsideSettings};

use super::process::{Place, bare_kadr, mug, said};
use crate::make::USER;

/// A whole order on the command line, with some arguments replaced.
fn order<'a>(photo: &'a str, brief: &'a str, count: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![
        "order",
        "--user",
        "5235703016",
        "--photo",
        photo,
        "--template",
        "ugc",
        "--brief",
        brief,
        "--count",
        count,
    ];
    arguments.extend(more);
    arguments
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_orders_get_one_line_that_names_the_fix_and_charge_nothing() {
    let clock = std::sync::Arc::new(adapters::system::SystemClock::new());
    let outside = Outside::start(OutsideSettings::healthy(1), clock).await.unwrap();
    let place = Place::new(&outside).await;
    place.run(&["credits", "grant", "--user", "5235703016", "--amount", "3"]);
    let file = |name: &str, bytes: &[u8]| {
        let path = place.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let text = file("notes.jpg", b"not a picture at all");
    let empty = file("empty.jpg", b"");
    let huge = file("huge.jpg", &vec![0; 30_000_000]);
    let good = mug().display().to_string();
    let long = "x".repeat(20_000);
    let cases = [
        (order(&text, "a mug", "1", &[]), "JPEG, PNG or WebP"),
        (order(&empty, "a mug", "1", &[]), "empty"),
        (order(&huge, "a mug", "1", &[]), "smaller"),
        (order("/nowhere/mug.jpg", "a mug", "1", &[]), "/nowhere/mug.jpg"),
        (order(&good, &long, "1", &[]), "shorten"),
        (order(&good, " ", "1", &[]), "brief"),
        (order(&good, "a mug", "2", &[]), "1, 3 or 5"),
        (order(&good, "a mug", "1", &["--model", "sora-9"]), "sora-9"),
        (order(&good, "a mug", "5", &[]), "credits"),
    ];
    for (arguments, names) in cases {
        let output = place.kadr(&arguments).output().unwrap();
        let (said, code) = (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code());
        assert!(matches!(code, Some(1 | 2)), "{arguments:?}: {code:?} {said}");
        assert!(said.contains(names), "{arguments:?} should name `{names}`: {said}");
        assert_eq!(said.trim().lines().count(), 1, "one line: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    assert!(place.jobs().await.is_empty());
    let balance = place.stores.ledger.balance(USER).await.unwrap();
    assert_eq!((balance.available.value(), balance.held.value()), (3, 0));
    place.stores.assert_audit_is_clean().await;
}

#[test]
fn settings_that_cannot_work_get_one_line_that_names_the_fix() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken.toml");
    std::fs::write(&broken, "[worker\nslots = 1").unwrap();
    let unknown = dir.path().join("unknown.toml");
    std::fs::write(&unknown, "[worker]\nslotz = 1").unwrap();
    let (broken, unknown) = (broken.display().to_string(), unknown.display().to_string());
    let balance = ["credits", "balance", "--user", "1"];
    let with = |config: &str| {
        let mut arguments = vec!["--config".to_owned(), config.to_owned()];
        arguments.extend(balance.map(str::to_owned));
        arguments
    };
    let cases = [
        (with(&broken), None, "TOML"),
        (with(&unknown), None, "slots"),
        (with("/nowhere/kadr.toml"), None, "/nowhere/kadr.toml"),
        (balance.map(str::to_owned).to_vec(), Some(("DATABASE_URL", "mysql://x/y")), "postgres://"),
        (
            balance.map(str::to_owned).to_vec(),
            Some(("DATABASE_URL", "postgres://kadr:sesame@127.0.0.1:1/kadr")),
            "127.0.0.1:1",
        ),
        (balance.map(str::to_owned).to_vec(), Some(("KADR_WORKER__SLOTS", "many")), "slots"),
        (vec!["models".to_owned()], Some(("KADR_MODEL", "sora-9")), "sora-9"),
        (vec!["models".to_owned()], Some(("KADR_MODELS_FILE", "/nowhere.toml")), "/nowhere.toml"),
    ];
    for (arguments, env, names) in cases {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let output = bare_kadr(dir.path(), &arguments).envs(env).output().unwrap();
        let said = said(&output);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}: {said}");
        assert!(said.contains(names), "{arguments:?} should name `{names}`: {said}");
        assert_eq!(said.trim().lines().count(), 1, "one line: {said}");
        assert!(!said.contains("sesame") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn the_classifier_reads_lines_and_writes_them_back_judged() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = crate::architecture::root().join("domain/tests/fixtures/kie-errors.jsonl");
    let mut child = bare_kadr(dir.path(), &["classify", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = std::fs::read_to_string(&corpus).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = text.clone();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let rows = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (given, judged) = (rows(&text), rows(&String::from_utf8(output.stdout).unwrap()));
    assert_eq!((given.len(), judged.len()), (97, 97));
    let right =
        given.iter().zip(&judged).filter(|(g, j)| g["class"] == j["class"] && g["reason"] == j["reason"]);
    assert!(right.count() * 100 >= 97 * 95, "at least 95 % right");
}
