//! Requests to a service: a queue, in which each request carries the sender of its answer.

use linli_domain::caller::Caller;
use tokio::sync::{mpsc, oneshot};

use crate::error::ServiceError;

/// One request in the queue of a service.
#[derive(Debug)]
pub struct Request<Q, A> {
    /// Who asks, as the audit names it.
    pub caller: Caller,
    /// The request.
    pub what: Q,
    /// Receives the answer. Sending fails when the caller has stopped waiting.
    pub reply: oneshot::Sender<Result<A, ServiceError>>,
}

/// Sends requests to a service and waits for the answers.
#[derive(Debug)]
pub struct ServiceClient<Q, A> {
    requests: mpsc::Sender<Request<Q, A>>,
}

// === impl ServiceClient ===

impl<Q, A> ServiceClient<Q, A> {
    /// A client, and the queue that the service reads. At most `bound` requests wait in it.
    #[must_use]
    pub fn channel(bound: usize) -> (Self, mpsc::Receiver<Request<Q, A>>) {
        let (requests, queue) = mpsc::channel(bound);
        (Self { requests }, queue)
    }

    /// Sends a request and returns the answer of the service. Waits while the queue is full.
    ///
    /// A request that is in the queue is carried out even if the caller stops waiting.
    ///
    /// # Errors
    /// The error of the service, or [`ServiceError::NotNow`] when the service has ended.
    pub async fn ask(&self, caller: &Caller, what: Q) -> Result<A, ServiceError> {
        let (reply, answer) = oneshot::channel();
        let request = Request { caller: caller.clone(), what, reply };
        self.requests.send(request).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }
}

impl<Q, A> Clone for ServiceClient<Q, A> {
    fn clone(&self) -> Self {
        Self { requests: self.requests.clone() }
    }
}

fn stopping() -> ServiceError {
    ServiceError::NotNow("the gateway is stopping".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_answer_of_the_service_is_returned() {
        let (client, mut queue) = ServiceClient::<u32, u32>::channel(1);
        let service = tokio::spawn(async move {
            while let Some(Request { caller, what, reply }) = queue.recv().await {
                let answer = match caller.account.as_str() {
                    "lin" => Ok(what + 1),
                    other => Err(ServiceError::Unknown(other.to_owned())),
                };
                let _ = reply.send(answer);
            }
        });
        assert_eq!(client.ask(&Caller::local("lin"), 1).await, Ok(2));
        assert_eq!(
            client.clone().ask(&Caller::local("wang"), 1).await,
            Err(ServiceError::Unknown("wang".to_owned()))
        );
        drop(client);
        service.await.unwrap();
    }

    #[tokio::test]
    async fn a_service_that_has_ended_is_an_error() {
        let (client, queue) = ServiceClient::<(), ()>::channel(1);
        drop(queue);
        assert_eq!(client.ask(&Caller::local("lin"), ()).await, Err(stopping()), "the queue is closed");
        let (client, mut queue) = ServiceClient::<(), ()>::channel(1);
        let service = tokio::spawn(async move { drop(queue.recv().await) });
        assert_eq!(client.ask(&Caller::local("lin"), ()).await, Err(stopping()), "the request was dropped");
        service.await.unwrap();
    }

    #[tokio::test]
    async fn a_request_is_carried_out_after_its_caller_has_left() {
        let (client, mut queue) = ServiceClient::<u32, ()>::channel(1);
        let caller = tokio::spawn(async move { client.ask(&Caller::local("lin"), 7).await });
        let request = queue.recv().await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        assert_eq!((request.what, request.reply.send(Ok(()))), (7, Err(Ok(()))));
    }
}
