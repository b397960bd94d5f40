//! Against a set of whole rows, which is the slow twin.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::sort::samples::{self, Sample};

/// Of a batch its input, the rows that are new, and how many others there were.
type Told = (usize, Vec<Sample>, u64);

fn naive(batches: &[(usize, Vec<Sample>)]) -> Vec<Told> {
    let mut seen = HashSet::new();
    let mut is_new = |row: &Sample| seen.insert(Sample { source: None, source_offset: None, ..row.clone() });
    let mut told = |(input, rows): &(usize, Vec<Sample>)| {
        let fresh: Vec<Sample> = rows.iter().filter(|row| is_new(row)).cloned().collect();
        let duplicates = rows.len() - fresh.len();
        (*input, fresh, duplicates as u64)
    };
    batches.iter().map(&mut told).collect()
}

/// What comes out, and how many of the batches came at once.
fn deduped(batches: &[(usize, Vec<Sample>)], memory: usize) -> (Vec<Told>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut dedup = Dedup::new(samples::schema(), folder.path(), memory).unwrap();
    let mut told = Vec::new();
    let mut tell = |fresh: Fresh| told.push((fresh.input, samples::rows(&fresh.rows), fresh.duplicates));
    let mut at_once = 0;
    for (input, rows) in batches {
        if let Some(fresh) = dedup.push(*input, &samples::batch(rows)).unwrap() {
            tell(fresh);
            at_once += 1;
        }
    }
    dedup.finish().unwrap().for_each(|fresh| tell(fresh.unwrap()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file is left");
    (told, at_once)
}

#[track_caller]
fn check(batches: &[(usize, Vec<Sample>)]) -> Vec<Told> {
    let expected = naive(batches);
    for memory in [0, 500, 1000, 2000, 1 << 16, usize::MAX] {
        assert_eq!(deduped(batches, memory).0, expected, "with {memory} bytes");
    }
    expected
}

fn numbered(number: u32) -> Sample {
    Sample { number: Some(number), ..Sample::default() }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_string())
}

proptest! {
    #[test]
    fn what_is_dropped_was_there_before(
        kinds in prop::collection::vec(samples::row(), 1..12),
        picks in prop::collection::vec((0usize..12, any::<bool>()), 0..80),
        batches in prop::collection::vec((0usize..3, 0usize..12), 1..12),
    ) {
        let mut rows = picks.iter().map(|&(kind, moved)| {
            let row = kinds[kind % kinds.len()].clone();
            if moved { Sample { source: text("elsewhere"), source_offset: Some(7), ..row } } else { row }
        });
        let batches: Vec<_> =
            batches.iter().map(|&(input, count)| (input, rows.by_ref().take(count).collect())).collect();
        check(&batches);
    }
}

#[test]
fn what_differs_in_anything_is_new() {
    let pair = |one: &str, other: &str| Some(vec![(one.to_string(), other.to_string())]);
    let none = Sample::default();
    let rows = vec![
        none.clone(),
        Sample { text: text(""), ..none.clone() },
        Sample { other: text(""), ..none.clone() },
        Sample { dict: text(""), ..none.clone() },
        Sample { text: text("0"), ..none.clone() },
        Sample { text: text("a"), other: text("bc"), ..none.clone() },
        Sample { text: text("ab"), other: text("c"), ..none.clone() },
        Sample { text: text("abc"), other: text(""), ..none.clone() },
        Sample { text: text("abc"), ..none.clone() },
        Sample { other: text("abc"), ..none.clone() },
        Sample { short: Some(0), ..none.clone() },
        Sample { number: Some(0), ..none.clone() },
        Sample { signed: Some(0), ..none.clone() },
        Sample { signed: Some(-1), ..none.clone() },
        Sample { yes: Some(false), ..none.clone() },
        Sample { time: Some(0), ..none.clone() },
        Sample { many: Some(vec![]), ..none.clone() },
        Sample { many: Some(vec![String::new()]), ..none.clone() },
        Sample { many: Some(vec![String::new(); 2]), ..none.clone() },
        Sample { many: Some(vec!["ab".into()]), ..none.clone() },
        Sample { many: Some(vec!["a".into(), "b".into()]), ..none.clone() },
        Sample { extra: Some(vec![]), ..none.clone() },
        Sample { extra: pair("a", "b"), ..none.clone() },
        Sample { extra: pair("ab", ""), ..none.clone() },
        Sample { extra: pair("", "ab"), ..none },
    ];
    assert_eq!(check(&[(0, rows.clone())]), [(0, rows, 0)]);
}

#[test]
fn where_a_row_stood_makes_no_difference() {
    let row = numbered(1);
    let moved = Sample { source: text("b.csv"), ..row.clone() };
    let behind = Sample { source_offset: Some(9), ..row.clone() };
    let told = check(&[(0, vec![row.clone()]), (1, vec![moved]), (2, vec![behind])]);
    assert_eq!(told, [(0, vec![row], 0), (1, vec![], 1), (2, vec![], 1)]);
}

#[test]
fn of_equal_rows_the_first_is_kept() {
    let rows: Vec<_> = (0..500).map(|at| Sample { source_offset: Some(at), ..numbered(1) }).collect();
    let told = check(&[(0, rows[..200].to_vec()), (1, rows[200..].to_vec())]);
    assert_eq!(told, [(0, vec![rows[0].clone()], 199), (1, vec![], 300)]);
}

#[test]
fn no_rows_are_no_batches_and_empty_ones_stay() {
    assert_eq!(check(&[]), []);
    assert_eq!(check(&[(3, vec![])]), [(3, vec![], 0)]);
}

#[test]
fn counts_of_an_input_add_up_whatever_is_held() {
    let batch =
        |at: usize| (at % 3, (0..200).map(|row| numbered((at * 7919 + row * 31) as u32 % 1500)).collect());
    let batches: Vec<(usize, Vec<Sample>)> = (0..20).map(batch).collect();
    let told = check(&batches);
    for input in 0..3 {
        let records: usize = batches.iter().filter(|batch| batch.0 == input).map(|batch| batch.1.len()).sum();
        let of_input = told.iter().filter(|told| told.0 == input);
        let counted: u64 = of_input.map(|(_, fresh, duplicates)| fresh.len() as u64 + duplicates).sum();
        assert_eq!(counted, records as u64);
    }
    let at_once = [0, 1 << 14, usize::MAX].map(|memory| deduped(&batches, memory).1);
    assert!(at_once[0] == 0 && (1..20).contains(&at_once[1]) && at_once[2] == 20, "{at_once:?}");
}

#[test]
fn a_batch_without_duplicates_is_given_back_as_it_is() {
    let rows = samples::batch(&[numbered(1), numbered(2)]);
    let mut dedup = Dedup::new(samples::schema(), Path::new("no/such/folder"), 1 << 20).unwrap();
    let fresh = dedup.push(0, &rows).unwrap().unwrap();
    assert!(rows.columns().iter().zip(fresh.rows.columns()).all(|(one, other)| Arc::ptr_eq(one, other)));
    assert_eq!(dedup.finish().unwrap().count(), 0);
}

#[test]
fn a_folder_that_takes_no_file_is_named() {
    let mut dedup = Dedup::new(samples::schema(), Path::new("no/such/folder"), 0).unwrap();
    let error = dedup.push(0, &samples::batch(&[numbered(1)])).unwrap_err();
    assert!(error.to_string().starts_with("no/such/folder: "), "{error}");
    assert_eq!(error.kind(), crate::ErrorKind::Output);
}

#[test]
fn a_batch_of_other_columns_is_refused() {
    let rows = samples::batch(&[numbered(1)]).project(&[0, 1]).unwrap();
    let mut dedup = Dedup::new(samples::schema(), Path::new("."), 1 << 20).unwrap();
    let error = dedup.push(0, &rows).unwrap_err();
    assert_eq!(error.to_string(), "a batch has other columns than its table");
}

#[test]
fn runs_draw_other_keys() {
    let rows = samples::batch(&[numbered(1)]);
    let prints = || Fingerprint::new(&samples::schema()).of(&rows).unwrap();
    assert_ne!(prints(), prints());
}
