//! Connections: so many at a time, none that takes or gives nothing for long.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep};

/// Connections at a time; the oldest that waits for no answer makes room for the next.
const MOST: usize = 512;
/// For the head of a request to come.
const HEAD: Duration = Duration::from_secs(10);
/// For anything to move, either way. A page that follows a run gets a sign of life more often.
const STILL: Duration = Duration::from_secs(60);
/// The largest head of a request.
const BUFFER: usize = 16 << 10;

/// A connection that is being served.
struct Open {
    task: AbortHandle,
    /// Requests that came in whole and aren't answered to their end.
    waiting: Arc<AtomicUsize>,
}

/// A request under way: as long as its answer's body is there.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves all who come.
pub(super) async fn accept(listener: TcpListener, router: Router) {
    let mut open: VecDeque<Open> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No more files can be opened: some will be closed.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        open.retain(|connection| !connection.task.is_finished());
        if open.len() >= MOST {
            let idle = open
                .iter()
                .position(|connection| connection.waiting.load(Ordering::Relaxed) == 0);
            let Some(idle) = idle else { continue };
            if let Some(connection) = open.remove(idle) {
                connection.task.abort();
            }
        }
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = waiting.clone();
        let answers = TowerToHyperService::new(router.clone());
        let service = service_fn(move |request| {
            let waiting = Waiting::begin(&count);
            let answer = answers.call(request);
            async move {
                let answer = answer.await?;
                // Errors stay as they are; what matters is that the body holds the mark until it goes.
                let marked = |body: axum::body::Body| {
                    body.map_err(move |error| {
                        let _held = &waiting;
                        error
                    })
                };
                Ok::<_, Infallible>(answer.map(marked))
            }
        });
        let stream = Moving::new(stream);
        let task = tokio::spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(stream), service);
            // The other side may have gone; there is nobody to tell.
            let _ = served.await;
        });
        open.push_back(Open {
            task: task.abort_handle(),
            waiting,
        });
    }
}

/// A stream that fails if nothing moves for [`STILL`].
struct Moving {
    stream: TcpStream,
    still: Pin<Box<Sleep>>,
}

impl Moving {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            still: Box::pin(sleep(STILL)),
        }
    }

    /// What came of an attempt to move something.
    fn moved<T>(&mut self, context: &mut Context, moved: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            self.still.set(sleep(STILL));
            return moved;
        }
        match self.still.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Moving {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.moved(context, read)
    }
}

impl AsyncWrite for Moving {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
