//! The words shown to people, by version and language.

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::id::NoticeId;
use crate::limits;
use crate::words::channel::Permission;

/// A BCP 47 language tag, reduced to language and optional region or script: `en`, `pt-BR`,
/// `zh-Hant`. Compared without regard to case, kept as given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(Box<str>);

/// Why a notice is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoticeFault {
    /// The language is no BCP 47 tag.
    #[error("is no language tag")]
    Language,
    /// No words.
    #[error("has no words")]
    Empty,
    /// Longer than [`limits::NOTICE_TEXT_BYTES_MAX`].
    #[error("is longer than 16384 bytes")]
    TooLong,
}

impl Language {
    /// Parses a tag: 2 or 3 letters, then parts of 2 to 8 letters or digits.
    ///
    /// # Errors
    /// [`NoticeFault::Language`].
    pub fn parse(text: &str) -> Result<Self, NoticeFault> {
        let mut parts = text.split(['-', '_']);
        let language = parts.next().unwrap_or_default();
        let first_fits =
            matches!(language.len(), 2 | 3) && language.bytes().all(|b| b.is_ascii_alphabetic());
        let rest_fits = parts.all(|part| {
            matches!(part.len(), 2..=8) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if first_fits && rest_fits && text.len() <= 35 {
            Ok(Self(text.replace('_', "-").into()))
        } else {
            Err(NoticeFault::Language)
        }
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which words were shown: notice, version, language, and the SHA-256 of the text, so that the
/// event proves the words even if the notice were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRef {
    /// The notice.
    pub id: NoticeId,
    /// Its version, from 1.
    pub version: u32,
    /// The language shown.
    pub language: Language,
    /// SHA-256 of the text, UTF-8.
    pub text_sha256: [u8; 32],
}

/// One published version of a notice in one language. A published version never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The notice.
    pub id: NoticeId,
    /// Its version, from 1.
    pub version: u32,
    /// The language.
    pub language: Language,
    /// The exact words.
    pub text: Box<str>,
    /// What the words name: the permissions an opt-in under them may give. Processing among them
    /// lets an act lift a processing refusal (rule 11).
    pub names: Vec<Permission>,
}

impl Notice {
    /// Checks the words.
    ///
    /// # Errors
    /// [`NoticeFault::Empty`] and [`NoticeFault::TooLong`].
    pub fn parse_text(text: &str) -> Result<Box<str>, NoticeFault> {
        match text.trim() {
            "" => Err(NoticeFault::Empty),
            words if words.len() > limits::NOTICE_TEXT_BYTES_MAX => Err(NoticeFault::TooLong),
            words => Ok(words.into()),
        }
    }

    /// The reference an event keeps.
    pub fn reference(&self) -> NoticeRef {
        NoticeRef {
            id: self.id,
            version: self.version,
            language: self.language.clone(),
            text_sha256: Sha256::digest(self.text.as_bytes()).into(),
        }
    }

    /// Whether the words ask for the processing of the person's data.
    pub fn names_processing(&self) -> bool {
        self.names.contains(&Permission::Processing)
    }
}
