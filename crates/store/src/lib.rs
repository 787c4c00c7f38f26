//! The store trait, the pure rules that every backend applies, and the contract suite it must pass.
