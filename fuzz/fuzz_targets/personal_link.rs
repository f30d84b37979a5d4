//! Any text as the token of a link that people leave by, and as what leads to an entry point; and any link
//! by its own token.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_core::address::{AddressKey, AddressKeySecret};
use sayso_core::channel::{Category, Channel};
use sayso_core::id::{SenderId, TopicId, WorkspaceId};
use sayso_core::personal_link::{Leaves, LinkKey, LinkPurpose, PersonalLink, UnverifiedLink};
use sayso_core::reference::{EntryCode, Reference};

const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([7; 32]);

type Parts = ([u8; 16], [u8; 16], [u8; 16], Option<[u8; 16]>, u32);

fuzz_target!(|input: (&str, Parts)| {
    let (text, (workspace, address, topic, sender, key)) = input;
    let verified = |token: &str| UnverifiedLink::parse(token).and_then(|link| link.verify(&SECRET));
    assert_eq!(verified(text), None, "whoever has not the secret makes no link");
    let leaves = match key % 2 {
        0 => Leaves::Topic(TopicId::from_bytes(topic)),
        _ => Leaves::Category(Category::Marketing),
    };
    let link = PersonalLink {
        workspace: WorkspaceId::from_bytes(workspace),
        address: AddressKey::from_bytes(address),
        channel: Channel::Sms,
        purpose: LinkPurpose::OneClick,
        leaves,
        sender: sender.map(SenderId::from_bytes),
    };
    let token = link.token(LinkKey::from_number(key), &SECRET);
    assert_eq!(verified(&token), Some(link));
    if !text.is_empty() {
        assert_eq!(verified(&format!("{token}{text}")), None);
        assert_eq!(verified(&format!("{text}{token}")), None);
    }
    if let Some(code) = EntryCode::parse(text) {
        assert_eq!(EntryCode::parse(&code.to_string()), Some(code));
    }
    let _ = Reference::carried(text);
});
