//! Any text as the token of a link that people leave by, and as what leads to an entry point; and any link
//! by its own token.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_core::address::{AddressKey, AddressKeySecret};
use sayso_core::channel::{Category, Channel};
use sayso_core::answered::Answered;
use sayso_core::day::Day;
use sayso_core::id::{KeyId, SenderId, TopicId, WorkspaceId};
use sayso_core::personal_link::{
    Leaves, LinkKey, LinkPurpose, Making, PersonalLink, UnverifiedLink,
};
use sayso_core::reference::{EntryCode, Reference};
use sayso_core::time::Timestamp;

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
        making: match key % 3 {
            0 => Making::Unsaid,
            1 => Making::Sent(Day::from_number(u16::from_be_bytes([topic[0], topic[1]]))),
            _ => Making::Handed(KeyId::from_bytes(topic), Day::from_number(20_000)),
        },
    };
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
});
