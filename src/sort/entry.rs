//! An entry: a key and a value, bytes both, as they stand in memory and on disk.
//!
//! ```text
//! length of the key, u32 │ length of the value, u32 │ key │ value
//! ```

/// What is sorted, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Compared byte by byte.
    pub key: &'a [u8],
    /// Goes with it.
    pub value: &'a [u8],
}

const LENGTHS: usize = 8;

impl<'a> Entry<'a> {
    /// Appends an entry, whose value is what `value` appends.
    pub fn append(out: &mut Vec<u8>, key: &[u8], value: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        out.extend_from_slice(&[0; LENGTHS]);
        out.extend_from_slice(key);
        let value_at = out.len();
        value(out);
        let value_len = out.len() - value_at;
        out[start..start + 4].copy_from_slice(&length(key.len()));
        out[start + 4..start + 8].copy_from_slice(&length(value_len));
    }

    /// The entry that begins there, and where the next one does; none where the bytes end before it.
    pub fn read(bytes: &'a [u8], at: usize) -> Option<(Entry<'a>, usize)> {
        let key_len = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize;
        let value_len = u32::from_le_bytes(*bytes.get(at + 4..)?.first_chunk()?) as usize;
        let key_at = at + LENGTHS;
        let value_at = key_at + key_len;
        let end = value_at + value_len;
        Some((Entry { key: bytes.get(key_at..value_at)?, value: bytes.get(value_at..end)? }, end))
    }
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a record is bounded, and its row is far below 4 GiB").to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_one_behind_the_other() {
        let pairs: [(&[u8], &[u8]); 4] = [(b"key", b"value"), (b"", b""), (b"k", b""), (b"", b"v")];
        let mut bytes = Vec::new();
        pairs.iter().for_each(|(key, value)| {
            Entry::append(&mut bytes, key, |out| out.extend_from_slice(value));
        });
        let mut at = 0;
        for (key, value) in pairs {
            let (entry, next) = Entry::read(&bytes, at).unwrap();
            assert_eq!(entry, Entry { key, value });
            at = next;
        }
        assert_eq!(at, bytes.len());
        assert_eq!(Entry::read(&bytes, at), None);
    }

    #[test]
    fn an_entry_that_is_cut_is_none() {
        let mut bytes = Vec::new();
        Entry::append(&mut bytes, b"key", |out| out.extend_from_slice(b"value"));
        for end in 0..bytes.len() {
            assert_eq!(Entry::read(&bytes[..end], 0), None, "{end}");
        }
    }
}
