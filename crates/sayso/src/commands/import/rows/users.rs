//! Gupshup's list of an app's users: JSON as its API gives it, a page, or one page after another in
//! one file. What a user says is for the server to read.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;

use csv::StringRecord;
use serde_json::de::IoRead;
use serde_json::{Deserializer, StreamDeserializer, Value};

use super::Row;
use crate::commands::import::lines::Record;
use crate::commands::import::list::List;
use crate::commands::import::statements::Said;
use crate::exit::Failure;

/// The users, of which one page is in memory.
pub(super) struct Users {
    pages: StreamDeserializer<'static, IoRead<BufReader<File>>, Value>,
    page: VecDeque<Value>,
    line: u32,
    bytes: u64,
}

impl Users {
    /// Opens the list and reads its first page.
    pub(super) fn open(list: List) -> Result<Self, Failure> {
        let (file, bytes) = list.into_file();
        let pages = Deserializer::from_reader(BufReader::new(file)).into_iter();
        let mut users = Self { pages, page: VecDeque::new(), line: 0, bytes };
        if users.turn()? { Ok(users) } else { Err(Failure::Input("the list is empty".to_owned())) }
    }

    /// The length of the list.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How much of it was read.
    pub(super) fn position(&self) -> u64 {
        u64::try_from(self.pages.byte_offset()).unwrap_or(u64::MAX)
    }

    /// The next user, counted from 1, with what is sent of it.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Failure> {
        loop {
            if let Some(user) = self.page.pop_front() {
                self.line = self.line.saturating_add(1);
                return Ok(Some(row(self.line, user)));
            }
            if !self.turn()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next page; false at the end.
    fn turn(&mut self) -> Result<bool, Failure> {
        let Some(page) = self.pages.next() else { return Ok(false) };
        let page = page.map_err(|error| {
            Failure::Input(format!("the list is not the JSON that Gupshup's API gives: {error}"))
        })?;
        let Some(users) = page.get("users").and_then(Value::as_array) else {
            let said = page.get("message").and_then(Value::as_str);
            return Err(Failure::Input(match said {
                Some(said) => format!("the file holds no users but a fault of Gupshup's: {said}"),
                None => "the file holds no users: it must be {\"status\":…,\"users\":[…]}, as Gupshup's API gives it".to_owned(),
            }));
        };
        self.page.extend(users.iter().cloned());
        Ok(true)
    }
}

fn row(line: u32, user: Value) -> Row {
    let text = user.to_string();
    let raw = text.clone().into_bytes();
    let cells = StringRecord::from(vec![text]);
    let record = Record { line, cells, raw, defect: None };
    let said = if let Value::Object(mut statement) = user {
        statement.insert("line".to_owned(), line.into());
        Said { statements: vec![statement], ..Said::default() }
    } else {
        Said::fault("is no user: a JSON object with countryCode and phoneCode is needed")
    };
    Row { record, said }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::import::table::tests::list;

    fn rows(text: &str) -> Vec<(u32, Vec<Value>, Vec<String>)> {
        let mut users = Users::open(list(text.as_bytes())).unwrap();
        let mut rows = Vec::new();
        while let Some(Row { record, said }) = users.next().unwrap() {
            let statements = said.statements.into_iter().map(Value::Object).collect();
            rows.push((record.line, statements, said.faults));
        }
        rows
    }

    #[test]
    fn each_user_of_each_page_is_a_row_with_its_place() {
        let text = r#"{"status":"success","users":[{"phoneCode":"1"},7]}
                      {"status":"success","users":[{"phoneCode":"2"}]}"#;
        let found = rows(text);
        assert_eq!(found[0], (1, vec![json!({ "phoneCode": "1", "line": 1 })], vec![]));
        assert!(found[1].2[0].starts_with("is no user"));
        assert_eq!(found[2], (3, vec![json!({ "phoneCode": "2", "line": 3 })], vec![]));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn what_is_no_list_of_users_is_refused_with_what_it_is() {
        let refused = |text: &str| match Users::open(list(text.as_bytes())) {
            Err(Failure::Input(words)) => words,
            Ok(_) | Err(_) => String::new(),
        };
        let fault = r#"{"status":"error","message":"Invalid App Details"}"#;
        assert!(refused(fault).contains("Invalid App Details"));
        assert!(refused("{}").contains("holds no users"));
        assert!(refused("phone,sms_optin").contains("not the JSON"));
        assert!(refused("").contains("is empty"));
    }
}
