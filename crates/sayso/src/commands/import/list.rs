//! A list as bytes that are read twice: once to tell which list it is, once row by row.
//!
//! Whatever it is written in, what is read is a text file of one byte a letter or UTF-8: UTF-16 and
//! workbooks are written over into a file without a name first.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::encoding::Encoding;
use super::workbook;
use crate::exit::Failure;

/// How much of the list is looked at to tell how it is written.
const SAMPLE_BYTES: u64 = 65_536;

/// A list as bytes that can be read twice.
#[derive(Debug)]
pub(super) struct List {
    file: File,
    bytes: u64,
    sha256: [u8; 32],
}

/// A list as text: bytes in which a delimiter and a line end are one byte each.
#[derive(Debug)]
pub(super) struct Text {
    /// The text, at its beginning.
    pub(super) file: File,
    /// Its length.
    pub(super) bytes: u64,
    /// How it begins.
    pub(super) sample: Vec<u8>,
    /// In what the list was written, for giving rows back.
    pub(super) encoding: Encoding,
}

impl List {
    /// Opens a file; `-` is standard input, which is copied to a file without a name, because it
    /// is read twice.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let fault = |error: std::io::Error| {
            Failure::Input(format!("cannot read {}: {error}", path.display()))
        };
        if path == Path::new("-") {
            let mut file = nameless_file().context("no temporary file can be made")?;
            std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(fault)?;
            Self::hash(file).map_err(fault)
        } else {
            Self::hash(File::open(path).map_err(fault)?).map_err(fault)
        }
    }

    pub(super) fn hash(mut file: File) -> std::io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
                break;
            };
            hasher.update(piece);
            bytes += u64::try_from(read).unwrap_or(0);
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, bytes, sha256: hasher.finalize().into() })
    }

    /// The file, at its beginning, and its length.
    pub(super) fn into_file(self) -> (File, u64) {
        (self.file, self.bytes)
    }

    /// The SHA-256 of the bytes.
    pub(super) fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The list as text. `told` names an encoding, `sheet` a sheet of a workbook. What was not read is
    /// said.
    pub(super) fn into_text(
        self,
        told: Option<&str>,
        sheet: Option<&str>,
        say: &mut dyn FnMut(&str),
    ) -> Result<Text, Failure> {
        let fault =
            |error: std::io::Error| Failure::Input(format!("the list cannot be read: {error}"));
        let Self { mut file, bytes, .. } = self;
        let head = sample_of(&mut file).map_err(fault)?;
        if workbook::is_one(&head) {
            let text = workbook::to_csv(BufReader::new(file), sheet, nameless_file()?, say)?;
            return Text::of(text, Encoding::AsIs).map_err(fault);
        }
        if let Some(sheet) = sheet {
            return Err(Failure::Input(format!(
                "--sheet {sheet} is for workbooks, and the list is none"
            )));
        }
        workbook::refuse_old(&head)?;
        let encoding = Encoding::of(&head, told)?;
        if encoding == Encoding::AsIs {
            return Ok(Text { file, bytes, sample: head, encoding });
        }
        let text = encoding.to_utf_8(file, nameless_file()?).map_err(fault)?;
        Text::of(text, encoding).map_err(fault)
    }
}

impl Text {
    fn of(mut file: File, encoding: Encoding) -> std::io::Result<Self> {
        let bytes = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let sample = sample_of(&mut file)?;
        Ok(Self { file, bytes, sample, encoding })
    }
}

/// How a file begins; it is at its beginning afterwards.
fn sample_of(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut sample = Vec::new();
    file.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(sample)
}

/// A file that nobody else can open, and that is gone with the process.
pub(super) fn nameless_file() -> anyhow::Result<File> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("{error}"))?;
    let name = u128::from_be_bytes(random);
    let path = std::env::temp_dir().join(format!("sayso-import-{name:032x}"));
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
