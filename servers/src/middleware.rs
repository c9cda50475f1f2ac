//! The adapters of `servers/middleware/`, embedded: a program that is installed somewhere has them with it.

include!(concat!(env!("OUT_DIR"), "/middleware.rs"));
