//! Which column of a list says what: by its header, or as the caller maps it.

use sayso_core::channel::Channel;

use crate::options::ListKind;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A telephone number.
    Phone,
    /// An email address.
    Email,
    /// The customer's own id of the person.
    ExternalId,
    /// A channel's own id of the person.
    ChannelId,
    /// The SHA-256 of an address.
    Sha256,
    /// The kind of the hashed address.
    Kind,
    /// The channel of `status`.
    Channel,
    /// What the statement covers.
    Scope,
    /// The topic it covers, by id or name.
    Topic,
    /// Yes or no, on `channel`.
    Status,
    /// Yes or no, on this channel.
    OptIn(Channel),
    /// Yes or no to the processing of the person's data.
    Processing,
    /// When it was said.
    OccurredAt,
    /// Where the list got it from.
    Source,
    /// How it was said.
    Method,
    /// What proves it.
    Evidence,
    /// The words that were shown: id/version/language.
    Notice,
    /// Where a national phone number belongs.
    Region,
    /// Whether the number was disconnected, in a list of such.
    Disconnected,
}

/// The names of each field, the one for `--column` first.
const NAMES: [(Field, &[&str]); 18] = [
    (
        Field::Phone,
        &[
            "phone",
            "phone_number",
            "mobile",
            "mobile_number",
            "mobile_phone",
            "msisdn",
            "telephone",
        ],
    ),
    (Field::Email, &["email", "email_address", "e_mail"]),
    (Field::ExternalId, &["external_id", "uuid", "customer_id", "user_id"]),
    (Field::ChannelId, &["channel_id"]),
    (Field::Sha256, &["sha256", "address_sha256"]),
    (Field::Kind, &["kind", "address_kind"]),
    (Field::Channel, &["channel"]),
    (Field::Scope, &["scope"]),
    (Field::Topic, &["topic"]),
    (Field::Status, &["status", "consent", "consent_status", "statement"]),
    (Field::Processing, &["gdpr_optin", "gdpr_opt_in"]),
    (
        Field::OccurredAt,
        &[
            "occurred_at",
            "consent_date",
            "consent_time",
            "consented_at",
            "disconnected_at",
            "disconnect_date",
            "permanent_disconnect_date",
            "deactivated_at",
        ],
    ),
    (Field::Source, &["source", "consent_source"]),
    (Field::Method, &["method", "consent_method"]),
    (Field::Evidence, &["evidence", "proof"]),
    (Field::Notice, &["notice", "consent_notice"]),
    (Field::Region, &["region", "country_code"]),
    (Field::Disconnected, &["disconnected", "reassigned", "result"]),
];

/// What follows the channel's name in the header of a flag.
const FLAG_ENDINGS: [&str; 3] = ["_optin", "_opt_in", "_consent"];

/// The columns of a list.
#[derive(Debug)]
pub(super) struct Mapping {
    columns: Vec<(Field, usize)>,
    unused: Vec<String>,
    kind: ListKind,
}

/// A header in the form in which headers are compared.
fn plain(header: &str) -> String {
    header.trim().to_lowercase().replace([' ', '-', '.'], "_")
}

impl Field {
    /// The field that a header names.
    fn of(header: &str) -> Option<Self> {
        let header = plain(header);
        let named = NAMES.iter().find(|(_, names)| names.contains(&header.as_str()));
        named.map(|(field, _)| *field).or_else(|| {
            let channel = FLAG_ENDINGS.iter().find_map(|ending| header.strip_suffix(ending))?;
            Channel::parse(channel).ok().map(Self::OptIn)
        })
    }

    /// The name for `--column`.
    pub(super) fn name(self) -> String {
        if let Self::OptIn(channel) = self {
            return format!("{channel}_optin");
        }
        let names = NAMES.iter().find(|(field, _)| *field == self).map(|(_, names)| *names);
        names.and_then(<[&str]>::first).map_or_else(String::new, |name| (*name).to_owned())
    }

    const fn is_address(self) -> bool {
        match self {
            Self::Phone | Self::Email | Self::ExternalId | Self::ChannelId | Self::Sha256 => true,
            Self::Kind
            | Self::Channel
            | Self::Scope
            | Self::Topic
            | Self::Status
            | Self::OptIn(_)
            | Self::Processing
            | Self::OccurredAt
            | Self::Source
            | Self::Method
            | Self::Evidence
            | Self::Notice
            | Self::Region
            | Self::Disconnected => false,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Phone | Self::Sha256)
    }

    /// Whether a list of this kind says it.
    fn belongs_to(self, kind: ListKind) -> bool {
        self != Self::Disconnected || kind == ListKind::Disconnected
    }
}

impl Mapping {
    /// Maps the headers of a list, `told` (FIELD=HEADER) first.
    pub(super) fn of(headers: &[String], told: &[String], kind: ListKind) -> Result<Self, String> {
        let mut columns: Vec<(Field, usize)> = Vec::new();
        for text in told {
            let (field, at) = parse_told(text, headers)?;
            if columns.iter().any(|(known, _)| *known == field) {
                return Err(format!("--column names {} twice", field.name()));
            }
            columns.push((field, at));
        }
        let told: Vec<Field> = columns.iter().map(|(field, _)| *field).collect();
        for (at, header) in headers.iter().enumerate() {
            let is_told = columns.iter().any(|(_, column)| *column == at);
            let is_free =
                |field: &Field| !is_told && !told.contains(field) && field.belongs_to(kind);
            let Some(field) = Field::of(header).filter(is_free) else { continue };
            if let Some((_, other)) = columns.iter().find(|(known, _)| *known == field) {
                let (name, other) = (field.name(), headers.get(*other).map_or("", String::as_str));
                return Err(format!(
                    "the columns {other:?} and {header:?} could both be the {name}: choose with --column {name}={other}"
                ));
            }
            columns.push((field, at));
        }
        let unused = headers.iter().enumerate();
        let unused = unused.filter(|(at, _)| !columns.iter().any(|(_, column)| column == at));
        let unused = unused.map(|(_, header)| header.clone()).collect();
        let mapping = Self { columns, unused, kind };
        mapping.check(headers)?;
        Ok(mapping)
    }

