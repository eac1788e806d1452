//! Whether this process is one of several that an MPI launcher started: launchers say so in the environment.

/// Variables with a rank in them, and those that may say of how many.
const LAUNCHERS: [(&str, &[&str]); 3] = [
    // OpenMPI's mpirun.
    ("OMPI_COMM_WORLD_RANK", &["OMPI_COMM_WORLD_SIZE"]),
    // MPICH's and Intel's mpirun, srun --mpi=pmi2.
    ("PMI_RANK", &["PMI_SIZE", "SLURM_STEP_NUM_TASKS"]),
    // srun --mpi=pmix.
    ("PMIX_RANK", &["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"]),
];

/// The number of processes that were started together with this one, itself included; `None` without a launcher.
pub(super) fn launched() -> Option<usize> {
    launched_by(&|name| std::env::var(name).ok())
}

fn launched_by(variable: &dyn Fn(&str) -> Option<String>) -> Option<usize> {
    let (_, sizes) = LAUNCHERS.iter().find(|(rank, _)| variable(rank).is_some())?;
    let number = sizes.iter().find_map(|name| variable(name)?.parse().ok());
    Some(number.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_are_known_by_what_they_set() {
        let of = |set: &[(&str, &str)]| {
            launched_by(&|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[]), None);
        // A batch script of Slurm is no launcher.
        assert_eq!(of(&[("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0")]), None);
        assert_eq!(
            of(&[("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "4")]),
            Some(4)
        );
        assert_eq!(of(&[("PMI_RANK", "0"), ("PMI_SIZE", "2")]), Some(2));
        assert_eq!(of(&[("PMIX_RANK", "3"), ("SLURM_STEP_NUM_TASKS", "16")]), Some(16));
        assert_eq!(of(&[("PMIX_RANK", "0")]), Some(1));
    }
}
