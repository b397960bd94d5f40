//! Parquet: row groups that may match, column by column as far as they are wanted.
//!
//! Where calls are answered whole, a call may lie across row groups. It does so only if the last record
//! of one and the first of the next have one `call_id`, which both their statistics then have within; and
//! it goes on through a whole group only if that has no other. So the neighbours that can share a call
//! with a group that is read are read as well, and no more.

use std::fs::File;
use std::ops::Range;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::statistics::Statistics;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};

use super::prune::{Bounds, Known, Values, may_match};
use super::{Groups, Parts, Reading, indexes, times_of};
use crate::filter::Number;
use crate::schema::{Column, Kind, TimeKind, data_type};

/// Rows of a batch, at most: so many rows of any archive are held at once.
const BATCH: usize = 8192;

/// The row groups that may match, as batches; how many they are, and how many rows are left out.
pub(super) fn parts(file: File, reading: &Reading) -> Result<(Parts, Groups, u64), String> {
    let broken = |error: ::parquet::errors::ParquetError| format!("is broken: {error}");
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(broken)?;
    let schema = metadata.schema().clone();
    let wanted = indexes(&schema, reading)?;
    let kept = kept(metadata.metadata().row_groups(), &schema, reading);
    let groups = Groups { all: kept.len() as u64, read: kept.iter().filter(|kept| **kept).count() as u64 };
    let all_rows = metadata.metadata().row_groups().iter().map(|group| group.num_rows().max(0) as u64);
    let left_out = all_rows.zip(&kept).filter(|(_, kept)| !**kept).map(|(rows, _)| rows).sum();
    let mask = ProjectionMask::roots(metadata.parquet_schema(), wanted);
    let open = move |run: Range<usize>| -> Result<ParquetRecordBatchReader, String> {
        let file = file.try_clone().map_err(|error| error.to_string())?;
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
            .with_row_groups(run.collect())
            .with_projection(mask.clone())
            .with_batch_size(BATCH)
            .build()
            .map_err(broken)
    };
    let runs = runs(&kept).into_iter().map(move |run| (run.start, open(run)));
    let parts = runs.flat_map(|(start, reader)| -> Box<dyn Iterator<Item = _>> {
        match reader {
            Err(why) => Box::new(std::iter::once(Err(why))),
            // A run begins behind a group that is left out, but the first one of the file.
            Ok(reader) => Box::new(reader.enumerate().map(move |(at, batch)| {
                let batch: RecordBatch = batch.map_err(|error| format!("is broken: {error}"))?;
                Ok((batch, at > 0 || start == 0))
            })),
        }
    });
    Ok((Box::new(parts), groups, left_out))
}

/// Row groups that follow one another.
fn runs(kept: &[bool]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in (0..kept.len()).filter(|at| kept[*at]) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// Which row groups are read.
fn kept(groups: &[RowGroupMetaData], schema: &Schema, reading: &Reading) -> Vec<bool> {
    let asked = &reading.asked;
    let bounds = |group: &RowGroupMetaData, column| bounds(group, schema, column, reading);
    let mut kept: Vec<bool> = groups
        .iter()
        .map(|group| may_match(&asked.condition, &|column| bounds(group, column), asked.zone.as_ref()))
        .collect();
    if asked.whole_calls {
        let calls: Vec<Bounds> = groups.iter().map(|group| bounds(group, Column::CallId)).collect();
        let matching = kept.clone();
        for at in (0..groups.len()).filter(|at| matching[*at]) {
            reach((0..at).rev(), at, &calls, &matching, &mut kept);
            reach(at + 1..groups.len(), at, &calls, &matching, &mut kept);
        }
    }
    kept
}

/// Keeps the neighbours, one after the other, that can share a call with a group.
fn reach(
    neighbours: impl Iterator<Item = usize>,
    from: usize,
    calls: &[Bounds],
    matching: &[bool],
    kept: &mut [bool],
) {
    let mut before = from;
    for at in neighbours {
        // One that matches by itself reaches on from there.
        if matching[at] || !calls[before].may_share(&calls[at]) {
            return;
        }
        kept[at] = true;
        if !calls[at].may_be_one() {
            return;
        }
        before = at;
    }
}

/// What the statistics of a row group, or the folders of its file, say of a column.
fn bounds(group: &RowGroupMetaData, schema: &Schema, column: Column, reading: &Reading) -> Bounds {
    let Ok(at) = schema.index_of(column.name()) else {
        return reading.folder_of(column).map_or(Bounds::NOTHING, Bounds::of);
    };
    let kind = column.def().kind;
    let data_type_found = schema.field(at).data_type();
    let leaf = (0..group.num_columns())
        .find(|leaf| group.column(*leaf).column_path().parts() == [column.name().to_string()]);
    let Some(statistics) = leaf.and_then(|leaf| group.column(leaf).statistics()) else {
        return Bounds::UNKNOWN;
    };
    let nulls = statistics.null_count_opt();
    let rows = group.num_rows().max(0) as u64;
    let is_ours = *data_type_found == data_type(kind, times_of(data_type_found))
        || matches!((kind, data_type_found), (Kind::Text | Kind::Dict, DataType::Utf8 | DataType::LargeUtf8));
    let known = if is_ours { values(statistics, kind, times_of(data_type_found)) } else { Known::Nothing };
    Bounds { values: known, nulls: nulls != Some(0), some: nulls != Some(rows) }
}

fn values(statistics: &Statistics, kind: Kind, times: TimeKind) -> Known {
    if statistics.is_min_max_deprecated() {
        return Known::Nothing;
    }
    let number =
        |least: i64, most: i64| Known::Values(Values::Numbers(Number::whole(least), Number::whole(most)));
    let known = match (statistics, kind) {
        (Statistics::ByteArray(range), Kind::Text | Kind::Dict) => range
            .min_opt()
            .zip(range.max_opt())
            .map(|(least, most)| Known::Values(Values::Texts(least.data().to_vec(), most.data().to_vec()))),
        (Statistics::Int32(range), Kind::Int32 | Kind::UInt16) => {
            range.min_opt().zip(range.max_opt()).map(|(least, most)| number((*least).into(), (*most).into()))
        }
        (Statistics::Int32(range), Kind::UInt32) => {
            let bits = |value: &i32| i64::from(*value as u32);
            range.min_opt().zip(range.max_opt()).map(|(least, most)| number(bits(least), bits(most)))
        }
        (Statistics::Int64(range), Kind::Int64) => {
            range.min_opt().zip(range.max_opt()).map(|(least, most)| number(*least, *most))
        }
        (Statistics::Int64(range), Kind::Time) => range
            .min_opt()
            .zip(range.max_opt())
            .map(|(least, most)| Known::Values(Values::Times(*least, *most, times))),
        _ => None,
    };
    known.unwrap_or(Known::Nothing)
}
