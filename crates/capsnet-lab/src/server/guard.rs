//! Who may ask: pages of this server, under the names that it goes by, with the token where there is one.
//!
//! A browser lets any page send requests to this machine. The `Host` that they name and the `Origin` that they come
//! from tell them: a page of another host has another origin, and one that had its own name point here (DNS rebinding)
//! has another host.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Error;

const COOKIE_NAME: &str = "capsnet-lab";
/// Scripts, styles and pictures of this server alone, and none written into the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// What requests are held against.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    port: u16,
    token: Option<String>,
}

impl Guard {
    /// For this address; other machines than this one need a token.
    pub(super) fn new(listen: SocketAddr) -> Result<Self, Error> {
        let token = if listen.ip().is_loopback() {
            None
        } else {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).map_err(|error| Error::Start(std::io::Error::other(error)))?;
            Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        };
        Ok(Self {
            port: listen.port(),
            token,
        })
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether a request may be answered.
    fn admits(&self, request: &Request) -> Result<(), (StatusCode, &'static str)> {
        let headers = request.headers();
        let host = only(headers, HOST).ok_or((StatusCode::BAD_REQUEST, "a request names one host"))?;
        if self.token.is_none() && !self.is_loopback(host) {
            return Err((StatusCode::FORBIDDEN, "this lab goes by 127.0.0.1 and localhost"));
        }
        let origins = headers.get_all(ORIGIN).iter();
        let own = format!("http://{host}");
        if origins.map(HeaderValue::to_str).any(|origin| origin.ok() != Some(&own)) {
            return Err((StatusCode::FORBIDDEN, "this lab answers its own page alone"));
        }
        match &self.token {
            Some(token) if !has_cookie(headers, token) => Err((
                StatusCode::FORBIDDEN,
                "open the address with the token that the program printed",
            )),
            _ => Ok(()),
        }
    }

    fn is_loopback(&self, host: &str) -> bool {
        let names = ["127.0.0.1", "localhost", "[::1]"];
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            // Browsers leave the port of HTTP out.
            _ => (host, Some(80)),
        };
        names.contains(&name) && port == Some(self.port)
    }

    /// The right token in the address of the page becomes a cookie, and leaves the address.
    fn lets_in(&self, request: &Request) -> Option<Response> {
        let token = self.token.as_deref()?;
        let given = request.uri().query()?.strip_prefix("token=")?;
        if request.uri().path() != "/" || !same(given, token) {
            return None;
        }
        let cookie = format!("{COOKIE_NAME}={token}; HttpOnly; SameSite=Strict; Path=/");
        Some(
            (
                StatusCode::SEE_OTHER,
                [(LOCATION, "/".to_owned()), (SET_COOKIE, cookie)],
            )
                .into_response(),
        )
    }
}

fn only(headers: &HeaderMap, name: axum::http::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn has_cookie(headers: &HeaderMap, token: &str) -> bool {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(name, value)| name == COOKIE_NAME && same(value, token))
}

/// Whether two texts are the same, in a time that doesn't tell how much of them is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// Refuses who may not ask, and puts the policies on every answer.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let entered = guard.lets_in(&request);
    let mut response = match (entered, guard.admits(&request)) {
        (Some(entered), _) => entered,
        (None, Err(refusal)) => refusal.into_response(),
        (None, Ok(())) => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Reports have a policy of their own.
    let policy = HeaderValue::from_static(POLICY);
    headers.entry("content-security-policy").or_insert(policy);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        let at = |address: &str| Guard::new(address.parse().unwrap()).unwrap();
        let guard = at("127.0.0.1:7777");
        for host in ["127.0.0.1:7777", "localhost:7777", "[::1]:7777"] {
            assert!(guard.is_loopback(host), "{host}");
        }
        for host in [
            "127.0.0.1",
            "localhost:80",
            "evil.test:7777",
            "127.0.0.1.evil.test:7777",
            "localhost:7777:7777",
            "",
        ] {
            assert!(!guard.is_loopback(host), "{host}");
        }
        assert!(at("127.0.0.1:80").is_loopback("localhost"));
        assert_eq!(at("0.0.0.0:1").token().unwrap().len(), 32);
        assert_ne!(at("0.0.0.0:1").token(), at("0.0.0.0:1").token());
    }
}
