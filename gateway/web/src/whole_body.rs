//! A request is read to its end before anything answers it. An answer that is sent while the caller still
//! writes closes the connection under the caller, who then sees a broken pipe although the act is done.

use std::error::Error;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;
use linli_nodes::LONGEST_IMAGE;

/// Longest body of any request: the image of an update. Routes have their own, shorter limits.
const LONGEST: usize = LONGEST_IMAGE;

/// Reads the whole body, then passes the request on.
pub async fn whole_body(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, LONGEST).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) if is_late(&error) => {
            Problem::new(StatusCode::REQUEST_TIMEOUT, format!("{error}; send it again")).into_response()
        }
        Err(error) => {
            let why = format!(
                "the body of the request could not be read, or is longer than {LONGEST} bytes: {error}"
            );
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, why).into_response()
        }
    }
}

/// Returns whether the body did not come in time.
fn is_late(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let input = error.downcast_ref::<std::io::Error>();
        if input.is_some_and(|input| input.kind() == std::io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;

    use axum::Router;
    use axum::body::Bytes;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures_util::future::poll_immediate;
    use futures_util::stream;
    use tower::ServiceExt;

    use super::*;

    /// The handler ignores its body, as a stop does.
    #[tokio::test]
    async fn a_stop_is_answered_only_when_its_request_was_read_to_the_end() {
        let router = Router::new().route("/stop", post(|| async { "stopped" })).layer(from_fn(whole_body));
        let (end, mut is_ended) = tokio::sync::oneshot::channel::<()>();
        let rest = stream::once(poll_fn(move |context| {
            pin!(&mut is_ended).poll(context).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"{}")))
        }));
        let request = Request::post("/stop").body(Body::from_stream(rest)).unwrap();
        let mut answer = pin!(router.oneshot(request));
        assert!(poll_immediate(&mut answer).await.is_none(), "answered before the body has come");
        end.send(()).unwrap();
        assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    }
}
