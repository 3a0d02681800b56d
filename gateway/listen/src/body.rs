//! Bodies that are watched: that of a request must come in time, that of an answer says whether it is taken.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::activity::Exchange;

/// The body of a request, which ends with an error when it takes too long.
pub(crate) struct TimedBody {
    inner: Body,
    /// Starts with the first read.
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The body of an answer. Its request has ended when it is dropped.
pub(crate) struct WatchedBody {
    inner: Body,
    exchange: Exchange,
}

// === impl TimedBody ===

impl TimedBody {
    pub(crate) const fn new(inner: Body, limit: Duration) -> Self {
        Self { inner, limit, timer: None }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            return Poll::Ready(frame);
        }
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => {
                let late = format!("the body did not come within {limit:?}");
                let late = std::io::Error::new(std::io::ErrorKind::TimedOut, late);
                Poll::Ready(Some(Err(axum::Error::new(late))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

// === impl WatchedBody ===

impl WatchedBody {
    pub(crate) const fn new(inner: Body, exchange: Exchange) -> Self {
        Self { inner, exchange }
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        match &frame {
            Poll::Ready(_) => self.exchange.answers(),
            Poll::Pending => self.exchange.works(),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
