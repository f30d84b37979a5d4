//! What Kannel's `get-url` and `dlr-url` call us with: parameters of a query.

use sayso_core::time::ClaimedTime;
use sayso_core::words::channel::Channel;

use super::{Credentials, charset};
use crate::call::{Call, Malformed};
use crate::credentials::HOOK_TOKEN_PARAMETER;
use crate::failure::{ErrorMeaning, Failure};
use crate::form::{Parameters, encode};
use crate::inbound::{
    MessageNames, MessageState, Place, ProviderEvent, Reported, Written, Wrote, claimed,
};
use crate::outbound::OUR_ID_PARAMETER;
use crate::party::{Numbers, Party};

/// The parameters of a message, each with the escape that Kannel fills in.
const MESSAGE: [(&str, &str); 8] = [
    ("from", "%q"),
    ("to", "%Q"),
    ("text", "%a"),
    ("ts", "%T"),
    ("smsc", "%i"),
    ("id", "%I"),
    ("charset", "%C"),
    ("account", "%o"),
];

/// The parameters of a report, each with the escape that Kannel fills in.
pub(super) const REPORT: [(&str, &str); 4] =
    [("dlr", "%d"), ("foreign", "%F"), ("answer", "%A"), ("ts", "%T")];

/// The `get-url` of the group `sms-service`: the hook's URL, its token, and the escapes for all that
/// is read. It is a secret.
pub fn get_url(hook_url: &str, credentials: &Credentials) -> String {
    let token = encode([(HOOK_TOKEN_PARAMETER, credentials.hook_token.as_str())]);
    format!("{hook_url}?{token}&{}", with_escapes(&MESSAGE))
}

/// `from=%q&to=%Q`: the escapes as they are, for Kannel to read.
pub(super) fn with_escapes(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> =
        parameters.iter().map(|(name, escape)| format!("{name}={escape}")).collect();
    pairs.join("&")
}

pub(super) fn parse(
    call: &Call<'_>,
    numbers: &Numbers<'_>,
) -> Result<Vec<ProviderEvent>, Malformed> {
    let parameters = Parameters::read(call.query(), b"")?;
    let (kind, event) = match parameters.word("dlr") {
        Some(state) => (format!("dlr/{state}"), read_report(state, &parameters)),
        None => ("message".to_owned(), read_message(call, &parameters, numbers)),
    };
    Ok(vec![event.unwrap_or_else(|| ProviderEvent::unknown(kind, &parameters.raw()))])
}

fn read_message(
    call: &Call<'_>,
    parameters: &Parameters,
    numbers: &Numbers<'_>,
) -> Option<ProviderEvent> {
    let charset = parameters.text("charset").unwrap_or_default();
    let text = charset::decode(&bytes_of(call.query(), "text")?, charset);
    Some(ProviderEvent::Wrote(Wrote {
        channel: Channel::Sms,
        message_id: parameters.word("id").map(str::to_owned),
        from: Party::of_number(parameters.word("from")?, parameters.word("to"), numbers)?,
        sender: parameters.word("to").map(str::to_owned),
        sender_group: None,
        place: Place::Chat,
        content: Written::text(text),
        asides: Vec::new(),
        reply_to: None,
        referral: None,
        occurred_at: occurred_at(parameters),
        handled_by_provider: None,
    }))
}

fn occurred_at(parameters: &Parameters) -> Option<ClaimedTime> {
    parameters.word("ts")?.parse().ok().and_then(claimed)
}

/// A parameter as bytes: only its charset says what they mean.
fn bytes_of(query: &str, name: &str) -> Option<Vec<u8>> {
    let raw = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => match (hex_value(*high), hex_value(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, after),
                (_, _) => (b'%', rest.get(1..).unwrap_or_default()),
            },
            (b'+', _) => (b' ', after),
            (byte, _) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Some(bytes)
}

/// The value of a hexadecimal digit.
fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Values of `%d`: 1 delivered, 2 not delivered, 4 buffered, 8 accepted by the carrier, 16 rejected
/// by it, 32 under way.
fn read_report(state: &str, parameters: &Parameters) -> Option<ProviderEvent> {
    let state = match state {
        "1" => MessageState::Delivered,
        "2" | "16" => MessageState::Failed(read_failure(parameters.text("answer").unwrap_or(""))),
        "4" => MessageState::Accepted,
        "8" | "32" => MessageState::Sent,
        _ => return None,
    };
    let word = |name| parameters.word(name).map(str::to_owned);
    Some(ProviderEvent::Reported(Reported {
        channel: Channel::Sms,
        message: MessageNames::of(word("foreign"), None, word(OUR_ID_PARAMETER))?,
        sender: None,
        sender_group: None,
        to: None,
        state,
        occurred_at: occurred_at(parameters),
    }))
}

/// The carrier's answer: `NACK/0x0000000b/Invalid Destination`, or a receipt with `stat:` and `err:`
/// (both unconfirmed). A receipt repeats the message's beginning, so only those two words are kept.
fn read_failure(answer: &str) -> Failure {
    if let Some(refused) = answer.strip_prefix("NACK/") {
        let (code, words) = refused.split_once('/').unwrap_or((refused, ""));
        let hexadecimal = code.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16));
        // Command statuses of SMPP: bad destination, queue full, throttled.
        let meaning = match hexadecimal.unwrap_or_else(|| code.parse()) {
            Ok(0x0b) => ErrorMeaning::NotOnChannel,
            Ok(0x14 | 0x58) => ErrorMeaning::RateLimited,
            Ok(_) | Err(_) => ErrorMeaning::Permanent,
        };
        return Failure::new(code, meaning, words);
    }
    let word = |name: &str| answer.split_whitespace().find_map(|word| word.strip_prefix(name));
    let code: Vec<_> = [word("stat:"), word("err:")].into_iter().flatten().collect();
    let code = if code.is_empty() { "none".to_owned() } else { code.join(" ") };
    Failure::new(code, ErrorMeaning::SaysNothing, "not delivered")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_read_byte_by_byte() {
        let bytes = |query: &str| bytes_of(query, "text");
        assert_eq!(bytes("a=1&text=a+b%2B%zz%"), Some(b"a b+%zz%".to_vec()));
        assert_eq!(bytes("text=%FF%00"), Some(vec![255, 0]));
        assert_eq!(bytes("texts=1"), None);
    }

    #[test]
    fn a_receipt_keeps_nothing_of_the_message() {
        let receipt = "id:7 sub:001 dlvrd:000 submit date:2611211000 done date:2611211001 \
                       stat:UNDELIV err:001 text:Hello Ana";
        let failure = read_failure(receipt);
        assert_eq!(failure.code, "UNDELIV 001");
        assert_eq!(failure.reason, "not delivered");
        let refused = read_failure("NACK/0x0000000b/Invalid Destination Address");
        assert_eq!(refused.meaning, ErrorMeaning::NotOnChannel);
    }
}
