//! Wire types and a typed HTTP client: the one copy that server, CLI and simulator share.
