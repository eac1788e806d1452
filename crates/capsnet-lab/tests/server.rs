//! The server against those who mean no good, and against those who are slow: plain sockets.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use support::{Open, body, head, status};

/// A request as it goes over the line.
fn request(open: &Open, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text += &format!("Host: {}\r\n", open.listen);
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    format!("{text}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn get(open: &Open, path: &str) -> String {
    open.send(&request(open, "GET", path, &[], ""))
}

fn post(open: &Open, path: &str, body: &str) -> String {
    open.send(&request(
        open,
        "POST",
        path,
        &[("Content-Type", "application/json")],
        body,
    ))
}

#[test]
fn the_page_and_its_answers() {
    let open = Open::here();
    let page = get(&open, "/");
    assert_eq!(status(&page), 200);
    assert!(body(&page).contains("<title>capsnet lab</title>"));
    let policy = "content-security-policy: default-src 'none'; script-src 'self';";
    assert!(head(&page).to_lowercase().contains(policy), "{}", head(&page));
    assert!(!body(&page).contains("<style") && !body(&page).contains("onclick"));
    for path in ["/app.js", "/style.css", "/icon.svg", "/doorway.js"] {
        assert_eq!(status(&get(&open, path)), 200, "{path}");
    }
    let about: serde_json::Value = serde_json::from_str(body(&post(&open, "/api/ask/lab", "{}"))).unwrap();
    assert_eq!(about["models"][0]["label"], "LeNet-5");
    assert_eq!(about["models"][1]["capsules"], true);
    let digit: serde_json::Value = serde_json::from_str(body(&post(&open, "/api/ask/digit", "{\"index\":3}"))).unwrap();
    let asked = serde_json::json!({ "model": 0, "pixels": digit["pixels"], "transform": "rotate=10" });
    let answer: serde_json::Value =
        serde_json::from_str(body(&post(&open, "/api/ask/predict", &asked.to_string()))).unwrap();
    let scores: Vec<f64> = answer["scores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect();
    assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{scores:?}");
    assert_eq!(status(&post(&open, "/api/ask/nothing", "{}")), 404);
}

#[test]
fn questions_that_make_no_sense_are_refused_in_words() {
    let open = Open::here();
    for (question, asked, word) in [
        ("predict", "{\"model\":9,\"pixels\":[]}", "pixels"),
        ("digit", "{\"index\":1000000}", "there are"),
        ("digit", "not json", "expected"),
        (
            "decode",
            "{\"model\":1,\"class\":0,\"capsule\":[1,2]}",
            "no such capsule",
        ),
        (
            "prepare",
            "{\"width\":4000000000,\"height\":4000000000,\"levels\":[]}",
            "512",
        ),
        ("prepare", "{\"width\":2,\"height\":2,\"levels\":[1]}", "2x2"),
        ("doorway", "{\"parts\":[],\"iterations\":3}", "parts"),
        (
            "poses",
            "{\"model\":1,\"from\":18446744073709551615,\"count\":100000}",
            "100",
        ),
    ] {
        let answer = post(&open, &format!("/api/ask/{question}"), asked);
        assert_eq!(status(&answer), 400, "{question} {asked}: {answer}");
        assert!(body(&answer).contains(word), "{question} {asked}: {answer}");
    }
    let pixels = serde_json::json!(vec![0; 784]);
    for transform in ["rotate=1e99", "rotate=nan", "bogus", "noise=99999999"] {
        let asked = serde_json::json!({ "model": 0, "pixels": pixels, "transform": transform });
        assert_eq!(
            status(&post(&open, "/api/ask/predict", &asked.to_string())),
            400,
            "{transform}"
        );
    }
    assert_eq!(status(&get(&open, "/")), 200, "it is still there");
}

#[test]
fn pages_of_other_hosts_are_refused() {
    let open = Open::here();
    let port = open.listen.port();
    let good = format!("localhost:{port}");
    for host in [
        "evil.test",
        "evil.test:80",
        "",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.test",
    ] {
        let answer = open.send(&request(&open, "GET", "/", &[("Host", host)], ""));
        assert!([400, 403].contains(&status(&answer)), "Host {host}: {answer}");
    }
    assert_eq!(
        status(&open.send(&request(&open, "GET", "/", &[("Host", &good)], ""))),
        200
    );
    assert!(
        [400, 403].contains(&status(&open.send("GET / HTTP/1.0\r\n\r\n"))),
        "no host"
    );
    let json = ("Content-Type", "application/json");
    for origin in [
        "http://evil.test",
        "null",
        "https://127.0.0.1",
        "http://localhost:1",
        "",
    ] {
        let answer = open.send(&request(
            &open,
            "POST",
            "/api/ask/lab",
            &[json, ("Origin", origin)],
            "{}",
        ));
        assert_eq!(status(&answer), 403, "Origin {origin}: {answer}");
    }
    let own = format!("http://{}", open.listen);
    let answer = open.send(&request(&open, "POST", "/api/ask/lab", &[json, ("Origin", &own)], "{}"));
    assert_eq!(status(&answer), 200);
    // What a form of another page can send without asking first.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = open.send(&request(
            &open,
            "POST",
            "/api/runs",
            &[("Content-Type", kind)],
            "{\"model\":\"lenet5\"}",
        ));
        assert_eq!(status(&answer), 415, "{kind}: {answer}");
    }
}

