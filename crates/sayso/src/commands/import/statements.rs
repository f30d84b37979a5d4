//! From a row of a list to the statements it makes, as the API takes them: pure.
//!
//! Each statement stands by itself (rule 16): what cannot be read costs the statement that needs it, and
//! a refusal needs only whom it is about and on which channel. A row that is broken as a whole still
//! refuses, and agrees to nothing. A cell that is empty says nothing: neither yes nor no (rule 1).

use std::collections::BTreeMap;

use csv::StringRecord;
use sayso_core::address::phone::Region;
use sayso_core::text::list_word::ListWord;
use sayso_core::time::ClaimedTime;
use sayso_core::time::list::ListTimeFault;
use sayso_core::words::channel::Channel;
use serde_json::{Map, Value, json};

use super::cells;
use super::columns::{Mapping, is_calling_code};
use super::headers::{self, Field};
use super::lines::Record;
use super::says::{Flag, Polarity};
use crate::options::ListKind;

/// One row of the API.
pub(super) type Statement = Map<String, Value>;

/// What a row says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The statements that can be made of it.
    pub(super) statements: Vec<Statement>,
    /// Why others cannot be made.
    pub(super) faults: Vec<String>,
    /// What was in doubt, and how it was read.
    pub(super) remarks: Vec<String>,
}

/// What a statement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Yes,
    No,
}

/// The cells of a row, by field.
struct Cells<'a> {
    mapping: &'a Mapping,
    record: &'a StringRecord,
    line: u32,
}

impl Said {
    /// Nothing but a fault.
    pub(super) fn fault(fault: impl Into<String>) -> Self {
        Self { faults: vec![fault.into()], ..Self::default() }
    }

    fn note(&mut self, fault: String) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn remark(&mut self, remark: String) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// What it refuses, and the fault for the rest.
    fn only_refusals(mut self, fault: &str) -> Self {
        self.statements.retain(is_refusal);
        self.faults.insert(0, fault.to_owned());
        self
    }
}

fn is_refusal(statement: &Statement) -> bool {
    statement.get("statement").is_none_or(|said| said == "opt_out")
}

impl Mapping {
    /// What a row says.
    pub(super) fn read(&self, record: &Record) -> Said {
        let excess =
            record.cells.iter().skip(self.width()).any(|cell| !cells::clean(cell).is_empty());
        if excess {
            return self.read_too_wide(record);
        }
        let said = self.cells(record, &record.cells).said();
        match record.defect {
            Some(defect) => said.only_refusals(defect),
            None => said,
        }
    }

    fn cells<'a>(&'a self, record: &Record, cells: &'a StringRecord) -> Cells<'a> {
        Cells { mapping: self, record: cells, line: record.line }
    }

    /// A row with a delimiter too many stands in some text that is not in quotes. What it refuses is what
    /// any placing of the delimiter refuses, if all agree whom the row is about.
    fn read_too_wide(&self, record: &Record) -> Said {
        let fault =
            "has more cells than there are columns: put the cell with the delimiter into quotes";
        let filled = record.cells.iter().enumerate();
        let filled = filled.filter(|(_, cell)| !cells::clean(cell).is_empty());
        let last = filled.last().map_or(0, |(at, _)| at);
        let excess = (last + 1).saturating_sub(self.width());
        let is_text = |at: &usize| self.at(*at).is_none_or(Field::is_text);
        let joined = (0..self.width()).filter(is_text).map(|at| join(&record.cells, at, excess));
        let placings: Vec<StringRecord> =
            std::iter::once(record.cells.clone()).chain(joined).collect();
        let likely: Vec<Cells<'_>> = placings
            .iter()
            .map(|placing| self.cells(record, placing))
            .filter(Cells::is_likely)
            .collect();
        let mut said = Said::default();
        let mut addresses = likely.iter().map(Cells::addresses);
        let first = addresses.next();
        if addresses.all(|other| Some(&other) == first.as_ref()) {
            for cells in &likely {
                let Said { statements, remarks, .. } = cells.said();
                for statement in statements.into_iter().filter(is_refusal) {
                    if !said.statements.contains(&statement) {
                        said.statements.push(statement);
                    }
                }
                remarks.into_iter().for_each(|remark| said.remark(remark));
            }
        }
        said.only_refusals(fault)
    }
}

/// A row in which the cell at `at` goes on over the next `excess` cells.
fn join(row: &StringRecord, at: usize, excess: usize) -> StringRecord {
    let mut cells: Vec<String> = Vec::new();
    for (place, cell) in row.iter().enumerate() {
        match cells.last_mut() {
            Some(last) if place > at && place <= at + excess => {
                last.push(',');
                last.push_str(cell);
            }
            Some(_) | None => cells.push(cell.to_owned()),
        }
    }
    StringRecord::from(cells)
}

