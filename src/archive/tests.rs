//! That bounds never rule out a row that matches, held against the evaluator itself.

use std::sync::Arc;

use ::arrow::array::{
    Array, Int32Array, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use ::arrow::compute::{max, max_string_view, min, min_string_view};
use ::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use proptest::prelude::*;

use super::prune::{Bounds, Known, Values, may_match};
use super::*;
use crate::filter::{Context, Filter, Number};
use crate::time::Zone;

#[derive(Clone, Debug)]
struct Call {
    src: Option<String>,
    billsec: Option<i32>,
    /// In quarters of an hour.
    start: Option<i64>,
}

fn batch(calls: &[Call], instants: bool) -> RecordBatch {
    let times: TimestampMicrosecondArray =
        calls.iter().map(|call| call.start.map(|start| start * 900_000_000)).collect();
    let times = times.with_timezone_opt(instants.then_some("UTC"));
    let schema = Schema::new(vec![
        Field::new("src", DataType::Utf8View, true),
        Field::new("billsec", DataType::Int32, true),
        Field::new("start", times.data_type().clone(), true),
    ]);
    let src: StringViewArray = calls.iter().map(|call| call.src.clone()).collect();
    let billsec: Int32Array = calls.iter().map(|call| call.billsec).collect();
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(src), Arc::new(billsec), Arc::new(times)]).unwrap()
}

/// The bounds that a batch really has.
fn bounds(batch: &RecordBatch, column: Column) -> Bounds {
    let Some(array) = batch.column_by_name(column.name()) else { return Bounds::NOTHING };
    let values = match array.data_type() {
        DataType::Utf8View => {
            let array = array.as_any().downcast_ref::<StringViewArray>().unwrap();
            let range = min_string_view(array).zip(max_string_view(array));
            range.map(|(least, most)| Values::Texts(least.into(), most.into()))
        }
        DataType::Int32 => {
            let array = array.as_any().downcast_ref::<Int32Array>().unwrap();
            let whole = |number: i32| Number::whole(number.into());
            min(array).zip(max(array)).map(|(least, most)| Values::Numbers(whole(least), whole(most)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let times = if zone.is_some() { TimeKind::Instant } else { TimeKind::WallClock };
            let array = array.as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap();
            min(array).zip(max(array)).map(|(least, most)| Values::Times(least, most, times))
        }
        other => panic!("{other}"),
    };
    Bounds {
        values: values.map_or(Known::Nothing, Known::Values),
        nulls: array.null_count() > 0,
        some: array.null_count() < array.len(),
    }
}

fn call() -> impl Strategy<Value = Call> {
    let src = prop::option::weighted(0.8, "[0-3a]{1,3}(\\([0-3]\\))?");
    (src, prop::option::of(0..6), prop::option::of(0i64..200)).prop_map(|(src, billsec, start)| Call {
        src,
        billsec,
        start,
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let item =
        prop_oneof!["[0-3]{1,2}@", "[0-3]{1,2}_", "[0-3]{1,3}", "[0-3]{1,2}-[0-3]{1,2}", Just("0-0".into())];
    let list = prop::collection::vec(item, 1..3).prop_map(|items: Vec<String>| items.join(","));
    let hour = 0..50u32;
    let cdrapi =
        (prop::option::of(list), prop::option::of(0..6), prop::option::of(0..6), prop::option::of(hour))
            .prop_map(|(caller, least, most, hour)| {
                let mut parts: Vec<String> =
                    caller.map(|list| format!("caller={list}")).into_iter().collect();
                parts.extend(least.map(|least| format!("minDur={least}")));
                parts.extend(most.map(|most| format!("maxDur={most}")));
                parts.extend(
                    hour.map(|hour| format!("endTime=1970-01-{:02}T{:02}:00", 1 + hour / 24, hour % 24)),
                );
                format!("cdrapi?{}", parts.join("&"))
            });
    let condition = prop_oneof![
        ("[0-3]{1,2}", prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]))
            .prop_map(|(text, sign)| format!("src {sign} '{text}'")),
        (0..6, prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]))
            .prop_map(|(number, sign)| format!("billsec {sign} {number}")),
        prop::sample::select(vec![
            "src is null",
            "billsec is null",
            "src like '1%'",
            "src like '%1'",
            "src in ('1', '22')"
        ])
        .prop_map(str::to_string),
        (0..24u32).prop_map(|hour| format!("start >= timestamp '1970-01-02 {hour:02}:00:00'")),
    ];
    let sql = prop::collection::vec((condition, any::<bool>(), any::<bool>()), 1..5).prop_map(|all| {
        let terms = all.into_iter().map(|(text, not, or)| {
            let not = if not { "not " } else { "" };
            (format!("{not}({text})"), if or { " or " } else { " and " })
        });
        let mut text = String::new();
        for (at, (term, link)) in terms.enumerate() {
            if at > 0 {
                text.push_str(link);
            }
            text.push_str(&term);
        }
        text
    });
    let nexo = "[0-3]{1,3}".prop_map(|number| format!("nexo?src={number}"));
    prop_oneof![
        nexo.prop_map(|request| Filter::parse_query(&request, &Context::new()).unwrap()),
        cdrapi.prop_map(|request| Filter::parse_query(&request, &Context::new()).unwrap()),
        sql.prop_map(|condition| Filter::sql(&condition).unwrap()),
    ]
}

