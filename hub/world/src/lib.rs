//! One running campus as a pure state machine: points, commands, alarms, clock, fork, hash.
