//! The sorter against a stable sort of all rows, which is its slow twin.

use std::cmp::Ordering;

use arrow::array::AsArray;
use arrow::datatypes::{Field, Schema};
use proptest::prelude::*;

use super::merge::FAN_IN;
use super::samples::{self, KEYS, Sample};
use super::*;

/// So little that nearly every row is a run.
const TINY: usize = 100;

fn nulls_last<T: Ord>(one: &Option<T>, other: &Option<T>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.cmp(other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

fn compare(one: &Sample, other: &Sample, key: usize) -> Ordering {
    match key {
        0 => nulls_last(&one.source, &other.source),
        1 => nulls_last(&one.text, &other.text),
        2 => nulls_last(&one.other, &other.other),
        3 => nulls_last(&one.dict, &other.dict),
        4 => nulls_last(&one.yes, &other.yes),
        5 => nulls_last(&one.short, &other.short),
        6 => nulls_last(&one.number, &other.number),
        7 => nulls_last(&one.signed, &other.signed),
        8 => nulls_last(&one.source_offset, &other.source_offset),
        _ => nulls_last(&one.time, &other.time),
    }
}

fn sorter(keys: &[usize], folder: &Path, memory: usize) -> Sorter {
    Sorter::new(samples::schema(), keys, folder, memory).unwrap()
}

fn sorted(rows: &[Sample], keys: &[usize], a_batch: usize, memory: usize) -> Vec<RecordBatch> {
    let folder = tempfile::tempdir().unwrap();
    let mut sorter = sorter(keys, folder.path(), memory);
    rows.chunks(a_batch).for_each(|rows| sorter.push(&samples::batch(rows)).unwrap());
    let batches = sorter.finish().unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file is left");
    batches
}

#[track_caller]
fn check(rows: &[Sample], keys: &[usize], a_batch: usize) {
    let mut expected = rows.to_vec();
    expected.sort_by(|one, other| {
        let orders = keys.iter().map(|&key| compare(one, other, key));
        orders.fold(Ordering::Equal, Ordering::then)
    });
    let in_memory = sorted(rows, keys, a_batch, usize::MAX);
    assert_eq!(in_memory.iter().flat_map(samples::rows).collect::<Vec<_>>(), expected);
    for memory in [0, TINY, 1000] {
        assert_eq!(sorted(rows, keys, a_batch, memory), in_memory, "with {memory} bytes");
    }
}

proptest! {
    #[test]
    fn the_order_is_that_of_a_stable_sort(
        rows in prop::collection::vec(samples::row(), 0..80),
        keys in prop::collection::vec(0..KEYS, 1..4),
        a_batch in 1usize..20,
    ) {
        check(&rows, &keys, a_batch);
    }
}

/// Rows of a number and where they came, in an order that has nothing to do with either.
fn shuffled(count: usize) -> Vec<Sample> {
    let row = |at: usize| Sample {
        number: Some((at * 7919 % 101) as u32),
        source_offset: Some(at as i64),
        ..Sample::default()
    };
    (0..count).map(row).collect()
}

#[test]
fn more_runs_than_are_read_at_a_time_keep_the_order() {
    for count in [FAN_IN - 1, FAN_IN, FAN_IN + 1, 2 * FAN_IN, FAN_IN * FAN_IN + FAN_IN + 1] {
        check(&shuffled(count), &[6], 100);
    }
}

#[test]
fn no_rows_are_no_batches() {
    assert!(sorted(&[], &[1], 1, TINY).is_empty());
    let folder = tempfile::tempdir().unwrap();
    let mut sorter = sorter(&[1], folder.path(), TINY);
    sorter.push(&samples::batch(&[])).unwrap();
    assert!(sorter.finish().unwrap().next().is_none());
}

#[test]
fn batches_are_full_but_the_last() {
    for (count, expected) in [(ROWS, vec![ROWS]), (2 * ROWS + 1, vec![ROWS, ROWS, 1]), (1, vec![1])] {
        for memory in [1 << 16, usize::MAX] {
            let batches = sorted(&shuffled(count), &[6], 1000, memory);
            assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn long_rows_make_shorter_batches() {
    let row = Sample { text: Some("x".repeat(MOST_BYTES / 3)), ..Sample::default() };
    for memory in [1 << 20, usize::MAX] {
        let batches = sorted(&vec![row.clone(); 5], &[6], 1, memory);
        assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [3, 2]);
    }
}

#[test]
fn rows_in_order_are_one_run() {
    let mut rows = shuffled(50);
    rows.sort_by_key(|row| row.number);
    let folder = tempfile::tempdir().unwrap();
    for (rows, one_run) in [(rows, true), (shuffled(50), false)] {
        let mut sorter = sorter(&[6], folder.path(), TINY);
        sorter.push(&samples::batch(&rows)).unwrap();
        let Ordered::Merged(merge) = sorter.finish().unwrap().entries else { panic!("nothing was spilled") };
        assert_eq!(merge.runs() == 1, one_run);
    }
}

#[test]
fn what_fits_into_memory_touches_no_file() {
    let rows = samples::batch(&shuffled(1000));
    let missing = Path::new("no/such/folder");
    let mut roomy = sorter(&[6], missing, 1 << 20);
    roomy.push(&rows).unwrap();
    assert_eq!(roomy.finish().unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 1000);
    let error = sorter(&[6], missing, TINY).push(&rows).unwrap_err();
    assert!(error.to_string().starts_with("no/such/folder: "), "{error}");
}

#[test]
fn a_block_is_not_held() {
    let text = Some("longer than a view holds".to_string());
    let rows = samples::batch(&[Sample { text, ..Sample::default() }]);
    let block = rows.column(1).as_string_view().data_buffers()[0].clone();
    let mut sorter = sorter(&[1], Path::new("."), usize::MAX);
    sorter.push(&rows).unwrap();
    drop(rows);
    assert_eq!(block.strong_count(), 1);
    assert_eq!(sorter.finish().unwrap().count(), 1);
}

#[test]
fn dictionaries_have_each_text_once_in_the_order_of_the_rows() {
    let texts = ["b", "a", "b", "c", "a"];
    let row = |(at, text): (usize, &&str)| Sample {
        dict: Some(text.to_string()),
        source_offset: Some(-(at as i64)),
        ..Sample::default()
    };
    let rows: Vec<_> = texts.iter().enumerate().map(row).collect();
    let batch = &sorted(&rows, &[8], 1, TINY)[0];
    let dict = batch.column(3).as_dictionary::<arrow::datatypes::Int32Type>();
    let words: Vec<_> = dict.values().as_string::<i32>().iter().flatten().collect();
    assert_eq!(words, ["a", "c", "b"]);
}

#[test]
fn wrong_usage_is_told() {
    for (key, name) in [(10, "many"), (11, "extra")] {
        let error = Sorter::new(samples::schema(), &[1, key], Path::new("."), TINY).err().unwrap();
        assert_eq!(error.to_string(), format!("{name} has no order to sort by"));
        assert_eq!(error.kind(), crate::ErrorKind::Usage);
    }
    let schema = Arc::new(Schema::new(vec![Field::new("weight", DataType::Float64, true)]));
    let error = Sorter::new(schema, &[0], Path::new("."), TINY).err().unwrap();
    assert_eq!(error.to_string(), "column weight: Float64 is no type of the table");
    let other = samples::batch(&shuffled(1)).project(&[0, 1]).unwrap();
    let error = sorter(&[1], Path::new("."), TINY).push(&other).unwrap_err();
    assert_eq!(error.to_string(), "a batch has other columns than its table");
}
