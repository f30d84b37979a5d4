//! What the tests need from the machine beyond cargo, and how it gets there.
//!
//! On Debian as root, missing packages are installed; everywhere else the list and the command are
//! printed, and nothing is changed. A need counts as met when its probe succeeds, wherever the
//! program came from.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::{Outcome, workspace};

/// Something a test needs: a Debian package, and a shell command that succeeds once it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    package: &'static str,
    probe: &'static str,
    used_for: &'static str,
}

/// The browser of the browser tests.
pub(crate) const CHROMIUM: Need =
    Need { package: "chromium", probe: "command -v chromium", used_for: "the browser tests" };

/// What steers that browser.
pub(crate) const CHROMEDRIVER: Need = Need {
    package: "chromium-driver",
    probe: "command -v chromedriver",
    used_for: "the browser tests",
};

/// The letters of every language of the pages. Without them pictures show boxes, and widths are wrong.
pub(crate) const FONTS: Need = Need {
    package: "fonts-noto-core",
    probe: "test -e /usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf \
        || fc-list ':lang=hi' | grep --quiet .",
    used_for: "the browser tests",
};

/// What installs axe-core, which judges how accessible pages are.
pub(crate) const NPM: Need =
    Need { package: "npm", probe: "command -v npm", used_for: "the browser tests" };

/// What reads QR codes.
pub(crate) const ZBAR: Need =
    Need { package: "zbar-tools", probe: "command -v zbarimg", used_for: "the browser tests" };

/// Python with `venv` and pip, which schemathesis and Twilio's library are installed with.
pub(crate) const PYTHON: Need = Need {
    package: "python3-venv",
    probe: "python3 -c 'import venv, ensurepip'",
    used_for: "schemathesis, and what Twilio signs with",
};

/// The SMS gateway that messages go through.
pub(crate) const KANNEL: Need = Need {
    package: "kannel",
    probe: "test -x /usr/sbin/bearerbox -a -x /usr/sbin/smsbox",
    used_for: "the tests against a real SMS gateway",
};

/// Its fake carrier, a simulated phone.
pub(crate) const KANNEL_EXTRAS: Need = Need {
    package: "kannel-extras",
    probe: "test -x /usr/lib/kannel/test/fakesmsc",
    used_for: "the tests against a real SMS gateway",
};

/// The client that most people send their first request with.
pub(crate) const CURL: Need =
    Need { package: "curl", probe: "command -v curl", used_for: "the tests of HTTP/2" };

/// Sees to it that all needs are met: installs what is missing where it may, else says what to do.
pub(crate) fn ensure_met(needs: &[Need]) -> Result<Outcome> {
    let missing = unmet(needs)?;
    if missing.is_empty() {
        return Ok(Outcome::Done);
    }
    if !is_debian_root()? {
        explain(&missing);
        return Ok(Outcome::YourInput);
    }
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    println!("installing {}", packages.join(" "));
    ensure!(workspace::succeeds(apt().arg("update"))?, "apt-get update failed");
    let install = ["install", "--yes", "--no-install-recommends"];
    ensure!(workspace::succeeds(apt().args(install).args(&packages))?, "apt-get install failed");

    let missing = unmet(&missing)?;
    if missing.is_empty() {
        return Ok(Outcome::Done);
    }
    explain(&missing);
    Ok(Outcome::YourInput)
}

fn unmet(needs: &[Need]) -> Result<Vec<Need>> {
    let mut missing = Vec::new();
    for need in needs {
        if !probe(need.probe)? {
            missing.push(*need);
        }
    }
    Ok(missing)
}

fn is_debian_root() -> Result<bool> {
    let debian = Path::new("/etc/debian_version").exists() && probe("command -v apt-get")?;
    Ok(debian && probe("test \"$(id -u)\" = 0")?)
}

fn probe(script: &str) -> Result<bool> {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    workspace::succeeds(&mut shell)
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command
}

fn explain(missing: &[Need]) {
    eprint!("{}", explanation(missing));
}

fn explanation(missing: &[Need]) -> String {
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    let mut lines = vec!["these are missing:".to_owned()];
    lines
        .extend(missing.iter().map(|need| format!("  {:<16} for {}", need.package, need.used_for)));
    lines.push("on Debian, install them with:".to_owned());
    lines.push(format!("  sudo apt-get install {}", packages.join(" ")));
    lines.push("or run the other parts alone, with `cargo xtask test --only PART`\n".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_use_and_the_command() {
        let text = explanation(&[CHROMIUM, PYTHON]);
        assert!(text.contains("chromium         for the browser tests"));
        assert!(text.contains("sudo apt-get install chromium python3-venv\n"));
    }

    #[test]
    fn a_need_is_unmet_when_its_probe_fails() {
        let absent = Need { package: "absent", probe: "exit 1", used_for: "nothing" };
        let present = Need { package: "present", probe: "exit 0", used_for: "nothing" };
        let missing = unmet(&[present, absent]).expect("the shell runs");
        assert_eq!(missing, [absent]);
    }
}
