//! Email addresses: what is sent to, and the normal form that people are matched by.
//!
//! Absent on purpose: display names, quoted local parts, address literals and comments. Forms and
//! providers do not need them, and software between us and the person breaks on them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use icu_normalizer::ComposingNormalizerBorrowed;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use thiserror::Error;

/// The longest local part. *Units*: bytes. *Source*: RFC 5321, section 4.5.3.1.1.
pub const LOCAL_PART_BYTES_MAX: usize = 64;

/// The longest address: a path of 256 without its angle brackets. *Units*: bytes. *Source*: RFC
/// 5321, section 4.5.3.1.3.
pub const EMAIL_BYTES_MAX: usize = 254;

const SCHEME: &str = "mailto:";

/// *Source*: RFC 1035, section 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// An email address. Equal, ordered and hashed by its [`folded`](Email::folded) form.
///
/// *Shape*: a local part of 1 to [`LOCAL_PART_BYTES_MAX`] bytes, in any script; `@`; a domain of
/// two or more labels in lower-case ASCII (A-labels). [`EMAIL_BYTES_MAX`] bytes at the most.
///
/// *Source*: RFC 5321, section 4.1.2; RFC 6531 (local parts beyond ASCII); UTS #46 (domains).
#[derive(Clone, Debug)]
pub struct Email {
    written: Box<str>,
    folded: Box<str>,
    domain_start: usize,
}

/// Why a text is no email address. Never shows the text: faults are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EmailFault {
    /// Empty, or white space only.
    #[error("is empty")]
    Empty,
    /// More than [`EMAIL_BYTES_MAX`] bytes.
    #[error("is longer than {EMAIL_BYTES_MAX} bytes")]
    TooLong,
    /// `Ada <ada@example.org>`.
    #[error("has a name or angle brackets around the address")]
    DisplayName,
    /// No `@`.
    #[error("has no @")]
    MissingAt,
    /// More than one `@`.
    #[error("has more than one @")]
    SecondAt,
    /// A control character.
    #[error("has a control character")]
    Control,
    /// White space inside.
    #[error("has white space inside")]
    WhiteSpace,
    /// `"ada lovelace"@example.org`.
    #[error("has quotes before the @, which are not supported")]
    QuotedLocalPart,
    /// Nothing before the `@`.
    #[error("has nothing before the @")]
    EmptyLocalPart,
    /// More than [`LOCAL_PART_BYTES_MAX`] bytes before the `@`.
    #[error("has more than {LOCAL_PART_BYTES_MAX} bytes before the @")]
    LocalPartTooLong,
    /// A dot at an end of the local part, or two in a row.
    #[error("has a dot too many before the @")]
    LocalPartDots,
    /// A character that a local part must quote, such as a comma.
    #[error("has a character before the @ that is not allowed there")]
    LocalPartCharacter,
    /// An address literal, `[192.0.2.1]`, or the bare number.
    #[error("has an ip address in place of a domain")]
    IpAddress,
    /// A domain of one label, such as `localhost`.
    #[error("has no dot in its domain")]
    DomainWithoutDot,
    /// Two dots in a row, or one at an end of the domain.
    #[error("has an empty label in its domain")]
    EmptyLabel,
    /// A label of more than 63 bytes.
    #[error("has a domain label longer than 63 bytes")]
    LabelTooLong,
    /// An underscore, a hyphen at an end of a label, or a character that no domain has.
    #[error("has a domain that no domain name may be")]
    Domain,
}

