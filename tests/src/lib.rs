//! End-to-end tests: black-box hosts, real iPXE, real Ignition, kill -9.
