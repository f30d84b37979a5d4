//! What people write: words and sentences, a workspace's keyword rules, the words of lists.

pub mod list_word;
pub mod rule;
pub mod wording;
