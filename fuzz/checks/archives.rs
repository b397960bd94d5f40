//! Packed inputs: whatever the bytes are, reading them ends; and where a packed dump was damaged, its rows are the
//! clean ones, or something is told. Never fewer rows without a word.

use std::collections::HashMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use calltable::sink::text_csv;
use calltable::{Column, Reader};

/// How formats begin, for bytes that would hardly come upon that.
const MAGICS: [&[u8]; 8] = [
    b"",
    b"\x1F\x8B\x08\0",
    b"\x28\xB5\x2F\xFD",
    b"BZh91AY&SY",
    b"\xFD7zXZ\0",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"{\"source\":\"a\",\"format\":\"ucm-cdrapi-csv\",\"record\":1,\"reason\":\"x\",",
];

/// Rows by the first two bytes of the data.
type Known = Mutex<HashMap<(u8, u8), Vec<String>>>;

/// Those of what is not damaged.
static KNOWN: LazyLock<Known> = LazyLock::new(Mutex::default);

/// What was read.
struct Read {
    rows: Vec<String>,
    /// An error, a warning, a reject, or what was passed over.
    is_told: bool,
}

fn read(reader: calltable::Result<Reader>) -> Read {
    let mut rows = Vec::new();
    let Ok(mut reader) = reader else { return Read { rows, is_told: true } };
    let mut is_told = false;
    while let Some(batch) = reader.next() {
        is_told |= batch.is_err() || !reader.rejects().is_empty();
        if let Ok(batch) = batch {
            let mut text = Vec::new();
            text_csv::rows(&batch, &mut text).expect("memory can be written");
            rows.extend(String::from_utf8_lossy(&text).lines().map(str::to_string));
        }
    }
    is_told |= !reader.take_warnings().is_empty() || !reader.skipped().is_empty();
    Read { rows, is_told }
}

fn builder() -> calltable::Builder {
    Reader::builder().threads(1).columns(&[Column::RecordId, Column::Src, Column::Dst, Column::Start])
}

fn read_stream(bytes: &[u8]) -> Read {
    read(builder().read("fuzz", Cursor::new(bytes.to_vec())))
}

fn read_file(bytes: &[u8]) -> Read {
    let path: PathBuf = std::env::temp_dir().join(format!("calltable-fuzz-{}", std::process::id()));
    fs::write(&path, bytes).expect("there is room");
    let found = read(builder().open(&path));
    fs::remove_file(&path).expect("it is there");
    found
}

/// A small dump; one in so many is larger than a buffer.
fn dump(size: u8) -> Vec<u8> {
    let records = if size == 255 { 7_000 } else { u32::from(size) % 40 };
    let mut text = b"AcctId,src,dst,start,duration\n".to_vec();
    for at in 0..records {
        writeln!(text, "{at},{},2002,2024-05-17 12:34:56,64", at.wrapping_mul(2_654_435_761))
            .expect("memory");
    }
    text
}

/// How a dump is packed.
#[derive(Clone, Copy, PartialEq)]
enum Packing {
    Gzip,
    GzipMembers,
    Zstd,
    Bzip2,
    Xz,
    ZstdInGzip,
    Tar,
    TarInZstd,
    Zip,
    ZipStored,
}

const PACKINGS: [Packing; 10] = [
    Packing::Gzip,
    Packing::GzipMembers,
    Packing::Zstd,
    Packing::Bzip2,
    Packing::Xz,
    Packing::ZstdInGzip,
    Packing::Tar,
    Packing::TarInZstd,
    Packing::Zip,
    Packing::ZipStored,
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut out = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("a level");
    out.include_checksum(true).expect("a setting");
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for name in ["a.csv", "folder/b.csv"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        out.append_data(&mut header, name, bytes).expect("memory");
    }
    out.into_inner().expect("memory")
}

fn zip(bytes: &[u8], method: zip::CompressionMethod) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for name in ["a.csv", "b.csv"] {
        out.start_file(name, options).expect("memory");
        out.write_all(bytes).expect("memory");
    }
    out.finish().expect("memory").into_inner()
}

fn packed(dump: &[u8], packing: Packing) -> Vec<u8> {
    match packing {
        Packing::Gzip => gzip(dump),
        Packing::GzipMembers => dump.chunks(dump.len() / 2 + 1).flat_map(gzip).collect(),
        Packing::Zstd => zstd(dump),
        Packing::Bzip2 => {
            let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            out.write_all(dump).expect("memory");
            out.finish().expect("memory")
        }
        Packing::Xz => {
            let mut out = liblzma::write::XzEncoder::new(Vec::new(), 0);
            out.write_all(dump).expect("memory");
            out.finish().expect("memory")
        }
        Packing::ZstdInGzip => gzip(&zstd(dump)),
        Packing::Tar => tar(dump),
        Packing::TarInZstd => zstd(&tar(dump)),
        Packing::Zip => zip(dump, zip::CompressionMethod::Deflated),
        Packing::ZipStored => zip(dump, zip::CompressionMethod::Stored),
    }
}

/// Damages the bytes as four bytes say, if they do; comes back with whether it only cut them.
fn damage(bytes: &mut Vec<u8>, how: &[u8]) -> bool {
    let [kind, high, low, value] = *how else { return true };
    if bytes.is_empty() {
        return true;
    }
    // From the front or from the end: an archive's list stands there.
    let at = usize::from(u16::from_be_bytes([high, low]));
    let at = if kind & 8 == 0 { at % bytes.len() } else { bytes.len() - 1 - at % bytes.len() };
    match kind % 4 {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= value.max(1),
        2 => bytes.insert(at, value),
        _ => drop(bytes.drain(at..(at + 1 + usize::from(value)).min(bytes.len()))),
    }
    kind % 4 == 0
}

/// Panics where something is wrong.
pub fn check(data: &[u8]) {
    let [mode, size, rest @ ..] = data else { return };
    if mode % 4 == 0 {
        let bytes = [MAGICS[usize::from(*size) % MAGICS.len()], rest].concat();
        read_stream(&bytes);
        read_file(&bytes);
        return;
    }
    let packing = PACKINGS[usize::from(*mode / 4) % PACKINGS.len()];
    let dump = dump(*size);
    let clean = packed(&dump, packing);
    let mut bytes = clean.clone();
    let mut is_only_cut = true;
    for how in rest.chunks(4).take(4) {
        is_only_cut &= damage(&mut bytes, how);
    }
    let read = if mode % 4 == 1 { read_stream } else { read_file };
    let mut known = KNOWN.lock().expect("a fault ends it all");
    let rows = known.entry((*mode, *size)).or_insert_with(|| {
        let read = read(&clean);
        assert!(!read.is_told || dump.len() < 32, "what is clean is doubted");
        read.rows
    });
    let found = read(&bytes);
    // What a tar holds has no sum: what was changed there cannot be told.
    if packing != Packing::Tar || is_only_cut {
        assert!(found.is_told || found.rows == *rows, "{} of {} rows", found.rows.len(), rows.len());
    }
    if is_only_cut {
        assert!(rows.starts_with(&found.rows), "rows that are none of the dump's");
    }
}
