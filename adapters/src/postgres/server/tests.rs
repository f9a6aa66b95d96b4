//! Laws of the launcher, checked with real servers.
//!
//! A test that needs an installed server passes where none is installed: the bundled one is then what is tested.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use sqlx::{Connection, PgConnection};

use super::identity::RunAs;
use super::test_databases::{create_database_from_template, drop_database};
use super::*;

const OWNER_DIRECTORY: &str = "KADR_TEST_OWNER_DIRECTORY";

fn wait_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn ask(url: &SecretString, question: &'static str) -> String {
    wait_on(async {
        let mut connection = PgConnection::connect(url.expose_secret()).await.unwrap();
        let answer = sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        answer
    })
}

fn tell(url: &SecretString, statement: &'static str) {
    wait_on(async {
        let mut connection = PgConnection::connect(url.expose_secret()).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

fn start(options: &ServerOptions) -> PostgresServer {
    PostgresServer::start(options).unwrap_or_else(|error| panic!("{error}"))
}

/// A folder that the server's user can enter even if root runs the tests with a private temporary folder.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn is_gone(server: &(u32, PathBuf)) -> bool {
    !process::serves(server.0, &server.1)
}

fn identity_of(server: &PostgresServer) -> (u32, PathBuf) {
    (server.facts.pid, server.data.clone())
}

fn a_throwaway_server_leaves_nothing(source: BinarySource) {
    let options = ServerOptions { source, ..ServerOptions::throwaway() };
    let server = match PostgresServer::start(&options) {
        Err(ServerError::NoServerInstalled { .. }) if source == BinarySource::Installed => return,
        other => other.unwrap_or_else(|error| panic!("{error}")),
    };
    assert_eq!(ask(&server.database_url(), "select current_database() || '/' || current_user"), "kadr/kadr");
    assert_eq!(ask(&server.database_url(), "show fsync"), "off");
    assert_eq!(ask(&server.database_url(), "show listen_addresses"), "127.0.0.1");
    assert_eq!(ask(&server.database_url(), "show server_encoding"), "UTF8");
    assert!(ask(&server.database_url(), "show server_version").starts_with(server.version()));
    assert!(!server.describe().contains(server.password.expose_secret()), "a status line holds no secret");

    let owner = fs::metadata(server.data_dir()).unwrap().uid();
    let installed_as_root = RunAs::caller().is_root() && source == BinarySource::Installed;
    let expected = if installed_as_root { RunAs::nobody() } else { RunAs::caller() };
    assert_eq!(owner, expected.uid());
    let mode = fs::metadata(server.data_dir()).unwrap().mode();
    assert_eq!(mode & 0o077, 0, "nobody else reads the data");

    let identity = identity_of(&server);
    let home = server.home.dir().to_path_buf();
    drop(server);
    assert!(is_gone(&identity) && !home.exists());
}

#[test]
fn an_installed_throwaway_server_leaves_nothing() {
    a_throwaway_server_leaves_nothing(BinarySource::Installed);
}

#[cfg(kadr_bundled_postgres)]
#[test]
fn a_bundled_throwaway_server_leaves_nothing() {
    a_throwaway_server_leaves_nothing(BinarySource::Bundled);
}

#[test]
fn a_directory_has_one_server_whoever_starts_it_and_keeps_its_data() {
    let parent = folder();
    let options = ServerOptions::private(parent.path().join("postgres"));
    let handles: Vec<PostgresServer> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(|| start(&options))).collect();
        starts.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    let identity = identity_of(&handles[0]);
    assert!(handles.iter().all(|handle| handle.facts == handles[0].facts));
    let starters = handles.iter().filter(|handle| !matches!(handle.origin(), Origin::Attached { .. }));
    assert_eq!(starters.count(), 1);

    let url = handles[0].database_url();
    assert_eq!(ask(&url, "show fsync"), "on");
    tell(&url, "create table kept (what text); insert into kept values ('money')");
    let mut handles = handles.into_iter();
    drop(handles.next());
    drop(handles.next());
    let last = handles.next().unwrap();
    assert_eq!(ask(&last.database_url(), "select what from kept"), "money");
    last.stop().unwrap();
    assert!(is_gone(&identity));

    // A lost password file is replaced; the address, apart from the password, stays what it was.
    fs::remove_file(parent.path().join("postgres/password")).unwrap();
    let again = start(&options);
    assert_eq!(ask(&again.database_url(), "select what from kept"), "money");
    assert_ne!(again.password.expose_secret(), url.expose_secret());
    assert_eq!(again.data_dir(), identity.1);
    let written = fs::read_to_string(parent.path().join("postgres/url")).unwrap();
    assert_eq!(written.trim(), again.database_url().expose_secret());

    let throwaway = ServerOptions { durability: Durability::Throwaway, ..options };
    let refused = PostgresServer::start(&throwaway).unwrap_err();
    assert!(matches!(refused, ServerError::OtherDurability { .. }), "{refused}");
}

/// Not a law: the process that [`what_a_killed_owner_leaves_running_is_replaced`] kills.
#[test]
fn owner_that_waits_to_be_killed() {
    let Some(directory) = std::env::var_os(OWNER_DIRECTORY) else { return };
    let kept = start(&ServerOptions::private(&directory));
    tell(&kept.database_url(), "create table kept (what text); insert into kept values ('money')");
    let temporary = start(&ServerOptions::throwaway());
    println!("owner: {} {}", kept.facts.pid, temporary.home.dir().display());
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn what_a_killed_owner_leaves_running_is_replaced() {
    let parent = folder();
    let directory = parent.path().join("postgres");
    let this_program = std::env::current_exe().unwrap();
    let mut owner = Command::new(this_program)
        .args(["--exact", "postgres::server::tests::owner_that_waits_to_be_killed", "--nocapture"])
        .env(OWNER_DIRECTORY, &directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(owner.stdout.take().unwrap());
    let line =
        output.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("owner: ")?.1.to_owned()));
    let line = line.expect("the owner tells what it has started");
    let (kept, temporary) = line.split_once(' ').unwrap();
    let (kept, temporary) = (kept.parse::<u32>().unwrap(), PathBuf::from(temporary));
    owner.kill().unwrap();
    owner.wait().unwrap();
    let data = fs::canonicalize(directory.join("data")).unwrap();
    assert!(process::serves(kept, &data), "a server outlives a killed owner");

    let server = start(&ServerOptions::private(&directory));
    assert!(is_gone(&(kept, data)), "the stale server was stopped");
    assert_ne!(server.facts.pid, kept);
    assert_eq!(ask(&server.database_url(), "select what from kept"), "money");

    let deleted = wait::wait_for(Duration::from_secs(20), || (!temporary.exists()).then_some(()));
    assert!(deleted.is_some(), "a temporary server does not outlive its owner");
}

#[test]
fn what_neither_owner_nor_watchdog_could_delete_the_next_start_deletes() {
    let base = folder();
    let mut owner = Command::new("sh").args(["-c", "exit 0"]).spawn().unwrap();
    owner.wait().unwrap();
    let abandoned = base.path().join(format!("kadr-pg-{}-a", owner.id()));
    let held = base.path().join(format!("kadr-pg-{}-b", owner.id()));
    for dir in [&abandoned, &held] {
        fs::create_dir(dir).unwrap();
    }
    let users = Home::at(&held).unwrap().users_lock().unwrap();
    users.lock_shared().unwrap();
    sweep(&Home::at(&base.path().join("kadr-pg-1-own")).unwrap());
    assert!(!abandoned.exists());
    assert!(held.exists(), "a lock counts more than a pid, which another container may have given");
}

#[test]
fn after_a_crash_the_next_start_revives_the_server_for_everybody() {
    let parent = folder();
    let location = Location::Directory(parent.path().join("postgres"));
    let options = ServerOptions { location, ..ServerOptions::throwaway() };
    let first = start(&options);
    let url = first.database_url();
    let crashed = identity_of(&first);
    let kill = Command::new("sh").args(["-c", "kill -9 $0", &crashed.0.to_string()]).status().unwrap();
    assert!(kill.success());
    wait::wait_for(Duration::from_secs(10), || is_gone(&crashed).then_some(())).expect("SIGKILL works");

    let second = start(&options);
    assert_ne!(second.facts.pid, crashed.0);
    assert_eq!(ask(&url, "select 'same address'"), "same address");
    drop(first);
    assert_eq!(ask(&url, "select 'still used'"), "still used");

    let identity = identity_of(&second);
    second.stop().unwrap();
    assert!(is_gone(&identity));
    assert!(!identity.1.exists(), "throwaway data are deleted");
}

#[test]
fn data_of_another_major_version_are_not_opened() {
    let parent = folder();
    let data = parent.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "12\n").unwrap();
    let refused = PostgresServer::start(&ServerOptions::private(parent.path())).unwrap_err();
    let told = refused.to_string();
    assert!(matches!(refused, ServerError::VersionMismatch { data_major: 12, .. }), "{told}");
    assert!(told.contains("apt-get install postgresql-12"), "{told}");
}

