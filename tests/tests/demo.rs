//! What the README promises of the demonstration.

use std::process::Stdio;
use std::time::Duration;

use linli_tests::{Workspace, binary, eventually, free_port, http, linli, tool};

#[tokio::test]
async fn the_demo_runs_a_whole_centre_and_leaves_nothing_behind() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (port, temporary) = (free_port()?, workspace.path("tmp"));
    std::fs::create_dir_all(&temporary)?;
    let heard = workspace.path("heard");
    let mut demo = tokio::process::Command::new(binary()?)
        .args([
            "demo",
            "--for",
            "24s",
            "--mqtt-port",
            &port.to_string(),
            "--fault",
            "dead-meter",
            "--fault",
            "no-paper",
            "--fault",
            "gas-silent",
        ])
        .env("TMPDIR", &temporary)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(workspace.path("table"))?)
        .kill_on_drop(true)
        .spawn()?;
    eventually("the broker listens", Duration::from_secs(60), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await?;
    let _subscriber = tokio::process::Command::new(tool("mosquitto_sub", "mosquitto-clients")?)
        .args(["-p", &port.to_string(), "-t", "linli/#", "-q", "1", "-v"])
        .stdout(std::fs::File::create(&heard)?)
        .kill_on_drop(true)
        .spawn()?;
    let status = tokio::time::timeout(Duration::from_secs(60), demo.wait()).await??;
    assert!(status.success(), "{status}");
    let heard = std::fs::read_to_string(&heard)?;
    for part in [
        "/data/fridge-1 ",
        "/data/reading-air ",
        "/data/fridge-node-1 ",
        "/vital/oximeter ",
        "/vital/monitor ",
        "/meta/fridge-1 ",
        "/data/kiosk-1 ",
        "kiosk-1.no-paper",
        "kitchen-gas.silent",
        "/status ",
    ] {
        assert!(
            heard.contains(part),
            "{part} was not heard:\n{}",
            heard.chars().take(2000).collect::<String>()
        );
    }
    let table = std::fs::read_to_string(workspace.path("table"))?;
    assert!(table.contains("一号冰箱") || table.contains("fridge-1"), "{table}");
    let left: Vec<_> = std::fs::read_dir(&temporary)?.flatten().map(|e| e.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

/// Whoever tries the screens becomes a person by a touch; the person's role decides what is seen then.
#[tokio::test]
async fn a_visitor_of_the_demo_becomes_one_of_its_people() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (port, web) = (free_port()?, format!("127.0.0.1:{}", free_port()?));
    let mut demo = tokio::process::Command::new(binary()?)
        .args(["demo", "--mqtt-port", &port.to_string(), "--web", &web, "--data-dir"])
        .arg(workspace.path("demo"))
        .stdin(Stdio::piped())
        .stdout(std::fs::File::create(workspace.path("table"))?)
        .kill_on_drop(true)
        .spawn()?;
    let ask = |method: &str, path: &str, cookies: &str| {
        let headers = format!("Cookie: {cookies}\r\n");
        http::request(std::net::TcpStream::connect(&web)?, method, path, &headers, "")
    };
    let people = || ask("GET", "/api/v1/demo", "").is_ok_and(|answer| answer.status == 200);
    eventually("its people have accounts", Duration::from_secs(60), people).await?;
    let people: serde_json::Value = serde_json::from_str(&ask("GET", "/api/v1/demo", "")?.body)?;
    let names = people.as_array().into_iter().flatten().filter_map(|person| person["account"].as_str());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["mei", "lan", "zhao", "qian", "sun", "chen", "deng", "shen", "guan"]
    );
    assert_eq!(ask("GET", "/api/v1/visits", "")?.status, 401, "nobody");
    let become_one = |account: &str| {
        let answer = ask("POST", &format!("/api/v1/demo/{account}"), "")?;
        anyhow::ensure!(answer.status == 204, "{account}: {answer:?}");
        let cookies = answer.headers.iter().filter_map(|line| line.split_once(": "));
        let cookies = cookies.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let cookies: Vec<&str> = cookies
            .filter_map(|(_, cookie)| cookie.split(';').next())
            .filter(|c| !c.ends_with('='))
            .collect();
        anyhow::Ok(cookies.join("; "))
    };
    for (account, visits, record, screen) in
        [("mei", 200, 403, "cabin-panel"), ("zhao", 403, 403, ""), ("shen", 403, 200, "")]
    {
        // The one-time code of this half minute is used up the second time.
        for nth in ["first", "second"] {
            let cookies = become_one(account)?;
            assert_eq!(ask("GET", "/api/v1/visits", &cookies)?.status, visits, "{account}, {nth}");
            assert_eq!(ask("GET", "/api/v1/users/record", &cookies)?.status, record, "{account}, {nth}");
            let who: serde_json::Value =
                serde_json::from_str(&ask("GET", "/api/v1/session", &cookies)?.body)?;
            assert_eq!(who["account"], account);
            assert_eq!(who["screen"].as_str().unwrap_or_default(), screen);
            let may = who["may"].as_array().into_iter().flatten().any(|word| word == "visits");
            assert_eq!(may, visits == 200, "the screens offer what is allowed: {who}");
        }
    }
    assert_eq!(ask("POST", "/api/v1/demo/nobody", "")?.status, 404);
    drop(demo.stdin.take().map(|mut input| {
        tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut input, b"quit\n").await })
    }));
    tokio::time::timeout(Duration::from_secs(30), demo.wait()).await??;
    Ok(())
}

