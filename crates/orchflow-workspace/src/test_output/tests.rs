//! Summaries of what the tools really printed; the samples are their output, unabridged but
//! for paths.

use orchflow_types::project::TestSummary;

use super::summarise;

fn summary(counts: [u32; 3], failing: &[&str]) -> Option<TestSummary> {
    let [passed, failed, skipped] = counts;
    let failing = failing.iter().map(|name| (*name).to_owned()).collect();
    Some(TestSummary { passed, failed, skipped, failing })
}

#[test]
fn cargo_test_is_summed_over_its_binaries_and_doc_tests() {
    let given = summarise("cargo-test", include_str!("samples/cargo-test.txt"));
    let names = ["tests::bad", "it_fails", "src/lib.rs - doc (line 1)"];
    assert_eq!(given, summary([3, 3, 1], &names));
}

#[test]
fn what_a_test_of_cargo_prints_is_not_taken_for_its_result() {
    let output = "running 2 tests\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n\
        test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\n\
        failures:\n    a\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; \
        0 filtered out; finished in 0.00s\n";
    assert_eq!(summarise("cargo-test", output), summary([1, 1, 0], &["a"]));
    assert_eq!(summarise("cargo-test", "error: could not compile `sample`"), None);
}

#[test]
fn nextest_is_read_from_its_summary() {
    let given = summarise("nextest", include_str!("samples/nextest.txt"));
    assert_eq!(given, summary([3, 2, 1], &["sample tests::bad", "sample::it it_fails"]));
    let slow = "     Summary [ 9.0s] 9 tests run: 7 passed (1 slow, 1 flaky), 1 failed, \
        1 timed out, 2 skipped\n        FAIL [   0.1s] a b\n     TIMEOUT [ 5.0s] a c\n";
    assert_eq!(summarise("nextest", slow), summary([7, 2, 2], &["a b", "a c"]));
}

#[test]
fn pytest_is_read_with_and_without_its_frame() {
    let names = [
        "test_b.py::test_p[2]",
        "test_b.py::test_p[a b - c]",
        "test_b.py::TestC::test_m",
        "test_b.py::test_err",
    ];
    let expected = summary([4, 4, 1], &names);
    assert_eq!(summarise("pytest", include_str!("samples/pytest.txt")), expected);
    assert_eq!(summarise("pytest", include_str!("samples/pytest-q.txt")), expected);
    let collection = summarise("pytest", include_str!("samples/pytest-collection.txt"));
    assert_eq!(collection, summary([0, 1, 0], &["test_syn.py"]));
    assert_eq!(summarise("pytest", "no tests ran in 0.01s"), summary([0, 0, 0], &[]));
    assert_eq!(summarise("pytest", "pytest: command not found"), None);
}

#[test]
fn unittest_is_read_plain_and_verbose() {
    let names = ["ut_a.T.test_boom", "ut_a.T.test_bad", "ut_a.T.test_sub", "ut_a.T.test_xs"];
    let expected = summary([2, 4, 1], &names);
    assert_eq!(summarise("unittest", include_str!("samples/unittest.txt")), expected);
    assert_eq!(summarise("unittest", include_str!("samples/unittest-v.txt")), expected);
    let green = "....\n-----\nRan 4 tests in 0.001s\n\nOK (skipped=1)\n";
    assert_eq!(summarise("unittest", green), summary([3, 0, 1], &[]));
}

#[test]
fn node_test_is_read_as_tap_and_as_spec() {
    let expected = summary([2, 2, 2], &["bad one", "inner bad"]);
    assert_eq!(summarise("node-test", include_str!("samples/node-tap.txt")), expected);
    assert_eq!(summarise("node-test", include_str!("samples/node-spec.txt")), expected);
}

#[test]
fn jest_and_a_suite_of_it_that_does_not_load_are_read() {
    let given = summarise("jest", include_str!("samples/jest.txt"));
    assert_eq!(given, summary([1, 2, 2], &["outer › bad", "outer › deep › bad too"]));
    let broken = summarise("jest", include_str!("samples/jest-suite.txt"));
    assert_eq!(broken, summary([0, 1, 0], &["./broken.test.js"]));
}

#[test]
fn vitest_is_read_through_its_colours() {
    let names = ["vt/v.test.mjs > outer > bad", "vt/v.test.mjs > outer > deep > bad too"];
    let expected = summary([1, 2, 2], &names);
    assert_eq!(summarise("vitest", include_str!("samples/vitest.txt")), expected);
    assert_eq!(summarise("npm", include_str!("samples/vitest.txt")), expected);
}

#[test]
fn mocha_names_a_test_with_its_suites() {
    let given = summarise("mocha", include_str!("samples/mocha.txt"));
    assert_eq!(given, summary([1, 2, 1], &["outer > bad", "outer > deep > bad too"]));
}

#[test]
fn a_script_of_a_package_is_read_whatever_tool_is_behind_it() {
    for (sample, framework) in [
        (include_str!("samples/jest.txt"), "jest"),
        (include_str!("samples/node-tap.txt"), "node-test"),
        (include_str!("samples/mocha.txt"), "mocha"),
    ] {
        assert_eq!(summarise("npm", sample), summarise(framework, sample), "{framework}");
    }
    assert_eq!(summarise("npm", "> build\ndone"), None);
    assert_eq!(summarise("clippy", "anything"), None);
}
