//! URLs: absolute ones, and absolute paths.
//!
//! In: text as Go's `net/url` reads it, which Kubernetes' CEL calls. Out: the parts of a URL. Must never know: expressions.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::ScalarError;

/// A URL in its parts.
#[derive(Clone, Debug)]
pub struct Url {
    /// In lower case; empty for an absolute path.
    pub scheme: String,
    /// With its port, an address of IPv6 in brackets; unescaped.
    pub host: String,
    /// Whether a place for a host was written, even an empty one: `file:///etc`.
    has_authority: bool,
    /// `user:password`, escaped.
    user: Option<String>,
    /// Escaped.
    pub path: String,
    /// What follows a scheme without a slash: `example` of `mailto:example`.
    opaque: Option<String>,
    /// What follows the question mark, if there is one; escaped.
    query: Option<String>,
    /// What follows the `#`; escaped.
    fragment: String,
}

/// Where in a URL a text stands, which decides what must be escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    User,
    Host,
    Zone,
    Path,
    Query,
    Fragment,
}

const EMPTY: ScalarError = ScalarError("not a URL: it is empty");
const RELATIVE: ScalarError =
    ScalarError("not a URL: it must have a scheme, such as https://example.com, or begin with /");
const CONTROL: ScalarError = ScalarError("not a URL: it has a control character");
const NO_SCHEME: ScalarError = ScalarError("not a URL: nothing stands before the first colon");
const BAD_USER: ScalarError =
    ScalarError("not a URL: what stands before @ has characters that must be escaped");
const BAD_HOST: ScalarError = ScalarError("not a URL: the host is invalid");
const BAD_PORT: ScalarError = ScalarError("not a URL: the port is no number");
const BAD_ESCAPE: ScalarError = ScalarError("not a URL: a % is not followed by two hexadecimal digits");

// === impl Url ===

impl Url {
    /// Reads an absolute URL, or an absolute path.
    ///
    /// # Errors
    ///
    /// If the text is neither.
    pub fn parse(text: &str) -> Result<Self, ScalarError> {
        // As a request it must be absolute; what it means is read without its fragment, which requests do not have.
        read(text, true)?;
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = read(before, false)?;
        let unescaped = unescape(fragment, Place::Fragment)?;
        url.fragment = keep_or_escape(fragment, &unescaped, Place::Fragment);
        Ok(url)
    }

    /// Whether the text is one, however its fragment is escaped.
    pub fn is_valid(text: &str) -> bool {
        read(text, true).is_ok()
    }

    /// Why the text is none.
    pub fn fault(text: &str) -> Option<ScalarError> {
        read(text, true).err()
    }

    /// The host without port and brackets.
    pub fn hostname(&self) -> &str {
        let host = &self.host[..self.host.len() - self.port_with_colon().len()];
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port in digits, or nothing.
    pub fn port(&self) -> &str {
        self.port_with_colon().trim_start_matches(':')
    }

    fn port_with_colon(&self) -> &str {
        let colon = self.host.rfind(':').unwrap_or(self.host.len());
        let port = &self.host[colon..];
        if is_port(port) { port } else { "" }
    }

    /// The parameters of the query in order, unescaped. What cannot be unescaped, and what holds a semicolon, is left out.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let query = self.query.as_deref().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        pairs.filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |part| unescape(part, Place::Query).ok().map(|bytes| lossy(&bytes));
            Some((text(name)?, text(value)?))
        })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        match &self.opaque {
            Some(opaque) => f.write_str(opaque)?,
            None => {
                let named = !self.host.is_empty() || self.user.is_some();
                if named || (self.has_authority && !self.path.is_empty()) {
                    f.write_str("//")?;
                }
                if let Some(user) = &self.user {
                    write!(f, "{user}@")?;
                }
                f.write_str(&escape(self.host.as_bytes(), Place::Host))?;
                f.write_str(&self.path)?;
            }
        }
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        if self.fragment.is_empty() { Ok(()) } else { write!(f, "#{}", self.fragment) }
    }
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

fn read(text: &str, request: bool) -> Result<Url, ScalarError> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(CONTROL);
    }
    if text.is_empty() {
        return Err(EMPTY);
    }
    let mut url = Url {
        scheme: String::new(),
        host: String::new(),
        has_authority: false,
        user: None,
        path: String::new(),
        opaque: None,
        query: None,
        fragment: String::new(),
    };
    if text == "*" {
        url.path = "*".to_owned();
        return Ok(url);
    }
    let (scheme, rest) = split_scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    url.query = query.map(str::to_owned);
    if !rest.starts_with('/') {
        if scheme.is_empty() {
            return Err(RELATIVE);
        }
        url.opaque = Some(rest.to_owned());
        return Ok(url);
    }
    let may_have_host = !scheme.is_empty() || (!request && !rest.starts_with("///"));
    let rest = match rest.strip_prefix("//").filter(|_| may_have_host) {
        Some(authority) => {
            let end = authority.find('/').unwrap_or(authority.len());
            url.has_authority = true;
            read_authority(&mut url, &authority[..end])?;
            &authority[end..]
        }
        None => rest,
    };
    let path = unescape(rest, Place::Path)?;
    url.path = keep_or_escape(rest, &path, Place::Path);
    Ok(url)
}

