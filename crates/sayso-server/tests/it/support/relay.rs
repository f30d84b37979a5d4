//! A stand-in for a mail relay: it speaks SMTP by the letter (RFC 5321), keeps what it takes, and replies
//! as it was told. Whoever breaks the rules is cut off, and the rule is named to the test.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;

/// How a relay is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encrypted {
    Never,
    AtOnce,
    WhenAsked,
}

/// An email that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The message, with the dots taken off that were put before its lines.
    pub(crate) message: String,
    /// With whom the connection was logged in.
    pub(crate) user: Option<String>,
    pub(crate) is_encrypted: bool,
}

#[derive(Debug, Default)]
struct Script {
    taken: Vec<Taken>,
    /// What is replied next to each word; `end` is the end of a text, `greeting` the beginning.
    replies: HashMap<&'static str, VecDeque<&'static str>>,
    /// The words that were said, in order.
    said: Vec<String>,
    broken_rules: Vec<String>,
    /// Bytes of lines that never end.
    endless: usize,
}

/// A relay on a port of this machine.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
    tasks: JoinSet<()>,
}

/// Replies with nothing, and keeps the connection open.
pub(crate) const SILENCE: &str = "";
/// Replies with a line that never ends.
pub(crate) const ENDLESS: &str = "endless";
/// Ends the connection without a word.
pub(crate) const HANG_UP: &str = "hang up";

/// With what the relay lets in.
pub(crate) const USER: &str = "sayso@shop.example";
pub(crate) const PASSWORD: &str = "correct-horse-battery";

impl Relay {
    pub(crate) async fn start(encrypted: Encrypted) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::<Mutex<Script>>::default();
        let mut tasks = JoinSet::new();
        let known = Arc::clone(&script);
        tasks.spawn(async move {
            let mut clients = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let script = Arc::clone(&known);
                clients.spawn(async move {
                    match encrypted {
                        Encrypted::AtOnce => {
                            let Ok(stream) = acceptor().accept(stream).await else { return };
                            converse(stream, Leg::Encrypted, &script).await;
                        }
                        Encrypted::WhenAsked => {
                            let Some(stream) = converse(stream, Leg::StillClear, &script).await
                            else {
                                return;
                            };
                            let Ok(stream) = acceptor().accept(stream).await else { return };
                            converse(stream, Leg::NowEncrypted, &script).await;
                        }
                        Encrypted::Never => drop(converse(stream, Leg::Clear, &script).await),
                    }
                });
            }
        });
        Self { port, script, tasks }
    }

    /// Tells what is replied to this word next.
    pub(crate) fn tell(&self, word: &'static str, reply: &'static str) {
        self.script.lock().unwrap().replies.entry(word).or_default().push_back(reply);
    }

    /// What it took since this was last asked.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        let mut script = self.script.lock().unwrap();
        assert_eq!(script.broken_rules, Vec::<String>::new());
        std::mem::take(&mut script.taken)
    }

    /// How many bytes were taken of lines that never end.
    pub(crate) fn endless(&self) -> usize {
        self.script.lock().unwrap().endless
    }

    /// The words it heard since this was last asked.
    pub(crate) fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.script.lock().unwrap().said)
    }

    /// Goes away: nobody listens on its port any more.
    pub(crate) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

fn acceptor() -> TlsAcceptor {
    drop(rustls::crypto::ring::default_provider().install_default());
    let certificate = Certificate::of(7);
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate.der], key).unwrap()))
}

/// A part of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg {
    /// All of it, in clear.
    Clear,
    /// All of it, encrypted.
    Encrypted,
    /// Until the client asks for encryption.
    StillClear,
    /// From then on: the client speaks first.
    NowEncrypted,
}

