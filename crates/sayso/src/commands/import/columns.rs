//! Which column of a list says what: as the caller maps it, else by its header.
//!
//! What the caller says goes before what a header seems to say. A header that means several things in the
//! wild, such as `REGION`, counts where its cells fit.

use sayso_core::address::phone::Region;
use sayso_core::text::list_word::ListWord;
use sayso_core::time::list::ListTimes;
use sayso_core::words::channel::Channel;

use super::cells;
use super::headers::words::is_a_channel;
use super::headers::{Field, NAMES, plain, says_consent, says_contrary};
use super::lines::Record;
use crate::options::ListKind;

/// What the caller says of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// FIELD=HEADER, or FIELD=-.
    pub(super) columns: Vec<String>,
    /// FIELD=VALUE, for every row.
    pub(super) constants: Vec<String>,
    /// Headers that say nothing.
    pub(super) ignored: Vec<String>,
    /// Whether a region was named for the whole list.
    pub(super) has_region: bool,
    /// What the list lists.
    pub(super) kind: ListKind,
    /// How its times are read.
    pub(super) times: ListTimes,
}

/// The columns of a list.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    columns: Vec<(Field, usize)>,
    constants: Vec<(Field, String)>,
    /// The fields of both, each once.
    fields: Vec<Field>,
    headers: Vec<String>,
    kind: ListKind,
    times: ListTimes,
}

/// Digits that a cell has at least that may be a phone number.
const NUMBER_DIGITS_MIN: usize = 7;

/// Columns that stand beside `REGION` where it is a state, as in exports of Mailchimp and of shops.
const BESIDE_A_STATE: [&str; 12] = [
    "leid",
    "euid",
    "cc",
    "gmtoff",
    "dstoff",
    "member_rating",
    "latitude",
    "country",
    "state",
    "city",
    "zip",
    "timezone",
];

/// What is known while columns are mapped.
struct Mapper<'a> {
    headers: &'a [String],
    told: &'a Told,
    columns: Vec<(Field, usize)>,
    constants: Vec<(Field, String)>,
    /// Columns and fields that the caller wants left alone.
    free: Vec<usize>,
    unmapped: Vec<Field>,
}

impl Mapping {
    /// Maps the headers of a list; `seen` are its first rows.
    pub(super) fn of(headers: &[String], seen: &[Record], told: &Told) -> Result<Self, String> {
        let mut mapper = Mapper {
            headers,
            told,
            columns: Vec::new(),
            constants: Vec::new(),
            free: Vec::new(),
            unmapped: Vec::new(),
        };
        mapper.take_told()?;
        mapper.take_constants()?;
        mapper.guess(seen)?;
        let Mapper { columns, constants, .. } = mapper;
        let (kind, times) = (told.kind, told.times);
        let headers = headers.to_vec();
        let mut mapping = Self { columns, constants, fields: Vec::new(), headers, kind, times };
        mapping.place_opt_outs()?;
        mapping.check()?;
        mapping.fields = mapping.distinct();
        Ok(mapping)
    }

    /// A flag that says who left, and not which channel, is about the only one there can be.
    fn place_opt_outs(&mut self) -> Result<(), String> {
        let has = |field: Field| self.has(|known| known == field);
        if !has(Field::OptOut(None)) || has(Field::Channel) {
            return Ok(());
        }
        let only_email = has(Field::Email) && !has(Field::Phone) && !has(Field::ChannelId);
        let mut placed = self.columns.iter_mut().filter(|(field, _)| *field == Field::OptOut(None));
        if only_email {
            placed.for_each(|(field, _)| *field = Field::OptOut(Some(Channel::Email)));
            return Ok(());
        }
        let header = placed.next().and_then(|(_, at)| self.headers.get(*at));
        let header = header.map_or("", String::as_str);
        Err(format!(
            "the column {header:?} says who left, and not which channel: name it with --set channel=sms, or map it with \
             --column sms_optout={header:?}, or leave it out with --ignore {header:?}"
        ))
    }

