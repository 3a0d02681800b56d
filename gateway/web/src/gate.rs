//! The gate before every route: which account asks, and may it? One table decides (`permission`).
//!
//! Also what a browser of somebody else's page must not do: a foreign `Host`, a request across sites, a body that is
//! a form.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, ORIGIN, TRANSFER_ENCODING,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use linli_accounts::rules::permission::Permission;
use linli_accounts::rules::role::Role;
use linli_accounts::{Accounts, LiveSession, Validity};
use linli_config::{LocalAccount, Worker};
use linli_domain::Id;
use linli_domain::caller::{Caller, Login, Screen};
use linli_listen::UnixPeer;
use ring::digest::{SHA256, digest};
use tokio::sync::watch;

use crate::permission::{Needs, needs};
use crate::{KnownPlaces, Problem};

/// Delay of the answer to a wrong token, which slows guessing.
const WRONG_TOKEN_DELAY: Duration = Duration::from_millis(500);

/// Header of requests that a page makes by itself: they keep no session from idling.
const UNATTENDED: &str = "linli-unattended";

/// Accounts with a token, of the current configuration.
pub type Workers = watch::Receiver<Arc<Vec<Worker>>>;

/// Accounts of users of this machine, of the current configuration.
pub type LocalAccounts = watch::Receiver<Arc<Vec<LocalAccount>>>;

/// What the gate needs to know.
#[derive(Clone)]
pub struct Gate {
    /// Accounts of people.
    pub accounts: Accounts,
    /// Accounts with a token.
    pub workers: Workers,
    /// Accounts of users of this machine.
    pub locals: LocalAccounts,
    /// What the configuration names.
    pub known: KnownPlaces,
    /// Where requests come in.
    pub listener: ListenerKind,
}

/// Where requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// The network listener.
    Network {
        /// Whether it has TLS: cookies are then named and marked so.
        is_tls: bool,
    },
    /// The control socket.
    Control,
}

/// The caller, as records name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who(pub Caller);

/// Who asks, and what they may do.
#[derive(Debug, Clone)]
pub struct Principal {
    /// As records name it.
    pub caller: Caller,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Its session, if it logged in.
    pub session: Option<Arc<LiveSession>>,
    /// Whether the session is locked: it then shows what a screen without a person shows.
    pub is_locked: bool,
    /// The enrolled screen where it is.
    pub screen: Option<Id>,
}

/// Why a request is refused before its route is looked at.
enum Denied {
    /// A token that belongs to nobody.
    WrongToken,
    /// For another reason.
    Problem(Problem),
}

/// The address of a request, for records and delays.
#[derive(Debug, Clone)]
pub struct Origin(pub String);

// === impl Who ===

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(not_logged_in)
    }
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self("unknown".to_owned())))
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(not_logged_in)
    }
}

// === impl Principal ===

impl Principal {
    fn of(caller: Caller, roles: Vec<Role>) -> Self {
        Self { caller, roles, session: None, is_locked: false, screen: None }
    }

    /// Whether it may do something now.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        match self.is_locked {
            true => permission == Permission::Own || permission.is_allowed(&[Role::Screen]),
            false => permission.is_allowed(&self.roles),
        }
    }
}

/// The problem of a request without an account.
fn not_logged_in() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "须登录 this needs a log-in: POST /api/v1/session, `linli login NAME`, or \"Authorization: Bearer TOKEN\" of a [[worker]]",
    )
}

