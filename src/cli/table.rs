//! Figures and tables as people read them: `1,234`, `5.6 MB`, columns one below the other.

use super::say::visible;

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 row`, `1,234 rows`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `5.6 MB`, in powers of ten.
pub(crate) fn bytes(number: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match units.into_iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", number as f64 / size as f64),
        None => counted(number, "byte"),
    }
}

/// The rows as lines, each column as wide as its widest text; those in `right` are numbers.
pub(crate) fn aligned<const N: usize>(rows: &[[String; N]], right: &[usize]) -> Vec<String> {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|text| visible(text))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (text, &width))| {
            if right.contains(&column) { format!("{text:>width$}") } else { format!("{text:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 1, 999, 1000, 5_640_000].map(bytes),
            ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "5.6 MB"]
        );
        assert_eq!([1, 2].map(|number| counted(number, "row")), ["1 row", "2 rows"]);
    }

    #[test]
    fn columns_stand_one_below_the_other() {
        let rows = [["a", "1", "x"], ["béé", "23", ""]].map(|row| row.map(str::to_string));
        assert_eq!(aligned(&rows, &[1]), ["a     1  x", "béé  23"]);
    }
}
