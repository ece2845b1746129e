//! Policy files: rules with an effect, what they are about, and why.

use orchflow_types::policy::Decision;
use serde::Deserialize;

use crate::{Error, PolicyFile};

/// The rules of every file that counts, in order.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// `FILE:N`, the N-th rule of its file, from 1.
    pub(super) name: String,
    pub(super) effect: Decision,
    pub(super) tool: Tool,
    /// The pattern: words for commands, one glob for everything else.
    pub(super) words: Vec<String>,
    pub(super) agent: String,
    pub(super) reason: String,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tool {
    Command,
    Read,
    Write,
    Network,
    Mcp,
    Agent,
    #[serde(rename = "*")]
    Any,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    effect: Decision,
    #[serde(default = "any_tool")]
    tool: Tool,
    #[serde(rename = "match")]
    pattern: String,
    #[serde(default = "anybody")]
    agent: String,
    #[serde(default)]
    reason: String,
}

const fn any_tool() -> Tool {
    Tool::Command
}

fn anybody() -> String {
    "*".to_owned()
}

impl Rules {
    /// Reads policy files.
    ///
    /// # Errors
    /// When one is no TOML, or a rule has an unknown key or value; the error names file and line.
    pub(super) fn read(files: &[PolicyFile]) -> Result<Self, Error> {
        let mut rules = Vec::new();
        for file in files {
            let parsed: File = toml::from_str(&file.text).map_err(|error| Error::Policy {
                file: file.name.clone(),
                reason: error.to_string().trim().to_owned(),
            })?;
            for (place, written) in parsed.rule.into_iter().enumerate() {
                let name = format!("{}:{}", file.name, place + 1);
                if written.pattern.trim().is_empty() {
                    return Err(Error::Policy {
                        file: name,
                        reason: "`match` is empty; `*` matches everything".to_owned(),
                    });
                }
                rules.push(Rule {
                    name,
                    effect: written.effect,
                    tool: written.tool,
                    words: written.pattern.split_whitespace().map(str::to_owned).collect(),
                    agent: written.agent,
                    reason: written.reason,
                });
            }
        }
        Ok(Self(rules))
    }

    /// The rules about `tool` that name `agent`.
    pub(super) fn about<'r>(
        &'r self,
        tool: Tool,
        agent: &'r str,
    ) -> impl Iterator<Item = &'r Rule> {
        let about = move |rule: &&Rule| {
            (rule.tool == tool || rule.tool == Tool::Any) && glob(&rule.agent, agent)
        };
        self.0.iter().filter(about)
    }
}

/// Whether `text` is what `pattern` says; `*` stands for any characters, none included.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_for_none() {
        for (pattern, text) in [
            ("*", ""),
            ("a*", "a"),
            ("a*c", "abc"),
            ("*.rs", "x.rs"),
            ("a*b*c", "axxbyyc"),
            ("abc", "abc"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*c", "ab"), ("ab*ba", "aba"), ("", "x")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_rule_with_an_unknown_key_names_its_file_and_line() {
        let file = PolicyFile {
            name: "p.toml".into(),
            text: "[[rule]]\neffect = \"deny\"\nmatch = \"x\"\nwhen = 1\n".into(),
        };
        let error = Rules::read(&[file]).unwrap_err().to_string();
        assert!(
            error.contains("p.toml") && error.contains("line 4") && error.contains("when"),
            "{error}"
        );
    }
}
