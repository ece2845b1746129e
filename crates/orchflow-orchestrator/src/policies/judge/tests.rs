//! Ways around an allow-list that others fell for, and the rules that hold.

use super::*;
use crate::PolicyFile;

const POLICY: &str = r#"
[[rule]]
effect = "deny"
match = "git push --force *"
reason = "History of a shared branch is not rewritten."

[[rule]]
effect = "allow"
match = "git *"

[[rule]]
effect = "allow"
match = "cargo test *"

[[rule]]
effect = "allow"
match = "echo *"

[[rule]]
effect = "deny"
match = "rm -rf *"

[[rule]]
effect = "allow"
tool = "write"
match = "target/*"

[[rule]]
effect = "ask"
match = "git commit *"
"#;

fn decide(line: &str) -> Decision {
    said(line).decision
}

fn said(line: &str) -> PolicyAnswer {
    let rules = Rules::read(&[PolicyFile { name: "policy".into(), text: POLICY.into() }]).unwrap();
    judge(&rules, &Asked { line: Some(line.into()), ..Asked::default() })
}

#[test]
fn deny_beats_ask_beats_allow_and_silence_asks() {
    assert_eq!(decide("git status"), Decision::Allow);
    assert_eq!(decide("git commit -m x"), Decision::Ask);
    assert_eq!(decide("git push --force origin main"), Decision::Deny);
    assert_eq!(decide("git push --force"), Decision::Deny);
    assert_eq!(decide("curl example.org"), Decision::Ask);
}

#[test]
fn a_line_is_allowed_only_when_all_of_it_is() {
    for line in [
        "git status && git log",
        "git log | git status",
        "(git log; cargo test -q)",
        "{ git log; }",
    ] {
        assert_eq!(decide(line), Decision::Allow, "{line}");
    }
    for line in [
        "git status; curl x",
        "git log | sh",
        "git log\ncurl x",
        "git log & curl x",
        "echo $(curl x)",
        "echo `curl x`",
        "echo \"$(curl x)\"",
        "cat <(curl x)",
    ] {
        assert_eq!(decide(line), Decision::Ask, "{line}");
    }
}

#[test]
fn what_is_denied_is_denied_wherever_it_stands() {
    let hidden = [
        "git status; rm -rf /",
        "echo $(rm -rf /)",
        "echo \"`rm -rf /`\"",
        "if git log; then rm -rf /; fi",
        "for x in a b; do rm -rf $x; done",
        "while true; do rm -rf x; done",
        "case x in x) rm -rf y;; esac",
        "f() { rm -rf x; }; f",
        "sh -c 'rm -rf /'",
        "bash -lc \"git log; rm -rf /\"",
        "/bin/rm -rf /",
        "sudo rm -rf /",
        "env A=b rm -rf /",
        "timeout 5 rm -rf /",
        "command rm -rf /",
        "r\\m -rf /",
        "'rm' -rf /",
        "rm -r\"f\" /",
        "git log | xargs rm -rf",
        "A=1 rm -rf /",
    ];
    for line in hidden {
        assert_eq!(decide(line), Decision::Deny, "{line}");
    }
}

#[test]
fn what_runs_another_program_is_not_the_program_that_is_allowed() {
    let wrapped = [
        "env LD_PRELOAD=/tmp/x.so git status",
        "env PATH=/tmp git status",
        "sudo git status",
        "xargs git log",
        "timeout 5 cargo test",
    ];
    for line in wrapped {
        assert_eq!(decide(line), Decision::Ask, "{line}");
    }
    let hidden = [
        "env -u HOME rm -rf /",
        "nice -n 10 rm -rf /",
        "timeout -s KILL 5 rm -rf /",
        "env bash -c 'rm -rf /'",
        "sudo -u root sh -c 'git log; rm -rf /'",
    ];
    for line in hidden {
        assert_eq!(decide(line), Decision::Deny, "{line}");
    }
}

#[test]
fn what_only_running_tells_is_never_allowed_by_itself() {
    let unclear = [
        "$CMD status",
        "PATH=/tmp git status",
        "X=1; git status",
        "eval git status",
        "git() { curl x; }; git status",
        "echo ${x:-$(curl y)}",
        "git status > ~/.bashrc",
        "git status > target/../../x",
        "git status >$OUT",
        "git 'unfinished",
        "echo a\0b",
        ". ./script",
        "sh script.sh",
        "[[ -n $(curl x) ]]",
    ];
    for line in unclear {
        assert_ne!(decide(line), Decision::Allow, "{line}");
    }
    let many = vec!["git log"; 60].join("; ");
    assert_eq!(decide(&many), Decision::Ask);
}

#[test]
fn files_written_by_redirection_need_a_rule() {
    assert_eq!(decide("git log > /dev/null 2>&1"), Decision::Allow);
    assert_eq!(decide("git log > target/log"), Decision::Allow);
    assert_eq!(decide("git log > src/main.rs"), Decision::Ask);
    assert_eq!(decide("git log &> src/main.rs"), Decision::Ask);
}

#[test]
fn a_sibling_prefix_is_another_program() {
    assert_eq!(decide("gitx status"), Decision::Ask);
    assert_eq!(decide("/tmp/git status"), Decision::Ask);
    assert_eq!(decide("cargo testify"), Decision::Ask);
}

#[test]
fn the_answer_names_the_rule_the_reason_and_what_was_read() {
    let answer = said("cd x && git push --force origin main");
    assert_eq!(answer.rule.as_deref(), Some("policy:1"));
    assert_eq!(answer.reason, "History of a shared branch is not rewritten.");
    assert_eq!(answer.parsed, [vec!["cd", "x"], vec!["git", "push", "--force", "origin", "main"]]);
}
