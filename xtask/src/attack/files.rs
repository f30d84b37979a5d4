//! Files: what somebody finds in them who has the disk, a backup or the log, and what becomes of a backup
//! that they changed.
//!
//! `no_address_is_in_clear_in_any_file_running_stopped_backed_up_or_erased` looks for every spelling after
//! every road by which an address comes in; here a few are looked for in what the program itself wrote.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::Finding;
use crate::running::client::Request;
use crate::running::server::{Server, succeed};
use crate::running::shop::ORIGIN;

const NUMBER: &str = "+14155992671";
const EMAIL: &str = "ada.lovelace@somewhere.example";
const WORDS: &str = "Harbour parcels are late again";
/// Bytes of each file of a backup that are changed, one at a time.
const FLIPS: usize = 4;

/// Looks while the server runs, in a backup, in changed backups, and once it stopped.
pub(super) fn all(server: &mut Server) -> Result<Vec<Finding>> {
    live_through(server)?;
    let directory = server.directory().to_owned();
    let (data, backup) = (directory.join("data"), directory.join("backup"));
    let mut found = clear(&data)?;
    succeed(server.run(&["backup", text(&backup)?])?)?;
    let others = open_to_others(&data)? + open_to_others(&backup)?;
    found.extend(clear(&backup)?);
    let restored = changed_backups(server, &backup)?;
    let key = server.key.clone();
    server.stop()?;
    found.extend(clear(&data)?);
    Ok(vec![
        Finding::none("addresses in clear in files, running, backed up and stopped", &found),
        Finding::at_most("files that others of the machine may use", others, 0),
        restored,
        in_the_log(&directory, &key)?,
    ])
}

/// Has an address come in by every road that an outsider has, and by a key.
fn live_through(server: &Server) -> Result<()> {
    let said = json!({
        "phone": NUMBER, "channel": "sms", "statement": "opt_in", "standing": "act",
        "method": "checkbox", "occurred_at": "2026-01-01T00:00:00Z",
        "notice": { "id": server.shop.notice, "version": 1, "language": "en" },
    });
    server.call(Request::json("/v1/consents", &said))?;
    let person = json!({ "phone": NUMBER, "email": EMAIL, "attributes": { "name": "Lovelace" } });
    server.call(Request::json("/v1/profiles", &person))?;
    let message = json!({ "to": NUMBER, "channel": "sms", "text": WORDS });
    server.ask(Request::json("/v1/messages", &message))?;
    let query = NUMBER.replace('+', "%2B");
    let wrote = json!({ "sender": server.shop.sender, "text": WORDS });
    server.ask(Request::json(format!("/v1/sandbox/phone/messages?phone={query}"), &wrote))?;
    let user =
        json!({ "phone_number": NUMBER, "email": format!("{EMAIL}, or so"), "sms_optin": false });
    let page =
        json!({ "site": server.shop.site, "user": user, "page": format!("{ORIGIN}/?{EMAIL}") });
    server.meet(&Request::json("/capture/tag", &page).header("origin", ORIGIN))?;
    server.meet(&Request::form("/p", &[("address", EMAIL)]))?;
    for place in ["/p", "/u", "/c", "/f", "/e", "/hooks", "/nowhere"] {
        server.meet(&Request::get(format!("{place}/{query}?address={EMAIL}")))?;
        server.meet(&Request::form(format!("{place}/{EMAIL}"), &[("address", NUMBER)]))?;
    }
    let wrong =
        json!({ "phone": format!("{NUMBER} or so"), "channel": "sms", "statement": "opt_out" });
    server.ask(Request::json("/v1/consents", &wrong))?;
    server.ask(Request::get(format!("/v1/events?phone={query}"))).map(|_| ())
}

/// A few spellings of the addresses.
fn spellings() -> Vec<Vec<u8>> {
    let national = &NUMBER[2..];
    let (local, _) = EMAIL.split_once('@').unwrap_or_default();
    let texts = [
        national.to_owned(),
        format!("{}-{}-{}", &national[..3], &national[3..6], &national[6..]),
        format!("({}) {}-{}", &national[..3], &national[3..6], &national[6..]),
        local.to_owned(),
        local.to_uppercase(),
        WORDS.to_owned(),
    ];
    let wide = |text: &String| text.bytes().flat_map(|byte| [byte, 0]).collect::<Vec<u8>>();
    let hexadecimal = |text: &String| -> Vec<u8> {
        text.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
    };
    let mut all: Vec<Vec<u8>> = Vec::new();
    for text in &texts {
        all.extend([text.clone().into_bytes(), wide(text), hexadecimal(text)]);
        all.extend(base64(text.as_bytes()));
    }
    all
}

/// What stays of a text in Base64 whatever stands before it: the whole groups of each of three places.
fn base64(text: &[u8]) -> Vec<Vec<u8>> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let number = bytes.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        let letter = |shift: usize| LETTERS.get(number >> shift & 63).copied().unwrap_or(b'=');
        [18, 12, 6, 0].map(letter)
    };
    (0..3)
        .filter_map(|place| text.get(place..))
        .map(|text| text.chunks_exact(3).flat_map(group).collect())
        .collect()
}

