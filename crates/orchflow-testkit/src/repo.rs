//! Small repositories as a user has them: real git, real tests that pass or fail.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use orchflow_runtime::process::{self, Spec};
use tempfile::TempDir;

/// The longest a git command may take.
const GIT: Duration = Duration::from_secs(60);

/// A git repository in a folder that goes away.
#[derive(Debug)]
pub struct Repo(TempDir);

impl Repo {
    /// A repository on branch `main` without a commit.
    ///
    /// # Errors
    /// When git refuses.
    pub async fn empty() -> anyhow::Result<Self> {
        let repo = Self(TempDir::with_prefix("orchflow-repo-")?);
        repo.git(&["init", "-q", "-b", "main"]).await?;
        repo.git(&["config", "user.name", "Ada"]).await?;
        repo.git(&["config", "user.email", "ada@example.org"]).await?;
        Ok(repo)
    }

    /// A Python project with `unittest` tests: `calc.py` adds and multiplies; with `green`
    /// off its `add` is wrong, so that one of its two tests fails.
    ///
    /// # Errors
    /// When git refuses.
    pub async fn python(green: bool) -> anyhow::Result<Self> {
        let repo = Self::empty().await?;
        let sign = if green { '+' } else { '-' };
        repo.write(
            "calc.py",
            &format!(
                "def add(a, b):\n    return a {sign} b\n\n\ndef multiply(a, b):\n    return a * b\n"
            ),
        )?;
        repo.write("tests/__init__.py", "")?;
        repo.write(
            "tests/test_calc.py",
            "import unittest\n\nfrom calc import add, multiply\n\n\n\
             class TestCalc(unittest.TestCase):\n    def test_add(self):\n        \
             self.assertEqual(add(2, 3), 5)\n\n    def test_multiply(self):\n        \
             self.assertEqual(multiply(2, 3), 6)\n\n\nif __name__ == \"__main__\":\n    unittest.main()\n",
        )?;
        repo.write(".gitignore", "__pycache__/\n")?;
        repo.write("pyproject.toml", "[project]\nname = \"calc\"\nversion = \"0.1.0\"\n")?;
        repo.commit("Begin").await?;
        Ok(repo)
    }

    /// A project of shell scripts, tested by `npm test`, which runs `sh test.sh`; with
    /// `green` off the test fails.
    ///
    /// # Errors
    /// When git refuses.
    pub async fn shell(green: bool) -> anyhow::Result<Self> {
        let repo = Self::empty().await?;
        let word = if green { "hello" } else { "goodbye" };
        repo.write("greet.sh", &format!("#!/bin/sh\necho {word}\n"))?;
        repo.write(
            "test.sh",
            "#!/bin/sh\n[ \"$(sh greet.sh)\" = hello ] || { echo 'not ok'; exit 1; }\necho ok\n",
        )?;
        repo.write(
            "package.json",
            "{\n  \"name\": \"greet\",\n  \"version\": \"0.1.0\",\n  \"scripts\": { \"test\": \"sh test.sh\" }\n}\n",
        )?;
        repo.commit("Begin").await?;
        Ok(repo)
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders above it.
    ///
    /// # Errors
    /// When it cannot.
    pub fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(self.path()))?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads a file; none when it is not there.
    #[must_use]
    pub fn read(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.path().join(file)).ok()
    }

    /// Commits everything, and answers the commit.
    ///
    /// # Errors
    /// When git refuses.
    pub async fn commit(&self, message: &str) -> anyhow::Result<String> {
        self.git(&["add", "-A"]).await?;
        self.git(&["commit", "-q", "--no-gpg-sign", "-m", message]).await?;
        self.head().await
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// When there is none.
    pub async fn head(&self) -> anyhow::Result<String> {
        self.git(&["rev-parse", "HEAD"]).await
    }

    /// Runs git, and answers what it printed.
    ///
    /// # Errors
    /// When it does not end with 0.
    pub async fn git(&self, args: &[&str]) -> anyhow::Result<String> {
        let spec = Spec::new([&["git"], args].concat(), self.path());
        let output = process::output(&spec, 16 * 1024 * 1024, GIT).await?;
        ensure!(output.status.success(), "git {}: {}", args.join(" "), output.error_text());
        Ok(output.text())
    }

    /// Everything of a user's checkout that a run may not change: branch, HEAD, index,
    /// status with untracked files, stash, operation under way.
    ///
    /// # Errors
    /// When git refuses.
    pub async fn fingerprint(&self) -> anyhow::Result<String> {
        let mut seen = Vec::new();
        for args in [
            &["rev-parse", "--symbolic-full-name", "HEAD"][..],
            &["rev-parse", "HEAD"],
            &["ls-files", "--stage"],
            &["status", "--porcelain=v2", "--untracked-files=all"],
            &["stash", "list"],
            &["diff"],
        ] {
            seen.push(self.git(args).await?);
        }
        for under_way in ["MERGE_HEAD", "CHERRY_PICK_HEAD", "rebase-merge", "rebase-apply"] {
            seen.push(format!(
                "{under_way}: {}",
                self.path().join(".git").join(under_way).exists()
            ));
        }
        Ok(seen.join("\n--\n"))
    }
}
