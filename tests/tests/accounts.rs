//! Who may come in: every route as every role, on the network and on the control socket; log-ins by curl and by the
//! command line as a new user types them; what a browser of another site sends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use linli_accounts::rules::role::Role;
use linli_tests::log_in::{JSON, PASSWORD};
use linli_tests::{Gateway, Workspace, free_port, http, tool};
use linli_web::permission::{Needs, TABLE};
use serde_json::{Value, json};

const PIN: &str = "493027";

/// A gateway without a broker and with one room.
struct Site {
    workspace: Workspace,
    gateway: Gateway,
    web: String,
}

/// An account that logged in.
struct Account {
    role: Role,
    cookie: String,
}

impl Site {
    async fn start() -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let config = workspace.configure(free_port()?, "path = \"../data/linli.db\"", "")?;
        let facility = std::fs::read_to_string(config.join("facility.toml"))?;
        let more = "\n[[room]]\nid = \"cabin\"\nname = \"健康小屋\"\n\n[[person]]\nid = \"zhao\"\nname = \"赵\"\nroles = [\"staff\"]\n";
        std::fs::write(config.join("facility.toml"), facility + more)?;
        let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
        gateway.answering().await?;
        let web = gateway.web().await?;
        Ok(Self { workspace, gateway, web })
    }

    /// A request of nobody on the network, with these headers.
    fn net(&self, method: &str, path: &str, headers: &str, body: &str) -> anyhow::Result<http::Answer> {
        http::request(TcpStream::connect(&self.web)?, method, path, headers, body)
    }

    /// Makes an account with this role and logs in on the network.
    fn account(&self, role: Role) -> anyhow::Result<Account> {
        let name = role.as_str();
        if role == Role::Screen {
            return Ok(Account { role, cookie: self.screen("wall-1")? });
        }
        let (status, added) =
            self.gateway.ask("POST", "/api/v1/users", &json!({"account": name, "roles": [name]}))?;
        anyhow::ensure!(status == 201, "{added}");
        let is_shared = matches!(role, Role::HealthWorker | Role::Canteen);
        let secret = if is_shared { PIN } else { PASSWORD };
        let body = json!({"account": name, "code": added["code"], "secret": secret}).to_string();
        let enrolled = self.net("POST", "/api/v1/session/enrol", JSON, &body)?;
        let enrolled: Value = serde_json::from_str(&enrolled.body)?;
        let screen =
            if is_shared { self.screen(&format!("screen-{name}").replace('_', "-"))? } else { String::new() };
        let body = match enrolled["badge"].as_str() {
            Some(badge) => json!({"badge": badge, "pin": secret}),
            None => json!({"account": name, "password": secret, "code": code(&enrolled)?}),
        };
        let headers = format!("{JSON}Cookie: {screen}\r\n");
        let answer = self.net("POST", "/api/v1/session", &headers, &body.to_string())?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        Ok(Account { role, cookie: cookie(&answer)? })
    }

    /// Enrols a screen; returns its cookie.
    fn screen(&self, name: &str) -> anyhow::Result<String> {
        let body = json!({"screen": name, "room": "cabin"});
        let (status, given) = self.gateway.ask("POST", "/api/v1/screens", &body)?;
        anyhow::ensure!(status == 201, "{given}");
        let answer =
            self.net("POST", "/api/v1/session/screen", JSON, &json!({"code": given["code"]}).to_string())?;
        cookie(&answer)
    }
}

fn code(enrolled: &Value) -> anyhow::Result<String> {
    let now = linli_domain::Timestamp(linli_tests::now_ms());
    let secret = enrolled["totp"].as_str().unwrap_or_default();
    linli_accounts::rules::totp::code_at(secret, now).ok_or_else(|| anyhow::anyhow!("no code: {enrolled}"))
}

fn cookie(answer: &http::Answer) -> anyhow::Result<String> {
    let cookie = answer.header("set-cookie").ok_or_else(|| anyhow::anyhow!("no cookie: {answer:?}"))?;
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        anyhow::ensure!(cookie.contains(part), "{part}: {cookie}");
    }
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// The status of an answer whose body may have no end.
fn status(mut stream: impl Read + Write, method: &str, path: &str, headers: &str) -> anyhow::Result<u16> {
    let body = if method == "GET" { "" } else { "{}" };
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: linli\r\n{headers}{JSON}Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.split(' ').nth(1).unwrap_or_default().parse()?)
}

