//! Hands emails over to relays by SMTP (rule 28).
//!
//! Each email has a connection of its own: what is said in one cannot be taken for the other. *A relay has
//! taken an email once it answers the end of its text, and not before.* So whatever goes wrong until the
//! text begins is tried later; if no answer comes after that, it is `unknown`. Where the settings of a
//! connection ask for encryption, nothing is said without it, and the certificate is checked against those
//! that this system trusts. Words of relays are never logged: they repeat addresses.

use std::error::Error as _;
use std::net::SocketAddr;

use lettre::transport::smtp::authentication::{Credentials as SmtpLogIn, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::{Error as SmtpError, response::Response};
use reqwest::Url;
use sayso_channels::failure::{ErrorMeaning, Failure};
use sayso_channels::outbound::{CannotSend, HandOver, Oddity};
use sayso_channels::smtp::{Credentials, Heading, Mail, Stage, Tls, compose, read_refusal};
use sayso_core::limits;
use sayso_store::message::{Claimed, Payload};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::carriage::{Carriage, Handed, with_outgoing, word_of};
use crate::app::App;
use crate::body::duration;
use crate::outgoing::{Unresolved, resolve_relay};
use crate::personal_links::one_click_url;

use bounded::Bounded;

mod bounded;

/// Hands an email over, and says what became of that.
pub(super) async fn hand_over(
    app: &App,
    carriage: &Carriage,
    relay: &Credentials,
    claimed: &Claimed,
) -> Handed {
    let mail = match mail(app, carriage, claimed) {
        Ok(mail) => mail,
        Err(fault) => return Handed::Unsendable(word_of(fault)),
    };
    let hello = hello(app.public_url(), &mail);
    let opening = timeout(duration(limits::SMTP_OPEN_TIMEOUT), open(app, relay, &hello));
    let mut connection = match opening.await {
        Ok(Ok(connection)) => connection,
        Ok(Err(handed)) => return handed,
        Err(_) => return Handed::NotBegun(None),
    };
    let patience = app.carrier().timeout();
    match timeout(patience, announce(&mut connection, &mail)).await {
        Ok(Ok(())) => {}
        Ok(Err(handed)) => return handed,
        Err(_) => return Handed::NotBegun(None),
    }
    let handed = match timeout(patience, connection.message(&mail.bytes)).await {
        Ok(Ok(response)) => taken(&response, mail.id),
        Ok(Err(error)) => refusal(Stage::Text, &error).unwrap_or(Handed::Unanswered),
        Err(_) => Handed::Unanswered,
    };
    // It has the message, whatever it says to a goodbye.
    drop(timeout(duration(limits::SMTP_QUIT_TIMEOUT), connection.quit()).await);
    handed
}

/// The email of a message.
fn mail(app: &App, carriage: &Carriage, claimed: &Claimed) -> Result<Mail, CannotSend> {
    let workspace = &carriage.workspace;
    let person = (&claimed.route, claimed.to.key(&workspace.secret));
    let unsubscribe_url = one_click_url(app.public_url(), workspace, person, app.now());
    let subject = match &claimed.payload {
        Payload::Email { subject, .. } => subject,
        // What Sayso says itself has no subject of its own.
        Payload::Text(_) | Payload::Template { .. } | Payload::Question { .. } => &carriage.name,
    };
    let heading = Heading {
        name: &carriage.name,
        subject,
        unsubscribe_url: unsubscribe_url.as_deref(),
        at: app.now(),
    };
    with_outgoing(carriage, claimed, |outgoing| compose(outgoing, &heading))
}

/// What we call ourselves: the server's name, or the sender's domain.
fn hello(public_url: Option<&str>, mail: &Mail) -> ClientId {
    let url = public_url.and_then(|url| Url::parse(url).ok());
    let name = url.as_ref().and_then(Url::domain).unwrap_or(mail.from.domain());
    ClientId::Domain(name.to_owned())
}

/// Connects, encrypts and logs in. The addresses that are connected to are those that were judged.
async fn open(
    app: &App,
    relay: &Credentials,
    hello: &ClientId,
) -> Result<AsyncSmtpConnection, Handed> {
    let host = relay.host.as_str();
    let resolved = resolve_relay(app.carrier().guard(), host, relay.port.number()).await;
    let addresses = resolved.map_err(|unresolved| match unresolved {
        Unresolved::Refused(refused) => Handed::NotAllowed(refused),
        Unresolved::Unknown => Handed::NotBegun(None),
    })?;
    let tls = || {
        let encryption = app.carrier().encryption();
        encryption.with(host).map_err(|error| shut(Stage::Opening, &error))
    };
    let implicit = match relay.tls {
        Tls::Implicit => Some(tls()?),
        Tls::StartTls | Tls::None => None,
    };
    let mut connection = connect(&addresses, hello, implicit).await?;
    if relay.tls == Tls::StartTls {
        let encrypted = connection.starttls(tls()?, hello).await;
        encrypted.map_err(|error| shut(Stage::Opening, &error))?;
    }
    if let Some(log_in) = &relay.log_in {
        let (user, password) = log_in.to_relay();
        let log_in = SmtpLogIn::new(user.to_owned(), password.to_owned());
        let let_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], &log_in).await;
        let_in.map_err(|error| shut(Stage::LogIn, &error))?;
    }
    Ok(connection)
}

