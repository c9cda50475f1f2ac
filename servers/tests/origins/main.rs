//! The servers over real sockets: what a client gets, and what the record says.

mod answers;
mod connections;
mod lifecycle;
mod pages;
mod recording;
mod support;
mod tls;
