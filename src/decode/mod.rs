//! What the names in a dump mean: channels, ports, parties, the number plan, the fixed words.
//!
//! Pure functions from a field's text to what it says. What they give is borrowed from the text
//! wherever it stands there, so decoding costs no allocation; they never fail, for a name that fits
//! no rule is data, too, and its verbatim text is kept beside it. Only what the *user* types (a
//! model, a port map, a number plan) can be wrong, and is answered with a sentence.
//!
//! Nothing here knows columns, formats or records: which field is a channel name, and where its
//! parts go, is told by the tables in `format/`.

// `facts! { check: its_name(input, expected); }` makes each line a test of its own.
#[cfg(test)]
macro_rules! facts {
    ($check:ident: $($fact:ident($($value:expr),+ $(,)?);)+) => {
        $(#[test] fn $fact() { $check($($value),+); })+
    };
}

mod channel;
mod party;
mod plan;
mod ports;
mod words;

pub(crate) use channel::Stemmed;
pub use channel::{Channel, ChannelKind, Side};
pub use party::Party;
pub use plan::{NumberPlan, destination_answerer, destination_number};
pub use ports::PortMap;
pub use words::{action_target, action_type, amaflags, call_type_word, disposition, record_files};

/// The text without the blanks around it; blank text says nothing.
fn given(text: &str) -> Option<&str> {
    let text = text.trim_ascii();
    (!text.is_empty()).then_some(text)
}
