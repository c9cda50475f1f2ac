//! The program itself, built beside the tests so that they run the real thing.

use corscheck::exit::Exit;

fn main() -> Exit {
    corscheck::cli::main()
}
