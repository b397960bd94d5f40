//! SIGINT and SIGTERM end a run that cleans up behind itself; a file that grows beyond `ulimit -f` is an error
//! like any other.
//!
//! ```text
//!  first signal ──▶ the run is asked to end ──▶ it does: nothing published, one line, exit code
//!                         ╰── 1.5 s later, or by a second signal: temporary files are removed, exit code
//! ```
//!
//! A thread of its own waits for signals, for a handler may do next to nothing. It must not know what runs. A run
//! that has published by then keeps its own exit code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use calltable::convert::Progress;
use calltable::source::inputs::Inputs;

use super::say;

/// What has come, and what it asks of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    is_stopped: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Signals {
    /// Begins to wait for signals. Where there is no thread for that, they end the program as they end any.
    pub(crate) fn watch() -> Signals {
        let signals = Signals::default();
        #[cfg(unix)]
        unix::watch(&signals);
        signals
    }

    /// Counters for a job that ends when a signal comes.
    pub(crate) fn progress(&self, inputs: &Inputs) -> Arc<Progress> {
        Arc::new(Progress { is_stopped: self.is_stopped.clone(), ..Progress::of(inputs) })
    }

    /// Says which signal ended the run; comes back with the exit code of a program that it ends.
    pub(crate) fn ended(&self) -> u8 {
        let signal = self.signal.load(Ordering::SeqCst);
        let name = if signal == SIGINT { "SIGINT" } else { "SIGTERM" };
        say::error(&format!("stopped by {name}"));
        128 + signal as u8
    }
}

/// Its number, everywhere.
const SIGINT: usize = 2;

#[cfg(unix)]
mod unix {
    use std::io::{self, Read};
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::sync_channel;
    use std::thread::Builder;
    use std::time::Duration;

    use calltable::sink::publish::remove_unfinished;
    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::{flag, low_level};

    use super::Signals;

    /// A run has so long to end by itself.
    const PATIENCE: Duration = Duration::from_millis(1500);

    pub(super) fn watch(signals: &Signals) {
        // It is caught, that is all: the write that caused it gives an error.
        let _ = flag::register(SIGXFSZ, Arc::<AtomicBool>::default());
        let (listens, ready) = sync_channel(1);
        let signals = signals.clone();
        let watching = move || {
            let bytes = listen(&signals);
            let _ = listens.send(());
            if let Ok(bytes) = bytes {
                wait(&signals, bytes);
            }
        };
        if Builder::new().name("calltable-signals".to_string()).spawn(watching).is_ok() {
            let _ = ready.recv();
        }
    }

    /// A byte comes for each signal; which it was is known before.
    fn listen(signals: &Signals) -> io::Result<UnixStream> {
        let (bytes, handler) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM] {
            let handler = handler.try_clone()?;
            flag::register_usize(signal, signals.signal.clone(), signal as usize)?;
            low_level::pipe::register(signal, handler)?;
        }
        Ok(bytes)
    }

    fn wait(signals: &Signals, mut bytes: UnixStream) {
        let mut byte = [0];
        if bytes.read_exact(&mut byte).is_err() {
            return;
        }
        signals.is_stopped.store(true, Ordering::Relaxed);
        // A second signal, or the end of patience.
        let _ = bytes.set_read_timeout(Some(PATIENCE));
        let _ = bytes.read_exact(&mut byte);
        remove_unfinished();
        low_level::exit(signals.ended().into());
    }
}
