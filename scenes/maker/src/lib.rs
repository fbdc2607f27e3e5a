//! Makes a campus and its typical weather year from a readable description.