impl Cells<'_> {
    fn said(&self) -> Said {
        let mut said = Said::default();
        if self.mapping.kind() == ListKind::Disconnected {
            self.disconnected(&mut said);
            return said;
        }
        for field in self.mapping.fields().iter().copied().filter(|field| field.says()) {
            let Some(cell) = self.text(field) else { continue };
            let is_inverse = matches!(field, Field::OptOut(_) | Field::DoNotContact);
            let polarity = if is_inverse { Polarity::Inverse } else { Polarity::Straight };
            let name = field.name();
            let (word, date) = match Flag::read(&name, &cell, polarity, self.mapping.times()) {
                Err(fault) => {
                    said.note(fault);
                    continue;
                }
                Ok(Flag::Nothing(remark)) => {
                    remark.into_iter().for_each(|remark| said.remark(remark));
                    continue;
                }
                Ok(Flag::Yes) => (Word::Yes, None),
                Ok(Flag::No { date, remark }) => {
                    remark.into_iter().for_each(|remark| said.remark(remark));
                    (Word::No, date)
                }
            };
            if field == Field::Processing {
                self.about_processing(word, &mut said);
                continue;
            }
            match self.channels(field) {
                Ok(channels) => {
                    for channel in channels {
                        self.about_messages(channel, word, date.as_deref(), &mut said);
                    }
                }
                Err(fault) => said.note(fault),
            }
        }
        said
    }

    /// What a field says in this row: its constant, else what its first column with anything in it says.
    fn text(&self, field: Field) -> Option<String> {
        if let Some(constant) = self.mapping.constant(field) {
            return Some(constant.to_owned());
        }
        let cells = self.mapping.columns_of(field).filter_map(|at| self.record.get(at));
        cells.filter_map(cells::said).map(str::to_owned).next()
    }

    /// The channels that a flag speaks of.
    fn channels(&self, field: Field) -> Result<Vec<Channel>, String> {
        if let Field::OptIn(channel) | Field::OptOut(Some(channel)) = field {
            return Ok(vec![channel]);
        }
        if field == Field::DoNotContact {
            let reaches = |channel: &Channel| {
                fields_for(*channel).iter().take(1).any(|field| self.has(*field))
            };
            let reached: Vec<Channel> = Channel::ALL.iter().copied().filter(reaches).collect();
            return if reached.is_empty() { Err("has no address".to_owned()) } else { Ok(reached) };
        }
        let cell = self.text(Field::Channel);
        let cell = cell.ok_or("channel is empty, and the row has a status")?;
        let channel = headers::channel(&cell);
        channel
            .map(|channel| vec![channel])
            .ok_or_else(|| format!("channel is {cell:?}, which is no channel; a good value: sms"))
    }

    fn has(&self, field: Field) -> bool {
        self.mapping
            .columns_of(field)
            .filter_map(|at| self.record.get(at))
            .any(|cell| cells::said(cell).is_some())
    }

    /// Statements about messages on a channel. A refusal is said under every address of the row that the
    /// channel reaches; a yes under those of the best kind alone.
    fn about_messages(&self, channel: Channel, word: Word, date: Option<&str>, said: &mut Said) {
        let mut addresses: Vec<Statement> = Vec::new();
        let mut is_spoilt = false;
        for field in fields_for(channel) {
            let is_best = addresses.is_empty() && !is_spoilt;
            let is_wanted = match word {
                Word::Yes => is_best,
                // An external id stands for a person of whom nothing better is known.
                Word::No => is_best || *field != Field::ExternalId,
            };
            if !is_wanted {
                continue;
            }
            match self.addresses_of(*field) {
                Ok(found) => addresses.extend(found),
                Err(fault) => {
                    is_spoilt = true;
                    said.note(fault);
                }
            }
        }
        if addresses.is_empty() {
            if !is_spoilt {
                let wanted = fields_for(channel).iter().map(|field| field.name());
                let wanted: Vec<String> = wanted.collect();
                said.note(format!("has no address for {channel}: {} are empty", wanted.join(", ")));
            }
            return;
        }
        let Some(mut common) = self.common(Some(channel), word, date, said) else { return };
        common.insert("channel".to_owned(), channel.as_str().into());
        for (name, field) in [("scope", Field::Scope), ("topic", Field::Topic)] {
            common.extend(self.text(field).map(|text| (name.to_owned(), text.into())));
        }
        self.push_all(&common, addresses, said);
    }

    /// Statements about the processing of the person's data, one under each of their addresses.
    fn about_processing(&self, word: Word, said: &mut Said) {
        let fields =
            [Field::Phone, Field::Email, Field::ChannelId, Field::Sha256, Field::ExternalId];
        let mut addresses = Vec::new();
        for field in fields {
            match self.addresses_of(field) {
                Ok(found) => addresses.extend(found),
                Err(fault) => said.note(fault),
            }
        }
        if addresses.is_empty() {
            said.note("has no address".to_owned());
            return;
        }
        let Some(mut common) = self.common(None, word, None, said) else { return };
        common.insert("permission".to_owned(), "processing".into());
        self.push_all(&common, addresses, said);
    }

    /// The statement under each address, and whose record the row speaks of: two customers may share one
    /// phone.
    fn push_all(&self, common: &Statement, addresses: Vec<Statement>, said: &mut Said) {
        let external = self.text(Field::ExternalId);
        for address in addresses {
            let mut statement = common.clone();
            if let Some(id) = &external {
                statement.insert("external_id".to_owned(), id.as_str().into());
            }
            statement.extend(address);
            if !said.statements.contains(&statement) {
                said.statements.push(statement);
            }
        }
    }

    /// That the number was disconnected. A row of a register that was asked about it may say that it was
    /// not, or that the register does not know.
    fn disconnected(&self, said: &mut Said) {
        let is_asked = self.has_column(Field::Disconnected);
        match (is_asked, self.text(Field::Disconnected)) {
            (false, _) => {}
            (true, None) => return,
            (true, Some(cell)) => {
                let word = cell.to_lowercase().replace([' ', '-'], "_");
                match ListWord::parse(&cell) {
                    _ if matches!(word.as_str(), "disconnected" | "reassigned") => {}
                    _ if matches!(word.as_str(), "no_data" | "nodata") => return,
                    Some(ListWord::True | ListWord::Invalid) => {}
                    Some(
                        ListWord::False | ListWord::OptedIn | ListWord::OptedOut | ListWord::Silent,
                    ) => return,
                    None => {
                        said.note(format!(
                            "disconnected is {cell:?}, which is neither yes nor no nor no data; a good value: yes"
                        ));
                        return;
                    }
                }
            }
        }
        let mut statement = Map::new();
        statement.insert("line".to_owned(), self.line.into());
        statement.extend(self.region().map(|region| ("region".to_owned(), region.into())));
        if let Some(at) = self.time(None, Word::No, None, said).unwrap_or_default() {
            statement.insert("occurred_at".to_owned(), at.into());
        }
        statement.extend(self.text(Field::Source).map(|text| ("source".to_owned(), text.into())));
        let mut numbers = Vec::new();
        for field in [Field::Phone, Field::Sha256] {
            match self.addresses_of(field) {
                Ok(found) => numbers.extend(found),
                Err(fault) => said.note(fault),
            }
        }
        if numbers.is_empty() && said.faults.is_empty() {
            said.note("has no number".to_owned());
        }
        for number in numbers {
            let mut statement = statement.clone();
            statement.extend(number);
            said.statements.push(statement);
        }
    }

    fn has_column(&self, field: Field) -> bool {
        self.mapping.columns_of(field).next().is_some()
    }

    /// The addresses that the columns of a field hold.
    fn addresses_of(&self, field: Field) -> Result<Vec<Statement>, String> {
        let mut found: Vec<String> = Vec::new();
        let mut fault = None;
        for at in self.mapping.columns_of(field) {
            let cell = self.record.get(at).unwrap_or_default();
            let texts = if field == Field::Phone {
                cells::phones(cell)
            } else if field == Field::Email {
                cells::emails(cell)
            } else {
                Ok(cells::said(cell).map(str::to_owned).into_iter().collect())
            };
            match texts {
                Ok(texts) => found.extend(texts),
                Err(spoilt) => {
                    fault = Some(format!("{} is {cell:?}, {}", field.name(), spoilt.words()));
                }
            }
        }
        if let Some(fault) = fault.filter(|_| found.is_empty()) {
            return Err(fault);
        }
        let mut distinct: Vec<String> = Vec::new();
        for text in found {
            if !distinct.contains(&text) {
                distinct.push(text);
            }
        }
        Ok(distinct.into_iter().map(|text| self.address(field, text)).collect())
    }

    fn address(&self, field: Field, text: String) -> Statement {
        let mut address = Map::new();
        let name = if field == Field::Sha256 {
            let kind = self.text(Field::Kind).unwrap_or_default().to_lowercase();
            address.insert("kind".to_owned(), kind.into());
            "hash".to_owned()
        } else {
            field.name()
        };
        let text = if field == Field::Phone { self.with_calling_code(text) } else { text };
        address.insert(name, text.into());
        address
    }

    /// Where the row's national number belongs. A calling code is put before the number instead.
    fn region(&self) -> Option<String> {
        self.text(Field::Region)
            .filter(|region| !is_calling_code(region))
            .map(|region| Region::parse(&region).map_or(region, |region| region.to_string()))
    }

    fn with_calling_code(&self, phone: String) -> String {
        let code = self.text(Field::Region).filter(|region| is_calling_code(region));
        let Some(code) = code else { return phone };
        if phone.starts_with(['+', '＋']) || phone.starts_with("00") {
            return phone;
        }
        let code = code.trim_start_matches(['+', '0']);
        format!("+{code} {phone}")
    }

    /// What every statement of the row has; nothing where a yes lacks what it needs.
    fn common(
        &self,
        channel: Option<Channel>,
        word: Word,
        date: Option<&str>,
        said: &mut Said,
    ) -> Option<Statement> {
        let mut statement = Map::new();
        statement.insert("line".to_owned(), self.line.into());
        let stated = if word == Word::Yes { "opt_in" } else { "opt_out" };
        statement.insert("statement".to_owned(), stated.into());
        let occurred_at = match self.time(channel, word, date, said) {
            Ok(at) => at,
            Err(fault) => {
                said.note(fault);
                return None;
            }
        };
        let texts = [
            ("region", self.region()),
            ("occurred_at", occurred_at),
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
            Some((None, text)) if word == Word::No => {
                said.remark(format!(
                    "notice is {text:?}, which is not id/version/language: left out"
                ));
            }
            Some((None, text)) => {
                said.note(format!(
                    "notice is {text:?}, which is not id/version/language; a good value: ntc_…/1/en"
                ));
                return None;
            }
        }
        Some(statement)
    }

    /// When it was said, as the API reads it: a coarse time as late as a refusal may be, and as early as
    /// an opt-in may be (rule 2). What cannot be read is told: a refusal counts from now, and a yes is not
    /// taken.
    fn time(
        &self,
        channel: Option<Channel>,
        word: Word,
        date: Option<&str>,
        said: &mut Said,
    ) -> Result<Option<String>, String> {
        let own = channel.map(|channel| Field::OccurredAt(Some(channel)));
        let own = own.and_then(|field| Some((field, self.text(field)?)));
        let dated = date.map(|date| (Field::OccurredAt(channel), date.to_owned()));
        let general = || Some((Field::OccurredAt(None), self.text(Field::OccurredAt(None))?));
        let Some((field, text)) = dated.or(own).or_else(general) else { return Ok(None) };
        let times = self.mapping.times();
        let is_whole_day = text.len() == "2025-06-07".len();
        if ClaimedTime::parse(&text).is_ok() && (times.zone.is_none() || !is_whole_day) {
            return Ok(Some(text));
        }
        let name = field.name();
        let fault = match (times.read(&text), word) {
            (Ok(time), Word::No) => {
                if time.is_anywhere {
                    said.remark(format!(
                        "{name} has no time zone, and a refusal counts as late as it may be: name the zone with --zone, as in --zone Europe/Berlin"
                    ));
                }
                return Ok(Some(time.claimed.last().to_string()));
            }
            (Ok(time), Word::Yes) if !time.is_anywhere => {
                return Ok(Some(time.claimed.first().to_string()));
            }
            (Ok(_), Word::Yes) => {
                format!(
                    "{name} is {text:?}, which has no time zone; name it with --zone, as in --zone Europe/Berlin"
                )
            }
            (Err(fault @ ListTimeFault::Ambiguous), _) => {
                format!(
                    "{name} is {text:?}, which {fault}; say which with --dates mdy or --dates dmy"
                )
            }
            (Err(fault @ ListTimeFault::Shape), _) => {
                format!("{name} is {text:?}, which {fault}; a good value: 2025-06-07T08:09:10Z")
            }
        };
        match word {
            Word::Yes => Err(fault),
            Word::No => {
                said.remark(format!("{fault}; the refusal counts from now"));
                Ok(None)
            }
        }
    }

    /// Whether every cell can be what its column says.
    fn is_likely(&self) -> bool {
        (0..self.mapping.width()).all(|at| {
            let Some(cell) = self.record.get(at).and_then(cells::said) else { return true };
            let Some(field) = self.mapping.at(at) else { return true };
            if field == Field::Phone {
                cells::is_like_a_phone(cell)
            } else if field == Field::Email {
                cells::is_like_an_email(cell)
            } else if field == Field::Channel {
                headers::channel(cell).is_some()
            } else {
                let is_read =
                    || ListWord::parse(cell).is_some() || self.mapping.times().read(cell).is_ok();
                !field.says() || is_read()
            }
        })
    }

    /// Whom it is about.
    fn addresses(&self) -> BTreeMap<usize, String> {
        let is_address = |at: &usize| self.mapping.at(*at).is_some_and(Field::is_address);
        let cells = (0..self.mapping.width()).filter(is_address);
        cells.map(|at| (at, self.record.get(at).unwrap_or_default().trim().to_owned())).collect()
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
mod tests;