/// An operation of the document.
struct Route {
    method: String,
    path: String,
    /// The roles that may use it; `None`: everybody.
    roles: Option<Vec<String>>,
    is_stop: bool,
}

impl Site {
    /// Every operation of the document that the gateway serves.
    fn routes(&self) -> anyhow::Result<Vec<Route>> {
        let document: Value = serde_json::from_str(&self.net("GET", "/api/openapi.json", "", "")?.body)?;
        let mut routes = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let roles: Option<Vec<String>> = serde_json::from_value(operation["x-roles"].clone())?;
                let is_open = operation["security"] == json!([]);
                anyhow::ensure!(is_open == roles.is_none(), "{method} {path}");
                let is_stop = operation["x-permission"] == "stop";
                routes.push(Route { method: method.to_uppercase(), path: path.clone(), roles, is_stop });
            }
        }
        Ok(routes)
    }
}

/// Every operation of the document, every role, both listeners: the roles decide, and nothing else.
#[tokio::test]
async fn every_route_is_open_to_the_roles_of_the_table_and_to_nobody_else() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let accounts: Vec<Account> =
        Role::ALL.into_iter().map(|role| site.account(role)).collect::<anyhow::Result<_>>()?;
    let (mut asked, mut wrong) = (0, Vec::new());
    for Route { method, path, roles, is_stop } in site.routes()? {
        // They end or lock the log-in that the next rows need; they are tried below.
        let is_end = path == "/api/v1/session" && method == "DELETE";
        if is_end || path == "/api/v1/session/lock" {
            continue;
        }
        let path = path.replace("{operation}", "confirm").replace(['{', '}'], "");
        for account in accounts.iter().map(Some).chain([None]) {
            let headers =
                account.map_or_else(String::new, |account| format!("Cookie: {}\r\n", account.cookie));
            let (expected, who) = match (&roles, account) {
                (None, _) => (None, "anybody"),
                (Some(roles), Some(account)) if roles.iter().any(|role| role == account.role.as_str()) => {
                    (None, account.role.as_str())
                }
                (Some(_), Some(account)) => (Some(403), account.role.as_str()),
                (Some(_), None) => (Some(401), "nobody"),
            };
            let found = status(TcpStream::connect(&site.web)?, &method, &path, &headers)?;
            asked += 1;
            let is_right = match expected {
                Some(expected) => found == expected,
                // Whatever the route thinks of an empty body; a wrong code or log-in is 401 on an open route.
                None => found != 403 && (found != 401 || roles.is_none()),
            };
            if !is_right {
                wrong.push(format!("{method} {path} as {who}: {found}"));
            }
            // On the box the same session may do the same; a screen's cookie is none there.
            if let Some(account) = account.filter(|account| account.role != Role::Screen) {
                let found =
                    status(UnixStream::connect(site.gateway.control_socket())?, &method, &path, &headers)?;
                if expected.is_some_and(|expected| found != expected && !is_stop) {
                    wrong.push(format!("{method} {path} as {} on the control socket: {found}", account.role));
                }
            }
        }
    }
    pages_are_open(&site)?;
    assert!(asked > 500, "{asked}");
    assert_eq!(wrong, Vec::<String>::new());
    for account in accounts.iter().filter(|account| account.role != Role::Screen) {
        let headers = format!("Cookie: {}\r\n", account.cookie);
        // Only a shared screen is locked; it then shows what it shows without a person.
        let is_shared = matches!(account.role, Role::HealthWorker | Role::Canteen);
        let locked = site.net("POST", "/api/v1/session/lock", &headers, "")?.status;
        assert_eq!(locked, if is_shared { 204 } else { 409 }, "{}", account.role);
        if is_shared {
            assert_eq!(site.net("GET", "/api/v1/devices", &headers, "")?.status, 200, "{}", account.role);
            let path = if account.role == Role::Canteen { "/api/v1/food/record" } else { "/api/v1/visits" };
            assert_eq!(site.net("GET", path, &headers, "")?.status, 403, "{}", account.role);
        }
        assert_eq!(site.net("DELETE", "/api/v1/session", &headers, "")?.status, 204, "{}", account.role);
        assert_eq!(
            site.net("GET", "/api/v1/session", &headers, "")?.status,
            401,
            "{}: a session replayed",
            account.role
        );
    }
    site.gateway.stop().await
}

