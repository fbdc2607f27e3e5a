//! What makers of plugins work with.
