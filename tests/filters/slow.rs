//! Requests that are made to be slow: they end, and long before the watch does.

use super::*;
use crate::calls::Row;
use crate::watch::within_a_minute;

/// How many of two hundred callers such a request wants; it is parsed, printed and parsed again before.
fn wanted(request: String, caller: String) -> usize {
    let row: Row = [("src".to_string(), caller)].into();
    let rows = vec![row; 200];
    within_a_minute(move || {
        let filter = filter(&request);
        let calls = Calls { rows: &rows, east: 0 };
        (0..rows.len()).filter(|row| calls.wants(filter.expr(), *row)).count()
    })
}

#[test]
fn thousands_of_runs_in_a_pattern() {
    let runs = "@".repeat(10_000);
    assert_eq!(wanted(format!("cdrapi?caller={runs}b"), "a".repeat(1000)), 0);
    assert_eq!(wanted(format!("cdrapi?caller={runs}a"), "a".repeat(1000)), 200);
    assert_eq!(wanted(format!("cdrapi?caller={}b", "a@".repeat(5000)), "a".repeat(1000)), 0);
    assert_eq!(wanted(format!("cdrapi?caller={}b", "_@".repeat(500)), "a".repeat(1000)), 0);
    assert_eq!(wanted(format!("cdrapi?caller=@{}b", "_a".repeat(400)), "a".repeat(1000)), 0);
}

#[test]
fn ten_thousand_items() {
    let list = |item: &dyn Fn(usize) -> String| (0..10_000).map(item).collect::<Vec<_>>().join(",");
    assert_eq!(wanted(format!("cdrapi?caller={}", list(&|at| format!("{at}"))), "x".to_string()), 0);
    assert_eq!(wanted(format!("cdrapi?caller={}", list(&|at| format!("{at}"))), "9999".to_string()), 200);
    let ranges = list(&|at| format!("{}-{}", 10 * at + 1, 10 * at + 5));
    assert_eq!(wanted(format!("cdrapi?caller={ranges}"), "99995".to_string()), 200);
    assert_eq!(wanted(format!("nexo?src={ranges}"), "99996".to_string()), 0);
    let patterns = list(&|at| format!("{at}@"));
    assert_eq!(wanted(format!("cdrapi?caller={patterns}"), "x".to_string()), 0);
}

#[test]
fn numbers_of_thousands_of_digits() {
    let nines = "9".repeat(20_000);
    assert_eq!(wanted(format!("cdrapi?caller=1-{nines}"), "9".repeat(10_000)), 200);
    assert_eq!(wanted(format!("cdrapi?caller={nines}-{nines}"), "9".repeat(10_000)), 0);
    assert_eq!(wanted(format!("cdrapi?minDur={nines}&offset={nines}"), "1".to_string()), 0);
    assert_eq!(wanted(format!("kazoo?created_from={nines}"), "1".to_string()), 0);
    assert_eq!(wanted(format!("ucm-web?callerNumber={}.", "X".repeat(20_000)), "9".repeat(10_000)), 0);
}

#[test]
fn ten_thousand_parameters() {
    let repeated = "caller=1&".repeat(10_000);
    assert_eq!(wanted(format!("cdrapi?{repeated}caller=2"), "2".to_string()), 200);
    let fields: Vec<String> = (0..10_000).map(|at| format!("filter_not_f{at}=1")).collect();
    assert_eq!(wanted(format!("kazoo?{}", fields.join("&")), "1".to_string()), 200);
    let escapes = "%41".repeat(100_000);
    let error = within_a_minute(move || Filter::parse(&format!("cdrapi?caller={escapes}%20")).unwrap_err());
    assert_eq!(error.position, 14 + 300_000);
}
