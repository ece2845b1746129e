//! The frames between holder and manager, version 1. Frozen: see `docs/muxd.md`.
//!
//! Each side sends [`MAGIC`] first. Then frames: four bytes of length (big-endian, of what
//! follows), one byte that says which frame it is, and its body. Numbers in bodies are
//! little-endian, ids their 16 bytes. Fields may be added to the JSON of a call or an
//! answer and are ignored by who does not know them; a frame of an unknown kind is skipped.

use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use orchflow_types::pane::{ExitStatus, Size};
use orchflow_types::{ErrorKind, PaneId};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;

use crate::{PaneSpec, Stream};

/// The first bytes of either side: name and version.
pub(crate) const MAGIC: &[u8; 16] = b"orchflow-muxd 1\n";
/// The longest frame there may be.
pub(crate) const LONGEST: usize = 16 * 1024 * 1024;
/// The most frames that are written at once.
const AT_ONCE: usize = 64;

/// An environment.
pub(crate) type Variables = Vec<(OsString, OsString)>;

/// What a manager asks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub(crate) enum Call {
    /// Start a pane. The frame goes on with a line end and the environment of the pane, as
    /// in `/proc/PID/environ`: nothing else of the holder's own reaches it.
    Spawn { spec: PaneSpec },
    /// Tell what is held.
    List,
    /// End the input of a pane.
    CloseInput { pane: PaneId },
    /// Give a terminal another size.
    Resize { pane: PaneId, size: Size },
    /// End a pane's process and all that came of it: TERM, so many milliseconds, KILL.
    End { pane: PaneId, grace_ms: u64 },
    /// Let go of a pane whose process has ended: its end is known.
    Forget { pane: PaneId },
    /// End every pane, then the holder itself.
    Quit { grace_ms: u64 },
}

/// What comes of a call.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// It was done.
    Done,
    /// A process runs.
    Spawned { pid: u32, start_time: u64 },
    /// What is held.
    Panes { panes: Vec<Listed> },
    /// The size counts from this byte of the output on.
    Resized { from: u64 },
    /// It was not done.
    Refused { kind: ErrorKind, message: String, hint: Option<String> },
}

/// A pane as the holder tells of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) pane: PaneId,
    pub(crate) pid: u32,
    pub(crate) start_time: u64,
    pub(crate) tty: bool,
    /// Where its logs are.
    pub(crate) log_dir: std::path::PathBuf,
    /// The sizes its terminal had, each from a byte of its output on; the first from 0.
    pub(crate) sizes: Vec<(u64, Size)>,
    /// How far its output was taken, so that nothing in it is answered twice.
    pub(crate) taken: u64,
    pub(crate) ended: Option<Ended>,
}

/// How a pane ended, and how long its outputs were by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: u64,
    pub(crate) errors: u64,
}

/// What a log could not keep; nearly always nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// Bytes that were never written.
    pub(crate) lost: Vec<Range<u64>>,
    /// What the system says as long as writes fail.
    pub(crate) failing: Option<String>,
}

/// A frame to the holder.
#[derive(Debug)]
pub(crate) enum ToHolder {
    Call { id: u32, call: Call, environ: Variables },
    Input { id: u32, pane: PaneId, bytes: Vec<u8> },
    Taken { pane: PaneId, stream: Stream, offset: u64 },
}

/// A frame to the manager.
#[derive(Debug)]
pub(crate) enum ToManager {
    Answer {
        id: u32,
        answer: Answer,
    },
    /// An output has grown; when it has ended, it never will again.
    Grown {
        pane: PaneId,
        stream: Stream,
        len: u64,
        ended: bool,
        trouble: Trouble,
    },
    Ended {
        pane: PaneId,
        ended: Ended,
    },
    /// Another manager has come: the panes go on, and are its.
    Replaced,
}

impl ToHolder {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Call { id, call, environ } => frame(b'c', |body| {
                body.extend(id.to_le_bytes());
                json_into(body, call);
                if !environ.is_empty() {
                    body.push(b'\n');
                }
                for (name, value) in environ {
                    body.extend([name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat());
                }
            }),
            Self::Input { id, pane, bytes } => frame(b'i', |body| {
                body.extend(id.to_le_bytes());
                body.extend(id_bytes(*pane));
                body.extend(bytes);
            }),
            Self::Taken { pane, stream, offset } => frame(b't', |body| {
                body.extend(id_bytes(*pane));
                body.push(stream_byte(*stream));
                body.extend(offset.to_le_bytes());
            }),
        }
    }

    /// None for a kind of frame this version does not know.
    pub(crate) fn decode(frame: &[u8]) -> io::Result<Option<Self>> {
        let mut body = Body(frame);
        Ok(Some(match body.byte()? {
            b'c' => {
                let id = body.u32()?;
                let (json, environ) = match body.0.iter().position(|byte| *byte == b'\n') {
                    Some(at) => (&body.0[..at], &body.0[at + 1..]),
                    None => (body.0, &[][..]),
                };
                Self::Call { id, call: from_json(json)?, environ: variables(environ) }
            }
            b'i' => Self::Input { id: body.u32()?, pane: body.pane()?, bytes: body.0.to_vec() },
            b't' => Self::Taken { pane: body.pane()?, stream: body.stream()?, offset: body.u64()? },
            _ => return Ok(None),
        }))
    }
}