proptest! {
    #[test]
    fn what_is_ruled_out_has_no_row_that_matches(
        calls in prop::collection::vec(call(), 1..6),
        filter in filter(),
        instants: bool,
        zone in prop::option::of(prop::sample::select(vec!["+14:00", "-12:00", "America/Chicago"])),
    ) {
        let batch = batch(&calls, instants);
        let zone = zone.map(|zone| Zone::parse(zone).unwrap());
        let matching = filter.matches(&batch, zone.as_ref()).unwrap().true_count();
        let kept = may_match(filter.expr(), &|column| bounds(&batch, column), zone.as_ref());
        prop_assert!(kept || matching == 0, "{} rows match", matching);
    }
}

#[track_caller]
fn check(condition: &str, calls: &[(&str, i32)], expected: bool) {
    let call = |(src, billsec): &(&str, i32)| Call {
        src: Some(src.to_string()).filter(|src| !src.is_empty()),
        billsec: Some(*billsec),
        start: None,
    };
    let batch = batch(&calls.iter().map(call).collect::<Vec<_>>(), false);
    let filter = match condition.contains('?') {
        true => Filter::parse_query(condition, &Context::new()).unwrap(),
        false => Filter::sql(condition).unwrap(),
    };
    let kept = may_match(filter.expr(), &|column| bounds(&batch, column), None);
    assert_eq!(kept, expected, "{condition}");
}

#[test]
fn bounds_rule_out_what_lies_outside() {
    let calls = [("2001", 10), ("2900", 60)];
    check("cdrapi?caller=2001", &calls, true);
    check("cdrapi?caller=3001", &calls, false);
    check("cdrapi?caller=3001,2500", &calls, true);
    check("cdrapi?caller=53@", &calls, false);
    check("cdrapi?caller=2@", &calls, true);
    check("cdrapi?caller=@5", &calls, true);
    check("cdrapi?minDur=61", &calls, false);
    check("cdrapi?minDur=60", &calls, true);
    check("cdrapi?maxDur=9", &calls, false);
    check("cdrapi?minDur=10&caller=1@", &calls, false);
    check("billsec < 10 or src = '9'", &calls, false);
    check("not (billsec >= 10)", &calls, false);
    check("src is null", &calls, false);
    check("answer is null", &calls, true);
    check("answer is not null", &calls, false);
}

#[test]
fn strangers_are_no_archives() {
    let schema =
        Schema::new(vec![Field::new("src", DataType::Utf8, true), Field::new("price", DataType::Utf8, true)]);
    assert_eq!(
        indexes(&schema, &asked_for(&[Column::Src], &[])).unwrap_err(),
        "is no archive of calls: the unified table has no column `price`"
    );
}

fn asked_for(columns: &[Column], needed: &[Column]) -> Reading {
    let (columns, needed) = (columns.to_vec(), needed.to_vec());
    let condition = Expr::Always(Some(true));
    let asked = Asked { columns, needed, condition, zone: None, whole_calls: false };
    Reading { asked, folders: Vec::new() }
}

#[test]
fn folders_say_what_the_file_does_not() {
    let file = Place::File(
        "calls/year=2024/src=2001/vendor=ucm/disposition=NO%20ANSWER/vendor=nexo/x.parquet".into(),
    );
    let vendors = [(Column::Vendor, Some("nexo".to_string())), (Column::Vendor, Some("ucm".to_string()))];
    let folders = folders(&file);
    // Only what rows are told apart by counts, and the nearest first.
    assert_eq!(
        folders,
        [vendors[0].clone(), (Column::Disposition, Some("NO ANSWER".to_string())), vendors[1].clone()]
    );
    let schema = Schema::new(vec![Field::new("vendor", DataType::Utf8, true)]);
    let mut reading = asked_for(&[Column::Vendor, Column::Disposition], &[Column::Disposition]);
    assert!(indexes(&schema, &reading).is_err());
    reading.folders = folders;
    assert_eq!(indexes(&schema, &reading), Ok(vec![0]));
    let column: ArrayRef = Arc::new(StringArray::from(vec![Some("yeastar"), None]));
    let rows = RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap();
    let texts = |at: usize| -> Vec<Option<String>> {
        let rows = unified(&rows, &reading).unwrap();
        let texts = cast_with_options(rows.column(at), &DataType::Utf8, &CastOptions::default()).unwrap();
        texts
            .as_any()
            .downcast_ref::<StringArray>()
            .unwrap()
            .iter()
            .map(|text| text.map(str::to_string))
            .collect()
    };
    let expected: [Vec<Option<String>>; 2] =
        [vec![Some("yeastar".into()), None], vec![Some("NO ANSWER".into()), Some("NO ANSWER".into())]];
    assert_eq!([texts(0), texts(1)], expected);
}

