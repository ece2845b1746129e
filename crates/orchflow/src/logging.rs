//! The daemon's log: levelled lines to a file of bounded size, as text or JSON.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use orchflow_runtime::env;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::places::Places;

/// A log that is longer is put aside as `daemon.log.1`; so two of these is the most there is.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Begins to log: to the file, and to stderr when `foreground`. `ORCHFLOW_LOG` is the
/// filter (`info` when not set), `ORCHFLOW_LOG_FORMAT=json` writes JSON lines.
///
/// # Errors
/// When the file cannot be opened.
pub fn begin(places: &Places, foreground: bool) -> io::Result<()> {
    let filter = env::var("ORCHFLOW_LOG").unwrap_or_else(|| "info".into());
    let filter = EnvFilter::builder().parse_lossy(filter);
    let file = LogFile::open(&places.log(), LONGEST)?;
    let writer = Tee { file: Mutex::new(file), foreground };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let subscriber: tracing::Dispatch =
        if env::var("ORCHFLOW_LOG_FORMAT").as_deref() == Some("json") {
            lines.json().with_writer(writer).into()
        } else {
            lines.with_writer(writer).into()
        };
    let _ = tracing::dispatcher::set_global_default(subscriber); // a second call keeps the first log
    Ok(())
}

struct Tee {
    file: Mutex<LogFile>,
    foreground: bool,
}

struct Line<'a>(&'a Tee);

impl<'a> MakeWriter<'a> for Tee {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.foreground {
            let _ = io::stderr().write_all(bytes); // a closed terminal must not end the daemon
        }
        self.0.file.lock().unwrap_or_else(PoisonError::into_inner).append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
    longest: u64,
}

impl LogFile {
    fn open(path: &Path, longest: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, length, longest })
    }

    /// Appends a line. A disk that is full loses the line, never the daemon.
    fn append(&mut self, bytes: &[u8]) {
        if self.length >= self.longest {
            let mut aside = self.path.clone().into_os_string();
            aside.push(".1");
            let renamed = std::fs::rename(&self.path, aside);
            if let (Ok(()), Ok(fresh)) = (renamed, Self::open(&self.path, self.longest)) {
                *self = fresh;
            }
        }
        if self.file.write_all(bytes).is_ok() {
            self.length += bytes.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_put_aside_once_and_the_new_one_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.log");
        let mut log = LogFile::open(&path, 15).unwrap();
        for line in ["one line\n", "two line\n", "three line\n", "four line\n"] {
            log.append(line.as_bytes());
        }
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(read("daemon.log.1"), "one line\ntwo line\n");
        assert_eq!(read("daemon.log"), "three line\nfour line\n");
    }
}
