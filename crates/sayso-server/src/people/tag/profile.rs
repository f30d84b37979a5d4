//! Attributes of a page's user, kept where the customer's server vouches for them.

use std::collections::BTreeMap;

use sayso_core::address::Address;
use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::words::source::{Actor, EvidenceText, Source};
use sayso_store::store::{ProfileDraft, Upserted};
use serde_json::Value;

use super::UserRequest;
use crate::app::App;
use crate::body::Faults;
use crate::body::attribute;
use crate::problem::{Code, Problem};

/// The attributes that a page gave, as far as they were good.
#[derive(Debug)]
pub(super) struct Attributes {
    values: BTreeMap<EvidenceText, Option<Box<str>>>,
    keys: Vec<&'static str>,
}

impl Attributes {
    /// Reads them. Absent, `null` and `""` say nothing: the page never removes an attribute.
    pub(super) fn read(user: &mut UserRequest, faults: &mut Faults) -> Self {
        let mut read = Self { values: BTreeMap::new(), keys: Vec::new() };
        let known = [
            ("name", user.name.take()),
            ("surname", user.surname.take()),
            ("language", user.language.take()),
        ];
        for (key, value) in known {
            if read.put(key, value, &format!("/user/{key}"), faults) {
                read.keys.push(key);
            }
        }
        match user.custom.take() {
            None => {}
            Some(Value::Object(custom)) => {
                for (name, value) in custom.into_iter().take(limits::ATTRIBUTES_PER_PROFILE_MAX) {
                    read.put(&name, Some(value), &format!("/user/custom/{name}"), faults);
                }
                read.keys.push("custom");
            }
            Some(_) => faults.note("/user/custom", Code::WrongType, "is no object"),
        }
        read
    }

    fn put(
        &mut self,
        name: &str,
        value: Option<Value>,
        pointer: &str,
        faults: &mut Faults,
    ) -> bool {
        let said = value.filter(|value| {
            !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty())
        });
        let read = said.and_then(|value| attribute::read(&value, pointer, faults));
        match (EvidenceText::parse(name), read) {
            (Ok(name), Some(text)) => {
                self.values.insert(name, Some(text));
                true
            }
            (Ok(_) | Err(_), _) => false,
        }
    }

    /// Keeps them in the profile of these identifiers; says which keys were kept, and whether the
    /// page may go on collecting.
    pub(super) async fn keep(
        self,
        app: &App,
        workspace: WorkspaceId,
        addresses: Vec<Address>,
        source: Source,
    ) -> Result<(Vec<&'static str>, bool), Problem> {
        let draft = ProfileDraft {
            profile: None,
            addresses,
            attributes: self.values,
            source,
            actor: Actor::Operator,
        };
        match app.store().upsert_profile(workspace, draft).await? {
            Upserted::Profile(_) => Ok((self.keys, true)),
            Upserted::ProcessingRefused(_) => Ok((Vec::new(), false)),
            // Which identifiers belong to whom is not for a page to learn.
            Upserted::Ambiguous(_) | Upserted::Full(_) | Upserted::NoProfile => {
                Ok((Vec::new(), true))
            }
        }
    }
}
