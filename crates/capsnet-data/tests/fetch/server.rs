//! A small HTTP server that behaves, or misbehaves, as a test asks.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How the server deals with requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Serves files.
    Proper,
    /// Promises the whole file and closes the connection after this many bytes.
    CutsAfter(usize),
    /// Sends this many bytes without saying how many there will be, and closes the connection.
    EndsAfter(usize),
    /// Sends this many bytes, then nothing, with the connection open.
    StallsAfter(usize),
    /// Answers every request with this status and no file.
    Status(u16),
    /// Promises a file of this length.
    Promises(u64),
    /// Sends a byte ten times a second.
    Drips,
    /// Sends a header ten times a second, and no body.
    DripsHeaders,
    /// Says that the file is at this address, but for the path `there`, which is served.
    Redirects(&'static str),
    /// Sends another part of the file than the whole that was asked for.
    SendsPart,
    /// Sends zeros for as long as somebody takes them.
    SendsWithoutEnd,
}

/// A running server on a port of its own; it ends with the test's process.
pub(crate) struct Server {
    pub base_url: String,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    files: HashMap<String, Vec<u8>>,
    manner: Manner,
    requests: Vec<String>,
}

impl Server {
    /// Serves `files`, by path without the leading slash.
    pub(crate) fn start(files: HashMap<String, Vec<u8>>, manner: Manner) -> Self {
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

    pub(crate) fn set_manner(&self, manner: Manner) {
        self.shared.lock().unwrap().manner = manner;
    }

    pub(crate) fn set_file(&self, path: &str, content: Vec<u8>) {
        let mut shared = self.shared.lock().unwrap();
        shared.files.insert(path.to_owned(), content);
    }

    /// The paths asked for since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().unwrap().requests)
    }
}

fn answer(mut stream: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let path = read_request(&stream)?;
    let (file, manner) = {
        let mut shared = shared.lock().unwrap();
        shared.requests.push(path.clone());
        (shared.files.get(&path).cloned(), shared.manner)
    };
    let Some(file) = file else {
        return respond(&mut stream, "404 Not Found", "", b"no such file");
    };
    let whole = format!("Content-Length: {}\r\n", file.len());
    match manner {
        Manner::Proper => respond(&mut stream, "200 OK", &whole, &file),
        Manner::CutsAfter(len) => respond(&mut stream, "200 OK", &whole, &file[..len]),
        Manner::EndsAfter(len) => respond(&mut stream, "200 OK", "", &file[..len]),
        Manner::StallsAfter(len) => {
            respond(&mut stream, "200 OK", &whole, &file[..len])?;
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Manner::Status(status) => respond(&mut stream, &format!("{status} As Asked"), "", b"sorry"),
        Manner::Promises(len) => {
            let headers = format!("Content-Length: {len}\r\n");
            respond(&mut stream, "200 OK", &headers, &file)
        }
        Manner::Drips => {
            respond(&mut stream, "200 OK", &whole, b"")?;
            for byte in file {
                stream.write_all(&[byte])?;
                thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
        Manner::DripsHeaders => {
            write!(stream, "HTTP/1.1 200 OK\r\n")?;
            loop {
                write!(stream, "X-More: 1\r\n")?;
                thread::sleep(Duration::from_millis(100));
            }
        }
        Manner::Redirects(_) if path == "there" => respond(&mut stream, "200 OK", &whole, &file),
        Manner::Redirects(to) => respond(&mut stream, "302 Found", &format!("Location: {to}\r\n"), b""),
        Manner::SendsPart => {
            let headers = format!("Content-Range: bytes 9-{}/{}\r\n", file.len() + 8, file.len());
            respond(&mut stream, "206 Partial Content", &headers, &file[9..])
        }
        Manner::SendsWithoutEnd => {
            respond(&mut stream, "200 OK", "", b"")?;
            loop {
                stream.write_all(&[0; 4096])?;
            }
        }
    }
}

fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n")?;
    stream.write_all(body)?;
    stream.flush()
}

/// The path of the request; its headers are passed over.
fn read_request(stream: &TcpStream) -> std::io::Result<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or("/");
    Ok(path.trim_start_matches('/').to_owned())
}