/// Files in which an address stands in clear.
fn clear(directory: &Path) -> Result<Vec<String>> {
    let spellings = spellings();
    let mut found = Vec::new();
    for path in files_in(directory)? {
        if let Some(spelling) = first_in(&std::fs::read(&path)?, &spellings) {
            let spelling = String::from_utf8_lossy(spelling).into_owned();
            found.push(format!("{} ({spelling})", path.display()));
        }
    }
    Ok(found)
}

/// The first of some spellings in a file, read once: few bytes begin any of them.
fn first_in<'a>(bytes: &[u8], spellings: &'a [Vec<u8>]) -> Option<&'a Vec<u8>> {
    let mut begins = [false; 256];
    for first in spellings.iter().filter_map(|spelling| spelling.first()) {
        if let Some(begins) = begins.get_mut(usize::from(*first)) {
            *begins = true;
        }
    }
    let is_begin = |byte: u8| begins.get(usize::from(byte)).is_some_and(|begins| *begins);
    let places = bytes.iter().enumerate().filter(|(_, byte)| is_begin(**byte));
    places
        .filter_map(|(at, _)| bytes.get(at..))
        .find_map(|rest| spellings.iter().find(|spelling| rest.starts_with(spelling)))
}

fn files_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files.extend(files_in(&entry.path())?);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// How many files and directories somebody else may use.
fn open_to_others(directory: &Path) -> Result<usize> {
    let is_open = |path: &Path| -> Result<bool> {
        Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
    };
    let mut open = usize::from(is_open(directory)?);
    for file in files_in(directory)? {
        open += usize::from(is_open(&file)?);
    }
    Ok(open)
}

/// Restores backups of which one byte was changed, a file was cut or taken away, or one was added to.
fn changed_backups(server: &Server, backup: &Path) -> Result<Finding> {
    let key = server.directory().join("data").join("master.key");
    let restore = |name: &str| -> Result<bool> {
        let (from, to) = (server.directory().join("changed"), server.directory().join(name));
        let to_text = text(&to)?.to_owned();
        let arguments =
            ["restore", text(&from)?, "--master-key", text(&key)?, "--data", to_text.as_str()];
        let restored = server.run_elsewhere(&arguments)?;
        // What began anew is told.
        let is_told = String::from_utf8_lossy(&restored.stderr).contains("has no work.db")
            || String::from_utf8_lossy(&restored.stdout).contains("has no work.db");
        let restored = restored.status.success() && !is_told;
        if to.exists() {
            std::fs::remove_dir_all(&to)?;
        }
        Ok(restored)
    };
    let changed = server.directory().join("changed");
    copy(backup, &changed)?;
    ensure!(restore("whole")?, "a backup that nobody changed is not restored");
    let mut came = Vec::new();
    for file in files_in(backup)? {
        let name = file.file_name().context("a name")?.to_owned();
        let (bytes, path) = (std::fs::read(&file)?, changed.join(&name));
        for flip in 0..FLIPS {
            let mut flipped = bytes.clone();
            let at = bytes.len() * flip / FLIPS + flip % 7;
            let Some(byte) = flipped.get_mut(at) else { continue };
            *byte ^= 1 << (flip % 8);
            std::fs::write(&path, flipped)?;
            if restore("flipped")? {
                came.push(format!("{} byte {at}", name.display()));
            }
        }
        std::fs::write(&path, bytes.get(..bytes.len() / 2).unwrap_or_default())?;
        if restore("cut")? {
            came.push(format!("{} cut", name.display()));
        }
        std::fs::write(&path, [bytes.as_slice(), b"\0"].concat())?;
        if restore("longer")? {
            came.push(format!("{} longer", name.display()));
        }
        std::fs::remove_file(&path)?;
        if restore("without")? {
            came.push(format!("without {}", name.display()));
        }
        std::fs::write(&path, bytes)?;
    }
    Ok(Finding::none("changed backups that are restored", &came))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir(to)?;
    for file in files_in(from)? {
        std::fs::copy(&file, to.join(file.file_name().context("a name")?))?;
    }
    Ok(())
}

/// Looks for addresses, keys, tokens and words in the log of all attacks.
fn in_the_log(directory: &Path, key: &str) -> Result<Finding> {
    let log = std::fs::read_to_string(directory.join("log"))?;
    ensure!(log.contains("http.route"), "the log tells of no request");
    let secrets = ["5992671", "ada.lovelace", WORDS, "Lovelace", &key[8..], "+1415", "%2B1415"];
    let mut found: Vec<String> =
        secrets.iter().filter(|secret| log.contains(**secret)).map(|it| (*it).to_owned()).collect();
    // Tokens are long words that no id is: ids begin with what they are of.
    let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let words = log.split(|letter| !is_of_word(letter));
    found.extend(words.filter(|word| word.len() > 60).map(str::to_owned).take(3));
    Ok(Finding::none("addresses, keys, links and words in the log", &found))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_base64_wherever_it_stands() {
        assert_eq!(first_in(b"xxYmNkxx", &base64(b"abcdef")), Some(&b"YmNk".to_vec()));
        assert_eq!(first_in(b"xxYmN", &base64(b"abcdef")), None);
        assert_eq!(base64(b"abcdef"), [b"YWJjZGVm".to_vec(), b"YmNk".to_vec(), b"Y2Rl".to_vec()]);
    }
}
