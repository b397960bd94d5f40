//! Requests as they were sent to a PBX: which grammar a text is, and what it asks for.
//!
//! It must not know rows. A URL from a billing script is read as it stands: the path tells the
//! grammar, and scheme, host and port say nothing.
//!
//! ```text
//! request = [("http" | "https") "://" host [":" port] "/"] path ["?" query]
//! path    = … "cdrapi"                                            UCM
//!         | "ucm-web"                                             UCM's web form; ours, for it has no URL
//!         | "nexo" | … "webserve/" ("9006" | "9005" | "9004" | "20053")
//!         | "yeastar" | … "cdr/search" | … "cdr/list"
//!         | "kazoo" | … "cdrs"
//! ```
//!
//! - Without `?`, or with nothing behind it, there is no condition: every record is asked for.
//! - There are no fragments: `#` is a character of phone numbers, and stands for itself.
//! - A `/` at the end of the path says nothing.
//! - An address has no blanks, quotes or signs of comparison: so no SQL condition is taken for a request.

use std::fmt;

use super::cdrapi::{Cdrapi, Format};
use super::group::Group;
use super::kazoo::Kazoo;
use super::nexo::{Cgi, Nexo};
use super::parameter::{parameters, quoted};
use super::ucm_web::UcmWeb;
use super::yeastar::Yeastar;
use super::{Context, Expr, FilterError, Page, Purpose};

/// A request, in its own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// UCM's API.
    Cdrapi(Cdrapi),
    /// UCM's web page.
    UcmWeb(UcmWeb),
    /// Nexo's CGIs.
    Nexo(Nexo),
    /// Yeastar's API.
    Yeastar(Yeastar),
    /// Kazoo's API.
    Kazoo(Kazoo),
}

/// What a request is answered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// A UCM's API, in the format that is asked for.
    Cdrapi(Format),
    /// A UCM's web page.
    UcmWeb,
    /// One of Nexo's CGIs.
    Nexo(Cgi),
    /// Yeastar's API.
    Yeastar,
    /// Kazoo's API.
    Kazoo,
}

impl Request {
    /// Reads a request.
    pub(super) fn parse(text: &str, context: &Context, purpose: Purpose) -> Result<Request, FilterError> {
        let (grammar, query, at) = split(text)?;
        let parameters = parameters(query, at, matches!(grammar, Container::Nexo(_)))?;
        Ok(match grammar {
            Container::Cdrapi(_) => Request::Cdrapi(Cdrapi::parse(&parameters, context, purpose)?),
            Container::UcmWeb => Request::UcmWeb(UcmWeb::parse(&parameters, context)?),
            Container::Nexo(cgi) => Request::Nexo(Nexo::parse(cgi, &parameters, context, purpose)?),
            Container::Yeastar => Request::Yeastar(Yeastar::parse(&parameters, context)?),
            Container::Kazoo => Request::Kazoo(Kazoo::parse(&parameters)?),
        })
    }

    /// What it is answered in.
    pub fn container(&self) -> Container {
        match self {
            Request::Cdrapi(request) => Container::Cdrapi(request.format),
            Request::UcmWeb(_) => Container::UcmWeb,
            Request::Nexo(request) => Container::Nexo(request.cgi),
            Request::Yeastar(_) => Container::Yeastar,
            Request::Kazoo(_) => Container::Kazoo,
        }
    }

    pub(super) fn expr(&self) -> Expr {
        match self {
            Request::Cdrapi(request) => request.expr(),
            Request::UcmWeb(request) => request.expr(),
            Request::Nexo(request) => request.expr(),
            Request::Yeastar(request) => request.expr(),
            Request::Kazoo(request) => request.expr(),
        }
    }

    /// The extension group that it names.
    pub fn group(&self) -> Option<&Group> {
        match self {
            Request::UcmWeb(request) => request.extension_group.as_ref(),
            Request::Yeastar(request) => request.extension_group.as_ref(),
            Request::Cdrapi(_) | Request::Nexo(_) | Request::Kazoo(_) => None,
        }
    }

    /// The page that rows are cut to: `cdrapi`'s alone. The others page answers, and not rows.
    pub(super) fn page(&self) -> Option<Page> {
        match self {
            Request::Cdrapi(Cdrapi { offset: None, num_records: None, .. }) => None,
            Request::Cdrapi(request) => Some(Page { offset: request.offset, count: request.num_records }),
            _ => None,
        }
    }
}

/// The request in its shortest form, without its host.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Cdrapi(request) => request.fmt(f),
            Request::UcmWeb(request) => request.fmt(f),
            Request::Nexo(request) => request.fmt(f),
            Request::Yeastar(request) => request.fmt(f),
            Request::Kazoo(request) => request.fmt(f),
        }
    }
}

/// What a request is answered in, whatever else is wrong with it: a UCM goes by `format` where that is
/// given once and is one, else it is CSV. Nothing where no grammar is told.
pub fn container(text: &str) -> Option<Container> {
    let (grammar, query, _) = split(text).ok()?;
    let Container::Cdrapi(_) = grammar else { return Some(grammar) };
    // Piece by piece, for what is broken elsewhere must not hide it.
    let pieces = query.split('&').filter_map(|piece| parameters(piece, 0, false).ok()?.pop());
    let mut formats = pieces.filter(|parameter| parameter.name == "format");
    let format = match (formats.next(), formats.next()) {
        (Some(format), None) => Format::by_name(&format.value),
        _ => None,
    };
    Some(Container::Cdrapi(format.unwrap_or_default()))
}

/// The grammar, the query, and where that begins in the text.
fn split(text: &str) -> Result<(Container, &str, usize), FilterError> {
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let at = text.len() - query.len();
    match grammar(address) {
        Some(grammar) => Ok((grammar, query, at)),
        None => Err(FilterError {
            parameter: None,
            position: 0,
            rule: format!(
                "{} is the address of no request: it is `cdrapi?…` (UCM), `ucm-web?…` (UCM's web form), \
                 `nexo?…`, `yeastar?…`, `kazoo?…`, or a URL whose path is `…/cdrapi`, `…/cgi/webserve/9006` (9005, \
                 9004, 20053), `…/cdr/search` (list) or `…/cdrs`",
                quoted(address)
            ),
        }),
    }
}

fn grammar(address: &str) -> Option<Container> {
    if address.contains([' ', '\'', '"', '=', '<', '>', '(']) {
        return None;
    }
    match address {
        "ucm-web" => return Some(Container::UcmWeb),
        "nexo" => return Some(Container::Nexo(Cgi::Calls)),
        "yeastar" => return Some(Container::Yeastar),
        "kazoo" => return Some(Container::Kazoo),
        _ => {}
    }
    let path = match address.split_once("://") {
        None => address,
        Some((scheme, rest)) => {
            let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
            is_web.then_some(rest)?.split_once('/')?.1
        }
    };
    let mut steps = path.strip_suffix('/').unwrap_or(path).rsplit('/');
    match (steps.next()?, steps.next()) {
        ("cdrapi", _) => Some(Container::Cdrapi(Format::Csv)),
        (number, Some("webserve")) => Cgi::by_number(number).map(Container::Nexo),
        ("search" | "list", Some("cdr")) => Some(Container::Yeastar),
        ("cdrs", _) => Some(Container::Kazoo),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
