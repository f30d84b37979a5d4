//! Files with people's data are their owner's alone, also where the umask would let everybody read them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::running::SAYSO;

const PHONE: &str = "+14155550101";

/// Runs a command on the store in `data`, in a shell whose umask takes nothing away.
fn open_handed(folder: &Path, arguments: &[&str]) {
    let data = folder.join("data");
    let output = Command::new("sh")
        .args(["-c", "umask 000 && exec \"$@\"", "sh", SAYSO])
        .args(arguments)
        .args(["--data", data.to_str().unwrap()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    // An import that leaves rows out says so by its code.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {words}");
}

/// Every file and directory below this one that somebody else may use in any way.
fn open_to_others(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            found.push(format!("{} {mode:o}", entry.path().display()));
        }
        if entry.metadata().unwrap().is_dir() {
            found.extend(open_to_others(&entry.path()));
        }
    }
    found
}

#[test]
fn files_with_peoples_data_are_their_owners_alone_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| open_handed(folder.path(), arguments);
    run(&["workspaces", "create", "Shop", "--test"]);
    let said = ["--phone", PHONE, "--channel", "sms", "--standing", "act", "--method", "paper"];
    run(&[&["consent", "opt_out"], &said[..]].concat());
    std::fs::write(folder.path().join("list.csv"), "phone,sms_optin\n+14155550102,no\n12,no\n")
        .unwrap();
    std::fs::set_permissions(
        folder.path().join("list.csv"),
        std::fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    // What is there already may have been anybody's.
    std::fs::write(folder.path().join("bad.csv"), "old").unwrap();
    std::fs::set_permissions(folder.path().join("bad.csv"), std::fs::Permissions::from_mode(0o666))
        .unwrap();
    run(&["import", "list.csv", "--rejects", "bad.csv"]);
    run(&["export", "--channel", "sms", "--output", "sms.csv"]);
    run(&["export", "--erasures", "--output", "erasures"]);
    run(&["backup", "backup"]);
    run(&["keys", "rotate"]);
    let found = open_to_others(folder.path());
    assert!(found.is_empty(), "{found:#?}");
    for name in
        ["data/events.db", "data/reserve", "data/lock", "backup/work.db", "sms.csv", "bad.csv"]
    {
        assert!(folder.path().join(name).exists(), "{name}");
    }
}

#[test]
fn a_restored_store_is_its_owners_alone_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| open_handed(folder.path(), arguments);
    run(&["workspaces", "create", "Shop", "--test"]);
    run(&["backup", "backup"]);
    std::fs::rename(folder.path().join("data"), folder.path().join("old")).unwrap();
    run(&["restore", "backup", "--master-key", "old/master.key"]);
    let found = open_to_others(folder.path());
    assert!(found.is_empty(), "{found:#?}");
    assert!(folder.path().join("data/events.db").exists());
}