/// Connects to the first address that answers.
async fn connect(
    addresses: &[SocketAddr],
    hello: &ClientId,
    tls: Option<TlsParameters>,
) -> Result<AsyncSmtpConnection, Handed> {
    let patience = duration(limits::SMTP_CONNECT_TIMEOUT);
    let mut shut_by = Handed::NotBegun(None);
    for address in addresses {
        let Ok(Ok(stream)) = timeout(patience, TcpStream::connect(*address)).await else {
            shut_by = Handed::NotBegun(None);
            continue;
        };
        match greet(stream, hello, tls.clone()).await {
            Ok(connection) => return Ok(connection),
            Err(error) => shut_by = shut(Stage::Opening, &error),
        }
    }
    Err(shut_by)
}

/// Hears the relay's greeting and what it can.
async fn greet(
    stream: TcpStream,
    hello: &ClientId,
    tls: Option<TlsParameters>,
) -> Result<AsyncSmtpConnection, SmtpError> {
    let stream = Bounded::new(stream).opened(tls).await?;
    AsyncSmtpConnection::connect_with_transport(stream, hello).await
}

/// Says from whom and to whom a message is, and that its text comes.
async fn announce(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<(), Handed> {
    let is_ascii = |address: &lettre::Address| address.user().is_ascii();
    let mut parameters = Vec::new();
    if !is_ascii(&mail.from) || !is_ascii(&mail.to) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            // RFC 6531: an address with letters of other scripts goes by relays that can carry it.
            return Err(Handed::Unsendable("wrong_address"));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let said = connection.command(MailFrom::new(Some(mail.from.clone()), parameters)).await;
    said.map_err(|error| shut(Stage::Sender, &error))?;
    let said = connection.command(Rcpt::new(mail.to.clone(), Vec::new())).await;
    said.map_err(|error| shut(Stage::Recipient, &error))?;
    let said = connection.command(Data).await;
    let said = said.map_err(|error| shut(Stage::Text, &error))?;
    // All else is no word to go on.
    if said.has_code(354) { Ok(()) } else { Err(Handed::NotBegun(None)) }
}

/// The relay's answer to the end of the text.
fn taken(response: &Response, id: String) -> Handed {
    let code = number(response.code());
    Handed::Answered(if (200..=299).contains(&code) {
        HandOver::Accepted { provider_id: Some(id), recipient: None }
    } else {
        HandOver::Unknown { why: Oddity::Status(code) }
    })
}

/// What went wrong before the text was said: nothing was taken.
fn shut(stage: Stage, error: &SmtpError) -> Handed {
    refusal(stage, error).unwrap_or_else(|| {
        // The relay offers no way to log in that we know.
        let is_log_in = stage == Stage::LogIn && error.is_client();
        Handed::NotBegun(is_log_in.then(|| Failure {
            code: "no_log_in".to_owned(),
            meaning: ErrorMeaning::WrongCredentials,
            reason: "the relay offers no way to log in by password".to_owned(),
        }))
    })
}

/// What a reply means that is no success; nothing where there is none.
fn refusal(stage: Stage, error: &SmtpError) -> Option<Handed> {
    let code = number(error.status()?);
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    Some(match read_refusal(stage, code, &words) {
        HandOver::TryLater { failure, .. }
            if stage.is_before_message() || failure.meaning == ErrorMeaning::WrongCredentials =>
        {
            Handed::NotBegun(Some(failure))
        }
        handed @ (HandOver::Accepted { .. }
        | HandOver::Refused(_)
        | HandOver::TryLater { .. }
        | HandOver::Unknown { .. }) => Handed::Answered(handed),
    })
}

/// The code of a reply as a number.
fn number(code: lettre::transport::smtp::response::Code) -> u16 {
    code.to_string().parse().unwrap_or_default()
}
