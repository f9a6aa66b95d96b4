use std::time::Duration;

use domain::decision::RetryPolicy;
use secrecy::ExposeSecret;

use super::*;

fn load(toml: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kadr.toml");
    std::fs::write(&file, toml).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::load(&Sources { file: Some(file), env })
}

/// The one line an operator reads.
fn told(toml: &str, env: &[(&str, &str)]) -> String {
    let line = load(toml, env).unwrap_err().to_string();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

#[test]
fn nothing_set_gives_the_products_rules() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.retry.policy(), RetryPolicy::default());
    assert_eq!((config.worker.slots, config.worker.lease_s), (20, Seconds(45)));
    assert!(config.database.url.is_none() && config.kie.keys.0.is_empty() && config.llm.api_key.is_none());
}

#[test]
fn the_environment_wins_over_the_file() {
    let toml = "model = 'kling'\n[worker]\nslots = 3\nlease_s = 60\n";
    let config = load(toml, &[("KADR_WORKER__SLOTS", "7"), ("KADR_MODEL", "")]).unwrap();
    assert_eq!((config.worker.slots, config.worker.lease_s), (7, Seconds(60)));
    assert_eq!(config.model.as_deref(), Some("kling"), "an empty variable says nothing");
}

#[test]
fn plain_names_are_read_and_ours_win() {
    let config = load("", &[("DATABASE_URL", "postgres://a@b/c"), ("PG_BIN_DIR", "/opt/pg/bin")]).unwrap();
    assert_eq!(config.database.url.unwrap().expose_secret(), "postgres://a@b/c");
    assert_eq!(config.database.bin_dir.unwrap(), Path::new("/opt/pg/bin"));
    let both = [("DATABASE_URL", "postgres://a@b/c"), ("KADR_DATABASE__URL", "postgres://x@y/z")];
    assert_eq!(load("", &both).unwrap().database.url.unwrap().expose_secret(), "postgres://x@y/z");
}

#[test]
fn keys_are_lists_in_both_places() {
    for config in [
        load("", &[("KADR_KIE__KEYS", "main:K1, main:K2,K3")]).unwrap(),
        load("kie.keys = ['main:K1', 'main:K2', 'K3']", &[]).unwrap(),
    ] {
        let keys: Vec<_> =
            config.kie.keys.0.iter().map(|k| (k.account.as_str(), k.secret.expose_secret())).collect();
        assert_eq!(keys, [("main", "K1"), ("main", "K2"), ("main", "K3")]);
    }
    for config in
        [load("", &[("KADR_RETRY__DELAYS_S", "1,2")]).unwrap(), load("retry.delays_s = [1, 2]", &[]).unwrap()]
    {
        assert_eq!(config.retry.policy().delays, [Duration::from_secs(1), Duration::from_secs(2)]);
    }
}

#[test]
fn numbers_that_are_secrets_stay_as_they_were_written() {
    let config = load("", &[("KADR_LLM__API_KEY", "00123")]).unwrap();
    assert_eq!(config.llm.api_key.unwrap().expose_secret(), "00123");
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    let expected = "there is no key `kie.kyes` (KADR_KIE__KYES in the environment): did you mean `kie.keys` (KADR_KIE__KEYS)?";
    assert_eq!(told("kie.kyes = 'a'", &[]), expected);
    assert_eq!(told("", &[("KADR_KIE__KYES", "a")]), expected);
    assert!(told("[workers]\nslots = 1", &[]).contains("did you mean `worker.slots`"));
}

#[test]
fn variables_that_are_not_keys_are_left_alone() {
    load("", &[("KADR_CONFIG", "x.toml"), ("KADR_PG_SOURCE", "bundled"), ("PATH", "/bin")]).unwrap();
}

#[test]
fn malformed_toml_is_one_line_with_its_place() {
    let line = told("model = 'a'\n[worker\nslots = 3", &[]);
    assert!(line.contains("kadr.toml is not valid TOML: ") && line.contains("line 2"), "{line}");
}

#[test]
fn a_missing_file_is_named() {
    let sources = Sources { file: Some(PathBuf::from("/nonexistent/kadr.toml")), ..Sources::default() };
    let line = Config::load(&sources).unwrap_err().to_string();
    assert!(line.contains("/nonexistent/kadr.toml") && line.contains("--config"), "{line}");
}

