//! A fleet of simulated hosts over real HTTP: demo, load, faults.
