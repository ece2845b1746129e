//! The fingerprint of what a repository may configure: trust is given to its exact content.
//!
//! Files are read and hashed, never parsed and never executed. Links are not followed: one
//! that leaves the project could change its content without a change in the project.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a project may configure: our own folder, and the settings of coding agents.
const WATCHED: &[&str] = &[
    ".orchflow",
    ".worktreeinclude",
    ".claude",
    ".mcp.json",
    ".codex",
    ".gemini",
    ".opencode",
    "opencode.json",
    "opencode.jsonc",
];
/// The plan is a copy for editing, and other checkouts are projects of their own: neither
/// configures anything here.
const PASSED_OVER: &[&str] = &[".orchflow/plan.md", ".claude/worktrees"];
/// The most bytes of one file.
const FILE_LIMIT: u64 = 1 << 20;
/// The most files.
const FILES_LIMIT: usize = 2000;
/// The deepest folder.
const DEPTH_LIMIT: usize = 16;

/// What a project configures, to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// BLAKE3 over names, kinds and contents, in hexadecimal; the same for the same content.
    pub hash: String,
    /// What was found, sorted by path; nothing needs trust when this is empty.
    pub files: Vec<ConfigFile>,
}

/// One file of a project's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile {
    /// Relative to the project.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// BLAKE3 of its content (of its target for a link), in hexadecimal.
    pub hash: String,
}

/// Takes the fingerprint of the project at `dir`.
///
/// # Errors
/// [`Error::LinkLeaves`], [`Error::ConfigTooLarge`], or a file cannot be read.
pub fn fingerprint(dir: &Path) -> Result<Fingerprint> {
    let mut found = Vec::new();
    for name in WATCHED {
        visit(dir, Path::new(name), 0, &mut found)?;
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let mut whole = blake3::Hasher::new();
    whole.update(b"orchflow trust 1\0");
    for file in &found {
        // Lengths keep one list of files from spelling another.
        whole.update(&(file.path.len() as u64).to_le_bytes());
        whole.update(file.path.as_bytes());
        whole.update(&file.size.to_le_bytes());
        whole.update(file.hash.as_bytes());
    }
    Ok(Fingerprint { hash: whole.finalize().to_hex().to_string(), files: found })
}

/// The content of a file of the project at `dir`, when it is what `known` says: what is
/// hashed and what is answered are the same bytes, read once. None when it is another by now.
///
/// # Errors
/// As [`fingerprint`].
pub fn content(dir: &Path, known: &ConfigFile) -> Result<Option<Vec<u8>>> {
    let path = Path::new(&known.path);
    let meta = match dir.join(path).symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(unread(dir.join(path), source)),
    };
    if !meta.is_symlink() && !meta.is_file() {
        return Ok(None);
    }
    let (found, content) = take(dir, path, meta.is_symlink())?;
    Ok((found == *known).then_some(content))
}

fn visit(dir: &Path, path: &Path, depth: usize, found: &mut Vec<ConfigFile>) -> Result<()> {
    let full = dir.join(path);
    let meta = match full.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(unread(full, source)),
    };
    if PASSED_OVER.iter().any(|passed| path == Path::new(passed)) && !meta.is_symlink() {
        return Ok(());
    }
    let limit = |limit: String| Error::ConfigTooLarge { path: path.to_owned(), limit };
    if meta.is_dir() {
        if depth >= DEPTH_LIMIT {
            return Err(limit(format!("folders are read {DEPTH_LIMIT} deep")));
        }
        let entries = std::fs::read_dir(&full).map_err(|source| unread(full.clone(), source))?;
        for entry in entries {
            let entry = entry.map_err(|source| unread(full.clone(), source))?;
            visit(dir, &path.join(entry.file_name()), depth + 1, found)?;
        }
        return Ok(());
    }
    if found.len() >= FILES_LIMIT {
        return Err(limit(format!("at most {FILES_LIMIT} files are read")));
    }
    if meta.is_symlink() || meta.is_file() {
        found.push(take(dir, path, meta.is_symlink())?.0);
    }
    Ok(())
}

/// One file with its content, of one read.
fn take(dir: &Path, path: &Path, is_link: bool) -> Result<(ConfigFile, Vec<u8>)> {
    if is_link {
        return link(dir, path);
    }
    let content = read(&dir.join(path))?.ok_or_else(|| too_long(path))?;
    Ok((file(path, &content), content))
}

/// A link inside the project: what it says is hashed, and what it leads to must be inside.
/// Content that is not itself watched would escape the hash, so the target's is hashed, too.
fn link(dir: &Path, path: &Path) -> Result<(ConfigFile, Vec<u8>)> {
    let full = dir.join(path);
    let target = std::fs::read_link(&full).map_err(|source| unread(full.clone(), source))?;
    let root = dir.canonicalize().map_err(|source| unread(dir.to_owned(), source))?;
    let leaves = || Error::LinkLeaves { path: path.to_owned() };
    let real = full.canonicalize().map_err(|_| leaves())?;
    // A folder behind a link would have to be walked; no honest configuration needs one.
    if !real.starts_with(&root) || !real.is_file() {
        return Err(leaves());
    }
    let mut hashed = b"link\0".to_vec();
    hashed.extend(target.as_os_str().as_encoded_bytes());
    hashed.push(0);
    let behind = read(&real)?.ok_or_else(|| too_long(path))?;
    hashed.extend(&behind);
    Ok((file(path, &hashed), behind))
}

fn too_long(path: &Path) -> Error {
    let limit = format!("a file may have {FILE_LIMIT} bytes");
    Error::ConfigTooLarge { path: path.to_owned(), limit }
}

fn file(path: &Path, content: &[u8]) -> ConfigFile {
    ConfigFile {
        path: readable(path),
        size: content.len() as u64,
        hash: blake3::hash(content).to_hex().to_string(),
    }
}

/// The path as text; bytes that are not UTF-8 are escaped, so that two never look alike.
fn readable(path: &Path) -> String {
    path.to_str().map_or_else(|| format!("{path:?}"), str::to_owned)
}

/// The content, or none when it is longer than the limit.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let failed = |source| unread(path.to_owned(), source);
    let mut content = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_LIMIT + 1).read_to_end(&mut content).map_err(failed)?;
    Ok((content.len() as u64 <= FILE_LIMIT).then_some(content))
}

fn unread(path: PathBuf, source: std::io::Error) -> Error {
    Error::File { attempted: "read", path, source }
}
