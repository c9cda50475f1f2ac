//! A body that the library takes frame by frame, and that may end otherwise than in order.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::Frame;

use super::{ResetStream, pause};
use crate::{
    Fate,
    recorder::{Attempt, Recording},
};

/// Time between the last bytes of a cut body and the reset of its stream. The library drops what is queued on a stream that is
/// reset, and tells nobody when the queue is empty.
const DRAIN_MS: u32 = 5;

/// How the stream ends after the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    InOrder,
    Reset,
    /// Not until the token is taken.
    Hang,
}

/// A body that settles the fate of its answer when the library takes its bytes.
pub(super) struct ScriptedBody {
    recording: Recording,
    content: Option<Bytes>,
    fate: Fate,
    end: End,
    /// What must resolve before the next step.
    wait: Option<Wait>,
    attempt: Arc<Attempt>,
}

impl ScriptedBody {
    /// A body of these bytes, `delay_ms` after the head. Once they are taken its fate is the given one.
    pub(super) fn new(recording: Recording, content: Bytes, delay_ms: u32, fate: Fate, end: End) -> Self {
        let attempt = Arc::clone(recording.attempt());
        let wait = (delay_ms > 0).then(|| wait(&attempt, delay_ms));
        Self { recording, content: Some(content), fate, end, wait, attempt }
    }
}

fn wait(attempt: &Arc<Attempt>, ms: u32) -> Wait {
    let attempt = Arc::clone(attempt);
    Box::pin(async move { pause(&attempt, ms).await })
}

type Wait = Pin<Box<dyn Future<Output = Result<(), ResetStream>> + Send>>;

impl hyper::body::Body for ScriptedBody {
    type Data = Bytes;
    type Error = ResetStream;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResetStream>>> {
        let this = &mut *self;
        if let Some(wait) = &mut this.wait {
            match wait.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => this.wait = None,
                Poll::Ready(Err(reset)) => {
                    this.wait = None;
                    return Poll::Ready(Some(Err(reset)));
                }
            }
        }
        if let Some(content) = this.content.take() {
            this.recording.settle(this.fate.clone());
            match this.end {
                End::InOrder => {}
                End::Hang => {
                    let attempt = Arc::clone(&this.attempt);
                    this.wait = Some(Box::pin(async move {
                        attempt.ended().await;
                        Err(ResetStream)
                    }));
                }
                End::Reset => {
                    this.wait = Some(wait(&this.attempt, DRAIN_MS));
                }
            }
            if !content.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(content))));
            }
            cx.waker().wake_by_ref();
            return if this.end == End::InOrder { Poll::Ready(None) } else { Poll::Pending };
        }
        match this.end {
            End::InOrder => Poll::Ready(None),
            End::Reset | End::Hang => Poll::Ready(Some(Err(ResetStream))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_none() && self.end == End::InOrder
    }
}
