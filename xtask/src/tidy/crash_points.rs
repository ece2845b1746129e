//! Crash points: the list that tests walk through and the code agree.

use super::tree::File;
use super::{Fault, Tree};

const LIST: &str = "crates/orchflow-runtime/src/crash.rs";
const MEND: &str = "List each crash point once in POINTS, crates/orchflow-runtime/src/crash.rs, \
                    and take out those that are gone.";

/// Every `crash_point!` of the code stands once in `POINTS`, and every point is in the code.
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let used: Vec<_> = tree
        .rust()
        .filter(|file| file.path.starts_with("crates") && !file.is_test())
        .flat_map(|file| used_in(file).into_iter().map(move |(line, name)| (file, line, name)))
        .collect();
    let Some(points) = tree.file(LIST).and_then(listed) else {
        let Some((file, line, _)) = used.first() else { return Vec::new() };
        let what =
            format!("crash points are in use and `POINTS: &[&str] = &[…];` of {LIST} is not");
        return vec![Fault::new(&file.path, *line, what, MEND)];
    };
    let mut faults = Vec::new();
    for (file, line, name) in &used {
        if !points.contains(name) {
            let what = format!("the crash point `{name}` is not listed");
            faults.push(Fault::new(&file.path, *line, what, MEND));
        }
    }
    for (index, point) in points.iter().enumerate() {
        if points[..index].contains(point) {
            faults.push(Fault::new(LIST, 1, format!("`{point}` is listed twice"), MEND));
        }
        if !used.iter().any(|(_, _, name)| name == point) {
            let what = format!("`{point}` is listed and in no code");
            faults.push(Fault::new(LIST, 1, what, MEND));
        }
    }
    faults
}

fn used_in(file: &File) -> Vec<(usize, String)> {
    let end = file.lines_without_tests();
    let lines: Vec<_> = file.code().filter(|(line, _)| *line <= end).collect();
    let mut found = Vec::new();
    for (at, (line, text)) in lines.iter().enumerate() {
        for (_, rest) in
            text.match_indices("crash_point!(").map(|(i, call)| text.split_at(i + call.len()))
        {
            // The formatter may put a long name on a line of its own.
            let next = lines.get(at + 1).map_or("", |(_, next)| next);
            if let Some(name) = quoted(rest).or_else(|| quoted(next)) {
                found.push((*line, name));
            }
        }
    }
    found
}

/// The names between `POINTS: &[&str] = &[` and `];`; none when there is no such list.
fn listed(file: &File) -> Option<Vec<String>> {
    let code: Vec<&str> = file.code().filter_map(|(_, line)| line.split("//").next()).collect();
    let code = code.join("\n");
    let (_, rest) = code.split_once("POINTS: &[&str] = &[")?;
    let (list, _) = rest.split_once("];")?;
    Some(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

fn quoted(text: &str) -> Option<String> {
    let rest = text.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: &str = "crates/orchflow-store/src/writer.rs";

    fn what(list: Option<&str>, code: &str) -> Vec<String> {
        let mut files = vec![(STORE, code)];
        files.extend(list.map(|text| (LIST, text)));
        check(&Tree::of(&files)).into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn a_list_and_a_code_that_agree_pass() {
        let list = "pub const POINTS: &[&str] = &[\n    // First.\n    \"a.b\", // why\n    \"c.d\",\n];\n";
        let code = "fn f() {\n    crash_point!(\"a.b\");\n    orchflow_runtime::crash_point!(\n        \"c.d\"\n    );\n    // crash_point!(\"not.this\")\n}\n";
        assert_eq!(what(Some(list), code), Vec::<String>::new());
    }

    #[test]
    fn an_unlisted_a_doubled_and_a_dead_point_are_found() {
        let list = "pub const POINTS: &[&str] = &[\"a\", \"a\", \"dead\"];\n";
        let code = "crash_point!(\"a\");\ncrash_point!(\"new\");\n";
        assert_eq!(
            what(Some(list), code),
            [
                "the crash point `new` is not listed",
                "`a` is listed twice",
                "`dead` is listed and in no code"
            ]
        );
    }

    #[test]
    fn a_missing_list_is_a_fault_once_points_are_in_use() {
        assert_eq!(what(None, "crash_point!(\"a\");\n").len(), 1);
        assert_eq!(what(Some("//! Nothing.\n"), "crash_point!(\"a\");\n").len(), 1);
        assert_eq!(what(None, "fn f() {}\n"), Vec::<String>::new());
    }
}
