//! A notice with all its published versions: the words under which people agree.

use std::collections::BTreeMap;

use crate::words::channel::{Permission, Scope};
use crate::words::notice::{Language, Notice, NoticeRef};

use super::Workspace;

/// A notice with all its published versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishedNotice {
    /// How operators call it.
    pub name: Box<str>,
    /// Every version in every language.
    pub versions: BTreeMap<(u32, Language), Notice>,
}

impl Workspace {
    /// The version of a notice that a reference names.
    pub fn notice(&self, reference: &NoticeRef) -> Option<&Notice> {
        let versions = &self.notices.get(&reference.id)?.versions;
        versions.get(&(reference.version, reference.language.clone()))
    }

    /// Whether the words of a notice name a permission, or one that contains it.
    pub fn is_named(&self, notice: &Notice, permission: Permission) -> bool {
        notice.names.iter().any(|named| match (*named, permission) {
            (Permission::Processing, Permission::Processing) => true,
            (Permission::Messages(channel, outer), Permission::Messages(on, inner)) => {
                channel == on
                    && match (outer, inner) {
                        (Scope::All, _) => true,
                        (Scope::Category(category), Scope::Topic(id)) => {
                            self.topics.get(&id).is_some_and(|topic| topic.category == category)
                        }
                        (Scope::Sender(_) | Scope::Category(_) | Scope::Topic(_), _) => {
                            outer == inner
                        }
                    }
            }
            (Permission::Processing, Permission::Messages(..))
            | (Permission::Messages(..), Permission::Processing) => false,
        })
    }
}
