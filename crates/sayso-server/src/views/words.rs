//! Words that only answers have, for the OpenAPI document: each list is that of the enum itself.
//!
//! Words that requests have too are in [`texts`](crate::body::texts).

use std::borrow::Cow;

use sayso_core::gate::reason::Reason;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

macro_rules! shown_words {
    ($($(#[doc = $doc:literal])+ $type:ident($name:literal) = $words:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(crate) enum $type {}

        impl utoipa::PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let words: &[&str] = $words;
                let described = [$($doc.trim()),+].join(" ");
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .description(Some(described))
                    .enum_values(Some(words.iter().copied()))
                    .into()
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

shown_words! {
    /// What the gate says.
    DecisionWord("Decision") = &["allow", "deny"];
    /// Why a message may not go, the weightiest first: the address is blocked (`suppressed`); the
    /// person refuses the processing of their data; opted out; an unclear text waits to be read
    /// (`under_review`); the opt-in has ended (`expired`); it waits for its confirmation (`pending`);
    /// there is none (`no_opt_in`), or none for this category or sender (`category_not_covered`); free
    /// words on WhatsApp need a message of the person within 24 hours (`outside_window`). Three pass by
    /// themselves: `quiet_hours`, `frequency_cap`, and `sender_paused`.
    ReasonWord("Reason") = Reason::WORDS;
}