impl Email {
    /// Parses an address; outer white space and a `mailto:` before it are dropped.
    ///
    /// # Errors
    /// [`EmailFault`].
    ///
    /// ```
    /// use sayso_core::address::email::Email;
    ///
    /// let ada = Email::parse(" Ada+News@Bücher.Example ")?;
    /// assert_eq!(ada.as_str(), "Ada+News@xn--bcher-kva.example");
    /// assert_eq!(ada.folded(), "ada+news@xn--bcher-kva.example");
    /// assert_eq!(ada, Email::parse("mailto:ada+news@bücher.example")?);
    /// # Ok::<(), sayso_core::address::email::EmailFault>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, EmailFault> {
        let (local, domain) = split(without_scheme(text.trim_matches(is_outside)))?;
        check_local(local)?;
        let domain = parse_domain(domain)?;
        let folded = fold(local);
        // Composing may make a semicolon of what is none: U+037E, the Greek question mark.
        check_local(&folded)?;
        // Folding may lengthen: İ becomes two characters.
        if local.len().max(folded.len()) > LOCAL_PART_BYTES_MAX {
            return Err(EmailFault::LocalPartTooLong);
        }
        if local.len().max(folded.len()) + 1 + domain.len() > EMAIL_BYTES_MAX {
            return Err(EmailFault::TooLong);
        }
        Ok(Self {
            written: format!("{local}@{domain}").into(),
            folded: format!("{folded}@{domain}").into(),
            domain_start: local.len() + 1,
        })
    }

    /// The address to send to: the local part as given, the domain as lower-case A-labels.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The normal form for matching and hashing: the local part in lower case too. Tags (`+news`)
    /// and dots stay; two addresses that differ in them may be two people's.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The domain, as lower-case A-labels.
    pub fn domain(&self) -> &str {
        self.written.get(self.domain_start..).unwrap_or_default()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Email {}

impl PartialOrd for Email {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Email {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Hash for Email {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl EmailFault {
    /// An address that would have been right.
    pub const fn example(self) -> &'static str {
        "ada@example.org"
    }
}

fn without_scheme(text: &str) -> &str {
    match text.split_at_checked(SCHEME.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(SCHEME) => rest.trim_start(),
        _ => text,
    }
}

/// Local part and domain of a text that is one bare address.
fn split(text: &str) -> Result<(&str, &str), EmailFault> {
    if text.is_empty() {
        return Err(EmailFault::Empty);
    }
    if text.len() > EMAIL_BYTES_MAX {
        return Err(EmailFault::TooLong);
    }
    if text.contains(['<', '>']) {
        return Err(EmailFault::DisplayName);
    }
    if text.starts_with('"') {
        return Err(EmailFault::QuotedLocalPart);
    }
    if text.contains(is_invisible) {
        return Err(EmailFault::Control);
    }
    if text.contains(char::is_whitespace) {
        return Err(EmailFault::WhiteSpace);
    }
    let (local, domain) = text.split_once('@').ok_or(EmailFault::MissingAt)?;
    if domain.contains('@') {
        return Err(EmailFault::SecondAt);
    }
    Ok((local, domain))
}

/// *Source*: RFC 5322, section 3.2.3 (`dot-atom-text`); RFC 6532, section 3.2 (beyond ASCII).
fn check_local(local: &str) -> Result<(), EmailFault> {
    if local.is_empty() {
        Err(EmailFault::EmptyLocalPart)
    } else if local.split('.').any(str::is_empty) {
        Err(EmailFault::LocalPartDots)
    } else if local.contains(|character| !is_local(character)) {
        Err(EmailFault::LocalPartCharacter)
    } else {
        Ok(())
    }
}

fn is_local(character: char) -> bool {
    !character.is_ascii()
        || character.is_ascii_alphanumeric()
        || ".!#$%&'*+-/=?^_`{|}~".contains(character)
}

/// What may surround an address and is dropped.
fn is_outside(character: char) -> bool {
    character.is_whitespace() || is_invisible(character)
}

/// Control characters, and the marks that copying from a page brings along. The joiners U+200C and
/// U+200D are letters' parts in some scripts and stay.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// The domain as lower-case A-labels.
fn parse_domain(domain: &str) -> Result<String, EmailFault> {
    if domain.starts_with('[') {
        return Err(EmailFault::IpAddress);
    }
    let domain = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Ignore,
        )
        .map_err(|_| EmailFault::Domain)?;
    if domain.split('.').any(str::is_empty) {
        return Err(EmailFault::EmptyLabel);
    }
    if domain.split('.').any(|label| label.len() > LABEL_BYTES_MAX) {
        return Err(EmailFault::LabelTooLong);
    }
    let (_, last) = domain.rsplit_once('.').ok_or(EmailFault::DomainWithoutDot)?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(EmailFault::IpAddress);
    }
    Ok(domain.into_owned())
}

/// Lower case letter by letter, and composed: `É` written as one character or as two is one person.
fn fold(local: &str) -> String {
    let lower: String = local.chars().flat_map(char::to_lowercase).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&lower).into_owned()
}