/// What is no part of the API names nobody, and is open.
fn pages_are_open(site: &Site) -> anyhow::Result<()> {
    for page in TABLE.iter().filter(|row| !row.path.starts_with("/api/")) {
        assert_eq!(page.needs, Needs::Nothing, "{}", page.path);
        let found = site.net(page.method.as_str(), &page.path.replace(['{', '}'], ""), "", "")?.status;
        assert!(![401, 403].contains(&found), "{}: {found}", page.path);
    }
    Ok(())
}

#[tokio::test]
async fn the_page_of_another_site_can_do_nothing() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let operator = site.account(Role::Operator)?;
    let cookie = format!("Cookie: {}\r\n", operator.cookie);
    let lock = |headers: &str| site.net("POST", "/api/v1/alarms/test", &format!("{cookie}{headers}"), "");
    assert_eq!(lock("")?.status, 204);
    for (headers, expected) in [
        ("Sec-Fetch-Site: same-origin\r\n", 204),
        ("Sec-Fetch-Site: none\r\n", 204),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Origin: http://linli\r\n", 204),
        ("Origin: http://evil.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: http://linli.evil.example\r\n", 403),
    ] {
        assert_eq!(lock(headers)?.status, expected, "{headers}");
    }
    // A form of another page, and its body that happens to be JSON.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let body = r#"{"account":"operator","password":"x","code":"000000"}"#;
        assert_eq!(site.net("POST", "/api/v1/session", &kind, body)?.status, 415, "{kind}");
    }
    // A name that was made to point here (DNS rebinding) is none of this gateway.
    let host = |host: &str| {
        let mut stream = TcpStream::connect(&site.web)?;
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        anyhow::Ok(line)
    };
    for name in ["evil.example", "evil.example:80", "", "127.0.0.1.evil.example", "linli.evil.example"] {
        assert!(host(name)?.contains(" 421 "), "{name}");
    }
    for name in [site.web.as_str(), "localhost:8080", "linli", "[::1]:80"] {
        assert!(host(name)?.contains(" 200 "), "{name}");
    }
    let answer = site.net("GET", "/api/v1/devices", &cookie, "")?;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    site.gateway.stop().await
}

#[tokio::test]
async fn a_revoked_account_hears_nothing_more() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let operator = site.account(Role::Operator)?;
    let mut stream = TcpStream::connect(&site.web)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: linli\r\nCookie: {}\r\n\r\n", operator.cookie)?;
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    assert!(line.contains(" 200 "), "{line}");
    let (status, _) = site.gateway.ask("POST", "/api/v1/users/operator/disable", &Value::Null)?;
    assert_eq!(status, 204);
    let mut rest = String::new();
    stream.read_to_string(&mut rest)?;
    let headers = format!("Cookie: {}\r\n", operator.cookie);
    assert_eq!(site.net("GET", "/api/v1/devices", &headers, "")?.status, 401);
    site.gateway.stop().await
}