#[test]
fn a_public_address_needs_its_token() {
    let open = Open::at("0.0.0.0:0");
    let token = open.token.clone().unwrap();
    let others = "0".repeat(32);
    for path in [
        "/",
        "/app.js",
        "/api/runs",
        "/?token=",
        &format!("/?token={others}"),
        &format!("/app.js?token={token}"),
    ] {
        assert_eq!(status(&get(&open, path)), 403, "{path}");
    }
    let entered = get(&open, &format!("/?token={token}"));
    assert_eq!(status(&entered), 303);
    let cookie = format!("capsnet-lab={token}");
    let set = format!("set-cookie: {cookie}; HttpOnly; SameSite=Strict; Path=/");
    assert!(head(&entered).contains(&set), "{entered}");
    let with = |cookie: &str| open.send(&request(&open, "GET", "/", &[("Cookie", cookie)], ""));
    assert_eq!(status(&with(&format!("a=b; {cookie}"))), 200);
    assert_eq!(status(&with(&format!("capsnet-lab={others}"))), 403);
    assert_eq!(status(&with("")), 403);
}

#[test]
fn no_path_leads_out_of_the_folders() {
    let open = Open::here();
    std::fs::write(open.home.path().join("secret.html"), "secret").unwrap();
    std::fs::write(
        open.home.path().join("runs/shown.html"),
        "<title>A &amp; B</title>shown",
    )
    .unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        open.home.path().join("secret.html"),
        open.home.path().join("runs/link.html"),
    )
    .unwrap();
    let shown = get(&open, "/results/shown.html");
    assert_eq!(status(&shown), 200, "{shown}");
    assert!(head(&shown).contains("content-security-policy: sandbox"), "{shown}");
    assert!(body(&get(&open, "/api/results")).contains("\"title\":\"A & B\""));
    for path in [
        "/results/../secret.html",
        "/results/..%2fsecret.html",
        "/results/%2e%2e/secret.html",
        "/results/%2e%2e%2fsecret.html",
        "/results/..%5csecret.html",
        "/results/....//secret.html",
        "/results//etc/passwd",
        "/results/%2fetc%2fpasswd",
        "/results/shown.html%00.png",
        "/results/link.html",
        "/results/./../secret.html",
        "/../secret.html",
        "/..%2f..%2fetc/passwd",
        "/api/runs/image?run=../x&file=truth.png",
        "/api/runs/image?run=mine&file=..%2fconfig.toml",
        "/api/runs/image?run=mine&file=reconstruction-..png",
        "/api/runs/image?run=.&file=truth.png",
        "/api/runs/follow?run=..",
        "/api/runs/follow?run=%2e%2e%2f",
    ] {
        let answer = get(&open, path);
        assert!([400, 404].contains(&status(&answer)), "{path}: {answer}");
        assert!(
            !answer.contains("secret") || answer.contains("error"),
            "{path}: {answer}"
        );
    }
    for run in ["../x", "..", "/etc", "mine/../..", ""] {
        let answer = post(
            &open,
            "/api/runs/resume",
            &serde_json::json!({ "run": run }).to_string(),
        );
        assert_eq!(status(&answer), 404, "{run}: {answer}");
    }
}

