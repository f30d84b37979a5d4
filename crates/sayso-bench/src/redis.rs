//! Redis: the real server on a unix socket, and a plain client of its protocol (RESP 2).

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::child::{Child, find_program};
use crate::people::{People, digits, email, has_email_only};
use crate::scratch::Scratch;

/// The set of everybody known.
const SET: &[u8] = b"known";
/// Members of one `SADD`.
const ADDED_AT_ONCE: u64 = 10_000;

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Redis {
    child: Child,
    program: PathBuf,
    directory: PathBuf,
    connection: Resp,
    /// Bytes in use before anything was in it.
    empty_bytes: i64,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Resp {
    to: UnixStream,
    from: BufReader<UnixStream>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// `+OK`
    Word(String),
    /// `:1`
    Number(i64),
    /// A text of known length; absent for a key that is not there.
    Text(Option<Vec<u8>>),
    /// Several answers, all of them numbers.
    Numbers(Vec<i64>),
}

/// Where the program is, if it is installed.
pub(crate) fn installed() -> Option<PathBuf> {
    find_program("redis-server", &[])
}

/// What to say where it is not.
pub(crate) const ABSENT: &str = "Redis is not installed here (apt-get install redis-server)";

/// A command as it goes over the wire.
pub(crate) fn encode<'a>(words: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The question who of these is known.
pub(crate) fn encode_question(members: &[Vec<u8>]) -> Vec<u8> {
    let words: Vec<&[u8]> = [b"SMISMEMBER".as_slice(), SET]
        .into_iter()
        .chain(members.iter().map(Vec::as_slice))
        .collect();
    encode(words.into_iter())
}

impl Resp {
    fn connect(socket: &Path) -> Result<Self> {
        let to = UnixStream::connect(socket)?;
        to.set_read_timeout(Some(Duration::from_mins(10)))?;
        let from = BufReader::with_capacity(1 << 16, to.try_clone()?);
        Ok(Self { to, from })
    }

    /// Sends an encoded command and reads the answer.
    pub(crate) fn ask(&mut self, command: &[u8]) -> Result<Reply> {
        self.to.write_all(command)?;
        self.read()
    }

    fn say(&mut self, words: &[&[u8]]) -> Result<Reply> {
        self.ask(&encode(words.iter().copied()))
    }

    fn read(&mut self) -> Result<Reply> {
        let line = self.read_line()?;
        let (kind, rest) = line.split_at_checked(1).context("Redis sent an empty line")?;
        match kind {
            "+" => Ok(Reply::Word(rest.to_owned())),
            "-" => bail!("Redis: {rest}"),
            ":" => Ok(Reply::Number(rest.parse()?)),
            "$" => self.read_text(rest.parse()?).map(Reply::Text),
            "*" => (0..rest.parse::<usize>()?)
                .map(|_| self.read_number())
                .collect::<Result<_>>()
                .map(Reply::Numbers),
            _ => bail!("Redis sent something that is no answer"),
        }
    }

    fn read_line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        ensure!(line.ends_with("\r\n"), "Redis ended the connection");
        line.truncate(line.len() - 2);
        Ok(line)
    }

    fn read_text(&mut self, length: i64) -> Result<Option<Vec<u8>>> {
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        let mut bytes = vec![0; length + 2];
        self.from.read_exact(&mut bytes)?;
        bytes.truncate(length);
        Ok(Some(bytes))
    }

    /// One number of many, without a text of its own: this is the loop of the batch's rival.
    fn read_number(&mut self) -> Result<i64> {
        let mut number = 0;
        loop {
            let mut byte = [0];
            self.from.read_exact(&mut byte)?;
            match byte {
                [b':' | b'\r'] => {}
                [b'\n'] => return Ok(number),
                [digit @ b'0'..=b'9'] => number = number * 10 + i64::from(digit - b'0'),
                [_] => bail!("Redis sent something else among numbers"),
            }
        }
    }
}

impl Redis {
    /// Starts a server that keeps nothing on disk, and puts everybody into its set.
    pub(crate) async fn start(
        program: PathBuf,
        scratch: &Scratch,
        people: &People,
    ) -> Result<Self> {
        let directory = scratch.directory("redis")?;
        let mut redis = Self::launch(program, directory).await?;
        redis.empty_bytes = redis.used_bytes()?;
        redis.fill(people)?;
        Ok(redis)
    }

