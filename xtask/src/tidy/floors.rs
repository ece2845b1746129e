//! Floors: which crate may depend on which.

use std::path::Path;

use super::tree::Crate;
use super::{Fault, Tree};

/// A row of the table of floors. Names are without `orchflow-`.
struct Row {
    floor: u8,
    name: &'static str,
    may_use: &'static [&'static str],
}

const PAGE: &str = "ARCHITECTURE.md";
const DECIDE: &str = "Turn the edge round or go through the protocol. A new crate or edge needs a \
                      page in docs/decisions/, then a row in xtask/src/tidy/floors.rs and in \
                      ARCHITECTURE.md.";

const fn row(floor: u8, name: &'static str, may_use: &'static [&'static str]) -> Row {
    Row { floor, name, may_use }
}

/// The table. Crates that are not born yet have their row, so that their place is known.
const FLOORS: &[Row] = &[
    row(0, "types", &[]),
    row(1, "protocol", &["types"]),
    row(1, "workflow", &["types"]),
    row(1, "runtime", &["types"]),
    row(2, "client", &["types", "protocol", "runtime"]),
    row(2, "store", &["types", "runtime"]),
    row(2, "terminal", &["types", "runtime"]),
    row(2, "workspace", &["types", "runtime"]),
    row(2, "provider", &["types", "runtime"]),
    row(3, "plugin", &["types", "protocol", "runtime", "client", "store"]),
    row(3, "plugin-sdk", &["types", "protocol", "client"]),
    row(3, "agent", &["types", "protocol", "runtime", "client", "provider"]),
    row(3, "tui", &["types", "protocol", "client"]),
    row(
        4,
        "manager",
        &["types", "protocol", "runtime", "store", "terminal", "workspace", "plugin"],
    ),
    row(
        4,
        "orchestrator",
        &["types", "protocol", "runtime", "workflow", "store", "provider", "agent", "client"],
    ),
    row(
        5,
        "server",
        &["types", "protocol", "runtime", "client", "store", "manager", "orchestrator"],
    ),
    row(6, "orchflow", &["*"]),
];

/// Beside the floors: they serve development and are not shipped.
const BESIDE: [&str; 2] = ["orchflow-testkit", "xtask"];

/// Every crate is in the table, in its folder, and every edge goes where its row lets it.
pub(super) fn edges(tree: &Tree) -> Vec<Fault> {
    tree.crates.iter().flat_map(faults_of).collect()
}

fn faults_of(member: &Crate) -> Vec<Fault> {
    let manifest = member.dir.join("Cargo.toml");
    let fault = |what: String| Fault::new(&manifest, 1, what, DECIDE);
    let mut faults = Vec::new();
    if member.name != "xtask" && member.dir != Path::new("crates").join(&member.name) {
        faults.push(fault(format!("{} does not live in crates/{0}", member.name)));
    }
    if member.name == "orchflow-testkit" {
        return faults;
    }
    let row = FLOORS.iter().find(|row| full(row.name) == member.name);
    if row.is_none() && !BESIDE.contains(&member.name.as_str()) {
        faults.push(fault(format!("the crate {} is not in the table of floors", member.name)));
        return faults;
    }
    for edge in member.edges.iter().filter(|edge| !edge.dev) {
        let listed = FLOORS.iter().any(|row| full(row.name) == edge.to);
        let allowed = row.is_some_and(|row| {
            row.may_use.iter().any(|name| (*name == "*" && listed) || full(name) == edge.to)
        });
        if !allowed {
            faults.push(fault(format!("{} depends on {}", member.name, edge.to)));
        }
    }
    faults
}

fn full(name: &str) -> String {
    if name == "orchflow" { name.to_owned() } else { format!("orchflow-{name}") }
}

/// The table in ARCHITECTURE.md says what the table here says, for every crate there is.
pub(super) fn page(tree: &Tree) -> Vec<Fault> {
    if tree.crates.is_empty() {
        return Vec::new();
    }
    let mend = "Write the row as: | floor | crate | what it is | may depend on |, the last column \
                as in xtask/src/tidy/floors.rs.";
    let Some(page) = tree.file(PAGE) else {
        return vec![Fault::new(PAGE, 1, "there is no ARCHITECTURE.md", mend)];
    };
    let mut faults = Vec::new();
    for row in FLOORS.iter().filter(|row| tree.crates.iter().any(|c| c.name == full(row.name))) {
        let expected = if row.may_use == ["*"] {
            "all of them".to_owned()
        } else if row.may_use.is_empty() {
            "–".to_owned()
        } else {
            row.may_use.join(", ")
        };
        let begin = format!("| {} | {} |", row.floor, row.name);
        let line = page.text.lines().enumerate().find(|(_, line)| line.starts_with(&begin));
        match line {
            None => faults.push(Fault::new(PAGE, 1, format!("no row begins `{begin}`"), mend)),
            Some((index, line)) => {
                let told = line.trim_end().trim_end_matches('|').rsplit('|').next();
                if told.map(str::trim) != Some(expected.as_str()) {
                    let what = format!("the row of {} should end `| {expected} |`", row.name);
                    faults.push(Fault::new(PAGE, index + 1, what, mend));
                }
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::tree::Edge;
    use super::*;

    #[test]
    fn an_upward_edge_an_edge_on_the_same_floor_and_an_unknown_crate_are_found() {
        let tree = Tree::default()
            .with_crate("orchflow-types", &["orchflow-store"])
            .with_crate("orchflow-client", &["orchflow-store"])
            .with_crate("orchflow-extras", &[]);
        let what: Vec<_> = edges(&tree).into_iter().map(|fault| fault.what).collect();
        assert_eq!(
            what,
            [
                "orchflow-types depends on orchflow-store",
                "orchflow-client depends on orchflow-store",
                "the crate orchflow-extras is not in the table of floors",
            ]
        );
    }

    #[test]
    fn edges_of_the_table_and_edges_of_tests_pass() {
        let mut tree = Tree::default()
            .with_crate("orchflow-store", &["orchflow-types", "orchflow-runtime"])
            .with_crate("orchflow", &["orchflow-server", "orchflow-store"])
            .with_crate("orchflow-testkit", &["orchflow-client"]);
        tree.crates[0].edges.push(Edge { to: "orchflow-testkit".to_owned(), dev: true });
        assert_eq!(edges(&tree), []);
    }

    #[test]
    fn the_testkit_is_never_shipped() {
        let tree = Tree::default().with_crate("orchflow", &["orchflow-testkit"]);
        assert_eq!(edges(&tree)[0].what, "orchflow depends on orchflow-testkit");
    }

    #[test]
    fn a_crate_in_another_folder_than_its_own_is_found() {
        let mut tree = Tree::default().with_crate("orchflow-types", &[]);
        tree.crates[0].dir = "crates/words".into();
        assert_eq!(edges(&tree).len(), 1);
    }

    #[test]
    fn a_row_of_the_page_that_says_something_else_is_found() {
        let page = "| 0 | types | words | – |\n| 2 | store | rows | types, client |\n";
        let tree = Tree::of(&[(PAGE, page)])
            .with_crate("orchflow-types", &[])
            .with_crate("orchflow-store", &[])
            .with_crate("orchflow-client", &[]);
        let found = super::page(&tree);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1].line, 2);
        assert!(found[0].what.contains("| 2 | client |"), "{found:?}");
    }
}
