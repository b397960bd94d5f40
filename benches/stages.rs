//! Bytes a second of each stage, over a few MiB of UCM records: `cargo bench`, or `cargo bench frame`.
//!
//! `structure` and `columns` hold the two files with `unsafe` against their safe alternatives: that
//! is the measured reason for them. `sink` compares our dictionary pages with the parquet crate's.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringViewBuilder};
use calltable::format::{Layout, by_name};
use calltable::sink::publish::Staged;
use calltable::sink::room::Room;
use calltable::sink::{Compression, Kind, Out, Spec, open};
use calltable::stages::*;
use calltable::{Decoder, Options};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

type Framing = fn(Vec<u8>, &[Element], &[u8], u64, Arc<Layout>, How) -> Records;

const ROWS: usize = 11_000;

const HEADER: &str = "AcctId,accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,\
duration,billsec,disposition,amaflags,uniqueid,userfield,channel_ext,dstchannel_ext,service,caller_name,recordfiles,\
dstanswer,chanext,dstchanext,session,action_owner,action_type,src_trunk_name,dst_trunk_name";

/// A dump of about 4 MiB, always the same.
fn dump() -> Vec<u8> {
    let mut text = format!("{HEADER}\n");
    for at in 0..ROWS {
        let (src, dst, second) = (1000 + at * 7 % 500, 1000 + at * 13 % 500, at % 60);
        text += &format!(
            "{at},,{src},{dst},from-internal,\"\"\"Name {src}\"\" <{src}>\",PJSIP/{src}-{at:08x},PJSIP/{dst}-{at:08x},Dial,\
             \"PJSIP/{dst}/sip:{dst}@192.0.2.{}:5062,30\",2024-05-17 12:34:{second:02},,2024-05-17 12:35:{second:02},60,{},\
             ANSWERED,DOCUMENTATION,17159672{:02}.{at},Internal,{src},{dst},s,Name {src},,{dst},,,17159672{:02}127{at:06}-{src},\
             {src},DIAL,,\n",
            at % 250,
            at % 60,
            at % 100,
            at % 100
        );
    }
    text.into_bytes()
}

/// The dump's first block, as the splitter cuts it.
fn block() -> Work {
    let mut source = Dump::new("bench".into(), Arc::default(), None, 0);
    source.buffer().extend_from_slice(&dump());
    source.end();
    loop {
        match source.step().expect("a dump") {
            Step::Work(work) if matches!(work.block.content, Content::Records { .. }) => return work,
            Step::Work(_) | Step::Need(_) => {}
            Step::Survey | Step::Done => panic!("no block"),
        }
    }
}

/// A field of one of the same records, as the device has it.
fn value(name: &str, at: usize) -> String {
    let (src, dst, second) = (1000 + at * 7 % 500, 1000 + at * 13 % 500, at % 60);
    match name {
        "AcctId" => at.to_string(),
        "src" | "channel_ext" | "action_owner" => src.to_string(),
        "dst" | "dstchannel_ext" => dst.to_string(),
        "clid" => format!("\"Name {src}\" <{src}>"),
        "channel" | "dstchannel" => format!("PJSIP/{src}-{at:08x}"),
        "lastdata" => format!("PJSIP/{dst}/sip:{dst}@192.0.2.{}:5062,30", at % 250),
        "start" | "end" => format!("2024-05-17 12:34:{second:02}"),
        "duration" | "billsec" => second.to_string(),
        "disposition" => "ANSWERED".to_string(),
        "session" | "uniqueid" => format!("171596729612{at:06}-{src}"),
        _ => String::new(),
    }
}

/// The same records as JSON: calls of one sub each.
fn documents() -> Vec<u8> {
    let mut text = String::from("{\"cdr_root\": [");
    for at in 0..ROWS / 2 {
        let member = |name| format!("\"{name}\": \"{}\"", value(name, at).replace('"', "\\\""));
        let record = HEADER.split(',').map(member).collect::<Vec<_>>().join(",\n");
        text += &format!(
            "{{\n\"cdr\": \"{at}\",\n\"main_cdr\": {{\n{record}\n}},\n\"sub_cdr_1\": {{\n{record}\n}}\n}},\n"
        );
    }
    text += "]}\n";
    text.into_bytes()
}

/// The same records as XML.
fn calls() -> Vec<u8> {
    let mut text = String::from("<root>\n");
    for at in 0..ROWS / 2 {
        let field = |name| {
            let value = value(name, at).replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
            if value.is_empty() { format!("<{name}/>") } else { format!("<{name}>{value}</{name}>") }
        };
        let record = HEADER.split(',').map(field).collect::<Vec<_>>().join("\n");
        text += &format!(
            "<cdr session=\"{at}\">\n<main_cdr>\n{record}\n</main_cdr>\n<sub_cdr>\n{record}\n</sub_cdr>\n</cdr>\n"
        );
    }
    text += "</root>\n";
    text.into_bytes()
}

