//! Time series and records in one SQLite store.
