//! Plays a CSV file through a publisher.