impl ToManager {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Answer { id, answer } => frame(b'a', |body| {
                body.extend(id.to_le_bytes());
                json_into(body, answer);
            }),
            Self::Grown { pane, stream, len, ended, trouble } => frame(b'g', |body| {
                body.extend(id_bytes(*pane));
                body.push(stream_byte(*stream));
                body.extend(len.to_le_bytes());
                body.push(u8::from(*ended));
                if *trouble != Trouble::default() {
                    json_into(body, trouble);
                }
            }),
            Self::Ended { pane, ended } => frame(b'x', |body| {
                body.extend(id_bytes(*pane));
                json_into(body, ended);
            }),
            Self::Replaced => frame(b'o', |_| {}),
        }
    }

    /// None for a kind of frame this version does not know.
    pub(crate) fn decode(frame: &[u8]) -> io::Result<Option<Self>> {
        let mut body = Body(frame);
        Ok(Some(match body.byte()? {
            b'a' => Self::Answer { id: body.u32()?, answer: from_json(body.0)? },
            b'g' => Self::Grown {
                pane: body.pane()?,
                stream: body.stream()?,
                len: body.u64()?,
                ended: body.byte()? != 0,
                trouble: if body.0.is_empty() { Trouble::default() } else { from_json(body.0)? },
            },
            b'x' => Self::Ended { pane: body.pane()?, ended: from_json(body.0)? },
            b'o' => Self::Replaced,
            _ => return Ok(None),
        }))
    }
}

/// Reads one frame, without its length; none at the end of the stream.
pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let length = match from.read_u32().await {
        Ok(length) => length as usize,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    if length > LONGEST {
        return Err(broken("a frame is too long"));
    }
    let mut frame = vec![0; length];
    from.read_exact(&mut frame).await?;
    Ok(Some(frame))
}

/// Writes the frames that wait, many at once, until nobody adds any more.
pub(crate) async fn speak(
    mut to: OwnedWriteHalf,
    mut frames: mpsc::Receiver<Vec<u8>>,
) -> io::Result<()> {
    let mut waiting = Vec::with_capacity(AT_ONCE);
    while frames.recv_many(&mut waiting, AT_ONCE).await > 0 {
        to.write_all(&waiting.concat()).await?;
        waiting.clear();
    }
    Ok(())
}

fn frame(kind: u8, fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, kind];
    fill(&mut bytes);
    let length = u32::try_from(bytes.len() - 4).expect("a frame is shorter than LONGEST");
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

fn json_into(body: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(body, value).expect("calls and answers are plain data with text keys");
}

fn from_json<'a, T: Deserialize<'a>>(json: &'a [u8]) -> io::Result<T> {
    serde_json::from_slice(json).map_err(io::Error::from)
}

fn id_bytes(pane: PaneId) -> [u8; 16] {
    orchflow_types::id::Id::uuid(pane).into_bytes()
}

const fn stream_byte(stream: Stream) -> u8 {
    match stream {
        Stream::Output => 1,
        Stream::Errors => 2,
    }
}

fn variables(environ: &[u8]) -> Variables {
    let split = |entry: &[u8]| {
        let at = entry.iter().position(|byte| *byte == b'=')?;
        let owned = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        Some((owned(&entry[..at]), owned(&entry[at + 1..])))
    };
    environ.split(|byte| *byte == 0).filter_map(split).collect()
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What is left of a frame.
struct Body<'a>(&'a [u8]);

impl Body<'_> {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk().ok_or_else(|| broken("a frame is cut"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn byte(&mut self) -> io::Result<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn pane(&mut self) -> io::Result<PaneId> {
        let bytes = self.take()?;
        Ok(orchflow_types::id::Id::from_uuid(uuid::Uuid::from_bytes(bytes)))
    }

    fn stream(&mut self) -> io::Result<Stream> {
        match self.byte()? {
            1 => Ok(Stream::Output),
            2 => Ok(Stream::Errors),
            _ => Err(broken("there is no such stream")),
        }
    }
}

#[cfg(test)]
mod tests;