    async fn launch(program: PathBuf, directory: PathBuf) -> Result<Self> {
        let socket = directory.join("socket");
        let mut command = Command::new(&program);
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        command.arg("--unixsocket").arg(&socket).arg("--dir").arg(&directory);
        command.arg("--logfile").arg(directory.join("log"));
        let mut child = Child::start("redis-server", command, directory.join("log"))?;
        let mut connection = None;
        child
            .wait_for(async || {
                let mut made = Resp::connect(&socket)?;
                // While it loads, every command is answered with an error.
                made.say(&[b"PING"])?;
                connection = Some(made);
                Ok(())
            })
            .await?;
        let connection = connection.context("Redis is not reached")?;
        Ok(Self { child, program, directory, connection, empty_bytes: 0 })
    }

    fn fill(&mut self, people: &People) -> Result<()> {
        let mut added = 0;
        for from in (0..people.contacts).step_by(usize::try_from(ADDED_AT_ONCE)?) {
            let members: Vec<Vec<u8>> = (from..(from + ADDED_AT_ONCE).min(people.contacts))
                .map(|person| {
                    let text = if has_email_only(person) {
                        email(person)
                    } else {
                        digits(person).to_string()
                    };
                    text.into_bytes()
                })
                .collect();
            let words: Vec<&[u8]> = [b"SADD".as_slice(), SET]
                .into_iter()
                .chain(members.iter().map(Vec::as_slice))
                .collect();
            match self.connection.say(&words)? {
                Reply::Number(number) => added += number,
                Reply::Word(_) | Reply::Text(_) | Reply::Numbers(_) => bail!("Redis did not count"),
            }
        }
        ensure!(u64::try_from(added) == Ok(people.contacts), "Redis holds {added} members");
        Ok(())
    }

    /// The connection.
    pub(crate) fn connection(&mut self) -> &mut Resp {
        &mut self.connection
    }

    /// Bytes that the set takes.
    pub(crate) fn set_bytes(&mut self) -> Result<i64> {
        Ok(self.used_bytes()? - self.empty_bytes)
    }

    fn used_bytes(&mut self) -> Result<i64> {
        let Reply::Text(Some(text)) = self.connection.say(&[b"INFO", b"memory"])? else {
            bail!("Redis says nothing about its memory");
        };
        let text = String::from_utf8_lossy(&text);
        let used = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
        Ok(used.context("used_memory is missing")?.trim().parse()?)
    }

    /// Writes the set into a file that the next start loads.
    pub(crate) fn save(&mut self) -> Result<()> {
        self.connection.say(&[b"SAVE"]).map(|_| ())
    }

    /// Stops the server and starts it again; gives it back with the time from its start to its
    /// first answer.
    pub(crate) async fn restart(self) -> Result<(Self, Duration)> {
        let Self { child, program, directory, empty_bytes, connection } = self;
        drop(connection);
        child.stop().await?;
        let started = tokio::time::Instant::now();
        let mut redis = Self::launch(program, directory).await?;
        let time = started.elapsed();
        redis.empty_bytes = empty_bytes;
        Ok((redis, time))
    }

    /// Stops the server.
    pub(crate) async fn stop(self) -> Result<()> {
        drop(self.connection);
        self.child.stop().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_its_words_with_their_lengths() {
        let question = encode_question(&[b"4915100000001".to_vec()]);
        let expected = b"*3\r\n$10\r\nSMISMEMBER\r\n$5\r\nknown\r\n$13\r\n4915100000001\r\n";
        assert_eq!(question, expected);
    }

    #[test]
    fn answers_of_every_kind_are_read() {
        let (here, mut there) = UnixStream::pair().unwrap();
        let from = BufReader::new(here.try_clone().unwrap());
        let mut connection = Resp { to: here, from };
        there
            .write_all(
                b"+PONG\r\n:42\r\n$3\r\na\r\n\r\n$-1\r\n*3\r\n:1\r\n:0\r\n:12\r\n-ERR no\r\n",
            )
            .unwrap();
        assert_eq!(connection.read().unwrap(), Reply::Word("PONG".to_owned()));
        assert_eq!(connection.read().unwrap(), Reply::Number(42));
        assert_eq!(connection.read().unwrap(), Reply::Text(Some(b"a\r\n".to_vec())));
        assert_eq!(connection.read().unwrap(), Reply::Text(None));
        assert_eq!(connection.read().unwrap(), Reply::Numbers(vec![1, 0, 12]));
        assert!(connection.read().is_err());
    }
}
