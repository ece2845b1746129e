//! How a command ends when it does not simply end: with an error, or with a code alone.

use orchflow_client::Error;
use orchflow_types::ErrorKind;

/// Why a command ends early, or not with 0.
#[derive(Debug)]
pub(crate) enum Stop {
    /// With an error that is still to be told.
    Error(Box<Error>),
    /// With this exit code; everything was told already.
    Code(u8),
}

/// What a command answers: done, or how it ended instead.
pub(crate) type Ended = Result<(), Stop>;

/// The exit code of what Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

impl Stop {
    /// An error of the command's own.
    pub(crate) fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Error::new(kind, message).into()
    }

    /// The same with the one next thing to do.
    #[must_use]
    pub(crate) fn hint(self, hint: impl AsRef<str>) -> Self {
        match self {
            Self::Error(error) => error.hint(hint).into(),
            code @ Self::Code(_) => code,
        }
    }

    /// Words of the command line that do not go together.
    pub(crate) fn usage(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::InvalidParams, message)
    }

    /// A file that could not be read or written.
    #[must_use]
    pub(crate) fn file(attempt: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(ErrorKind::File, format!("cannot {attempt} {}: {error}", path.display()))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<crate::places::Error> for Stop {
    fn from(error: crate::places::Error) -> Self {
        Error::explain(&error).into()
    }
}

impl From<crate::settings::Error> for Stop {
    fn from(error: crate::settings::Error) -> Self {
        Error::explain(&error).into()
    }
}

impl From<orchflow_types::id::ParseIdError> for Stop {
    fn from(error: orchflow_types::id::ParseIdError) -> Self {
        Self::usage(error.to_string())
    }
}
