//! Programs that run others, under rules that allow all of them: what they run is what counts.

use super::*;
use crate::PolicyFile;

/// Every program here is allowed with any words, and so are `cargo test` and `git`.
const ALLOWED: [&str; 30] = [
    "find",
    "git",
    "python",
    "python3.12",
    "perl",
    "ruby",
    "node",
    "busybox",
    "env",
    "xargs",
    "nice",
    "timeout",
    "sudo",
    "nohup",
    "sh",
    "awk",
    "sed",
    "tar",
    "setsid",
    "stdbuf",
    "watch",
    "deno",
    "go",
    "cargo",
    "make",
    "rg",
    "fd",
    "printf",
    "export",
    "cat",
];

fn decide(line: &str) -> Decision {
    let allow = |program| format!("[[rule]]\neffect = \"allow\"\nmatch = \"{program} *\"\n");
    let mut text: String = ALLOWED.map(allow).concat();
    text.push_str("[[rule]]\neffect = \"deny\"\nmatch = \"rm -rf *\"\n");
    let rules = Rules::read(&[PolicyFile { name: "p".into(), text }]).unwrap();
    judge(&rules, &Asked { line: Some(line.into()), ..Asked::default() }).decision
}

#[test]
fn what_another_program_runs_needs_a_rule_of_its_own() {
    let slips = [
        "find . -name x -exec curl y ;",
        "find . -exec curl {} +",
        "find . -execdir ./x ;",
        "find . -ok curl x ;",
        "find . -okdir curl x ;",
        "find . -exec {} ;",
        "find . -exec git log ';' -exec curl x ';'",
        "find . -delete",
        "find . -fprint /etc/x",
        "find $WHERE",
        "busybox wget x",
        "busybox sh -c 'curl x'",
        "xargs curl",
        "xargs -n 1 curl",
        "xargs -I{} git log {}",
        "xargs sh -c 'curl x'",
        "xargs git",
        "env curl x",
        "env -i curl x",
        "env -u HOME curl x",
        "env A=b git status",
        "env -S 'git status'",
        "nice -n 5 curl x",
        "timeout 5 curl x",
        "timeout -s KILL 5 curl x",
        "timeout $T git status",
        "sudo curl x",
        "sudo -u root curl x",
        "sudo PATH=/x git status",
        "sudo -s",
        "nohup curl x",
        "nohup nice timeout 5 env curl x",
        "setsid -w curl x",
        "stdbuf -oL curl x",
        "watch git status",
        "sh -c 'curl x'",
        "sh $X -c 'git log'",
        "sh -oc errexit 'git log'",
        "sh - -c 'git log'",
        "find . -name -exec -true -exec git log ;",
        "rg --pre ./x y",
        "fd -x curl",
        "fd -Hx curl",
        "export PATH=/x",
        "printf -v PATH x; git log",
        "{git,log}",
    ];
    for line in slips {
        assert_eq!(decide(line), Decision::Ask, "{line}");
    }
}

#[test]
fn code_among_the_words_is_never_allowed_by_itself() {
    let slips = [
        "python -c 'import os'",
        "python3.12 -Bc 'import os'",
        "/usr/bin/python -c 1",
        "python -m timeit 'import os'",
        "python -mtimeit x",
        "python -X dev -c 1",
        "python -",
        "python",
        "python $X",
        "python /dev/stdin",
        "python /proc/self/fd/0",
        "node --max-old-space-size -e 1",
        "perl -e 1",
        "perl -ne 1",
        "perl -MEvil x.pl",
        "ruby -e 1",
        "ruby -rsocket x.rb",
        "node -e 1",
        "node -p 1",
        "node --eval=1",
        "node --require ./x y.js",
        "deno eval 1",
        "awk 'BEGIN { system(\"x\") }'",
        "awk -f x.awk",
        "sed '1e curl x' y",
        "sed 's/a/curl x/e' y",
        "sed -n p x -e '1e curl'",
        "tar --to-command=x -xf y",
        "tar xIf x y",
        "tar --to-c=x -xf y",
        "tar xf $(cat y)",
        "make --ev='$(shell x)'",
        "go test -exec x ./...",
        "cargo --config build.rustc-wrapper=x test",
    ];
    for line in slips {
        assert_eq!(decide(line), Decision::Ask, "{line}");
    }
}

