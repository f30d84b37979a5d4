//! From a row of a list to the statements it makes, as the API takes them: pure.
//!
//! A cell that is empty says nothing: neither yes nor no (rule 1).

use sayso_core::channel::Channel;
use serde_json::{Map, Value, json};

use super::columns::{Field, Mapping};
use super::table::Record;
use crate::options::ListKind;

/// One row of the API.
pub(super) type Statement = Map<String, Value>;

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Yes,
    No,
    /// Nothing that can be imported: a state that nobody said, such as `never`.
    Nothing,
}

const YES: [&str; 10] =
    ["true", "yes", "y", "1", "opt_in", "opted_in", "in", "subscribed", "confirmed", "granted"];
const NO: [&str; 14] = [
    "false",
    "no",
    "n",
    "0",
    "opt_out",
    "opted_out",
    "out",
    "unsubscribed",
    "refused",
    "revoked",
    "denied",
    "complained",
    "blocklisted",
    "stop",
];
const NOTHING: [&str; 5] = ["never", "pending", "expired", "unconfirmed", "unknown"];

impl Said {
    fn parse(cell: &str) -> Option<Self> {
        let word = cell.to_lowercase().replace([' ', '-'], "_");
        let has = |words: &[&str]| words.contains(&word.as_str());
        if has(&YES) {
            Some(Self::Yes)
        } else if has(&NO) {
            Some(Self::No)
        } else if has(&NOTHING) {
            Some(Self::Nothing)
        } else {
            None
        }
    }
}

/// The cells of a row, by field.
struct Cells<'a> {
    mapping: &'a Mapping,
    record: &'a Record,
}

impl Mapping {
    /// The statements of a row; an error says why it makes none.
    pub(super) fn statements(&self, record: &Record) -> Result<Vec<Statement>, String> {
        let cells = Cells { mapping: self, record };
        if self.kind() == ListKind::Disconnected {
            return cells.disconnected();
        }
        let mut statements = Vec::new();
        for (field, _) in self.columns() {
            let (channel, cell) = match field {
                Field::OptIn(channel) => (Some(channel), cells.text(field)),
                Field::Processing => (None, cells.text(field)),
                Field::Status => match cells.text(field) {
                    Some(cell) => (Some(cells.channel()?), Some(cell)),
                    None => (None, None),
                },
                Field::Phone
                | Field::Email
                | Field::ExternalId
                | Field::ChannelId
                | Field::Sha256
                | Field::Kind
                | Field::Channel
                | Field::Scope
                | Field::Topic
                | Field::OccurredAt
                | Field::Source
                | Field::Method
                | Field::Evidence
                | Field::Notice
                | Field::Region
                | Field::Disconnected => continue,
            };
            let Some(cell) = cell else { continue };
            let said = Said::parse(&cell).ok_or_else(|| {
                format!(
                    "{} is {cell:?}, which is neither yes nor no; a good value: yes",
                    field.name()
                )
            })?;
            match (said, channel) {
                (Said::Nothing, _) => {}
                (_, Some(channel)) => statements.push(cells.about_messages(channel, said)?),
                (_, None) => statements.extend(cells.about_processing(said)?),
            }
        }
        Ok(statements)
    }
}

