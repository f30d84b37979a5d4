//! The gate indexes in a file, so that a start need not fold what a stop knew.
//!
//! One file, `gate.index`: 16 random bytes that name it, then blocks, each its length (4 bytes,
//! big-endian) and its sealed text, bound to the file's name and the block's place. Inside: the
//! build that wrote it, the row of the ledger it holds everything up to, the indexes, and the
//! [lineage](crate::sqlite::lineage) of all that may be in them. It may hold more than up to that row,
//! never less: what is later is replayed. A file that does not open, is not whole, was written by
//! other rules, or may hold what the ledger does not is no file: the index is rebuilt from the views.
//!
//! The states themselves are not in it but an example of each, from which they are computed anew.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use hashbrown::HashMap;
use sayso_core::address::AddressKey;
use sayso_core::limits;
use sayso_core::time::Timestamp;

use super::forms::KnownForms;
use super::phones::Phones;
use super::states::{Example, StateNo, States, Turns};
use super::{Gate, Others, read};
use crate::environment::Environment;
use crate::sqlite::lineage::{Fit, Lineage};
use crate::sqlite::seal::Vault;
use crate::sqlite::tail::WorkspaceNo;
use crate::store::StoreError;

/// The rules that a saved index was made by: the sources that decide, hashed when this was built.
const RULES: &str = env!("SAYSO_GATE_RULES");
/// Bytes of text in a block.
const BLOCK_BYTES: usize = 1 << 18;
/// The longest sealed block: its text, one piece too long at most, and what sealing adds.
const SEALED_BYTES_MAX: usize = 4 * BLOCK_BYTES;
/// Ends the text.
const END: u64 = 0x5a75_0e4d;

/// All indexes, by workspace.
pub(in crate::sqlite) type Gates = BTreeMap<WorkspaceNo, Arc<Gate>>;

/// What cannot be read as an index.
#[derive(Debug, thiserror::Error)]
pub(in crate::sqlite) enum NoIndex {
    #[error("it cannot be read")]
    File(#[from] std::io::Error),
    #[error("it was written by other rules")]
    OtherRules,
    #[error("it is damaged")]
    Damaged,
    #[error("the ledger cannot be read")]
    Ledger(#[source] StoreError),
    #[error("an import was undone after it was saved")]
    Undone,
    #[error("it is of another ledger")]
    OtherLedger(Fit),
}

fn place<'a>(name: &'a [u8; 16], block: &'a [u8; 8]) -> [&'a [u8]; 3] {
    [b"gate", name, block]
}

/// Where a file is written before it takes its place.
pub(in crate::sqlite) fn beside(path: &Path) -> PathBuf {
    path.with_extension("index.new")
}

/// Saves the indexes, which hold every row up to `row`, and nothing beyond what `made_from` says once
/// they are written; the file is whole or as it was before.
pub(in crate::sqlite) fn save(
    path: &Path,
    held: (&Gates, i64),
    made_from: impl FnOnce() -> std::io::Result<Lineage>,
    sealing: (&Vault, &Environment),
) -> std::io::Result<()> {
    let beside = beside(path);
    let saved =
        write(&beside, held, made_from, sealing).and_then(|()| std::fs::rename(&beside, path));
    if saved.is_err() {
        // On a full disk it takes the room of others; the error tells why it was not saved.
        drop(std::fs::remove_file(&beside));
    }
    saved
}

fn write(
    path: &Path,
    (gates, row): (&Gates, i64),
    made_from: impl FnOnce() -> std::io::Result<Lineage>,
    (vault, environment): (&Vault, &Environment),
) -> std::io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let name: [u8; 16] = environment.random();
    let mut to = Sealing { file, vault, environment, name, block: 0, text: Vec::new() };
    to.file.write_all(&name)?;
    to.bytes(RULES.as_bytes())?;
    to.number(row.unsigned_abs())?;
    to.count(gates.len())?;
    for (workspace, gate) in gates {
        to.number(workspace.unsigned_abs())?;
        gate.save(&mut to)?;
    }
    to.bytes(&made_from()?.to_bytes())?;
    to.number(END)?;
    to.finish()
}

/// Opens saved indexes: with the row that they hold everything up to, and what they were made from.
pub(in crate::sqlite) fn open(
    path: &Path,
    vault: &Vault,
) -> Result<(Gates, i64, Lineage), NoIndex> {
    open_from(&mut std::io::BufReader::new(File::open(path)?), vault)
}

