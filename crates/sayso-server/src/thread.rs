//! Links that open a chat with words already in it. Opening one sends nothing.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sayso_core::words::channel::Channel;

pub(crate) use sayso_pages::entry::Thread;

/// Where a chat on this channel takes place, if there are links to it.
pub(crate) const fn on(channel: Channel) -> Option<Thread> {
    match channel {
        Channel::WhatsApp => Some(Thread::WhatsApp),
        Channel::Sms => Some(Thread::Sms),
        Channel::Email => Some(Thread::Email),
        Channel::Rcs
        | Channel::Voice
        | Channel::Push
        | Channel::Viber
        | Channel::Telegram
        | Channel::Messenger
        | Channel::Line => None,
    }
}

/// The link that opens a chat with this number or mailbox, and this text in it.
///
/// *Source:* WhatsApp's click to chat (digits alone), RFC 5724 (`sms`), RFC 6068 (`mailto`).
pub(crate) fn link(thread: Thread, number: &str, text: &str) -> String {
    let text = utf8_percent_encode(text, UNRESERVED);
    match thread {
        Thread::WhatsApp => {
            format!("https://wa.me/{}?text={text}", number.trim_start_matches('+'))
        }
        Thread::Sms => format!("sms:{number}?body={text}"),
        Thread::Email => {
            format!("mailto:{}?body={text}", utf8_percent_encode(number, MAILBOX))
        }
    }
}

/// What stays as it is in a part of a URL. *Source:* RFC 3986, section 2.3.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stays as it is in a mailbox. *Source:* RFC 6068, section 2.
const MAILBOX: &AsciiSet = &UNRESERVED.remove(b'@');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_opened_by_the_link_of_its_platform() {
        for (thread, number, expected) in [
            (
                Thread::WhatsApp,
                "+15550100900",
                "https://wa.me/15550100900?text=Hi%20%26%20%C3%BC%2B",
            ),
            (Thread::Sms, "+15550100900", "sms:+15550100900?body=Hi%20%26%20%C3%BC%2B"),
            (Thread::Sms, "12345", "sms:12345?body=Hi%20%26%20%C3%BC%2B"),
            (
                Thread::Email,
                "a+b@shop.example",
                "mailto:a%2Bb@shop.example?body=Hi%20%26%20%C3%BC%2B",
            ),
        ] {
            assert_eq!(link(thread, number, "Hi & ü+"), expected);
        }
    }
}