impl Cells<'_> {
    /// What a cell says; nothing if it is absent, empty, `null` or `\N`.
    fn text(&self, field: Field) -> Option<String> {
        let cell = self.record.cells.get(self.mapping.column(field)?)?.trim();
        let is_empty = cell.is_empty() || cell.eq_ignore_ascii_case("null") || cell == "\\N";
        (!is_empty).then(|| without_apostrophe(cell).to_owned())
    }

    fn channel(&self) -> Result<Channel, String> {
        let cell = self.text(Field::Channel).ok_or("channel is empty, and the row has a status")?;
        Channel::parse(&cell.to_lowercase())
            .map_err(|fault| format!("channel is {cell:?}, which {fault}"))
    }

    /// A statement about messages on a channel, under the address that the channel reaches.
    fn about_messages(&self, channel: Channel, said: Said) -> Result<Statement, String> {
        let mut statement = self.common(said)?;
        statement.insert("channel".to_owned(), channel.as_str().into());
        let scopes = [("scope", Field::Scope), ("topic", Field::Topic)];
        for (name, field) in scopes {
            statement.extend(self.text(field).map(|text| (name.to_owned(), text.into())));
        }
        let address = fields_for(channel).iter().find_map(|field| self.address(*field));
        let address = address.ok_or_else(|| {
            let wanted: Vec<String> =
                fields_for(channel).iter().map(|field| field.name()).collect();
            format!("has no address for {channel}: {} are empty", wanted.join(", "))
        })?;
        statement.extend(address);
        self.add_external_id(&mut statement);
        Ok(statement)
    }

    /// Statements about the processing of the person's data, one under each of their addresses.
    fn about_processing(&self, said: Said) -> Result<Vec<Statement>, String> {
        let fields =
            [Field::Phone, Field::Email, Field::ChannelId, Field::Sha256, Field::ExternalId];
        let mut statements = Vec::new();
        for address in fields.iter().filter_map(|field| self.address(*field)) {
            let mut statement = self.common(said)?;
            statement.insert("permission".to_owned(), "processing".into());
            statement.extend(address);
            self.add_external_id(&mut statement);
            statements.push(statement);
        }
        if statements.is_empty() { Err("has no address".to_owned()) } else { Ok(statements) }
    }

    /// That the number was disconnected. A row of a register that was asked about it may say that it was
    /// not, or that the register does not know.
    fn disconnected(&self) -> Result<Vec<Statement>, String> {
        let is_asked = self.mapping.column(Field::Disconnected).is_some();
        match (is_asked, self.text(Field::Disconnected)) {
            (false, _) => {}
            (true, None) => return Ok(Vec::new()),
            (true, Some(cell)) => {
                let word = cell.to_lowercase().replace([' ', '-'], "_");
                let is_no_data = matches!(word.as_str(), "no_data" | "nodata");
                let is_yes = matches!(word.as_str(), "disconnected" | "reassigned");
                match Said::parse(&cell) {
                    _ if is_yes => {}
                    _ if is_no_data => return Ok(Vec::new()),
                    Some(Said::Yes) => {}
                    Some(Said::No | Said::Nothing) => return Ok(Vec::new()),
                    None => {
                        return Err(format!(
                            "disconnected is {cell:?}, which is neither yes nor no nor no data; a good value: yes"
                        ));
                    }
                }
            }
        }
        let mut statement = Map::new();
        statement.insert("line".to_owned(), self.record.line.into());
        let texts = [
            ("region", self.text(Field::Region).map(|region| region.to_uppercase())),
            ("occurred_at", self.text(Field::OccurredAt).map(|time| as_rfc_3339(&time))),
            ("source", self.text(Field::Source)),
        ];
        for (name, text) in texts {
            statement.extend(text.map(|text| (name.to_owned(), text.into())));
        }
        let number = [Field::Phone, Field::Sha256].iter().find_map(|field| self.address(*field));
        statement.extend(number.ok_or("has no number")?);
        Ok(vec![statement])
    }

    /// Whose record the row speaks of: two customers may share one phone.
    fn add_external_id(&self, statement: &mut Statement) {
        statement.extend(self.address(Field::ExternalId).unwrap_or_default());
    }

    fn address(&self, field: Field) -> Option<Statement> {
        let text = self.text(field)?;
        let mut address = Map::new();
        let name = match field {
            Field::Phone => "phone",
            Field::Email => "email",
            Field::ChannelId => "channel_id",
            Field::ExternalId => "external_id",
            Field::Sha256 => {
                let kind = self.text(Field::Kind).unwrap_or_default().to_lowercase();
                address.insert("kind".to_owned(), kind.into());
                "hash"
            }
            Field::Kind
            | Field::Channel
            | Field::Scope
            | Field::Topic
            | Field::Status
            | Field::OptIn(_)
            | Field::Processing
            | Field::OccurredAt
            | Field::Source
            | Field::Method
            | Field::Evidence
            | Field::Notice
            | Field::Region
            | Field::Disconnected => return None,
        };
        address.insert(name.to_owned(), text.into());
        Some(address)
    }

    /// What every statement of the row has.
    fn common(&self, said: Said) -> Result<Statement, String> {
        let mut statement = Map::new();
        statement.insert("line".to_owned(), self.record.line.into());
        let word = if said == Said::Yes { "opt_in" } else { "opt_out" };
        statement.insert("statement".to_owned(), word.into());
        let texts = [
            ("region", self.text(Field::Region).map(|region| region.to_uppercase())),
            ("occurred_at", self.text(Field::OccurredAt).map(|time| as_rfc_3339(&time))),
            ("method", self.text(Field::Method)),
            ("evidence", self.text(Field::Evidence)),
            ("source", self.text(Field::Source)),
        ];
        for (name, text) in texts {
            statement.extend(text.map(|text| (name.to_owned(), text.into())));
        }
        match self.text(Field::Notice).map(|text| (parse_notice(&text), text)) {
            None => {}
            Some((Some(notice), _)) => {
                statement.insert("notice".to_owned(), notice);
            }
            // A refusal does not fall with a notice that nobody can read (rule 5).
            Some((None, _)) if said == Said::No => {}
            Some((None, text)) => {
                return Err(format!(
                    "notice is {text:?}, which is not id/version/language; a good value: ntc_…/1/en"
                ));
            }
        }
        Ok(statement)
    }
}

