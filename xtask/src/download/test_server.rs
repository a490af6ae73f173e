//! A small HTTP server with the faults of real ones, on this machine only.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How the server behaves to one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    /// Sends what is asked for.
    Good,
    /// Sends all, whatever range is asked for.
    IgnoresRanges,
    /// Announces the whole file and closes the connection after this number of bytes.
    Truncates(usize),
    /// Announces the whole file and falls silent after this number of bytes.
    Stalls(usize),
    /// Names `/elsewhere` as the place of the file.
    Redirects,
    /// Answers with this status and no file.
    Status(u16),
    /// Sends the bytes in reverse, with another tag.
    Changed,
    /// Sends no length, and closes the connection at the end.
    Endless,
    /// Sends some bytes, pauses, and so on.
    Drips,
}

/// A server for one file.
pub struct Server {
    pub url: String,
    /// The path and the first byte of each request.
    pub requests: Arc<Mutex<Vec<(String, usize)>>>,
}

/// Serves `content` to up to 30 requests, each in the next of the manners, and in [`Manner::Good`] after the last.
pub fn serve(content: &[u8], manners: &[Manner]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/file.zip", listener.local_addr().expect("it is bound"));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (seen, content) = (Arc::clone(&requests), content.to_vec());
    let mut manners: VecDeque<_> = manners.to_vec().into();
    thread::spawn(move || {
        for stream in listener.incoming().take(30).flatten() {
            let manner = manners.pop_front().unwrap_or(Manner::Good);
            // A client that hangs up is none of the server's business.
            let _ = answer(stream, &content, manner, &seen);
        }
    });
    Server { url, requests }
}

fn answer(
    mut stream: TcpStream,
    content: &[u8],
    manner: Manner,
    seen: &Mutex<Vec<(String, usize)>>,
) -> std::io::Result<()> {
    let (path, start, condition) = question(&stream)?;
    seen.lock().expect("no thread panicked").push((path, start));
    let changed: Vec<u8> = content.iter().rev().copied().collect();
    let (content, tag) =
        if manner == Manner::Changed { (changed.as_slice(), "\"b\"") } else { (content, "\"a\"") };
    let is_honoured =
        manner != Manner::IgnoresRanges && condition.is_none_or(|condition| condition == tag);
    let start = if is_honoured { start } else { 0 };
    let head = head(manner, start, content.len(), tag);
    write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")?;
    send(&mut stream, content.get(start..).unwrap_or_default(), manner)?;
    stream.shutdown(Shutdown::Write)
}

/// Status and headers for a file of `total` bytes from `start` on.
fn head(manner: Manner, start: usize, total: usize, tag: &str) -> String {
    let length = total.saturating_sub(start);
    match manner {
        Manner::Redirects => "302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0".to_owned(),
        Manner::Status(status) => format!("{status} No\r\nContent-Length: 0"),
        Manner::Endless => "200 OK".to_owned(),
        _ if length == 0 => {
            format!("416 No\r\nContent-Range: bytes */{total}\r\nContent-Length: 0")
        }
        _ if start > 0 => {
            let range = format!("Content-Range: bytes {start}-{}/{total}", total - 1);
            format!("206 Part\r\n{range}\r\nETag: {tag}\r\nContent-Length: {length}")
        }
        _ => format!("200 OK\r\nETag: {tag}\r\nContent-Length: {length}"),
    }
}

/// Sends the rest of the file in this manner.
fn send(stream: &mut TcpStream, rest: &[u8], manner: Manner) -> std::io::Result<()> {
    match manner {
        Manner::Redirects | Manner::Status(_) => Ok(()),
        Manner::Truncates(length) => stream.write_all(&rest[..length.min(rest.len())]),
        Manner::Stalls(length) => {
            stream.write_all(&rest[..length.min(rest.len())])?;
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            // Until the client hangs up.
            stream.read_exact(&mut [0])
        }
        Manner::Drips => rest.chunks(100).try_for_each(|drop| {
            thread::sleep(Duration::from_millis(20));
            stream.write_all(drop)
        }),
        _ => stream.write_all(rest),
    }
}

/// Path, first byte and condition that a client asks with.
fn question(stream: &TcpStream) -> std::io::Result<(String, usize, Option<String>)> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut start, mut condition) = (0, None);
    for line in lines.take(50) {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let range = value.trim_start_matches("bytes=").trim_end_matches('-');
                start = range.parse().unwrap_or(0);
            }
            "if-range" => condition = Some(value.to_owned()),
            _ => {}
        }
    }
    Ok((path, start, condition))
}
