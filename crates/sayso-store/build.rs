//! Names the rules that a saved gate index is made by: a hash of the sources that decide.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Where the rules are, and what keeps their results.
const SOURCES: [&str; 3] = ["../sayso-core/src", "src/sqlite/gate", "src/sqlite/gate.rs"];

fn main() -> std::io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        hash(Path::new(source), &mut hasher)?;
    }
    println!("cargo::rustc-env=SAYSO_GATE_RULES={:016x}", hasher.finish());
    Ok(())
}

/// Hashes a file, or all files in a directory by their names.
fn hash(path: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    if !path.is_dir() {
        std::fs::read(path)?.hash(hasher);
        return Ok(());
    }
    let entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut inside = entries.collect::<std::io::Result<Vec<PathBuf>>>()?;
    inside.sort();
    for entry in inside {
        entry.file_name().hash(hasher);
        hash(&entry, hasher)?;
    }
    Ok(())
}