/// As a new user types it: curl with a cookie jar.
#[tokio::test]
async fn curl_logs_in_and_out() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (status, added) =
        site.gateway.ask("POST", "/api/v1/users", &json!({"account": "zhao", "roles": ["operator"]}))?;
    assert_eq!(status, 201, "{added}");
    let (curl, jar) = (tool("curl", "curl")?, site.workspace.path("jar"));
    let run = |method: &str, path: &str, body: &Value| {
        let mut command = std::process::Command::new(&curl);
        command.args(["-sS", "-X", method, "-H", "Content-Type: application/json", "-w", "\n%{http_code}"]);
        command.arg("-b").arg(&jar).arg("-c").arg(&jar);
        if !body.is_null() {
            command.arg("-d").arg(body.to_string());
        }
        let output = command.arg(format!("http://{}{path}", site.web)).output()?;
        let text = String::from_utf8(output.stdout)?;
        let (body, status) = text.rsplit_once('\n').unwrap_or_default();
        anyhow::Ok((status.parse::<u16>()?, serde_json::from_str::<Value>(body).unwrap_or_default()))
    };
    assert_eq!(run("GET", "/api/v1/devices", &Value::Null)?.0, 401);
    let body = json!({"account": "zhao", "code": added["code"], "secret": PASSWORD});
    let (status, enrolled) = run("POST", "/api/v1/session/enrol", &body)?;
    assert_eq!(status, 200, "{enrolled}");
    let body = json!({"account": "zhao", "password": PASSWORD, "code": code(&enrolled)?});
    assert_eq!(run("POST", "/api/v1/session", &body)?.0, 200);
    let (status, who) = run("GET", "/api/v1/session", &Value::Null)?;
    assert_eq!((status, &who["account"], &who["person"]), (200, &json!("zhao"), &json!("zhao")), "{who}");
    assert_eq!(run("GET", "/api/v1/devices", &Value::Null)?.0, 200);
    assert_eq!(run("GET", "/api/v1/visits", &Value::Null)?.0, 403);
    assert_eq!(run("DELETE", "/api/v1/session", &Value::Null)?.0, 204);
    assert_eq!(run("GET", "/api/v1/devices", &Value::Null)?.0, 401);
    site.gateway.stop().await
}

/// The command line on the box, and away from it over the network.
#[tokio::test]
async fn the_command_line_logs_in_here_and_elsewhere() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (password, factor) = (site.gateway.password_file()?, site.workspace.path("factor"));
    let factor = factor.to_string_lossy().into_owned();
    let said = |output: &std::process::Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let added = site.gateway.verb(&["users", "add", "zhao", "--role", "operator"]).await?;
    assert!(added.status.success(), "{}", said(&added));
    let code = String::from_utf8(added.stdout)?.trim().to_owned();
    let server = format!("http://{}", site.web);
    let log_in = ["login", "zhao", "--password-file", &password, "--factor-file", &factor];
    let first = site.gateway.verb(&[&log_in[..], &["--enrol", &code, "--server", &server]].concat()).await?;
    assert!(first.status.success() && said(&first).contains("is logged in"), "{}", said(&first));
    let config = site.workspace.path("nothing").to_string_lossy().into_owned();
    let elsewhere = |arguments: &[&str]| {
        let mut command = std::process::Command::new(linli_tests::binary()?);
        command.args(arguments).args(["--config", &config]);
        anyhow::Ok(command.env("LINLI_SESSIONS", site.gateway.sessions()).output()?)
    };
    let alarms = elsewhere(&["alarms", "list", "--login", "zhao"])?;
    assert!(alarms.status.success(), "{}", said(&alarms));
    let visits = elsewhere(&["visits", "list", "--login", "zhao"])?;
    assert!(!visits.status.success() && said(&visits).contains("health_worker"), "{}", said(&visits));
    let again = site.gateway.verb(&[&log_in[..], &["--enrol", &code, "--server", &server]].concat()).await?;
    assert!(!again.status.success() && said(&again).contains("was used"), "{}", said(&again));
    let plain = elsewhere(&[
        "login",
        "zhao",
        "--password-file",
        &password,
        "--code",
        "000000",
        "--server",
        "http://192.0.2.1",
    ])?;
    assert!(!plain.status.success() && said(&plain).contains("without TLS"), "{}", said(&plain));
    let out = elsewhere(&["logout", "zhao"])?;
    assert!(out.status.success(), "{}", said(&out));
    let nobody = elsewhere(&["alarms", "list", "--login", "zhao"])?;
    assert!(!nobody.status.success() && said(&nobody).contains("not logged in here"), "{}", said(&nobody));
    // The record says what happened, and whoever guesses is slowed down.
    for _ in 0..4 {
        let body = json!({"account": "zhao", "password": "a wrong password", "code": "000000"}).to_string();
        let _ = site.net("POST", "/api/v1/session", JSON, &body)?;
    }
    let body = json!({"account": "zhao", "password": "a wrong password", "code": "000000"}).to_string();
    let delayed = site.net("POST", "/api/v1/session", JSON, &body)?;
    assert_eq!(delayed.status, 429, "{delayed:?}");
    assert!(delayed.header("retry-after").is_some(), "{delayed:?}");
    let record = site.gateway.get("/api/v1/users/record")?;
    for kind in ["added", "enrolled", "logged_in", "logged_out", "refused"] {
        assert!(record.contains(&format!("\"kind\":\"{kind}\"")), "{kind}: {record}");
    }
    assert!(!record.contains(PASSWORD) && !record.contains(&code), "{record}");
    site.gateway.stop().await
}

