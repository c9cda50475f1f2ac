//! The `corscheck` command.

use corscheck::{cli, exit::Exit};

fn main() -> Exit {
    cli::main()
}