    /// A list must say who, and what on which channel.
    fn check(&self) -> Result<(), String> {
        let found = format!("The columns found are: {}.", self.headers.join(", "));
        let has = |wanted: fn(Field) -> bool| self.has(wanted);
        if !has(Field::is_address) {
            return Err(format!(
                "no column says who it is about. {found} One of phone, email, external_id, channel_id and sha256 \
                 is needed; name it with --column, as in --column phone=Mobile"
            ));
        }
        if self.kind == ListKind::Disconnected
            && !has(|field| matches!(field, Field::Phone | Field::Sha256))
        {
            return Err(format!(
                "no column holds the numbers. {found} A column phone, or sha256 and kind, is needed; name it with --column, as in --column phone=TN"
            ));
        }
        if has(|field| field == Field::Sha256) && !has(|field| field == Field::Kind) {
            return Err(format!(
                "the column sha256 needs a column kind beside it, with phone or email in each row. {found}"
            ));
        }
        if self.kind == ListKind::Disconnected {
            return Ok(());
        }
        let has_flag = has(|field| field.says() && field != Field::Status);
        match (has(|field| field == Field::Status), has(|field| field == Field::Channel)) {
            (true, true) => Ok(()),
            (false, _) if has_flag => Ok(()),
            (false, _) => Err(format!(
                "no column says yes or no. {found} Flags such as sms_optin or whatsapp_optin are needed, or a \
                 channel and a status; name them with --column, as in --column sms_optin=\"SMS ok\". Where everybody \
                 on the list said the same: --set channel=sms --set status=no"
            )),
            (true, false) => Err(format!(
                "the column status needs a column channel beside it, with sms, whatsapp, email … in each row; where it \
                 is the same for all: --set channel=sms. {found}"
            )),
        }
    }

    fn has(&self, wanted: impl Fn(Field) -> bool) -> bool {
        self.columns.iter().any(|(field, _)| wanted(*field))
            || self.constants.iter().any(|(field, _)| wanted(*field))
    }

    /// What the list lists.
    pub(super) const fn kind(&self) -> ListKind {
        self.kind
    }

    /// How its times are read.
    pub(super) const fn times(&self) -> ListTimes {
        self.times
    }

    /// How many columns a row has.
    pub(super) fn width(&self) -> usize {
        self.headers.len()
    }

    /// The columns that say nothing we know.
    pub(super) fn unused(&self) -> Vec<&str> {
        let unused = self.headers.iter().enumerate();
        let unused = unused.filter(|(at, _)| self.at(*at).is_none());
        unused.map(|(_, header)| header.as_str()).collect()
    }

    /// What the column at this place says.
    pub(super) fn at(&self, place: usize) -> Option<Field> {
        self.columns.iter().find(|(_, at)| *at == place).map(|(field, _)| *field)
    }

    /// The fields that columns and constants hold, each once.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn distinct(&self) -> Vec<Field> {
        let constants = self.constants.iter().map(|(field, _)| *field);
        let mut fields: Vec<Field> = Vec::new();
        for field in self.columns.iter().map(|(field, _)| *field).chain(constants) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }

    /// The columns of a field.
    pub(super) fn columns_of(&self, wanted: Field) -> impl Iterator<Item = usize> {
        self.columns.iter().filter(move |(field, _)| *field == wanted).map(|(_, at)| *at)
    }

    /// What a field is in every row, if the caller said so.
    pub(super) fn constant(&self, wanted: Field) -> Option<&str> {
        let constant = self.constants.iter().find(|(field, _)| *field == wanted);
        constant.map(|(_, value)| value.as_str())
    }

    /// How the list is read, a line for each field.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        let of = |field: Field| {
            let columns: Vec<String> = self
                .columns_of(field)
                .filter_map(|at| self.headers.get(at))
                .map(|header| format!("column {header:?}"))
                .collect();
            let what = match (self.constant(field), columns.is_empty()) {
                (Some(value), _) => format!("{value}, in every row"),
                (None, _) => columns.join(", "),
            };
            (field.name(), what)
        };
        self.fields.iter().copied().map(of).collect()
    }
}