/// The addresses that reach a person on a channel, the best first. An external id stands for a
/// person of whom nothing better is known.
const fn fields_for(channel: Channel) -> &'static [Field] {
    match channel {
        Channel::Email => &[Field::Email, Field::Sha256, Field::ExternalId],
        Channel::Sms | Channel::Rcs | Channel::Voice => {
            &[Field::Phone, Field::Sha256, Field::ExternalId]
        }
        Channel::WhatsApp | Channel::Viber | Channel::Telegram => {
            &[Field::Phone, Field::ChannelId, Field::Sha256, Field::ExternalId]
        }
        Channel::Push | Channel::Messenger | Channel::Line => {
            &[Field::ChannelId, Field::Sha256, Field::ExternalId]
        }
    }
}

/// A cell without the apostrophe that an export puts before what a spreadsheet would run.
fn without_apostrophe(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        Some(_) | None => cell,
    }
}

/// A time as databases and spreadsheets write it, in the spelling of the API.
fn as_rfc_3339(time: &str) -> String {
    let time = time.strip_suffix(" UTC").map_or_else(|| time.to_owned(), |time| format!("{time}Z"));
    match time.split_once(' ') {
        Some((date, clock)) if date.len() == 10 => format!("{date}T{}", clock.replace(' ', "")),
        Some(_) | None => time,
    }
}

fn parse_notice(text: &str) -> Option<Value> {
    let mut parts = text.split('/');
    let (id, version, language) = (parts.next()?, parts.next()?, parts.next()?);
    let version: u32 = version.trim().parse().ok()?;
    parts
        .next()
        .is_none()
        .then(|| json!({ "id": id.trim(), "version": version, "language": language.trim() }))
}

#[cfg(test)]
mod tests {
    use super::super::table::Row;
    use super::super::table::tests::table;
    use super::*;

    /// The statements of each row, or why it makes none.
    fn statements(list: &str) -> Vec<Result<Vec<Value>, String>> {
        statements_of(list, ListKind::Consents)
    }

    fn statements_of(list: &str, kind: ListKind) -> Vec<Result<Vec<Value>, String>> {
        let mut table = table(list.as_bytes());
        let mapping = Mapping::of(table.headers(), &[], kind).unwrap();
        let mut rows = Vec::new();
        while let Some(row) = table.next().unwrap() {
            rows.push(match row {
                Row::Cells(record) => mapping
                    .statements(&record)
                    .map(|statements| statements.into_iter().map(Value::Object).collect()),
                Row::Unreadable(_, reason) => Err(reason.to_owned()),
            });
        }
        rows
    }

    #[test]
    fn each_flag_is_a_statement_and_an_empty_one_is_none() {
        let rows = statements(
            "phone,email,whatsapp_optin,sms_optin,email_optin\n\
             +14155550123,ada@example.org,TRUE,0,yes\n\
             +14155550124,,,null,\n",
        );
        assert_eq!(
            rows,
            [
                Ok(vec![
                    json!({"line": 2, "statement": "opt_in", "channel": "whatsapp", "phone": "+14155550123"}),
                    json!({"line": 2, "statement": "opt_out", "channel": "sms", "phone": "+14155550123"}),
                    json!({"line": 2, "statement": "opt_in", "channel": "email", "email": "ada@example.org"}),
                ]),
                Ok(vec![]),
            ]
        );
    }

    #[test]
    fn a_flag_that_is_neither_yes_nor_no_is_a_bad_row() {
        let rows = statements("phone,sms_optin\n+14155550123,maybe\n");
        assert_eq!(
            rows,
            [Err(
                "sms_optin is \"maybe\", which is neither yes nor no; a good value: yes".to_owned()
            )]
        );
    }