/// Opens what a file of saved indexes holds.
pub(in crate::sqlite) fn open_from(
    file: &mut dyn Read,
    vault: &Vault,
) -> Result<(Gates, i64, Lineage), NoIndex> {
    let mut name = [0; 16];
    file.read_exact(&mut name)?;
    let mut from = Opening { file, vault, name, block: 0, text: Vec::new(), at: 0 };
    if from.bytes()? != RULES.as_bytes() {
        return Err(NoIndex::OtherRules);
    }
    let signed = |number: u64| i64::try_from(number).map_err(|_| NoIndex::Damaged);
    let row = signed(from.number()?)?;
    let mut gates = Gates::new();
    for _ in 0..from.number()? {
        let workspace = signed(from.number()?)?;
        gates.insert(workspace, Arc::new(Gate::open(&mut from)?));
    }
    let made_from = Lineage::from_bytes(&from.bytes()?).ok_or(NoIndex::Damaged)?;
    if from.number()? == END { Ok((gates, row, made_from)) } else { Err(NoIndex::Damaged) }
}

/// A file that these rules wrote, with this text behind their name, in blocks of its own.
#[cfg(feature = "fuzzing")]
pub(in crate::sqlite) fn sealed(text: &[u8], sealing: (&Vault, &Environment)) -> Vec<u8> {
    let (vault, environment) = sealing;
    let name = [0; 16];
    let rules = [&RULES.len().to_be_bytes()[..], RULES.as_bytes(), text].concat();
    let mut file = name.to_vec();
    for (number, block) in (0_u64..).zip(rules.chunks(BLOCK_BYTES)) {
        let sealed = vault.seal(&place(&name, &number.to_be_bytes()), block, environment);
        file.extend_from_slice(&u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_be_bytes());
        file.extend_from_slice(&sealed);
    }
    file
}

impl Gate {
    /// The states last: every number that a segment names is then among them.
    fn save(&self, to: &mut Sealing<'_>) -> std::io::Result<()> {
        for segment in &self.phones {
            let (slots, turns) = {
                let phones = read(segment);
                (phones.slots().to_vec(), phones.turns().clone())
            };
            to.count(slots.len())?;
            slots.iter().try_for_each(|word| to.number(*word))?;
            to.count(turns.len())?;
            for (digits, turns) in turns {
                to.number(digits)?;
                to.turns(&turns)?;
            }
        }
        for segment in &self.others {
            let (states, turns) = {
                let others = read(segment);
                (others.states.clone(), others.turns.clone())
            };
            to.count(states.len())?;
            for (key, state) in states {
                to.raw(key.as_bytes())?;
                to.number(u64::from(state))?;
            }
            to.count(turns.len())?;
            for (key, turns) in turns {
                to.raw(key.as_bytes())?;
                to.turns(&turns)?;
            }
        }
        let examples = read(&self.states).examples();
        to.count(examples.len())?;
        for example in examples {
            to.time(example.at)?;
            to.bytes(&example.registers)?;
        }
        Ok(())
    }

    fn open(from: &mut Opening<'_>) -> Result<Self, NoIndex> {
        let mut phones = Vec::with_capacity(limits::GATE_SEGMENTS);
        let forms = KnownForms::default();
        for _ in 0..limits::GATE_SEGMENTS {
            let words = from.count()?;
            let mut slots = Vec::with_capacity(words.min(BLOCK_BYTES));
            for _ in 0..words {
                slots.push(from.number()?);
            }
            let mut turns = HashMap::new();
            for _ in 0..from.number()? {
                turns.insert(from.number()?, from.turns()?);
            }
            let segment = Phones::from_saved(slots, turns).ok_or(NoIndex::Damaged)?;
            segment.phones().for_each(|phone| forms.note(phone));
            phones.push(RwLock::new(segment));
        }
        let mut others = Vec::with_capacity(limits::GATE_SEGMENTS);
        for _ in 0..limits::GATE_SEGMENTS {
            let mut segment = Others::default();
            let states = from.count()?;
            segment.states.reserve(states.min(BLOCK_BYTES));
            for _ in 0..states {
                segment.states.insert(AddressKey::from_bytes(from.raw()?), from.state()?);
            }
            for _ in 0..from.number()? {
                segment.turns.insert(AddressKey::from_bytes(from.raw()?), from.turns()?);
            }
            others.push(RwLock::new(segment));
        }
        let mut states = States::default();
        for _ in 0..from.number()? {
            let at = from.time()?;
            let registers = from.bytes()?.into();
            states.add_example(Example { registers, at }).ok_or(NoIndex::Damaged)?;
        }
        Ok(Self { phones, forms, others, states: RwLock::new(states), addressless: 0.into() })
    }
}

