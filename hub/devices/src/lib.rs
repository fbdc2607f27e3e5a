//! Believable models of every kind of point on a campus, without I/O.
