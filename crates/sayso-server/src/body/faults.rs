//! What is wrong with a request, by place.
//!
//! A request may be wrong in a million places, and each fault told is larger than what caused it. So of
//! each part of a request the first [`limits::FAULTS_MAX`] faults are kept, and the others counted. The
//! parts are kept apart because a refusal does without some of them (rule 5): what else is wrong there must
//! not count against it, however much it is.

use std::fmt::{self, Write};

use sayso_core::limits;

use crate::problem::{Code, FieldError, Problem};

/// Where a value stands in a request. Written out only when something is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pointer<'a> {
    /// The body.
    Body,
    /// The query.
    Query,
    /// A member of an object.
    Member(&'a Pointer<'a>, &'a str),
    /// An item of a list.
    Item(&'a Pointer<'a>, usize),
}

/// All that is wrong with a request.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<FieldError>,
    parts: Vec<Part>,
}

/// The first faults of something, and how many more there were.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The first.
    pub(crate) errors: Vec<FieldError>,
    /// How many more.
    pub(crate) left_out: u64,
}

/// A part of a request: a member of its body, a parameter of its query, all unknown members together.
#[derive(Debug)]
struct Part {
    /// Its place; [`UNKNOWN`] and [`OTHERS`] are none.
    place: Box<str>,
    kept: usize,
    left_out: u64,
}

/// The part of the members that a request does not have.
const UNKNOWN: &str = "unknown";
/// The part of whatever is in no part of its own.
const OTHERS: &str = "others";

impl Pointer<'_> {
    /// Whether the value is a parameter of a query, where everything is text.
    pub(crate) const fn is_in_query(&self) -> bool {
        match self {
            Self::Query => true,
            Self::Body => false,
            Self::Member(parent, _) | Self::Item(parent, _) => parent.is_in_query(),
        }
    }
}

