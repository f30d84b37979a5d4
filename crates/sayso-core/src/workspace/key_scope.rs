//! What API keys may do: their scopes, and the roles that stand for sets of scopes.
//!
//! Both tables here are the only ones. Help texts, completions, the OpenAPI document and error
//! messages are made from them.

use crate::words::statement::Standing;

macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal;)+) => {
        /// What an API key may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum KeyScope { $($(#[doc = $doc])+ $name,)+ }

        impl KeyScope {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Their words.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// What it lets a key do.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

scopes! {
    /// Ask the gate.
    Check = "check";
    /// Read consents, profiles, history and messages.
    Read = "read";
    /// Record consents and profiles, and retract what is not a refusal.
    Write = "write";
    /// Send messages.
    Send = "send";
    /// Import and export lists.
    Import = "import";
    /// Retract refusals that a caller recorded, erase, review, and see who looked whom up.
    Compliance = "compliance";
    /// Change settings, senders, topics, notices, forms, sites and keys.
    Configure = "configure";
    /// Send what is not marketing without an opt-in (rule 26).
    SendExempt = "send:exempt";
    /// Make links that people leave by, for messages that others send (rule 22).
    Links = "links";
}

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $highest:ident, [$($scope:ident),+];)+) => {
        /// What a key is for: a set of scopes, and the highest standing that it may record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum KeyRole { $($(#[doc = $doc])+ $name,)+ }

        impl KeyRole {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Their words.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// Whom it is for.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// Its scopes.
            pub const fn scopes(self) -> &'static [KeyScope] {
                match self { $(Self::$name => &[$(KeyScope::$scope),+],)+ }
            }

            /// The highest standing that it may record (rule 4).
            pub const fn highest(self) -> Standing {
                match self { $(Self::$name => Standing::$highest,)+ }
            }
        }
    };
}

roles! {
    /// Your own server: records what people do, asks the gate, sends.
    Backend = "backend", Act, [Check, Read, Write, Send, Links];
    /// A program that only sends: asks the gate and hands messages in.
    Sender = "sender", Report, [Check, Send];
    /// Those who answer for consent: read everything, bring lists, review, retract, erase.
    Compliance = "compliance", Act, [Check, Read, Write, Import, Compliance];
    /// Those who set Sayso up: everything but sending without an opt-in.
    Admin = "admin", Act, [Check, Read, Write, Send, Import, Compliance, Configure, Links];
}

impl KeyScope {
    /// Parses the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text)
    }
}

impl KeyRole {
    /// Parses the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_sends_without_an_opt_in() {
        for role in KeyRole::ALL {
            assert!(!role.scopes().contains(&KeyScope::SendExempt), "{role:?}");
        }
    }

    #[test]
    fn an_admin_may_do_what_every_other_role_may() {
        let admin = KeyRole::Admin.scopes();
        let others = KeyRole::ALL.iter().flat_map(|role| role.scopes());
        for scope in others {
            assert!(admin.contains(scope), "{scope:?}");
        }
        let every = KeyScope::ALL.iter().filter(|scope| **scope != KeyScope::SendExempt);
        assert!(every.eq(admin), "a new scope belongs to the role admin");
    }
}