/// The middleware.
pub async fn enter(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let from = address(&request);
    request.extensions_mut().insert(Origin(from.clone()));
    if !gate.is_control()
        && let Err(problem) = gate.is_of_this_site(&request)
    {
        return problem.into_response();
    }
    let principal = match gate.identify(&request) {
        Ok(principal) => principal,
        Err(Denied::Problem(problem)) => return problem.into_response(),
        Err(Denied::WrongToken) => {
            let _ = gate.accounts.wrong_token(&from).await;
            tokio::time::sleep(WRONG_TOKEN_DELAY).await;
            return Problem::new(StatusCode::UNAUTHORIZED, "this token belongs to no worker").into_response();
        }
    };
    let path = request.uri().path().to_owned();
    match needs(request.method(), &path) {
        // What is no route is an address of a view of the screens, which exists in the browser only, or nothing.
        None if !path.starts_with("/api") => {}
        None => return Problem::new(StatusCode::NOT_FOUND, "no such path; GET / lists them").into_response(),
        Some(Needs::Nothing) => {}
        // On the box, whoever stands there stops; the record names the user of the machine.
        Some(Needs::Allowed(Permission::Stop)) if gate.is_control() => {}
        Some(Needs::Allowed(permission)) => match &principal {
            None => return not_logged_in().into_response(),
            Some(principal) if !principal.may(permission) => {
                return forbidden(principal, permission).into_response();
            }
            Some(_) => {}
        },
    }
    if !gate.is_control()
        && let Err(problem) = gate.is_no_form(request.headers())
    {
        return problem.into_response();
    }
    if let Some(mut principal) = principal {
        if let Some(session) = principal.session.as_ref().filter(|_| needs_two(&path)) {
            principal.caller.is_renewed = gate.accounts.access.take_renewal(session);
        }
        request.extensions_mut().insert(Who(principal.caller.clone()));
        request.extensions_mut().insert(principal);
    }
    next.run(request).await
}

/// Whether the act of this path is one that a second person completes, with the secret entered again.
fn needs_two(path: &str) -> bool {
    path == "/api/v1/mode/order" || path.starts_with("/api/v1/mode/drafts/")
}

fn forbidden(principal: &Principal, permission: Permission) -> Problem {
    if principal.is_locked {
        return Problem::new(
            StatusCode::FORBIDDEN,
            "已锁定，请输入 PIN the screen is locked: POST /api/v1/session/renew with the PIN",
        );
    }
    let words: Vec<&str> = permission.roles().iter().map(|role| role.as_str()).collect();
    let why = format!(
        "{} 无权 may not：{}；须有角色 one of these roles may: {}",
        principal.caller.account,
        permission.words(),
        words.join(", ")
    );
    Problem::new(StatusCode::FORBIDDEN, why)
}

/// Address of the peer; the control socket is one address.
fn address(request: &Request) -> String {
    let extensions = request.extensions();
    let network =
        extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    network.map_or_else(|| "local socket".to_owned(), |address| network_of(address).to_string())
}

/// All IPv6 addresses of one network (/64) are those of one peer.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) if !address.is_loopback() => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address => address,
    }
}

// === impl ListenerKind ===

impl ListenerKind {
    /// Whether what passes is encrypted.
    #[must_use]
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Network { is_tls: true })
    }
}

// === impl Gate ===

impl Gate {
    /// Whether it is the control socket.
    fn is_control(&self) -> bool {
        self.listener == ListenerKind::Control
    }