#[test]
fn a_large_body_is_not_read() {
    let open = Open::here();
    let mut stream = TcpStream::connect(open.listen).unwrap();
    let length = 100 << 20;
    let head = format!(
        "POST /api/ask/prepare HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n",
        open.listen
    );
    stream.write_all(head.as_bytes()).unwrap();
    let block = vec![b'1'; 1 << 20];
    let mut sent = 0;
    while sent < length && stream.write_all(&block).is_ok() {
        sent += block.len();
    }
    assert!(sent < length, "all of it was taken");
    assert_eq!(status(&get(&open, "/")), 200);
    // One that doesn't say how long it is.
    let mut stream = TcpStream::connect(open.listen).unwrap();
    let head = format!(
        "POST /api/ask/prepare HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        open.listen
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"100000\r\n".to_vec(), block.clone(), b"\r\n".to_vec()].concat();
    let taken = (0..100).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(taken < 100, "all of it was taken");
    // A head without end.
    let mut stream = TcpStream::connect(open.listen).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
    let taken = (0..100).take_while(|_| stream.write_all(&block).is_ok()).count();
    assert!(taken < 100, "a head of {taken} MiB was taken");
    assert_eq!(status(&get(&open, "/")), 200);
}

/// A byte now and then is something that moves, and still no question.
#[test]
fn a_question_that_drips_is_not_waited_for() {
    let open = Open::here();
    let mut stream = TcpStream::connect(open.listen).unwrap();
    let head = format!(
        "POST /api/ask/lab HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n",
        open.listen
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let (mut answer, mut block) = (Vec::new(), [0; 1024]);
    // Ten minutes of it, if nobody minds.
    for _ in 0..3000 {
        let sent = stream.write_all(b" ");
        match stream.read(&mut block) {
            Ok(read) => answer.extend_from_slice(&block[..read]),
            Err(_) if sent.is_ok() => continue,
            Err(_) => {}
        }
        break;
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert_eq!(status(&answer), 408, "{answer}");
    assert_eq!(status(&get(&open, "/")), 200);
}

#[test]
fn those_who_say_nothing_make_room() {
    let open = Open::here();
    // As many as the system lets this process open, up to a thousand.
    let silent: Vec<TcpStream> = (0..1000).map_while(|_| TcpStream::connect(open.listen).ok()).collect();
    assert!(silent.len() > 300, "{} connections", silent.len());
    let halves: Vec<TcpStream> = silent
        .into_iter()
        .enumerate()
        .map(|(number, mut stream)| {
            if number % 2 == 0 {
                // The other side may have closed it by now.
                let _ = stream.write_all(b"GET / HT");
            }
            stream
        })
        .collect();
    let asked = Instant::now();
    let answer = get(&open, "/");
    assert_eq!(status(&answer), 200, "after {:?}", asked.elapsed());
    drop(halves);
}

#[test]
fn fifty_follow_a_run_and_one_of_them_does_not_read() {
    let open = Open::here();
    let steps = open.home.path().join("runs/mine/record/steps.jsonl");
    let line = |step: usize| format!("{{\"step\":{step},\"pad\":\"{:050}\"}}\n", 0);
    std::fs::write(&steps, (1..=50_000).map(line).collect::<String>()).unwrap();
    let ask = format!(
        "GET /api/runs/follow?run=mine HTTP/1.1\r\nHost: {}\r\n\r\n",
        open.listen
    );
    let follow = || {
        let mut stream = TcpStream::connect(open.listen).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(ask.as_bytes()).unwrap();
        stream
    };
    let asleep = follow();
    let awake: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = follow();
            thread::spawn(move || {
                let mut text = Vec::new();
                let mut block = [0; 1 << 16];
                let asked = Instant::now();
                while !text.windows(12).any(|part| part == b"\"step\":50001") {
                    assert!(asked.elapsed() < Duration::from_secs(300), "the last step never comes");
                    let read = stream.read(&mut block).unwrap();
                    assert!(read > 0, "it ended after {} bytes", text.len());
                    // Only the end has to be looked at.
                    let keep = text.len().saturating_sub(16);
                    text.drain(..keep);
                    text.extend_from_slice(&block[..read]);
                }
            })
        })
        .collect();
    let mut file = std::fs::OpenOptions::new().append(true).open(&steps).unwrap();
    file.write_all(line(50_001).as_bytes()).unwrap();
    for one in awake {
        one.join().unwrap();
    }
    assert_eq!(status(&get(&open, "/")), 200);
    drop(asleep);
}

#[test]
fn what_is_no_http_is_closed() {
    let open = Open::here();
    for nonsense in [
        "\0\0\0\0\r\n\r\n",
        "HELLO\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        let answer = open.send(nonsense);
        assert!(answer.is_empty() || status(&answer) >= 400, "{nonsense:?}: {answer}");
    }
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE"] {
        let answer = open.send(&request(&open, method, "/api/runs", &[], ""));
        assert!(status(&answer) >= 400, "{method}: {answer}");
    }
    assert_eq!(status(&get(&open, "/")), 200);
}
