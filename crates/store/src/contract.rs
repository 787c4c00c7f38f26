//! The contract suite: stories that call every method of [`crate::Store`], for every backend.