/// The dump as one batch.
fn batch() -> RecordBatch {
    let mut decoder = Decoder::new("bench", Options::default());
    decoder.feed(&dump()).expect("a dump");
    decoder.finish().expect("a dump");
    let batches: Vec<RecordBatch> = decoder.collect();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

/// Counts what the scanner shows.
struct Counted(u32);

impl Eye for Counted {
    #[inline(always)]
    fn see(&mut self, _: usize, masks: Masks) -> bool {
        self.0 += (masks.delimiter | masks.quote | masks.eol).count_ones();
        true
    }
}

fn structure(c: &mut Criterion) {
    let text = dump();
    let mut group = c.benchmark_group("structure");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("vector", |b| {
        b.iter(|| {
            let mut counted = Counted(0);
            each(black_box(&text), b',', b'\n', &mut counted);
            counted.0
        })
    });
    group.bench_function("memchr3", |b| {
        b.iter(|| memchr::memchr3_iter(b',', b'"', b'\n', black_box(&text)).count())
    });
    group.finish();
}

fn split(c: &mut Criterion) {
    let text = dump();
    let work = block();
    let mut group = c.benchmark_group("split");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let mut splitter = Splitter::default();
    group.bench_function("csv", |b| b.iter(|| splitter.cut(black_box(&text), &work.block.layout, true)));
    let text = documents();
    let syntax = by_name("ucm-cdrapi-json").and_then(|format| format.json()).expect("a format");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("json", |b| b.iter(|| JsonSplitter::new(syntax).cut(black_box(&text), true)));
    group.bench_function("json, byte by byte", |b| {
        b.iter(|| JsonSplitter::slow(syntax).cut(black_box(&text), true))
    });
    let text = calls();
    let syntax = by_name("ucm-cdrapi-xml").and_then(|format| format.xml()).expect("a format");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("xml", |b| b.iter(|| XmlSplitter::new(syntax).cut(black_box(&text), true)));
    group.finish();
}

fn framing(c: &mut Criterion) {
    let work = block();
    let Content::Records { text, .. } = &work.block.content else { panic!("no records") };
    let mut group = c.benchmark_group("frame");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let layout = &work.block.layout;
    group.bench_function("csv", |b| b.iter(|| frame(text.clone(), &[], 0, layout.clone(), None)));
    let mut text = documents();
    text.truncate(1 << 20);
    let format = by_name("ucm-cdrapi-json").expect("a format");
    let Cut::Elements(end, elements) = JsonSplitter::new(format.json().expect("JSON")).cut(&text, false)
    else {
        panic!("no elements")
    };
    text.truncate(end);
    let layout = Arc::new(Layout::keyed(format, b'\n', &[]));
    group.throughput(Throughput::Bytes(text.len() as u64));
    for (name, frame) in [("json", json::frame as Framing), ("json, by the grammar", json::frame_carefully)] {
        group.bench_function(name, |b| {
            b.iter(|| frame(text.clone(), &elements, b"", 0, layout.clone(), How::default()))
        });
    }
    let mut text = calls();
    text.truncate(1 << 20);
    let format = by_name("ucm-cdrapi-xml").expect("a format");
    let Cut::Elements(end, elements) = XmlSplitter::new(format.xml().expect("XML")).cut(&text, false) else {
        panic!("no elements")
    };
    text.truncate(end);
    let layout = Arc::new(Layout::keyed(format, b'\n', &[]));
    group.throughput(Throughput::Bytes(text.len() as u64));
    for (name, frame) in [("xml", xml::frame as Framing), ("xml, by the grammar", xml::frame_carefully)] {
        group.bench_function(name, |b| {
            b.iter(|| frame(text.clone(), &elements, b"", 0, layout.clone(), How::default()))
        });
    }
    group.finish();
}

fn columns(c: &mut Criterion) {
    let work = block();
    let Content::Records { text, .. } = &work.block.content else { panic!("no records") };
    let options = Options::default();
    let schema = calltable::schema(calltable::TimeKind::WallClock);
    let mut group = c.benchmark_group("columns");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let framed = || frame(text.clone(), &[], 0, work.block.layout.clone(), None);
    group.bench_function("all", |b| {
        b.iter_with_setup(framed, |records| {
            build(records, &work.file, &options, &schema, Carry::behind(Baton::first()))
        })
    });
    let records = framed();
    let slot = records.layout.slot("lastdata").expect("a column");
    // What one text column costs where every value is checked again.
    group.bench_function("text, by the checked builder", |b| {
        b.iter(|| {
            let mut checked = StringViewBuilder::new();
            (0..records.len()).for_each(|at| {
                checked.append_value(std::str::from_utf8(records.value(at, slot)).expect("UTF-8"))
            });
            checked.finish()
        })
    });
    let only = Options { columns: vec![calltable::Column::Lastdata], ..Options::default() };
    let lastdata = calltable::project(&only.columns, calltable::TimeKind::WallClock);
    group.bench_function("text, by views", |b| {
        b.iter_with_setup(framed, |records| {
            build(records, &work.file, &only, &lastdata, Carry::behind(Baton::first()))
        })
    });
    group.finish();
}

fn sink(c: &mut Criterion) {
    let rows = batch();
    let workers = Workers::new(1).expect("a thread");
    let mut group = c.benchmark_group("sink");
    group.sample_size(10).throughput(Throughput::Bytes(dump().len() as u64));
    let folder = tempfile::tempdir().expect("a folder");
    let coded = vec![None; rows.num_columns()];
    // Snappy pages are all made by the parquet crate, uncompressed ones of dictionary columns by us.
    for (name, compression) in [
        ("zstd 1", Compression::Default),
        ("none, own dictionary pages", Compression::None),
        ("snappy, the crate's pages", Compression::Snappy),
    ] {
        let path = folder.path().join("bench.parquet");
        let spec = Spec {
            path: path.clone(),
            kind: Kind::Parquet,
            compression,
            row_group_rows: 250_000,
            metadata: Vec::new(),
        };
        group.bench_function(name, |b| {
            b.iter(|| {
                let out = Out::Staged(Box::new(Staged::create(&path, true).expect("an output")));
                let mut sink = open(out, &spec, rows.schema(), &workers, &Room::new(4)).expect("a sink");
                sink.write(&rows, &coded, 0).expect("rows");
                sink.finish().expect("an end").1
            })
        });
    }
    group.finish();
}

criterion_group!(benches, structure, split, framing, columns, sink);
criterion_main!(benches);
