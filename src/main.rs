//! The program: its allocator, what a closed pipe does to it, and its exit code. All else is `cli`.

mod cli;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // As it ends `cat`: by SIGPIPE, without a message.
    sigpipe::reset();
    cli::run()
}
