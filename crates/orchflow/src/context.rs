//! What every command has at hand: the places, how to talk, the daemon.

use std::path::{Path, PathBuf};

use orchflow_client::{Client, Error};
use orchflow_types::ErrorKind;

use crate::connect;
use crate::output::Output;
use crate::places::{Places, absolute};
use crate::stop::Stop;

/// What every command has at hand.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Where things are.
    pub places: Places,
    /// How this command talks.
    pub out: Output,
    /// The folder given by `--dir`, or the one the command was called in; absolute.
    pub dir: PathBuf,
}

impl Context {
    /// The context of this process.
    ///
    /// # Errors
    /// When there is no home, or the folder is not there.
    pub(crate) fn of_process(json: bool, dir: Option<PathBuf>) -> Result<Self, Stop> {
        let places = Places::find()?;
        let dir = match dir {
            Some(given) => existing(&given)?,
            None => std::env::current_dir().map_err(|error| {
                Stop::new(ErrorKind::File, format!("the current folder is not there: {error}"))
            })?,
        };
        Ok(Self { places, out: Output::of_process(json), dir })
    }

    /// The daemon, started when none runs.
    ///
    /// # Errors
    /// What a daemon that could not start said.
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        Ok(connect::daemon(&self.places, None).await?.0)
    }

    /// The folder as methods take it.
    ///
    /// # Errors
    /// When its name is no UTF-8, which JSON cannot carry.
    pub(crate) fn dir_text(&self) -> Result<String, Stop> {
        text(&self.dir)
    }
}

/// A path as methods take it.
///
/// # Errors
/// When it is no UTF-8, which JSON cannot carry.
pub(crate) fn text(path: &Path) -> Result<String, Stop> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Stop::usage(format!("the path {} is no UTF-8", path.display())))
}

/// A folder that is there, absolute.
///
/// # Errors
/// When it is not there or no folder.
pub(crate) fn existing(dir: &Path) -> Result<PathBuf, Stop> {
    let dir = absolute(dir.to_owned());
    if dir.is_dir() {
        return Ok(dir);
    }
    let text = if dir.exists() {
        format!("{} is no folder", dir.display())
    } else {
        format!("there is no folder {}", dir.display())
    };
    let nearest = dir.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
    let hint = format!("name a folder that is there; the nearest one is {}", nearest.display());
    Err(Stop::new(ErrorKind::NotFound, text).hint(hint))
}