/// One connection, as far as it has come.
struct Conversation<'a, S> {
    stream: BufReader<S>,
    script: &'a Mutex<Script>,
    leg: Leg,
    greeted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// Speaks with a client until it goes; with one that asks for encryption, until then.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    leg: Leg,
    script: &Mutex<Script>,
) -> Option<S> {
    let stream = BufReader::new(stream);
    let mut it =
        Conversation { stream, script, leg, greeted: false, user: None, from: None, to: None };
    if leg != Leg::NowEncrypted {
        it.reply("greeting", "220 relay.example ESMTP").await.then_some(())?;
    }
    loop {
        let line = it.line().await?;
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let word = word.to_ascii_uppercase();
        it.script.lock().unwrap().said.push(word.clone());
        if word == "STARTTLS" {
            if leg != Leg::StillClear {
                it.breaks("STARTTLS was not offered");
                return None;
            }
            it.reply("STARTTLS", "220 Go on").await.then_some(())?;
            assert!(it.stream.buffer().is_empty(), "something was said before the encryption");
            return Some(it.stream.into_inner());
        }
        it.obey(&word, rest).await.then_some(())?;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<'_, S> {
    fn breaks(&self, rule: &str) {
        self.script.lock().unwrap().broken_rules.push(rule.to_owned());
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await.ok()?;
        let line = String::from_utf8(line).ok()?;
        if line.is_empty() {
            return None;
        }
        match line.strip_suffix("\r\n") {
            Some(line) if line.len() <= 1_000 => Some(line.to_owned()),
            Some(_) | None => {
                self.breaks("a line is longer than 1,000 bytes, or does not end with CR and LF");
                None
            }
        }
    }

    /// Replies as it was told, or else so; whether the connection goes on.
    async fn reply(&mut self, word: &'static str, usual: &str) -> bool {
        let told = self.script.lock().unwrap().replies.get_mut(word).and_then(VecDeque::pop_front);
        match told {
            Some(SILENCE) => std::future::pending().await,
            Some(HANG_UP) => false,
            Some(ENDLESS) => {
                while self.stream.write_all(&[b'2'; 16_384]).await.is_ok() {
                    self.script.lock().unwrap().endless += 16_384;
                }
                false
            }
            Some(reply) => self.say(reply).await,
            None => self.say(usual).await,
        }
    }

    async fn say(&mut self, reply: &str) -> bool {
        self.stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_ok()
    }

    async fn obey(&mut self, word: &str, rest: &str) -> bool {
        match word {
            "EHLO" => {
                if rest != "consent.example" && rest != "shop.example" {
                    self.breaks("the name after EHLO is not the server's or the sender's");
                }
                self.greeted = true;
                let tls = if self.leg == Leg::StillClear { "250-STARTTLS\r\n" } else { "" };
                self.reply("EHLO", &format!("250-relay.example\r\n{tls}250 AUTH PLAIN LOGIN")).await
            }
            "AUTH" => self.log_in(rest).await,
            "MAIL" if self.greeted && self.from.is_none() => {
                self.from = rest
                    .strip_prefix("FROM:<")
                    .and_then(|rest| rest.strip_suffix('>'))
                    .map(str::to_owned);
                self.reply("MAIL", "250 2.1.0 Ok").await
            }
            "RCPT" if self.from.is_some() && self.to.is_none() => {
                self.to = rest
                    .strip_prefix("TO:<")
                    .and_then(|rest| rest.strip_suffix('>'))
                    .map(str::to_owned);
                self.reply("RCPT", "250 2.1.5 Ok").await
            }
            "DATA" if self.to.is_some() => {
                self.reply("DATA", "354 Go on").await && self.take().await
            }
            "QUIT" => {
                self.reply("QUIT", "221 Bye").await;
                false
            }
            other => {
                self.breaks(&format!("{other} has no place here"));
                false
            }
        }
    }

    async fn log_in(&mut self, rest: &str) -> bool {
        let said = rest.strip_prefix("PLAIN ").and_then(|said| STANDARD.decode(said).ok());
        if said != Some(format!("\0{USER}\0{PASSWORD}").into_bytes()) {
            return self.say("535 5.7.8 Who is that?").await;
        }
        self.user = Some(USER.to_owned());
        self.reply("AUTH", "235 2.7.0 Welcome").await
    }

    /// Takes a text until the line with nothing but a dot.
    async fn take(&mut self) -> bool {
        let mut message = String::new();
        loop {
            let Some(line) = self.line().await else { return false };
            if line == "." {
                break;
            }
            message.push_str(line.strip_prefix('.').unwrap_or(&line));
            message.push_str("\r\n");
        }
        let (from, to) = (self.from.take().unwrap(), self.to.take().unwrap());
        let user = self.user.clone();
        let is_encrypted = matches!(self.leg, Leg::Encrypted | Leg::NowEncrypted);
        let told =
            self.script.lock().unwrap().replies.get("end").and_then(|it| it.front()).copied();
        if told.is_none() {
            let taken = Taken { from, to, message, user, is_encrypted };
            self.script.lock().unwrap().taken.push(taken);
        }
        self.reply("end", "250 2.0.0 Taken").await
    }
}

impl Taken {
    /// A header, if it is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.message.split_once("\r\n\r\n").unwrap();
        let found: Vec<&str> = head
            .split("\r\n")
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .collect();
        assert!(found.len() < 2, "{name} twice in {head}");
        found.first().copied()
    }

    /// The words.
    pub(crate) fn words(&self) -> &str {
        self.message.split_once("\r\n\r\n").unwrap().1
    }
}
