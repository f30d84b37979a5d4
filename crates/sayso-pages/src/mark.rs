//! The mark of a channel, drawn beside its name: by it people know where messages will come before they
//! read. It says nothing that the name beside it does not say, so screen readers pass over it.
//!
//! The drawings are our own, in the manner of what each channel is known by. Where a channel's owner asks for
//! its own artwork, that is a matter of their brand rules and not drawn here.

use maud::{Markup, html};
use sayso_core::words::channel::Channel;

/// A speech bubble with its point at the lower left.
const BUBBLE: &str = "M12 2a10 10 0 0 0-8.6 15.1L2 22l5-1.4A10 10 0 1 0 12 2z";
/// The receiver of a telephone, in the middle of a bubble.
const RECEIVER: &str = "M8.3 7.3c.5-.5 1.2-.4 1.5.2l.9 1.6c.2.4.1.8-.2 1.1l-.6.6a7 7 0 0 0 3.3 3.3l.6-.6c.3-.3.7-.4 \
    1.1-.2l1.6.9c.6.3.7 1 .2 1.5l-.8.8c-.5.5-1.2.7-1.9.5a10.4 10.4 0 0 1-7-7c-.2-.7 0-1.4.5-1.9z";
/// An envelope.
const ENVELOPE: &str = "M4 5h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z";
/// The flap of an envelope.
const FLAP: &str = "M3 7.5l9 6.5 9-6.5";
/// Three dots in a bubble: somebody writes.
const DOTS: &str = "M7 12h.01M12 12h.01M17 12h.01";

/// The mark of a channel.
pub(crate) fn mark(channel: Channel) -> Markup {
    html! {
        svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false" {
            @match channel {
                Channel::WhatsApp => {
                    path fill="#1faa53" d=(BUBBLE) {}
                    path fill="#ffffff" d=(RECEIVER) {}
                }
                Channel::Voice => {
                    circle fill="#2f6fb0" cx="12" cy="12" r="10" {}
                    path fill="#ffffff" d=(RECEIVER) {}
                }
                Channel::Email => {
                    path fill="#2f6fb0" d=(ENVELOPE) {}
                    path fill="none" stroke="#ffffff" stroke-width="1.8" d=(FLAP) {}
                }
                Channel::Sms | Channel::Rcs | Channel::Push | Channel::Viber | Channel::Telegram
                | Channel::Messenger | Channel::Line => {
                    path fill="#2f6fb0" d=(BUBBLE) {}
                    path stroke="#ffffff" stroke-width="2.4" stroke-linecap="round" d=(DOTS) {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_a_mark_that_screen_readers_pass_over() {
        for channel in Channel::ALL {
            let drawn = mark(*channel).into_string();
            assert!(drawn.contains("aria-hidden=\"true\"") && drawn.contains("<path"), "{channel}");
        }
    }

    #[test]
    fn whatsapp_is_told_from_text_messages_by_its_mark() {
        assert_ne!(mark(Channel::WhatsApp).into_string(), mark(Channel::Sms).into_string());
    }
}