#[test]
fn a_type_that_a_column_cannot_be_made_of_is_told() {
    let schema = |data_type| Schema::new(vec![Field::new("billsec", data_type, true)]);
    let found = |data_type| indexes(&schema(data_type), &asked_for(&[Column::Billsec], &[]));
    for good in [DataType::Int32, DataType::Int64, DataType::UInt8, DataType::Null] {
        assert_eq!(found(good.clone()), Ok(vec![0]), "{good}");
    }
    for bad in [DataType::Utf8, DataType::Float64, DataType::Boolean] {
        let why = format!("is no archive of calls: column billsec is of type {bad}");
        assert_eq!(found(bad), Err(why));
    }
    let schema = Schema::new(vec![Field::new("start", DataType::Int64, true)]);
    assert!(indexes(&schema, &asked_for(&[Column::Start], &[])).is_err(), "seconds or what?");
}

#[test]
fn a_column_that_is_asked_about_must_be_there() {
    let schema = Schema::new(vec![Field::new("src", DataType::Utf8, true)]);
    assert_eq!(indexes(&schema, &asked_for(&[Column::Src, Column::Billsec], &[Column::Src])), Ok(vec![0]));
    assert_eq!(
        indexes(&schema, &asked_for(&[Column::Src], &[Column::Billsec])).unwrap_err(),
        "has no column billsec, which the request asks about"
    );
}

#[test]
fn a_number_that_does_not_fit_is_a_fault() {
    let schema = Schema::new(vec![Field::new("billsec", DataType::Int64, true)]);
    let columns: Vec<ArrayRef> = vec![Arc::new(::arrow::array::Int64Array::from(vec![1 << 40]))];
    let rows = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    assert!(
        unified(&rows, &asked_for(&[Column::Billsec], &[]))
            .unwrap_err()
            .starts_with("column billsec is of type Int64: ")
    );
}

#[test]
fn a_stream_is_whole_only_with_its_end() {
    let schema = Arc::new(Schema::new(vec![Field::new("src", DataType::Utf8, true)]));
    let column: ArrayRef = Arc::new(StringArray::from(vec!["2001", "2002"]));
    let rows = RecordBatch::try_new(schema.clone(), vec![column]).unwrap();
    let mut whole = Vec::new();
    let mut writer = ::arrow::ipc::writer::StreamWriter::try_new(&mut whole, &schema).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    drop(writer);
    let read = |bytes: &[u8]| {
        let bytes: Bytes = Box::new(std::io::Cursor::new(bytes.to_vec()));
        let parts = ipc::stream(bytes, &asked_for(&[Column::Src], &[])).unwrap();
        parts.map(|part| part.map(|(rows, _)| rows.num_rows())).collect::<Vec<_>>()
    };
    assert_eq!(read(&whole), [Ok(2)]);
    let cut = read(&whole[..whole.len() - 8]);
    assert_eq!(cut[0], Ok(2));
    assert!(cut[1].as_ref().unwrap_err().starts_with("ends before its end"), "{cut:?}");
    let twice = read(&whole.repeat(2));
    assert!(twice[1].as_ref().unwrap_err().starts_with("has bytes behind the end"), "{twice:?}");
}

#[test]
fn types_of_other_writers_are_cast_back() {
    let schema = Schema::new(vec![
        Field::new("src", DataType::Utf8, true),
        Field::new("billsec", DataType::Int64, true),
    ]);
    let columns: Vec<ArrayRef> =
        vec![Arc::new(StringArray::from(vec!["2001"])), Arc::new(::arrow::array::Int64Array::from(vec![7]))];
    let rows = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    let again = unified(&rows, &asked_for(&[Column::Src, Column::Start, Column::Billsec], &[])).unwrap();
    assert_eq!(again.column(0).data_type(), &DataType::Utf8);
    assert_eq!(again.column(1).null_count(), 1);
    assert_eq!(again.column(2).data_type(), &DataType::Int32);
}
