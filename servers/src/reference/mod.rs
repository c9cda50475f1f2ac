//! The reference: a CORS middleware as we hold that it should be, in front of the fixed application of certifications.
//!
//! It passes every rule and refuses what should be refused; and each class of defects can be switched on in it, one at a time, so that
//! every rule is seen to fail. It decides by its own reading of a policy, apart from the one that certifications expect by: two
//! opinions.

mod cors;
mod http;
mod patterns;
mod policy;

use std::{io, sync::Arc};

use tokio::net::TcpListener;

use cors::Cors;
pub use policy::{Refusal, Settings};

/// The classes of defects that can be switched on, by the ids of their rules.
pub const DEFECTS: &[&str] = &[
    "S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08", "S09", "S10", "S11", "S12", "S13", "S14", "S15", "S16", "S17", "S18", "S19",
    "S20", "S21", "S22", "S23", "S25", "C01", "C02", "C03", "C04", "C05", "C06", "C08", "C09", "C10", "C11", "C12", "F01", "F02", "F03",
    "F04", "F05", "F06", "F07", "F08", "F09", "F10", "F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F20", "F21", "F22",
    "F23", "F24", "F26", "F27", "F28", "F29", "F30", "F31", "F32", "F33", "F34", "F35", "F36", "R01", "R02", "R03", "P01", "P02", "P03",
    "H01", "H02", "H03", "H04", "I01", "I02", "I03",
];

/// The middleware, set up, with the application behind it.
#[derive(Debug)]
pub struct Reference {
    cors: Cors,
}

impl Reference {
    /// Sets it up for a policy as it stands in `CORSCHECK_POLICY`, with one defect or none.
    ///
    /// # Errors
    ///
    /// The policy is one that nobody should mean, or no policy.
    pub fn new(policy: &str, defect: Option<&str>) -> Result<Self, Refusal> {
        let defect = defect
            .map(|name| DEFECTS.iter().find(|d| **d == name).copied().ok_or_else(|| Refusal(format!("there is no defect {name}"))))
            .transpose()?;
        if defect == Some("F36") && policy.contains("\"*\"") {
            // A panic without the noise of one.
            std::panic::resume_unwind(Box::new("the defect F36: a legal option ends the program"));
        }
        Ok(Self { cors: Cors::new(Settings::parse(policy, defect)?) })
    }

    /// Serves until it is dropped.
    ///
    /// # Errors
    ///
    /// The listener fails.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let reference = Arc::new(self);
        loop {
            let (stream, _) = listener.accept().await?;
            let reference = reference.clone();
            tokio::spawn(async move {
                // A client that goes away ends its connection, and nothing else.
                _ = http::serve(stream, |request| reference.cors.answer(&request)).await;
            });
        }
    }
}