    /// A list must say who, and what on which channel.
    fn check(&self, headers: &[String]) -> Result<(), String> {
        let found = format!("The columns found are: {}.", headers.join(", "));
        let has = |wanted: fn(Field) -> bool| self.columns.iter().any(|(field, _)| wanted(*field));
        if !has(Field::is_address) {
            return Err(format!(
                "no column says who it is about. {found} One of phone, email, external_id, channel_id and sha256 \
                 is needed; name it with --column, as in --column phone=Mobile"
            ));
        }
        if self.kind == ListKind::Disconnected && !has(Field::is_number) {
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
        let has_flag = has(|field| matches!(field, Field::OptIn(_) | Field::Processing));
        match (has(|field| field == Field::Status), has(|field| field == Field::Channel)) {
            (true, true) => Ok(()),
            (false, _) if has_flag => Ok(()),
            (false, _) => Err(format!(
                "no column says yes or no. {found} Flags such as sms_optin or whatsapp_optin are needed, or a \
                 channel and a status; name them with --column, as in --column sms_optin=\"SMS ok\""
            )),
            (true, false) => Err(format!(
                "the column status needs a column channel beside it, with sms, whatsapp, email … in each row. {found}"
            )),
        }
    }

    /// What the list lists.
    pub(super) const fn kind(&self) -> ListKind {
        self.kind
    }

    /// The columns that say nothing we know.
    pub(super) fn unused(&self) -> &[String] {
        &self.unused
    }

    /// The fields, with the place of their column.
    pub(super) fn columns(&self) -> impl Iterator<Item = (Field, usize)> {
        self.columns.iter().copied()
    }

    /// The column of a field.
    pub(super) fn column(&self, wanted: Field) -> Option<usize> {
        self.columns().find(|(field, _)| *field == wanted).map(|(_, at)| at)
    }
}

fn parse_told(text: &str, headers: &[String]) -> Result<(Field, usize), String> {
    let Some((name, header)) = text.split_once('=') else {
        return Err(format!("--column {text} is not FIELD=HEADER, as in --column phone=Mobile"));
    };
    let field = Field::of(name).ok_or_else(|| {
        let known: Vec<&str> = NAMES.iter().filter_map(|(_, names)| names.first().copied()).collect();
        format!(
            "--column {text}: there is no field {name}; the fields are {}, and a channel with _optin, such as sms_optin",
            known.join(", ")
        )
    })?;
    let wanted = plain(header);
    let at = headers.iter().position(|header| plain(header) == wanted);
    let at = at.ok_or_else(|| {
        format!(
            "--column {text}: there is no column {header}; the columns found are: {}",
            headers.join(", ")
        )
    })?;
    Ok((field, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn mapping(names: &[&str], told: &[&str]) -> Result<Mapping, String> {
        Mapping::of(&headers(names), &headers(told), ListKind::Consents)
    }

    #[test]
    fn headers_are_known_whatever_their_case_and_joints() {
        let mapping = mapping(
            &["Phone Number", "E-Mail", "WhatsApp_Optin", "SMS opt-in", "Consent Date"],
            &[],
        );
        let fields: Vec<Field> = mapping.unwrap().columns().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            [
                Field::Phone,
                Field::Email,
                Field::OptIn(Channel::WhatsApp),
                Field::OptIn(Channel::Sms),
                Field::OccurredAt
            ]
        );
    }

    #[test]
    fn every_field_is_known_by_the_name_that_it_is_called() {
        for (field, names) in NAMES {
            assert_eq!(Field::of(&field.name()), Some(field));
            assert!(names.iter().all(|name| Field::of(name) == Some(field)));
        }
        let flag = Field::OptIn(Channel::Viber);
        assert_eq!(Field::of(&flag.name()), Some(flag));
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
        assert!(mapping(&["phone", "name"], &[]).unwrap_err().contains("no column says yes or no"));
        assert!(mapping(&["phone", "status"], &[]).unwrap_err().contains("needs a column channel"));
        assert!(
            mapping(&["sha256", "sms_optin"], &[]).unwrap_err().contains("needs a column kind")
        );
    }

    #[test]
    fn two_columns_for_one_field_are_refused_until_the_caller_chooses() {
        let error = mapping(&["phone", "Mobile", "sms_optin"], &[]).unwrap_err();
        assert!(error.contains("--column phone=phone"), "{error}");
        let chosen = mapping(&["phone", "Mobile", "sms_optin"], &["phone=mobile"]).unwrap();
        assert_eq!(chosen.column(Field::Phone), Some(1));
        assert_eq!(chosen.unused(), ["phone"]);
    }

    #[test]
    fn what_the_caller_maps_goes_before_what_a_header_says() {
        let told = mapping(&["Handy", "SMS ok", "sms_optin"], &["phone=Handy", "sms_optin=SMS ok"])
            .unwrap();
        assert_eq!(told.column(Field::OptIn(Channel::Sms)), Some(1));
        assert!(mapping(&["a"], &["phone=b"]).unwrap_err().contains("there is no column b"));
        assert!(mapping(&["a"], &["fone=a"]).unwrap_err().contains("there is no field fone"));
        assert!(mapping(&["a"], &["phone"]).unwrap_err().contains("is not FIELD=HEADER"));
    }
}
