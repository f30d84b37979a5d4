//! Languages of the pages, as they are stored.

use sayso_core::words::notice::Language;
use sayso_pages::language::Language as PageLanguage;

/// The tag of a language of the pages.
#[expect(clippy::expect_used, reason = "the tags of the pages are tags; a test reads each")]
pub(crate) fn as_core(language: PageLanguage) -> Language {
    Language::parse(language.tag()).expect("a language of the pages has a tag")
}
