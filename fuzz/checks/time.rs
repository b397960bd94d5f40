//! Times and durations: the fast reading of the common shape equals the careful one, what a text
//! says of the order is how it then reads, and whole seconds read back.

use calltable::time::{DateOrder, Evidence, epoch_of_id, order_evidence, read_seconds, read_time};

/// Panics where something is wrong.
pub fn check(text: &[u8]) {
    let (month, day) = (DateOrder::MonthFirst, DateOrder::DayFirst);
    // A blank before it keeps a text from the fast way.
    let careful = [b" ", text].concat();
    for order in [month, day] {
        assert_eq!(read_time(text, order), read_time(&careful, order));
    }
    match order_evidence(text) {
        Evidence::None => assert_eq!(read_time(text, month), read_time(text, day)),
        Evidence::Ambiguous { month_first, day_first } => {
            assert_eq!(
                read_time(text, month).map(|time| time.map(|time| time.micros)),
                Ok(Some(month_first))
            );
            assert_eq!(read_time(text, day).map(|time| time.map(|time| time.micros)), Ok(Some(day_first)));
        }
        Evidence::MonthFirst => assert!(read_time(text, month).is_ok() && read_time(text, day).is_err()),
        Evidence::DayFirst => assert!(read_time(text, day).is_ok() && read_time(text, month).is_err()),
    }
    assert_eq!(read_seconds(text), read_seconds(&careful));
    if let Ok(Some(seconds)) = read_seconds(text) {
        assert_eq!(read_seconds(seconds.to_string().as_bytes()), Ok(Some(seconds)));
    }
    let _ = epoch_of_id(text);
}
