//! Tokens, codes and ids: what people and programs carry back to us.

use sayso_core::address::{AddressKey, AddressKeySecret};
use sayso_core::id::{DoubleOptInId, KeyId, SenderId, TopicId, WorkspaceId};
use sayso_core::limits;
use sayso_core::proof::answered::Answered;
use sayso_core::proof::double_opt_in::{Code, DoubleOptInToken, UnverifiedToken};
use sayso_core::proof::link_key::LinkKey;
use sayso_core::proof::personal_link::{Leaves, LinkPurpose, Making, PersonalLink, UnverifiedLink};
use sayso_core::proof::reference::{EntryCode, Reference};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel};
use sayso_core::words::day::Day;

const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([7; 32]);

/// Any text as the token of a link that people leave by, and as what leads to an entry point; and any link
/// by its own token, of which the first bytes are the parts.
pub(crate) fn personal_link(bytes: &[u8]) {
    let Some((parts, text)) = bytes.split_first_chunk() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    let verified = |token: &str| UnverifiedLink::parse(token).and_then(|link| link.verify(&SECRET));
    assert_eq!(verified(text), None, "whoever has not the secret makes no link");
    let (link, key) = link_of(parts);
    let token = link.token(LinkKey::from_number(key), &SECRET);
    assert_eq!(verified(&token), Some(link));
    if !text.is_empty() {
        assert_eq!(verified(&format!("{token}{text}")), None);
        assert_eq!(verified(&format!("{text}{token}")), None);
    }
    let ours = (link.workspace, &SECRET);
    assert_eq!(Answered::read(text, ours, Timestamp::from_micros(0)), None);
    assert_eq!(Answered::read(&token, ours, Timestamp::from_micros(0)), None);
    if let Some(code) = EntryCode::parse(text) {
        assert_eq!(EntryCode::parse(&code.to_string()), Some(code));
    }
    let _ = Reference::carried(text);
}

/// Any text as the token or the code of a double opt-in; and any token by its own workspace, of which the
/// first bytes are the parts.
pub(crate) fn double_opt_in(bytes: &[u8]) {
    let Some((parts, text)) = bytes.split_first_chunk::<36>() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    let verified = |token: &str| UnverifiedToken::parse(token).and_then(|it| it.verify(&SECRET));
    assert_eq!(verified(text), None, "whoever has not the secret makes no token");
    let id = |at: usize| parts[at..].first_chunk().copied().expect("sixteen bytes");
    let key = u32::from_be_bytes(parts[32..].first_chunk().copied().expect("four bytes"));
    let workspace = WorkspaceId::from_bytes(id(0));
    let made = DoubleOptInToken { workspace, id: DoubleOptInId::from_bytes(id(16)) };
    let token = made.token(LinkKey::from_number(key), &SECRET);
    assert_eq!(verified(&token), Some(made));
    if !text.is_empty() {
        assert_eq!(verified(&format!("{token}{text}")), None);
        assert_eq!(verified(&format!("{text}{token}")), None);
    }
    // A token says one thing, and is of one kind.
    assert_eq!(UnverifiedLink::parse(&token).and_then(|link| link.verify(&SECRET)), None);
    if let Some(code) = Code::parse(text) {
        assert_eq!(Code::parse(&code.to_string()), Some(code));
    }
    let answered = Answered {
        workspace,
        address: AddressKey::from_bytes(id(16)),
        day: Day::from_number(u16::from_be_bytes([parts[32], parts[33]])),
    };
    let word = answered.token(LinkKey::from_number(key), &SECRET);
    let read = |token: &str| Answered::read(token, (workspace, &SECRET), Timestamp::from_micros(0));
    assert_eq!(verified(&word), None, "the word of an answer is no token");
    assert!(text.is_empty() || read(&format!("{word}{text}")).is_none());
}

/// Any text that may carry the reference of a page, as the code of an entry point, and as an id.
pub(crate) fn references(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let carried = Reference::carried(&text);
    assert!(carried.len() <= limits::REFERENCES_PER_TEXT_MAX);
    for one in carried {
        assert!(text.get(one.at.clone()).is_some(), "it stands between letters");
        assert!(one.words(&text).len() <= text.len() + 1);
        let ready = one.reference.after("Hello");
        let first = Reference::carried(&ready).into_iter().next().map(|again| again.reference);
        assert_eq!(first, Some(one.reference), "what is prefilled is found again");
    }
    if let Some(code) = EntryCode::parse(&text) {
        assert_eq!(EntryCode::parse(&code.to_string()), Some(code));
    }
    if let Ok(id) = WorkspaceId::parse(&text) {
        assert_eq!(WorkspaceId::parse(&id.to_string()), Ok(id));
    }
    if let Ok(id) = KeyId::parse(&text) {
        assert_eq!(KeyId::parse(&id.to_string()), Ok(id));
    }
    if let Some(key) = AddressKey::parse(&text) {
        assert_eq!(AddressKey::parse(&key.to_string()), Some(key));
    }
}

/// A link of these parts, and the number of its key.
fn link_of(parts: &[u8; 69]) -> (PersonalLink, u32) {
    let id = |at: usize| parts[at..].first_chunk().copied().expect("sixteen bytes");
    let topic = id(32);
    let key = u32::from_be_bytes(parts[65..].first_chunk().copied().expect("four bytes"));
    let leaves = match key % 2 {
        0 => Leaves::Topic(TopicId::from_bytes(topic)),
        _ => Leaves::Category(Category::Marketing),
    };
    let link = PersonalLink {
        workspace: WorkspaceId::from_bytes(id(0)),
        address: AddressKey::from_bytes(id(16)),
        channel: Channel::Sms,
        purpose: LinkPurpose::OneClick,
        leaves,
        sender: parts[64].is_multiple_of(2).then(|| SenderId::from_bytes(id(48))),
        making: match key % 3 {
            0 => Making::Unsaid,
            1 => Making::Sent(Day::from_number(u16::from_be_bytes([topic[0], topic[1]]))),
            _ => Making::Handed(KeyId::from_bytes(topic), Day::from_number(20_000)),
        },
    };
    (link, key)
}