impl Mapper<'_> {
    /// Takes what the caller maps, un-maps and leaves out.
    fn take_told(&mut self) -> Result<(), String> {
        for header in &self.told.ignored {
            let at = self.find(header).ok_or_else(|| self.no_column("--ignore", header, header))?;
            self.free.push(at);
        }
        for text in &self.told.columns {
            let Some((name, header)) = text.split_once('=') else {
                return Err(format!(
                    "--column {text} is not FIELD=HEADER, as in --column phone=Mobile"
                ));
            };
            if header == "-" {
                self.unmap(name)?;
                continue;
            }
            let field = Field::named(name).ok_or_else(|| no_field("--column", text, name))?;
            let by_name = self.find(header);
            let at = by_name.or_else(|| self.numbered(header));
            let at = at.ok_or_else(|| self.no_column("--column", text, header))?;
            if by_name.is_some() {
                refuse_contrary(field, header)?;
            }
            let is_twice = self.columns.iter().any(|(known, _)| *known == field);
            if is_twice && !field.may_be_many() {
                return Err(format!("--column names {} twice", field.name()));
            }
            self.columns.push((field, at));
        }
        Ok(())
    }

    /// `FIELD=-` or `HEADER=-`: nothing is read from it.
    fn unmap(&mut self, name: &str) -> Result<(), String> {
        let (column, field) = (self.find(name), Field::named(name));
        if column.is_none() && field.is_none() {
            return Err(self.no_column("--column", &format!("{name}=-"), name));
        }
        self.free.extend(column);
        self.unmapped.extend(field);
        Ok(())
    }

    /// Takes what the caller says of every row.
    fn take_constants(&mut self) -> Result<(), String> {
        for text in &self.told.constants {
            let Some((name, value)) = text.split_once('=') else {
                return Err(format!("--set {text} is not FIELD=VALUE, as in --set channel=sms"));
            };
            let field = Field::named(name).ok_or_else(|| no_field("--set", text, name))?;
            if field.is_address() {
                return Err(format!("--set {text}: not every row is about the same person"));
            }
            if field == Field::Channel && super::headers::channel(value).is_none() {
                return Err(format!(
                    "--set {text}: there is no channel {value}; a good value: sms"
                ));
            }
            if field.says() && ListWord::parse(value).is_none() {
                return Err(format!(
                    "--set {text}: {value} is neither yes nor no; a good value: no"
                ));
            }
            if self.has(field) {
                return Err(format!(
                    "{} is said twice: choose one of --column and --set",
                    field.name()
                ));
            }
            self.constants.push((field, value.to_owned()));
        }
        Ok(())
    }

    /// Reads the headers that nobody spoke of.
    fn guess(&mut self, seen: &[Record]) -> Result<(), String> {
        let told: Vec<Field> = self.columns.iter().map(|(field, _)| *field).collect();
        for (at, header) in self.headers.iter().enumerate() {
            let is_told = self.free.contains(&at) || self.columns.iter().any(|(_, it)| *it == at);
            let field = Field::of(header).or_else(|| self.phone_of_a_channel(at, seen));
            let Some(field) = field.filter(|_| !is_told) else { continue };
            let is_free = !told.contains(&field)
                && !self.unmapped.contains(&field)
                && self.constants.iter().all(|(known, _)| *known != field)
                && field.belongs_to(self.told.kind);
            // Where everybody said the same, a state in the list is of something else.
            let is_overruled = field == Field::OptOut(None)
                && self.constants.iter().any(|(known, _)| *known == Field::Status);
            if !is_free || is_overruled || (field == Field::Region && !self.is_region(at, seen)) {
                continue;
            }
            self.columns.push((field, at));
        }
        self.leave_needless_states(&told);
        self.refuse_twice()
    }

    /// Two columns cannot be the same, unless a person may have several of it.
    fn refuse_twice(&self) -> Result<(), String> {
        for (place, (field, at)) in self.columns.iter().enumerate() {
            let mut before = self.columns.iter().take(place);
            let other = before.find(|(known, _)| known == field && !field.may_be_many());
            if let Some((_, other)) = other {
                let called = |at: usize| self.headers.get(at).map_or("", String::as_str);
                let (name, other, header) = (field.name(), called(*other), called(*at));
                return Err(format!(
                    "the columns {other:?} and {header:?} could both be the {name}: choose with --column {name}={other}, \
                     or leave one out with --ignore {header:?}"
                ));
            }
        }
        Ok(())
    }

    /// A column that is called `SMS` or `WhatsApp` holds the numbers of that channel where its cells do.
    fn phone_of_a_channel(&self, at: usize, seen: &[Record]) -> Option<Field> {
        let header = self.headers.get(at)?;
        let said = |record: &Record| record.cells.get(at).and_then(cells::said).map(str::to_owned);
        let mut cells = seen.iter().filter_map(said).peekable();
        cells.peek()?;
        let is_number =
            |cell: String| cell.chars().filter(char::is_ascii_digit).count() >= NUMBER_DIGITS_MIN;
        (is_a_channel(header) && cells.all(is_number)).then_some(Field::Phone)
    }

    /// A state of no channel, of which nobody spoke, says nothing beside flags that have theirs: it is of
    /// an order or a customer.
    fn leave_needless_states(&mut self, told: &[Field]) {
        let has_flag = self.columns.iter().any(|(field, _)| {
            matches!(field, Field::OptIn(_) | Field::OptOut(Some(_)) | Field::DoNotContact)
        });
        if has_flag && !self.has(Field::Channel) && !told.contains(&Field::Status) {
            self.columns.retain(|(field, _)| *field != Field::Status);
        }
    }

    /// Whether a column that is called region holds countries, and not states or markets.
    fn is_region(&self, at: usize, seen: &[Record]) -> bool {
        if self.told.has_region {
            return false;
        }
        let is_state = |header: &String| BESIDE_A_STATE.contains(&plain(header).as_str());
        let named_region = self.headers.get(at).is_some_and(|header| plain(header) == "region");
        if named_region && self.headers.iter().any(is_state) {
            return false;
        }
        let mut cells = seen.iter().filter_map(|record| record.cells.get(at));
        cells.all(|cell| {
            cells::said(cell)
                .is_none_or(|cell| Region::parse(cell).is_ok() || is_calling_code(cell))
        })
    }

    fn has(&self, field: Field) -> bool {
        self.columns.iter().any(|(known, _)| *known == field)
            || self.constants.iter().any(|(known, _)| *known == field)
    }

    fn find(&self, header: &str) -> Option<usize> {
        let wanted = plain(header);
        self.headers.iter().position(|header| plain(header) == wanted)
    }

    /// A column by its number, from 1. The two that a file of bad rows has before do not count.
    fn numbered(&self, text: &str) -> Option<usize> {
        let number: usize = text.parse().ok()?;
        let of_rejects = self.headers.iter().map(|header| plain(header)).take(2);
        let before = if of_rejects.eq(["line", "reason"]) { 2 } else { 0 };
        number.checked_sub(1).map(|at| at + before).filter(|at| *at < self.headers.len())
    }

    fn no_column(&self, option: &str, text: &str, header: &str) -> String {
        format!(
            "{option} {text}: there is no column {header}; the columns found are: {}",
            self.headers.join(", ")
        )
    }
}