/// Writes text in sealed blocks.
struct Sealing<'a> {
    file: File,
    vault: &'a Vault,
    environment: &'a Environment,
    name: [u8; 16],
    block: u64,
    text: Vec<u8>,
}

impl Sealing<'_> {
    fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.text.extend_from_slice(bytes);
        if self.text.len() >= BLOCK_BYTES { self.close_block() } else { Ok(()) }
    }

    fn number(&mut self, number: u64) -> std::io::Result<()> {
        self.raw(&number.to_be_bytes())
    }

    fn count(&mut self, count: usize) -> std::io::Result<()> {
        self.number(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn time(&mut self, at: Timestamp) -> std::io::Result<()> {
        self.raw(&at.as_micros().to_be_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.count(bytes.len())?;
        self.raw(bytes)
    }

    fn turns(&mut self, turns: &Turns) -> std::io::Result<()> {
        self.count(turns.len())?;
        turns.iter().try_for_each(|(from, state)| {
            self.time(*from)?;
            self.number(u64::from(*state))
        })
    }

    fn close_block(&mut self) -> std::io::Result<()> {
        let block = self.block.to_be_bytes();
        let sealed = self.vault.seal(&place(&self.name, &block), &self.text, self.environment);
        self.block += 1;
        self.text.clear();
        self.file.write_all(&u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_be_bytes())?;
        self.file.write_all(&sealed)
    }

    fn finish(mut self) -> std::io::Result<()> {
        self.close_block()?;
        self.file.sync_all()
    }
}

/// Reads what [`Sealing`] wrote.
struct Opening<'a> {
    file: &'a mut dyn Read,
    vault: &'a Vault,
    name: [u8; 16],
    block: u64,
    text: Vec<u8>,
    at: usize,
}

impl Opening<'_> {
    fn open_block(&mut self) -> Result<(), NoIndex> {
        let mut length = [0; 4];
        self.file.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| NoIndex::Damaged)?;
        if length > SEALED_BYTES_MAX {
            return Err(NoIndex::Damaged);
        }
        let mut sealed = vec![0; length];
        self.file.read_exact(&mut sealed)?;
        let block = self.block.to_be_bytes();
        let opened = self.vault.open(&place(&self.name, &block), &sealed);
        let opened = opened.map_err(|_| NoIndex::Damaged)?;
        self.text.drain(..self.at);
        self.text.extend_from_slice(&opened);
        (self.at, self.block) = (0, self.block + 1);
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&[u8], NoIndex> {
        while self.text.len() - self.at < length {
            self.open_block()?;
        }
        let from = self.at;
        self.at += length;
        self.text.get(from..self.at).ok_or(NoIndex::Damaged)
    }

    fn raw<const N: usize>(&mut self) -> Result<[u8; N], NoIndex> {
        self.take(N)?.try_into().map_err(|_| NoIndex::Damaged)
    }

    fn number(&mut self) -> Result<u64, NoIndex> {
        self.raw().map(u64::from_be_bytes)
    }

    fn count(&mut self) -> Result<usize, NoIndex> {
        usize::try_from(self.number()?).map_err(|_| NoIndex::Damaged)
    }

    fn time(&mut self) -> Result<Timestamp, NoIndex> {
        Ok(Timestamp::from_micros(i64::from_be_bytes(self.raw()?)))
    }

    fn state(&mut self) -> Result<StateNo, NoIndex> {
        StateNo::try_from(self.number()?).map_err(|_| NoIndex::Damaged)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, NoIndex> {
        let length = self.count()?;
        if length > SEALED_BYTES_MAX {
            return Err(NoIndex::Damaged);
        }
        self.take(length).map(<[u8]>::to_vec)
    }

    fn turns(&mut self) -> Result<Turns, NoIndex> {
        let count = self.count()?;
        if count > limits::GATE_TURNS_MAX + 1 {
            return Err(NoIndex::Damaged);
        }
        (0..count).map(|_| Ok((self.time()?, self.state()?))).collect()
    }
}