    #[test]
    fn a_status_goes_with_its_channel_and_topic() {
        let rows = statements(
            "email;channel;status;topic;method;evidence;source;occurred_at;notice\n\
             ada@example.org;Email;Unsubscribed;News;form;file 7;crm;2026-01-02 03:04:05 UTC;ntc_x/2/en\n\
             ada@example.org;email;never;;;;;;\n\
             ada@example.org;pigeon;yes;;;;;;\n",
        );
        assert_eq!(
            rows[0],
            Ok(vec![json!({
                "line": 2, "statement": "opt_out", "channel": "email", "email": "ada@example.org", "topic": "News",
                "method": "form", "evidence": "file 7", "source": "crm", "occurred_at": "2026-01-02T03:04:05Z",
                "notice": {"id": "ntc_x", "version": 2, "language": "en"},
            })])
        );
        assert_eq!(rows[1], Ok(vec![]));
        assert!(rows[2].as_ref().unwrap_err().starts_with("channel is \"pigeon\""));
    }

    #[test]
    fn a_disconnected_number_is_a_row_where_the_register_says_so() {
        let list = "TN,date,result,disconnect_date\n\
             4155550123,2024-01-01,yes,2026-02-03\n\
             4155550124,2024-01-01,no,\n\
             4155550125,2024-01-01,no data,\n\
             4155550126,2024-01-01,perhaps,\n";
        let list = list.replace("TN", "phone");
        let rows = statements_of(&list, ListKind::Disconnected);
        let first = json!({"line": 2, "phone": "4155550123", "occurred_at": "2026-02-03"});
        assert_eq!(
            rows[0],
            Ok(vec![first]),
            "the day that was asked about is no day of disconnection"
        );
        assert_eq!((&rows[1], &rows[2]), (&Ok(vec![]), &Ok(vec![])));
        assert!(rows[3].as_ref().unwrap_err().contains("perhaps"));
        let bare = statements_of("phone,sms_optin\n+14155550123,yes\n,\n", ListKind::Disconnected);
        assert_eq!(bare[0], Ok(vec![json!({"line": 2, "phone": "+14155550123"})]));
    }

    #[test]
    fn a_refusal_by_hash_names_its_kind() {
        let rows = statements("sha256,kind,sms_optin\nabc,Phone,no\n");
        assert_eq!(
            rows,
            [Ok(vec![
                json!({"line": 2, "statement": "opt_out", "channel": "sms", "hash": "abc", "kind": "phone"})
            ])]
        );
    }

    #[test]
    fn an_external_id_stands_beside_the_address_or_for_it() {
        let rows = statements("uuid,phone,sms_optin\nu-1,+14155550123,no\nu-2,,no\n,,no\n");
        let statement = |fields: Value| {
            let mut statement = json!({"statement": "opt_out", "channel": "sms"});
            statement.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            Ok(vec![statement])
        };
        assert_eq!(
            rows[0],
            statement(json!({"line": 2, "phone": "+14155550123", "external_id": "u-1"}))
        );
        assert_eq!(rows[1], statement(json!({"line": 3, "external_id": "u-2"})));
        assert!(rows[2].as_ref().unwrap_err().contains("no address for sms"));
    }

    #[test]
    fn a_refusal_of_processing_is_said_under_every_address() {
        let rows = statements("phone,email,gdpr_optin\n+14155550123,ada@example.org,false\n");
        let said = rows[0].as_ref().unwrap();
        assert_eq!(said.len(), 2);
        assert!(
            said.iter()
                .all(|one| one["permission"] == "processing" && one["statement"] == "opt_out")
        );
    }

    #[test]
    fn an_unreadable_notice_stops_an_opt_in_and_no_refusal() {
        let rows = statements("phone,sms_optin,notice\n+14155550123,yes,v1\n+14155550123,no,v1\n");
        assert!(rows[0].as_ref().unwrap_err().contains("id/version/language"));
        assert_eq!(rows[1].as_ref().unwrap().len(), 1);
    }

    #[test]
    fn what_an_export_neutralized_is_read_as_it_was() {
        assert_eq!(without_apostrophe("'+1"), "+1");
        assert_eq!(without_apostrophe("'=x"), "=x");
        assert_eq!(without_apostrophe("'s-Gravenhage"), "'s-Gravenhage");
    }
}
