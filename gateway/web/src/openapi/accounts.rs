//! The document's part about log-ins, accounts and screens.
// tidy: table

use schemars::JsonSchema;

use super::operation::{Operation, delete, get, post};
use super::schema::{Id, Nullable, Text};
use crate::session::{Code, Enrol, Secret};
use crate::users::{Add, NewScreen, Seal, UsersQuery, Which as RecordQuery};
use crate::visitors::Switch;

/// What an account may have.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Role {
    Screen,
    HealthWorker,
    Canteen,
    Operator,
    Technician,
    Command,
    Auditor,
    Admin,
}

/// What a role allows.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Permission {
    View,
    Alarms,
    Visits,
    Export,
    Food,
    Tasks,
    Orders,
    Commands,
    Service,
    Nodes,
    Configure,
    Records,
    Accounts,
    Stop,
    Own,
}

/// How somebody logs in.
#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
enum LogIn {
    /// With a password and a one-time code.
    Password {
        account: String,
        password: String,
        /// The one-time code of the authenticator.
        code: Option<String>,
    },
    /// At an enrolled screen.
    Badge { badge: String, pin: String },
}

/// How somebody proved who they are.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Login {
    None,
    Local,
    Password,
    Code,
    Device,
    Token,
}

/// Who asks, and what they may do now.
#[derive(JsonSchema)]
struct Me {
    /// An account, a token's name, or a user of the machine.
    account: String,
    person: Nullable<Id>,
    roles: Vec<Role>,
    login: Login,
    /// The enrolled screen.
    screen: Nullable<Id>,
    /// The screen waits for the PIN: it shows what a screen without a person shows.
    locked: bool,
    may: Vec<Permission>,
}

/// A log-in; its token is in the cookie.
#[derive(JsonSchema)]
struct LoggedIn {
    account: Id,
    roles: Vec<Role>,
    login: Login,
    /// It ends after so many seconds, whatever happens.
    longest_s: u64,
}

/// What a person needs besides password or PIN; shown this once.
#[derive(JsonSchema)]
struct Enrolled {
    account: Id,
    /// Secret of the authenticator, base 32.
    totp: Option<String>,
    /// The same for an authenticator.
    uri: Option<String>,
    /// Text of the badge.
    badge: Option<String>,
    /// Rows of the QR code, 1 is dark.
    qr: Vec<String>,
}

/// The screen that this browser is now.
#[derive(JsonSchema)]
struct ScreenId {
    screen: Id,
}

