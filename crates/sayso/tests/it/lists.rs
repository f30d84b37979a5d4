//! Lists as people have them: exports of the services they come from, with how each is read beside it
//! (`lists/NAME.snap`). All people are invented.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::running::{SAYSO, sayso_json};

/// A store with a workspace, and a folder with the lists.
struct Desk {
    folder: tempfile::TempDir,
}

/// What a command came to.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        sayso_json(&folder.path().join("data"), &["workspaces", "create", "Shop", "--test"]);
        Self { folder }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> &Self {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
        self
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(SAYSO)
            .current_dir(self.folder.path())
            .args(arguments)
            .args(["--data", "data"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Who is out and who is in, in words.
    fn standing(&self) -> Vec<String> {
        let exported = self.run(&["export", "--json"]);
        let mut rows: Vec<String> = exported
            .stdout
            .lines()
            .map(|line| {
                let row: Value = serde_json::from_str(line).unwrap();
                let of = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                let who = [of("phone"), of("email"), of("external_id")].concat();
                format!("{who} {} {}", of("channel"), of("status"))
            })
            .collect();
        rows.sort();
        rows
    }
}

/// Imports a list of the folder `lists`, looked at first, and compares with the reading beside it.
#[track_caller]
fn is_read(file: &str, options: &[&str]) {
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/lists");
    let desk = Desk::open();
    desk.write(file, &std::fs::read(lists.join(file)).unwrap());
    let import = [&["import", file][..], options].concat();
    let looked = desk.run(&[&import[..], &["--dry-run"]].concat());
    let shown = import.iter().map(|word| {
        if word.contains([' ', '?']) { format!("'{word}'") } else { (*word).to_owned() }
    });
    let mut text = format!("$ sayso {} --dry-run\n", shown.collect::<Vec<_>>().join(" "));
    text.push_str(&looked.stdout);
    for line in looked.stderr.lines() {
        writeln!(text, "! {line}").unwrap();
    }
    writeln!(text, "=> {}\n", looked.code).unwrap();
    let taken = desk.run(&import);
    writeln!(text, "Imported: => {}", taken.code).unwrap();
    for row in desk.standing() {
        writeln!(text, "{row}").unwrap();
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path(Path::new("lists"));
    let name = file.split('.').next().unwrap();
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn mailchimps_subscribed() {
    is_read(
        "mailchimp-subscribed.csv",
        &[
            "--list",
            "mailchimp",
            "--set",
            "email_optin=yes",
            "--column",
            "occurred_at=CONFIRM_TIME",
            "--zone",
            "UTC",
            "--region",
            "US",
        ],
    );
}

#[test]
fn mailchimps_unsubscribed() {
    is_read(
        "mailchimp-unsubscribed.csv",
        &[
            "--list",
            "mailchimp",
            "--set",
            "email_optin=no",
            "--column",
            "occurred_at=UNSUB_TIME",
            "--zone",
            "UTC",
        ],
    );
}

#[test]
fn mailchimps_cleaned() {
    is_read(
        "mailchimp-cleaned.csv",
        &[
            "--list",
            "mailchimp",
            "--set",
            "email_optin=no",
            "--column",
            "occurred_at=CLEAN_TIME",
            "--zone",
            "UTC",
        ],
    );
}

#[test]
fn hubspots_contacts() {
    is_read("hubspot.csv", &["--list", "hubspot"]);
}

#[test]
fn klaviyos_profiles() {
    is_read("klaviyo.csv", &["--list", "klaviyo"]);
}

#[test]
fn shopifys_customers() {
    is_read("shopify.csv", &["--list", "shopify"]);
}

#[test]
fn brevos_contacts() {
    is_read("brevo.csv", &["--list", "brevo", "--region", "FR"]);
}

#[test]
fn salesforces_marketing_flags() {
    is_read("salesforce-marketing.csv", &["--list", "salesforce"]);
}

#[test]
fn spreadsheets_say_in_their_own_language_whom_and_what() {
    is_read("spreadsheet-german.csv", &["--list", "kunden", "--region", "DE", "--dates", "dmy"]);
    is_read("spreadsheet-polish.csv", &["--list", "baza", "--region", "PL"]);
    is_read("spreadsheet-turkish.csv", &["--list", "liste", "--region", "TR"]);
    is_read(
        "spreadsheet-arabic.csv",
        &["--list", "list", "--region", "SA", "--set", "channel=sms"],
    );
    is_read("spreadsheet-spanish.csv", &["--list", "lista", "--region", "ES"]);
    let encoding = ["--encoding", "shift_jis"];
    is_read(
        "spreadsheet-japanese.csv",
        &[&["--list", "list", "--region", "JP"], &encoding[..]].concat(),
    );
}

#[test]
fn googles_contacts() {
    is_read(
        "google-contacts.csv",
        &["--list", "no-whatsapp", "--set", "whatsapp_optin=no", "--region", "US"],
    );
}

#[test]
fn metas_leads() {
    is_read(
        "meta-lead-ads.csv",
        &[
            "--list",
            "lead-ads",
            "--column",
            "whatsapp_optin=do_you_want_news_on_whatsapp?",
            "--column",
            "occurred_at=created_time",
        ],
    );
}

#[test]
fn salesforces_contacts() {
    is_read(
        "salesforce.csv",
        &[
            "--list",
            "salesforce",
            "--region",
            "US",
            "--column",
            "occurred_at=Last Modified Date",
            "--dates",
            "mdy",
            "--zone",
            "America/Denver",
        ],
    );
}

#[test]
fn twilios_log_of_messages() {
    is_read(
        "twilio.csv",
        &[
            "--list",
            "twilio",
            "--column",
            "phone=From",
            "--column",
            "status=Body",
            "--set",
            "channel=sms",
            "--column",
            "occurred_at=SentDate",
            "--zone",
            "UTC",
        ],
    );
}

#[test]
fn a_gateways_opt_outs() {
    is_read(
        "gateway-opt-outs.csv",
        &[
            "--list",
            "gateway",
            "--set",
            "channel=sms",
            "--set",
            "status=no",
            "--column",
            "occurred_at=Opt-out date",
            "--dates",
            "dmy",
            "--zone",
            "Europe/Berlin",
        ],
    );
}

#[test]
fn a_text_file_of_numbers() {
    is_read(
        "numbers.txt",
        &["--list", "do-not-text", "--set", "channel=sms", "--set", "status=no"],
    );
}

#[test]
fn a_workbook() {
    is_read(
        "workbook.xlsx",
        &[
            "--list",
            "workbook",
            "--column",
            "phone=Handy",
            "--column",
            "sms_optin=SMS ok",
            "--column",
            "occurred_at=Datum",
            "--zone",
            "Europe/Berlin",
        ],
    );
}

#[test]
fn a3_a_list_of_one_countrys_numbers_is_stopped_before_anything_is_stored() {
    for (name, numbers) in [
        (
            "american",
            &["(646) 355-0134", "2125550147", "3035550122", "4155550101", "4795550101"][..],
        ),
        ("indian", &["9820012345", "98200 12346", "8048123456", "7022123457"]),
        ("german", &["0151 23456789", "0170 2345678", "+4915123456780"]),
    ] {
        let desk = Desk::open();
        let list: String = numbers.iter().flat_map(|number| ["\"", *number, "\",no\n"]).collect();
        desk.write("list.csv", format!("phone,sms_optin\n{list}").as_bytes());
        for further in [&[][..], &["--dry-run"]] {
            let stopped = desk.run(&[&["import", "list.csv"][..], further].concat());
            assert_eq!(stopped.code, 2, "{name}: {}{}", stopped.stdout, stopped.stderr);
            assert!(stopped.stderr.contains("--region"), "{name}: {}", stopped.stderr);
        }
        assert_eq!(desk.standing(), Vec::<String>::new(), "{name}: nothing was stored");
    }
    let desk = Desk::open();
    desk.write("list.csv", b"phone,sms_optin\n(646) 355-0134,no\n4795550101,no\n");
    assert_eq!(desk.run(&["import", "list.csv", "--region", "US"]).code, 0);
    assert_eq!(desk.standing(), ["+14795550101 sms opted_out", "+16463550134 sms opted_out"]);
}

#[test]
fn b_a_rows_statements_stand_by_themselves() {
    for (list, refused) in [
        (
            &b"phone,email,sms_optin,email_optin\n+14155550331,,no,no\n"[..],
            "+14155550331 sms opted_out",
        ),
        (
            b"phone,email,sms_optin,email_optin\n+14155550331,ada@,no,no\n",
            "+14155550331 sms opted_out",
        ),
        (
            b"phone,email,sms_optin,email_optin\n12,ada@example.org,no,no\n",
            "ada@example.org email opted_out",
        ),
        (b"phone,sms_optin,notes\n+14155550331,no,a,b\n", "+14155550331 sms opted_out"),
    ] {
        let desk = Desk::open();
        let ran = desk.write("list.csv", list).run(&["import", "list.csv"]);
        assert_eq!(ran.code, 1, "the other statement is reported: {}", ran.stdout);
        assert_eq!(desk.standing(), [refused]);
    }
    for list in [
        &b"phone,sms_optin,name\n+14155550331,no,M\xfcller\n"[..],
        b"phone,sms_optin,occurred_at\n+14155550331,no,06/07/2025\n",
        b"uuid,phone,sms_optin\nundefined,+14155550331,no\n",
    ] {
        let desk = Desk::open();
        let ran = desk.write("list.csv", list).run(&["import", "list.csv"]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert_eq!(desk.standing(), ["+14155550331 sms opted_out"]);
    }
}

#[test]
fn b_a_refusal_whose_date_cannot_be_read_is_told() {
    for date in ["06/07/2025", "some day", "2025-13-01"] {
        let desk = Desk::open();
        let list = format!("phone;sms_optin;occurred_at\n+14155550331;no;{date}\n");
        let ran = desk.write("list.csv", list.as_bytes()).run(&["import", "list.csv"]);
        assert!(
            ran.stdout.contains("counts from now") && ran.stdout.contains(date),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn b_refused_rows_are_given_back_byte_for_byte_and_imported_again() {
    let bad = "  \"+1415 555 033\";no ;\"a \"\"b\"\" ; c\"\r\n";
    for (before, bad) in [
        ("phone;sms_optin;notes\r\n", bad.as_bytes().to_vec()),
        ("sep=;\r\nphone;sms_optin;notes\r\n", b"12;no;M\xfcller\r\n".to_vec()),
        ("Title\r\n\r\nphone;sms_optin;notes\r\n", b"9.19877E+11;no;x;y\r\n".to_vec()),
    ] {
        let desk = Desk::open();
        let good = b"+14155550101;no;x\r\n";
        desk.write("list.csv", &[before.as_bytes(), good, &bad].concat());
        let ran = desk.run(&["import", "list.csv", "--rejects", "bad.csv"]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        let path = desk.folder.path().join("bad.csv");
        let given = std::fs::read(&path).unwrap();
        assert!(given.ends_with(&bad), "{}", String::from_utf8_lossy(&given));
        assert!(!given.windows(6).any(|part| part == &good[..6]), "only what was not taken");
        // Mended there, it is imported as the list was.
        let shown = String::from_utf8_lossy(&given).into_owned();
        let again = desk.run(&["import", "bad.csv", "--rejects", "bad-2.csv"]);
        assert_eq!(again.code, 1, "{shown}: {}{}", again.stdout, again.stderr);
        let end = given.len() - bad.len();
        desk.write("mended.csv", &[&given[..end], b"+14155550102;no;x\r\n"].concat());
        let mended = desk.run(&["import", "mended.csv"]);
        assert_eq!(mended.code, 0, "{}{}", mended.stdout, mended.stderr);
        assert!(desk.standing().contains(&"+14155550102 sms opted_out".to_owned()));
    }
    let desk = Desk::open();
    let list: Vec<u8> =
        "phone\tsms_optin\r\n12\tno\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.write("list.txt", &[&[0xff, 0xfe], &list[..]].concat());
    assert_eq!(desk.run(&["import", "list.txt", "--rejects", "bad.txt"]).code, 1);
    let given = std::fs::read(desk.folder.path().join("bad.txt")).unwrap();
    let row: Vec<u8> = "12\tno\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(given.starts_with(&[0xff, 0xfe]) && given.ends_with(&row));
    assert_eq!(desk.run(&["import", "bad.txt"]).code, 1, "it is read as the list was");
    desk.write("numbers.txt", b"+14155550101\n12\n");
    let refuse = ["--set", "channel=sms", "--set", "status=no"];
    let ran = desk.run(&[&["import", "numbers.txt", "--rejects", "bad.txt"][..], &refuse].concat());
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert_eq!(
        std::fs::read(desk.folder.path().join("bad.txt"))
            .unwrap()
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap(),
        b"line,reason,phone"
    );
    assert_eq!(desk.run(&[&["import", "bad.txt"][..], &refuse].concat()).code, 1);
}

#[test]
fn a15_an_export_that_is_imported_elsewhere_keeps_people_out() {
    let desk = Desk::open();
    desk.write(
        "list.csv",
        b"phone,sms_optin,gdpr_optin\n+14155550101,no,\n+14155550102,yes,\n+14155550103,yes,no\n",
    );
    assert_eq!(desk.run(&["import", "list.csv"]).code, 0);
    let before = desk.standing();
    assert_eq!(desk.run(&["export", "--output", "all.csv"]).code, 0);
    let other = Desk::open();
    other.write("all.csv", &std::fs::read(desk.folder.path().join("all.csv")).unwrap());
    let taken = other.run(&["import", "all.csv"]);
    assert_eq!(taken.code, 0, "{}{}", taken.stdout, taken.stderr);
    let refused = |rows: Vec<String>| -> Vec<String> {
        rows.into_iter().filter(|row| row.ends_with("opted_out")).collect()
    };
    assert_eq!(refused(other.standing()), refused(before));
    let may = other.run(&["export", "--status", "opted_in"]).stdout;
    assert_eq!(may.lines().count(), 2, "a header, and whom may be written to: {may}");
}
