//! Agents as small shell scripts: what coding agents do well, and what they do badly.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of scripted agents.
#[derive(Debug)]
pub struct Scripts(TempDir);

/// One scripted agent: a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    name: String,
    path: PathBuf,
}

impl Script {
    /// Its name in configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The program.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its table for `config.toml`; it gets the prompt as its one argument.
    #[must_use]
    pub fn config(&self) -> String {
        let (name, path) = (&self.name, self.path.display());
        format!("[agents.{name}]\nkind = \"command\"\ncommand = [\"{path}\", \"{{prompt}}\"]\n")
    }
}

impl Scripts {
    /// An empty folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> std::io::Result<Self> {
        TempDir::with_prefix("orchflow-agents-").map(Self)
    }

    /// The folder; what scripts keep of their own may lie in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// An agent that runs this shell script; `$1` is the prompt, the folder its worktree.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn script(&self, name: &str, script: &str) -> std::io::Result<Script> {
        let path = self.0.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(Script { name: name.to_owned(), path })
    }

    /// Writes `text` to `file` and says so.
    ///
    /// # Errors
    /// As [`Scripts::script`].
    pub fn edits(&self, name: &str, file: &str, text: &str) -> std::io::Result<Script> {
        let (file, text) = (quoted(file), quoted(text));
        self.script(
            name,
            &format!(
                "mkdir -p \"$(dirname {file})\"\nprintf %s {text} > {file}\necho edited {file}"
            ),
        )
    }

    /// Writes each `text` in turn, one a call: the first round may be wrong and the second
    /// mend it. Past the last it writes the last again.
    ///
    /// # Errors
    /// As [`Scripts::script`].
    pub fn edits_in_turn(&self, name: &str, file: &str, texts: &[&str]) -> std::io::Result<Script> {
        let count = quoted(&self.0.path().join(format!("{name}.count")).display().to_string());
        let mut script =
            format!("n=$(cat {count} 2>/dev/null || echo 0)\necho $((n + 1)) > {count}\n");
        script.push_str("case $n in\n");
        for (at, text) in texts.iter().enumerate() {
            let pattern = if at + 1 == texts.len() { "*".to_owned() } else { at.to_string() };
            script.push_str(&format!(
                "{pattern}) printf %s {} > {} ;;\n",
                quoted(text),
                quoted(file)
            ));
        }
        script.push_str("esac\necho edited");
        self.script(name, &script)
    }

    /// An auditor that answers this JSON, among words of its own.
    ///
    /// # Errors
    /// As [`Scripts::script`].
    pub fn audits(&self, name: &str, json: &str) -> std::io::Result<Script> {
        self.script(name, &format!("echo I have read the change.\nprintf '%s\\n' {}", quoted(json)))
    }

    /// Says one line and then nothing, for ever.
    ///
    /// # Errors
    /// As [`Scripts::script`].
    pub fn hangs(&self, name: &str) -> std::io::Result<Script> {
        self.script(name, "echo thinking\nexec sleep 86400")
    }

    /// Hangs, and does not end when it is asked to; nor does the child it has put elsewhere.
    ///
    /// # Errors
    /// As [`Scripts::script`].
    pub fn ignores_term(&self, name: &str) -> std::io::Result<Script> {
        let script = "trap '' TERM HUP INT\nsetsid sh -c \"trap '' TERM HUP INT; sleep 86400\" &\n\
                      echo started\nwhile :; do sleep 1; done";
        self.script(name, script)
    }

    /// Changes a file and then deletes its own worktree.
    ///
    /// # Errors
    /// As [`Scripts::script`].
    pub fn deletes_its_worktree(&self, name: &str) -> std::io::Result<Script> {
        self.script(name, "here=$PWD\necho work > precious.txt\ncd /\nrm -rf \"$here\"\necho gone")
    }

    /// Prints a megabyte that is no text, without one line end, and changes nothing.
    ///
    /// # Errors
    /// As [`Scripts::script`].
    pub fn prints_garbage(&self, name: &str) -> std::io::Result<Script> {
        self.script(name, "head -c 1000000 /dev/urandom | tr -d '\\n'")
    }

    /// Ends with this code and a word of complaint.
    ///
    /// # Errors
    /// As [`Scripts::script`].
    pub fn fails(&self, name: &str, code: u8) -> std::io::Result<Script> {
        self.script(name, &format!("echo 'I cannot do that' >&2\nexit {code}"))
    }
}

/// A word as `sh` reads it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
