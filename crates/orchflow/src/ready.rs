//! How a daemon tells whoever started it that it is ready, or why it is not: one line in a
//! pipe. The starter reads; nobody looks again and again.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use orchflow_client::Error;
use orchflow_runtime::env;
use orchflow_types::ErrorKind;

/// The variable that names the pipe's descriptor.
pub const VARIABLE: &str = "ORCHFLOW_READY_FD";

/// The daemon's end. Dropping it unused tells that the daemon ended before it was ready.
#[derive(Debug)]
pub struct Ready(Option<File>);

impl Ready {
    /// The pipe this process was given, if it was. Call once, before anything else is opened.
    #[must_use]
    pub fn from_environment() -> Self {
        let number = env::var(VARIABLE).and_then(|text| text.parse::<RawFd>().ok());
        Self(number.and_then(adopt).map(File::from))
    }

    /// Tells that the daemon answers on its socket.
    pub fn ok(mut self) {
        self.tell("ok\n");
    }

    /// Tells why there will be no daemon.
    pub fn failed(mut self, error: &Error) {
        let text = serde_json::to_string(error).unwrap_or_else(|_| error.message.clone());
        self.tell(&format!("error {}\n", text.replace('\n', " ")));
    }

    fn tell(&mut self, line: &str) {
        if let Some(mut pipe) = self.0.take() {
            let _ = pipe.write_all(line.as_bytes()); // whoever started us may have gone
        }
    }
}

#[expect(unsafe_code, reason = "a descriptor that was inherited has only its number")]
fn adopt(number: RawFd) -> Option<OwnedFd> {
    let kind = std::fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
    if number < 3 || !kind.to_string_lossy().starts_with("pipe:") {
        return None;
    }
    // SAFETY: the descriptor is open and a pipe that our starter made for this alone; this
    // runs once and first, so nothing else in the process owns it.
    let pipe = unsafe { OwnedFd::from_raw_fd(number) };
    // Our own children shall not hold it open.
    rustix::io::fcntl_setfd(&pipe, rustix::io::FdFlags::CLOEXEC).ok()?;
    Some(pipe)
}

/// The starter's end: what it reads, and the writing end that the daemon inherits.
#[derive(Debug)]
pub struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Pipe {
    /// A fresh pipe, of which only the writing end is inherited.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn new() -> std::io::Result<Self> {
        let (reader, writer) = rustix::pipe::pipe()?;
        rustix::io::fcntl_setfd(&reader, rustix::io::FdFlags::CLOEXEC)?;
        Ok(Self { reader, writer })
    }

    /// The number the daemon finds the pipe by.
    #[must_use]
    pub fn number(&self) -> RawFd {
        self.writer.as_raw_fd()
    }

    /// Waits for the daemon's line. Blocks; call after the daemon was started.
    ///
    /// # Errors
    /// What the daemon told, or that it ended without a word.
    pub fn wait(self) -> Result<(), Error> {
        drop(self.writer);
        let mut line = Vec::new();
        let mut byte = [0];
        let mut reader = File::from(self.reader);
        while matches!(reader.read(&mut byte), Ok(1)) && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        understand(&String::from_utf8_lossy(&line))
    }
}

fn understand(line: &str) -> Result<(), Error> {
    if line == "ok" {
        return Ok(());
    }
    let Some(text) = line.strip_prefix("error ") else {
        return Err(Error::new(ErrorKind::Unavailable, "the daemon ended before it was ready")
            .hint("`orchflow logs` says why; `orchflow up --foreground` shows it"));
    };
    Err(serde_json::from_str(text).unwrap_or_else(|_| {
        Error::new(ErrorKind::Unavailable, format!("the daemon could not start: {text}"))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_daemon_says_reaches_its_starter_with_kind_and_hint() {
        let error = Error::new(ErrorKind::StorageNewer, "too new").hint("upgrade");
        let line = format!("error {}", serde_json::to_string(&error).unwrap());
        assert_eq!(understand(&line), Err(error));
        assert_eq!(understand("ok"), Ok(()));
        assert_eq!(understand("error plain words").unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(understand("").unwrap_err().message.contains("before it was ready"));
    }

    #[test]
    fn a_line_in_the_pipe_ends_the_wait() {
        let pipe = Pipe::new().unwrap();
        let writer = pipe.writer.try_clone().unwrap();
        Ready(Some(File::from(writer))).ok();
        assert_eq!(pipe.wait(), Ok(()));
    }
}
