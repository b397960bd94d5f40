//! The program: its allocator, what a closed pipe does to it, and its exit code. All else is `cli`.

mod cli;

/// Blocks of some MiB come and go between threads, which is what this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // As it ends `cat`: by SIGPIPE, without a message.
    sigpipe::reset();
    cli::run()
}
