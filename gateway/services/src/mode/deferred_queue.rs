//! A queue whose items can be set aside: what arrives while a decision is being stored is handled after it.

use std::collections::VecDeque;

use tokio::sync::mpsc;

/// A queue, and the items taken from it that are not handled yet.
#[derive(Debug)]
pub(super) struct DeferredQueue<T> {
    queue: mpsc::Receiver<T>,
    deferred: VecDeque<T>,
}

// === impl DeferredQueue ===

impl<T> DeferredQueue<T> {
    pub(super) const fn new(queue: mpsc::Receiver<T>) -> Self {
        Self { queue, deferred: VecDeque::new() }
    }

    /// Returns the next item, deferred ones first; `None` when the queue is closed and empty.
    pub(super) async fn next(&mut self) -> Option<T> {
        match self.deferred.pop_front() {
            Some(item) => Some(item),
            None => self.queue.recv().await,
        }
    }

    /// Returns the next item that is there already, deferred ones first.
    pub(super) fn next_waiting(&mut self) -> Option<T> {
        self.deferred.pop_front().or_else(|| self.queue.try_recv().ok())
    }

    /// Waits for an item that was not seen before; `None` when the queue is closed.
    pub(super) async fn arrival(&mut self) -> Option<T> {
        self.queue.recv().await
    }

    /// Sets an item aside. Beyond `most` of them the oldest is dropped.
    pub(super) fn defer(&mut self, item: T, most: usize) {
        if self.deferred.len() >= most {
            self.deferred.pop_front();
        }
        self.deferred.push_back(item);
    }

    /// Sets an item aside that is not among those set aside. Beyond `most` of them it is dropped. Returns whether it
    /// waits.
    pub(super) fn defer_once(&mut self, item: T, most: usize) -> bool
    where
        T: PartialEq,
    {
        if self.deferred.contains(&item) {
            return true;
        }
        if self.deferred.len() >= most {
            return false;
        }
        self.deferred.push_back(item);
        true
    }

    /// Returns whether items are set aside.
    pub(super) fn has_deferred(&self) -> bool {
        !self.deferred.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_set_aside_comes_first_and_in_its_order() {
        let (sender, queue) = mpsc::channel(8);
        let mut queue = DeferredQueue::new(queue);
        for number in 0..4 {
            sender.try_send(number).unwrap();
        }
        for _ in 0..3 {
            let item = queue.arrival().await.unwrap();
            queue.defer(item, 2);
        }
        assert!(queue.has_deferred());
        assert_eq!((queue.next().await, queue.next_waiting()), (Some(1), Some(2)), "the oldest was dropped");
        assert!(!queue.has_deferred());
        assert!(queue.defer_once(7, 1) && queue.defer_once(7, 1) && !queue.defer_once(8, 1));
        assert_eq!((queue.next_waiting(), queue.has_deferred()), (Some(7), false));
        drop(sender);
        assert_eq!((queue.next().await, queue.next_waiting(), queue.next().await), (Some(3), None, None));
    }
}