    /// Name of the cookie of a session, or of a screen.
    #[must_use]
    pub const fn cookie(&self, is_screen: bool) -> &'static str {
        match (self.listener.is_tls(), is_screen) {
            (true, false) => "__Host-linli",
            (true, true) => "__Host-linli-screen",
            (false, false) => "linli-session",
            (false, true) => "linli-screen",
        }
    }

    /// Refuses what the page of another site makes a browser send.
    fn is_of_this_site(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        let host = host(headers, request.uri()).unwrap_or_default();
        if !self.is_own_name(&host) {
            let why = format!(
                "{:?} 不是本网关的名称 is no name of this gateway; add it to [web] names in gateway.toml",
                host.chars().take(64).collect::<String>()
            );
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, why));
        }
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_same_site = match (text("sec-fetch-site"), headers.get(ORIGIN)) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => origin.to_str().is_ok_and(|origin| {
                origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(&host))
            }),
            (None, None) => true,
        };
        if !is_same_site {
            let why = "跨站请求被拒绝 a request from the page of another site is refused";
            return Err(Problem::new(StatusCode::FORBIDDEN, why));
        }
        Ok(())
    }

    /// Refuses a body that the form of another site's page can make.
    fn is_no_form(&self, headers: &HeaderMap) -> Result<(), Problem> {
        // A program that names its token is no browser with somebody else's page.
        if headers.contains_key(AUTHORIZATION) || !has_body(headers) {
            return Ok(());
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.starts_with("application/") && kind != "application/x-www-form-urlencoded" {
            true => Ok(()),
            false => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "须为 JSON a body needs \"Content-Type: application/json\"",
            )),
        }
    }

    /// Whether a host is this gateway: an address, a name without a domain, or one that the configuration names.
    /// The name of another site cannot be made to point here.
    fn is_own_name(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        let is_plain = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        name.parse::<IpAddr>().is_ok()
            || is_plain
            || self.known.borrow().names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Who asks; `None` without an account.
    fn identify(&self, request: &Request) -> Result<Option<Principal>, Denied> {
        let headers = request.headers();
        if let Some(token) = cookie_of(headers, self.cookie(false)) {
            match self.of_session(&token, !headers.contains_key(UNATTENDED)) {
                Some(principal) => return Ok(Some(principal)),
                // Whoever logs in again may still send the old cookie.
                None if matches!(needs(request.method(), request.uri().path()), Some(Needs::Nothing)) => {}
                None if cookie_of(headers, self.cookie(true)).is_some() => {}
                None => {
                    let why = "登录已失效，请重新登录 this log-in has ended; log in again";
                    return Err(Denied::Problem(Problem::new(StatusCode::UNAUTHORIZED, why)));
                }
            }
        }
        if self.is_control() {
            return Ok(Some(self.of_user(request)));
        }
        if let Some(header) = headers.get(AUTHORIZATION) {
            return self.of_token(header.to_str().unwrap_or_default()).map(Some);
        }
        Ok(cookie_of(headers, self.cookie(true)).and_then(|token| self.of_screen(&token)))
    }

    fn of_session(&self, token: &str, is_attended: bool) -> Option<Principal> {
        let (session, validity) = self.accounts.access.session(token, is_attended)?;
        let caller = match self.is_control() {
            true => Caller { screen: Screen::LocalSocket, ..session.caller() },
            false => session.caller(),
        };
        let (roles, screen) = (session.roles.clone(), session.session.screen.clone());
        let is_locked = validity == Validity::Locked;
        Some(Principal { caller, roles, session: Some(session), is_locked, screen })
    }

    fn of_screen(&self, token: &str) -> Option<Principal> {
        let screen = self.accounts.access.screen(token)?;
        let caller =
            Caller::of(format!("screen:{}", screen.id), Login::Device, Screen::Enrolled(screen.id.clone()));
        Some(Principal { screen: Some(screen.id), ..Principal::of(caller, vec![Role::Screen]) })
    }

    /// A token names an account of the configuration. A wrong one is refused, and recorded.
    fn of_token(&self, header: &str) -> Result<Principal, Denied> {
        // RFC 9110 section 11.1: the scheme is case-insensitive.
        let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        // Hashes are compared, so the time of the comparison reveals nothing about the token.
        let hashed = token.map(|(_, token)| digest(&SHA256, token.trim().as_bytes()));
        let found = hashed.and_then(|hashed| {
            let workers = self.workers.borrow();
            workers.iter().find(|worker| worker.token == hashed.as_ref()).cloned()
        });
        let Worker { name, roles, .. } = found.ok_or(Denied::WrongToken)?;
        Ok(Principal::of(Caller::with_token(name.to_string()), roles))
    }

    /// A user of this machine. Without an account of its own, the user whose process the gateway is, and root, manage
    /// accounts: the permission of the socket's file is what all trust begins with.
    fn of_user(&self, request: &Request) -> Principal {
        let uid = request.extensions().get::<ConnectInfo<UnixPeer>>().and_then(|ConnectInfo(peer)| peer.uid);
        let known = uid.and_then(|uid| self.locals.borrow().iter().find(|local| local.uid == uid).cloned());
        if let Some(LocalAccount { name, roles, person, .. }) = known {
            let caller = Caller { person, ..Caller::local(name.to_string()) };
            return Principal::of(caller, roles);
        }
        let own = rustix::process::geteuid().as_raw();
        let is_root_of_trust = uid.is_some_and(|uid| uid == 0 || uid == own);
        let name = uid.map_or_else(|| "local".to_owned(), |uid| format!("local:{uid}"));
        let roles = if is_root_of_trust { vec![Role::Admin] } else { Vec::new() };
        Principal::of(Caller::local(name), roles)
    }
}

/// The host that a request names; HTTP/2 has it in the address.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    header.or_else(|| uri.authority().map(ToString::to_string))
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// The value of a cookie.
pub fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let mut pairs = all.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(given, _)| *given == name).map(|(_, value)| value.to_owned())
}