/// What the demonstration offers, a real centre does not.
#[tokio::test]
async fn nobody_logs_in_by_a_touch_at_a_real_centre() -> anyhow::Result<()> {
    let site = Site::start().await?;
    assert_eq!(site.net("GET", "/api/v1/demo", "", "")?.status, 404);
    for account in ["zhao", "guan", "admin"] {
        assert_eq!(site.net("POST", &format!("/api/v1/demo/{account}"), JSON, "{}")?.status, 404);
    }
    site.gateway.stop().await
}

/// A session that has ended does not come back, and nobody logs in to a session that somebody else chose.
#[tokio::test]
async fn a_session_is_neither_replayed_nor_fixed() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let chosen = format!("linli-session={}", "A".repeat(43));
    let (status, added) =
        site.gateway.ask("POST", "/api/v1/users", &json!({"account": "operator", "roles": ["operator"]}))?;
    assert_eq!(status, 201, "{added}");
    let body = json!({"account": "operator", "code": added["code"], "secret": PASSWORD}).to_string();
    let enrolled: Value =
        serde_json::from_str(&site.net("POST", "/api/v1/session/enrol", JSON, &body)?.body)?;
    let body = json!({"account": "operator", "password": PASSWORD, "code": code(&enrolled)?}).to_string();
    let answer = site.net("POST", "/api/v1/session", &format!("{JSON}Cookie: {chosen}\r\n"), &body)?;
    let given = cookie(&answer)?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(given, chosen, "the gateway chooses");
    let who = |cookie: &str| {
        anyhow::Ok(site.net("GET", "/api/v1/session", &format!("Cookie: {cookie}\r\n"), "")?.status)
    };
    assert_eq!((who(&chosen)?, who(&given)?), (401, 200));
    // The same log-in a second time: the one-time code was used.
    assert_eq!(site.net("POST", "/api/v1/session", JSON, &body)?.status, 401);
    assert_eq!(site.net("DELETE", "/api/v1/session", &format!("{JSON}Cookie: {given}\r\n"), "")?.status, 204);
    assert_eq!(who(&given)?, 401, "replayed after the end");
    site.gateway.stop().await
}

/// Guesses of one PIN from two screens are slowed down together, and the right one is taken afterwards.
#[tokio::test]
async fn a_pin_is_not_guessed_from_two_screens() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let body = json!({"account": "mei", "roles": ["canteen"]});
    let (_, added) = site.gateway.ask("POST", "/api/v1/users", &body)?;
    let body = json!({"account": "mei", "code": added["code"], "secret": PIN}).to_string();
    let enrolled: Value =
        serde_json::from_str(&site.net("POST", "/api/v1/session/enrol", JSON, &body)?.body)?;
    let screens = [site.screen("cabin-1")?, site.screen("cabin-2")?];
    let guess = |screen: &str, pin: &str| {
        let body = json!({"badge": enrolled["badge"], "pin": pin}).to_string();
        site.net("POST", "/api/v1/session", &format!("{JSON}Cookie: {screen}\r\n"), &body)
    };
    let mut statuses = Vec::new();
    for nth in 0..6 {
        statuses.push(guess(&screens[nth % 2], &format!("11223{nth}"))?.status);
    }
    assert!(statuses[..3].iter().all(|status| *status == 401), "{statuses:?}");
    assert_eq!(statuses[5], 429, "{statuses:?}");
    let delayed = guess(&screens[0], PIN)?;
    assert_eq!(delayed.status, 429, "also the right one waits, at either screen");
    let wait: u64 = delayed.header("retry-after").unwrap_or("1").parse()?;
    tokio::time::sleep(std::time::Duration::from_secs(wait + 1)).await;
    assert_eq!(guess(&screens[1], PIN)?.status, 200, "never for ever");
    site.gateway.stop().await
}