#[test]
fn a_wrong_value_names_its_key_and_what_to_write() {
    for (toml, parts) in [
        ("worker.slots = 0", ["`worker.slots` (KADR_WORKER__SLOTS", "outside 1 to 1000"]),
        ("worker.slots = 'many'", ["`worker.slots` (KADR_WORKER__SLOTS", "integer"]),
        ("kie.proxy = 'socks5://h:1'", ["`kie.proxy` (KADR_KIE__PROXY", "https://host:port/path"]),
        ("kie.create_timeout_s = 900", ["`kie.create_timeout_s`", "write 1 to 240"]),
        ("kie.keys = ['main:']", ["`kie.keys` (KADR_KIE__KEYS", "main:KEY1,spare:KEY2"]),
        ("retry.delays_s = 'soon'", ["`retry.delays_s`", "10,20,40"]),
        ("delivery.language = 'de'", ["`delivery.language`", "write ru or en"]),
        ("log.format = 'xml'", ["`log.format` (KADR_LOG__FORMAT", "write text or json"]),
        ("log.filter = 'app=loud'", ["`log.filter`", "warn,app=debug"]),
        (
            "database.url = 'mysql://root@h/d'",
            ["`mysql` is not a database", "postgres://user:password@host:5432"],
        ),
    ] {
        let line = told(toml, &[]);
        assert!(parts.iter().all(|part| line.contains(part)), "{toml}: {line}");
    }
}

#[test]
fn no_error_and_no_debug_text_shows_a_secret() {
    const SECRET: &str = "s3cr3t";
    let values = [
        "a b c s3cr3t",
        "mysql://u:s3cr3t@h/d",
        "http://u:s3cr3t@h:99999/",
        "main:s3cr3t",
        "s3cr3t",
        ":s3cr3t",
    ];
    for key in keys::KNOWN {
        for value in values {
            let shown = match load("", &[(&keys::variable(key), value)]) {
                Ok(config) => format!("{config:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            let is_secret = matches!(
                *key,
                "database.url"
                    | "kie.keys"
                    | "kie.api_base"
                    | "kie.upload_base"
                    | "kie.proxy"
                    | "kie.webhook_key"
                    | "http.public_url"
                    | "llm.api_key"
                    | "llm.base_url"
                    | "llm.proxy"
            );
            assert!(!is_secret || !shown.contains(SECRET), "{key} = {value}: {shown}");
        }
    }
    let broken = format!("[kie]\nkeys = 'main:{SECRET}'\nproxy = \"http://u:{SECRET}@h\" oops\n");
    assert!(!told(&broken, &[]).contains(SECRET));
}

#[test]
fn every_known_key_exists_and_every_field_is_known() {
    for key in keys::KNOWN {
        // A wrong value is refused with its key, so the field is there; a missing field would be an unknown one.
        let error = match load("", &[(&keys::variable(key), "\u{1}")]) {
            Ok(_) => continue,
            Err(error) => error.to_string(),
        };
        assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
    }
    let fields = format!("{:?}", Config::default());
    for key in keys::KNOWN {
        let name = key.rsplit('.').next().unwrap();
        assert!(fields.contains(&format!("{name}: ")), "{key}");
    }
    const SECTIONS: usize = 9;
    assert_eq!(
        fields.matches(": ").count(),
        keys::KNOWN.len() + SECTIONS,
        "a field of Config is missing in KNOWN: {fields}"
    );
}

#[test]
fn the_example_explains_every_key_and_can_be_used_as_it_stands() {
    let example = include_str!("../../../.env.example");
    for key in keys::KNOWN {
        let variable = keys::variable(key);
        let plain = match variable.as_str() {
            "KADR_DATABASE__URL" => "DATABASE_URL",
            "KADR_DATABASE__BIN_DIR" => "PG_BIN_DIR",
            variable => variable,
        };
        assert!(example.contains(&format!("{plain}=")), "{plain} is missing in .env.example");
    }
    let env: Vec<(&str, &str)> = example
        .lines()
        .map(|line| line.trim_start_matches('#').trim_start())
        .filter(|line| line.starts_with("KADR_"))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    assert!(env.len() > 30);
    load("", &env).unwrap();
}

#[test]
fn callbacks_without_a_key_to_verify_them_are_refused() {
    let url = ("KADR_HTTP__PUBLIC_URL", "https://kadr.example");
    let line = told("", &[url]);
    assert!(line.contains("KADR_KIE__WEBHOOK_KEY") && line.contains("kie.ai/settings"), "{line}");
    let config = load("", &[url, ("KADR_KIE__WEBHOOK_KEY", "one, 002")]).unwrap();
    let keys: Vec<_> = config.kie.webhook_key.0.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(keys, ["one", "002"]);
    assert!(!format!("{config:?}").contains("002"), "no secret is shown");
}

#[test]
fn nothing_listens_unless_there_is_something_to_serve_and_then_on_loopback() {
    let config = load("", &[]).unwrap();
    assert!(!config.http.is_on() && config.http.listen.ip().is_loopback());
    assert!(load("http.metrics = true", &[]).unwrap().http.is_on());
}
