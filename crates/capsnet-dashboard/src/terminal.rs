//! The terminal of this process, with its keys.

use std::io::{Read, Stdout, Write, stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use capsnet::train::{RunFolder, TrainConfig};
use ratatui::Terminal;
use ratatui_termion::TermionBackend;
use ratatui_termion::termion::cursor::Show;
use ratatui_termion::termion::is_tty;
use ratatui_termion::termion::raw::{IntoRawMode, RawTerminal};
use ratatui_termion::termion::screen::{AlternateScreen, IntoAlternateScreen, ToMainScreen};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::{Dashboard, Host, Keys};

/// A dashboard on this process's terminal, which is as before when it is dropped.
pub type OnTerminal = Dashboard<TermionBackend<AlternateScreen<RawTerminal<Stdout>>>>;

static LOG: AtomicBool = AtomicBool::new(false);

/// The program of the newest dashboard: there is one terminal, and one thread that reads its keys.
static HOST: Mutex<Option<Host>> = Mutex::new(None);

fn host() -> Option<Host> {
    *HOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the terminal; none if standard input or output is something else.
pub fn open(config: &TrainConfig, folder: &RunFolder, classes: &[String], host: &Host) -> Option<OnTerminal> {
    if !is_tty(&stdin()) || !is_tty(&stdout()) {
        return None;
    }
    let before = tcgetattr(stdout()).ok()?;
    (host.before_leaving)(Box::new(move || {
        // Where the terminal has gone, there is nothing to give back.
        let _ = write!(stdout(), "{}{}", ToMainScreen, Show).and_then(|()| stdout().flush());
        let _ = tcsetattr(stdout(), OptionalActions::Now, &before);
    }));
    let screen = stdout().into_raw_mode().ok()?.into_alternate_screen().ok()?;
    let terminal = Terminal::new(TermionBackend::new(screen)).ok()?;
    let is_heard = HOST
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .replace(*host)
        .is_some();
    if !is_heard {
        std::thread::Builder::new().name("keys".to_owned()).spawn(listen).ok()?;
    }
    Some(Dashboard::new(terminal, config, folder, classes, pressed))
}

fn pressed() -> Keys {
    Keys {
        stop: host().is_some_and(|host| host.stop.load(Ordering::Relaxed)),
        log: LOG.load(Ordering::Relaxed),
    }
}

/// A terminal in this mode sends Ctrl-C as a byte.
fn listen() {
    for byte in stdin().lock().bytes() {
        match byte {
            Ok(b'q' | b'Q' | 3) => {
                if let Some(host) = host() {
                    (host.ask_to_stop)();
                }
            }
            Ok(b'l' | b'L') => {
                LOG.fetch_xor(true, Ordering::Relaxed);
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}
