//! Answers that are made as they are taken: a run as a stream of server-sent events, and files.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::runs::{Follower, Runs};

/// Between looks at the files.
const LOOK: Duration = Duration::from_millis(500);
/// Between signs of life where nothing happens.
const ALIVE: Duration = Duration::from_secs(15);
/// Bytes of a file that are held for one who reads it.
const BLOCK: usize = 64 << 10;
/// Who follows at the same time.
const MOST: usize = 128;

static FOLLOWING: AtomicUsize = AtomicUsize::new(0);

/// One who follows.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let taken = FOLLOWING.fetch_add(1, Ordering::Relaxed);
        let place = Place;
        (taken < MOST).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        FOLLOWING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is read as it comes: no more is held than what the reader is about to take.
struct Parts(Receiver<io::Result<Bytes>>);

impl Stream for Parts {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// What is in a file, for as long as somebody reads.
pub(super) fn contents(mut file: File) -> Body {
    let (sender, receiver) = channel(1);
    tokio::spawn(async move {
        loop {
            let read = tokio::task::spawn_blocking(move || {
                let mut block = vec![0; BLOCK];
                let read = file.read(&mut block)?;
                block.truncate(read);
                Ok((file, block))
            });
            let read = read.await.map_err(io::Error::other).flatten();
            let (back, block) = match read {
                Ok(read) => read,
                Err(error) => {
                    // Nobody may be there any more.
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            };
            file = back;
            if block.is_empty() || sender.send(Ok(Bytes::from(block))).await.is_err() {
                return;
            }
        }
    });
    Body::from_stream(Parts(receiver))
}

/// Follows a run for as long as somebody reads.
pub(super) async fn follow(runs: Arc<Runs>, run: String) -> Response {
    let Some(place) = Place::take() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let opened = tokio::task::spawn_blocking(move || Follower::open(runs, &run)).await;
    let follower = match opened {
        Ok(Ok(follower)) => follower,
        Ok(Err(error)) => return error.into_response(),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let (sender, receiver) = channel(1);
    tokio::spawn(send(follower, sender, place));
    let headers = [(CONTENT_TYPE, "text/event-stream")];
    (headers, Body::from_stream(Parts(receiver))).into_response()
}

async fn send(mut follower: Follower, sender: Sender<io::Result<Bytes>>, _place: Place) {
    let mut said = Instant::now();
    loop {
        let looked = tokio::task::spawn_blocking(move || {
            let events = follower.look();
            (follower, events)
        });
        let Ok((back, events)) = looked.await else { return };
        follower = back;
        let more = !events.is_empty() && follower.is_behind();
        for (name, data) in events {
            said = Instant::now();
            if sender
                .send(Ok(Bytes::from(format!("event: {name}\ndata: {data}\n\n"))))
                .await
                .is_err()
            {
                return;
            }
        }
        if said.elapsed() >= ALIVE {
            said = Instant::now();
            if sender.send(Ok(Bytes::from_static(b":\n\n"))).await.is_err() {
                return;
            }
        }
        if !more {
            // Who has gone is not looked for any longer.
            let _ = tokio::time::timeout(LOOK, sender.closed()).await;
            if sender.is_closed() {
                return;
            }
        }
    }
}
