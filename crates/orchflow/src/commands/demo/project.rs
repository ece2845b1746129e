//! The demo's project: a few lines of Python with a failing test, in a git repository.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use orchflow_client::Error;
use orchflow_runtime::process::{self, Spec};
use orchflow_types::ErrorKind;

/// The file with the bug.
pub(super) const SOURCE: &str = "words.py";

const FILES: [(&str, &str); 4] = [
    (
        "README.md",
        "# words\n\nCounts words. `python3 -m unittest` runs its tests; one of them fails.\n",
    ),
    (
        SOURCE,
        "\"\"\"Counts words.\"\"\"\n\n\n\
         def counts(text):\n\
         \x20   \"\"\"How often each word of the text comes, in lower case.\"\"\"\n\
         \x20   result = {}\n\
         \x20   for word in text.lower().split():\n\
         \x20       result[word] = result.get(word, 0) + 1\n\
         \x20   return result\n\n\n\
         def most_common(text):\n\
         \x20   \"\"\"The word that comes most often.\"\"\"\n\
         \x20   found = counts(text)\n\
         \x20   return min(found, key=found.get)\n",
    ),
    (
        "test_words.py",
        "import unittest\n\n\
         from words import counts, most_common\n\n\n\
         class Words(unittest.TestCase):\n\
         \x20   def test_counts_without_regard_to_case(self):\n\
         \x20       self.assertEqual(counts(\"a B b\"), {\"a\": 1, \"b\": 2})\n\n\
         \x20   def test_finds_the_most_common_word(self):\n\
         \x20       self.assertEqual(most_common(\"to be or not to be to\"), \"to\")\n\n\n\
         if __name__ == \"__main__\":\n\
         \x20   unittest.main()\n",
    ),
    (".gitignore", "__pycache__/\n"),
];

/// Writes the project into `dir`, which is empty or not there, and commits it.
pub(super) async fn unpack(dir: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(|error| cannot(dir, &error))?;
    for (name, text) in FILES {
        std::fs::write(dir.join(name), text).map_err(|error| cannot(&dir.join(name), &error))?;
    }
    git(dir, &["init", "--quiet", "--initial-branch", "main"]).await?;
    // The repository has to commit on machines where nobody told git who they are.
    git(dir, &["config", "user.name", "orchflow demo"]).await?;
    git(dir, &["config", "user.email", "demo@localhost"]).await?;
    git(dir, &["add", "--all"]).await?;
    git(dir, &["commit", "--quiet", "--message", "Count words"]).await.map(drop)
}

/// Whether `dir` holds the project already, changed by hand or not.
pub(super) fn is_unpacked(dir: &Path) -> bool {
    dir.join(SOURCE).is_file() && dir.join(".git").is_dir()
}

/// Whether there is nothing in `dir`, or no `dir`.
pub(super) fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).map_or(true, |mut entries| entries.next().is_none())
}

/// What git prints of the project.
pub(super) async fn git(dir: &Path, words: &[&str]) -> Result<String, Error> {
    let argv = std::iter::once("git").chain(words.iter().copied()).map(OsString::from);
    let output = process::output(&Spec::new(argv, dir), 1 << 20, Duration::from_secs(30)).await?;
    if output.status.success() {
        Ok(output.text())
    } else {
        let text = format!("`git {}` in the demo failed: {}", words.join(" "), output.error_text());
        Err(Error::new(ErrorKind::Git, text))
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::File, format!("cannot write {}: {error}", path.display()))
}
