//! Tokens of the TCP doors: 256 random bits with an access level, kept in a 0600 file.
//!
//! The file holds one token a line: `LEVEL_` and 64 hexadecimal digits, such as
//! `admin_5f0c…`. The first is written when there is no file; a person may add lines of
//! other levels. Tokens are compared in constant time and never logged.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orchflow_protocol::Access;
use orchflow_runtime::{CancellationToken, ids};
use subtle::ConstantTimeEq;

use crate::Error;

/// Digits of a secret: 256 bits.
const DIGITS: usize = 64;
/// More than a token file ever holds.
const LARGEST_FILE: u64 = 64 * 1024;

/// The tokens a door takes. Cheap to clone; clones are the same tokens.
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

struct Shared {
    path: PathBuf,
    tokens: Mutex<Vec<Token>>,
}

struct Token {
    text: String,
    access: Access,
    revoked: CancellationToken,
}

/// What a right token gives.
#[derive(Debug, Clone)]
pub struct Grant {
    /// What its bearer may do.
    pub access: Access,
    /// Cancelled when the token is rotated: sessions that began with it end.
    pub revoked: CancellationToken,
}

impl Tokens {
    /// Reads the token file, or writes one with a token of `admin` access.
    ///
    /// # Errors
    /// [`Error::Exposed`] when other users may read the file or own it, [`Error::NoToken`]
    /// when a line is none, [`Error::TokenFile`] for what the system says.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let tokens = match read(path)? {
            Some(text) => parse(path, &text)?,
            None => {
                let tokens = vec![Token::mint(Access::Admin)];
                write(path, &tokens)?;
                tokens
            }
        };
        Ok(Self(Arc::new(Shared { path: path.to_owned(), tokens: Mutex::new(tokens) })))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// What a token gives, if it is one. Takes as long for a near miss as for a far one.
    #[must_use]
    pub fn check(&self, presented: &[u8]) -> Option<Grant> {
        let mut found = None;
        for token in self.tokens().iter() {
            if bool::from(token.text.as_bytes().ct_eq(presented)) {
                found = Some(Grant { access: token.access, revoked: token.revoked.clone() });
            }
        }
        found
    }

    /// Gives every token another secret and writes the file. Sessions of the old ones end.
    ///
    /// # Errors
    /// [`Error::TokenFile`]; the old tokens then stay as they are.
    pub fn rotate(&self) -> Result<(), Error> {
        let mut tokens = self.tokens();
        let fresh: Vec<_> = tokens.iter().map(|token| Token::mint(token.access)).collect();
        write(&self.0.path, &fresh)?;
        let old = std::mem::replace(&mut *tokens, fresh);
        drop(tokens);
        old.iter().for_each(|token| token.revoked.cancel());
        Ok(())
    }

    fn tokens(&self) -> MutexGuard<'_, Vec<Token>> {
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl Token {
    fn mint(access: Access) -> Self {
        Self::new(format!("{access}_{}", ids::secret()), access)
    }

    fn new(text: String, access: Access) -> Self {
        Self { text, access, revoked: CancellationToken::new() }
    }

    fn parse(line: &str) -> Option<Self> {
        const LEVELS: [Access; 4] = [Access::Read, Access::Run, Access::Approve, Access::Admin];
        let (level, digits) = line.split_once('_')?;
        let access = LEVELS.into_iter().find(|access| access.to_string() == level)?;
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let whole = digits.len() == DIGITS && digits.bytes().all(lower_hex);
        whole.then(|| Self::new(line.to_owned(), access))
    }
}

fn parse(path: &Path, text: &str) -> Result<Vec<Token>, Error> {
    let no_token = |line| Error::NoToken { path: path.to_owned(), line };
    let mut tokens = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        tokens.push(Token::parse(line.trim()).ok_or_else(|| no_token(at + 1))?);
    }
    if tokens.is_empty() { Err(no_token(1)) } else { Ok(tokens) }
}

/// What the file holds; none when there is none. It is judged as it was opened, so that
/// nothing can be put in its place in between.
fn read(path: &Path) -> Result<Option<String>, Error> {
    let failed = |source| Error::TokenFile { attempted: "read", path: path.to_owned(), source };
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).expect("open flags of the kernel fit an int");
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let meta = file.metadata().map_err(failed)?;
    let ours = meta.uid() == rustix::process::geteuid().as_raw();
    if meta.mode() & 0o077 != 0 || !ours {
        let (mode, owner) = (meta.mode() & 0o7777, meta.uid());
        return Err(Error::Exposed { path: path.to_owned(), mode, owner });
    }
    let mut text = String::new();
    file.take(LARGEST_FILE).read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text))
}

/// Writes the file whole or not at all.
fn write(path: &Path, tokens: &[Token]) -> Result<(), Error> {
    let failed = |source| Error::TokenFile { attempted: "write", path: path.to_owned(), source };
    let lines: String = tokens.iter().map(|token| format!("{}\n", token.text)).collect();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let _ = fs::remove_file(&fresh); // left by a write that was interrupted
    let save = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    save().map_err(failed)
}
