//! `train --dashboard`: the training on a whole terminal, live, until it ends.
//!
//! [`Seen`] is what is known, [`draw`] how it looks; here is the terminal, with the keys. Where there is none, and
//! where one goes away, a training is told in lines as ever.

mod draw;
mod seen;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use capsnet::train::{Event, RunFolder};
use ratatui::Terminal;
use ratatui::backend::Backend;
use seen::Seen;

/// Drawn so often at most: more can't be read, and would be felt in the training.
const EVERY: Duration = Duration::from_millis(100);

/// A training on a terminal.
pub(super) struct Dashboard<B: Backend> {
    terminal: Terminal<B>,
    seen: Seen,
    began: Instant,
    drawn: Option<Instant>,
    keys: fn() -> Keys,
}

/// What a person wants by now.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Keys {
    stop: bool,
    log: bool,
}

impl<B: Backend> Dashboard<B> {
    fn new(terminal: Terminal<B>, seen: Seen, keys: fn() -> Keys) -> Self {
        Self {
            terminal,
            seen,
            began: Instant::now(),
            drawn: None,
            keys,
        }
    }

    /// Shows what training tells; `folder` has what it told before.
    ///
    /// # Errors
    ///
    /// The terminal's, which may have gone away.
    pub(super) fn hear(&mut self, event: &Event, folder: &RunFolder) -> Result<(), B::Error> {
        if matches!(event, Event::Started { .. }) {
            self.seen.remember(folder);
        }
        self.seen.hear(event, self.began.elapsed());
        let Keys { stop, log } = (self.keys)();
        let pressed = (stop, log) != (self.seen.stopping, self.seen.log);
        (self.seen.stopping, self.seen.log) = (stop, log);
        let is_due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= EVERY);
        if pressed {
            // Whoever asked by a signal may have been written over it. Not `clear`, which asks the terminal where the
            // cursor is, and the answer would go to the keys.
            let area = self.terminal.get_frame().area();
            self.terminal.resize(area)?;
        }
        if pressed || is_due || !matches!(event, Event::Step { .. } | Event::Noted(_)) {
            self.terminal.draw(|frame| draw::draw(frame, &self.seen))?;
            self.drawn = Some(Instant::now());
        }
        Ok(())
    }
}

#[cfg(unix)]
pub(super) use unix::{OnTerminal, open};

#[cfg(unix)]
mod unix {
    use std::io::{Read, Stdout, Write, stdin, stdout};
    use std::sync::atomic::{AtomicBool, Ordering};

    use capsnet::train::{RunFolder, TrainConfig};
    use ratatui::Terminal;
    use ratatui_termion::TermionBackend;
    use ratatui_termion::termion::cursor::Show;
    use ratatui_termion::termion::is_tty;
    use ratatui_termion::termion::raw::{IntoRawMode, RawTerminal};
    use ratatui_termion::termion::screen::{AlternateScreen, IntoAlternateScreen, ToMainScreen};
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

    use super::{Dashboard, Keys, Seen};
    use crate::stop::{STOP, before_leaving, stop_by_key};

    /// A dashboard on this process's terminal, which is as before when it is dropped.
    pub(in super::super) type OnTerminal = Dashboard<TermionBackend<AlternateScreen<RawTerminal<Stdout>>>>;

    static LOG: AtomicBool = AtomicBool::new(false);

    /// Takes the terminal; none if standard input or output is something else.
    pub(in super::super) fn open(config: &TrainConfig, folder: &RunFolder, classes: &[String]) -> Option<OnTerminal> {
        if !is_tty(&stdin()) || !is_tty(&stdout()) {
            return None;
        }
        let before = tcgetattr(stdout()).ok()?;
        before_leaving(Box::new(move || {
            // Where the terminal has gone, there is nothing to give back.
            let _ = write!(stdout(), "{}{}", ToMainScreen, Show).and_then(|()| stdout().flush());
            let _ = tcsetattr(stdout(), OptionalActions::Now, &before);
        }));
        let screen = stdout().into_raw_mode().ok()?.into_alternate_screen().ok()?;
        let terminal = Terminal::new(TermionBackend::new(screen)).ok()?;
        std::thread::Builder::new().name("keys".to_owned()).spawn(listen).ok()?;
        let keys = || Keys {
            stop: STOP.load(Ordering::Relaxed),
            log: LOG.load(Ordering::Relaxed),
        };
        Some(Dashboard::new(terminal, Seen::new(config, folder, classes), keys))
    }

    /// A terminal in this mode sends Ctrl-C as a byte.
    fn listen() {
        for byte in stdin().lock().bytes() {
            match byte {
                Ok(b'q' | b'Q' | 3) => stop_by_key(),
                Ok(b'l' | b'L') => {
                    LOG.fetch_xor(true, Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}
