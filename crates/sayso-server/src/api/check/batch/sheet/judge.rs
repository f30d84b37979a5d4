//! Why a body of recipients that could not be read is wrong.
//!
//! It is read again by the library that says where and why, of which nothing is kept. A long one is read
//! on a thread where nobody waits: 32 MiB take a tenth of a second.

use std::fmt;

use sayso_core::limits;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::body::{check_depth, not_json};
use crate::problem::{Code, Problem};

/// The shape of a body: how many recipients it has.
#[derive(Debug, Default)]
pub(super) struct Shape(usize);

/// How many texts a list has.
struct Texts(usize);

struct AnyText;

/// What is wrong with a body.
pub(super) async fn judge(text: &str) -> Problem {
    if text.len() <= limits::BATCH_BYTES_A_TURN {
        return why(text);
    }
    let text = text.to_owned();
    let judged = tokio::task::spawn_blocking(move || why(&text)).await;
    judged.unwrap_or_else(|_| Problem::new(Code::Internal))
}

fn why(text: &str) -> Problem {
    match serde_json::from_str(text) {
        Ok(Shape(recipients)) if recipients > limits::CHECK_BATCH_ITEMS_MAX => {
            let detail = format!("at most {} recipients are taken", limits::CHECK_BATCH_ITEMS_MAX);
            Problem::new(Code::TooManyItems).detail(detail)
        }
        Ok(Shape(_)) => Problem::new(Code::TooLarge).detail(format!(
            "a recipient holds at most {} bytes, and all that is no recipient {}",
            limits::RECIPIENT_BYTES_MAX,
            limits::BODY_BYTES_MAX
        )),
        Err(error) => match check_depth(text) {
            Err(too_deep) => too_deep,
            Ok(()) if error.is_data() => Problem::new(Code::WrongType)
                .detail("the body is an object, and `to` in it is a list of texts"),
            Ok(()) => not_json(&error),
        },
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShapeVisitor;
        impl<'de> Visitor<'de> for ShapeVisitor {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Shape, A::Error> {
                let mut shape = Shape::default();
                while let Some(name) = members.next_key::<String>()? {
                    if name == "to" {
                        let Texts(recipients) = members.next_value()?;
                        shape = Shape(recipients);
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(shape)
            }
        }
        deserializer.deserialize_map(ShapeVisitor)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
                let mut texts = 0;
                while items.next_element::<AnyText>()?.is_some() {
                    texts += 1;
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_seq(ListVisitor)
    }
}

impl<'de> Deserialize<'de> for AnyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = AnyText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, _text: &str) -> Result<AnyText, E> {
                Ok(AnyText)
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}