#[test]
fn a_wrong_folder_of_programs_is_named() {
    let empty = folder();
    let bin_dir = Some(empty.path().to_path_buf());
    let options = ServerOptions { bin_dir, source: BinarySource::Installed, ..ServerOptions::throwaway() };
    let refused = PostgresServer::start(&options).unwrap_err();
    assert!(matches!(refused, ServerError::UnusableBinDir { .. }), "{refused}");
}

#[test]
fn a_test_database_is_a_copy_of_its_template() {
    let server = start(&ServerOptions::throwaway());
    let admin = server.url("postgres");
    tell(
        &server.database_url(),
        "create table migrated (what text); insert into migrated values ('template')",
    );
    wait_on(create_database_from_template(&admin, "kadr", "copy_1")).unwrap();
    assert_eq!(ask(&server.url("copy_1"), "select what from migrated"), "template");
    let taken = wait_on(create_database_from_template(&admin, "kadr", "copy_1")).unwrap_err();
    assert!(taken.to_string().contains("copy_1"), "{taken}");
    for _ in 0..2 {
        wait_on(drop_database(&admin, "copy_1")).unwrap();
    }
    let left = "select count(*)::text from pg_database where datname = 'copy_1'";
    assert_eq!(ask(&admin, left), "0");
}

#[test]
fn throwaway_data_of_a_killed_owner_are_not_met_again() {
    let parent = folder();
    let location = Location::Directory(parent.path().join("postgres"));
    let options = ServerOptions { location, ..ServerOptions::throwaway() };
    let mut first = start(&options);
    tell(&first.database_url(), "create table old ()");
    let identity = identity_of(&first);
    // What the system does when it kills a process: the locks go, and nothing else happens.
    first.users = None;
    drop(first);
    assert!(!is_gone(&identity));
    let second = start(&options);
    assert!(is_gone(&identity));
    assert_eq!(
        ask(&second.database_url(), "select count(*)::text from pg_tables where tablename = 'old'"),
        "0"
    );
}

/// Only root must hand an installed server to another user, who may be unable to enter the wanted folder.
#[test]
fn data_that_the_servers_user_could_not_reach_go_elsewhere_and_are_found_again() {
    let private = folder();
    let options = ServerOptions {
        source: BinarySource::Installed,
        durability: Durability::Throwaway,
        ..ServerOptions::private(private.path().join("postgres"))
    };
    fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if !RunAs::caller().is_root() {
        return;
    }
    let first = match PostgresServer::start(&options) {
        Err(ServerError::NoServerInstalled { .. }) => return,
        other => other.unwrap_or_else(|error| panic!("{error}")),
    };
    let moved = first.home.dir().to_path_buf();
    assert!(moved.starts_with("/var/lib/kadr"), "{}", moved.display());
    assert_eq!(fs::read_link(private.path().join("postgres/moved-to")).unwrap(), moved);
    let second = start(&options);
    assert_eq!(second.facts, first.facts);
    drop((first, second));
    assert!(!moved.join("data").exists());
    fs::remove_dir_all(moved).unwrap();
}