/// RFC 6901, or `?name` for a parameter of a query.
impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body | Self::Query => Ok(()),
            Self::Member(Pointer::Query, name) => write!(f, "?{name}"),
            Self::Member(parent, name) => {
                write!(f, "{parent}/")?;
                let mut rest = *name;
                while let Some(at) = rest.find(['~', '/']) {
                    let (before, after) = rest.split_at(at);
                    f.write_str(before)?;
                    f.write_str(if after.starts_with('~') { "~0" } else { "~1" })?;
                    rest = after.get(1..).unwrap_or_default();
                }
                f.write_str(rest)
            }
            Self::Item(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

impl Faults {
    /// Notes a fault.
    pub(crate) fn note(
        &mut self,
        pointer: impl fmt::Display,
        code: Code,
        fault: impl fmt::Display,
    ) {
        self.push(pointer, code, fault, None::<&str>);
    }

    /// Notes a fault, with a value that would be right.
    pub(crate) fn note_with_example(
        &mut self,
        pointer: impl fmt::Display,
        code: Code,
        fault: impl fmt::Display,
        example: impl AsRef<str>,
    ) {
        self.push(pointer, code, fault, Some(example));
    }

    fn push(
        &mut self,
        pointer: impl fmt::Display,
        code: Code,
        fault: impl fmt::Display,
        example: Option<impl AsRef<str>>,
    ) {
        let pointer = beginning(&pointer, limits::FAULT_PLACE_BYTES_MAX);
        let Some(part) = self.part_of(&pointer, code) else { return };
        if part.kept == limits::FAULTS_MAX {
            part.left_out += 1;
            return;
        }
        part.kept += 1;
        let text = |text: &dyn fmt::Display| beginning(text, limits::FAULT_TEXT_BYTES_MAX);
        let example = example.map(|example| text(&example.as_ref()));
        self.kept.push(FieldError { pointer, code, fault: text(&fault), example });
    }

    /// The part that a fault is of.
    fn part_of(&mut self, pointer: &str, code: Code) -> Option<&mut Part> {
        let end = pointer.char_indices().skip(1).find(|(_, letter)| *letter == '/');
        let place = pointer.get(..end.map_or(pointer.len(), |(at, _)| at)).unwrap_or_default();
        let is_unknown = code == Code::UnknownField && place == pointer;
        let place = if is_unknown { UNKNOWN } else { place };
        let of = |place: &str| self.parts.iter().position(|part| &*part.place == place);
        let known = of(place);
        let place = match known {
            None if self.parts.len() >= limits::FAULT_PARTS_MAX => OTHERS,
            Some(_) | None => place,
        };
        let known = known.or_else(|| of(OTHERS).filter(|_| place == OTHERS));
        let at = known.unwrap_or(self.parts.len());
        if at == self.parts.len() {
            self.parts.push(Part { place: place.into(), kept: 0, left_out: 0 });
        }
        self.parts.get_mut(at)
    }

    /// Counts members that a request does not have, of which nothing is told.
    pub(crate) fn count_unknown(&mut self, at: &Pointer<'_>, members: u64) {
        if members > 0 {
            let place = beginning(&Pointer::Member(at, ""), limits::FAULT_PLACE_BYTES_MAX);
            if let Some(part) = self.part_of(&place, Code::UnknownField) {
                part.left_out += members;
            }
        }
    }

    /// Takes a required field out; notes its absence unless something is wrong with it already.
    pub(crate) fn require<T>(
        &mut self,
        pointer: &str,
        value: Option<T>,
        example: &str,
    ) -> Option<T> {
        if value.is_none() && !self.is_wrong_at(&[pointer]) {
            self.note_with_example(pointer, Code::MissingField, "is missing", example);
        }
        value
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.left_out() == 0
    }

    /// Whether something is wrong at one of these places or below.
    pub(crate) fn is_wrong_at(&self, places: &[&str]) -> bool {
        self.kept.iter().any(|error| is_within(&error.pointer, places))
            || self.parts.iter().any(|part| part.left_out > 0 && is_within(&part.place, places))
    }

    /// Takes out the faults at these parts of the request.
    pub(crate) fn take_at(&mut self, parts: &[&str]) -> Told {
        self.take(|error| is_within(&error.pointer, parts), |part| is_within(&part.place, parts))
    }

    /// Takes out the unknown members that are so. Of those that were only counted nothing is known but
    /// that they look like no known one, if there were not too many to compare.
    pub(crate) fn take_unknown(&mut self, is: impl Fn(&FieldError) -> bool) -> Told {
        self.take(is, |part| &*part.place == UNKNOWN)
    }

    fn take(&mut self, is: impl Fn(&FieldError) -> bool, is_of: impl Fn(&Part) -> bool) -> Told {
        let all = std::mem::take(&mut self.kept);
        let (errors, kept) = all.into_iter().partition(is);
        self.kept = kept;
        let parts = self.parts.iter_mut().filter(|part| is_of(part));
        let left_out = parts.map(|part| std::mem::take(&mut part.left_out)).sum();
        Told { errors, left_out }.cut()
    }

    fn left_out(&self) -> u64 {
        self.parts.iter().map(|part| part.left_out).sum()
    }

    /// The first faults, and how many more there are.
    pub(crate) fn into_told(self) -> Told {
        let left_out = self.left_out();
        Told { errors: self.kept, left_out }.cut()
    }

    /// The first faults.
    pub(crate) fn into_errors(self) -> Vec<FieldError> {
        self.into_told().errors
    }

    /// The problem they make.
    pub(crate) fn into_problem(self) -> Problem {
        let Told { errors, left_out } = self.into_told();
        Problem::of_fields(errors).and_more(left_out)
    }

    /// The plan, if nothing is wrong.
    pub(crate) fn settle<T>(self, plan: Option<T>) -> Result<T, Problem> {
        match plan {
            Some(plan) if self.is_empty() => Ok(plan),
            Some(_) | None => Err(self.into_problem()),
        }
    }
}

impl Told {
    /// No more of the first than are told.
    fn cut(mut self) -> Self {
        let more = self.errors.len().saturating_sub(limits::FAULTS_MAX);
        self.errors.truncate(limits::FAULTS_MAX);
        self.left_out += u64::try_from(more).unwrap_or(u64::MAX);
        self
    }

    /// These, and those.
    pub(crate) fn add(&mut self, mut others: Self) {
        self.errors.append(&mut others.errors);
        self.left_out += others.left_out;
        *self = std::mem::take(self).cut();
    }

    /// Each in a sentence, as what was left out of what was taken.
    pub(crate) fn remarks(self) -> impl Iterator<Item = String> {
        let Self { errors, left_out } = self;
        let told = errors.into_iter();
        let told = told.map(|doubt| format!("{} {}: left out", doubt.pointer, doubt.fault));
        let more = (left_out > 0).then(|| format!("{left_out} more could not be read: left out"));
        told.chain(more)
    }
}

fn is_within(pointer: &str, places: &[&str]) -> bool {
    places.iter().any(|place| {
        let below = pointer.strip_prefix(place);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The beginning of a text: at most so many bytes of JSON, in which a control character takes six.
pub(crate) fn beginning(text: &(impl fmt::Display + ?Sized), bytes_max: usize) -> String {
    /// Takes letters until it is full, and then an ellipsis.
    struct Beginning {
        text: String,
        left: usize,
    }

    impl Write for Beginning {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for letter in text.chars() {
                let bytes = match letter {
                    '"' | '\\' => 2,
                    _ if letter.is_control() => 6,
                    _ => letter.len_utf8(),
                };
                let Some(left) = self.left.checked_sub(bytes) else {
                    self.text.push('…');
                    return Err(fmt::Error);
                };
                self.left = left;
                self.text.push(letter);
            }
            Ok(())
        }
    }

    let left = bytes_max.saturating_sub('…'.len_utf8());
    let mut beginning = Beginning { text: String::new(), left };
    let _is_cut = write!(beginning, "{text}").is_err();
    beginning.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_past_the_32nd_of_a_part_are_counted() {
        let mut faults = Faults::default();
        for field in 0..100_000 {
            faults.note(format!("/evidence/{field}"), Code::UnknownField, "is unknown");
            faults.note(format!("/x{field}"), Code::UnknownField, "is unknown");
        }
        faults.note("/phone", Code::InvalidPhone, "is no number");
        assert!(faults.is_wrong_at(&["/evidence"]) && !faults.is_wrong_at(&["/scope"]));
        let taken = faults.take_at(&["/evidence"]);
        assert_eq!((taken.errors.len(), taken.left_out), (32, 99_968));
        assert_eq!(taken.remarks().last().unwrap(), "99968 more could not be read: left out");
        assert!(!faults.is_wrong_at(&["/evidence"]));
        let taken = faults.take_unknown(|fault| fault.code == Code::UnknownField);
        assert_eq!((taken.errors.len(), taken.left_out), (32, 99_968));
        let told = faults.into_told();
        assert_eq!((told.errors.len(), told.left_out), (1, 0));
    }

    #[test]
    fn however_many_parts_are_wrong_32_faults_are_told_and_the_rest_counted() {
        let mut faults = Faults::default();
        for part in 0..100_000 {
            faults.note(format!("/{part}/name"), Code::WrongType, "is a list");
        }
        assert!(faults.parts.len() <= limits::FAULT_PARTS_MAX + 1, "{}", faults.parts.len());
        let told = faults.into_told();
        assert_eq!((told.errors.len(), told.left_out), (32, 99_968));
    }

    #[test]
    fn the_largest_answer_of_faults_is_64_kib() {
        for letter in ["\u{1}", "\"", "\\", "x", "ü", "😀"] {
            let mut faults = Faults::default();
            let long = letter.repeat(100_000);
            for part in 0..100 {
                let place = format!("/{part}{long}");
                faults.note_with_example(place, Code::WrongType, &long, &long);
            }
            let answer = serde_json::to_vec(&faults.into_problem().body("req_x")).unwrap();
            assert!(answer.len() <= 65_536, "{letter}: {}", answer.len());
        }
    }

    #[test]
    fn a_pointer_is_written_as_rfc_6901_has_it() {
        let at = Pointer::Member(&Pointer::Body, "a/b~c//");
        assert_eq!(at.to_string(), "/a~1b~0c~1~1");
        assert_eq!(beginning("abcdef", 6), "abc…");
        assert_eq!(beginning("abc", 6), "abc");
    }
}
