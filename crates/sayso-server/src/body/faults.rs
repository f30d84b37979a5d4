//! What is wrong with a request, by place.

use std::fmt;

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
pub(crate) struct Faults(Vec<FieldError>);

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
                write!(f, "{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
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
        self.push(pointer, code, fault, None);
    }

    /// Notes a fault, with a value that would be right.
    pub(crate) fn note_with_example(
        &mut self,
        pointer: impl fmt::Display,
        code: Code,
        fault: impl fmt::Display,
        example: impl Into<String>,
    ) {
        self.push(pointer, code, fault, Some(example.into()));
    }

    fn push(
        &mut self,
        pointer: impl fmt::Display,
        code: Code,
        fault: impl fmt::Display,
        example: Option<String>,
    ) {
        let (pointer, fault) = (pointer.to_string(), fault.to_string());
        self.0.push(FieldError { pointer, code, fault, example });
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
        self.0.is_empty()
    }

    /// Whether something is wrong at one of these places or below.
    pub(crate) fn is_wrong_at(&self, places: &[&str]) -> bool {
        self.0.iter().any(|error| is_within(error, places))
    }

    /// Takes out the faults at these places and below.
    pub(crate) fn take_at(&mut self, places: &[&str]) -> Vec<FieldError> {
        let all = std::mem::take(&mut self.0);
        let (taken, kept) = all.into_iter().partition(|error| is_within(error, places));
        self.0 = kept;
        taken
    }

    /// Takes out the faults that are so.
    pub(crate) fn take_if(&mut self, is: impl Fn(&FieldError) -> bool) -> Vec<FieldError> {
        let all = std::mem::take(&mut self.0);
        let (taken, kept) = all.into_iter().partition(is);
        self.0 = kept;
        taken
    }

    /// The faults.
    pub(crate) fn into_errors(self) -> Vec<FieldError> {
        self.0
    }

    /// The problem they make.
    pub(crate) fn into_problem(self) -> Problem {
        Problem::of_fields(self.0)
    }

    /// The plan, if nothing is wrong.
    pub(crate) fn settle<T>(self, plan: Option<T>) -> Result<T, Problem> {
        match plan {
            Some(plan) if self.0.is_empty() => Ok(plan),
            Some(_) | None => Err(self.into_problem()),
        }
    }
}

fn is_within(error: &FieldError, places: &[&str]) -> bool {
    places.iter().any(|place| {
        let below = error.pointer.strip_prefix(place);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
