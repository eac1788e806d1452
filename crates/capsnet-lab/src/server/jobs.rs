//! Questions on their way to the thread that asks the models, one after the other.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::sync::oneshot;

use crate::Lab;
use crate::ask::Fault;

/// Questions that wait at most; the page asks few at a time.
const WAITING: usize = 64;

/// What the asking thread does.
pub(super) type Job = Box<dyn FnOnce(&mut Lab) + Send>;

/// Hands questions to the thread that has the models.
#[derive(Clone)]
pub(super) struct Jobs(SyncSender<Job>);

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// The question is at fault.
    Fault(Fault),
    /// Too many others wait.
    Busy,
    /// The question was too much for the library: a fault of ours.
    Lost,
}

impl Jobs {
    pub(super) fn new() -> (Self, Receiver<Job>) {
        let (sender, receiver) = sync_channel(WAITING);
        (Self(sender), receiver)
    }

    /// Asks, and waits for the answer. Whoever stops waiting is not answered.
    pub(super) async fn ask(&self, question: String, body: Vec<u8>) -> Result<String, NoAnswer> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |lab| {
            if sender.is_closed() {
                return;
            }
            let answer = || lab.answer(&question, &body);
            // A panic would take the whole lab down for one question.
            if let Ok(answer) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(answer)) {
                // Nobody may be there any more.
                let _ = sender.send(answer);
            }
        });
        self.0.try_send(job).map_err(|_| NoAnswer::Busy)?;
        receiver.await.map_err(|_| NoAnswer::Lost)?.map_err(NoAnswer::Fault)
    }
}