#[tokio::test]
async fn a_residents_visit_plays_through_the_demo_and_nobody_is_named() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (port, data) = (free_port()?, workspace.path("demo"));
    let table = workspace.path("table");
    let mut demo = tokio::process::Command::new(binary()?)
        .args(["demo", "--for", "60s", "--mqtt-port", &port.to_string()])
        .arg("--data-dir")
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&table)?)
        .stderr(std::fs::File::create(workspace.path("log"))?)
        .kill_on_drop(true)
        .spawn()?;
    eventually("the broker listens", Duration::from_secs(60), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await?;
    let heard = workspace.path("heard");
    let _subscriber = tokio::process::Command::new(tool("mosquitto_sub", "mosquitto-clients")?)
        .args(["-p", &port.to_string(), "-t", "linli/#", "-q", "1", "-v"])
        .stdout(std::fs::File::create(&heard)?)
        .kill_on_drop(true)
        .spawn()?;
    let reported = || std::fs::read_to_string(&heard).unwrap_or_default();
    eventually("pressure and saturation of a visit", Duration::from_secs(60), || {
        let reported = reported();
        let of = |device: &str| {
            reported
                .lines()
                .any(|line| line.contains(&format!("/vital/{device} ")) && line.contains("pseudonym"))
        };
        of("oximeter") && of("monitor")
    })
    .await?;
    let config = data.join("config").display().to_string();
    let listed = linli(&["visits", "list", "--config", &config]).await?;
    let listed = String::from_utf8(listed.stdout)?;
    let visit = listed.split_whitespace().next().unwrap_or_default();
    let shown = linli(&["visits", "show", visit, "--reveal", "--json", "--config", &config]).await?;
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout)?;
    assert_eq!(shown["measurements"].as_array().map(Vec::len), Some(2), "{shown}");
    let identity = |key: &str| shown["identity"][key].as_str().unwrap_or_default().to_owned();
    let (name, number) = (identity("name"), identity("id_number"));
    assert!(!name.is_empty() && number.len() == 18, "{shown}");
    let metrics = linli(&["doctor", "--config", &config]).await?.stdout;
    demo.kill().await?;

    let mut files = vec![heard.clone(), table, workspace.path("log")];
    files.extend(std::fs::read_dir(&data)?.flatten().map(|entry| entry.path()).filter(|path| path.is_file()));
    let mut hay: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap_or_default()).collect();
    hay.push(metrics);
    for word in [&name, &number] {
        let is_in = |bytes: &Vec<u8>| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!hay.iter().any(is_in), "{word} stands somewhere in clear");
    }
    Ok(())
}

/// The commands that the demonstration prints, run as a user would type them.
#[tokio::test]
async fn a_drill_plays_through_the_demo_by_the_commands_it_prints() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let data = workspace.path("demo");
    let mut demo = tokio::process::Command::new(binary()?)
        .args(["demo", "--for", "120s", "--fault", "rooms-cleared", "--data-dir"])
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(workspace.path("table"))?)
        .stderr(std::fs::File::create(workspace.path("log"))?)
        .kill_on_drop(true)
        .spawn()?;
    let config = data.join("config");
    let at = |file: &str| config.join(file).display().to_string();
    let (config, reported) = (config.display().to_string(), std::cell::RefCell::new(String::new()));
    let succeed = async |arguments: &[&str]| -> anyhow::Result<bool> {
        let mut command = tokio::process::Command::new(binary()?);
        command.args(arguments).args(["--config", &config]).env("LINLI_SESSIONS", at("sessions"));
        let output = command.stdin(Stdio::null()).output().await?;
        *reported.borrow_mut() =
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Ok(output.status.success())
    };
    let patiently = async |arguments: &[&str], word: &str| -> anyhow::Result<()> {
        let until = tokio::time::Instant::now() + Duration::from_secs(120);
        while !(succeed(arguments).await? && reported.borrow().contains(word)) {
            anyhow::ensure!(tokio::time::Instant::now() < until, "{arguments:?}: {}", reported.borrow());
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(())
    };
    patiently(&["mode", "status"], "hall").await?;
    // The prepared log-ins, as the demonstration prints them.
    let password = |name: &str| at(&format!("log-ins/{name}.password"));
    for name in ["zhao", "qian", "sun", "chen", "deng"] {
        let (password, factor) = (password(name), at(&format!("log-ins/{name}.factor")));
        let log_in = ["login", name, "--password-file", &password, "--factor-file", &factor];
        patiently(&log_in, "is logged in").await?;
    }
    let (plan, chen, deng) = (at("plans/hall.command@1.toml"), at("drill-chen.key"), at("drill-deng.key"));
    let (first, second) = (password("chen"), password("deng"));
    let start = ["drill", "start", &plan, "--key", &chen, "--key", &deng];
    let start = [&start[..], &["--password-file", &first, "--password-file", &second]].concat();
    patiently(&start, "linli mode commit hall").await?;
    patiently(&["mode", "commit", "hall", "--login", "zhao"], "【演练】").await?;
    patiently(&["mode", "confirm", "hall", "notice", "--login", "qian"], "notice").await?;
    patiently(&["mode", "confirm", "hall", "layout", "--login", "qian", "--simulated"], "simulated").await?;
    patiently(&["mode", "confirm", "hall", "communications", "--login", "sun"], "communications").await?;
    patiently(&["mode", "confirm", "hall", "accept", "--login", "zhao"], "【演练】就绪 ready【演练】")
        .await?;
    assert!(!reported.borrow().contains("ready【演练】 ✓"), "a drill proves nothing: {}", reported.borrow());
    patiently(&["drill", "report"], "A drill is never").await?;
    Ok(demo.kill().await?)
}
