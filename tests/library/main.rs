//! The library as an embedder uses it: what the builder takes, what reader and decoder give, and what
//! `convert` leaves behind. That dumps are read right is tested elsewhere; here it is how one gets at it.

mod convert;
mod decoder;
mod reader;
mod stop;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use calltable::decode::{ChannelKind, PortMap};
use calltable::sink::text_csv;
use calltable::{Builder, COLUMNS, Channel, Column, ErrorKind, Reader, TimeKind, schema};
use tempfile::TempDir;

const GOOD: &str = "AcctId,src,dst,start,duration\n\
                    1,2001,2002,2024-05-17 12:34:56,64\n\
                    2,2002,s,2024-05-18 12:34:56,5\n";
const BAD: &str = "AcctId,src,dst,start,duration\n\
                   1,2001,2002,2024-05-17 12:34:56,64\n\
                   2,2001,2002,2024-05-17 12:34:56,abc\n\
                   3,2001\n\
                   4,2001,2002,2024-05-17 12:34:56,64\n";
const NEXO: &str = "Date,Source,Destination,Src. Trunk,Duration\n2021-05-07 01:05:02,101,620(102),pstn2,6s\n";
const KAZOO: &str = "id,call_id,duration_seconds,timestamp,media_server\na,b,7,63752000000,c\n";
const WEB: &str =
    "Caller Number,Callee Number,Start Time,CDR\n1,2,3/4/2018 9:05,main_cdr\n1,2,3/4/2018 9:05,sub_cdr_1\n";
const GBK: &[u8] = b"AcctId,src,dst,caller_name\n1,2001,2002,\xd6\xd0\n";
const DAHDI: &str = "AcctId,src,dst,channel\n1,2001,2002,DAHDI/5-1\n";
const PAGE: &str = "<!DOCTYPE html><html><title>Login</title></html>\n";

/// A folder of a test's own.
struct Folder(TempDir);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(TempDir::new().unwrap());
        files.iter().for_each(|(name, text)| fs::write(folder.at(name), text).unwrap());
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The names of all files that stand in it.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn only(columns: &[Column]) -> Builder {
    Reader::builder().threads(2).columns(columns)
}

fn brought(builder: Builder, text: impl Into<Vec<u8>>) -> Reader {
    builder.read("dump", Cursor::new(text.into())).unwrap()
}

/// Rows as lines of CSV.
fn text(rows: &RecordBatch) -> String {
    let mut text = Vec::new();
    text_csv::rows(rows, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[track_caller]
fn wrong<T>(result: calltable::Result<T>, kind: ErrorKind, words: &[&str]) {
    let Err(error) = result else { panic!("{words:?}: is not refused") };
    assert_eq!(error.kind(), kind, "{error}");
    words.iter().for_each(|word| assert!(error.to_string().contains(word), "{word:?} is not said: {error}"));
}

// The table, and one name.

#[test]
fn the_schema_is_the_table() {
    let (clock, instant) = (schema(TimeKind::WallClock), schema(TimeKind::Instant));
    assert!(clock.fields().iter().map(|field| &**field.name()).eq(COLUMNS.map(|column| column.name)));
    let differ = clock.fields().iter().zip(instant.fields()).filter(|(one, other)| one != other);
    assert_eq!(differ.map(|(one, _)| &**one.name()).collect::<Vec<_>>(), ["start", "answer", "end"]);
}

#[test]
fn a_channel_is_read_without_a_dump() {
    let channel = Channel::parse("PJSIP/trunk_1/5551234-0000001b");
    assert_eq!((channel.kind, channel.tech), (Some(ChannelKind::TrunkOut), Some("PJSIP")));
    assert_eq!((channel.trunk, channel.dialed, channel.peer), (Some("trunk_1"), Some("5551234"), None));
    let ports = PortMap::of_model("UCM6204").unwrap();
    assert_eq!(Channel::parse("DAHDI/3-1").kind, Some(ChannelKind::Analog));
    assert_eq!(Channel::parse_with("DAHDI/3-1", &ports).kind, Some(ChannelKind::Fxo));
    assert_eq!(Channel::parse(""), Channel::default());
}
