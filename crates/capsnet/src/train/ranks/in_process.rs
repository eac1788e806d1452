//! Ranks that are threads of one process: the same training, without a launcher.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::Ranks;

/// One of several threads that train together. A thread that ends before the others makes them panic.
pub struct InProcess {
    rank: usize,
    /// To each rank, itself included.
    to: Vec<Sender<Message>>,
    from: Vec<Receiver<Message>>,
}

enum Message {
    Singles(Vec<f32>),
    Doubles(Vec<f64>),
    Bytes(Vec<u8>),
}

impl InProcess {
    /// So many ranks, to be moved into threads of their own.
    pub fn ranks(size: usize) -> Vec<Self> {
        let mut ranks: Vec<Self> = (0..size)
            .map(|rank| Self {
                rank,
                to: Vec::new(),
                from: Vec::new(),
            })
            .collect();
        // From each in turn to all: each then has its channels in the order of the others' numbers.
        for from in 0..size {
            for to in 0..size {
                let (sender, receiver) = channel();
                ranks[from].to.push(sender);
                ranks[to].from.push(receiver);
            }
        }
        ranks
    }

    fn send(&self, to: usize, message: Message) {
        self.to[to]
            .send(message)
            .unwrap_or_else(|_| panic!("rank {to} is gone"));
    }

    fn receive(&self, from: usize) -> Message {
        self.from[from].recv().unwrap_or_else(|_| panic!("rank {from} is gone"))
    }
}

impl Ranks for InProcess {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&self, partner: usize, send: &[f32], receive: &mut [f32]) {
        self.send(partner, Message::Singles(send.to_vec()));
        match self.receive(partner) {
            Message::Singles(values) => receive.copy_from_slice(&values),
            _ => panic!("rank {partner} is out of step"),
        }
    }

    fn exchange_doubles(&self, partner: usize, send: &[f64], receive: &mut [f64]) {
        self.send(partner, Message::Doubles(send.to_vec()));
        match self.receive(partner) {
            Message::Doubles(values) => receive.copy_from_slice(&values),
            _ => panic!("rank {partner} is out of step"),
        }
    }

    fn broadcast(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.rank == 0 {
            (1..self.size()).for_each(|rank| self.send(rank, Message::Bytes(bytes.clone())));
            return bytes;
        }
        match self.receive(0) {
            Message::Bytes(bytes) => bytes,
            _ => panic!("the first rank is out of step"),
        }
    }
}
