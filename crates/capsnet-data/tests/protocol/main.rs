//! The evaluation protocols: what they promise, held to independent computations and to laws.

mod affnist;
mod affnist_file;
mod corruption;
mod digits;
mod family;
mod mnist_rot;
mod multimnist;
mod values;
