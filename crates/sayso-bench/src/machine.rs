//! What the kernel says: of this machine, of its load, of one process.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::measure::float;

/// The machine a run was made on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    file_system: String,
    load_average: f64,
    rivals: Vec<String>,
}

/// Clock ticks a second in `/proc`: fixed on Linux (`sysconf(_SC_CLK_TCK)`).
const TICKS_PER_SECOND: f64 = 100.0;

impl Machine {
    /// Looks around; `directory` is where the files of the run are.
    pub(crate) fn look(directory: &Path, rivals: Vec<String>) -> Self {
        let line = |path: &str, name: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let found = text.lines().find(|line| line.starts_with(name));
            let value = found.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim());
            value.unwrap_or("unknown").to_owned()
        };
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: line("/proc/cpuinfo", "model name"),
            cores: cores(),
            memory_gib: memory_bytes() >> 30,
            kernel: kernel.trim().to_owned(),
            file_system: file_system(directory),
            load_average: load_average(),
            rivals,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory_gib, kernel, file_system, load_average, rivals } = self;
        write!(f, "{processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}, {file_system}; ")?;
        write!(f, "load average {load_average:.2} at the start")?;
        rivals.iter().try_for_each(|rival| write!(f, "; {rival}"))
    }
}

/// How many processors there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The memory of the machine in bytes.
pub(crate) fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    kib(&text, "MemTotal:") * 1_024
}

/// The load average of the last minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

/// Seconds of processor time that a process took so far, its own and the kernel's for it.
pub(crate) fn processor_seconds(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    // The second field is the program's name in parentheses, which may hold spaces.
    let fields = text.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    // After the name: state is field 3 of proc(5), utime and stime are 14 and 15.
    let times = fields.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = times.filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(float(ticks) / TICKS_PER_SECOND)
}

/// Bytes of memory that a process holds, mapped files included.
pub(crate) fn resident_bytes(process: u32) -> Result<u64> {
    memory_of(process, "VmRSS:")
}

/// The most bytes of memory that a process ever held, mapped files included.
pub(crate) fn peak_bytes(process: u32) -> Result<u64> {
    memory_of(process, "VmHWM:")
}

fn memory_of(process: u32, name: &str) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    Ok(kib(&text, name) * 1_024)
}

/// Bytes of the files in a directory whose names begin with one of `names`.
pub(crate) fn file_bytes(directory: &Path, names: &[&str]) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if names.iter().any(|wanted| name.starts_with(wanted)) {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

fn kib(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_ascii_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// The kind of the file system that a directory is on.
fn file_system(directory: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        directory.starts_with(point).then(|| (point.len(), kind.to_owned()))
    });
    mounts.max().map_or_else(|| "unknown".to_owned(), |(_, kind)| kind)
}