/// `49`, `+49`, `0049`: what numbers of a country begin with.
pub(super) fn is_calling_code(cell: &str) -> bool {
    let digits = cell.strip_prefix('+').or_else(|| cell.strip_prefix("00")).unwrap_or(cell);
    (1..=3).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

/// A header that says the contrary of its field is not passed over.
fn refuse_contrary(field: Field, header: &str) -> Result<(), String> {
    let (contrary, is_wrong) = if let Field::OptIn(channel) = field {
        (Field::OptOut(Some(channel)), says_contrary(header))
    } else if field == Field::Status {
        (Field::OptOut(None), says_contrary(header))
    } else if let Field::OptOut(Some(channel)) = field {
        (Field::OptIn(channel), says_consent(header))
    } else {
        let is_flag = matches!(field, Field::OptOut(None) | Field::DoNotContact);
        (Field::Status, is_flag && says_consent(header))
    };
    if !is_wrong {
        return Ok(());
    }
    let (name, contrary) = (field.name(), contrary.name());
    Err(format!(
        "the column {header:?} seems to say the contrary of {name}: map it as --column {contrary}={header:?}; if its yes \
         does mean the yes of {name}, name the column by its number, as in --column {name}=3"
    ))
}

fn no_field(option: &str, text: &str, name: &str) -> String {
    let known: Vec<&str> = NAMES.iter().filter_map(|(_, names)| names.first().copied()).collect();
    format!(
        "{option} {text}: there is no field {name}; the fields are {}, and a channel with _optin, _optout or \
         _occurred_at, such as sms_optin",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use csv::StringRecord;

    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn mapped(names: &[&str], told: &Told, rows: &[&[&str]]) -> Result<Mapping, String> {
        let seen: Vec<Record> = rows
            .iter()
            .map(|cells| Record {
                line: 2,
                cells: StringRecord::from(cells.to_vec()),
                raw: Vec::new(),
                defect: None,
            })
            .collect();
        Mapping::of(&texts(names), &seen, told)
    }

    fn mapping(names: &[&str], told: &[&str]) -> Result<Mapping, String> {
        mapped(names, &Told { columns: texts(told), ..Told::default() }, &[])
    }

    fn column(mapping: &Mapping, field: Field) -> Option<usize> {
        mapping.columns_of(field).next()
    }

    #[test]
    fn headers_are_known_whatever_their_case_and_joints() {
        let mapping = mapping(
            &["Phone Number", "E-Mail", "WhatsApp_Optin", "SMS opt-in", "Consent Date"],
            &[],
        );
        assert_eq!(
            mapping.unwrap().fields(),
            [
                Field::Phone,
                Field::Email,
                Field::OptIn(Channel::WhatsApp),
                Field::OptIn(Channel::Sms),
                Field::OccurredAt(None)
            ]
        );
    }

    #[test]
    fn a_list_without_an_address_column_is_refused_with_what_was_found_and_what_is_needed() {
        let error = mapping(&["Name", "sms_optin"], &[]).unwrap_err();
        assert!(error.contains("Name, sms_optin"), "{error}");
        assert!(error.contains("phone, email, external_id"), "{error}");
        assert!(error.contains("--column phone="), "{error}");
    }

    #[test]
    fn a_list_that_says_neither_yes_nor_no_is_refused() {
        let silent = mapping(&["phone", "name"], &[]).unwrap_err();
        assert!(silent.contains("no column says yes or no") && silent.contains("--set status=no"));
        assert!(mapping(&["phone", "status"], &[]).unwrap_err().contains("--set channel=sms"));
        assert!(
            mapping(&["sha256", "sms_optin"], &[]).unwrap_err().contains("needs a column kind")
        );
    }

    #[test]
    fn two_columns_for_one_field_are_refused_until_the_caller_chooses() {
        let error = mapping(&["phone", "status", "consent", "channel"], &[]).unwrap_err();
        assert!(error.contains("--column status=status") && error.contains("--ignore"), "{error}");
        let chosen =
            mapping(&["phone", "status", "consent", "channel"], &["status=consent"]).unwrap();
        assert_eq!(column(&chosen, Field::Status), Some(2));
        assert_eq!(chosen.unused(), ["status"]);
    }

    #[test]
    fn b_two_phone_columns_are_both_read() {
        let both = mapping(&["phone", "Mobile", "sms_optin"], &[]).unwrap();
        assert_eq!(both.columns_of(Field::Phone).collect::<Vec<_>>(), [0, 1]);
        let both = mapping(&["A", "B", "sms_optin"], &["phone=A", "phone=B"]).unwrap();
        assert_eq!(both.columns_of(Field::Phone).collect::<Vec<_>>(), [0, 1]);
        let one = mapping(&["phone", "Mobile", "sms_optin"], &["phone=mobile"]).unwrap();
        assert_eq!(one.columns_of(Field::Phone).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn what_the_caller_maps_goes_before_what_a_header_says() {
        let told = mapping(&["Handy", "SMS ok", "sms_optin"], &["phone=Handy", "sms_optin=SMS ok"])
            .unwrap();
        assert_eq!(column(&told, Field::OptIn(Channel::Sms)), Some(1));
        assert!(mapping(&["a"], &["phone=b"]).unwrap_err().contains("there is no column b"));
        assert!(mapping(&["a"], &["fone=a"]).unwrap_err().contains("there is no field fone"));
        assert!(mapping(&["a"], &["phone"]).unwrap_err().contains("is not FIELD=HEADER"));
        let numbered = mapping(&["a", "b"], &["phone=1", "sms_optin=2"]).unwrap();
        assert_eq!(column(&numbered, Field::OptIn(Channel::Sms)), Some(1));
        let again = mapping(&["line", "reason", "a", "b"], &["phone=1", "sms_optin=2"]).unwrap();
        assert_eq!(column(&again, Field::Phone), Some(2), "as in the list the rows come from");
    }

    #[test]
    fn b_a_header_that_says_the_contrary_is_asked_about() {
        let error = mapping(&["phone", "SMS Unsubscribed"], &["sms_optin=SMS Unsubscribed"]);
        assert!(error.unwrap_err().contains("--column sms_optout=\"SMS Unsubscribed\""));
        let error = mapping(&["phone", "SMS opt-in"], &["sms_optout=SMS opt-in"]).unwrap_err();
        assert!(error.contains("--column sms_optin=\"SMS opt-in\""), "{error}");
        let error = mapping(&["phone", "opted_out"], &["status=opted_out"]).unwrap_err();
        assert!(error.contains("--column optout="), "{error}");
        assert!(
            mapping(&["phone", "SMS Unsubscribed"], &["sms_optin=2"]).is_ok(),
            "said explicitly"
        );
    }

    #[test]
    fn b_a_flag_of_who_left_needs_a_channel() {
        let error = mapping(&["phone", "unsubscribed"], &[]).unwrap_err();
        assert!(error.contains("--set channel=sms"), "{error}");
        let only = mapping(&["email", "unsubscribed"], &[]).unwrap();
        assert_eq!(column(&only, Field::OptOut(Some(Channel::Email))), Some(1));
        let told = Told { constants: texts(&["channel=sms"]), ..Told::default() };
        let told = mapped(&["phone", "unsubscribed"], &told, &[]).unwrap();
        assert_eq!(column(&told, Field::OptOut(None)), Some(1));
    }

    #[test]
    fn b_a_region_that_is_none_is_no_region() {
        let rows = |region: &'static str| [["+14155550101", region, "no"]];
        let of = |headers: &[&str], told: &Told, region: &'static str| {
            let rows = rows(region);
            let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
            column(&mapped(headers, told, &rows).unwrap(), Field::Region)
        };
        let headers = ["phone", "REGION", "sms_optin"];
        let plain = Told::default();
        assert_eq!(of(&headers, &plain, "DE"), Some(1));
        assert_eq!(of(&headers, &plain, "Colorado"), None, "no code of a country");
        assert_eq!(of(&headers, &plain, "NY"), None);
        let placed = Told { has_region: true, ..Told::default() };
        assert_eq!(of(&headers, &placed, "CO"), None, "the caller says where the list belongs");
        let beside = ["phone", "REGION", "sms_optin", "LEID"];
        assert_eq!(of(&beside, &plain, "CO"), None, "Mailchimp's column is a state");
        for told in [
            Told { columns: texts(&["REGION=-"]), ..Told::default() },
            Told { ignored: texts(&["region"]), ..Told::default() },
        ] {
            assert_eq!(of(&headers, &told, "DE"), None, "un-mapped");
        }
        let told = Told { columns: texts(&["region=REGION"]), has_region: true, ..Told::default() };
        assert_eq!(of(&headers, &told, "CO"), Some(1), "the caller maps it");
    }

    #[test]
    fn b_what_is_said_of_every_row_goes_before_a_header() {
        let told = Told { constants: texts(&["channel=sms", "status=no"]), ..Told::default() };
        let list = mapped(&["phone", "Status"], &told, &[]).unwrap();
        assert_eq!(column(&list, Field::Status), None);
        assert_eq!(list.constant(Field::Status), Some("no"));
        assert_eq!(list.unused(), ["Status"]);
        let wrong = |set: &str| {
            mapped(&["phone"], &Told { constants: texts(&[set]), ..Told::default() }, &[])
                .unwrap_err()
        };
        assert!(wrong("phone=1").contains("same person"));
        assert!(wrong("channel=pigeon").contains("no channel pigeon"));
        assert!(wrong("status").contains("FIELD=VALUE"));
        assert!(wrong("status=perhaps").contains("neither yes nor no"));
    }
}
