//! Finds the PostgreSQL runtime that the feature `bundled-postgres` puts inside the program.
//!
//! The runtime is a plain archive in the package of a dependency. That package has no Rust API and tells
//! its dependents nothing, so Cargo is asked where it unpacked it: about a manifest written here, which has
//! that package as its one dependency. Asking about the whole workspace would fail in a fresh clone, where
//! only what is being built has been downloaded.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Must equal the versions in `Cargo.toml`.
const CARRIER_VERSION: &str = "0.2.7";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(kadr_bundled_postgres)");
    println!("cargo::rerun-if-changed=build.rs");
    // `sqlx::migrate!` reads this folder, and does not tell cargo so.
    println!("cargo::rerun-if-changed=../migrations");
    if env::var_os("CARGO_FEATURE_BUNDLED_POSTGRES").is_none() {
        return;
    }
    let Some(carrier) = carrier_for_target() else {
        // No runtime exists for this system: the program then needs an installed server, as without the feature.
        return;
    };
    match bundle(carrier) {
        Ok(()) => println!("cargo::rustc-cfg=kadr_bundled_postgres"),
        Err(problem) => println!(
            "cargo::warning=the program is built without its own PostgreSQL, because {carrier} {CARRIER_VERSION} was not found: {problem}"
        ),
    }
}

/// The package that carries the runtime for the system being built for.
fn carrier_for_target() -> Option<&'static str> {
    let part = |name: &str| env::var(name).unwrap_or_default();
    if part("CARGO_CFG_TARGET_OS") != "linux" || part("CARGO_CFG_TARGET_ENV") != "gnu" {
        return None;
    }
    match part("CARGO_CFG_TARGET_ARCH").as_str() {
        "x86_64" => Some("pglite-rs-lib-x86_64-unknown-linux-gnu"),
        "aarch64" => Some("pglite-rs-lib-aarch64-unknown-linux-gnu"),
        _ => None,
    }
}

fn bundle(carrier: &str) -> Result<(), Box<dyn Error>> {
    let archive = package_folder(carrier)?.join("lib").join("pglite-runtime.tar.zst");
    let bytes = fs::read(&archive).map_err(|error| format!("{}: {error}", archive.display()))?;
    println!("cargo::rerun-if-changed={}", archive.display());
    println!("cargo::rustc-env=KADR_BUNDLED_POSTGRES_ARCHIVE={}", archive.display());
    // The name of the folder it is unpacked into: another archive never meets the files of this one.
    println!("cargo::rustc-env=KADR_BUNDLED_POSTGRES_KEY={CARRIER_VERSION}-{:016x}", fnv1a(&bytes));
    Ok(())
}

/// The folder into which Cargo has unpacked `package`.
fn package_folder(package: &str) -> Result<PathBuf, Box<dyn Error>> {
    let manifest_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let probe = PathBuf::from(env::var("OUT_DIR")?).join("locate-postgres");
    fs::create_dir_all(&probe)?;
    fs::write(probe.join("lib.rs"), "")?;
    let manifest = probe.join("Cargo.toml");
    fs::write(
        &manifest,
        format!(
            "[package]\nname = \"locate-postgres\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [lib]\npath = \"lib.rs\"\n[workspace]\n[dependencies]\n{package} = \"={CARRIER_VERSION}\"\n"
        ),
    )?;
    // With the lock file Cargo needs no decision of its own, even if the version has since been yanked.
    if let Some(lock) = manifest_dir.ancestors().map(|dir| dir.join("Cargo.lock")).find(|path| path.is_file())
    {
        fs::copy(lock, probe.join("Cargo.lock"))?;
    }
    let output = Command::new(env::var("CARGO")?)
        .args(["metadata", "--offline", "--format-version", "1", "--filter-platform"])
        .arg(env::var("TARGET")?)
        .arg("--manifest-path")
        .arg(&manifest)
        // Settings such as vendored sources are looked up from the current directory.
        .current_dir(&manifest_dir)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ").into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|entry| entry["name"] == package)
        .and_then(|entry| entry["manifest_path"].as_str())
        .and_then(|path| Path::new(path).parent())
        .map(Path::to_path_buf)
        .ok_or_else(|| "cargo metadata does not name it".into())
}

/// The 64-bit FNV-1a hash: enough to tell two archives apart, and it needs no dependency.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
