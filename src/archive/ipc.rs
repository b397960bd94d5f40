//! Arrow IPC files and streams: all batches, the wanted columns of each.

use std::fs::File;
use std::io::{BufReader, Seek};

use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};

use super::{Parts, indexes};
use crate::schema::Column;
use crate::source::Bytes;

/// The batches of a file.
pub(super) fn file(file: File, columns: &[Column]) -> Result<Parts, String> {
    let open = |file, projection| FileReader::try_new_buffered(file, projection).map_err(broken);
    let mut file = file;
    let wanted = {
        let reader = open(file.try_clone().map_err(|error| error.to_string())?, None)?;
        indexes(&reader.schema(), columns)?
    };
    file.rewind().map_err(|error| error.to_string())?;
    Ok(Box::new(open(file, Some(wanted))?.map(|batch| Ok((batch.map_err(broken)?, true)))))
}

/// The batches of a stream; its schema comes first, so the projection is made on each batch.
pub(super) fn stream(bytes: Bytes, columns: &[Column]) -> Result<Parts, String> {
    let reader = StreamReader::try_new(BufReader::new(bytes), None).map_err(broken)?;
    let wanted = indexes(&reader.schema(), columns)?;
    Ok(Box::new(reader.map(move |batch| {
        let batch = batch.and_then(|batch| batch.project(&wanted));
        Ok((batch.map_err(broken)?, true))
    })))
}

fn broken(error: ArrowError) -> String {
    format!("is broken: {error}")
}
