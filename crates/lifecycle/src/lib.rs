//! Hosts, runs, stages, transitions, boot decisions, deadlines and diagnosis: the pure domain of Thirdboot.
