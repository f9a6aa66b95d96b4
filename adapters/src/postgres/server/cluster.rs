//! Making a cluster: `initdb`, then the database `kadr`.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};

use super::binaries::Toolset;
use super::home::{Home, remove};
use super::{Durability, ServerError};

/// The superuser and the first database have the same name.
pub(super) const NAME: &str = "kadr";

/// Makes the cluster of `home` if it has none, and tells the superuser's password.
pub(super) fn prepare(
    home: &Home,
    tools: &Toolset,
    durability: Durability,
) -> Result<SecretString, ServerError> {
    if home.existing_data()?.is_none() {
        return create(home, tools, durability);
    }
    tools.run_as.own(&home.data())?;
    match known_password(home)? {
        Some(password) => Ok(password),
        None => replace_password(home, tools),
    }
}

/// The superuser's password, if its file is there.
pub(super) fn known_password(home: &Home) -> Result<Option<SecretString>, ServerError> {
    match fs::read_to_string(home.password()) {
        Ok(text) if !text.trim().is_empty() => Ok(Some(text.trim().into())),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ServerError::io("read", &home.password())(error)),
    }
}

/// Everything happens in a folder that becomes `data` at the very end, so a cluster is complete or absent.
fn create(home: &Home, tools: &Toolset, durability: Durability) -> Result<SecretString, ServerError> {
    let unfinished = home.dir().join("data.unfinished");
    remove(&unfinished, fs::remove_dir_all(&unfinished))?;
    fs::DirBuilder::new().mode(0o700).create(&unfinished).map_err(ServerError::io("create", &unfinished))?;
    tools.run_as.own(&unfinished)?;

    let password = new_password();
    home.write_private(&home.password(), password.expose_secret())?;
    home.record_durability(durability)?;
    // initdb reads the password as the user who runs it, so this copy is theirs.
    let copy = home.dir().join("password.initdb");
    home.write_private(&copy, password.expose_secret())?;
    tools.run_as.own(&copy)?;

    let mut initdb = tools.command("initdb");
    initdb.args(["--username", NAME, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]);
    initdb.arg("--pwfile").arg(&copy).arg("--pgdata").arg(&unfinished);
    if durability == Durability::Throwaway {
        initdb.arg("--no-sync");
    }
    let made = run(initdb, "initdb");
    remove(&copy, fs::remove_file(&copy))?;
    made?;

    single_user(tools, &unfinished, durability, &format!("CREATE DATABASE {NAME}"))?;
    let data = home.data();
    remove(&data, fs::remove_dir_all(&data))?;
    fs::rename(&unfinished, &data).map_err(ServerError::io("rename", &unfinished))?;
    if durability == Durability::Durable {
        home.sync()?;
    }
    Ok(password)
}

/// Without its file the password is lost, but whoever may write the data may set another.
fn replace_password(home: &Home, tools: &Toolset) -> Result<SecretString, ServerError> {
    let password = new_password();
    let statement = format!("ALTER ROLE {NAME} PASSWORD '{}'", password.expose_secret());
    single_user(tools, &home.data(), Durability::Durable, &statement)?;
    home.write_private(&home.password(), password.expose_secret())?;
    tracing::warn!(file = %home.password().display(), "the password file was missing; a new password was set");
    Ok(password)
}

/// Letters and digits only: it goes into URLs, and into SQL literals.
#[expect(clippy::disallowed_methods, reason = "a password must not come from a seed")]
fn new_password() -> SecretString {
    let bytes: [u8; 16] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Executes one statement in a cluster whose server is not running.
fn single_user(
    tools: &Toolset,
    data: &Path,
    durability: Durability,
    statement: &str,
) -> Result<(), ServerError> {
    let mut command = tools.command("postgres");
    command.arg("--single");
    if durability == Durability::Throwaway {
        command.arg("-F");
    }
    command.arg("-D").arg(data).arg("postgres");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let program = "postgres --single";
    let failed = |error: std::io::Error| program_failed(program, "not run".to_owned(), error.to_string());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // If the server has already given up, its own message says more than our broken pipe.
        let _ = writeln!(input, "{statement}");
    }
    let output = child.wait_with_output().map_err(failed)?;
    // A failed statement does not change the exit status.
    let messages = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && !messages.contains("ERROR:") && !messages.contains("FATAL:") {
        return Ok(());
    }
    Err(program_failed(program, output.status.to_string(), last_lines(&without_statements(&messages))))
}

/// PostgreSQL repeats a failed statement in its messages, and ours may hold the password.
fn without_statements(messages: &str) -> String {
    messages.lines().filter(|line| !line.contains("STATEMENT:")).collect::<Vec<_>>().join("\n")
}

fn run(mut command: Command, program: &str) -> Result<Output, ServerError> {
    let output =
        command.output().map_err(|error| program_failed(program, "not run".to_owned(), error.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    let printed = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    Err(program_failed(program, output.status.to_string(), last_lines(&String::from_utf8_lossy(&printed))))
}

fn program_failed(program: &str, status: String, output: String) -> ServerError {
    ServerError::ProgramFailed { program: program.to_owned(), status, output }
}

/// As much of a log as fits into an error message.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_need_no_escaping_and_differ() {
        let (one, other) = (new_password(), new_password());
        assert!(
            one.expose_secret().len() == 32 && one.expose_secret().bytes().all(|b| b.is_ascii_alphanumeric())
        );
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn an_error_message_holds_the_end_of_a_log_and_no_statement() {
        let log: String = (0..100).map(|n| format!("line {n}\n")).collect();
        assert!(last_lines(&log).starts_with("line 85\n") && last_lines(&log).ends_with("line 99"));
        assert_eq!(without_statements("ERROR: no\nSTATEMENT: ALTER ROLE kadr PASSWORD 'x'"), "ERROR: no");
    }
}