/// What stands before the first colon, if that can be a scheme.
fn split_scheme(text: &str) -> Result<(&str, &str), ScalarError> {
    let end = text.bytes().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(&byte));
    match end.filter(|end| text.as_bytes()[*end] == b':') {
        Some(0) => Err(NO_SCHEME),
        Some(end) if text.as_bytes()[0].is_ascii_alphabetic() => Ok((&text[..end], &text[end + 1..])),
        _ => Ok(("", text)),
    }
}

fn read_authority(url: &mut Url, authority: &str) -> Result<(), ScalarError> {
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(a, b)| (Some(a), b));
    url.host = read_host(&url.scheme, host)?;
    if let Some(user) = user {
        if !user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)) {
            return Err(BAD_USER);
        }
        let (name, password) = user.split_once(':').map_or((user, None), |(a, b)| (a, Some(b)));
        let mut written = escape(&unescape(name, Place::User)?, Place::User);
        if let Some(password) = password {
            written.push(':');
            written.push_str(&escape(&unescape(password, Place::User)?, Place::User));
        }
        url.user = Some(written);
    }
    Ok(())
}

fn read_host(scheme: &str, host: &str) -> Result<String, ScalarError> {
    match host.rfind('[') {
        Some(0) => {
            let (address, port) = host[1..].rsplit_once(']').ok_or(BAD_HOST)?;
            if !is_port(port) {
                return Err(BAD_PORT);
            }
            let (address, zone) = address.split_at(address.find("%25").unwrap_or(address.len()));
            let address = lossy(&unescape(address, Place::Host)?);
            let zone = lossy(&unescape(zone, Place::Zone)?);
            if address.parse::<Ipv6Addr>().is_err() || zone == "%" {
                return Err(BAD_HOST);
            }
            Ok(format!("[{address}{zone}]{port}"))
        }
        Some(_) => Err(BAD_HOST),
        None => {
            let first = host.find(':').unwrap_or(host.len());
            // Only where the scheme is not HTTP may a host have several colons.
            let strict = matches!(scheme, "http" | "https");
            let colon = if strict { first } else { host.rfind(':').unwrap_or(first) };
            if !is_port(&host[colon..]) {
                return Err(BAD_PORT);
            }
            Ok(lossy(&unescape(host, Place::Host)?))
        }
    }
}

/// Nothing, or a colon and digits.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn unescape(text: &str, place: Place) -> Result<Cow<'_, [u8]>, ScalarError> {
    let (bytes, in_host) = (text.as_bytes(), matches!(place, Place::Host | Place::Zone));
    if in_host && bytes.iter().any(|&byte| byte != b'%' && byte < 0x80 && is_escaped(byte, place)) {
        return Err(BAD_HOST);
    }
    let plus = place == Place::Query && bytes.contains(&b'+');
    if !bytes.contains(&b'%') && !plus {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'%' => {
                let (high, low) = digits(rest).ok_or(BAD_ESCAPE)?;
                let value = high << 4 | low;
                // In a host only what is beyond ASCII may be escaped, in a zone also what may stand there as it is.
                let allowed = match place {
                    Place::Host => value >= 0x80 || value == b'%',
                    Place::Zone => value == b'%' || value == b' ' || !is_escaped(value, Place::Host),
                    _ => true,
                };
                if !allowed {
                    return Err(BAD_HOST);
                }
                out.push(value);
                rest = &rest[2..];
            }
            b'+' if plus => out.push(b' '),
            byte => out.push(*byte),
        }
    }
    Ok(Cow::Owned(out))
}

fn digits(bytes: &[u8]) -> Option<(u8, u8)> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match bytes {
        [high, low, ..] => Some((digit(*high)?, digit(*low)?)),
        _ => None,
    }
}

/// A text as it was written, unless it holds what must be escaped.
fn keep_or_escape(written: &str, unescaped: &[u8], place: Place) -> String {
    let fine = |byte: u8| byte == b'%' || b"!$&'()*+,;=:@[]".contains(&byte) || !is_escaped(byte, place);
    if written.bytes().all(fine) { written.to_owned() } else { escape(unescaped, place) }
}

fn escape(bytes: &[u8], place: Place) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if is_escaped(byte, place) {
            out.push_str(&format!("%{byte:02X}"));
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// Whether a character must be escaped to stand there.
fn is_escaped(byte: u8, place: Place) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let allowed: &[u8] = match place {
        Place::User => b"$&+,;=",
        Place::Host | Place::Zone => b"!$&'()*+,;=:[]<>\"",
        Place::Path => b"$&+,/:;=@",
        Place::Query => b"",
        Place::Fragment => b"$&+,/:;=?@!()*",
    };
    !allowed.contains(&byte)
}
