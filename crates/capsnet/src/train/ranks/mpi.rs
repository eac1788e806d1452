//! Ranks that are processes of an MPI job.
//!
//! One thread does all the talking. It waits by asking now and then: MPI's own waiting would take a core from the
//! threads that compute meanwhile.

use std::time::Duration;

use mpi::Threading;
use mpi::environment::Universe;
use mpi::request::{LocalScope, Request, scope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Buffer, BufferMut, Communicator, CommunicatorCollectives, Destination, Source};

use super::Ranks;

/// Elements of a message: MPI counts them in 32 bits.
const MOST: usize = 1 << 28;
/// So often is asked before it is waited.
const EAGER: usize = 2000;
/// Waited between two questions then.
const NAP: Duration = Duration::from_micros(20);

/// This process among those of its MPI job.
pub struct Mpi {
    world: SimpleCommunicator,
    neighbours: usize,
    /// Ends MPI when it is dropped, so it comes last.
    _universe: Universe,
}

impl Mpi {
    /// Joins the job; `None` if this process has done so before. To be called and used by one thread.
    pub fn join() -> Option<Self> {
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)?;
        let world = universe.world();
        let neighbours = neighbours(&world);
        Some(Self {
            world,
            neighbours,
            _universe: universe,
        })
    }

    fn swap<T>(&self, partner: usize, send: &[T], receive: &mut [T])
    where
        [T]: Buffer + BufferMut,
    {
        let partner = self.world.process_at_rank(partner as i32);
        // The longer of the two has the more messages; which of them it is differs from one partner to the other.
        let mut given = send.chunks(MOST);
        let mut taken = receive.chunks_mut(MOST);
        loop {
            let (give, take) = (given.next(), taken.next());
            if give.is_none() && take.is_none() {
                return;
            }
            scope(|scope| {
                let receiving = take.map(|take| partner.immediate_receive_into(scope, take));
                let sending = give.map(|give| partner.immediate_send(scope, give));
                wait(receiving);
                wait(sending);
            });
        }
    }
}

/// Waits for the end of a message, without the whole of a core.
fn wait<'a, D: ?Sized>(request: Option<Request<'a, D, &LocalScope<'a>>>) {
    let Some(mut request) = request else { return };
    for asked in 0.. {
        request = match request.test() {
            Ok(_) => return,
            Err(request) => request,
        };
        if asked < EAGER {
            std::thread::yield_now();
        } else {
            std::thread::sleep(NAP);
        }
    }
}

/// The ranks of this machine that may use the same cores as this one; a launcher that binds each to cores of its own
/// leaves it alone with them.
fn neighbours(world: &SimpleCommunicator) -> usize {
    let machine = world.split_shared(world.rank());
    let own = cores();
    let mut all = vec![0u64; machine.size() as usize];
    machine.all_gather_into(&own, &mut all[..]);
    all.into_iter().filter(|&cores| cores == own).count()
}

/// A number for the cores that this process may use, the same for the same cores.
fn cores() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:"));
    let digits = mask.unwrap_or_default().bytes();
    digits.fold(0, |number, digit| {
        u64::from(digit).wrapping_add(number.wrapping_mul(1_099_511_628_211))
    })
}

impl Ranks for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn neighbours(&self) -> usize {
        self.neighbours
    }

    fn exchange(&self, partner: usize, send: &[f32], receive: &mut [f32]) {
        self.swap(partner, send, receive);
    }

    fn exchange_doubles(&self, partner: usize, send: &[f64], receive: &mut [f64]) {
        self.swap(partner, send, receive);
    }

    /// By a tree: those that have it pass it on to as many others.
    fn broadcast(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let (rank, size) = (self.rank(), self.size());
        let mut have = 1;
        while have < size {
            let partner = rank ^ have;
            if rank < have && partner < size {
                self.swap(partner, &[bytes.len() as u64], &mut []);
                self.swap(partner, &bytes, &mut []);
            } else if (have..2 * have).contains(&rank) {
                let mut length = [0u64];
                self.swap(partner, &[], &mut length);
                bytes = vec![0; length[0] as usize];
                self.swap(partner, &[], &mut bytes);
            }
            have *= 2;
        }
        bytes
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        // Others would wait for this one, and MPI's end for them.
        if std::thread::panicking() {
            self.world.abort(101);
        }
    }
}