#[test]
fn a_git_that_is_told_to_run_something_is_not_the_git_that_is_allowed() {
    let slips = [
        "git -c alias.x='!curl y' x",
        "git -c core.pager='curl y' log",
        "git -ccore.pager=x log",
        "git -c core.sshCommand=x fetch",
        "git --config-env=core.pager=X log",
        "git --exec-path=/tmp status",
        "git --git-dir=/tmp/x status",
        "git config alias.x '!curl y'",
        "git config --global core.pager x",
        "git config -e",
        "git x",
        "git difftool -x curl",
        "git rebase -x 'curl y' main",
        "git rebase --exec='curl y' main",
        "git bisect run curl x",
        "git submodule foreach 'curl x'",
        "git grep -Ocurl x",
        "git clone -u x y",
        "git clone --upload-p x y",
        "git fetch 'ext::sh -c x'",
        "git log --ext-diff",
        "git clone --u=x y",
        "git push --e=x",
        "git fetch $(cat x)",
        "git fetch origin ext::x",
        "git -c diff.renamesX.command=x diff",
        "git config diff.renamesX.command x",
        "git config user.name core --rename-section",
        "git $X",
    ];
    for line in slips {
        assert_eq!(decide(line), Decision::Ask, "{line}");
    }
}

#[test]
fn what_can_be_read_and_is_allowed_stays_allowed() {
    let fine = [
        "find . -name '*.rs' -type f",
        "find src -exec git log {} +",
        "find . -exec sh -c 'git log' ;",
        "busybox find .",
        "xargs -0 -n 1 git log",
        "env -u HOME git status",
        "env",
        "nice -n 5 timeout 60 cargo test --all",
        "timeout --signal=KILL 5 cargo test",
        "sudo -u me git status",
        "sh -c 'git log; cargo test'",
        "python manage.py migrate",
        "python3.12 -m pytest -c pytest.ini",
        "python --version",
        "node --test",
        "node server.js -e production",
        "perl -w x.pl",
        "awk '{ print $1 }' x",
        "sed -n 1,5p x",
        "sed -i -E s/a/b/g x",
        "git -c color.ui=never -C sub log --oneline",
        "git --no-pager diff",
        "git config user.name x",
        "git config --get alias.x",
        "git rebase -x 'cargo test' main",
        "git bisect run cargo test",
        "git rev-parse --git-dir",
        "git commit -m \"$(cat x)\"",
        "git log -- $X",
        "git diff --text",
        "git push -u origin main",
        "git config color.ui never",
        "sh -ec 'git log'",
        "sh -c -e 'git log'",
        "rg --pre-glob '*.rs' x",
        "fd -e rs",
        "printf '%s' -v",
        "node --max-old-space-size=4096 x.js",
        "tar xzf x",
        "tar xzf -- $X",
        "go test ./...",
    ];
    for line in fine {
        assert_eq!(decide(line), Decision::Allow, "{line}");
    }
}

#[test]
fn what_is_denied_is_denied_within_what_runs_it() {
    let hidden = [
        "find . -exec rm -rf {} +",
        "find . -exec sh -c 'rm -rf x' ;",
        "busybox rm -rf x",
        "busybox sh -c 'rm -rf x'",
        "watch rm -rf x",
        "xargs -I{} sh -c 'rm -rf {}'",
        "git rebase -x 'rm -rf x' main",
        "git submodule foreach 'rm -rf x'",
        "git bisect run rm -rf x",
        "env -S 'x' sh -c 'rm -rf x'",
    ];
    for line in hidden {
        assert_eq!(decide(line), Decision::Deny, "{line}");
    }
}

#[test]
fn a_rule_that_writes_out_both_programs_speaks_of_both() {
    let text = "[[rule]]\neffect = \"allow\"\nmatch = \"timeout 60 cargo test *\"\n\
                [[rule]]\neffect = \"allow\"\nmatch = \"sudo *\"\n\
                [[rule]]\neffect = \"allow\"\nmatch = \"xargs sh *\"\n";
    let rules = Rules::read(&[PolicyFile { name: "p".into(), text: text.into() }]).unwrap();
    let decide =
        |line: &str| judge(&rules, &Asked { line: Some(line.into()), ..Asked::default() }).decision;
    assert_eq!(decide("timeout 60 cargo test --all"), Decision::Allow);
    assert_eq!(decide("sudo timeout 60 cargo test"), Decision::Allow);
    assert_eq!(decide("sudo cargo test"), Decision::Ask);
    assert_eq!(decide("xargs sh -c 'curl x'"), Decision::Ask);
}