/// An account without its secrets.
#[derive(JsonSchema)]
struct Account {
    account: Id,
    person: Nullable<Id>,
    roles: Vec<Role>,
    state: Standing,
    login: LoginKind,
    /// Open sessions.
    sessions: u64,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Standing {
    Invited,
    Expired,
    Active,
    Disabled,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum LoginKind {
    Password,
    Badge,
}

/// A screen.
#[derive(JsonSchema)]
struct Screen {
    screen: Id,
    room: Id,
    views: Vec<String>,
    /// Whether it has used its code.
    enrolled: bool,
}

/// Sealed codes.
#[derive(JsonSchema)]
struct BreakGlass {
    unused: u64,
}

/// Accounts, screens, sealed codes.
#[derive(JsonSchema)]
struct Users {
    accounts: Vec<Account>,
    screens: Vec<Screen>,
    break_glass: BreakGlass,
}

/// A code that is shown once.
#[derive(JsonSchema)]
struct NewCode {
    #[schemars(rename = "for")]
    of: Id,
    code: String,
}

/// Sealed codes that are shown once.
#[derive(JsonSchema)]
struct NewCodes {
    codes: Vec<String>,
}

/// A person of the demonstration.
#[derive(JsonSchema)]
struct Visitor {
    account: Id,
    name: String,
    english: String,
    role: Role,
}

/// Something that can go wrong in the demonstration.
#[derive(JsonSchema)]
struct DemoFault {
    fault: String,
    zh: String,
    en: String,
    on: bool,
}

/// What a person of the demonstration signs and logs in with.
#[derive(JsonSchema)]
struct VisitorSecrets {
    password: String,
    drill_key: Nullable<String>,
    key: Nullable<String>,
}

const LINES: &[&str] = &["application/jsonl"];

/// The operations.
pub fn operations() -> Vec<Operation> {
    let mut all = of_sessions();
    all.extend(of_accounts());
    all
}

fn of_sessions() -> Vec<Operation> {
    const TAG: &str = "session";
    vec![
        get("/api/v1/session", TAG, ("Who am I, and what may I do", "当前登录")).gives::<Me>(),
        post("/api/v1/session", TAG, ("Logs in", "登录"))
            .about(
                "With `account`, `password` and the one-time `code`, or with `badge` and `pin` at an enrolled screen. \
                 The token is in the cookie.",
            )
            .takes::<LogIn>()
            .gives::<LoggedIn>()
            .sets_cookie()
            .refuses(&[422, 429])
            .by_service(),
        delete("/api/v1/session", TAG, ("Logs out", "退出登录")).sets_cookie().by_service(),
        post("/api/v1/session/enrol", TAG, ("Sets an account up with its enrolment code", "账号启用"))
            .takes::<Enrol>()
            .gives::<Enrolled>()
            .refuses(&[422, 429])
            .stored(),
        post("/api/v1/session/break-glass", TAG, ("Logs in with a sealed code, for an hour", "应急登录"))
            .takes::<Code>()
            .gives::<LoggedIn>()
            .sets_cookie()
            .refuses(&[422, 429])
            .stored(),
        post("/api/v1/session/screen", TAG, ("Makes this browser an enrolled screen", "登记屏幕"))
            .takes::<Code>()
            .gives::<ScreenId>()
            .sets_cookie()
            .refuses(&[422, 429])
            .stored(),
        post("/api/v1/session/renew", TAG, ("The password or PIN again", "再次验证"))
            .about("Unlocks a screen, and counts for the next act that needs two persons, for a minute.")
            .takes::<Secret>()
            .refuses(&[409, 422, 429])
            .by_service(),
        post("/api/v1/session/lock", TAG, ("Locks this screen until the PIN", "锁定屏幕")).refuses(&[409]),
        get("/api/v1/demo", "demo", ("People of the demonstration", "演示人员"))
            .gives::<Vec<Visitor>>()
            .refuses(&[404]),
        post("/api/v1/demo/{account}", "demo", ("Becomes one of them", "以演示人员登录"))
            .sets_cookie()
            .refuses(&[404, 409, 422, 429])
            .by_service(),
        post("/api/v1/demo/drill", "demo", ("Orders a drill of the hall, as the two people who may", "开始演练"))
            .refuses(&[404, 409, 422])
            .by_service(),
        get("/api/v1/demo/secrets/{account}", "demo", ("Password and keys of one of them", "演示人员的口令与密钥"))
            .gives::<VisitorSecrets>()
            .refuses(&[404]),
        get("/api/v1/demo/faults", "demo", ("What can go wrong in the demonstration", "演示故障"))
            .gives::<Vec<DemoFault>>()
            .refuses(&[404]),
        post("/api/v1/demo/faults/{fault}", "demo", ("Breaks or mends it", "切换演示故障"))
            .takes::<Switch>()
            .refuses(&[404, 422]),
    ]
}

fn of_accounts() -> Vec<Operation> {
    const TAG: &str = "accounts";
    let change = |path, summary| post(path, TAG, summary).refuses(&[404]).stored();
    vec![
        get("/api/v1/users", TAG, ("Accounts, screens, sealed codes", "账号与屏幕"))
            .about("Screens and sealed codes are on every page.")
            .asks::<UsersQuery>()
            .gives::<Users>()
            .paged()
            .by_service(),
        post("/api/v1/users", TAG, ("Adds an account; the answer has its enrolment code", "新增账号"))
            .takes::<Add>()
            .creates::<NewCode>()
            .refuses(&[409, 422])
            .stored(),
        change(
            "/api/v1/users/{account}/reset",
            ("Forgets its secrets; the answer has a new code", "重置账号"),
        )
        .creates::<NewCode>(),
        change("/api/v1/users/{account}/disable", ("Switches it off; its sessions end", "停用账号")),
        change("/api/v1/users/{account}/enable", ("Switches it on", "启用账号")),
        get("/api/v1/users/record", TAG, ("Entries of the record of log-ins", "登录记录"))
            .about("One JSON object a line, 1000 at a time, from number `from` on.")
            .asks::<RecordQuery>()
            .gives_kind::<Text>(LINES)
            .refuses(&[503]),
        post("/api/v1/screens", TAG, ("Gives out the code of a screen", "登记屏幕码"))
            .takes::<NewScreen>()
            .creates::<NewCode>()
            .refuses(&[409, 422])
            .stored(),
        delete("/api/v1/screens/{screen}", TAG, ("Takes a screen away", "移除屏幕")).refuses(&[404]).stored(),
        post("/api/v1/break-glass", TAG, ("Prints sealed codes; earlier ones end", "应急码"))
            .takes::<Seal>()
            .creates::<NewCodes>()
            .refuses(&[422])
            .stored(),
    ]
}
