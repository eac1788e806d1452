//! A small HTTP server that behaves, or misbehaves, as a test asks.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How the server deals with requests.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Serves files and ranges of them; 416 for a range that begins at or after the end.
    Proper,
    /// Sends the whole file whatever range is asked for.
    IgnoresRange,
    /// Promises the whole file and closes the connection after this many bytes.
    CutsAfter(usize),
    /// Sends this many bytes without saying how many there will be, and closes the connection.
    EndsAfter(usize),
    /// Sends this many bytes, then nothing, with the connection open.
    StallsAfter(usize),
    /// Answers every request with this status and no file.
    Status(u16),
    /// Answers a range with 206 and another range.
    WrongRange,
    /// Promises a file of this length.
    Promises(u64),
    /// Refuses every range with 416, and serves whole files.
    RefusesRanges,
}

/// What was asked for: the path and where the range begins, if one was asked for.
pub type Request = (String, Option<usize>);

/// A running server on a port of its own; it ends with the test's process.
pub struct Server {
    pub base_url: String,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    files: HashMap<String, Vec<u8>>,
    manner: Manner,
    requests: Vec<Request>,
}

impl Server {
    /// Serves `files`, by path without the leading slash.
    pub fn start(files: HashMap<String, Vec<u8>>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared {
            files,
            manner,
            requests: Vec::new(),
        }));
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&of_thread);
                // A client that gives up breaks the connection; that is the client's business.
                thread::spawn(move || stream.and_then(|stream| answer(stream, &shared)));
            }
        });
        Self { base_url, shared }
    }

    pub fn set_manner(&self, manner: Manner) {
        self.shared.lock().unwrap().manner = manner;
    }

    pub fn set_file(&self, path: &str, content: Vec<u8>) {
        let mut shared = self.shared.lock().unwrap();
        shared.files.insert(path.to_owned(), content);
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.lock().unwrap().requests)
    }
}

fn answer(mut stream: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let (path, start) = read_request(&stream)?;
    let (file, manner) = {
        let mut shared = shared.lock().unwrap();
        shared.requests.push((path.clone(), start));
        (shared.files.get(&path).cloned(), shared.manner)
    };
    let Some(file) = file else {
        return respond(&mut stream, "404 Not Found", "", b"no such file");
    };
    let whole = format!("Content-Length: {}\r\n", file.len());
    match (manner, start) {
        (Manner::Proper, Some(start)) if start >= file.len() => refuse_range(&mut stream),
        (Manner::RefusesRanges, Some(_)) => refuse_range(&mut stream),
        (Manner::Proper, Some(start)) => {
            let headers = format!(
                "Content-Length: {}\r\nContent-Range: bytes {start}-{}/{}\r\n",
                file.len() - start,
                file.len() - 1,
                file.len()
            );
            respond(&mut stream, "206 Partial Content", &headers, &file[start..])
        }
        (Manner::WrongRange, Some(start)) => {
            let headers = format!("{whole}Content-Range: bytes {}-/*\r\n", start + 1);
            respond(&mut stream, "206 Partial Content", &headers, &file)
        }
        (Manner::CutsAfter(len), _) => respond(&mut stream, "200 OK", &whole, &file[..len]),
        (Manner::EndsAfter(len), _) => respond(&mut stream, "200 OK", "", &file[..len]),
        (Manner::StallsAfter(len), _) => {
            respond(&mut stream, "200 OK", &whole, &file[..len])?;
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        (Manner::Status(status), _) => respond(&mut stream, &format!("{status} As Asked"), "", b"sorry"),
        (Manner::Promises(len), _) => {
            let headers = format!("Content-Length: {len}\r\n");
            respond(&mut stream, "200 OK", &headers, &file)
        }
        _ => respond(&mut stream, "200 OK", &whole, &file),
    }
}

fn refuse_range(stream: &mut TcpStream) -> std::io::Result<()> {
    let headers = "Content-Length: 0\r\n";
    respond(stream, "416 Range Not Satisfiable", headers, b"")
}

fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n")?;
    stream.write_all(body)?;
    stream.flush()
}

fn read_request(stream: &TcpStream) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or("/");
    let path = path.trim_start_matches('/').to_owned();
    let mut start = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("range") {
            let range = value.trim().strip_prefix("bytes=").unwrap_or_default();
            start = range.trim_end_matches('-').parse().ok();
        }
    }
    Ok((path, start))
}
