//! Folders of a dataset as hive names them: `disposition=BUSY/year=2024`.
//!
//! Values are percent-encoded: all but ASCII letters, digits and `-._~`, as every reader of such folders decodes
//! them. It must not know columns or files.

/// What a null becomes.
pub const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A folder within another.
pub fn level(parent: &str, name: &str, value: Option<&str>) -> String {
    let separator = if parent.is_empty() { "" } else { "/" };
    // A text without a letter would be no folder's name that readers agree on.
    let value = value.filter(|value| !value.is_empty());
    format!("{parent}{separator}{name}={}", value.map_or(NULL.to_string(), encoded))
}

/// What the name of one folder says of all that is in it: the other way of [`level`].
pub fn read_level(folder: &str) -> Option<(&str, Option<String>)> {
    let (name, value) = folder.split_once('=')?;
    Some((name, (value != NULL).then(|| decoded(value))))
}

fn encoded(value: &str) -> String {
    if value == NULL {
        // Else it would be read as null.
        return NULL.replacen('_', "%5F", 1);
    }
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// What nothing of ours can have written stands for itself.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits =
            behind.get(..2).filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(byte));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_folder_tells_the_value_that_named_it(
            value in proptest::option::of("[a%=/ é._+2F]{1,8}|__HIVE_DEFAULT_PARTITION__"),
        ) {
            let folder = level("", "call_type", value.as_deref());
            prop_assert_eq!(read_level(&folder), Some(("call_type", value)));
        }
    }

    #[test]
    fn what_others_named_stands_for_itself() {
        assert_eq!(read_level("calls"), None);
        for (folder, value) in
            [("v=100%", "100%"), ("v=%zz%+2%4", "%zz%+2%4"), ("v=%FF", "%FF"), ("v=", ""), ("v=a=b", "a=b")]
        {
            assert_eq!(read_level(folder), Some(("v", Some(value.to_string()))));
        }
        assert_eq!(read_level("v=__HIVE_DEFAULT_PARTITION__"), Some(("v", None)));
    }
}
